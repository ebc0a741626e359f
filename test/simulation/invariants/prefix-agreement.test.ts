import { test } from "node:test";
import { anyone } from "@quorate/api";
import { breaks, put, Scene } from "./fixture.test-support.ts";
import { Order } from "./order.ts";
import { PrefixAgreement } from "./prefix-agreement.ts";

const name = "prefix-agreement";
const watched = (): Scene => new Scene([new PrefixAgreement(new Order())]);

test("who comes back stands somewhere in the order", () => {
  const scene = watched();
  scene.write(put("/a"));
  const early = scene.copy(3);
  scene.write(put("/b"));
  scene.stop(3);
  scene.restore(3, early, "start");
  scene.catchUp(3);
  scene.restore(2, scene.copy(1), "leader");
  scene.finish();
});

test("who comes back further than anybody applied, and the order passes there", () => {
  const scene = watched();
  // In the log of replica 3, with word that it is committed.
  const batch = scene.batch([scene.command({ identity: anyone, operation: put("/a") })]);
  scene.batches.push(batch);
  scene.stop(3);
  const ahead = scene.copy(3);
  ahead.apply(batch);
  scene.restore(3, ahead, "start");
  const next = scene.batch([scene.command({ identity: anyone, operation: put("/b") })]);
  scene.batches.push(next);
  scene.apply(3, next);
  scene.catchUp(1);
  scene.catchUp(2);
  scene.finish();
});

test("a history that never was committed is applied at a restart", () => {
  const scene = watched();
  scene.stop(3);
  const ahead = scene.copy(3);
  ahead.apply(scene.batch([scene.command({ identity: anyone, operation: put("/a") })]));
  scene.restore(3, ahead, "start");
  scene.elect(2);
  const instead = [scene.command({ identity: anyone, operation: put("/b") })];
  breaks(name, () => scene.commit(instead, [1, 2]), /replica 3 restored .* no position of the order/);
});

test("a tree in the midst of a batch", () => {
  const scene = watched();
  const two = [put("/a"), put("/b")].map((operation) => scene.command({ identity: anyone, operation }));
  const half = scene.copy(3);
  half.apply(scene.batch(two.slice(0, 1)));
  scene.commit(two);
  scene.stop(3);
  breaks(name, () => scene.restore(3, half, "start"), /no position/);
});

test("a leader's snapshot that sets back", () => {
  const scene = watched();
  const early = scene.copy(1);
  scene.write(put("/a"));
  breaks(name, () => scene.restore(2, early, "leader"), /sets replica 2 back/);
});

test("somebody stays behind for good", () => {
  const scene = watched();
  scene.commit([scene.command({ identity: anyone, operation: put("/a") })], [1, 2]);
  breaks(name, () => scene.finish(), /replica 3 stands at 0x0000000100000001, the order ends at/);
});

test("what somebody had restored is gone in the end", () => {
  const scene = watched();
  scene.stop(3);
  const ahead = scene.copy(3);
  ahead.apply(scene.batch([scene.command({ identity: anyone, operation: put("/a") })]));
  scene.restore(3, ahead, "start");
  scene.stop(3);
  scene.restore(3, scene.copy(1), "start");
  breaks(name, () => scene.finish(), /the order ends at 0x0000000100000002/);
});
