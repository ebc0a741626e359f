/** The tree against a naive model: a plain map, rules written again as simply as can be. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  anyone,
  type DeleteOperation,
  type Outcome,
  openAcl,
  type Path,
  parentOf,
  type Stat,
  sequenceSuffix,
  type TxnOperation,
  type TxnOperationSet,
  type WriteOperation,
  type Zxid,
} from "@quorate/api";
import fc from "fast-check";
import { expand } from "./compact-data.ts";
import { Tree } from "./tree.ts";
import { bytesOf, TreeDriver } from "./tree-driver.test-support.ts";

interface Plain {
  data: string;
  isNull: boolean;
  czxid: number;
  mzxid: number;
  pzxid: number;
  ctime: number;
  mtime: number;
  version: number;
  aversion: number;
  created: number;
  deleted: number;
}
type Model = Map<string, Plain>;
class Refused extends Error {}

function fresh(data: string, zxid: number, time: number, isNull = false): Plain {
  const version = { version: 0, aversion: 0, created: 0, deleted: 0 };
  return { data, isNull, czxid: zxid, mzxid: zxid, pzxid: zxid, ctime: time, mtime: time, ...version };
}

/** What ZooKeeper's clients find in a tree in which nothing was done: the creations of its own znodes do not count. */
function emptyModel(): Model {
  return new Map([
    ["/", { ...fresh("", 0, 0), deleted: -1 }],
    ["/zookeeper", { ...fresh("", 0, 0), deleted: -2 }],
    ["/zookeeper/config", { ...fresh("", 0, 0), aversion: -1 }],
    ["/zookeeper/quota", fresh("", 0, 0)],
  ]);
}

const reserved = ["/", "/zookeeper", "/zookeeper/config", "/zookeeper/quota"];

function childrenOf(model: Model, path: string): string[] {
  return [...model.keys()].filter((each) => each !== "/" && parentOf(each as Path) === path);
}

function textOf(data: Uint8Array): string {
  return String.fromCharCode(...data);
}

function make(model: Model, path: string, node: Plain, parents: boolean): void {
  const parentPath = parentOf(path as Path);
  if (parentPath === undefined) throw new Refused("nodeExists");
  if (!model.has(parentPath)) {
    if (!parents) throw new Refused("noParent");
    make(model, parentPath, fresh("", node.czxid, node.ctime), true);
  }
  if (model.has(path)) throw new Refused("nodeExists");
  model.set(path, node);
  const parent = model.get(parentPath) as Plain;
  parent.created++;
  parent.pzxid = node.czxid;
}

function meets(node: Plain, condition: { mzxids?: readonly number[]; version?: number }): void {
  const { mzxids, version } = condition;
  if (mzxids && !mzxids.includes(node.mzxid)) throw new Refused("badVersion");
  if (version !== undefined && version !== -1 && version !== node.version) throw new Refused("badVersion");
}

function erase(model: Model, operation: DeleteOperation, zxid: number): void {
  const node = model.get(operation.path);
  if (reserved.includes(operation.path)) throw new Refused("badArguments");
  if (!node) throw new Refused("noNode");
  if (operation.condition.exists === false) throw new Refused("nodeExists");
  meets(node, operation.condition);
  if (childrenOf(model, operation.path).length > 0 && !operation.recursive) throw new Refused("notEmpty");
  const all = [...model.keys()].filter((each) => each === operation.path || each.startsWith(`${operation.path}/`));
  for (const each of all) model.delete(each);
  const parent = model.get(parentOf(operation.path) as string) as Plain;
  parent.deleted++;
  parent.pzxid = zxid;
}

function perform(model: Model, operation: WriteOperation | TxnOperation, zxid: number, time: number): void {
  switch (operation.kind) {
    case "create": {
      const parent = model.get(parentOf(operation.path) ?? "/");
      const path = operation.sequential ? operation.path + sequenceSuffix(parent?.created ?? 0) : operation.path;
      make(model, path, fresh(textOf(operation.data), zxid, time, operation.nullData), operation.parents);
      return;
    }
    case "put":
    case "set": {
      const { condition } = operation;
      const node = model.get(operation.path);
      if (!node && operation.kind === "set") throw new Refused("noNode");
      if (!node) {
        const strict = condition.exists || condition.mzxids || (condition.version ?? -1) !== -1;
        if (strict) throw new Refused("badVersion");
        const { parents } = operation as { parents: boolean };
        make(model, operation.path, fresh(textOf(operation.data), zxid, time), parents);
        return;
      }
      if (condition.exists === false) throw new Refused("nodeExists");
      meets(node, condition);
      const isNull = operation.kind === "set" && operation.nullData === true;
      const written = { data: textOf(operation.data), isNull, mzxid: zxid, mtime: time };
      Object.assign(node, { ...written, version: node.version + 1 });
      return;
    }
    case "delete":
      erase(model, operation, zxid);
      return;
    case "setAcl": {
      const node = model.get(operation.path);
      if (!node) throw new Refused("noNode");
      if (operation.aversion !== -1 && operation.aversion !== node.aversion) throw new Refused("badVersion");
      node.aversion++;
      return;
    }
    case "check": {
      const node = model.get(operation.path);
      if (!node && operation.exists === false) return;
      if (!node) throw new Refused("noNode");
      if (operation.exists === false) throw new Refused("nodeExists");
      meets(node, operation.version === undefined ? {} : { version: operation.version });
      return;
    }
    case "txn":
      for (const each of operation.then) perform(model, each, zxid, time);
      return;
    default:
  }
}

/** The code, or "ok"; all or nothing. */
function run(model: Model, operation: WriteOperation, zxid: number, time: number): string {
  const saved = [...model].map(([path, node]) => [path, { ...node }] as const);
  try {
    perform(model, operation, zxid, time);
    return "ok";
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    model.clear();
    for (const [path, node] of saved) model.set(path, node);
    return error.message;
  }
}

const plainPaths = ["/", "/a", "/b", "/a/x", "/a/y", "/a/x/1", "/a/x/2", "/b/deep/er"];
const paths = [...plainPaths, "/zookeeper", "/zookeeper/quota", "/zookeeper/a"] as Path[];
const path = fc.constantFrom(...paths);
/** Of a creation or a set, which may be ZooKeeper's null. */
const dataOrNull = <T extends { readonly data: Uint8Array }>(written: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc
    .tuple(written, fc.boolean())
    .map(([each, isNull]) => (isNull && each.data.length === 0 ? { ...each, nullData: true as const } : each));
const data = fc.string({ maxLength: 5, unit: fc.constantFrom("p", "q", "r") }).map(bytesOf);
const condition = fc.oneof(
  { weight: 3, arbitrary: fc.constant({}) },
  { weight: 1, arbitrary: fc.record({ exists: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ version: fc.integer({ min: -1, max: 3 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      mzxids: fc.array(fc.integer({ min: 2 ** 32 + 2, max: 2 ** 32 + 12 }).map((z) => z as Zxid)),
    }),
  },
);
const shape = { kind: "persistent", ttlMillis: 0 } as const;
const simple: fc.Arbitrary<TxnOperation & WriteOperation> = fc.oneof(
  dataOrNull(
    fc.record({
      kind: fc.constant("create" as const),
      path,
      data,
      shape: fc.constant(shape),
      sequential: fc.boolean(),
      parents: fc.boolean(),
    }),
  ).map((each) =>
    each.sequential && each.path !== "/" ? { ...each, path: `${each.path}-` as Path } : { ...each, sequential: false },
  ),
  fc.record({ kind: fc.constant("put" as const), path, data, parents: fc.boolean(), condition }),
  dataOrNull(fc.record({ kind: fc.constant("set" as const), path, data, condition })),
  fc.record({ kind: fc.constant("delete" as const), path, condition, recursive: fc.boolean() }),
  fc.record({
    kind: fc.constant("setAcl" as const),
    path,
    acl: fc.constantFrom(openAcl, [
      { scheme: "world", id: "anyone", perms: 31 },
      { scheme: "ip", id: "10.0.0.1", perms: 1 },
    ]),
    aversion: fc.integer({ min: -1, max: 1 }),
  }),
);
const check = fc.record({ kind: fc.constant("check" as const), path, exists: fc.boolean() });
const txn: fc.Arbitrary<TxnOperationSet> = fc.record({
  kind: fc.constant("txn" as const),
  check: fc.constant([]),
  then: fc.array(fc.oneof(simple, check), { maxLength: 5 }),
});
const operation: fc.Arbitrary<WriteOperation> = fc.oneof(
  { weight: 4, arbitrary: simple },
  { weight: 2, arbitrary: txn },
);

function compare(tree: Tree, model: Model): void {
  assert.equal(tree.znodeCount, model.size);
  const bytes = [...model].reduce((sum, [each, { data }]) => sum + each.length + Buffer.byteLength(data), 0);
  assert.equal(tree.bytes, bytes);
  for (const [each, node] of model) {
    const outcome = tree.read({ kind: "get", path: each as Path }, anyone);
    assert.ok(outcome.ok && outcome.result.kind === "data");
    const stat: Partial<Stat> = outcome.result.stat;
    assert.equal(textOf(outcome.result.data), node.data);
    assert.equal(outcome.result.nullData, node.isNull ? true : undefined);
    const { czxid, mzxid, pzxid, ctime, mtime, version, aversion } = node;
    const numChildren = childrenOf(model, each).length;
    const expected = {
      czxid,
      mzxid,
      pzxid,
      ctime,
      mtime,
      version,
      aversion,
      numChildren,
      cversion: node.created + node.deleted,
    };
    assert.deepEqual({ ...stat, ...expected }, stat, each);
    const list = tree.read({ kind: "children", path: each as Path, limit: 10_000, withData: false }, anyone);
    assert.ok(list.ok && list.result.kind === "children");
    const prefix = each === "/" ? "/" : `${each}/`;
    assert.deepEqual(
      list.result.children.map((child) => prefix + child.name),
      childrenOf(model, each).sort(),
    );
  }
}

function codeOf(outcome: Outcome): string {
  return outcome.ok ? "ok" : outcome.code;
}

test("the tree does what a naive model does, and its twin and its snapshot have its digest", () => {
  fc.assert(
    fc.property(fc.array(fc.array(operation, { minLength: 1, maxLength: 4 }), { maxLength: 15 }), (batches) => {
      const driver = new TreeDriver();
      const model = emptyModel();
      for (const operations of batches) {
        driver.stamp += 10;
        let zxid = driver.tree.applied as number;
        const codes = driver.writeAll(operations).map(codeOf);
        const expected = operations.map((each) => run(model, each, ++zxid, driver.stamp));
        assert.deepEqual(codes, expected);
      }
      compare(driver.tree, model);
      const twin = new Tree();
      for (const batch of driver.batches) twin.apply(batch);
      assert.equal(twin.digest(), driver.tree.digest());
      const cursor = driver.tree.snapshot();
      const loader = Tree.loader();
      for (let chunk = cursor.next(300); chunk !== undefined; chunk = cursor.next(300)) loader.push(chunk);
      assert.ok(cursor.digestMatches);
      const loaded = loader.finish();
      assert.ok(loaded instanceof Tree);
      assert.equal(loaded.digest(), driver.tree.digest());
      compare(loaded, model);
    }),
    { numRuns: 300 },
  );
});

test("data of any bytes comes back as it was", () => {
  const driver = new TreeDriver();
  for (const size of [0, 1, 255, 1024, 1025, 70_000]) {
    const bytes = Uint8Array.from({ length: size }, (_, at) => (at * 31) & 255);
    driver.done("node", { kind: "put", path: "/d" as Path, data: bytes, parents: false, condition: {} });
    const read = driver.tree.read({ kind: "get", path: "/d" as Path }, anyone);
    assert.ok(read.ok && read.result.kind === "data");
    assert.deepEqual(read.result.data, bytes);
    assert.deepEqual(expand(String.fromCharCode(...bytes.subarray(0, 10))), bytes.slice(0, 10));
  }
});
