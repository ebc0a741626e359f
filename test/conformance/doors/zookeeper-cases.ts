/**
 * The table at the ZooKeeper port: which cases its protocol has no words for, and why; and which it answers as ZooKeeper does, where
 * the other doors answer otherwise. All else is answered alike.
 */
import type { DoorCase } from "./door-runner.ts";
import { lockTable } from "./lock-table.ts";

const byReason: Readonly<Record<string, readonly string[]>> = {
  "every request is on behalf of its connection's session": ["create: an ephemeral of nobody"],
  "no condition but one version": [
    "put: with the mzxid",
    "put: with an older mzxid",
    "put: with one mzxid of several",
    "put: an mzxid of what is not there",
    "set: version and mzxid have to hold together",
    "delete: with the mzxid",
    "delete: with another mzxid",
    "delete: a condition on what is not there",
    "acl: set with its tag",
    "acl: set with the tag of a znode that was there before",
    "txn: fenced by a czxid that stands",
    "txn: fenced by a czxid that does not",
    "txn: a check of an mzxid",
    "txn: an owner without a session",
    "ephemeral: a txn that checks its owner",
    "ephemeral: a txn that is not its owner",
  ],
  "what is there is set by its data alone": [
    "put: a ttl that is renewed",
    "put: another kind than is there",
    "put: an ACL on what is there",
    "ephemeral: put again by its session",
    "ephemeral: put by another session",
  ],
  "no read may be stale": ["stale: says its age", "stale: of children too", "max-stale without stale"],
  "children are told by their names alone": [
    "children: with stat and data",
    "children: with data, but for what may not be read",
    "txn: of reads alone it is a read",
  ],
  "children are told all at once": [
    "children: a first page",
    "children: the next page",
    "children: later pages have the names of the first",
    "children: a page of too many",
    "children: a page of less than one",
    "children: a token that is none",
    "children: a token of another parent",
  ],
  "no request tells a tree": [
    "tree: parents before children",
    "tree: with data",
    "tree: of a depth",
    "tree: of the znode alone",
    "tree: of what is not there",
    "tree: deeper than can be",
    "tree: but for what may not be read",
    "tree: of what may not be read",
  ],
  "rights are bits of a number": ["acl: perms that are none"],
  "no check is of what is not there": [
    "txn: every kind of step, each seeing those before it",
    "txn: a check that something is not there, and it is",
  ],
  "a multi has no other branch": ["txn: else", "txn: else of nothing", "txn: a step of else that fails"],
  "a multi makes no parents": ["txn: makes a tree and its parents"],
  "a multi deletes single znodes": ["txn: deletes with all below"],
  "a multi that writes has no put": [
    "txn: an mzxid that does not stand",
    "txn: data too large",
    "session: a txn when it is over",
  ],
  "a multi has no consistency": ["txn: of reads, stale", "txn: a consistency on one that writes"],
  "a check has a version": ["txn: a check of nothing"],
  "a session has no name": ["session: a name too long"],
  "what operators ask has no request here": [
    "session: listed to the super user alone",
    "session: listed",
    "session: listed in pages",
    "members: with a leader among them",
    "hand over: the super user's alone",
    "hand over: to no member",
    "hand over: to no id",
  ],
  "no request has a key": [
    "key: a repeat is answered from memory",
    "key: a first is not",
    "key: other data",
    "key: another path",
    "key: another operation",
    "key: of somebody else is another",
    "key: of a put",
    "key: of a delete",
    "key: of a txn",
    "key: of an ACL",
    "key: of a session's end",
    "key: with a space",
    "key: too long",
    "key: the longest",
  ],
  "no request takes a lock": lockTable.map(({ name }) => name),
  "events have no data": ["watch: data of what stands, and superseded of what does not"],
  "a place is a zxid, which is of no history": ["watch: a cursor of another history"],
};

/** By name: the reason, which is what the door says when it is asked all the same. */
export const zookeeperNotAskable: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(byReason).flatMap(([reason, names]) => names.map((name) => [name, reason])),
);

interface Otherwise extends Partial<Omit<DoorCase, "name">> {
  readonly why: string;
}

const noKind = "a Stat does not say that a znode is a container or has a TTL";
const frames = "a frame of more than 1,048,575 bytes closes the connection";
const bounds = "a timeout is brought into bounds, not refused";
const refusal = "a session that is over and one of another password are refused alike";
const lookedUp = "a path that is none is looked up, and nothing is found";
const noBound = "what bounds it is the size of a frame";
const noResult = "it is answered by a header alone";

const otherwise: Readonly<Record<string, Otherwise>> = {
  "create: a container": { why: noKind, answers: { stat: { kind: "persistent" } } },
  "create: with a ttl": { why: noKind, answers: { stat: { kind: "persistent", ttlMillis: undefined } } },
  "put: without a kind, on any": { why: noKind, answers: { stat: { kind: "persistent", version: 1 } } },
  "create: the largest data": { why: frames, fails: "connectionLoss" },
  "create: data too large": { why: frames, fails: "connectionLoss" },
  "put: data too large": { why: frames, fails: "connectionLoss" },
  "put: only what exists": { why: "that it is not there is no matter of versions", fails: "noNode" },
  "get: a path that is none": { why: lookedUp, fails: "noNode" },
  "exists: a path that is none": { why: lookedUp, answers: { exists: false } },
  "txn: a path that is none": { why: lookedUp, fails: "noNode", with: { op: { in: "then", index: 0 } } },
  "watch: a path that is none": { why: lookedUp, answers: { states: [{ path: "@/", exists: false }] } },
  "session consistency: without a zxid": {
    why: "it is not older than what the connection has seen",
    answers: { consistency: "session", path: "@" },
  },
  "session consistency: a zxid to come": {
    why: "who has seen more than there is comes from another history, and is not answered",
    fails: "connectionLoss",
    with: { certainty: "unknown" },
  },
  "acl: more entries than there may be": {
    why: "a list that is none is InvalidACL, whatever its fault",
    fails: "invalidAcl",
  },
  "txn: of nothing": { why: "a multi of nothing does nothing", answers: { results: [] } },
  "txn: one step more": {
    why: noBound,
    check: ({ results }) => {
      if (results?.length !== 1001) throw new Error(`${results?.length} results`);
    },
  },
  "session: opened": {
    why: bounds,
    answers: { id: /^0x[0-9a-f]{16}$/, secret: /^[0-9a-f]{32}$/, timeoutMillis: 40_000 },
  },
  "session: too short": { why: bounds, answers: { timeoutMillis: 4000 } },
  "session: too long": { why: bounds, answers: { timeoutMillis: 40_000 } },
  "session: the longest": { why: bounds, answers: { timeoutMillis: 40_000 } },
  "session: renewed with another secret": { why: refusal, fails: "sessionExpired" },
  "session: renewed without a secret": { why: refusal, fails: "sessionExpired" },
  "session: shown to nobody else": { why: refusal, fails: "sessionExpired" },
  "session: shown to the super user": { why: refusal, fails: "sessionExpired" },
  "session: closed with another secret": { why: refusal, fails: "sessionExpired" },
  "session: closed by the super user": { why: refusal, fails: "sessionExpired" },
  "ephemeral: with another secret": { why: refusal, fails: "sessionExpired" },
  "watch: of a session with another secret": { why: refusal, fails: "sessionExpired" },
  "session: shown to its owner": { why: "only its ephemerals are told", answers: { ephemerals: ["@/e"] } },
  "session: closed, with its ephemerals": { why: noResult, answers: { deleted: undefined } },
  "session: a read that it does not concern, when it is over": {
    why: "nothing is asked but on a connection, which has its session",
    fails: "sessionExpired",
  },
  "watch: the state of a znode": {
    why: "a place is a zxid, which is of no history",
    answers: {
      states: [{ scope: "node", path: "@/a", exists: true, data: "1", stat: { version: 0 } }],
      cursor: /^0x[0-9a-f]{16}$/,
    },
  },
  "watch: of nothing": { why: "a multiRead of nothing reads nothing", answers: { states: [] } },
  "watch: more paths than there may be": {
    why: noBound,
    check: ({ states }) => {
      if (states?.length !== 101) throw new Error(`${states?.length} states`);
    },
  },
  "watch: events of a znode, in order": {
    why: "an event has a type, a path and its zxid",
    answers: { events: [{ type: "created", path: "@/a" }, { type: "changed" }, { type: "deleted" }] },
    check: ({ events = [] }, scene) => {
      const zxids = [scene.zxid("a"), scene.zxid("set"), scene.zxid("deleted")];
      if (events.map(({ zxid }) => zxid).join() !== zxids.join()) throw new Error(`of ${zxids}`);
    },
  },
  "watch: the right to read is taken meanwhile": {
    why: "who may not read is told nothing",
    given: [
      { op: "create", path: "@/a" },
      { op: "watch", nodes: ["@"], keep: "mark" },
      { op: "setAcl", path: "@/a", acl: [{ scheme: "ip", id: "10.9.8.7", perms: "w" }] },
      { op: "set", path: "@/a", as: "super" },
    ],
    ask: (scene) => ({ op: "watch", nodes: ["@/a"], after: scene.cursor("mark"), events: 0 }),
    meanwhile: [],
    answers: { events: [] },
  },
  "credentials that cannot be read": { why: "a name without a password is a name", answers: { path: "@" } },
};

/** Those that are asked there, each with what is answered. */
export function zookeeperCases(table: readonly DoorCase[]): DoorCase[] {
  return table
    .filter(({ name }) => !Object.hasOwn(zookeeperNotAskable, name))
    .map((each) => {
      const own = otherwise[each.name];
      if (own === undefined) return each;
      const { why: _, ...answered } = own;
      const { name, ask, given = [], meanwhile = [], then = [] } = each;
      return { name, ask, given, meanwhile, then, ...answered };
    });
}

export const zookeeperOtherwise: readonly string[] = Object.keys(otherwise);
