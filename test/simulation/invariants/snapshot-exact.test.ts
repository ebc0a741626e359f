import { test } from "node:test";
import { anyone } from "@quorate/api";
import { EqualDigests } from "./equal-digests.ts";
import { breaks, put, Scene } from "./fixture.test-support.ts";
import { Order } from "./order.ts";
import { SnapshotExact } from "./snapshot-exact.ts";

const name = "snapshot-exact";

function watched(): Scene {
  const order = new Order();
  return new Scene([new SnapshotExact(order), new EqualDigests(order)]);
}

test("what is restored is the state of its position", () => {
  const scene = watched();
  scene.write(put("/a"));
  const early = scene.copy(1);
  scene.write(put("/b"));
  scene.stop(2);
  scene.restore(2, early, "start");
  scene.catchUp(2);
  scene.restore(3, scene.copy(1), "leader");
});

test("a snapshot with what was written later, or without what was written before", () => {
  for (const from of ["start", "leader"] as const) {
    const scene = watched();
    const other = scene.copy(1);
    const command = scene.command({ identity: anyone, operation: put("/a") });
    other.apply(scene.batch([{ ...command, operation: put("/later") }]));
    scene.commit([command]);
    breaks(name, () => scene.restore(2, other, from), /with digest .*; replica 1 had/);
  }
});

test("a position within a batch", () => {
  const scene = watched();
  const two = [put("/a"), put("/b")].map((operation) => scene.command({ identity: anyone, operation }));
  const half = scene.copy(3);
  half.apply(scene.batch(two.slice(0, 1)));
  scene.commit(two);
  breaks(name, () => scene.restore(3, half, "start"), /no batch's end/);
});
