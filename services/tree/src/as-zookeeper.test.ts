/** What ZooKeeper's clients take for granted: which of two faults is told, what a multi sees, how numbers go round. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Acl,
  anyone,
  type Identity,
  limits,
  type Outcome,
  type Path,
  rootPath,
  type TxnOperation,
  type WriteOperation,
  type Zxid,
} from "@quorate/api";
import { memoryLimits } from "./limits.ts";
import { State } from "./state.ts";
import { Tree } from "./tree.ts";
import {
  createOperation,
  deleteOperation,
  digestIdentity,
  type Extra,
  putOperation,
  setOperation,
  superUser,
  TreeDriver,
} from "./tree-driver.test-support.ts";
import { Family, nextVersion } from "./znode.ts";

const ann = digestIdentity("ann");
const bob = digestIdentity("bob");

const own = (perms: number): Acl => [{ scheme: "digest", id: "ann:hash-of-ann", perms }];
const withAcl = (acl: Acl): object => ({ shape: { kind: "persistent", ttlMillis: 0, acl } });
const setAcl = (path: string, acl: Acl, aversion = -1): WriteOperation => ({
  kind: "setAcl",
  path: path as Path,
  acl,
  aversion,
});
const txn = (...then: (WriteOperation | TxnOperation)[]): WriteOperation => ({
  kind: "txn",
  check: [],
  then: then as never,
});
const check = (path: string, version = -1): TxnOperation => ({ kind: "check", path: path as Path, version });
const ephemeral = { shape: { kind: "ephemeral", ttlMillis: 0 } };

/** /closed gives bob nothing, /closed/child everything; /full has a child and bears version 1; /e is ephemeral. */
function scene(): { driver: TreeDriver; asBob: Extra } {
  const driver = new TreeDriver();
  const acting = driver.openSession(3);
  const all = driver.writeAll(
    [
      createOperation("/closed", "", withAcl(own(31))),
      createOperation("/closed/child"),
      createOperation("/full"),
      createOperation("/full/child"),
      setOperation("/full", "x"),
      createOperation("/e", "", ephemeral),
      putOperation("/zookeeper/quota/full/zookeeper_limits", "byteHardLimit=1;countHardLimit=2", { parents: true }),
    ],
    { identity: ann, acting },
  );
  assert.ok(all.every(({ ok }) => ok));
  return { driver, asBob: { identity: bob, acting } };
}

test("of two faults the one is told that ZooKeeper tells", () => {
  const { driver, asBob } = scene();
  for (const [operation, code] of [
    [createOperation("/none/x", "", withAcl([])), "invalidAcl"],
    [createOperation("/none/x"), "noParent"],
    [createOperation("/closed/child"), "noAuth"],
    [createOperation("/closed/x"), "noAuth"],
    [createOperation("/closed/x-", "", { sequential: true }), "noAuth"],
    [createOperation("/full/child"), "nodeExists"],
    [createOperation("/e/x"), "noChildrenForEphemerals"],
    [createOperation("/full/x"), "quotaExceeded"],
    [createOperation("/full/x-", "", { sequential: true, ...ephemeral }), "quotaExceeded"],
    [createOperation("/"), "nodeExists"],
    [deleteOperation("/none/x"), "noNode"],
    [deleteOperation("/closed/none"), "noAuth"],
    [deleteOperation("/closed/child", false, { version: 7 }), "noAuth"],
    [deleteOperation("/none"), "noNode"],
    [deleteOperation("/full", false, { version: 7 }), "badVersion"],
    [deleteOperation("/full", false, { version: 1 }), "notEmpty"],
    [deleteOperation("/full"), "notEmpty"],
    [deleteOperation("/", false, { version: 7 }), "badArguments"],
    [setOperation("/none", "", { version: 7 }), "noNode"],
    [setOperation("/closed", "", { version: 7 }), "noAuth"],
    [setOperation("/full", "xxx", { version: 7 }), "quotaExceeded"],
    [setOperation("/full", "", { version: 7 }), "badVersion"],
    [setOperation("/full", "", { version: -2 }), "badVersion"],
    [setAcl("/none", []), "invalidAcl"],
    [setAcl("/closed", [{ scheme: "sasl", id: "x", perms: 1 }]), "invalidAcl"],
    [setAcl("/none", own(1)), "noNode"],
    [setAcl("/closed", own(1), 7), "noAuth"],
    [setAcl("/full", own(1), 7), "badVersion"],
    [txn(check("/none")), "noNode"],
    [txn(check("/closed", 7)), "noAuth"],
    [txn(check("/full", 7)), "badVersion"],
    [txn(check("/closed/child")), "ok"],
  ] as const) {
    const before = driver.tree.znodeCount;
    assert.equal(driver.code(operation, asBob), code, JSON.stringify(operation));
    assert.equal(driver.tree.znodeCount, before);
  }
  driver.done("acl", setAcl("/", own(31)), { identity: ann });
  assert.equal(driver.code(createOperation("/"), asBob), "noAuth");
  const read = (kind: "exists" | "get" | "getAcl", path: string): string => {
    const outcome = driver.tree.read({ kind, path: path as Path }, bob);
    return outcome.ok ? "ok" : outcome.code;
  };
  for (const kind of ["exists", "get", "getAcl"] as const) {
    assert.deepEqual(
      ["/closed", "/closed/none", "/closed/child"].map((path) => read(kind, path)),
      ["noAuth", "noNode", "ok"],
    );
  }
});

function listAt(driver: TreeDriver, path: string, identity: Identity = superUser): Acl {
  const outcome = driver.tree.read({ kind: "getAcl", path: path as Path }, identity);
  assert.ok(outcome.ok && outcome.result.kind === "acl");
  return outcome.result.acl;
}

test("a list is stored as ZooKeeper stores it: what is given twice once, and auth beside what it stands for", () => {
  const driver = new TreeDriver();
  const both: Identity = { ids: [...ann.ids, ...bob.ids, { scheme: "ip", id: "10.0.0.1" }], superUser: false };
  const [hers, his] = [own(31)[0], { scheme: "digest", id: "bob:hash-of-bob", perms: 31 }];
  const auth = { scheme: "auth", id: "whatever", perms: 31 };
  driver.done("node", createOperation("/a", "", withAcl([auth, ...own(31), ...own(31), auth, ...own(1)])), {
    identity: both,
  });
  assert.deepEqual(listAt(driver, "/a"), [hers, his, hers, ...own(1)]);
  for (const [id, good] of [
    [":hash", true],
    ["ann:hash:", true],
    ["ann:", false],
    ["ann", false],
    ["a:b:c", false],
    [":", false],
  ] as const) {
    const code = driver.code(setAcl("/b", [{ scheme: "digest", id, perms: 1 }]));
    assert.equal(code, good ? "noNode" : "invalidAcl", id);
  }
  driver.done("node", createOperation("/nobody", "", withAcl([{ scheme: "world", id: "anyone", perms: 0 }])));
  assert.equal(driver.code(setOperation("/nobody", "x"), { identity: both }), "noAuth");
  assert.equal(driver.code(setOperation("/nobody", "x"), { identity: superUser }), "ok");
  driver.done("node", createOperation("/read", "", withAcl([{ ...auth, perms: 1 }])), { identity: both });
  assert.deepEqual(
    listAt(driver, "/read", bob).map(({ id }) => id),
    ["ann:x", "bob:x"],
  );
});

test("a multi is judged by what its operations before have done, and leaves nothing of itself when one fails", () => {
  const driver = new TreeDriver();
  driver.done("node", createOperation("/q"));
  const next = createOperation("/q/n-", "", { sequential: true });
  const done = driver.done(
    "txn",
    txn(
      next,
      next,
      createOperation("/q/x", "1"),
      check("/q/x", 0),
      setOperation("/q/x", "2", { version: 0 }),
      check("/q/x", 1),
      deleteOperation("/q/x", false, { version: 1 }),
      createOperation("/q/x", "3"),
      check("/q/x", 0),
      deleteOperation("/q/n-0000000000"),
      next,
    ),
  );
  const { tree } = driver;
  const names = (): string[] => {
    const outcome = tree.read({ kind: "children", path: "/q" as Path, limit: 100, withData: false }, anyone);
    assert.ok(outcome.ok && outcome.result.kind === "children");
    return outcome.result.children.map(({ name }) => name);
  };
  assert.deepEqual(names(), ["n-0000000001", "n-0000000004", "x"]);
  // Each tells of the znode as it was when its turn came, all at the one zxid.
  const made = done.results.map((each) => (each.kind === "node" ? [each.stat.version, each.stat.mzxid] : []));
  const at = tree.applied;
  assert.deepEqual(
    [made[2], made[4], made[7]],
    [
      [0, at],
      [1, at],
      [0, at],
    ],
  );
  const failed = driver.write(txn(next, createOperation("/q/y"), deleteOperation("/q/x"), check("/q/x"), next));
  assert.ok(!failed.ok && failed.code === "noNode" && failed.op?.index === 3);
  assert.deepEqual(names(), ["n-0000000001", "n-0000000004", "x"]);
  assert.equal(driver.done("node", next).path, "/q/n-0000000005");
  assert.deepEqual(driver.done("txn", txn()).results, []);
});

test("a multi has as many operations as a frame may hold", () => {
  const driver = new TreeDriver();
  const many = Array.from({ length: limits.multiOperations }, (_, i) => createOperation(`/${i}`));
  assert.equal(driver.done("txn", txn(...many)).results.length, limits.multiOperations);
  assert.equal(driver.code(txn(...many, createOperation("/more"))), "badArguments");
});

test("sequence numbers and versions go round as int32 does, and no version is -1", () => {
  const state = new State(memoryLimits.ringBytes);
  const root = state.znodes.get(rootPath);
  assert.ok(root?.family !== undefined);
  const { pzxidHigh, pzxidLow, count, index } = root.family;
  state.znodes.table.replace(root, root.withFamily(new Family(pzxidHigh, pzxidLow, 2 ** 31 - 1, count, index)));
  const driver = new TreeDriver(new Tree({}, state));
  const next = createOperation("/n", "", { sequential: true });
  const paths = [next, next].map((each) => driver.done("node", each).path);
  assert.deepEqual(paths, ["/n2147483647", "/n-2147483648"]);
  assert.deepEqual([0, 2 ** 31 - 1, -3, -2].map(nextVersion), [1, -(2 ** 31), -2, 0]);
});

function children(tree: Tree, more: object = {}): Extract<Outcome, { ok: true }>["result"] & { kind: "children" } {
  const asked = { kind: "children", path: "/d" as Path, limit: limits.listedNames, withData: false, ...more } as const;
  const outcome = tree.read(asked, anyone);
  assert.ok(outcome.ok && outcome.result.kind === "children");
  return outcome.result;
}

function manyChildren(names: readonly string[]): TreeDriver {
  const driver = new TreeDriver();
  driver.done("node", createOperation("/d"));
  for (let at = 0; at < names.length; at += 5000) {
    driver.done("txn", txn(...names.slice(at, at + 5000).map((name) => createOperation(`/d/${name}`))));
  }
  return driver;
}

test("all names of a large directory are one answer, as long as one reply of ZooKeeper's can hold them", () => {
  const names = Array.from({ length: 50_000 }, (_, i) => `node-${String(i).padStart(10, "0")}`);
  const driver = manyChildren(names);
  const { children: all, more, at, stat } = children(driver.tree);
  assert.deepEqual([all.map(({ name }) => name), more, stat.numChildren], [names, false, names.length]);
  const some = children(driver.tree, { limit: 20_000 });
  assert.deepEqual([some.children.length, some.more], [20_000, true]);
  driver.done("deleted", deleteOperation(`/d/${names[7]}`));
  driver.done("node", createOperation("/d/new"));
  const rest = children(driver.tree, { after: names[4], at });
  assert.deepEqual(
    rest.children.map(({ name }) => name),
    names.slice(5),
  );
  const reads = {
    kind: "txn",
    check: [],
    then: [0, 1].map(() => ({ kind: "children", path: "/d", limit: 1_000_000, withData: false })),
  };
  const outcome = driver.tree.read(reads as never, anyone);
  assert.ok(outcome.ok && outcome.result.kind === "txn");
  assert.deepEqual(
    outcome.result.results.map((each) => each.kind === "children" && each.children.length),
    [50_000, 50_000],
  );
});

test("what is larger than a reply of ZooKeeper's is said to be more, in bytes of UTF-8", () => {
  const driver = manyChildren(
    Array.from({ length: 4000 }, (_, i) => `${String(i).padStart(4, "0")}${"é".repeat(128)}`),
  );
  const { children: some, more } = children(driver.tree);
  const each = 4 + 4 + 2 * 128;
  assert.deepEqual([some.length, more], [Math.floor(limits.listedBytes / each), true]);
  const page = children(driver.tree, { limit: limits.pageNames });
  assert.deepEqual([page.children.length, page.more], [4000, false], "pages have their own bounds");
});

test("null data comes back as null, alone and in a txn, and any write without it clears it", () => {
  const driver = new TreeDriver();
  const get: TxnOperation = { kind: "get", path: "/n" as Path };
  const isNull = (): unknown => {
    const outcome = driver.tree.read(get as never, anyone);
    assert.ok(outcome.ok && outcome.result.kind === "data" && outcome.result.data.length === 0);
    assert.equal(outcome.result.stat.dataLength, 0);
    return outcome.result.nullData ?? false;
  };
  driver.done("node", createOperation("/n", "", { nullData: true }));
  const digest = driver.tree.digest();
  assert.equal(isNull(), true);
  for (const [write, expected] of [
    [setOperation("/n"), false],
    [{ ...setOperation("/n"), nullData: true }, true],
    [putOperation("/n"), false],
    [txn({ ...setOperation("/n"), nullData: true } as never), true],
  ] as const) {
    assert.equal(driver.code(write as WriteOperation), "ok");
    assert.equal(isNull(), expected);
  }
  const { results } = driver.done("txn", txn(get));
  assert.ok(results[0]?.kind === "data" && results[0].nullData);
  const page = children(driver.tree, { path: "/", withData: true, limit: 10 });
  assert.equal(page.children.find(({ name }) => name === "n")?.data?.length, 0);
  const plain = new TreeDriver();
  plain.done("node", createOperation("/n"));
  assert.notEqual(plain.tree.digest(), digest, "a replica that had lost the null would be found");
  assert.equal(driver.tree.read({ kind: "exists", path: "/n" as Path }, anyone).zxid, driver.tree.applied as Zxid);
});
