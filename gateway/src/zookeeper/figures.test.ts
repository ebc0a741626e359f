import assert from "node:assert/strict";
import { it } from "node:test";
import { ConnectionScene } from "./connection-scene.test-support.ts";

it("a door tells what its clients watch, wait for and have not read, and none of it when they are gone", async () => {
  const scene = new ConnectionScene();
  const [busy, deaf, silent] = [await scene.connect(), await scene.connect(), scene.bare()];
  busy.ask({ op: "exists", path: "/a", watch: true }, { op: "getChildren", path: "/", watch: true });
  await scene.settle();
  busy.ask({ op: "sync", path: "/" }, { op: "whoAmI" }, { op: "getData", path: "/", watch: false });
  const none = { refused: 0, failedAuths: 0, watches: 0, outstanding: 0, unsentBytes: 0 };
  const figures = () => {
    const { received, sent, ...present } = scene.door.figures();
    assert.deepEqual([received, sent], [scene.door.statistics.received, scene.door.statistics.sent]);
    return present;
  };
  assert.deepEqual(figures(), { ...none, watches: 2, outstanding: 3 });
  await scene.settle();
  deaf.deaf = true;
  deaf.ask({ op: "getData", path: "/", watch: true });
  await scene.settle();
  const { unsentBytes, ...others } = figures();
  assert.deepEqual(others, { refused: 0, failedAuths: 0, watches: 3, outstanding: 0 });
  assert.ok(unsentBytes > 16 && unsentBytes === deaf.queuedBytes, String(unsentBytes));
  for (const each of [busy, deaf, silent]) each.connection.destroy();
  assert.deepEqual(figures(), none);
  // Two frames that opened sessions, and the requests of them all; two answers to opening are no replies.
  const { received, sent } = scene.door.figures();
  assert.deepEqual([received, sent], [8, 6]);
  const { reads, updates } = scene.door.counts;
  assert.deepEqual([reads.count, updates.count], [6, 0]);
});
