/** Random requests of every opcode, weighted so that most of them do something. */
import type { SeededRandom } from "../../simulation/random.ts";
import {
  createFlags,
  openAcl,
  type WireCreate,
  type WireMultiOperation,
  type WireRequest,
  wireOpcodes,
} from "../wire-records.ts";
import type { Knowledge } from "./knowledge.ts";
import { anyAcl, anyData, anyFlags, anyGoodPath, anyPath, anyVersion, newPath, users } from "./values.ts";

type Maker = (random: SeededRandom, known: Knowledge) => WireRequest;

/** Hours: none of these ends by itself while it is looked at. */
const longTtlMillis = 10_000_000n;

const makers: readonly (readonly [weight: number, make: Maker])[] = [
  [22, (random, known) => create(random, known)],
  [12, (random, known) => remove(random, known)],
  [13, (random, known) => setData(random, known)],
  [14, (random, known) => read("getData", random, known)],
  [11, (random, known) => read("exists", random, known)],
  [7, (random, known) => read("getChildren", random, known)],
  [8, (random, known) => read("getChildren2", random, known)],
  [2, (random, known) => ({ op: "getAcl", path: anyPath(random, known.paths) })],
  [3, (random, known) => setAcl(random, known)],
  [1, (random, known) => ({ op: "sync", path: random.chance(0.1) ? null : anyGoodPath(random, known.paths) })],
  [9, (random, known) => ({ op: "multi", operations: several(random, () => writeOfMulti(random, known)) })],
  [3, (random, known) => ({ op: "multiRead", operations: several(random, () => readOfMulti(random, known)) })],
  [4, (random, known) => addWatch(random, known)],
  [2, (random, known) => watchRequest("removeWatches", random, known)],
  [2, (random, known) => watchRequest("checkWatches", random, known)],
  [1, (random, known) => ({ op: "getEphemerals", prefix: anyPath(random, known.paths) })],
  [1, (random, known) => ({ op: "getAllChildrenNumber", path: anyPath(random, known.paths) })],
  [1, () => ({ op: "whoAmI" })],
];

/** Those that may end the connection, or are told out of order: never pipelined. */
const loneMakers: readonly (readonly [weight: number, make: Maker])[] = [
  [6, (random) => auth(random)],
  [2, () => ({ op: "ping" })],
  [2, (random, known) => timed(random, known)],
  [2, (random, known) => container(random, known)],
  [2, (random, known) => strange(random, known)],
];

export function anyRequest(random: SeededRandom, known: Knowledge): WireRequest {
  return weighted(random, makers)(random, known);
}

/** At most one operation in a multi: a real server judges each by the counts before it, and hard limits would be passed. */
export function withoutCompany(request: WireRequest): WireRequest {
  return request.op === "multi" ? { op: "multi", operations: request.operations.slice(0, 1) } : request;
}

export function anyLoneRequest(random: SeededRandom, known: Knowledge): WireRequest {
  return weighted(random, loneMakers)(random, known);
}

function weighted(random: SeededRandom, from: readonly (readonly [number, Maker])[]): Maker {
  let left = random.below(from.reduce((sum, [weight]) => sum + weight, 0));
  for (const [weight, make] of from) {
    left -= weight;
    if (left < 0) return make;
  }
  throw new Error("the weights are used up");
}

function create(random: SeededRandom, known: Knowledge): WireCreate {
  // Containers go by themselves: they have requests of their own.
  const flags = anyFlags(random);
  const isSequential = flags === createFlags.persistentSequential || flags === createFlags.ephemeralSequential;
  const chosen = random.chance(0.85) ? newPath(random, known.paths) : anyPath(random, known.paths);
  // Only a real server makes a name of `.` and a number (see the differences).
  const path = isSequential && /\/\.\.?$/.test(chosen ?? "") ? "/a/" : chosen;
  return {
    op: random.chance(0.6) ? "create" : "create2",
    path: isSequential && random.chance(0.2) ? `${path}/` : path,
    data: anyData(random),
    acl: anyAcl(random),
    flags,
  };
}

function container(random: SeededRandom, known: Knowledge): WireCreate {
  const flags = random.chance(0.9) ? createFlags.container : anyFlags(random);
  const op = random.pick(["create", "create2", "createContainer"] as const);
  return { op, path: newPath(random, known.paths), data: anyData(random), acl: openAcl, flags };
}

function timed(random: SeededRandom, known: Knowledge): WireCreate {
  const isTimed = random.chance(0.8);
  const flags = isTimed
    ? random.pick([createFlags.persistentTtl, createFlags.persistentSequentialTtl])
    : anyFlags(random);
  // A real server ends for good on a negative one behind other flags.
  const oddTtls = [0n, 1_099_511_627_775n, 1_099_511_627_776n, 1n << 62n, ...(isTimed ? [-1n] : [])];
  const ttl = random.chance(0.8) ? longTtlMillis : random.pick(oddTtls);
  return {
    op: "createTtl",
    path: newPath(random, known.paths),
    data: anyData(random),
    acl: anyAcl(random),
    flags,
    ttl,
  };
}

function remove(random: SeededRandom, known: Knowledge): WireRequest {
  const path = anyPath(random, known.paths);
  return { op: "delete", path, version: anyVersion(random, known.versionOf(path ?? "")) };
}

function setData(random: SeededRandom, known: Knowledge): WireRequest {
  const path = anyPath(random, known.paths);
  return { op: "setData", path, data: anyData(random), version: anyVersion(random, known.versionOf(path ?? "")) };
}

function setAcl(random: SeededRandom, known: Knowledge): WireRequest {
  const path = anyPath(random, known.paths);
  // The root's rights are everyone's: without them little else is seen.
  const acl = path === "/" || path?.startsWith("/zookeeper") ? openAcl : anyAcl(random);
  return { op: "setAcl", path, acl, version: anyVersion(random, undefined) };
}

function read(
  op: "exists" | "getData" | "getChildren" | "getChildren2",
  random: SeededRandom,
  known: Knowledge,
): WireRequest & WireMultiOperation {
  return { op, path: anyPath(random, known.paths), watch: random.chance(0.6) };
}

function several<T>(random: SeededRandom, make: () => T): T[] {
  return Array.from({ length: random.pick([0, 1, 1, 2, 2, 2, 3, 3, 4, 6]) }, make);
}

function writeOfMulti(random: SeededRandom, known: Knowledge): WireMultiOperation {
  const at = random.below(40);
  // Without a list of rights a real server reads no create in a multi (see the differences).
  if (at < 16) return withRights(create(random, known));
  const path = anyPath(random, known.paths);
  const version = anyVersion(random, known.versionOf(path ?? ""));
  if (at < 24) return { op: "setData", path, data: anyData(random), version };
  if (at < 30) return { op: "delete", path, version };
  if (at < 37) return { op: "check", path, version };
  if (at < 39 || random.chance(0.8)) return withRights(timed(random, known));
  return read(random.pick(["getData", "exists", "getChildren"]), random, known);
}

function withRights(request: WireCreate): WireCreate {
  return { ...request, acl: request.acl ?? openAcl };
}

function readOfMulti(random: SeededRandom, known: Knowledge): WireMultiOperation {
  const op = random.below(100) === 0 ? "exists" : random.pick(["getData", "getChildren"] as const);
  return { op, path: anyPath(random, known.paths), watch: false };
}

/** Never on what no znode can be called: only a real server takes such a watch (see the differences). */
function addWatch(random: SeededRandom, known: Knowledge): WireRequest {
  const path = random.chance(0.1)
    ? random.pick(["/", "/zookeeper", "/zookeeper/quota"])
    : anyGoodPath(random, known.paths);
  return { op: "addWatch", path, mode: anyMode(random) };
}

function anyMode(random: SeededRandom): number {
  return random.below(15) === 0 ? random.pick([-1, 2, 3]) : random.below(2);
}

function watchRequest(op: "removeWatches" | "checkWatches", random: SeededRandom, known: Knowledge): WireRequest {
  const type = random.below(15) === 0 ? random.pick([0, 6, -1]) : random.between(1, 5);
  return { op, path: anyPath(random, known.paths), type };
}

function auth(random: SeededRandom): WireRequest {
  const at = random.below(20);
  if (at < 13) return { op: "auth", scheme: "digest", auth: Buffer.from(random.pick(users)) };
  const others = [
    ["ip", "127.0.0.1"],
    ["ip", ""],
    ["world", "anyone"],
    ["digest", "no-colon"],
    ["digest", ""],
    ["digest", "a:b:c"],
    ["digest", "super:wrong"],
    ["x509", "x"],
    ["sasl", "x"],
    ["none", "x"],
    ["", ""],
    ["super", "super"],
    ["auth", ""],
  ] as const;
  const [scheme, text] = random.pick(others);
  return { op: "auth", scheme, auth: Buffer.from(text) };
}

/** What no client library sends in this way, as far as both take it in the same way (see the differences). */
function strange(random: SeededRandom, known: Knowledge): WireRequest {
  const path = anyPath(random, known.paths);
  const at = random.below(7);
  if (at === 0) return { op: "check", path, version: 0 };
  if (at === 1) return { op: "reconfig", joining: null, leaving: "9", newMembers: null, configId: -1n };
  if (at === 2)
    return { op: "raw", type: random.pick([10, 23, 77, 99, 108, 200, -3, -9, 1000]), body: Buffer.alloc(0) };
  if (at === 3) return { op: "raw", type: wireOpcodes.create, body: Buffer.from([0, 0, 0, 5, 47]) };
  if (at === 4) return { op: "raw", type: wireOpcodes.getData, body: Buffer.from([0, 0, 0, 5, 47]) };
  if (at === 5) return { op: "raw", type: wireOpcodes.multi, body: Buffer.from([0, 0, 0, 1, 0]) };
  return { op: "raw", type: wireOpcodes.getData, body: Buffer.from([0, 0, 0, 2, 47, 0xff, 0]) };
}
