/** Histories of registers that are known to be wrong, each found and called by its name; and their right neighbours. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  history,
  never,
  put,
  putCall,
  putPart,
  putResult,
  read,
  readPart,
  readResult,
  remove,
  txn,
  write,
} from "./hand-made.ts";
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
    assert.deepEqual(checkHistory(history(operations)), {
      violations: [],
      undecided: 0,
      operations: operations.length,
      objects: 1,
    });
  });
}

const v1 = put([0, 1], "a", ["v1", 0, 11]);
const v2 = put([2, 3], "a", ["v2", 1, 12]);

wrong("stale read", [v1, v2, read([4, 5], "a", ["v2", 1, 12]), read([6, 7], "a", ["v1", 0, 11])], /stale read/);
right("a read beside the write may show either", [
  v1,
  v2,
  read([2, 3], "a", ["v1", 0, 11]),
  read([2, 4], "a", ["v2", 1, 12]),
]);
wrong(
  "non-monotonic reads",
  [v1, write([2, never], putCall("a", "v2")), read([3, 4], "a", ["v2", 1, 12]), read([5, 6], "a", ["v1", 0, 11])],
  /stale read \(non-monotonic/,
);
wrong("an acknowledged write lost", [v1, v2, read([4, 5], "a", ["v1", 0, 11])], /acknowledged write lost/);
wrong("an acknowledged creation lost", [v1, read([2, 3], "a", null)], /acknowledged write lost/);
right("a deletion without an answer may explain that nothing is there", [
  v1,
  write([1, never], { kind: "delete", key: "a" }),
  read([2, 3], "a", null),
  read([4, 5], "a", null),
]);
wrong("a deleted znode is read", [v1, remove([2, 3], "a", 12), read([4, 5], "a", ["v1", 0, 11])], /deleted znode/);

wrong(
  "two successful compare-and-sets on one mzxid",
  [v1, put([2, 5], "a", ["v2", 1, 12], { mzxid: 11 }), put([2, 5], "a", ["v3", 2, 13], { mzxid: 11 })],
  /two compare-and-sets won on one mzxid \(lost update\)/,
);
wrong(
  "two successful compare-and-sets on one version",
  [v1, put([2, 5], "a", ["v2", 1, 12], { version: 0 }), put([2, 5], "a", ["v3", 1, 13], { version: 0 })],
  /same version of a \(lost update\)/,
);
wrong(
  "a txn and a compare-and-set on one mzxid",
  [
    v1,
    put([2, 5], "a", ["v2", 1, 12], { mzxid: 11 }),
    write(
      [2, 5],
      { kind: "txn", check: [{ kind: "check", key: "a", mzxid: 11 }], then: [putPart("a", "v3")] },
      { kind: "ok", result: { kind: "txn", branch: "then", results: [putResult(2, 13)] } },
    ),
  ],
  /two compare-and-sets won on one mzxid/,
);
wrong("lost update", [v1, put([2, 5], "a", ["v2", 1, 12]), put([2, 5], "a", ["v3", 1, 13])], /lost update/);
right("one of two compare-and-sets loses", [
  v1,
  put([2, 5], "a", ["v2", 1, 12], { mzxid: 11 }),
  write([2, 5], putCall("a", "v3", { mzxid: 11 }), { kind: "failed", code: "badVersion" }),
]);
wrong(
  "a compare-and-set that must have won is told that it lost",
  [v1, write([2, 3], putCall("a", "v2", { mzxid: 11 }), { kind: "failed", code: "badVersion" })],
  /not linearizable/,
);
wrong(
  "a creation fails where nothing is",
  [write([2, 3], putCall("a", "v2", { exists: false }), { kind: "failed", code: "nodeExists" })],
  /not linearizable/,
);
wrong(
  "a deletion finds nothing where something is",
  [v1, write([2, 3], { kind: "delete", key: "a" }, { kind: "failed", code: "noNode" })],
  /not linearizable/,
);

const refused = write([2, 3], putCall("a", "v2"), { kind: "noEffect", code: "noLeader" });
wrong(
  "a dirty read of a noEffect write",
  [v1, refused, read([4, 5], "a", ["v2", 1, 12])],
  /noEffect, but it took effect.*v2/,
);
wrong(
  "a noEffect write that only the version betrays",
  [v1, refused, put([4, 5], "a", ["v3", 2, 13])],
  /not linearizable/,
);
right("a noEffect write that has none", [v1, refused, put([4, 5], "a", ["v3", 1, 13])]);
right("an unanswered write that only the version betrays", [
  v1,
  write([2, never], putCall("a", "v2")),
  put([4, 5], "a", ["v3", 2, 13]),
]);
right("an unanswered write that is done much later", [
  write([0, never], putCall("a", "v2")),
  read([4, 5], "a", null),
  read([6, 7], "a", ["v2", 0, 13]),
]);
wrong(
  "a failed write is read",
  [
    v1,
    write([2, 3], putCall("a", "v2", { mzxid: 11 }), { kind: "failed", code: "badVersion" }),
    read([4, 5], "a", ["v2", 1, 12]),
  ],
  /a failed write took effect/,
);
wrong(
  "a write applied twice after a retry",
  [v1, v2, read([4, 5], "a", ["v1", 2, 14])],
  /one write, seen as two \(applied twice\?\)/,
);
wrong(
  "a write applied twice after a retry, seen only by what it did to the version",
  [v1, v2, put([4, 5], "a", ["v3", 3, 15])],
  /not linearizable/,
);
wrong("a value that nobody wrote", [v1, read([2, 3], "a", ["v9", 1, 12])], /a value that nobody wrote/);
wrong(
  "a read of the future",
  [read([0, 1], "a", ["v2", 0, 12]), put([2, 3], "a", ["v2", 0, 12])],
  /read before it was written/,
);
wrong("a read at another place", [v1, read([2, 3], "b", ["v1", 0, 11])], /seen at b, but written at a/);

const b1 = put([0, 1], "b", ["w1", 0, 10]);
const both = [putPart("a", "v2"), putPart("b", "w2")];
const bothDone = [putResult(1, 12), putResult(1, 12)];
wrong(
  "a txn half applied, as readers see it",
  [v1, b1, txn([2, never], both, undefined), read([3, 4], "a", ["v2", 1, 12]), read([5, 6], "b", ["w1", 0, 10])],
  /txn half applied/,
);
wrong(
  "a txn half applied, as a reading txn sees it",
  [
    v1,
    b1,
    txn([2, 8], both, bothDone),
    txn([3, 4], [readPart("a"), readPart("b")], [readResult(["v2", 1, 12]), readResult(["w1", 0, 10])]),
  ],
  /txn half applied|not linearizable/,
);
right("a txn between two reads", [
  v1,
  b1,
  txn([2, 8], both, bothDone),
  read([3, 4], "b", ["w1", 0, 10]),
  read([5, 6], "a", ["v2", 1, 12]),
]);
wrong("a txn at two zxids", [v1, b1, txn([2, 3], both, [putResult(1, 12), putResult(1, 13)])], /one txn, two zxids/);
wrong(
  "both branches of a txn",
  [
    v1,
    b1,
    write([2, never], {
      kind: "txn",
      check: [{ kind: "check", key: "a", version: 0 }],
      then: [putPart("a", "v2")],
      else: [putPart("b", "w2")],
    }),
    read([4, 5], "a", ["v2", 1, 12]),
    read([4, 5], "b", ["w2", 1, 12]),
  ],
  /both branches/,
);
const eitherCall = {
  kind: "txn",
  check: [{ kind: "check", key: "a", version: 0 }],
  then: [putPart("a", "v2")],
  else: [putPart("a", "v3")],
} as const;
wrong(
  "the branch not taken",
  [
    v1,
    write([2, 3], eitherCall, { kind: "ok", result: { kind: "txn", branch: "then", results: [putResult(1, 12)] } }),
    read([4, 5], "a", ["v3", 1, 12]),
  ],
  /the branch not taken took effect/,
);
wrong(
  "the branch that the state forbids",
  [v1, write([2, 3], eitherCall, { kind: "ok", result: { kind: "txn", branch: "else", results: [putResult(1, 12)] } })],
  /not linearizable/,
);
wrong(
  "a txn that fails at a place where it cannot",
  [
    v1,
    write(
      [2, 3],
      { kind: "txn", check: [], then: [putPart("b", "w1"), putCall("a", "v2", { version: 3 })] },
      { kind: "failed", code: "badVersion", place: { in: "then", index: 0 } },
    ),
  ],
  /not linearizable/,
);

test("who looks at a failing history is shown where it fails, what cannot be placed, and what is around", () => {
  const operations = [v1, v2, put([4, 5], "a", ["v3", 3, 15]), read([8, 9], "a", ["v3", 3, 15])];
  const [violation = ""] = checkHistory(history(operations)).violations;
  assert.match(violation, /^\/group: not linearizable: no order explains the answers; the first 3 of 4 operations/);
  assert.match(violation, /then it is: a = "v2" version 1/);
  assert.match(violation, /cannot be placed:\n +#2 client 4, 4\.0–5\.0 ms: put a = "v3": version 3/);
  assert.match(violation, /around them:/);
});

test("an order that only the zxids forbid is told as such", () => {
  const operations = [put([0, 9], "a", ["v1", 0, 12]), put([0, 9], "a", ["v2", 1, 11])];
  const [violation = ""] = checkHistory(history(operations)).violations;
  assert.match(violation, /zxid order: the only orders that explain the answers contradict the zxids/);
});
