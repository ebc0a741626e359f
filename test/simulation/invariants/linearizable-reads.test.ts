import { test } from "node:test";
import type { Outcome } from "@quorate/api";
import { anyone } from "@quorate/api";
import { breaks, create, get, put, remove, Scene } from "./fixture.test-support.ts";
import { LinearizableReads } from "./linearizable-reads.ts";
import { Order } from "./order.ts";

const name = "linearizable-reads";

function watched(order: Order = new Order()): Scene {
  return new Scene([new LinearizableReads(order)]);
}

/** By client 2, at all but replica 3. */
function writeBehind(scene: Scene, operation = put("/a")): void {
  const asked = scene.askWrite(operation, { client: 2 });
  const [outcome] = scene.commit([scene.command(asked.write)], [1, 2]);
  scene.answerOutcome(asked, outcome as Outcome);
}

test("everything that anybody was told of", () => {
  const scene = watched();
  scene.write(put("/a"));
  const before = scene.askRead(get("/a"));
  writeBehind(scene);
  // Asked before the write was answered: either will do.
  scene.answerOutcome(before, scene.tree(3).read(get("/a"), anyone), 3);
  scene.read(get("/a"), {}, 2);
  scene.read(get("/a"), { consistency: "session" }, 3);
});

test("a write that somebody was told of is missing", () => {
  const scene = watched();
  writeBehind(scene);
  breaks(name, () => scene.read(get("/a"), {}, 3), /was told before it was asked/);
});

test("a failure that somebody was told of is missing", () => {
  const scene = watched();
  writeBehind(scene, remove("/none"));
  breaks(name, () => scene.read(get("/a"), {}, 3), /was told before it was asked/);
});

test("what another linearizable read has shown is missing", () => {
  const scene = watched();
  scene.commit([scene.command({ identity: anyone, operation: create("/a") })], [1, 2]);
  scene.read(get("/a"), {}, 1);
  breaks(name, () => scene.read(get("/a"), {}, 3, 2), /was told before it was asked/);
});

test("a write stands before what was told before it was asked", () => {
  const scene = watched();
  const first = scene.askWrite(put("/a"), { client: 2 });
  const [outcome] = scene.commit([scene.command(first.write)]);
  scene.write(put("/b"), { client: 3 });
  const late = scene.askWrite(put("/c"), { client: 4 });
  breaks(name, () => scene.answerOutcome(late, outcome as Outcome), /request 3 stands at/);
});

test("flipped memory's word is nobody's", () => {
  const order = new Order();
  const scene = watched(order);
  writeBehind(scene);
  order.suspects.flip(3, scene.at);
  scene.read(get("/a"), {}, 3);
  scene.at += 5;
  order.suspects.clear(3, scene.at);
  scene.at += 5;
  breaks(name, () => scene.read(get("/a"), {}, 3), /was told/);
});
