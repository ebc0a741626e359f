import assert from "node:assert/strict";
import { test } from "node:test";
import { composeZxid } from "@quorate/api";
import { TestEnsemble } from "./ensemble.test-support.ts";

/** Replica 1 is away while the others go on; then it is back, linked and synchronized. */
function comeBack(e: TestEnsemble, id: number, batches: number): void {
  e.crash(id);
  for (let n = 0; n < batches; n++) e.submit(e.leader() ?? 0);
  e.settle();
  e.start(id);
  e.connect(...e.ids);
  e.advance(400);
}

const log = (e: TestEnsemble, id: number): unknown => e.at(id).disk.log.batches.map((batch) => batch.last);

test("a follower that has everything is sent nothing, one that is behind the rest", () => {
  const e = TestEnsemble.led(3);
  e.submit(3);
  e.settle();
  comeBack(e, 1, 0);
  assert.match(e.at(3).notes.join("; "), /replica 1 by nothing/);
  const sent = e.sentBy(3, "propose").length;
  comeBack(e, 1, 3);
  assert.match(e.at(3).notes.at(-1) ?? "", /replica 1 by DIFF/);
  assert.equal(e.sentBy(3, "propose").length - sent, 3 + 3, "three to 2, three to 1");
  assert.deepEqual(log(e, 1), log(e, 3));
});

test("a tail that nobody else has is cut, durably, before what follows is acknowledged", () => {
  const e = TestEnsemble.led(3);
  e.submit(3);
  e.settle();
  e.cut([3], [1, 2]);
  e.submit(3);
  e.submit(3);
  e.settle();
  assert.equal(e.at(3).disk.log.batches.length, 3);
  e.advance(1600);
  assert.notEqual(e.leader() ?? 3, 3);
  e.submit(e.leader() ?? 0);
  e.settle();
  const done = e.at(3).disk.done.length;
  e.connect(1, 2, 3);
  e.advance(600);
  assert.deepEqual(log(e, 3), log(e, e.leader() ?? 0));
  assert.deepEqual(
    e
      .at(3)
      .disk.done.slice(done)
      .filter((each) => each !== "unstage"),
    ["writeState", "truncate", "append", "writeState"],
  );
  assert.deepEqual(e.at(3).stops, []);
});

test("behind the leader's log, a snapshot and the log behind it, installed by one write of the state", () => {
  const e = TestEnsemble.led(3, { windowBytes: 15 });
  e.crash(1);
  for (let n = 0; n < 4; n++) {
    e.submit(3);
    e.settle();
  }
  e.takeSnapshot(3);
  const at = e.at(3).applied;
  e.submit(3);
  e.settle();
  const done = e.at(1).disk.done.length;
  e.start(1);
  e.connect(1, 2, 3);
  e.advance(400);
  assert.match(e.at(3).notes.join("; "), /replica 1 by SNAP/);
  assert.deepEqual([e.at(1).disk.log.base, log(e, 1)], [at, log(e, 3)]);
  assert.deepEqual(e.at(1).disk.done.slice(done), ["stage", "append", "writeState"]);
  assert.deepEqual(
    e.at(1).delivered.map((batch) => batch.previous),
    [at],
    "what lies in the snapshot is not applied again",
  );
});

test("a crash in the midst of a snapshot leaves what the replica had, and it votes with that", () => {
  const e = TestEnsemble.led(3);
  e.submit(3);
  e.settle();
  const had = e.at(1).disk.recover();
  e.crash(1);
  for (let n = 0; n < 3; n++) e.submit(3);
  e.settle();
  e.takeSnapshot(3);
  e.submit(3);
  e.settle();
  e.start(1);
  // The snapshot is whole and durable, the log behind it is not.
  e.hold(({ to, message }) => to === 1 && message.kind === "newLeader");
  e.connect(1, 2, 3);
  e.advance(300);
  assert.equal(e.at(1).disk.staged?.batches.length, 1);
  e.crash(1);
  assert.deepEqual(e.at(1).disk.recover(), had);
  e.start(1);
  e.connect(1, 2);
  assert.equal(e.sentBy(1, "vote").at(-1)?.credentials.position, composeZxid(1, 1));
  e.hold();
  e.connect(1, 2, 3);
  e.advance(400);
  assert.equal(e.at(1).disk.log.base, e.at(3).disk.log.base);
});

test("an empty log behind a snapshot is a position to vote with", () => {
  const e = TestEnsemble.led(3);
  e.crash(3);
  e.advance(400);
  assert.equal(e.leader(), 2);
  e.submit(2);
  e.settle();
  for (const id of [1, 2]) e.takeSnapshot(id);
  const kept = e.at(2).applied;
  for (const id of [1, 2]) e.crash(id);
  // 3 is behind, has the highest id, and a log that is not empty in its own eyes.
  e.at(3).disk.state = { ...e.at(3).disk.state, currentEpoch: 2, acceptedEpoch: 2 };
  e.start(1, 2, 3);
  e.connect(1, 2, 3);
  e.advance(1000);
  assert.equal(e.leader(), 2);
  assert.equal(e.at(3).disk.log.base, kept);
});

test("the history is durable, then the epoch is, then NEWLEADER is acknowledged", () => {
  const e = TestEnsemble.led(3);
  e.crash(1);
  e.submit(3);
  e.settle();
  e.start(1);
  const former = e.at(1).disk.state.currentEpoch;
  e.crash(3);
  e.advance(200);
  // 2 leads epoch 2 as soon as 1 follows; each write of 1 becomes durable by itself.
  e.at(1).disk.hung = true;
  const order: string[] = [];
  e.connect(1, 2);
  for (let n = 0; n < 12; n++) {
    e.advance(40);
    const [write] = e.at(1).disk.waiting;
    if (!write) continue;
    const acked = e.sentBy(1, "ackNewLeader").length;
    order.push(`${write.kind}${write.kind === "writeState" ? `:${write.state.currentEpoch}` : ""} acks ${acked}`);
    e.at(1).disk.hung = false;
    const ticket = e.at(1).disk.finish();
    e.at(1).disk.hung = true;
    if (ticket !== undefined) e.step(1, { kind: "written", ticket });
  }
  assert.equal(former, 1);
  const acks = e.sentBy(1, "ackNewLeader").length - 1;
  assert.deepEqual(order, ["writeState:1 acks 1", "append acks 1", "writeState:2 acks 1"]);
  assert.equal(acks, 1);
  assert.equal(e.leader(), 2);
});

test("a commit index is believed behind the own acknowledgement of NEWLEADER only", () => {
  const e = TestEnsemble.led(3);
  e.crash(1);
  e.submit(3);
  e.submit(3);
  e.settle();
  e.start(1);
  e.hold(({ to, message }) => to === 1 && message.kind === "newLeader");
  e.connect(1, 2, 3);
  e.advance(200);
  const link = e.at(1).running.linkTo(3) ?? 0;
  assert.equal(e.at(1).running.view.last, e.at(3).applied, "the history is here");
  e.step(1, { kind: "received", link, message: { kind: "commit", epoch: 1, through: e.at(3).applied } });
  assert.deepEqual(e.at(1).delivered, []);
  e.hold();
  e.settle();
  assert.equal(e.at(1).delivered.length, 2);
});

test("a hole in the stream costs the link", () => {
  const e = TestEnsemble.led(3);
  const link = e.at(1).running.linkTo(3) ?? 0;
  e.submit(3);
  e.settle();
  const [first] = e.at(3).disk.log.batches;
  const at = composeZxid(1, 3);
  const later = { ...first, first: at, last: at, previous: composeZxid(1, 2) } as NonNullable<typeof first>;
  e.step(1, { kind: "received", link, message: { kind: "propose", batch: later } });
  assert.equal(e.at(1).running.linkTo(3), undefined);
  assert.match(e.at(1).notes.at(-1) ?? "", /follows/);
});

test("the whole initial history is committed by a quorum's acknowledgements, and not before", () => {
  const e = TestEnsemble.led(3);
  e.hold(({ message }) => message.kind === "commit" || message.kind === "ack");
  e.submit(3);
  e.settle();
  e.crash(3);
  e.hold(({ message }) => message.kind === "ackNewLeader");
  e.advance(300);
  assert.deepEqual([e.at(2).status?.role, e.leader(), e.at(2).delivered], ["leading", undefined, []]);
  e.step(2, { kind: "confirm", ticket: 1 });
  assert.deepEqual([...e.at(2).confirmed], [[1, undefined]]);
  e.hold();
  e.settle();
  assert.equal(e.leader(), 2);
  assert.deepEqual([e.at(2).delivered.length, e.at(1).delivered.length], [1, 1]);
});

test("what lies behind the known commit index at a restart is history to vote with, and not applied", () => {
  const e = TestEnsemble.led(3);
  e.hold(({ message }) => message.kind === "ack" || message.kind === "commit");
  e.submit(3);
  e.settle();
  e.crash(1);
  const recovered = e.at(1).disk.recover();
  assert.deepEqual([recovered.applied, recovered.tail.length], [0, 1]);
  e.start(1);
  assert.equal(e.at(1).running.view.durable, composeZxid(1, 1));
  assert.deepEqual(e.at(1).delivered, []);
});

test("a late end of a write moves the position, and a replica does not vote before it", () => {
  const e = TestEnsemble.led(3);
  e.submit(3);
  e.settle();
  e.at(1).disk.hung = true;
  e.submit(3);
  e.settle();
  e.cut([1], [3]);
  e.advance(40);
  assert.equal(e.sentBy(1, "vote").at(-1)?.phase, "waiting");
  e.at(1).disk.hung = false;
  e.settle();
  assert.equal(e.at(1).running.view.durable, composeZxid(1, 2));
  assert.deepEqual(e.at(1).stops, []);
});

test("a batch that memory has changed is sent to nobody: the leader ends", () => {
  const e = TestEnsemble.led(3);
  e.crash(1);
  e.submit(3);
  e.settle();
  const changed = e.sentBy(3, "propose").at(-1)?.batch;
  assert.ok(changed);
  (changed as { stamp: number }).stamp += 1;
  e.start(1);
  e.connect(...e.ids);
  e.advance(400);
  assert.match(e.at(3).stops.join(), /is not in memory as it was written/);
});
