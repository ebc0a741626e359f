import { test } from "node:test";
import { anyone, type Outcome, type Zxid } from "@quorate/api";
import { BoundedStaleness } from "./bounded-staleness.ts";
import { breaks, get, put, Scene } from "./fixture.test-support.ts";
import { Order } from "./order.ts";

const name = "bounded-staleness";
const watched = (): Scene => new Scene([new BoundedStaleness(new Order(), 0.05)]);

/** Replica 3 lacks what somebody was told of at this moment. */
function tellBehind(scene: Scene): void {
  const asked = scene.askWrite(put("/a"));
  const [outcome] = scene.commit([scene.command(asked.write)], [1, 2]);
  scene.answerOutcome(asked, outcome as Outcome);
}

function readStale(scene: Scene, maxStaleMillis: number, ageMillis: number): void {
  const asked = scene.askRead(get("/a"), { consistency: "stale", maxStaleMillis });
  scene.answerOutcome(asked, scene.tree(3).read(get("/a"), anyone), 3, ageMillis);
}

test("as old as it may be, and as it says", () => {
  const scene = watched();
  scene.write(put("/a"));
  tellBehind(scene);
  scene.at += 100;
  readStale(scene, 100, 100);
  // Its clock is slow.
  scene.at += 4;
  readStale(scene, 100, 100);
  scene.catchUp(3);
  readStale(scene, 10, 0);
});

test("older than it may be", () => {
  const scene = watched();
  tellBehind(scene);
  scene.at += 106;
  breaks(name, () => readStale(scene, 100, 100), /may be 100 ms old; 0x0000000100000002 was told before/);
});

test("older than it says", () => {
  const scene = watched();
  tellBehind(scene);
  scene.at += 60;
  breaks(name, () => readStale(scene, 100, 50), /says that it is 50 ms old/);
});

test("an age beyond the bound", () => {
  const scene = watched();
  breaks(name, () => readStale(scene, 100, 102), /is 102 ms old; it may be 100 ms/);
});

test("what a linearizable read has shown counts", () => {
  const scene = watched();
  scene.commit([scene.command({ identity: anyone, operation: put("/a") })], [1, 2]);
  scene.read(get("/a"), { consistency: "session", minZxid: 0 as Zxid }, 1);
  scene.at += 60;
  readStale(scene, 50, 50);
  scene.read(get("/a"), {}, 1);
  scene.at += 60;
  breaks(name, () => readStale(scene, 50, 50), /may be 50 ms old/);
});
