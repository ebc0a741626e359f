import { test } from "node:test";
import { anyone, type Zxid } from "@quorate/api";
import { Tree } from "@quorate/tree";
import { breaks, put, Scene } from "./fixture.test-support.ts";
import { Order } from "./order.ts";
import { TotalOrder } from "./total-order.ts";

const name = "total-order";
const watched = (): Scene => new Scene([new TotalOrder(new Order())]);

test("the same batches everywhere, also behind a restart and a snapshot", () => {
  const scene = watched();
  scene.write(put("/a"));
  scene.commit([scene.command({ identity: anyone, operation: put("/b") })], [1, 2]);
  scene.catchUp(3);
  scene.stop(2);
  scene.restore(2, new Tree(), "start");
  for (const batch of scene.batches) scene.apply(2, batch);
  scene.restore(3, scene.copy(1), "leader");
  scene.elect(2);
  scene.write(put("/c"));
});

test("another batch at the same position", () => {
  const scene = watched();
  const commands = [scene.command({ identity: anyone, operation: put("/a") })];
  const batch = scene.batch(commands);
  scene.apply(1, batch);
  breaks(name, () => scene.apply(2, { ...batch, checksum: batch.checksum + 1 }), /behind .* replica 2 applies/);
});

test("another end at the same position", () => {
  const scene = watched();
  const a = scene.command({ identity: anyone, operation: put("/a") });
  const b = scene.command({ identity: anyone, operation: put("/b") });
  scene.apply(1, scene.batch([a]));
  breaks(name, () => scene.apply(2, scene.batch([a, b])), /others 0x0000000100000002/);
});

test("a batch is left out", () => {
  const scene = watched();
  scene.commit([scene.command({ identity: anyone, operation: put("/a") })], [1]);
  const { previous } = scene.batch([scene.command({ identity: anyone, operation: put("/b") })]);
  const next = scene.batch([scene.command({ identity: anyone, operation: put("/b") })]);
  // Replica 2 takes it for the next one.
  scene.trees.set(2, scene.copy(1));
  breaks(name, () => scene.apply(2, { ...next, previous }), /stands at 0x0000000100000001 and applies/);
});

test("a batch is applied again after a restart", () => {
  const scene = watched();
  scene.write(put("/a"));
  const restored = scene.copy(2);
  scene.stop(2);
  scene.restore(2, restored, "start");
  scene.trees.set(2, new Tree());
  breaks(name, () => scene.apply(2, scene.batches[0] as never), /stands at 0x0000000100000002 and applies/);
});

test("a tree that does not stand where its batch ends", () => {
  const scene = watched();
  const batch = scene.batch([scene.command({ identity: anyone, operation: put("/a") })]);
  breaks(name, () => scene.apply(1, batch, { tree: scene.tree(3) }), /and stands at/);
});

test("a command without its own result", () => {
  const scene = watched();
  const command = scene.command({ identity: anyone, operation: put("/a") });
  breaks(name, () => scene.apply(1, scene.batch([command]), { results: [] }), /0 results for the 1 commands/);
  const result = { lane: undefined, zxid: 3 as Zxid, outcome: "gap" } as const;
  const another = watched();
  const batch = another.batch([another.command({ identity: anyone, operation: put("/a") })]);
  breaks(name, () => another.apply(1, batch, { results: [result] }), /another's zxid/);
});
