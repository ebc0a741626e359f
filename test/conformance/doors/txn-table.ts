/** Txns: all or nothing, at one zxid. */
import type { TxnStep } from "./door.ts";
import type { Asking, DoorCase } from "./door-runner.ts";

const a: readonly Asking[] = [{ op: "create", path: "@/a", data: "1", keep: "a" }];
const many = (size: number): TxnStep[] =>
  Array.from({ length: size }, (_, i) => ({ op: "create", path: `@/${i}` }) as const);

const branches: readonly DoorCase[] = [
  {
    name: "txn: every kind of step, each seeing those before it",
    ask: {
      op: "txn",
      check: [{ path: "@/a", exists: false }],
      then: [
        { op: "create", path: "@/a", data: "one" },
        { op: "put", path: "@/b", data: "two" },
        { op: "create", path: "@/seq-", sequential: true },
        { op: "get", path: "@/b" },
        { op: "exists", path: "@/a" },
        { op: "children", path: "@", limit: 2 },
        { op: "set", path: "@/a", data: "1", condition: { version: 0 } },
        { op: "check", path: "@/a", version: 1 },
        { op: "setAcl", path: "@/b", acl: [{ scheme: "world", id: "anyone", perms: "rd" }] },
        { op: "delete", path: "@/b" },
      ],
    },
    answers: {
      branch: "then",
      results: [
        { path: "@/a", stat: { version: 0 } },
        { path: "@/b" },
        { path: "@/seq-0000000002" },
        { path: "@/b", data: "two" },
        { stat: { version: 0 } },
        { children: [{ name: "a" }, { name: "b" }] },
        { stat: { version: 1 } },
        {},
        { stat: { aversion: 1 } },
        { deleted: 1 },
      ],
    },
    check: ({ zxid, results }) => {
      if (results?.[0]?.stat?.czxid !== zxid || results[6]?.stat?.mzxid !== zxid) throw new Error("not of one zxid");
    },
  },
  {
    name: "txn: else",
    ask: {
      op: "txn",
      check: [{ path: "@", exists: false }],
      then: [{ op: "delete", path: "@" }],
      else: [{ op: "get", path: "@" }],
    },
    answers: { branch: "else", results: [{ path: "@", data: "" }] },
  },
  {
    name: "txn: else of nothing",
    ask: { op: "txn", check: [{ path: "@", exists: false }], then: [{ op: "delete", path: "@" }], else: [] },
    answers: { branch: "else", results: [] },
  },
  {
    name: "txn: a check that fails without else",
    ask: {
      op: "txn",
      check: [
        { path: "@", version: 0 },
        { path: "@", version: 7 },
      ],
      then: [{ op: "set", path: "@" }],
    },
    fails: "badVersion",
    with: { op: { in: "check", index: 1 }, path: "@", certainty: "noEffect" },
    then: [[{ op: "get", path: "@" }, { stat: { version: 0 } }]],
  },
  {
    name: "txn: a step that fails takes all back",
    ask: {
      op: "txn",
      then: [
        { op: "create", path: "@/x" },
        { op: "delete", path: "@/none" },
      ],
    },
    fails: "noNode",
    with: { op: { in: "then", index: 1 }, path: "@/none" },
    then: [[{ op: "exists", path: "@/x" }, { exists: false }]],
  },
  {
    name: "txn: a step of else that fails",
    ask: { op: "txn", check: [{ path: "@", exists: false }], then: [], else: [{ op: "create", path: "@" }] },
    fails: "nodeExists",
    with: { op: { in: "else", index: 0 } },
  },
  {
    name: "txn: a check among the steps",
    ask: {
      op: "txn",
      then: [
        { op: "set", path: "@" },
        { op: "check", path: "@", version: 0 },
      ],
    },
    fails: "badVersion",
    with: { op: { in: "then", index: 1 } },
  },
  {
    name: "txn: one that takes a sequence twice",
    ask: {
      op: "txn",
      then: [
        { op: "create", path: "@/s-", sequential: true },
        { op: "create", path: "@/s-", sequential: true },
      ],
    },
    answers: { results: [{ path: "@/s-0000000000" }, { path: "@/s-0000000001" }] },
  },
  {
    name: "txn: makes a tree and its parents",
    ask: { op: "txn", then: [{ op: "create", path: "@/x/y", parents: true }] },
    then: [[{ op: "exists", path: "@/x" }, { exists: true }]],
  },
  {
    name: "txn: deletes with all below",
    given: [{ op: "create", path: "@/x/y", parents: true }],
    ask: { op: "txn", then: [{ op: "delete", path: "@/x", recursive: true }] },
    answers: { results: [{ deleted: 2 }] },
  },
  {
    name: "txn: notEmpty, noParent keep their codes",
    given: [{ op: "create", path: "@/x/y", parents: true }],
    ask: { op: "txn", then: [{ op: "delete", path: "@/x" }] },
    fails: "notEmpty",
  },
  { name: "txn: noParent", ask: { op: "txn", then: [{ op: "create", path: "@/x/y" }] }, fails: "noParent" },
  {
    name: "txn: an mzxid that does not stand",
    ask: { op: "txn", then: [{ op: "put", path: "@", condition: { mzxids: ["0x0000000000000001"] } }] },
    fails: "badVersion",
  },
];

const guards: readonly DoorCase[] = [
  {
    name: "txn: fenced by a czxid that stands",
    given: a,
    ask: (scene) => ({
      op: "txn",
      check: [{ path: "@/a", czxid: scene.czxid("a") }],
      then: [{ op: "put", path: "@/r" }],
    }),
    answers: { branch: "then" },
  },
  {
    name: "txn: fenced by a czxid that does not",
    given: [...a, { op: "delete", path: "@/a" }, { op: "create", path: "@/a" }],
    ask: (scene) => ({
      op: "txn",
      check: [{ path: "@/a", czxid: scene.czxid("a") }],
      then: [{ op: "put", path: "@/r" }],
    }),
    fails: "badVersion",
  },
  {
    name: "txn: a check of an mzxid",
    given: a,
    ask: (scene) => ({
      op: "txn",
      check: [{ path: "@/a", mzxid: scene.mzxid("a"), version: 0, exists: true }],
      then: [{ op: "set", path: "@/a", data: "2" }],
    }),
    answers: { results: [{ stat: { version: 1 } }] },
  },
  {
    name: "txn: a check of what is not there",
    ask: { op: "txn", check: [{ path: "@/x", version: 0 }], then: [{ op: "set", path: "@" }] },
    fails: "noNode",
    with: { op: { in: "check", index: 0 } },
  },
  {
    name: "txn: a check that something is not there, and it is",
    ask: { op: "txn", check: [{ path: "@", exists: false }], then: [{ op: "set", path: "@" }] },
    fails: "nodeExists",
    with: { op: { in: "check", index: 0 }, path: "@" },
  },
  {
    name: "txn: an owner without a session",
    ask: { op: "txn", check: [{ path: "@", ownerSelf: true }], then: [{ op: "set", path: "@" }] },
    fails: "badArguments",
  },
  {
    name: "txn: of reads alone it is a read",
    given: a,
    ask: {
      op: "txn",
      then: [
        { op: "get", path: "@/a" },
        { op: "children", path: "@", withData: true },
      ],
    },
    answers: { consistency: "linearizable", results: [{ data: "1" }, { children: [{ name: "a", data: "1" }] }] },
  },
  {
    name: "txn: of reads, stale",
    ask: { op: "txn", then: [{ op: "exists", path: "/" }], consistency: "stale", maxStaleMillis: 300_000 },
    answers: { consistency: "stale" },
  },
  {
    name: "txn: a consistency on one that writes",
    ask: { op: "txn", then: [{ op: "set", path: "@" }], consistency: "stale" },
    fails: "badArguments",
  },
  {
    name: "txn: a read of what is not there",
    ask: { op: "txn", then: [{ op: "get", path: "@/x" }] },
    fails: "noNode",
    with: { op: { in: "then", index: 0 } },
  },
  { name: "txn: of nothing", ask: { op: "txn" }, fails: "badArguments" },
  { name: "txn: a check of nothing", ask: { op: "txn", check: [{ path: "@" }] }, fails: "badArguments" },
  {
    name: "txn: a path that is none",
    ask: { op: "txn", then: [{ op: "get", path: "a" }] },
    fails: "badArguments",
  },
  {
    name: "txn: as many steps as there may be",
    ask: { op: "txn", then: many(1000) },
    check: ({ results }) => {
      if (results?.length !== 1000) throw new Error(`${results?.length} results`);
    },
  },
  { name: "txn: one step more", ask: { op: "txn", then: many(1001) }, fails: "badArguments" },
  {
    name: "txn: data too large",
    ask: { op: "txn", then: [{ op: "put", path: "@/a", data: "x".repeat(1_048_576) }] },
    fails: "tooLarge",
  },
  {
    name: "txn: with the root deleted",
    ask: { op: "txn", then: [{ op: "delete", path: "/" }] },
    fails: "badArguments",
  },
];

export const txnTable: readonly DoorCase[] = [...branches, ...guards];
