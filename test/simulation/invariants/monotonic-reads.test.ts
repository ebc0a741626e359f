import { test } from "node:test";
import { anyone } from "@quorate/api";
import { breaks, get, put, Scene } from "./fixture.test-support.ts";
import { MonotonicReads } from "./monotonic-reads.ts";
import { Order } from "./order.ts";

const name = "monotonic-reads";

/** Replica 3 is a batch behind the others. */
function watched(): Scene {
  const scene = new Scene([new MonotonicReads(new Order())]);
  scene.write(put("/a"), { client: 9 });
  scene.commit([scene.command({ identity: anyone, operation: put("/a") })], [1, 2]);
  return scene;
}

test("never back, but for who asks for it", () => {
  const scene = watched();
  const { zxid } = scene.read(get("/a"), { consistency: "session" }, 3);
  scene.read(get("/a"), { consistency: "session", minZxid: zxid }, 3);
  scene.read(get("/a"), { consistency: "session", minZxid: zxid }, 1);
  scene.read(get("/a"), { consistency: "session", minZxid: zxid }, 3);
  scene.read(get("/a"), { consistency: "stale" }, 3);
  scene.read(get("/a"), { consistency: "linearizable" }, 2);
  // Another client has seen nothing.
  scene.read(get("/a"), { consistency: "linearizable" }, 3, 2);
});

test("a session read that passes what was seen goes back", () => {
  const scene = watched();
  const { zxid } = scene.read(get("/a"), { consistency: "session" }, 1);
  breaks(name, () => scene.read(get("/a"), { consistency: "session", minZxid: zxid }, 3), /goes back to/);
});

test("a linearizable read goes back behind a stale one", () => {
  const scene = watched();
  scene.read(get("/a"), { consistency: "stale" }, 1);
  breaks(name, () => scene.read(get("/a"), {}, 3), /goes back to/);
});
