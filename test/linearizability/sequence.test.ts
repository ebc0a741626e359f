/** Histories of sequential creation that are known to be wrong, each found and called by its name; and their right neighbours. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { append, child, history, list, never, removeChild } from "./hand-made.ts";
import { checkHistory } from "./index.ts";

type Operations = Parameters<typeof history>[0];

function wrong(name: string, operations: Operations, rule: RegExp): void {
  test(`wrong: ${name}`, () => {
    const { violations } = checkHistory(history(operations));
    assert.ok(
      violations.some((violation) => rule.test(violation)),
      violations.join("\n") || "nothing was found",
    );
  });
}

function right(name: string, operations: Operations): void {
  test(`right: ${name}`, () => {
    const { violations, undecided } = checkHistory(history(operations));
    assert.deepEqual({ violations, undecided }, { violations: [], undecided: 0 });
  });
}

const a = append([0, 1], "a-", 0);
const a0 = child("a-", 0);
const b1 = child("b-", 1);
const unanswered = append([2, never], "b-", { kind: "unknown" });

right("two at once in either order, a gap, a deletion", [
  append([0, 5], "a-", 4),
  append([0, 5], "b-", 2),
  list([2, 3], [child("b-", 2)]),
  removeChild([6, 7], child("b-", 2)),
  list([8, 9], [child("a-", 4)]),
]);
wrong("duplicated sequential number", [a, append([2, 3], "b-", 0)], /sequence number given twice/);
wrong("a number that goes back", [append([0, 1], "a-", 5), append([2, 3], "b-", 4)], /sequence number went back/);
wrong(
  "a number that goes back behind one that was only seen",
  [unanswered, list([3, 4], [child("b-", 7)]), append([5, 6], "a-", 6), list([7, 8], [child("a-", 6), child("b-", 7)])],
  /sequence number went back/,
);
wrong("an acknowledged child is not listed", [a, list([2, 3], [])], /acknowledged creation lost, or a stale listing/);
right("an unanswered one may come late, and stays", [a, unanswered, list([3, 4], [a0]), list([5, 6], [a0, b1])]);
wrong(
  "once there, it stays",
  [a, unanswered, list([3, 4], [a0, b1]), list([5, 6], [a0])],
  /there and is gone, and nobody deleted/,
);
right("an unanswered deletion may have taken it", [
  a,
  removeChild([2, never], a0, { kind: "unknown" }),
  list([3, 4], [a0]),
  list([5, 6], []),
]);
wrong(
  "an unanswered deletion does not bring it back",
  [a, removeChild([2, never], a0, { kind: "unknown" }), list([3, 4], []), list([5, 6], [a0])],
  /not linearizable/,
);
wrong(
  "noEffect, and listed",
  [a, append([2, 3], "b-", { kind: "noEffect" }), list([4, 5], [a0, b1])],
  /noEffect, but it took effect/,
);
wrong(
  "one creation, two children",
  [a, list([2, 3], [a0, child("a-", 1)])],
  /one creation, two children \(applied twice\?\)/,
);
wrong("a child nobody created", [a, list([2, 3], [a0, b1])], /a child that nobody created/);
wrong("listed twice", [a, list([2, 3], [a0, a0])], /a child listed twice/);
wrong("listed before it was created", [list([0, 1], [a0]), append([2, 3], "a-", 0)], /seen before it was created/);
wrong("a deleted child is listed", [a, removeChild([2, 3], a0), list([4, 5], [a0])], /a deleted child is shown/);
wrong("deleted twice", [a, removeChild([2, 3], a0), removeChild([4, 5], a0)], /one child deleted twice/);
wrong(
  "a deletion finds nothing where a child is",
  [a, removeChild([2, 3], a0, { kind: "failed", code: "noNode" }), list([4, 5], [a0])],
  /not linearizable/,
);
wrong(
  "two listings at once that saw different pasts",
  [append([0, 9], "a-", 0), append([0, 9], "b-", 1), list([2, 3], [b1])],
  /not linearizable/,
);
