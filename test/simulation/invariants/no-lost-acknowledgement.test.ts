import { test } from "node:test";
import { anyone, type Outcome, type Result, type Success, type Zxid } from "@quorate/api";
import { breaks, create, get, put, Scene } from "./fixture.test-support.ts";
import { NoLostAcknowledgement } from "./no-lost-acknowledgement.ts";
import { Order } from "./order.ts";

const name = "no-lost-acknowledgement";

function watched(order: Order = new Order()): Scene {
  return new Scene([new NoLostAcknowledgement(order)]);
}

test("successes and failures that were decided, in their places", () => {
  const scene = watched();
  scene.write(create("/a"));
  scene.write(create("/a"));
  scene.write(put("/b"), { request: 40, key: "k" });
  // The proxy repeats it: the first answer, replayed.
  scene.write(put("/b"), { request: 40, key: "k" });
  scene.read(get("/b"));
  const lost = scene.askWrite(put("/c"));
  scene.answer(lost, { kind: "unavailable", code: "timeout", detail: "", certainty: "unknown", retryAfterMillis: 0 });
  scene.elect(2);
  scene.write(put("/d"));
  scene.finish();
});

test("an answer from what only a restart has applied so far", () => {
  const scene = watched();
  const asked = scene.askWrite(put("/a"));
  const batch = scene.batch([scene.command(asked.write)]);
  scene.batches.push(batch);
  scene.stop(3);
  const ahead = scene.copy(3);
  const [result] = ahead.apply(batch);
  scene.restore(3, ahead, "start");
  scene.answerOutcome(asked, result?.outcome as Outcome, 3);
  scene.catchUp(1);
  scene.catchUp(2);
  scene.finish();
});

test("such an answer that turns out another's", () => {
  const scene = watched();
  const asked = scene.askWrite(put("/a"));
  const batch = scene.batch([scene.command(asked.write)]);
  scene.batches.push(batch);
  scene.stop(3);
  const ahead = scene.copy(3);
  const [result] = ahead.apply(batch);
  scene.restore(3, ahead, "start");
  scene.answerOutcome({ ...asked, request: 77 }, result?.outcome as Outcome, 3);
  breaks(name, () => scene.catchUp(1), /request 77 .* command of request 1/);
});

test("what nobody applied is acknowledged", () => {
  const scene = watched();
  const asked = scene.askWrite(put("/a"));
  const outcome = { ok: true, zxid: (scene.end + 1) as Zxid, result: { kind: "done", count: 0 } } as const;
  breaks(name, () => scene.answerOutcome(asked, outcome), /not in the order/);
});

test("another's command stands there", () => {
  const scene = watched();
  const other = scene.write(put("/a"));
  const asked = scene.askWrite(put("/b"));
  breaks(name, () => scene.answerOutcome(asked, other), /request 2 .* command of request 1/);
});

test("another outcome was decided", () => {
  const scene = watched();
  const asked = scene.askWrite(create("/a"));
  const [decided] = scene.commit([scene.command(asked.write)]);
  const { zxid } = decided as Outcome;
  const told = { ok: false, zxid, code: "nodeExists", detail: "" } as const;
  breaks(name, () => scene.answerOutcome(asked, told), /with nodeExists; decided was node/);
  const { result } = decided as Success;
  const wrong = { ok: true, zxid, result: { ...result, created: false } as Result } as const;
  breaks(name, () => scene.answerOutcome(asked, wrong), /with node/);
});

test("a later leader has not got it", () => {
  const scene = watched();
  const before = scene.end;
  scene.write(put("/a"));
  breaks(name, () => scene.role({ replica: 2, epoch: 2, syncedThrough: before }), /was acknowledged/);
});

test("in the end somebody has not got it", () => {
  const scene = watched();
  const asked = scene.askWrite(put("/a"));
  const [outcome] = scene.commit([scene.command(asked.write)], [1, 2]);
  scene.answerOutcome(asked, outcome as Outcome);
  breaks(name, () => scene.finish(), /replica 3 stands at/);
});

test("flipped memory's word is nobody's", () => {
  const order = new Order();
  const scene = watched(order);
  const asked = scene.askWrite(put("/a"));
  order.suspects.flip(2, scene.at);
  const outcome = { ok: true, zxid: 99 as Zxid, result: { kind: "done", count: 0 } } as const;
  scene.answerOutcome(asked, outcome, 2);
  breaks(name, () => scene.answerOutcome(asked, outcome, 1));
  scene.commit([scene.command({ identity: anyone, operation: put("/b") })]);
});
