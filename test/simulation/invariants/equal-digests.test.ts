import { test } from "node:test";
import { anyone, type Batch } from "@quorate/api";
import { Tree } from "@quorate/tree";
import { EqualDigests } from "./equal-digests.ts";
import { breaks, create, put, Scene } from "./fixture.test-support.ts";
import { Order } from "./order.ts";

const name = "equal-digests";

function watched(): { readonly scene: Scene; readonly digests: EqualDigests } {
  const digests = new EqualDigests(new Order());
  return { scene: new Scene([digests]), digests };
}

/** What another replica takes for the same batch. */
function differing(scene: Scene): readonly [Batch, Batch] {
  const command = scene.command({ identity: anyone, operation: put("/a", "one") });
  const one = scene.batch([command]);
  const { payload } = scene.batch([{ ...command, operation: put("/a", "two") }]);
  scene.batches.push(one);
  return [one, { ...one, payload }];
}

test("equal at equal positions, and anew from the records", () => {
  const { scene } = watched();
  scene.write(create("/a"));
  scene.commit([scene.command({ identity: anyone, operation: put("/a") })], [1, 2]);
  scene.catchUp(3);
  scene.stop(2);
  scene.restore(2, scene.copy(1), "start");
  scene.write(create("/a"));
  scene.finish();
});

test("states that have come apart", () => {
  const { scene } = watched();
  const [one, two] = differing(scene);
  scene.apply(1, one);
  breaks(name, () => scene.apply(2, two), /replica 2 has digest .* replica 1 has/);
});

test("verdicts that differ", () => {
  const { scene } = watched();
  const batch = scene.batch([scene.command({ identity: anyone, operation: create("/a") })]);
  const { results } = scene.apply(1, batch);
  const failure = { ok: false, zxid: batch.last, code: "noNode", detail: "" } as const;
  const other = [{ ...results[0], lane: undefined, zxid: batch.last, outcome: failure }];
  breaks(name, () => scene.apply(2, batch, { results: other }), /replica 2 decides .* otherwise/);
  breaks(name, () => scene.apply(3, batch, { results: [{ ...other[0], outcome: "gap" } as never] }), /otherwise/);
});

test("flipped memory is left out until it is replaced", () => {
  const { scene, digests } = watched();
  const [one, two] = differing(scene);
  digests.flipped(1);
  scene.apply(1, two);
  scene.apply(2, one);
  scene.apply(3, one);
  scene.stop(1);
  scene.restore(1, scene.copy(2), "start");
  scene.write(put("/b"));
  scene.finish();
});

test("flipped memory that nobody finds", () => {
  const { scene, digests } = watched();
  const [one, two] = differing(scene);
  digests.flipped(1);
  scene.apply(1, two);
  scene.apply(2, one);
  scene.apply(3, one);
  breaks(name, () => scene.finish(), /replica 1: its flipped memory was not found/);
});

test("who comes back from flipped memory counts again", () => {
  const { scene, digests } = watched();
  const [one, two] = differing(scene);
  digests.flipped(1);
  scene.stop(1);
  scene.restore(1, scene.copy(1), "start");
  scene.apply(2, one);
  breaks(name, () => scene.apply(1, two), /replica 1 has digest/);
});

/** Replica 1 comes back with what the flip has left in its log. */
function comeBackWrong(): Scene {
  const { scene, digests } = watched();
  const [one, two] = differing(scene);
  digests.flipped(1);
  scene.apply(1, two);
  scene.apply(2, one);
  scene.apply(3, one);
  scene.stop(1);
  scene.restore(1, scene.copy(1), "start");
  scene.write(put("/b"));
  return scene;
}

test("a flip that has reached the disk, and is found there", () => {
  const scene = comeBackWrong();
  scene.stop(1);
  scene.restore(1, new Tree(), "start");
  scene.restore(1, scene.copy(2), "leader");
  scene.write(put("/c"));
  scene.finish();
});

test("a flip that has reached the disk, and stays there", () => {
  const scene = comeBackWrong();
  breaks(name, () => scene.finish(), /replica 1: its flipped memory was not found/);
});
