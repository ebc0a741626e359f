import assert from "node:assert/strict";
import { test } from "node:test";
import { composeZxid } from "@quorate/api";
import { TestEnsemble } from "./ensemble.test-support.ts";

/** What those who hold a committed batch stop with, when a leader would cut it away. */
function forgottenPromise(): string[] {
  const e = TestEnsemble.led(5);
  e.submit(5);
  e.settle();
  // 4 stands with 3 and 2; 3 has promised, the offer to 2 is under way.
  e.hold(({ from, to, message }) => message.kind === "newEpoch" && from === 4 && to === 2);
  e.cut([2, 3, 4], [5]);
  e.advance(100);
  assert.equal(e.at(4).status?.role, "leading");
  assert.equal(e.at(3).disk.state.acceptedEpoch, 2);
  // 3 loses its disk; 4 does not hear of it, nor that 2 has gone back to 5.
  e.crash(3, [4]);
  e.at(3).disk.wipe();
  e.start(3);
  e.cut([2], [4], [4]);
  e.connect(1, 2, 3, 5);
  e.advance(200);
  assert.deepEqual([e.at(3).disk.state.standing, e.at(3).disk.state.currentEpoch], ["member", 1]);
  // 5 commits with 1 and 3; 2 is away again, and promises 4 what 3 had promised before it was wiped.
  e.cut([2], [5]);
  e.submit(5);
  e.settle();
  const lost = e.at(5).applied;
  assert.equal(e.at(3).applied, lost);
  e.hold();
  e.cut([2], [4]);
  e.connect(2, 4);
  e.advance(20);
  assert.equal(e.at(2).disk.state.acceptedEpoch, 2);
  // 5 dies: whoever leads now has what was committed.
  e.crash(5);
  e.cut([3], [4]);
  e.connect(1, 2, 3, 4);
  e.advance(4000);
  return [1, 2, 3, 4].flatMap((id) => {
    const { stops, applied } = e.at(id);
    return applied >= lost ? stops : [...stops, `${id} lacks what was committed`];
  });
}

test("a promise that a wiped replica has forgotten makes no leader", () => {
  assert.deepEqual(forgottenPromise(), []);
});

test("the promise of an epoch is durable on the leader before it offers it, on the follower before it answers", () => {
  const e = new TestEnsemble(3);
  e.start(1, 2, 3);
  e.at(3).disk.hung = true;
  e.connect(1, 2, 3);
  e.advance(100);
  assert.equal(e.at(3).disk.waiting[0]?.kind, "writeState");
  assert.deepEqual(e.sentBy(3, "newEpoch"), []);
  e.at(3).disk.hung = false;
  e.at(1).disk.hung = true;
  e.settle();
  assert.equal(e.sentBy(3, "newEpoch").length, 2);
  assert.deepEqual(e.sentBy(1, "ackEpoch"), []);
  assert.deepEqual(
    e.sentBy(2, "ackEpoch").map(({ epoch, counts }) => [epoch, counts]),
    [[1, true]],
  );
  e.at(1).disk.hung = false;
  e.settle();
  assert.equal(e.sentBy(1, "ackEpoch").length, 1);
  assert.equal(e.leader(), 3);
});

test("an ensemble is founded by all of its members, under one id, and they become members with their epoch", () => {
  const e = new TestEnsemble(3);
  e.start(1, 2, 3);
  e.connect(2, 3);
  e.advance(3000);
  assert.equal(e.leader(), undefined, "a majority founds nothing");
  assert.match(e.at(3).status?.reason ?? "", /2 of 3 founders are here/);
  e.connect(1, 2, 3);
  e.advance(200);
  assert.equal(e.leader(), 3);
  for (const id of e.ids) {
    const { standing, ensembleId, currentEpoch } = e.at(id).disk.state;
    assert.deepEqual([standing, ensembleId, currentEpoch], ["member", "ensemble-of-3", 1]);
  }
});

test("a founding that breaks off is taken up again under the id that a founder has", () => {
  const e = new TestEnsemble(3);
  e.start(1, 2, 3);
  e.hold(({ to, message }) => message.kind === "newEpoch" && to === 1);
  e.connect(1, 2, 3);
  e.advance(100);
  assert.deepEqual([e.at(2).disk.state.ensembleId, e.at(1).disk.state.ensembleId], ["ensemble-of-3", ""]);
  assert.equal(e.leader(), undefined);
  e.crash(3);
  e.hold();
  e.start(3);
  e.connect(1, 2, 3);
  e.advance(3000);
  assert.notEqual(e.leader(), undefined);
  assert.deepEqual(
    e.ids.map((id) => e.at(id).disk.state.ensembleId),
    ["ensemble-of-3", "ensemble-of-3", "ensemble-of-3"],
  );
});

test("a founder with an empty disk that meets a member is no founder: with one survivor nobody leads", () => {
  const e = TestEnsemble.led(3);
  e.submit(3);
  e.settle();
  const kept = e.at(3).applied;
  // `--initial` stays in the unit file: an emptied folder makes a founder again.
  for (const id of [1, 2]) {
    e.crash(id);
    e.at(id).disk.wipe("founding");
    e.start(id);
  }
  e.connect(1, 2, 3);
  e.advance(4000);
  assert.equal(e.leader(), undefined);
  assert.deepEqual(
    [1, 2].map((id) => e.at(id).disk.state.standing),
    ["joining", "joining"],
  );
  assert.equal(e.at(3).applied, kept);
});

test("one founder with an empty disk joins, and has everything before it counts", () => {
  const e = TestEnsemble.led(3);
  e.submit(3);
  e.settle();
  e.crash(1);
  e.at(1).disk.wipe("founding");
  e.start(1);
  e.connect(1, 2, 3);
  e.advance(500);
  assert.deepEqual([e.at(1).disk.state.standing, e.at(1).applied], ["member", e.at(3).applied]);
});

test("a promise is made to one leader: the same epoch does not count twice", () => {
  const e = TestEnsemble.led(3);
  // 1 has promised epoch 2 to 2, which offers it on no link any more when 1 is back.
  e.crash(3);
  e.hold(({ from, message }) => from === 1 && message.kind === "ackEpoch");
  e.advance(300);
  assert.equal(e.at(1).disk.state.acceptedEpoch, 2);
  e.cut([1], [2]);
  e.hold();
  e.connect(1, 2);
  e.advance(260);
  const [answer] = e.sentBy(1, "ackEpoch").slice(-1);
  assert.deepEqual([answer?.epoch, answer?.counts], [2, false]);
  assert.equal(e.leader(), undefined);
  e.advance(4000);
  assert.notEqual(e.leader(), undefined, "the next try offers a higher one");
  assert.ok(e.at(1).disk.state.currentEpoch > 2);
});

test("the epoch rolls before its counter ends, over the links that stand and without an election", () => {
  const e = TestEnsemble.led(3, { counterRollAt: 5 });
  e.advance(100);
  const before = e.sent.length;
  e.hold(({ message }) => message.kind === "ackEpoch");
  e.submit(3, 6);
  e.submit(3, 1);
  assert.equal(e.at(3).notes.at(-1), "refused", "nothing is proposed while the roll waits");
  e.settle();
  e.step(3, { kind: "confirm", ticket: 1 });
  e.settle();
  assert.equal(e.at(3).confirmed.has(1), false);
  e.hold();
  e.settle();
  assert.equal(e.leader(), 3);
  assert.deepEqual(
    e.ids.map((id) => e.at(id).disk.state.currentEpoch),
    [2, 2, 2],
  );
  assert.equal(e.at(3).confirmed.get(1), e.at(3).applied, "who waited is answered in the new epoch");
  e.submit(3);
  e.settle();
  assert.deepEqual(
    e.at(1).delivered.map(({ first, previous }) => [first, previous]),
    [
      [composeZxid(1, 1), 0],
      [composeZxid(2, 1), composeZxid(1, 6)],
    ],
  );
  const votes = e.sent.slice(before).filter(({ message }) => message.kind === "vote");
  assert.ok(votes.every(({ message }) => message.kind === "vote" && message.phase !== "looking"));
});

test("a follower that has promised more than the leader's epoch is taken in by a roll above it", () => {
  const e = TestEnsemble.led(3);
  e.crash(1);
  e.at(1).disk.state = { ...e.at(1).disk.state, acceptedEpoch: 8 };
  e.start(1);
  e.connect(1, 2, 3);
  e.advance(100);
  e.connect(1, 2, 3);
  e.advance(500);
  assert.equal(e.leader(), 3);
  assert.deepEqual(
    e.ids.map((id) => [e.at(id).disk.state.acceptedEpoch, e.at(id).disk.state.currentEpoch]),
    [
      [9, 9],
      [9, 9],
      [9, 9],
    ],
  );
});

/** Who leads which epoch after 1 has been offered the same one by 3 and by 2. */
function offeredTwice(): string[] {
  const e = TestEnsemble.led(3);
  for (const id of e.ids) e.crash(id);
  e.start(1, 2, 3);
  // 3 has heard 1 and offers epoch 2; the offer does not arrive.
  e.hold(({ from, message }) => from === 3 && message.kind === "newEpoch");
  e.connect(1, 3);
  e.advance(100);
  e.cut([1], [3]);
  e.hold();
  e.connect(1, 2);
  e.advance(200);
  const led = [2, 3].filter((id) => e.at(id).running.mayPropose).map((id) => `${id} leads ${epoch(e, id)}`);
  e.cut([1], [2]);
  e.connect(1, 3);
  e.advance(400);
  if (e.at(3).running.mayPropose) led.push(`3 leads ${epoch(e, 3)}`);
  return led;
}

const epoch = (e: TestEnsemble, id: number): number => e.at(id).disk.state.currentEpoch;

test("one leader in an epoch, also when two offer the same: two rules stand before it, either is enough", () => {
  assert.deepEqual(offeredTwice(), ["2 leads 2"]);
});
