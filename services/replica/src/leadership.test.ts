import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeCommand, type SessionId, splitCommands } from "@quorate/api";
import { rulesVersion, type Tree } from "@quorate/tree";
import type { Submission } from "@quorate/zab";
import { type HistoryHead, Leadership } from "./leadership.ts";
import { Members } from "./members.ts";
import type { Storage } from "./storage.ts";
import type { Clock } from "./world.ts";

const session = 10 as SessionId;

/** A leader of one living session (timeout 1 s); `world` is what the test turns. */
function leading(
  members: Members = new Members(1),
  history: HistoryHead = { stamp: 0, rules: 1 },
): { leadership: Leadership; world: { now: number; mayPropose: boolean }; proposed: Submission[] } {
  const world = { now: 0, mayPropose: true };
  const proposed: Submission[] = [];
  const tree = { sessions: () => [{ id: session, timeoutMillis: 1000 }], lane: () => ({}), sweepCandidates: () => [] };
  const leadership = new Leadership(history, {
    clock: { now: () => world.now, wall: () => 1_000_000 + world.now } as unknown as Clock,
    storage: { diskReserveReached: () => false } as unknown as Storage,
    members,
    tree: () => tree as unknown as Tree,
    mayPropose: () => world.mayPropose,
    propose: (submission) => proposed.push(submission),
    confirmedAt: () => world.now,
  });
  leadership.begin();
  leadership.ready();
  return { leadership, world, proposed };
}

function pass(leadership: Leadership, world: { now: number }, millis: number): void {
  for (const end = world.now + millis; world.now < end; world.now += 100) leadership.expire();
  leadership.expire();
}

test("a roll of the epoch renews nobody whose end is judged and waits to be proposed", () => {
  const { leadership, world, proposed } = leading();
  world.mayPropose = false;
  pass(leadership, world, 1000);
  assert.equal(leadership.expiry.renew(session), "closing");
  // The epoch has rolled: the same leader is ready again.
  leadership.ready();
  assert.equal(leadership.expiry.renew(session), "closing");
  world.mayPropose = true;
  leadership.propose();
  const [submission] = proposed;
  const [bytes] = (submission && splitCommands(submission.payload, submission.count)) ?? [];
  assert.deepEqual(bytes && decodeCommand(bytes)?.operation, { kind: "expireSession", session });
});

test("a new leadership gives everybody the full timeout again, and forgets what the former had judged", () => {
  const { leadership, world, proposed } = leading();
  pass(leadership, world, 1000);
  leadership.end();
  leadership.begin();
  leadership.ready();
  assert.equal(leadership.expiry.renew(session), "renewed");
  pass(leadership, world, 900);
  leadership.propose();
  assert.deepEqual(proposed, []);
  pass(leadership, world, 200);
  leadership.propose();
  assert.equal(proposed.length, 1);
});

test("rules rise when every member has announced more, and never below what the history bears", () => {
  const { leadership, world, proposed } = leading();
  const stamped = (): number | undefined => {
    pass(leadership, world, 1000);
    leadership.propose();
    leadership.end();
    leadership.begin();
    leadership.ready();
    return proposed.at(-1)?.rules;
  };
  const known = rulesVersion;
  assert.equal(stamped(), known);
  // What it has received and what it has loaded count, although its own program's word is lower.
  leadership.saw({ stamp: 0, rules: known + 1 });
  assert.equal(stamped(), known + 1);
  leadership.saw({ stamp: 0, rules: known });
  assert.equal(stamped(), known + 1);
});

test("a member that has not spoken holds the rules where the history has them", () => {
  const { leadership, world, proposed } = leading(new Members(3), { stamp: 0, rules: 0 });
  pass(leadership, world, 1000);
  leadership.propose();
  assert.equal(proposed.at(-1)?.rules, 0);
});

test("rules rise without anybody's write, once", () => {
  const { leadership, proposed } = leading(new Members(1), { stamp: 0, rules: rulesVersion - 1 });
  for (let each = 0; each < 3; each++) {
    leadership.sweep();
    leadership.propose();
  }
  assert.deepEqual(
    proposed.map(({ rules, count }) => [rules, count]),
    [[rulesVersion, 1]],
  );
});
