import { test } from "node:test";
import type { Outcome } from "@quorate/api";
import type { Answer } from "@quorate/gateway";
import { breaks, create, put, Scene } from "./fixture.test-support.ts";
import { NoEffectMeansNone } from "./no-effect-means-none.ts";
import { Order } from "./order.ts";

const name = "no-effect-means-none";

function watched(order: Order = new Order()): Scene {
  return new Scene([new NoEffectMeansNone(order)]);
}

function unavailable(certainty: "noEffect" | "unknown"): Answer {
  return { kind: "unavailable", code: "noLeader", detail: "", certainty, retryAfterMillis: 0 };
}

test("what may have been done, and what was not", () => {
  const scene = watched();
  scene.write(create("/a"));
  scene.write(create("/a"));
  const unknown = scene.askWrite(put("/b"));
  scene.answer(unknown, unavailable("unknown"));
  scene.commit([scene.command(unknown.write)]);
  const none = scene.askWrite(put("/c"));
  scene.answer(none, unavailable("noEffect"));
  // The proxy's second try of it is done.
  scene.write(put("/c"), { request: none.request });
});

test("executed after the answer", () => {
  const scene = watched();
  const asked = scene.askWrite(put("/a"));
  scene.answer(asked, unavailable("noEffect"));
  breaks(name, () => scene.commit([scene.command(asked.write)]), /of 1 tries 1 had no effect, and it was executed 1/);
});

test("executed before the answer", () => {
  const scene = watched();
  const asked = scene.askWrite(put("/a"));
  scene.commit([scene.command(asked.write)]);
  breaks(name, () => scene.answer(asked, unavailable("noEffect")), /was answered noLeader, noEffect/);
});

test("a failure is told of what was executed", () => {
  const scene = watched();
  const asked = scene.askWrite(create("/a"));
  const [done] = scene.commit([scene.command(asked.write)]);
  const failure = { ok: false, zxid: (done as Outcome).zxid, code: "nodeExists", detail: "" } as const;
  breaks(name, () => scene.answerOutcome(asked, failure), /was answered nodeExists/);
});

test("two tries, of which neither had an effect, and one has", () => {
  const scene = watched();
  const first = scene.askWrite(put("/a"));
  const second = scene.askWrite(put("/a"), { request: first.request });
  scene.answer(first, unavailable("noEffect"));
  scene.commit([scene.command(second.write)]);
  breaks(name, () => scene.answer(second, unavailable("noEffect")), /of 2 tries 2 had no effect/);
});
