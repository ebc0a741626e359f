import { test } from "node:test";
import type { Outcome } from "@quorate/api";
import { breaks, get, put, Scene } from "./fixture.test-support.ts";
import { Order } from "./order.ts";
import { ReadYourWrites } from "./read-your-writes.ts";

const name = "read-your-writes";
const watched = (): Scene => new Scene([new ReadYourWrites(new Order())]);

/** Replica 3 lacks a write that client 1 was told of. */
function behind(scene: Scene): void {
  const asked = scene.askWrite(put("/a"));
  const [outcome] = scene.commit([scene.command(asked.write)], [1, 2]);
  scene.answerOutcome(asked, outcome as Outcome);
}

test("at what was asked for, or later", () => {
  const scene = watched();
  const { zxid } = scene.write(put("/a"));
  scene.read(get("/a"), { consistency: "session", minZxid: zxid }, 3);
  scene.write(put("/a"));
  scene.read(get("/a"), { consistency: "session", minZxid: zxid }, 3);
  scene.read(get("/a"), { consistency: "linearizable" }, 2);
  behind(scene);
  // Who passes nothing, or is somebody else, may be shown less.
  scene.read(get("/a"), { consistency: "session" }, 3);
  scene.read(get("/a"), { consistency: "stale" }, 3);
  scene.read(get("/a"), { consistency: "linearizable" }, 3, 2);
});

test("older than what was asked for", () => {
  for (const consistency of ["session", "stale", "linearizable"] as const) {
    const scene = watched();
    const { zxid } = scene.write(put("/a"));
    const minZxid = (zxid + 1) as typeof zxid;
    breaks(name, () => scene.read(get("/a"), { consistency, minZxid }, 3), /it asked for .* or later/);
  }
});

test("a linearizable read without the client's own write", () => {
  const scene = watched();
  behind(scene);
  breaks(name, () => scene.read(get("/a"), {}, 3), /its own write at/);
});
