/** What a stream keeps of a client who reads slowly: nothing that grows. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { isChange } from "../../../test/conformance/watch-client.ts";
import { WatchDoor } from "../../../test/conformance/watch-door.ts";

it("a client who is waited for often leaves no listeners behind", async () => {
  const warnings: string[] = [];
  const warned = ({ message }: Error): void => void warnings.push(message);
  process.on("warning", warned);
  // Every client is a slow one.
  const door = new WatchDoor({ watchSoftBytes: -1 });
  await door.listen();
  const client = door.poller();
  await client.send("PUT", "/v1/znodes/a", {}, "0");
  const stream = door.stream("node=/a&include=data");
  await stream.opened;
  for (let i = 1; i <= 20; i++) {
    await client.send("PUT", "/v1/znodes/a", {}, `${i}`);
    assert.equal((await stream.next(isChange)).data.data, `${i}`);
  }
  await door.stop();
  process.off("warning", warned);
  assert.deepEqual(warnings, []);
});
