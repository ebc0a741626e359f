import assert from "node:assert/strict";
import { test } from "node:test";
import { composeZxid, type Zxid } from "@quorate/api";
import { countsIn, isBetter } from "./election.ts";
import { TestEnsemble } from "./ensemble.test-support.ts";
import type { Credentials } from "./state.ts";

function credentials(id: number, currentEpoch: number, position: Zxid): Credentials {
  return { id, standing: "member", ensembleId: "x", acceptedEpoch: currentEpoch, currentEpoch, position };
}

test("votes are ordered by current epoch, then position, then id", () => {
  const order = [
    credentials(3, 1, composeZxid(1, 9)),
    credentials(1, 2, composeZxid(1, 4)),
    credentials(2, 2, composeZxid(1, 4)),
    credentials(1, 2, composeZxid(2, 1)),
  ];
  for (const [a, one] of order.entries()) {
    for (const [b, other] of order.entries()) assert.equal(isBetter(one, other), a > b);
  }
});

test("who counts: members of the ensemble, founders that hold its id, or all founders while there is none", () => {
  const verdict = (standing: Credentials["standing"], ensembleId: string, ensemble: string): boolean =>
    countsIn({ standing, ensembleId }, ensemble);
  assert.equal(verdict("member", "x", "x"), true);
  assert.equal(verdict("member", "y", "x"), false);
  assert.equal(verdict("founding", "x", "x"), true);
  assert.equal(verdict("founding", "", "x"), false);
  assert.equal(verdict("founding", "", ""), true);
  assert.equal(verdict("joining", "x", "x"), false);
  assert.equal(verdict("joining", "", ""), false);
});

test("a vote that all share settles at once, another after some quiet", () => {
  const e = new TestEnsemble(3);
  e.start(1, 2, 3);
  e.connect(1, 2, 3);
  e.settle();
  assert.equal(e.leader(), 3, "no time has passed");
  // 1 still follows the leader that 2 and 5 have lost: their quorum waits for quiet.
  const five = TestEnsemble.led(5);
  five.cut([5], [2, 3, 4]);
  five.settle();
  assert.equal(five.at(4).status?.role, "looking");
  five.advance(40);
  assert.equal(five.at(4).status?.role, "looking");
  five.advance(60);
  assert.equal(five.at(4).status?.role, "leading");
});

test("the longest history leads, whatever its id", () => {
  const e = TestEnsemble.led(3);
  e.hold(({ to, message }) => to === 2 && message.kind === "propose");
  e.submit(3);
  e.settle();
  e.crash(3);
  e.hold();
  e.advance(300);
  assert.equal(e.leader(), 1);
  assert.deepEqual(
    [1, 2].map((id) => e.at(id).delivered.length),
    [1, 1],
  );
});

test("a minority elects nobody, and says how many are missing", () => {
  const e = TestEnsemble.led(5);
  e.cut([1, 2], [3, 4, 5]);
  e.advance(5000);
  assert.equal(e.leader(), 5);
  assert.equal(e.at(2).status?.role, "looking");
  assert.match(e.at(2).status?.reason ?? "", /2 of 5 members are here, 3 are needed/);
});

test("a leader without a quorum steps down, and one that is cut off follows the next when it is back", () => {
  const e = TestEnsemble.led(3);
  e.cut([3], [1, 2]);
  e.advance(400);
  assert.deepEqual([e.at(2).status?.role, e.at(2).running.mayPropose], ["leading", true]);
  e.advance(900);
  assert.deepEqual([e.at(3).status?.role, e.at(3).running.mayPropose], ["looking", false]);
  e.connect(1, 2, 3);
  e.advance(100);
  assert.deepEqual([e.at(3).status?.leader, e.at(3).status?.serving], [2, true]);
});

test("a late comer joins the leader that is there, however good its vote", () => {
  const e = TestEnsemble.led(3);
  e.crash(3);
  e.advance(300);
  assert.equal(e.leader(), 2);
  e.start(3);
  e.connect(1, 2, 3);
  e.advance(100);
  assert.deepEqual([e.leader(), e.at(3).status?.leader], [2, 2]);
});

test("a replica of another ensemble is not spoken with", () => {
  const e = TestEnsemble.led(3);
  e.crash(1);
  e.at(1).disk.state = { ...e.at(1).disk.state, ensembleId: "another" };
  e.start(1);
  e.connect(1, 2, 3);
  e.advance(100);
  assert.deepEqual([e.at(1).running.linkTo(2), e.at(1).running.linkTo(3)], [undefined, undefined]);
});

test("failed discoveries come ever more seldom, so that flapping cannot spend the epochs", () => {
  const e = TestEnsemble.led(3);
  e.crash(3);
  // No promise is heard before the link breaks: each try costs an epoch.
  e.hold(({ message }) => message.kind === "ackEpoch");
  for (let n = 0; n < 100; n++) {
    e.advance(100);
    e.cut([1], [2]);
    e.connect(1, 2);
  }
  const spent = Math.max(...[1, 2].map((id) => e.at(id).disk.state.acceptedEpoch));
  assert.ok(spent > 2 && spent < 12, `${spent} epochs in ten seconds`);
  e.hold();
  e.advance(10_000);
  assert.notEqual(e.leader(), undefined);
});

test("everybody's choice waits for a disk that hangs: of the others the best one stands first", () => {
  const e = TestEnsemble.led(5, { timing: { electionMillis: 2500 } });
  // Replicas 4 and 5 have what the others have not.
  e.hold(({ to, message }) => to <= 3 && message.kind === "propose");
  e.submit(5);
  e.settle();
  e.crash(5);
  e.crash(4);
  e.start(4, 5);
  e.hold();
  e.at(5).disk.hung = true;
  e.connect(1, 2, 3, 4, 5);
  e.advance(20_000);
  assert.equal(e.leader(), 4);
});
