import assert from "node:assert/strict";
import { test } from "node:test";
import type { Path } from "@quorate/api";
import { ConnectionScene } from "./connection-scene.test-support.ts";
import { WatchesScene } from "./watches-scene.test-support.ts";

const path = (at: number): Path => `/${String(at).padStart(3, "0")}` as Path;

test("a connection's watches have a limit by their number: one more is refused, with a line in the log, until others go", () => {
  const scene = new WatchesScene({ followed: 10 });
  for (let at = 0; at < 9; at++) scene.answer(scene.watch("getData", path(at)), 10);
  scene.turn();
  assert.equal(scene.watches.count, 9);
  assert.deepEqual(scene.logged, []);
  assert.equal(scene.watches.expect("exists", path(9)), undefined);
  const xid = scene.addWatch(path(10), 0);
  assert.deepEqual(scene.turn(), [`reply ${xid} @10 -127`]);
  const line = "it watches 9 paths, which is the most for a connection: a request for one more is refused (-127)";
  assert.deepEqual(scene.logged, [line, line]);
  scene.change(11, "changed", path(0));
  scene.turn();
  assert.ok(scene.watches.expect("exists", path(9)) !== undefined, "there is room again");
});

test("and by their bytes; a list of children counts twice", () => {
  const bytes = 4 + path(0).length;
  for (const [op, most] of [
    ["getData", 8],
    ["getChildren", 4],
  ] as const) {
    const scene = new WatchesScene({ followedBytes: 9 * bytes });
    let at = 0;
    while (scene.watches.expect(op, path(at)) !== undefined) at++;
    assert.equal(at, most);
  }
});

test("however many are refused, the log has one line in a while", async () => {
  const scene = new ConnectionScene();
  const client = await scene.connect();
  const deep = `/${"x".repeat(4000)}`;
  const most = Math.floor((32 * 1_048_576) / (deep.length + 8));
  for (let at = 0; at < most + 10; at++) {
    client.ask({ op: "exists", path: `${deep}${String(at).padStart(4, "0")}`, watch: true });
    if (at % 256 === 255) await scene.settle();
  }
  await scene.settle();
  const codes = new Set(client.told.map(({ code }) => code));
  assert.deepEqual([...codes].sort(), [-101, -127]);
  assert.equal(scene.logged.length, 1, scene.logged.join("\n"));
  assert.match(scene.logged[0] ?? "", /^zookeeper: session 0x[0-9a-f]+: it watches \d+ paths, which is the most/);
});
