/** What every tree has of itself, and how a state made by older rules comes to it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { anyone, type Path, rootPath, type Stat } from "@quorate/api";
import fc from "fast-check";
import { rulesVersion } from "./limits.ts";
import { Tree } from "./tree.ts";
import {
  createOperation,
  deleteOperation,
  putOperation,
  setOperation,
  superUser,
  TreeDriver,
} from "./tree-driver.test-support.ts";

function statAt(tree: Tree, path: string): Stat {
  const outcome = tree.read({ kind: "exists", path: path as Path }, superUser);
  assert.ok(outcome.ok && outcome.result.kind === "stat", path);
  return outcome.result.stat;
}

function childrenOf(tree: Tree, path: string): string[] {
  const outcome = tree.read({ kind: "children", path: path as Path, limit: 100, withData: false }, superUser);
  assert.ok(outcome.ok && outcome.result.kind === "children", path);
  return outcome.result.children.map(({ name }) => name);
}

function aclOf(tree: Tree, path: string): string {
  const outcome = tree.read({ kind: "getAcl", path: path as Path }, anyone);
  assert.ok(outcome.ok && outcome.result.kind === "acl", path);
  return outcome.result.acl.map(({ scheme, id, perms }) => `${scheme}:${id}:${perms}`).join();
}

/** What a snapshot of it gives, read in pieces. */
function copyOf(tree: Tree): Tree {
  const cursor = tree.snapshot();
  const loader = Tree.loader();
  for (let chunk = cursor.next(300); chunk !== undefined; chunk = cursor.next(300)) loader.push(chunk);
  assert.ok(cursor.digestMatches);
  const copy = loader.finish();
  assert.ok(copy instanceof Tree, JSON.stringify(copy));
  assert.deepEqual([copy.digest(), copy.applied], [tree.digest(), tree.applied]);
  return copy;
}

test("a tree in which nothing was done is ZooKeeper's: its own znodes, and no creation counted", () => {
  for (const tree of [new Tree(), new TreeDriver().tree, copyOf(new TreeDriver().tree)]) {
    assert.deepEqual(childrenOf(tree, "/"), ["zookeeper"]);
    assert.deepEqual(childrenOf(tree, "/zookeeper"), ["config", "quota"]);
    const none = { czxid: 0, mzxid: 0, pzxid: 0, ctime: 0, mtime: 0, version: 0, ephemeralOwner: 0, dataLength: 0 };
    for (const [path, cversion, numChildren, aversion] of [
      ["/", -1, 1, 0],
      ["/zookeeper", -2, 2, 0],
      ["/zookeeper/quota", 0, 0, 0],
      ["/zookeeper/config", 0, 0, -1],
    ] as const) {
      const expected = { ...none, cversion, numChildren, aversion, kind: "persistent", ttlMillis: 0 };
      assert.deepEqual(statAt(tree, path), expected, path);
      assert.equal(aclOf(tree, path), path === "/zookeeper/config" ? "world:anyone:1" : "world:anyone:31");
    }
    assert.equal(tree.changes.size, 0);
  }
});

test("the first sequential child of the root has the number 0, and the root counts as ZooKeeper's does", () => {
  const driver = new TreeDriver();
  assert.equal(driver.done("node", createOperation("/", "", { sequential: true })).path, "/0000000000");
  assert.equal(driver.done("node", createOperation("/s", "", { sequential: true })).path, "/s0000000001");
  const { cversion, numChildren } = statAt(driver.tree, "/");
  assert.deepEqual([cversion, numChildren], [1, 3]);
});

test("nobody deletes them, one by one or all at once, nor writes the configuration; the rest of them is open", () => {
  const driver = new TreeDriver();
  driver.write(createOperation("/zookeeper/mine/deep", "", { parents: true }));
  for (const path of ["/", "/zookeeper", "/zookeeper/config", "/zookeeper/quota"]) {
    for (const recursive of [false, true]) {
      const before = driver.tree.znodeCount;
      const outcome = driver.write(deleteOperation(path, recursive), { identity: superUser });
      assert.ok(!outcome.ok && outcome.code === "badArguments" && outcome.detail.includes("cannot be deleted"), path);
      const txn = { kind: "txn", check: [], then: [createOperation("/x"), deleteOperation(path, recursive)] } as never;
      assert.equal(driver.code(txn, { identity: superUser }), "badArguments");
      assert.equal(driver.tree.znodeCount, before);
    }
  }
  assert.equal(driver.code(setOperation("/zookeeper/config", "x")), "noAuth");
  assert.equal(driver.code(createOperation("/zookeeper/config/x")), "noAuth");
  assert.equal(driver.code(setOperation("/zookeeper/config", "x"), { identity: superUser }), "ok");
  assert.equal(driver.code(setOperation("/zookeeper", "x")), "ok");
  assert.equal(driver.code(deleteOperation("/zookeeper/mine", true)), "ok");
});

/** As a program that knew rules version 1 alone made it. */
function driverOfVersion1(): TreeDriver {
  return new TreeDriver(new Tree(), 1);
}

test("while version 1 holds there are none of them, and what came with version 2 is malformed", () => {
  const driver = driverOfVersion1();
  const { tree } = driver;
  assert.deepEqual(childrenOf(tree, "/"), []);
  assert.deepEqual([tree.znodeCount, tree.rules], [1, 1]);
  driver.write(createOperation("/zookeeper/quota", "", { parents: true }));
  for (const operation of [
    createOperation("/a", "", { nullData: true }),
    { ...setOperation("/"), nullData: true },
    createOperation("/a", "", {
      shape: { kind: "persistent", ttlMillis: 0, acl: [{ scheme: "world", id: "anyone", perms: 0 }] },
    }),
    { kind: "txn", check: [], then: Array.from({ length: 1001 }, () => ({ kind: "get", path: rootPath })) },
    { kind: "txn", check: [], then: [{ kind: "children", path: rootPath, limit: 10_001, withData: false }] },
  ] as never[]) {
    const before = [tree.digest(), tree.lane(driver.gateway)?.lastSequence];
    const lane = { session: driver.gateway, attachment: 1, sequence: 2, answeredUpTo: 0 };
    const [applied] = driver.commit([{ lane, identity: anyone, operation }]);
    assert.ok(applied?.outcome !== "gap" && applied?.outcome.ok === false && applied.lane === undefined);
    assert.equal(applied.outcome.detail, "the command's bytes are malformed");
    assert.deepEqual(tree.lane(driver.gateway)?.lastSequence, before[1], "no lane goes on by it");
  }
  assert.equal(driver.code(putOperation("/zookeeper/quota/a/zookeeper_limits", "no limits", { parents: true })), "ok");
  assert.equal(driver.code(deleteOperation("/zookeeper", true)), "ok");
  copyOf(tree);
});

const before = fc.constantFrom(
  createOperation("/a", "12345"),
  createOperation("/a/b", "1"),
  putOperation("/zookeeper/quota/a/zookeeper_limits", "count=1,bytes=1", { parents: true }),
  putOperation("/zookeeper/quota/a/zookeeper_limits", "nonsense", { parents: true }),
  putOperation("/zookeeper/quota/a/zookeeper_stats", "", { parents: true }),
  putOperation("/zookeeper/quota", "mine", { parents: true }),
  createOperation("/zookeeper", "", { shape: { kind: "ephemeral", ttlMillis: 0 } }),
  createOperation("/zookeeper", "", { shape: { kind: "ttl", ttlMillis: 10 } }),
  createOperation("/zookeeper/config", "", { shape: { kind: "container", ttlMillis: 0 } }),
  deleteOperation("/zookeeper", true),
);

test("with the first batch of version 2 a state comes to what it lacks, on every replica alike", () => {
  fc.assert(
    fc.property(fc.array(before, { maxLength: 8 }), fc.nat(8), (operations, snapshotAt) => {
      const driver = driverOfVersion1();
      const acting = driver.openSession(3);
      let [behind, started] = [copyOf(driver.tree), driver.batches.length];
      for (const [at, operation] of operations.entries()) {
        if (at === snapshotAt) [behind, started] = [copyOf(driver.tree), driver.batches.length];
        driver.write(operation, { acting });
      }
      const created = statAt(driver.tree, "/").cversion + statAt(driver.tree, "/").numChildren;
      const hadIt = childrenOf(driver.tree, "/").includes("zookeeper");
      const { applied } = driver.tree;
      driver.rules = rulesVersion;
      driver.write(putOperation("/after"));
      assert.deepEqual(childrenOf(driver.tree, "/zookeeper"), ["config", "quota"]);
      assert.deepEqual(statAt(driver.tree, "/").cversion + statAt(driver.tree, "/").numChildren, created + 2);
      // Whoever watches the root is told, for they know of another state.
      const told = [...(driver.tree.changes.after(applied) as Iterable<{ path: string; zxid: number }>)];
      assert.equal(
        told.some(({ path, zxid }) => path === "/zookeeper" && zxid === applied + 1),
        !hadIt,
      );
      assert.equal(driver.code({ kind: "closeSession", session: acting.session }, { acting }), "ok");
      driver.stamp += 100_000;
      const candidates = driver.tree.sweepCandidates(driver.stamp, 10);
      assert.deepEqual(candidates, [], "no sweep and no end of a session takes them");
      assert.deepEqual(childrenOf(driver.tree, "/zookeeper"), ["config", "quota"]);
      const twin = new Tree();
      for (const batch of driver.batches) twin.apply(batch);
      for (const batch of driver.batches.slice(started)) behind.apply(batch);
      assert.deepEqual([twin.digest(), behind.digest()], [driver.tree.digest(), driver.tree.digest()]);
      copyOf(driver.tree);
    }),
    { numRuns: 200 },
  );
});
