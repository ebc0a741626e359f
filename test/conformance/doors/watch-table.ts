/** Watches: states, events behind a cursor, rights. And what operators ask. */
import type { Ask, DoorCase } from "./door-runner.ts";

const mark: Ask = { op: "watch", nodes: ["@"], keep: "mark" };

const states: readonly DoorCase[] = [
  {
    name: "watch: the state of a znode",
    given: [{ op: "create", path: "@/a", data: "1" }],
    ask: { op: "watch", nodes: ["@/a"] },
    answers: {
      states: [{ scope: "node", path: "@/a", exists: true, data: "1", stat: { version: 0 } }],
      cursor: /^0x[0-9a-f]{16}\.[0-9a-f]{16}$/,
    },
    check: ({ cursor, zxid }) => {
      if (cursor?.slice(0, 18) !== zxid) throw new Error("the cursor is of the answer's zxid");
    },
  },
  {
    name: "watch: the state of what is not there",
    ask: { op: "watch", nodes: ["@/a"] },
    answers: { states: [{ path: "@/a", exists: false, stat: undefined, data: undefined }] },
  },
  {
    name: "watch: the state of children",
    given: [
      { op: "create", path: "@/b" },
      { op: "create", path: "@/a" },
    ],
    ask: { op: "watch", children: ["@"] },
    answers: { states: [{ scope: "children", path: "@", exists: true, names: ["a", "b"] }] },
  },
  {
    name: "watch: children of what is not there",
    ask: { op: "watch", children: ["@/x"] },
    answers: { states: [{ scope: "children", exists: false, names: [] }] },
  },
  { name: "watch: a subtree has no state", ask: { op: "watch", subtrees: ["@"] }, answers: { states: [] } },
  {
    name: "watch: states in the order asked, nodes before children",
    ask: { op: "watch", children: ["@"], nodes: ["@/b", "@/a"] },
    answers: { states: [{ path: "@/b" }, { path: "@/a" }, { path: "@", scope: "children" }] },
  },
  { name: "watch: of nothing", ask: { op: "watch" }, fails: "badArguments" },
  { name: "watch: a path that is none", ask: { op: "watch", nodes: ["@/"] }, fails: "badArguments" },
  {
    name: "watch: more paths than there may be",
    ask: { op: "watch", nodes: Array.from({ length: 101 }, (_, i) => `@/${i}`) },
    fails: "badArguments",
  },
  {
    name: "watch: as many paths as there may be",
    ask: { op: "watch", nodes: Array.from({ length: 100 }, (_, i) => `@/${i}`) },
    check: ({ states = [] }) => {
      if (states.length !== 100) throw new Error(`${states.length} states`);
    },
  },
  {
    name: "watch: more state than fits",
    given: [
      { op: "create", path: "@/a", data: "x".repeat(600_000) },
      { op: "create", path: "@/b", data: "x".repeat(600_000) },
    ],
    ask: { op: "watch", nodes: ["@/a", "@/b"] },
    fails: "tooLarge",
  },
];

const events: readonly DoorCase[] = [
  {
    name: "watch: events of a znode, in order",
    given: [
      mark,
      { op: "create", path: "@/a", keep: "a" },
      { op: "set", path: "@/a", data: "2", keep: "set" },
      { op: "delete", path: "@/a", keep: "deleted" },
    ],
    ask: (scene) => ({ op: "watch", nodes: ["@/a"], after: scene.cursor("mark"), events: 3 }),
    answers: {
      events: [
        { type: "created", path: "@/a", version: 0, data: undefined },
        { type: "changed", version: 1 },
        { type: "deleted", version: 1 },
      ],
    },
    check: ({ events = [] }, scene) => {
      const zxids = events.map(({ zxid }) => zxid);
      const [a, set, deleted] = [scene.zxid("a"), scene.zxid("set"), scene.zxid("deleted")];
      if (zxids.join() !== [a, set, deleted].join()) throw new Error(`of ${zxids}`);
      if (events.some(({ czxid }) => czxid !== a)) throw new Error("of the znode that was made");
    },
  },
  {
    name: "watch: behind a zxid",
    given: [
      { op: "create", path: "@/a", keep: "a" },
      { op: "set", path: "@/a" },
    ],
    ask: (scene) => ({ op: "watch", nodes: ["@/a"], after: scene.zxid("a"), events: 1 }),
    answers: { events: [{ type: "changed" }] },
  },
  {
    name: "watch: woken",
    given: [mark],
    ask: (scene) => ({ op: "watch", nodes: ["@/a"], after: scene.cursor("mark"), events: 1 }),
    meanwhile: [
      { op: "create", path: "@/b" },
      { op: "create", path: "@/a" },
    ],
    answers: { events: [{ type: "created", path: "@/a" }] },
  },
  {
    name: "watch: children made and deleted, and not changed",
    given: [
      { op: "create", path: "@/a" },
      mark,
      { op: "set", path: "@/a" },
      { op: "create", path: "@/b" },
      { op: "create", path: "@/b/c" },
      { op: "delete", path: "@/a" },
    ],
    ask: (scene) => ({ op: "watch", children: ["@"], after: scene.cursor("mark"), events: 2 }),
    answers: {
      events: [
        { type: "created", path: "@/b" },
        { type: "deleted", path: "@/a" },
      ],
    },
  },
  {
    name: "watch: a subtree with its root",
    given: [mark, { op: "create", path: "@/a/b", parents: true }, { op: "set", path: "@" }],
    ask: (scene) => ({ op: "watch", subtrees: ["@"], after: scene.cursor("mark"), events: 3 }),
    answers: {
      events: [
        { type: "created", path: "@/a" },
        { type: "created", path: "@/a/b" },
        { type: "changed", path: "@" },
      ],
    },
  },
  {
    name: "watch: a txn's events have its zxid",
    given: [
      mark,
      {
        op: "txn",
        then: [
          { op: "create", path: "@/a" },
          { op: "create", path: "@/b" },
        ],
        keep: "txn",
      },
    ],
    ask: (scene) => ({ op: "watch", children: ["@"], after: scene.cursor("mark"), events: 2 }),
    check: ({ events = [], cursor }, scene) => {
      const zxid = scene.zxid("txn");
      if (events.some((each) => each.zxid !== zxid)) throw new Error("of one zxid");
      if ((cursor ?? "").slice(0, 18) < zxid) throw new Error("the cursor is behind them");
    },
  },
  {
    name: "watch: overlapping scopes tell each event once",
    given: [mark, { op: "create", path: "@/a" }],
    ask: (scene) => ({
      op: "watch",
      nodes: ["@/a"],
      children: ["@"],
      subtrees: ["@"],
      after: scene.cursor("mark"),
      events: 1,
    }),
    answers: { events: [{ path: "@/a" }] },
  },
  {
    name: "watch: an ephemeral goes with its session",
    given: [
      { op: "createSession", keep: "s" },
      { op: "create", path: "@/e", kind: "ephemeral", session: "s" },
      mark,
      { op: "closeSession", session: "s" },
    ],
    ask: (scene) => ({ op: "watch", nodes: ["@/e"], after: scene.cursor("mark"), events: 1 }),
    answers: { events: [{ type: "deleted", path: "@/e" }] },
  },
  {
    name: "watch: data of what stands, and superseded of what does not",
    given: [mark, { op: "create", path: "@/a", data: "old" }, { op: "set", path: "@/a", data: "base64:/w==" }],
    ask: (scene) => ({ op: "watch", nodes: ["@/a"], after: scene.cursor("mark"), events: 2, withData: true }),
    answers: {
      events: [
        { type: "created", superseded: true, data: undefined },
        { type: "changed", data: "base64:/w==", superseded: undefined },
      ],
    },
  },
  {
    name: "watch: a cursor of another history",
    ask: { op: "watch", nodes: ["@"], after: "0x0000000100000002.0123456789abcdef", events: 1 },
    fails: "cursorOfAnotherHistory",
    with: { certainty: "noEffect" },
  },
  {
    name: "watch: of what may not be read",
    given: [{ op: "create", path: "@/mine", acl: [{ scheme: "auth", id: "", perms: "r" }], as: "ann:1" }],
    ask: { op: "watch", nodes: ["@/mine"] },
    fails: "noAuth",
  },
  {
    name: "watch: by who may read it",
    given: [{ op: "create", path: "@/mine", acl: [{ scheme: "auth", id: "", perms: "r" }], as: "ann:1" }],
    ask: { op: "watch", nodes: ["@/mine"], as: "ann:1" },
    answers: { states: [{ exists: true }] },
  },
  {
    name: "watch: below a subtree what may not be read is left out",
    given: [
      mark,
      { op: "create", path: "@/mine", acl: [{ scheme: "auth", id: "", perms: "r" }], as: "ann:1" },
      { op: "create", path: "@/open" },
    ],
    ask: (scene) => ({ op: "watch", subtrees: ["@"], after: scene.cursor("mark"), events: 1 }),
    answers: { events: [{ path: "@/open" }] },
  },
  {
    name: "watch: the right to read is taken meanwhile",
    given: [{ op: "create", path: "@/a" }, mark],
    ask: (scene) => ({ op: "watch", nodes: ["@/a"], after: scene.cursor("mark"), events: 1 }),
    meanwhile: [{ op: "setAcl", path: "@/a", acl: [{ scheme: "ip", id: "10.9.8.7", perms: "r" }] }],
    fails: "noAuth",
  },
  {
    name: "watch: of a session that ends meanwhile",
    given: [{ op: "createSession", keep: "s" }, mark],
    ask: (scene) => ({ op: "watch", nodes: ["@/a"], after: scene.cursor("mark"), events: 1, session: "s" }),
    meanwhile: [{ op: "closeSession", session: "s" }],
    fails: "sessionExpired",
  },
  {
    name: "watch: of a session with another secret",
    given: [{ op: "createSession", keep: "s" }],
    ask: { op: "watch", nodes: ["@/a"], session: "s", secret: "wrong" },
    fails: "authFailed",
  },
];

const operators: readonly DoorCase[] = [
  {
    name: "members: with a leader among them",
    ask: { op: "members" },
    check: ({ members = [], leader = 0 }) => {
      if (!members.includes(leader)) throw new Error(`${leader} is none of ${members}`);
    },
  },
  { name: "hand over: the super user's alone", ask: { op: "handOver", to: 1 }, fails: "noAuth" },
  { name: "hand over: to no member", ask: { op: "handOver", to: 77, as: "super" }, fails: "badArguments" },
  { name: "hand over: to no id", ask: { op: "handOver", to: 256, as: "super" }, fails: "badArguments" },
  {
    name: "credentials that cannot be read",
    ask: { op: "get", path: "@", as: "nocolon" },
    fails: "authFailed",
    with: { certainty: "noEffect" },
  },
];

export const watchTable: readonly DoorCase[] = [...states, ...events, ...operators];
