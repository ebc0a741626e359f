/** Who may do what, and how lists of rights are read and written. */
import type { Asking, DoorCase } from "./door-runner.ts";

const auth = (perms: string) => [{ scheme: "auth", id: "", perms }] as const;
const world = (perms: string) => [{ scheme: "world", id: "anyone", perms }] as const;
/** sha1 of `ann:1`, in base64. */
const annsDigest = "ann:/z4T+iO8KvuCdw3Y3chpp6R6RTg=";
const mine = (perms = "cdrwa"): readonly Asking[] => [
  { op: "create", path: "@/mine", data: "1", acl: auth(perms), as: "ann:1" },
];

const rights: readonly DoorCase[] = [
  {
    name: "acl: its owner reads",
    given: mine(),
    ask: { op: "get", path: "@/mine", as: "ann:1" },
    answers: { data: "1" },
  },
  { name: "acl: nobody else does", given: mine(), ask: { op: "get", path: "@/mine", as: "bob:1" }, fails: "noAuth" },
  { name: "acl: nor without a name", given: mine(), ask: { op: "get", path: "@/mine" }, fails: "noAuth" },
  {
    name: "acl: nor with another password",
    given: mine(),
    ask: { op: "get", path: "@/mine", as: "ann:2" },
    fails: "noAuth",
  },
  {
    name: "acl: the super user does",
    given: mine(),
    ask: { op: "get", path: "@/mine", as: "super" },
    answers: { data: "1" },
  },
  {
    name: "acl: no write without w",
    given: mine("r"),
    ask: { op: "set", path: "@/mine", as: "ann:1" },
    fails: "noAuth",
    with: { path: "@/mine", certainty: "noEffect" },
  },
  { name: "acl: no put without w", given: mine("r"), ask: { op: "put", path: "@/mine", as: "ann:1" }, fails: "noAuth" },
  {
    name: "acl: a read without w",
    given: mine("r"),
    ask: { op: "get", path: "@/mine", as: "ann:1" },
    answers: { data: "1" },
  },
  {
    name: "acl: no read without r",
    given: mine("w"),
    ask: { op: "get", path: "@/mine", as: "ann:1" },
    fails: "noAuth",
  },
  {
    name: "acl: no children without r",
    given: mine("w"),
    ask: { op: "children", path: "@/mine", as: "ann:1" },
    fails: "noAuth",
  },
  {
    name: "acl: no child without c",
    given: mine("rwda"),
    ask: { op: "create", path: "@/mine/a", as: "ann:1" },
    fails: "noAuth",
  },
  {
    name: "acl: no sequence without c",
    given: mine("rwda"),
    ask: { op: "create", path: "@/mine/a-", sequential: true, as: "ann:1" },
    fails: "noAuth",
  },
  {
    name: "acl: no child is deleted without d of its parent",
    given: [...mine("rcwa"), { op: "create", path: "@/mine/a", as: "ann:1" }],
    ask: { op: "delete", path: "@/mine/a", as: "ann:1" },
    fails: "noAuth",
  },
  {
    name: "acl: d of the parent is enough",
    given: mine("r"),
    ask: { op: "delete", path: "@/mine" },
    answers: { deleted: 1 },
  },
  {
    name: "acl: no list is set without a",
    given: mine("cdrw"),
    ask: { op: "setAcl", path: "@/mine", acl: world("r"), as: "ann:1" },
    fails: "noAuth",
  },
  {
    name: "acl: no list is read without r or a",
    given: mine("w"),
    ask: { op: "getAcl", path: "@/mine", as: "bob:1" },
    fails: "noAuth",
  },
  {
    name: "acl: by address",
    given: [{ op: "create", path: "@/mine", acl: [{ scheme: "ip", id: "127.0.0.0/8", perms: "r" }] }],
    ask: { op: "get", path: "@/mine" },
    answers: { data: "" },
  },
  {
    name: "acl: by another address",
    given: [{ op: "create", path: "@/mine", acl: [{ scheme: "ip", id: "10.9.8.7", perms: "r" }] }],
    ask: { op: "get", path: "@/mine" },
    fails: "noAuth",
  },
  {
    name: "acl: several entries add up",
    given: [{ op: "create", path: "@/mine", acl: [...auth("w"), ...world("r")], as: "ann:1" }],
    ask: { op: "set", path: "@/mine", as: "ann:1" },
    answers: { stat: { version: 1 } },
  },
  {
    name: "acl: a txn is refused as a whole",
    given: mine("r"),
    ask: {
      op: "txn",
      then: [
        { op: "create", path: "@/a" },
        { op: "set", path: "@/mine" },
      ],
    },
    fails: "noAuth",
    with: { op: { in: "then", index: 1 } },
    then: [[{ op: "exists", path: "@/a" }, { exists: false }]],
  },
];

const lists: readonly DoorCase[] = [
  {
    name: "acl: auth is who sets it",
    given: mine("ra"),
    ask: { op: "getAcl", path: "@/mine", as: "ann:1" },
    answers: { acl: [{ scheme: "digest", id: annsDigest, perms: "ra" }], aversion: 0 },
  },
  {
    name: "acl: a digest is shown to who may set it",
    given: [{ op: "create", path: "@/mine", acl: [...auth("a"), ...world("r")], as: "ann:1" }],
    ask: { op: "getAcl", path: "@/mine", as: "ann:1" },
    answers: { acl: [{ id: annsDigest }, { id: "anyone" }] },
  },
  {
    name: "acl: a digest is masked for who may only read",
    given: [{ op: "create", path: "@/mine", acl: [...auth("a"), ...world("r")], as: "ann:1" }],
    ask: { op: "getAcl", path: "@/mine", as: "bob:1" },
    answers: { acl: [{ scheme: "digest", id: "ann:x" }, { id: "anyone" }] },
  },
  {
    name: "acl: set",
    given: mine(),
    ask: { op: "setAcl", path: "@/mine", acl: world("r"), as: "ann:1" },
    answers: { path: "@/mine", stat: { aversion: 1, version: 0 } },
    then: [[{ op: "get", path: "@/mine" }, { data: "1" }]],
  },
  { name: "acl: set where there is nothing", ask: { op: "setAcl", path: "@/x", acl: world("r") }, fails: "noNode" },
  { name: "acl: read where there is nothing", ask: { op: "getAcl", path: "@/x" }, fails: "noNode" },
  {
    name: "acl: set with its version",
    ask: { op: "setAcl", path: "@", acl: world("cdrwa"), aversion: 0 },
    answers: { stat: { aversion: 1 } },
  },
  {
    name: "acl: set with another version",
    ask: { op: "setAcl", path: "@", acl: world("cdrwa"), aversion: 4 },
    fails: "badVersion",
  },
  {
    name: "acl: set with its tag",
    given: [{ op: "create", path: "@/a", keep: "a" }],
    ask: (scene) => ({ op: "setAcl", path: "@/a", acl: world("r"), aversion: 0, czxid: scene.czxid("a") }),
    answers: { stat: { aversion: 1 } },
  },
  {
    name: "acl: set with the tag of a znode that was there before",
    given: [
      { op: "create", path: "@/a", keep: "a" },
      { op: "delete", path: "@/a" },
      { op: "create", path: "@/a" },
    ],
    ask: (scene) => ({ op: "setAcl", path: "@/a", acl: world("r"), aversion: 0, czxid: scene.czxid("a") }),
    fails: "badVersion",
  },
  { name: "acl: of nobody", ask: { op: "setAcl", path: "@", acl: [] }, fails: "invalidAcl" },
  { name: "acl: auth of nobody", ask: { op: "setAcl", path: "@", acl: auth("r") }, fails: "invalidAcl" },
  {
    name: "acl: a scheme that is none",
    ask: { op: "setAcl", path: "@", acl: [{ scheme: "sasl", id: "x", perms: "r" }] },
    fails: "invalidAcl",
  },
  {
    name: "acl: an address that is none",
    ask: { op: "create", path: "@/a", acl: [{ scheme: "ip", id: "300.1.1.1", perms: "r" }] },
    fails: "invalidAcl",
  },
  {
    name: "acl: a digest that is none",
    ask: { op: "create", path: "@/a", acl: [{ scheme: "digest", id: "ann", perms: "r" }] },
    fails: "invalidAcl",
  },
  { name: "acl: perms that are none", ask: { op: "setAcl", path: "@", acl: world("rx") }, fails: "badArguments" },
  {
    name: "acl: more entries than there may be",
    ask: {
      op: "setAcl",
      path: "@",
      acl: Array.from({ length: 101 }, (_, i) => ({ scheme: "ip", id: `10.0.0.${i}`, perms: "r" })),
    },
    fails: "badArguments",
  },
];

export const aclTable: readonly DoorCase[] = [...rights, ...lists];
