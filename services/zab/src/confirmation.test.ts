import assert from "node:assert/strict";
import { test } from "node:test";
import { TestEnsemble } from "./ensemble.test-support.ts";

test("a waiter gets the commit index of a ping that left after it came", () => {
  const e = TestEnsemble.led(3);
  e.submit(3);
  e.settle();
  // A ping is under way and answered by 1 only after the next waiter came.
  e.hold(({ message }) => message.kind === "pong");
  e.step(3, { kind: "confirm", ticket: 1 });
  e.settle();
  const first = e.sentBy(3, "ping").at(-1)?.number;
  e.step(3, { kind: "confirm", ticket: 2 });
  e.settle();
  assert.equal(e.sentBy(3, "ping").at(-1)?.number, first, "one in flight, the others gather");
  assert.equal(e.at(3).confirmed.size, 0);
  e.hold(({ message }) => message.kind === "pong" && message.number > (first ?? 0));
  e.settle();
  assert.deepEqual([...e.at(3).confirmed], [[1, e.at(3).applied]], "the second waits for a ping of its own");
  e.hold();
  e.settle();
  assert.equal(e.at(3).confirmed.get(2), e.at(3).applied);
});

test("a leader without its quorum confirms nothing, and says so when it steps down", () => {
  const e = TestEnsemble.led(3);
  e.cut([3], [1, 2]);
  e.step(3, { kind: "confirm", ticket: 7 });
  e.advance(900);
  assert.equal(e.at(3).confirmed.has(7), false);
  e.advance(400);
  assert.equal(e.at(3).status?.role, "looking");
  assert.deepEqual([...e.at(3).confirmed], [[7, undefined]]);
  e.step(3, { kind: "confirm", ticket: 8 });
  assert.deepEqual(e.at(3).confirmed.get(8), undefined);
  assert.equal(e.at(3).confirmed.has(8), true);
});

test("a new leader's state is not called fresh before what it began with is applied", () => {
  const e = TestEnsemble.led(3);
  e.submit(3);
  e.settle();
  const old = e.at(2).applied;
  // The second batch is committed with 2 and acknowledged to a client; 2 has not heard that it is committed.
  e.hold(({ from, message }) => from === 3 && (message.kind === "commit" || message.kind === "ping"));
  e.submit(3);
  e.settle();
  assert.ok(e.at(3).applied > old);
  assert.equal(e.at(2).applied, old);
  e.crash(3);
  e.hold();
  e.advance(400);
  assert.equal(e.leader(), 2);
  assert.equal(e.at(2).running.freshSince(old), undefined, "an acknowledged write is missing there");
  assert.ok((e.at(2).running.freshSince(e.at(2).applied) ?? 0) > 0);
});

test("before a ping of its own is confirmed, a new leader's state is not called fresh without the initial history", () => {
  const e = TestEnsemble.led(3);
  e.submit(3);
  e.settle();
  const old = e.at(2).applied;
  e.hold(({ from, message }) => from === 3 && (message.kind === "commit" || message.kind === "ping"));
  e.submit(3);
  e.settle();
  e.crash(3);
  e.hold(({ message }) => message.kind === "ping" && message.established);
  e.advance(400);
  assert.equal(e.leader(), 2);
  assert.equal(e.at(2).running.freshSince(old), undefined);
});

test("a follower's state is as fresh as its own answer that a confirmed ping echoes, and ages when the leader is cut off", () => {
  const e = TestEnsemble.led(3);
  e.advance(400);
  const { applied, running } = e.at(1);
  const fresh = running.freshSince(applied) ?? -1;
  assert.ok(fresh > e.now - 400 && fresh <= e.now);
  // 1 hears the leader still, but nobody confirms it: no newer time, however often it pings.
  e.cut([2], [3]);
  e.hold(({ from, message }) => from === 1 && message.kind === "pong");
  const last = e.now;
  e.advance(300);
  assert.ok((running.freshSince(applied) ?? 0) <= last);
});

test("a joiner is admitted after a confirmation begun when it had asked, and does not count in it", () => {
  const e = TestEnsemble.led(3);
  e.submit(3);
  e.settle();
  // 2 is away, 1 comes back with an empty disk: 3 alone is no quorum, whatever 1 answers.
  e.crash(2);
  e.crash(1);
  e.at(1).disk.wipe();
  e.start(1);
  e.connect(1, 3);
  e.advance(900);
  assert.deepEqual([e.at(1).disk.state.standing, e.at(1).applied], ["joining", 0]);
  e.start(2);
  e.connect(1, 2, 3);
  e.advance(2500);
  const { standing, currentEpoch } = e.at(1).disk.state;
  assert.deepEqual([standing, currentEpoch > 0, e.at(1).applied], ["member", true, e.at(3).applied]);
});

test("two emptied replicas of three stop the ensemble, and it says why", () => {
  const e = TestEnsemble.led(3);
  e.submit(3);
  e.settle();
  for (const id of [1, 2]) {
    e.crash(id);
    e.at(id).disk.wipe();
    e.start(id);
  }
  e.connect(1, 2, 3);
  e.advance(4000);
  assert.equal(e.leader(), undefined);
  assert.match(e.at(3).status?.reason ?? "", /empty disk do not count: 1, 2/);
});
