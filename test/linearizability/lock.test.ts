/** Histories of a lock that are known to be wrong, each found and called by its name; and their right neighbours. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { acquire, close, history, never, observe, open, release, renew } from "./hand-made.ts";
import { checkHistory, type HistorySettings } from "./index.ts";

type Operations = Parameters<typeof history>[0];

const settings: HistorySettings = { sessionEndBoundMillis: 50 };

function wrong(name: string, operations: Operations, rule: RegExp, more = settings): void {
  test(`wrong: ${name}`, () => {
    const { violations } = checkHistory(history(operations, more));
    assert.ok(
      violations.some((violation) => rule.test(violation)),
      violations.join("\n") || "nothing was found",
    );
  });
}

function right(name: string, operations: Operations, more = settings): void {
  test(`right: ${name}`, () => {
    const { violations, undecided } = checkHistory(history(operations, more));
    assert.deepEqual({ violations, undecided }, { violations: [], undecided: 0 });
  });
}

/** Two sessions, alive until 101 and 102 but for renewals. */
const s = open([1, 2], "s", 101, 100);
const t = open([2, 3], "t", 102, 100);
const expired = { kind: "failed", code: "sessionExpired" } as const;
const taken = acquire([10, 11], "s", 201);

right("taken, refused, given back, taken", [
  s,
  t,
  taken,
  acquire([12, 13], "t", { kind: "failed", code: "nodeExists" }),
  observe([14, 15], [101, 201]),
  release([16, 17], "s", 201),
  observe([18, 19], null),
  acquire([20, 21], "t", 202),
]);
wrong("the lock is held twice", [s, t, taken, acquire([12, 13], "t", 202)], /lock held twice/);
right("after its time is over another may have it", [s, renew([50, 51], "t"), t, taken, acquire([110, 111], "t", 202)]);
wrong(
  "a renewal that was acknowledged keeps it",
  [s, t, taken, renew([90, 91], "s"), renew([92, 93], "t"), acquire([110, 111], "t", 202)],
  /lock held twice/,
);
wrong("gone early", [s, t, taken, observe([20, 21], null)], /gone early: session s was certainly alive/);
wrong(
  "gone early, as another's refusal to release says",
  [s, t, taken, release([20, 21], "s", 201, { kind: "failed", code: "noNode" })],
  /not linearizable/,
);
wrong("told that it is over while it lives", [s, taken, renew([20, 21], "s", expired)], /expired early/);
wrong("told at the lock that it is over while it lives", [s, acquire([20, 21], "s", expired)], /not linearizable/);
right("gone when its time is over", [s, t, taken, observe([102, 103], null)]);
right("still there within the bound", [s, t, taken, observe([140, 141], [101, 201])]);
wrong("left behind", [s, t, taken, observe([165, 166], [101, 201])], /left behind: session s was over by 161\.0/);
wrong(
  "left behind, as one who is refused says",
  [s, t, renew([100, 101], "t"), taken, acquire([170, 171], "t", { kind: "failed", code: "nodeExists" })],
  /not linearizable/,
);
right(
  "left behind while nobody could judge",
  [s, t, taken, observe([250, 251], [101, 201]), observe([399, 400], null)],
  {
    ...settings,
    outages: [{ from: 100, to: 200 }],
  },
);
wrong("left behind after the outage", [s, t, taken, observe([360, 361], [101, 201])], /left behind/, {
  ...settings,
  outages: [{ from: 100, to: 200 }],
});
right("left behind is not judged without a bound", [s, t, taken, observe([990, 991], [101, 201])], {
  sessionEndBoundMillis: Number.POSITIVE_INFINITY,
});
wrong("left behind by a close", [s, taken, close([20, 21], "s"), observe([22, 23], [101, 201])], /left behind/);
wrong(
  "left behind by one that was told it is over",
  [s, taken, renew([120, 121], "s", expired), observe([122, 123], [101, 201])],
  /left behind/,
);
right("a close without an answer may free it", [
  s,
  taken,
  close([20, never], "s", { kind: "unknown" }),
  observe([22, 23], null),
]);
wrong("a session comes back", [s, close([20, 21], "s"), renew([22, 23], "s"), taken], /came back/);
wrong(
  "taken by a session that is over",
  [s, close([20, 21], "s"), acquire([22, 23], "s", 201)],
  /acquired by a session that was over/,
);

wrong(
  "a token that goes back",
  [s, t, acquire([10, 11], "s", 205), release([12, 13], "s", 205), acquire([14, 15], "t", 204)],
  /token went back/,
);
wrong(
  "a token that goes back for an onlooker",
  [
    s,
    t,
    taken,
    release([12, 13], "s", 201),
    acquire([14, 15], "t", 202),
    observe([16, 17], [102, 202]),
    observe([18, 19], [101, 201]),
  ],
  /token went back \(stale read\)/,
);
wrong(
  "one token twice",
  [s, t, taken, release([12, 13], "s", 201), acquire([14, 15], "t", 201)],
  /one token given twice/,
);
wrong(
  "noEffect, and seen",
  [s, acquire([10, 11], "s", { kind: "noEffect" }), observe([12, 13], [101, 201])],
  /noEffect, but it took effect/,
);
wrong(
  "refused, and seen",
  [s, acquire([10, 11], "s", { kind: "failed", code: "nodeExists" }), observe([12, 13], [101, 201])],
  /a failed acquire took effect/,
);
right("unanswered, and seen", [s, acquire([10, never], "s", { kind: "unknown" }), observe([12, 13], [101, 201])]);
right("unanswered, seen, and released by its token", [
  s,
  acquire([10, never], "s", { kind: "unknown" }),
  observe([12, 13], [101, 201]),
  release([14, 15], "s", 201),
  observe([16, 17], null),
]);
wrong(
  "an unanswered one has one token",
  [s, acquire([10, never], "s", { kind: "unknown" }), observe([12, 13], [101, 201]), observe([14, 15], [101, 202])],
  /not linearizable/,
);
wrong("held by nobody's session", [s, taken, observe([12, 13], [999, 201])], /a session that nobody opened/);
wrong("another session's token", [s, t, taken, observe([12, 13], [102, 201])], /a token of another session/);
wrong("seen too early", [s, observe([8, 9], [101, 201]), taken], /seen before it was acquired/);
wrong("never asked for", [s, observe([12, 13], [101, 201])], /its holder never asked for/);
wrong("a release with another's token", [s, t, taken, release([12, 13], "t", 200)], /not linearizable/);
