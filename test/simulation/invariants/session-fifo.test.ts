import { test } from "node:test";
import { anyone, type Command, type Outcome, type Zxid } from "@quorate/api";
import type { Applied } from "@quorate/tree";
import { breaks, create, put, Scene, sessionOperation } from "./fixture.test-support.ts";
import { Order } from "./order.ts";
import { SessionFifo } from "./session-fifo.ts";

const name = "session-fifo";
const watched = (): Scene => new Scene([new SessionFifo(new Order())]);

function numbered(scene: Scene, sequence: number, attachment = 1): Command {
  const lane = { session: scene.gateway, attachment, sequence, answeredUpTo: 0 };
  return { lane, identity: anyone, operation: put("/a") };
}

/** As if the tree had judged so; `code`: a failure. */
function pretend(scene: Scene, command: Command, outcome: "done" | "gap" | { code: string } | { of: Zxid }): void {
  const batch = scene.batch([command]);
  scene.batches.push(batch);
  const { last: zxid } = batch;
  const done = { ok: true, zxid, result: { kind: "done", count: 0 } } as const;
  let judged: unknown = outcome;
  if (outcome === "done") judged = done;
  else if (typeof outcome === "object") {
    judged = "of" in outcome ? { ...done, zxid: outcome.of } : { ok: false, zxid, code: outcome.code, detail: "" };
  }
  scene.apply(1, batch, { results: [{ lane: command.lane, zxid, outcome: judged } as Applied] });
}

test("numbers in their order, through repetitions, gaps, attachments and ends of sessions", () => {
  const scene = watched();
  scene.commit([numbered(scene, 1), numbered(scene, 3), numbered(scene, 2), numbered(scene, 2), numbered(scene, 1)]);
  scene.commit([{ lane: undefined as never, identity: anyone, operation: sessionOperation("gateway", 9000, 3) }]);
  const acting = { session: scene.gateway, secretHash: new Uint8Array(32).fill(9) };
  scene.commit([{ identity: anyone, acting, operation: { kind: "attach", session: scene.gateway } }]);
  scene.commit([numbered(scene, 3), numbered(scene, 3, 2), numbered(scene, 4, 2)]);
  const acknowledged = {
    ...numbered(scene, 5, 2),
    lane: { ...numbered(scene, 5, 2).lane, answeredUpTo: 4 },
  } as Command;
  scene.commit([acknowledged, numbered(scene, 2, 2)]);
  scene.commit([{ identity: anyone, operation: { kind: "expireSession", session: scene.gateway } }]);
  scene.commit([numbered(scene, 6, 2)]);
});

test("a client's writes, one after the other", () => {
  const scene = watched();
  scene.write(create("/a"));
  scene.write(create("/a"));
  scene.write(put("/b"), { request: 9, key: "k" });
  scene.write(put("/b"), { request: 9, key: "k" });
  scene.write(put("/b"), { client: 2 });
});

test("a number is left out", () => {
  const scene = watched();
  breaks(name, () => pretend(scene, numbered(scene, 2), "done"), /is not refused as a gap; the lane is at 0/);
});

test("the next number is refused as a gap", () => {
  const scene = watched();
  breaks(name, () => pretend(scene, numbered(scene, 1), "gap"), /is refused as a gap/);
});

test("a number is done again", () => {
  const scene = watched();
  scene.commit([numbered(scene, 1)]);
  breaks(name, () => pretend(scene, numbered(scene, 1), "done"), /executed again/);
});

test("the next number gets what a former one got", () => {
  const scene = watched();
  const [first] = scene.commit([numbered(scene, 1)]);
  const of = (first as Outcome).zxid;
  breaks(name, () => pretend(scene, numbered(scene, 2), { of }), /gets the outcome of/);
});

test("a former attachment's write is done", () => {
  const scene = watched();
  const acting = { session: scene.gateway, secretHash: new Uint8Array(32).fill(9) };
  scene.commit([{ identity: anyone, acting, operation: { kind: "attach", session: scene.gateway } }]);
  breaks(name, () => pretend(scene, numbered(scene, 1), "done"), /bears attachment 1, but 2 holds/);
});

test("the lane of a session that is over goes on", () => {
  const scene = watched();
  scene.commit([{ identity: anyone, operation: { kind: "expireSession", session: scene.gateway } }]);
  breaks(name, () => pretend(scene, numbered(scene, 1), "done"), /goes on, but its session is over/);
  breaks(name, () => pretend(scene, numbered(scene, 1), { code: "sessionMoved" }), /goes on, but its session is over/);
});

test("a client's later write stands before its earlier one", () => {
  const scene = watched();
  const early = scene.askWrite(put("/a"), { client: 2 });
  const [outcome] = scene.commit([scene.command(early.write)]);
  scene.write(put("/b"));
  const late = scene.askWrite(put("/c"));
  breaks(name, () => scene.answerOutcome(late, outcome as Outcome), /client 1: request 3 stands at/);
});
