/** What a stream keeps of a client who reads slowly: nothing that grows. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { setTimeout as passed } from "node:timers/promises";
import { isChange, named, type WatchStream } from "../../../test/conformance/watch-client.ts";
import { WatchDoor } from "../../../test/conformance/watch-door.ts";
import { until } from "../../../test/integration/ensemble.ts";

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

/** A stream whose client reads nothing, until it is cut off. */
async function cutOff(door: WatchDoor): Promise<WatchStream> {
  await door.listen();
  const client = door.poller();
  const stream = door.stream("children=/");
  await stream.next(named("state"));
  stream.pause();
  let made = 0;
  const name = "long-name-".repeat(20);
  await until(
    async () => {
      const then = Array.from({ length: 500 }, () => ({ op: "create", path: `/${name}${made++}`, data: "" }));
      await client.send("POST", "/v1/txn", { "content-type": "application/json" }, JSON.stringify({ then }));
      return door.memory.watches.size === 0;
    },
    30_000,
    "the stream is cut off",
  );
  client.close();
  return stream;
}

const small = { watchUnsentBytes: 200_000, watchSoftBytes: 50_000 };

it("a client who is cut off has time to read what it was sent, up to the last word", async () => {
  const door = new WatchDoor(small);
  const stream = await cutOff(door);
  await passed(6000);
  stream.resume();
  const end = await stream.next(named("end"));
  assert.deepEqual([end.data.code, end.data.cursor], ["throttled", stream.cursor]);
  await door.stop();
});

it("a client who reads nothing any more is left", async () => {
  const door = new WatchDoor({ ...small, watchStallMillis: 200 });
  await cutOff(door);
  await until(async () => (await door.connections()) === 0, 30_000, "its connection is closed");
  await door.stop();
});
