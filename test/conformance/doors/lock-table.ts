/** Locks and elections, and writes that they fence. */
import type { Ask, Asking, DoorCase, Scene } from "./door-runner.ts";

const session = (keep: string): Ask => ({ op: "createSession", timeoutMillis: 60_000, keep });
const take = (by: string, more: object = {}): Ask => ({ op: "acquire", path: "@/l", session: by, ...more }) as Ask;
const two: readonly Asking[] = [session("a"), session("b")];
const held: readonly Asking[] = [...two, take("a", { contender: "ann", keep: "held" })];
const tokenOf = (scene: Scene, name = "held"): string => scene.of(name).place?.token ?? "";
const release = (by: string, more: object = {}): Ask => ({ op: "release", path: "@/l", session: by, ...more }) as Ask;
const resign = (by: string, more: object = {}): Ask => ({ op: "resign", path: "@/e", session: by, ...more }) as Ask;
const stand = (by: string, data: string, more: object = {}): Ask =>
  ({ op: "campaign", path: "@/e", data, session: by, ...more }) as Ask;

const locks: readonly DoorCase[] = [
  {
    name: "lock: a free one is held at once",
    given: two,
    ask: take("a"),
    answers: {
      place: {
        path: "@/l",
        held: true,
        mode: "exclusive",
        layout: "curator",
        ahead: 0,
        znode: /^@\/l\/_c_.*-lock-\d{10}$/,
      },
    },
    check: ({ place, zxid }, scene) => {
      if (place?.id !== scene.id("a") || (place.token ?? "") > zxid || place.secret !== undefined)
        throw new Error("whose?");
    },
  },
  {
    name: "lock: who comes second waits",
    given: held,
    ask: take("b", { contender: "bob" }),
    answers: { place: { held: false, ahead: 1, token: (token: unknown) => token === undefined } },
    then: [
      [
        { op: "lock", path: "@/l" },
        {
          lock: {
            path: "@/l",
            kind: "mutex",
            layout: "curator",
            holders: [{ contender: "ann", mode: "exclusive", token: /^0x/ }],
            waiters: [{ contender: "bob", token: (token: unknown) => token === undefined }],
            waiting: 1,
          },
        },
      ],
      [take("a"), { place: { held: true } }],
      [take("b"), { place: { held: false, ahead: 1 } }],
      [release("a"), { znode: /^@\/l\// }],
      [take("b"), { place: { held: true, ahead: 0 } }],
    ],
  },
  {
    name: "lock: without a session one is opened",
    ask: { op: "acquire", path: "@/l", keep: "own" } as Ask,
    answers: { place: { held: true, secret: /^[0-9a-f]{32}$/, timeoutMillis: 30_000 } },
  },
  {
    name: "lock: a token that holds is renewed",
    given: held,
    ask: (scene) => take("a", { token: tokenOf(scene) }),
    check: ({ place }, scene) => {
      if (place?.token !== tokenOf(scene)) throw new Error("another token");
    },
  },
  {
    name: "lock: a token that is over is not made anew",
    given: [...held, release("a")],
    ask: (scene) => take("a", { token: tokenOf(scene) }),
    fails: "fenced",
    with: { certainty: "noEffect" },
    then: [[{ op: "lock", path: "@/l" }, { lock: { holders: [], waiting: 0 } }]],
  },
  {
    name: "lock: readers share it",
    given: [...two, take("a", { mode: "read" })],
    ask: take("b", { mode: "read" }),
    answers: { place: { held: true, mode: "read" } },
    then: [[{ op: "lock", path: "@/l" }, { lock: { kind: "readWrite", waiting: 0 } }]],
  },
  {
    name: "lock: a writer waits for readers",
    given: [...two, take("a", { mode: "read" })],
    ask: take("b", { mode: "write" }),
    answers: { place: { held: false, mode: "write", ahead: 1 } },
  },
  {
    name: "lock: a semaphore has so many permits",
    given: [...two, session("c"), take("a", { permits: 2 }), take("b", { mode: "permit" })],
    ask: take("c", { permits: 2 }),
    answers: { place: { held: false, mode: "permit", permits: 2, ahead: 2 } },
  },
  { name: "lock: a semaphore that nobody made", given: two, ask: take("a", { mode: "permit" }), fails: "badArguments" },
  {
    name: "lock: permits of a writer",
    given: two,
    ask: take("a", { mode: "write", permits: 2 }),
    fails: "badArguments",
  },
  {
    name: "lock: kazoo's names",
    given: two,
    ask: take("a", { layout: "kazoo" }),
    answers: { place: { layout: "kazoo", znode: /^@\/l\/[0-9a-f]{32}__lock__\d{10}$/ } },
  },
  { name: "lock: of another layout", given: held, ask: take("b", { layout: "kazoo" }), fails: "nodeExists" },
  { name: "lock: of another kind", given: held, ask: take("b", { mode: "read" }), fails: "nodeExists" },
  {
    name: "lock: of a name with other data",
    given: [...two, { op: "put", path: "@/l", data: "x" }],
    ask: take("a"),
    fails: "nodeExists",
    then: [[{ op: "get", path: "@/l" }, { data: "x" }]],
  },
  { name: "lock: the root", given: two, ask: take("a", { path: "/" }), fails: "badArguments" },
  { name: "lock: released by who has no place", given: held, ask: release("b"), fails: "noNode" },
  {
    name: "lock: given up by its token",
    given: [...held, take("b")],
    ask: (scene) => release("a", { token: tokenOf(scene) }),
    answers: { znode: /^@\/l\// },
    then: [[take("b"), { place: { held: true } }]],
  },
  {
    name: "lock: given up by the token of a place that is no more, when there is another",
    given: [...held, release("a"), take("a")],
    ask: (scene) => release("a", { token: tokenOf(scene) }),
    fails: "fenced",
    with: { path: "@/l", certainty: "noEffect" },
    then: [[{ op: "lock", path: "@/l" }, { lock: { holders: [{ mode: "exclusive" }], waiting: 0 } }]],
  },
  {
    name: "lock: given up by another's token",
    given: [...held, take("b")],
    ask: (scene) => release("b", { token: tokenOf(scene) }),
    fails: "fenced",
    then: [[{ op: "lock", path: "@/l" }, { lock: { waiting: 1 } }]],
  },
  { name: "lock: looked at, and there is none", ask: { op: "lock", path: "@/l" } as Ask, fails: "noNode" },
  { name: "lock: a wrong secret", given: two, ask: take("a", { secret: "wrong" }), fails: "authFailed" },
  {
    name: "lock: a session that is over",
    given: [...held, { op: "closeSession", session: "a" }],
    ask: take("a"),
    fails: "sessionExpired",
    then: [[take("b"), { place: { held: true } }]],
  },
];

const elections: readonly DoorCase[] = [
  {
    name: "election: the first leads",
    given: two,
    ask: stand("a", "ann"),
    answers: { place: { path: "@/e", held: true, token: /^0x/, ahead: 0, znode: /^@\/e\/_c_.*-latch-\d{10}$/ } },
    then: [
      [stand("b", "bob"), { place: { held: false, ahead: 1 } }],
      [{ op: "leader", path: "@/e" }, { election: { path: "@/e", leads: { data: "ann" }, candidates: 1 } }],
      [{ op: "proclaim", path: "@/e", data: "anna", session: "a" }, { place: { held: true, znode: /^@\/e\// } }],
      [{ op: "leader", path: "@/e" }, { election: { leads: { data: "anna" } } }],
      [resign("a"), { znode: /^@\/e\// }],
      [{ op: "leader", path: "@/e" }, { election: { leads: { data: "bob" }, candidates: 0 } }],
      [resign("b"), { znode: /^@\/e\// }],
      [{ op: "leader", path: "@/e" }, { election: { leads: (leads: unknown) => leads === undefined, candidates: 0 } }],
    ],
  },
  {
    name: "election: a candidate proclaims nothing",
    given: [...two, stand("a", "ann"), stand("b", "bob")],
    ask: { op: "proclaim", path: "@/e", data: "x", session: "b" },
    fails: "fenced",
    then: [[{ op: "leader", path: "@/e" }, { election: { leads: { data: "ann" } } }]],
  },
  {
    name: "election: resigned by who does not stand",
    given: [...two, stand("a", "")],
    ask: resign("b"),
    fails: "noNode",
  },
  {
    name: "election: resigned by its token",
    given: [...two, stand("a", "", { keep: "leads" }), stand("b", "bob")],
    ask: (scene) => resign("a", { token: tokenOf(scene, "leads") }),
    answers: { znode: /^@\/e\// },
    then: [[{ op: "leader", path: "@/e" }, { election: { leads: { data: "bob" }, candidates: 0 } }]],
  },
  {
    name: "election: resigned by the token of a place that is no more, when there is another",
    given: [...two, stand("a", "", { keep: "leads" }), resign("a"), stand("a", "ann")],
    ask: (scene) => resign("a", { token: tokenOf(scene, "leads") }),
    fails: "fenced",
    with: { path: "@/e", certainty: "noEffect" },
    then: [[{ op: "leader", path: "@/e" }, { election: { leads: { data: "ann" } } }]],
  },
  { name: "election: looked at, and there is none", ask: { op: "leader", path: "@/e" }, fails: "noNode" },
  { name: "election: of a lock's name", given: held, ask: stand("a", "", { path: "@/l" }), fails: "nodeExists" },
  { name: "election: too large a value", given: two, ask: stand("a", "x".repeat(65_537)), fails: "tooLarge" },
];

/** What is written with the lock's token, by its step. */
const writes: readonly (readonly [string, Ask, NonNullable<DoorCase["answers"]>])[] = [
  ["create", { op: "create", path: "@/w", data: "1" }, { path: "@/w" }],
  ["put", { op: "put", path: "@/w", data: "1" }, { created: true }],
  ["set", { op: "set", path: "@/there", data: "1" }, { stat: { version: 1 } }],
  ["delete", { op: "delete", path: "@/there" }, { deleted: 1 }],
  [
    "acl",
    { op: "setAcl", path: "@/there", acl: [{ scheme: "world", id: "anyone", perms: "cdrwa" }] },
    { stat: { aversion: 1 } },
  ],
  [
    "txn",
    {
      op: "txn",
      then: [
        { op: "create", path: "@/w" },
        { op: "get", path: "@/there" },
      ],
    },
    { branch: "then", results: [{ path: "@/w" }, { data: "0" }] },
  ],
  [
    "txn with else",
    { op: "txn", check: [{ path: "@/w", exists: true }], then: [], else: [{ op: "create", path: "@/w" }] },
    { branch: "else", results: [{ path: "@/w" }] },
  ],
  ["txn of reads", { op: "txn", then: [{ op: "get", path: "@/there" }] }, { branch: "then", results: [{ data: "0" }] }],
];
const there: Ask = { op: "put", path: "@/there", data: "0" };
const fencedBy =
  (ask: Ask): Asking =>
  (scene) =>
    ({ ...ask, fenced: [{ path: "@/l", token: tokenOf(scene) }] }) as Ask;

const fences: readonly DoorCase[] = [
  ...writes.flatMap(([name, ask, answers]): DoorCase[] => [
    { name: `fence: ${name}, while it holds`, given: [...held, there], ask: fencedBy(ask), answers },
    {
      name: `fence: ${name}, when it has passed on`,
      given: [...held, there, take("b"), release("a")],
      ask: fencedBy(ask),
      fails: "fenced",
      with: { path: "@/l", certainty: "noEffect", op: undefined },
      then: [
        [{ op: "exists", path: "@/w" }, { exists: false }],
        [
          { op: "get", path: "@/there" },
          { data: "0", stat: { version: 0, aversion: 0 } },
        ],
      ],
    },
  ]),
  {
    name: "fence: two, of which one holds",
    given: [...held, stand("b", "", { keep: "leads" }), resign("b")],
    ask: (scene) =>
      ({
        ...there,
        fenced: [
          { path: "@/l", token: tokenOf(scene) },
          { path: "@/e", token: tokenOf(scene, "leads") },
        ],
      }) as Ask,
    fails: "fenced",
    with: { path: "@/e" },
  },
  {
    name: "fence: the write's own failure is its own",
    given: held,
    ask: fencedBy({ op: "put", path: "@/x/y", data: "" }),
    fails: "noParent",
    with: { op: undefined },
  },
  {
    name: "fence: a txn's failure keeps its place",
    given: [...held, there],
    ask: fencedBy({
      op: "txn",
      check: [
        { path: "@/there", version: 0 },
        { path: "@/there", version: 7 },
      ],
      then: [there],
    }),
    fails: "badVersion",
    with: { op: { in: "check", index: 1 } },
  },
  {
    name: "fence: a failure in else keeps its place",
    given: [...held, there],
    ask: fencedBy({
      op: "txn",
      check: [{ path: "@/there", version: 7 }],
      then: [],
      else: [
        { op: "get", path: "@/there" },
        { op: "set", path: "@/none" },
      ],
    }),
    fails: "noNode",
    with: { op: { in: "else", index: 1 } },
  },
  {
    name: "fence: a key's repeat is answered when it has passed on",
    given: [...held, fencedBy({ op: "put", path: "@/w", data: "1", key: "k@" }), release("a")],
    ask: fencedBy({ op: "put", path: "@/w", data: "1", key: "k@" }),
    answers: { replayed: true, created: true },
  },
  {
    name: "fence: without it a key's request is another",
    given: [...held, fencedBy({ op: "put", path: "@/w", data: "1", key: "k@" })],
    ask: { op: "put", path: "@/w", data: "1", key: "k@" },
    fails: "keyReused",
  },
  {
    name: "fence: of a token that is none",
    given: held,
    ask: { ...there, fenced: [{ path: "@/l", token: "0x0000000000000000" }] } as Ask,
    fails: "badArguments",
  },
  {
    name: "fence: eleven",
    given: held,
    ask: (scene) => ({ ...there, fenced: Array(11).fill({ path: "@/l", token: tokenOf(scene) }) }) as Ask,
    fails: "badArguments",
  },
];

export const lockTable: readonly DoorCase[] = [...locks, ...elections, ...fences];
