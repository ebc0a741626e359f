/** Sessions, their ephemerals, and requests under a key. */
import type { Ask, DoorCase } from "./door-runner.ts";

const open: Ask = { op: "createSession", timeoutMillis: 60_000, name: "billing", keep: "s" };
const ephemeral: Ask = { op: "create", path: "@/e", kind: "ephemeral", session: "s" };

const lives: readonly DoorCase[] = [
  {
    name: "session: opened",
    ask: { op: "createSession", timeoutMillis: 45_500, name: "x" },
    answers: { id: /^0x[0-9a-f]{16}$/, secret: /^[0-9a-f]{32}$/, timeoutMillis: 45_500 },
    check: ({ id, zxid }) => {
      if (id !== zxid) throw new Error("its id is the zxid that made it");
    },
  },
  { name: "session: opened by default", ask: { op: "createSession" }, answers: { timeoutMillis: 30_000 } },
  { name: "session: too short", ask: { op: "createSession", timeoutMillis: 999 }, fails: "badArguments" },
  { name: "session: too long", ask: { op: "createSession", timeoutMillis: 86_400_001 }, fails: "badArguments" },
  {
    name: "session: the longest",
    ask: { op: "createSession", timeoutMillis: 86_400_000 },
    answers: { timeoutMillis: 86_400_000 },
  },
  { name: "session: a name too long", ask: { op: "createSession", name: "x".repeat(257) }, fails: "badArguments" },
  { name: "session: renewed", given: [open], ask: { op: "renewSession", session: "s" }, answers: { ok: true } },
  {
    name: "session: renewed with another secret",
    given: [open],
    ask: { op: "renewSession", session: "s", secret: "wrong" },
    fails: "authFailed",
    with: { certainty: "noEffect" },
  },
  {
    name: "session: renewed without a secret",
    given: [open],
    ask: { op: "renewSession", session: "s", secret: "none" },
    fails: "authFailed",
  },
  {
    name: "session: shown to its owner",
    given: [open, ephemeral],
    ask: { op: "getSession", session: "s" },
    answers: { session: { name: "billing", timeoutMillis: 60_000, ephemeralCount: 1 }, ephemerals: ["@/e"] },
  },
  {
    name: "session: shown to the super user",
    given: [open],
    ask: { op: "getSession", session: "s", secret: "none", as: "super" },
    answers: { session: { name: "billing" } },
  },
  {
    name: "session: shown to nobody else",
    given: [open],
    ask: { op: "getSession", session: "s", secret: "none" },
    fails: "authFailed",
  },
  {
    name: "session: closed, with its ephemerals",
    given: [open, ephemeral, { op: "create", path: "@/f", kind: "ephemeral", session: "s" }],
    ask: { op: "closeSession", session: "s" },
    answers: { deleted: 2 },
    then: [[{ op: "children", path: "@" }, { names: [] }]],
  },
  {
    name: "session: closed by the super user",
    given: [open],
    ask: { op: "closeSession", session: "s", secret: "none", as: "super" },
    answers: { deleted: 0 },
  },
  {
    name: "session: closed with another secret",
    given: [open],
    ask: { op: "closeSession", session: "s", secret: "wrong" },
    fails: "authFailed",
  },
  {
    name: "session: renewed when it is over",
    given: [open, { op: "closeSession", session: "s" }],
    ask: { op: "renewSession", session: "s" },
    fails: "sessionExpired",
  },
  {
    name: "session: shown when it is over",
    given: [open, { op: "closeSession", session: "s" }],
    ask: { op: "getSession", session: "s" },
    fails: "sessionExpired",
  },
  {
    name: "session: an ephemeral when it is over",
    given: [open, { op: "closeSession", session: "s" }],
    ask: ephemeral,
    fails: "sessionExpired",
    then: [[{ op: "exists", path: "@/e" }, { exists: false }]],
  },
  {
    name: "session: a write when it is over",
    given: [open, { op: "closeSession", session: "s" }],
    ask: { op: "put", path: "@/a", session: "s" },
    fails: "sessionExpired",
  },
  {
    name: "session: a read that it does not concern, when it is over",
    given: [open, { op: "closeSession", session: "s" }],
    ask: { op: "get", path: "@", session: "s" },
    answers: { path: "@" },
  },
  {
    name: "session: a watch when it is over",
    given: [open, { op: "closeSession", session: "s" }],
    ask: { op: "watch", nodes: ["@"], session: "s" },
    fails: "sessionExpired",
  },
  {
    name: "session: a txn when it is over",
    given: [open, { op: "closeSession", session: "s" }],
    ask: { op: "txn", then: [{ op: "put", path: "@/a" }], session: "s" },
    fails: "sessionExpired",
  },
  { name: "session: listed to the super user alone", ask: { op: "listSessions" }, fails: "noAuth" },
  {
    name: "session: listed",
    given: [open],
    ask: { op: "listSessions", as: "super", limit: 10_000 },
    check: ({ sessions = [] }, scene) => {
      if (!sessions.some(({ id }) => id === scene.id("s"))) throw new Error("it is not in the list");
    },
  },
  {
    name: "session: listed in pages",
    given: [open, { op: "createSession" }],
    ask: { op: "listSessions", as: "super", limit: 1 },
    answers: { sessions: [{}], token: /./ },
  },
];

const ephemerals: readonly DoorCase[] = [
  {
    name: "ephemeral: its owner stands in its stat",
    given: [open],
    ask: ephemeral,
    answers: { stat: { kind: "ephemeral" } },
    check: ({ stat }, scene) => {
      if (stat?.owner !== scene.id("s")) throw new Error(`it is ${stat?.owner}'s`);
    },
  },
  {
    name: "ephemeral: has no children",
    given: [open, ephemeral],
    ask: { op: "create", path: "@/e/x" },
    fails: "noChildrenForEphemerals",
  },
  {
    name: "ephemeral: no parents are made of one",
    given: [open, ephemeral],
    ask: { op: "put", path: "@/e/x/y", parents: true },
    fails: "noChildrenForEphemerals",
  },
  {
    name: "ephemeral: with another secret",
    given: [open],
    ask: { ...ephemeral, secret: "wrong" },
    fails: "authFailed",
  },
  {
    name: "ephemeral: put again by its session",
    given: [open, ephemeral],
    ask: { op: "put", path: "@/e", data: "2", kind: "ephemeral", session: "s" },
    answers: { created: false, stat: { version: 1 } },
  },
  {
    name: "ephemeral: put by another session",
    given: [open, ephemeral, { op: "createSession", keep: "other" }],
    ask: { op: "put", path: "@/e", kind: "ephemeral", session: "other" },
    fails: "nodeExists",
  },
  {
    name: "ephemeral: anybody may write its data",
    given: [open, ephemeral],
    ask: { op: "set", path: "@/e", data: "2" },
    answers: { stat: { kind: "ephemeral", version: 1 } },
  },
  {
    name: "ephemeral: in sequence",
    given: [open],
    ask: { op: "create", path: "@/lock-", kind: "ephemeral", sequential: true, session: "s" },
    answers: { path: "@/lock-0000000000", stat: { kind: "ephemeral" } },
  },
  {
    name: "ephemeral: a txn that checks its owner",
    given: [open, ephemeral],
    ask: { op: "txn", check: [{ path: "@/e", ownerSelf: true }], then: [{ op: "put", path: "@/a" }], session: "s" },
    answers: { branch: "then" },
  },
  {
    name: "ephemeral: a txn that is not its owner",
    given: [open, ephemeral, { op: "createSession", keep: "other" }],
    ask: { op: "txn", check: [{ path: "@/e", ownerSelf: true }], then: [{ op: "put", path: "@/a" }], session: "other" },
    fails: "badVersion",
  },
];

const create: Ask = { op: "create", path: "@/i-", sequential: true, data: "x", key: "k@" };
const keys: readonly DoorCase[] = [
  {
    name: "key: a repeat is answered from memory",
    given: [{ ...create, keep: "first" }],
    ask: create,
    answers: { replayed: true, path: "@/i-0000000000" },
    check: ({ zxid, stat }, scene) => {
      if (zxid !== scene.zxid("first") || stat?.mzxid !== scene.mzxid("first"))
        throw new Error("it is not the first's");
    },
    then: [[{ op: "children", path: "@" }, { names: ["i-0000000000"] }]],
  },
  { name: "key: a first is not", ask: create, answers: { replayed: false, path: "@/i-0000000000" } },
  { name: "key: other data", given: [create], ask: { ...create, data: "y" }, fails: "keyReused" },
  { name: "key: another path", given: [create], ask: { ...create, path: "@/j-" }, fails: "keyReused" },
  {
    name: "key: another operation",
    given: [create],
    ask: { op: "delete", path: "@", key: "k@" },
    fails: "keyReused",
    with: { certainty: "noEffect" },
  },
  {
    name: "key: of somebody else is another",
    given: [create],
    ask: { ...create, as: "ann:1" },
    answers: { replayed: false, path: "@/i-0000000001" },
  },
  {
    name: "key: of a put",
    given: [{ op: "put", path: "@/a", data: "1", key: "k@" }],
    ask: { op: "put", path: "@/a", data: "1", key: "k@" },
    answers: { replayed: true, created: true, stat: { version: 0 } },
  },
  {
    name: "key: of a delete",
    given: [
      { op: "create", path: "@/a" },
      { op: "delete", path: "@/a", key: "k@" },
    ],
    ask: { op: "delete", path: "@/a", key: "k@" },
    answers: { replayed: true, deleted: 1 },
  },
  {
    name: "key: of a txn",
    given: [{ op: "txn", then: [{ op: "create", path: "@/a" }], key: "k@" }],
    ask: { op: "txn", then: [{ op: "create", path: "@/a" }], key: "k@" },
    answers: { replayed: true, results: [{ path: "@/a" }] },
  },
  {
    name: "key: of an ACL",
    given: [{ op: "setAcl", path: "@", acl: [{ scheme: "world", id: "anyone", perms: "cdrwa" }], key: "k@" }],
    ask: { op: "setAcl", path: "@", acl: [{ scheme: "world", id: "anyone", perms: "cdrwa" }], key: "k@" },
    answers: { replayed: true, stat: { aversion: 1 } },
  },
  {
    name: "key: of a session's end",
    given: [open, { op: "closeSession", session: "s", key: "k@" }],
    ask: { op: "closeSession", session: "s", key: "k@" },
    answers: { replayed: true, deleted: 0 },
  },
  { name: "key: with a space", ask: { op: "put", path: "@/a", key: "a b" }, fails: "badArguments" },
  { name: "key: too long", ask: { op: "put", path: "@/a", key: "k".repeat(65) }, fails: "badArguments" },
  { name: "key: the longest", ask: { op: "put", path: "@/a", key: `${"k".repeat(40)}@` }, answers: { created: true } },
];

export const sessionTable: readonly DoorCase[] = [...lives, ...ephemerals, ...keys];
