/** Creating, replacing, deleting. */
import type { DoorCase } from "./door-runner.ts";

const open = [{ scheme: "world", id: "anyone", perms: "r" }] as const;
const text = (size: number): string => "x".repeat(size);

const creating: readonly DoorCase[] = [
  {
    name: "create: a znode with its stat",
    ask: { op: "create", path: "@/a", data: "one" },
    answers: {
      path: "@/a",
      stat: {
        version: 0,
        cversion: 0,
        aversion: 0,
        dataLength: 3,
        numChildren: 0,
        kind: "persistent",
        owner: undefined,
      },
    },
    check: ({ zxid, stat }) => {
      if (stat?.czxid !== zxid || stat.mzxid !== zxid || stat.pzxid !== zxid) throw new Error("made by its own zxid");
      if (stat.ctime !== stat.mtime) throw new Error("written when it was made");
    },
    then: [[{ op: "get", path: "@/a" }, { data: "one" }]],
  },
  { name: "create: without data", ask: { op: "create", path: "@/a" }, answers: { stat: { dataLength: 0 } } },
  {
    name: "create: bytes that are no text",
    ask: { op: "create", path: "@/a", data: "base64:wyj/AA==" },
    then: [
      [
        { op: "get", path: "@/a" },
        { data: "base64:wyj/AA==", stat: { dataLength: 4 } },
      ],
    ],
  },
  {
    name: "create: what is there",
    given: [{ op: "create", path: "@/a", data: "1" }],
    ask: { op: "create", path: "@/a", data: "2" },
    fails: "nodeExists",
    with: { path: "@/a", certainty: "noEffect" },
    then: [[{ op: "get", path: "@/a" }, { data: "1" }]],
  },
  { name: "create: without a parent", ask: { op: "create", path: "@/x/y" }, fails: "noParent" },
  {
    name: "create: with its parents",
    ask: { op: "create", path: "@/x/y/z", parents: true },
    then: [
      [
        { op: "get", path: "@/x/y" },
        { data: "", stat: { numChildren: 1, kind: "persistent" } },
      ],
    ],
  },
  {
    name: "create: the parent counts its children",
    given: [{ op: "create", path: "@/a", keep: "a" }],
    ask: { op: "get", path: "@" },
    answers: { stat: { numChildren: 1, cversion: 1, version: 0 } },
    check: ({ stat }, scene) => {
      if (stat?.pzxid !== scene.zxid("a")) throw new Error("its pzxid is the child's zxid");
    },
  },
  {
    name: "create: numbers of a sequence",
    given: [{ op: "create", path: "@/item-", sequential: true }],
    ask: { op: "create", path: "@/item-", sequential: true },
    answers: { path: "@/item-0000000001" },
  },
  {
    name: "create: a sequence without a prefix",
    ask: { op: "create", path: "@/", sequential: true },
    answers: { path: "@/0000000000" },
  },
  {
    name: "create: numbers are the parent's, and not given again",
    given: [
      { op: "create", path: "@/a-", sequential: true },
      { op: "delete", path: "@/a-0000000000" },
    ],
    ask: { op: "create", path: "@/b-", sequential: true },
    answers: { path: /^@\/b-000000000[1-9]$/ },
  },
  {
    name: "create: a container",
    ask: { op: "create", path: "@/c", kind: "container" },
    answers: { stat: { kind: "container" } },
  },
  {
    name: "create: with a ttl",
    ask: { op: "create", path: "@/t", ttlMillis: 90_500 },
    answers: { stat: { kind: "ttl", ttlMillis: 90_500 } },
  },
  { name: "create: a ttl of nothing", ask: { op: "create", path: "@/t", ttlMillis: 0 }, fails: "badArguments" },
  {
    name: "create: a ttl beyond the most",
    ask: { op: "create", path: "@/t", ttlMillis: 2_199_511_627_775 },
    fails: "badArguments",
  },
  {
    name: "create: an ephemeral of nobody",
    ask: { op: "create", path: "@/e", kind: "ephemeral" },
    fails: "badArguments",
  },
  {
    name: "create: with an ACL",
    ask: { op: "create", path: "@/a", acl: open },
    then: [
      [
        { op: "getAcl", path: "@/a" },
        { acl: open, aversion: 0 },
      ],
    ],
  },
  {
    name: "create: the largest data",
    ask: { op: "create", path: "@/a", data: text(1_048_575) },
    answers: { stat: { dataLength: 1_048_575 } },
  },
  { name: "create: data too large", ask: { op: "create", path: "@/a", data: text(1_048_576) }, fails: "tooLarge" },
  { name: "create: a path too long", ask: { op: "create", path: `@/${text(4096)}` }, fails: "badArguments" },
  { name: "create: a dot", ask: { op: "create", path: "@/." }, fails: "badArguments" },
  { name: "create: two dots", ask: { op: "create", path: "@/a/.." }, fails: "badArguments" },
  { name: "create: an empty segment", ask: { op: "create", path: "@//a" }, fails: "badArguments" },
  { name: "create: a slash at the end", ask: { op: "create", path: "@/a/" }, fails: "badArguments" },
  { name: "create: a control character", ask: { op: "create", path: "@/a\u0001" }, fails: "badArguments" },
  {
    name: "create: names of every sort",
    ask: { op: "create", path: "@/grüße 100% a+b?&#" },
    answers: { path: "@/grüße 100% a+b?&#" },
    then: [[{ op: "children", path: "@" }, { names: ["grüße 100% a+b?&#"] }]],
  },
  { name: "create: the root", ask: { op: "create", path: "/" }, fails: "nodeExists" },
];

const replacing: readonly DoorCase[] = [
  { name: "put: makes", ask: { op: "put", path: "@/a", data: "1" }, answers: { created: true, stat: { version: 0 } } },
  {
    name: "put: replaces",
    given: [{ op: "create", path: "@/a", data: "1", keep: "a" }],
    ask: { op: "put", path: "@/a", data: "22" },
    answers: { created: false, path: "@/a", stat: { version: 1, dataLength: 2 } },
    check: ({ stat, zxid }, scene) => {
      if (stat?.czxid !== scene.czxid("a") || stat.mzxid !== zxid) throw new Error("mzxid moves, czxid does not");
    },
  },
  { name: "put: without a parent", ask: { op: "put", path: "@/x/y" }, fails: "noParent" },
  { name: "put: with its parents", ask: { op: "put", path: "@/x/y", parents: true }, answers: { created: true } },
  {
    name: "put: parents that are there",
    given: [{ op: "create", path: "@/x" }],
    ask: { op: "put", path: "@/x/y", parents: true },
    answers: { created: true },
  },
  {
    name: "put: only what exists",
    ask: { op: "put", path: "@/a", condition: { exists: true } },
    fails: "badVersion",
  },
  {
    name: "put: only what does not",
    given: [{ op: "create", path: "@/a" }],
    ask: { op: "put", path: "@/a", condition: { exists: false } },
    fails: "nodeExists",
  },
  {
    name: "put: with the mzxid",
    given: [{ op: "create", path: "@/a", keep: "a" }],
    ask: (scene) => ({ op: "put", path: "@/a", data: "2", condition: { mzxids: [scene.mzxid("a")] } }),
    answers: { stat: { version: 1 } },
  },
  {
    name: "put: with an older mzxid",
    given: [
      { op: "create", path: "@/a", keep: "a" },
      { op: "put", path: "@/a", data: "1" },
    ],
    ask: (scene) => ({ op: "put", path: "@/a", data: "2", condition: { mzxids: [scene.mzxid("a")] } }),
    fails: "badVersion",
    with: { path: "@/a" },
    then: [[{ op: "get", path: "@/a" }, { data: "1" }]],
  },
  {
    name: "put: with one mzxid of several",
    given: [{ op: "create", path: "@/a", keep: "a" }],
    ask: (scene) => ({ op: "put", path: "@/a", condition: { mzxids: ["0x0000000000000001", scene.mzxid("a")] } }),
    answers: { created: false },
  },
  {
    name: "put: an mzxid of what is not there",
    ask: { op: "put", path: "@/a", condition: { mzxids: ["0x0000000000000001"] } },
    fails: "badVersion",
  },
  {
    name: "put: with the version",
    given: [{ op: "create", path: "@/a" }],
    ask: { op: "put", path: "@/a", condition: { version: 0 } },
    answers: { stat: { version: 1 } },
  },
  {
    name: "put: with another version",
    given: [{ op: "create", path: "@/a" }],
    ask: { op: "put", path: "@/a", condition: { version: 1 } },
    fails: "badVersion",
  },
  {
    name: "put: a ttl that is renewed",
    given: [{ op: "put", path: "@/t", ttlMillis: 60_000 }],
    ask: { op: "put", path: "@/t", ttlMillis: 90_000 },
    answers: { created: false, stat: { kind: "ttl", ttlMillis: 90_000, version: 1 } },
  },
  {
    name: "put: another kind than is there",
    given: [{ op: "create", path: "@/t" }],
    ask: { op: "put", path: "@/t", kind: "container" },
    fails: "nodeExists",
  },
  {
    name: "put: without a kind, on any",
    given: [{ op: "create", path: "@/t", kind: "container" }],
    ask: { op: "put", path: "@/t", data: "2" },
    answers: { stat: { kind: "container", version: 1 } },
  },
  {
    name: "put: an ACL on what is there",
    given: [{ op: "create", path: "@/t" }],
    ask: { op: "put", path: "@/t", acl: open },
    fails: "nodeExists",
  },
  { name: "put: data too large", ask: { op: "put", path: "@/a", data: text(1_048_576) }, fails: "tooLarge" },
  {
    name: "set: replaces",
    given: [{ op: "create", path: "@/a" }],
    ask: { op: "set", path: "@/a", data: "2" },
    answers: { path: "@/a", stat: { version: 1 } },
    then: [[{ op: "get", path: "@/a" }, { data: "2" }]],
  },
  { name: "set: what is not there", ask: { op: "set", path: "@/a" }, fails: "noNode", with: { path: "@/a" } },
  {
    name: "set: another version",
    given: [{ op: "create", path: "@/a" }],
    ask: { op: "set", path: "@/a", condition: { version: 3 } },
    fails: "badVersion",
  },
  {
    name: "set: version -1 is any",
    given: [{ op: "create", path: "@/a" }],
    ask: { op: "set", path: "@/a", condition: { version: -1 } },
    answers: { stat: { version: 1 } },
  },
  {
    name: "set: version and mzxid have to hold together",
    given: [{ op: "create", path: "@/a" }],
    ask: { op: "set", path: "@/a", condition: { version: 0, mzxids: ["0x0000000000000001"] } },
    fails: "badVersion",
  },
  {
    name: "set: the root has data too",
    ask: { op: "set", path: "/", data: "root" },
    answers: { path: "/" },
  },
];

const deleting: readonly DoorCase[] = [
  {
    name: "delete: a znode",
    given: [{ op: "create", path: "@/a" }],
    ask: { op: "delete", path: "@/a" },
    answers: { deleted: 1 },
    then: [[{ op: "exists", path: "@/a" }, { exists: false }]],
  },
  { name: "delete: what is not there", ask: { op: "delete", path: "@/a" }, fails: "noNode" },
  {
    name: "delete: what has children",
    given: [{ op: "create", path: "@/a/b", parents: true }],
    ask: { op: "delete", path: "@/a" },
    fails: "notEmpty",
    with: { path: "@/a" },
  },
  {
    name: "delete: with all below",
    given: [{ op: "create", path: "@/a/b/c", parents: true }],
    ask: { op: "delete", path: "@/a", recursive: true },
    answers: { deleted: 3 },
    then: [[{ op: "children", path: "@" }, { names: [] }]],
  },
  {
    name: "delete: recursive, of a leaf",
    given: [{ op: "create", path: "@/a" }],
    ask: { op: "delete", path: "@/a", recursive: true },
    answers: { deleted: 1 },
  },
  {
    name: "delete: with the mzxid",
    given: [{ op: "create", path: "@/a", keep: "a" }],
    ask: (scene) => ({ op: "delete", path: "@/a", condition: { mzxids: [scene.mzxid("a")] } }),
    answers: { deleted: 1 },
  },
  {
    name: "delete: with another mzxid",
    given: [{ op: "create", path: "@/a" }],
    ask: { op: "delete", path: "@/a", condition: { mzxids: ["0x0000000000000001"] } },
    fails: "badVersion",
  },
  {
    name: "delete: a condition on what is not there",
    ask: { op: "delete", path: "@/a", condition: { mzxids: ["0x0000000000000001"] } },
    fails: "noNode",
  },
  {
    name: "delete: with the version",
    given: [{ op: "create", path: "@/a" }],
    ask: { op: "delete", path: "@/a", condition: { version: 0 } },
    answers: { deleted: 1 },
  },
  {
    name: "delete: with another version",
    given: [{ op: "create", path: "@/a" }],
    ask: { op: "delete", path: "@/a", condition: { version: 1 } },
    fails: "badVersion",
  },
  { name: "delete: the root", ask: { op: "delete", path: "/" }, fails: "badArguments" },
  {
    name: "delete: made anew, it begins anew, but for its czxid",
    given: [
      { op: "create", path: "@/a", keep: "old" },
      { op: "set", path: "@/a", data: "1" },
      { op: "delete", path: "@/a" },
    ],
    ask: { op: "create", path: "@/a" },
    answers: { stat: { version: 0 } },
    check: ({ stat }, scene) => {
      if ((stat?.czxid ?? "") <= scene.czxid("old")) throw new Error("czxid rises");
    },
  },
];

export const writeTable: readonly DoorCase[] = [...creating, ...replacing, ...deleting];
