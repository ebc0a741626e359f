/** Reading: znodes, children in pages, trees, consistencies, rights. */
import type { Asking, DoorCase } from "./door-runner.ts";

const three: readonly Asking[] = [
  { op: "create", path: "@/b", data: "2" },
  { op: "create", path: "@/a", data: "1" },
  { op: "create", path: "@/c", data: "3" },
];
const farOff = "0x000fffff00000001";

const reading: readonly DoorCase[] = [
  {
    name: "get: data and stat",
    given: [{ op: "create", path: "@/a", data: "grüße" }],
    ask: { op: "get", path: "@/a" },
    answers: { path: "@/a", data: "grüße", consistency: "linearizable", stat: { dataLength: 7 }, replayed: false },
  },
  { name: "get: what is not there", ask: { op: "get", path: "@/a" }, fails: "noNode", with: { path: "@/a" } },
  { name: "get: the root", ask: { op: "get", path: "/" }, answers: { path: "/", stat: { kind: "persistent" } } },
  { name: "get: a path that is none", ask: { op: "get", path: "@/a//b" }, fails: "badArguments" },
  {
    name: "get: sees everything acknowledged",
    given: [{ op: "create", path: "@/a", keep: "a" }],
    ask: { op: "get", path: "@" },
    check: ({ zxid }, scene) => {
      if (zxid < scene.zxid("a")) throw new Error(`${zxid} is older than the write`);
    },
  },
  { name: "exists: it does", ask: { op: "exists", path: "@" }, answers: { exists: true, stat: { version: 0 } } },
  { name: "exists: it does not", ask: { op: "exists", path: "@/a" }, answers: { exists: false, stat: undefined } },
  { name: "exists: a path that is none", ask: { op: "exists", path: "@/." }, fails: "badArguments" },
  { name: "sync: a zxid", ask: { op: "sync" } },
  {
    name: "sync: everything acknowledged is at or below it",
    given: [{ op: "create", path: "@/a", keep: "a" }],
    ask: { op: "sync" },
    check: ({ zxid }, scene) => {
      if (zxid < scene.zxid("a")) throw new Error(`${zxid} is older than the write`);
    },
  },
  {
    name: "session consistency: not older than its zxid",
    given: [{ op: "create", path: "@/a", data: "1", keep: "a" }],
    ask: (scene) => ({ op: "get", path: "@/a", consistency: "session", minZxid: scene.zxid("a") }),
    answers: { data: "1", consistency: "session" },
  },
  {
    name: "session consistency: without a zxid",
    ask: { op: "get", path: "@", consistency: "session" },
    fails: "badArguments",
  },
  {
    name: "session consistency: a zxid to come",
    ask: { op: "get", path: "@", consistency: "session", minZxid: farOff, timeoutMillis: 1000 },
    fails: "behind",
    with: { certainty: "noEffect" },
  },
  {
    name: "stale: says its age",
    ask: { op: "get", path: "/", consistency: "stale", maxStaleMillis: 300_000 },
    answers: { consistency: "stale", aged: true },
  },
  {
    name: "stale: of children too",
    ask: { op: "children", path: "/", consistency: "stale", maxStaleMillis: 300_000 },
    answers: { consistency: "stale", aged: true },
  },
  {
    name: "max-stale without stale",
    ask: { op: "get", path: "@", maxStaleMillis: 1000 },
    fails: "badArguments",
  },
];

const listing: readonly DoorCase[] = [
  { name: "children: sorted", given: three, ask: { op: "children", path: "@" }, answers: { names: ["a", "b", "c"] } },
  { name: "children: none", ask: { op: "children", path: "@" }, answers: { names: [], token: undefined } },
  { name: "children: of what is not there", ask: { op: "children", path: "@/x" }, fails: "noNode" },
  {
    name: "children: with stat and data",
    given: three,
    ask: { op: "children", path: "@", withData: true },
    answers: {
      children: [
        { name: "a", data: "1", stat: { dataLength: 1 } },
        { name: "b", data: "2" },
        { name: "c", data: "3" },
      ],
    },
  },
  {
    name: "children: with data, but for what may not be read",
    given: [
      { op: "create", path: "@/mine", data: "1", acl: [{ scheme: "auth", id: "", perms: "r" }], as: "ann:1" },
      { op: "create", path: "@/open", data: "2" },
    ],
    ask: { op: "children", path: "@", withData: true },
    answers: {
      children: [
        { name: "mine", stat: undefined, data: undefined },
        { name: "open", data: "2" },
      ],
    },
  },
  {
    name: "children: a first page",
    given: three,
    ask: { op: "children", path: "@", limit: 2 },
    answers: { names: ["a", "b"], token: /./ },
  },
  {
    name: "children: the next page",
    given: [...three, { op: "children", path: "@", limit: 2, keep: "page" }],
    ask: (scene) => ({ op: "children", path: "@", limit: 2, token: scene.of("page").token ?? "" }),
    answers: { names: ["c"], token: undefined },
  },
  {
    name: "children: later pages have the names of the first",
    given: [
      ...three,
      { op: "children", path: "@", limit: 1, keep: "page" },
      { op: "create", path: "@/bb" },
      { op: "delete", path: "@/c" },
    ],
    ask: (scene) => ({ op: "children", path: "@", token: scene.of("page").token ?? "" }),
    answers: { names: ["b", "c"] },
    check: ({ namesZxid }, scene) => {
      if (namesZxid !== scene.of("page").namesZxid) throw new Error(`the names are of ${namesZxid}`);
    },
  },
  { name: "children: a page of too many", ask: { op: "children", path: "@", limit: 10_001 }, fails: "badArguments" },
  { name: "children: a page of less than one", ask: { op: "children", path: "@", limit: -1 }, fails: "badArguments" },
  { name: "children: a token that is none", ask: { op: "children", path: "@", token: "abcd" }, fails: "badArguments" },
  {
    name: "children: a token of another parent",
    given: [...three, { op: "children", path: "@", limit: 1, keep: "page" }],
    ask: (scene) => ({ op: "children", path: "@/a", token: scene.of("page").token ?? "" }),
    fails: "badArguments",
  },
  {
    name: "tree: parents before children",
    given: [
      { op: "create", path: "@/b/x", parents: true },
      { op: "create", path: "@/a" },
    ],
    ask: { op: "tree", path: "@" },
    answers: { nodes: [{ path: "@" }, { path: "@/a" }, { path: "@/b" }, { path: "@/b/x" }] },
    check: ({ nodes = [] }) => {
      if (nodes.some((each) => each.data !== undefined)) throw new Error("data was not asked for");
    },
  },
  {
    name: "tree: with data",
    given: three,
    ask: { op: "tree", path: "@", withData: true },
    answers: { nodes: [{ data: "" }, { data: "1", stat: { dataLength: 1 } }, { data: "2" }, { data: "3" }] },
  },
  {
    name: "tree: of a depth",
    given: [{ op: "create", path: "@/b/x", parents: true }],
    ask: { op: "tree", path: "@", depth: 1 },
    answers: { nodes: [{ path: "@" }, { path: "@/b" }] },
  },
  {
    name: "tree: of the znode alone",
    given: three,
    ask: { op: "tree", path: "@", depth: 0 },
    answers: { nodes: [{ path: "@" }] },
  },
  { name: "tree: of what is not there", ask: { op: "tree", path: "@/x" }, fails: "noNode" },
  { name: "tree: deeper than can be", ask: { op: "tree", path: "@", depth: 2049 }, fails: "badArguments" },
  {
    name: "tree: but for what may not be read",
    given: [
      { op: "create", path: "@/mine", acl: [{ scheme: "auth", id: "", perms: "cdrwa" }], as: "ann:1" },
      { op: "create", path: "@/open" },
    ],
    ask: { op: "tree", path: "@" },
    answers: { nodes: [{ path: "@" }, { path: "@/open" }] },
  },
  {
    name: "tree: of what may not be read",
    given: [{ op: "create", path: "@/mine", acl: [{ scheme: "auth", id: "", perms: "cdrwa" }], as: "ann:1" }],
    ask: { op: "tree", path: "@/mine" },
    fails: "noAuth",
  },
];

export const readTable: readonly DoorCase[] = [...reading, ...listing];
