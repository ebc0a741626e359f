import assert from "node:assert/strict";
import { test } from "node:test";
import { TestEnsemble } from "./ensemble.test-support.ts";

test("a proposal is acknowledged when it is durable, and committed when a quorum has said so", () => {
  const e = TestEnsemble.led(3);
  e.at(1).disk.hung = true;
  e.at(2).disk.hung = true;
  e.submit(3, 3);
  e.settle();
  assert.deepEqual([...e.sentBy(1, "ack"), ...e.sentBy(2, "ack")], []);
  assert.deepEqual(e.at(3).delivered, []);
  e.at(2).disk.hung = false;
  e.settle();
  assert.equal(e.at(3).delivered.length, 1);
  assert.equal(e.at(2).delivered.length, 1);
  assert.equal(e.at(1).running.view.committed, e.at(3).applied, "it is told");
  assert.deepEqual(e.at(1).delivered, [], "and applies nothing that its own disk does not have");
  e.at(1).disk.hung = false;
  e.settle();
  assert.equal(e.at(1).delivered.length, 1);
});

test("the leader counts its own vote after its own fsync, and applies nothing before it", () => {
  const e = TestEnsemble.led(3);
  e.at(3).disk.hung = true;
  e.hold(({ from, message }) => from === 2 && message.kind === "ack");
  e.submit(3);
  e.settle();
  assert.equal(e.sentBy(1, "ack").length, 1);
  assert.equal(e.at(3).running.view.committed, 0, "one follower is no quorum");
  e.hold();
  e.settle();
  assert.ok(e.at(3).running.view.committed > 0, "two followers are");
  assert.deepEqual(e.at(3).delivered, []);
  e.at(3).disk.hung = false;
  e.settle();
  assert.equal(e.at(3).delivered.length, 1);
});

test("acknowledgements and commits are cumulative, and a batch says what was committed before it", () => {
  const e = TestEnsemble.led(3);
  e.at(1).disk.hung = true;
  e.hold(({ from, message }) => from === 2 && message.kind === "ack");
  for (let n = 0; n < 3; n++) e.submit(3);
  e.settle();
  e.hold(({ from, message }) => from === 2 && message.kind === "ack" && message.through < e.at(3).running.view.last);
  e.step(3, { kind: "tick" });
  e.hold();
  e.settle();
  assert.equal(e.at(3).delivered.length, 3);
  e.submit(3);
  e.settle();
  const [last] = e.sentBy(3, "propose").slice(-1);
  assert.equal(last?.batch.commit, last?.batch.previous);
});

test("an acknowledgement of what was not proposed costs its link, not the leader", () => {
  const e = TestEnsemble.led(3);
  const link = e.at(3).running.linkTo(1) ?? 0;
  e.step(3, { kind: "received", link, message: { kind: "ack", epoch: 1, through: (2 ** 40) as never } });
  assert.equal(e.at(3).running.linkTo(1), undefined);
  assert.equal(e.leader(), 3);
});

test("who does not lead refuses", () => {
  const e = TestEnsemble.led(3);
  e.submit(1);
  assert.equal(e.at(1).notes.at(-1), "refused");
  assert.equal(e.at(1).running.view.last, 0);
});

test("a hand-over waits for the last commit, and its target leads next", () => {
  const e = TestEnsemble.led(3);
  e.hold(({ from, to, message }) => from === 3 && to === 1 && message.kind === "propose");
  e.submit(3);
  e.step(3, { kind: "handOver", target: 1 });
  e.settle();
  assert.equal(e.leader(), undefined, "it takes nothing new");
  assert.equal(e.at(3).status?.role, "leading", "1 lacks the last batch");
  e.hold();
  const from = e.now;
  e.advance(100);
  assert.equal(e.leader(), 1, "although 3 has the highest id");
  assert.ok(e.now - from <= 100);
  assert.equal(e.at(1).applied, e.at(3).applied);
});

test("a hand-over to one that does not come ends, and the leader leads on", () => {
  const e = TestEnsemble.led(3);
  e.at(1).disk.hung = true;
  e.submit(3);
  e.step(3, { kind: "handOver", target: 1 });
  e.advance(900);
  assert.equal(e.leader(), undefined);
  e.advance(400);
  assert.equal(e.leader(), 3);
  e.submit(3);
  e.settle();
  assert.equal(e.at(2).delivered.length, 2);
});

test("a follower whose disk hangs is no part of a quorum: it answers no pings", () => {
  const e = TestEnsemble.led(3);
  e.cut([2], [3]);
  e.cut([1], [2]);
  e.at(1).disk.hung = true;
  e.submit(3);
  e.advance(1100);
  const pongs = e.sentBy(1, "pong").length;
  e.advance(200);
  assert.equal(e.sentBy(1, "pong").length, pongs);
  e.advance(2000);
  assert.equal(e.at(3).status?.role, "looking");
});

test("a leader whose disk hangs leaves, and does not look before the write is decided", () => {
  const e = TestEnsemble.led(3);
  e.submit(3);
  e.settle();
  e.at(3).disk.hung = true;
  e.submit(3);
  e.advance(1500);
  const next = e.leader();
  assert.ok(next === 1 || next === 2);
  assert.equal(e.at(next).delivered.length, 2, "what the others had is committed by the next leader");
  assert.deepEqual(e.sentBy(3, "vote").at(-1)?.phase, "waiting");
  e.at(3).disk.hung = false;
  e.advance(300);
  assert.equal(e.at(3).status?.leader, next);
  assert.equal(e.at(3).applied, e.at(next).applied);
});
