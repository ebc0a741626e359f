import { test } from "node:test";
import { anyone, type Batch, composeZxid, type Zxid } from "@quorate/api";
import { breaks, put, Scene } from "./fixture.test-support.ts";
import { Order } from "./order.ts";
import { PrimaryOrder } from "./primary-order.ts";

const name = "primary-order";
const watched = (): Scene => new Scene([new PrimaryOrder(new Order())]);

/** One command as the next batch, with fields of another. */
function another(scene: Scene, changed: Partial<Batch>): Batch {
  return scene.batch([scene.command({ identity: anyone, operation: put("/a") })], changed);
}

test("epochs that follow each other", () => {
  const scene = watched();
  scene.write(put("/a"));
  scene.elect(2);
  scene.write(put("/b"));
  scene.write(put("/c"));
  scene.elect(1);
  scene.elect(3);
  scene.write(put("/d"));
});

test("what was committed before is applied late", () => {
  const scene = watched();
  const batch = another(scene, {});
  scene.batches.push(batch);
  scene.elect(2);
  scene.apply(1, batch);
});

test("zxids are left out in an epoch", () => {
  const scene = watched();
  const first = composeZxid(1, 5);
  breaks(name, () => scene.apply(1, another(scene, { first, last: first })), /left out/);
});

test("an epoch that does not begin with 1", () => {
  const scene = watched();
  scene.elect(2);
  const first = composeZxid(2, 2);
  breaks(name, () => scene.apply(1, another(scene, { first, last: first })), /does not begin with 1/);
});

test("an epoch's first batch behind something else than the history it began with", () => {
  const scene = watched();
  const late = another(scene, {});
  scene.batches.push(late);
  scene.role({ replica: 2, epoch: 2, syncedThrough: late.previous, committed: late.previous });
  scene.epoch = 2;
  scene.trees.set(1, scene.copy(1));
  scene.tree(1).apply(late);
  breaks(name, () => scene.apply(1, another(scene, {})), /replica 2 began the epoch behind/);
});

test("something of an earlier epoch is applied behind where a later one began", () => {
  const scene = watched();
  scene.elect(2);
  scene.epoch = 1;
  breaks(name, () => scene.apply(1, another(scene, {})), /began epoch 2 with 0x0000000100000001 only/);
});

test("the epoch falls", () => {
  const scene = watched();
  scene.elect(2);
  scene.elect(3);
  scene.write(put("/a"));
  scene.tell((each) => each.restored({ at: 0, replica: 1, from: "start", tree: scene.tree(1) }));
  // In numbers it does not fall: only its predecessor tells.
  const first = composeZxid(4, 1);
  const previous = composeZxid(5, 1);
  const seen = { at: 0, replica: 2, commands: [], results: [], tree: scene.tree(2) } as const;
  const batch = { ...another(scene, {}), first, last: first, previous };
  breaks(name, () => scene.tell((each) => each.applied({ ...seen, batch })), /the epoch falls/);
});

test("one batch of two epochs", () => {
  const scene = watched();
  const seen = { at: 0, replica: 2, commands: [], results: [], tree: scene.tree(2) } as const;
  const batch = another(scene, { last: composeZxid(2, 1) });
  breaks(name, () => scene.tell((each) => each.applied({ ...seen, batch })), /two epochs/);
});

test("a leader that lacks what somebody has applied", () => {
  const scene = watched();
  const before = scene.end;
  scene.commit([scene.command({ identity: anyone, operation: put("/a") })], [3]);
  breaks(name, () => scene.role({ replica: 2, epoch: 2, syncedThrough: before }), /is applied already/);
});

test("a leader established before its history is committed", () => {
  const scene = watched();
  breaks(name, () => scene.role({ replica: 2, epoch: 2, committed: 0 as Zxid }), /of which 0x0000000000000000 is/);
});

test("a leader whose history is of its own epoch already", () => {
  const scene = watched();
  const syncedThrough = composeZxid(2, 4);
  breaks(
    name,
    () => scene.role({ replica: 2, epoch: 2, syncedThrough, committed: syncedThrough }),
    /not of an earlier/,
  );
});

test("a leader that learns of its establishment when a later one has led already", () => {
  const scene = watched();
  scene.write(put("/a"));
  const at = scene.tree(1).applied;
  scene.elect(3);
  scene.write(put("/b"));
  scene.role({ replica: 2, epoch: 2, syncedThrough: at, committed: at });
});
