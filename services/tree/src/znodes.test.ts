/** Rights, txns, deletion, limits and pages, at the tree's door. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  anyone,
  type ChildrenResult,
  type Identity,
  limits,
  type Path,
  permissions,
  type TxnOperation,
  type WriteOperation,
  type Zxid,
} from "@quorate/api";
import fc from "fast-check";
import { SortedNames } from "./sorted-names.ts";
import { Tree } from "./tree.ts";
import {
  createOperation,
  deleteOperation,
  digestIdentity,
  emptyTreeZnodes,
  putOperation,
  setOperation,
  superUser,
  TreeDriver,
} from "./tree-driver.test-support.ts";

const ann = digestIdentity("ann");
const bob = digestIdentity("bob");

function aclOf(who: Identity, perms: number): object {
  const entries = who.ids.map((each) => ({ ...each, perms }));
  return { shape: { kind: "persistent", ttlMillis: 0, acl: entries } };
}

test("each operation asks for its permission on the right znode, and says which is missing", () => {
  const driver = new TreeDriver();
  driver.done("node", createOperation("/p", "", aclOf(ann, permissions.create | permissions.read)));
  const refused = driver.write(createOperation("/p/c"), { identity: bob });
  assert.ok(
    !refused.ok && refused.code === "noAuth" && /CREATE.*\/p is missing/.test(refused.detail),
    JSON.stringify(refused),
  );
  driver.done("node", createOperation("/p/c", "", aclOf(bob, permissions.write)), { identity: ann });
  assert.equal(driver.code(setOperation("/p/c"), { identity: ann }), "noAuth");
  assert.equal(driver.code(setOperation("/p/c"), { identity: bob }), "ok");
  assert.equal(driver.code(deleteOperation("/p/c"), { identity: bob }), "noAuth");
  assert.equal(driver.code(deleteOperation("/p/none"), { identity: bob }), "noAuth", "rights come before existence");
  assert.equal(driver.code(deleteOperation("/p", true), { identity: bob }), "noAuth");
  assert.equal(driver.code(putOperation("/p/c", "", { condition: { exists: false } }), { identity: bob }), "noAuth");
  const read = (path: string, who: Identity): string => {
    const outcome = driver.tree.read({ kind: "get", path: path as Path }, who);
    return outcome.ok ? "ok" : outcome.code;
  };
  assert.deepEqual(
    [read("/p", ann), read("/p", bob), read("/p/c", bob), read("/p/c", superUser)],
    ["ok", "noAuth", "noAuth", "ok"],
  );
  assert.equal(driver.code(deleteOperation("/p", true), { identity: superUser }), "ok");
  // Number 1 is that of /zookeeper/config.
  assert.equal(driver.tree.acl(2)?.[0]?.id, ann.ids[0]?.id, "the ring's changes can still be judged");
});

test("ACLs: auth is the caller, bad ones are refused, hashes are masked without ADMIN", () => {
  const driver = new TreeDriver();
  const shape = (scheme: string, id: string): object => ({
    shape: { kind: "persistent", ttlMillis: 0, acl: [{ scheme, id, perms: 1 }] },
  });
  for (const [scheme, id] of [
    ["auth", ""],
    ["digest", "nohash"],
    ["world", "me"],
    ["ip", "10.0.0.0/33"],
    ["sasl", "x"],
  ] as const) {
    assert.equal(driver.code(createOperation("/bad", "", shape(scheme, id))), "invalidAcl", scheme);
  }
  assert.equal(
    driver.code(createOperation("/bad", "", { shape: { kind: "persistent", ttlMillis: 0, acl: [] } })),
    "invalidAcl",
  );
  driver.done("node", createOperation("/mine", "", shape("auth", "")), { identity: ann });
  const acl = (who: Identity): unknown => {
    const outcome = driver.tree.read({ kind: "getAcl", path: "/mine" as Path }, who);
    return outcome.ok && outcome.result.kind === "acl" ? outcome.result.acl : outcome.ok || outcome.code;
  };
  assert.deepEqual(acl(ann), [{ scheme: "digest", id: "ann:x", perms: 1 }]);
  assert.deepEqual(acl(superUser), [{ ...ann.ids[0], perms: 1 }]);
  assert.equal(acl(bob), "noAuth");
  const set = {
    kind: "setAcl",
    path: "/mine" as Path,
    acl: [{ scheme: "ip", id: "10.1.0.0/16", perms: 31 }],
    aversion: 0,
  } as const;
  assert.equal(driver.code(set, { identity: ann }), "noAuth");
  assert.equal(driver.done("acl", set, { identity: superUser }).stat.aversion, 1);
  const at = (address: string): Identity => ({ ids: [{ scheme: "ip", id: address }], superUser: false });
  assert.equal(driver.code(set, { identity: at("10.1.2.3") }), "badVersion");
  assert.equal(driver.code({ ...set, aversion: 1 }, { identity: at("10.2.2.3") }), "noAuth");
});

function txnOf(then: readonly WriteOperation[], more: object = {}): WriteOperation {
  return { kind: "txn", check: [], then: then as readonly TxnOperation[], ...more };
}

test("a txn sees its own writes, fails as a whole and names the operation", () => {
  const driver = new TreeDriver();
  const sequential = { sequential: true };
  const get = { kind: "get", path: "/q" as Path } as never;
  const done = driver.done(
    "txn",
    txnOf([
      createOperation("/q", "1"),
      createOperation("/q/i-", "", sequential),
      createOperation("/q/i-", "", sequential),
      setOperation("/q", "2"),
      get,
    ]),
  );
  assert.deepEqual(
    done.results.slice(1, 3).map((each) => (each.kind === "node" ? each.path : "")),
    ["/q/i-0000000000", "/q/i-0000000001"],
  );
  assert.ok(done.results[4]?.kind === "data" && done.results[4].data[0] === 50);
  const { tree } = driver;
  const count = tree.znodeCount;
  const failed = driver.write(
    txnOf([deleteOperation("/q", true), createOperation("/new", "", aclOf(ann, 31)), setOperation("/none")]),
  );
  assert.ok(!failed.ok && failed.code === "noNode");
  assert.deepEqual(failed.op, { in: "then", index: 2 });
  assert.equal(tree.znodeCount, count);
  const check = [{ path: "/q" as Path, version: 7 }];
  const guarded = driver.write(txnOf([], { check }));
  assert.ok(!guarded.ok && guarded.code === "badVersion");
  assert.deepEqual(guarded.op, { in: "check", index: 0 });
  assert.equal(driver.done("txn", txnOf([], { check, else: [get] })).branch, "else");
  assert.equal(
    driver.code(txnOf([{ kind: "children", path: "/q", limit: 1, withData: false, at: 1 } as never])),
    "badArguments",
  );
});

test("a txn that fails leaves the digest of the records as it was", () => {
  const driver = new TreeDriver();
  driver.writeAll([
    createOperation("/a/b/c", "x", { parents: true }),
    createOperation("/t", "", { shape: { kind: "ttl", ttlMillis: 9 } }),
  ]);
  const sums = new Set<string>();
  for (const then of [
    [],
    [
      deleteOperation("/a", true),
      createOperation("/a"),
      createOperation("/z", "", aclOf(ann, 31)),
      deleteOperation("/t"),
    ],
  ]) {
    const twin = new Tree();
    for (const batch of driver.batches) twin.apply(batch);
    const before = [...children(twin, "/").children];
    const lane = { session: driver.gateway, attachment: 1, sequence: 3, answeredUpTo: 0 };
    const apart = new TreeDriver();
    apart.writeAll([
      createOperation("/a/b/c", "x", { parents: true }),
      createOperation("/t", "", { shape: { kind: "ttl", ttlMillis: 9 } }),
    ]);
    const fail = { kind: "delete", path: "/" as Path, condition: {}, recursive: false } as const;
    // The index of the failing operation is part of the outcome: keep it equal.
    const padded = [
      ...then,
      ...Array.from({ length: 4 - then.length }, () => ({ kind: "exists", path: "/" as Path }) as never),
      fail,
    ];
    apart.commit([{ lane, identity: anyone, operation: txnOf(padded) }]);
    sums.add(apart.tree.digest());
    assert.deepEqual(children(apart.tree, "/").children, before);
    assert.equal(apart.tree.sweepCandidates(1e12, 10).length, 1);
  }
  assert.equal(sums.size, 1);
});

function children(tree: Tree, path: string, more: object = {}): ChildrenResult {
  const outcome = tree.read({ kind: "children", path: path as Path, limit: 10_000, withData: false, ...more }, anyone);
  assert.ok(outcome.ok && outcome.result.kind === "children", JSON.stringify(outcome));
  return outcome.result;
}

test("pages of children have the names of the first page's zxid, whatever changes between", () => {
  const step = fc.tuple(fc.integer({ min: 0, max: 15 }), fc.boolean());
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.integer({ min: 0, max: 15 })),
      fc.array(fc.array(step, { maxLength: 4 }), { minLength: 1, maxLength: 12 }),
      fc.integer({ min: 1, max: 4 }),
      (start, steps, limit) => {
        const driver = new TreeDriver();
        driver.writeAll([
          createOperation("/d"),
          ...start.map((each) => createOperation(`/d/${each}`)),
          createOperation("/d/0/below"),
        ]);
        const expected = children(driver.tree, "/d").children.map((each) => each.name);
        const names: string[] = [];
        let page = children(driver.tree, "/d", { limit });
        for (let i = 0; ; i++) {
          names.push(...page.children.map((each) => each.name));
          if (!page.more) break;
          const operations = (steps[i % steps.length] ?? []).map(([each, make]) =>
            make ? createOperation(`/d/${each}`) : deleteOperation(`/d/${each}`, true),
          );
          if (operations.length > 0) driver.writeAll(operations);
          page = children(driver.tree, "/d", { limit, after: names.at(-1), at: page.at, withData: true });
        }
        assert.deepEqual(names, expected);
      },
    ),
    { numRuns: 200 },
  );
});

test("a page is too old once the ring has lost what came since, and may not be of the future", () => {
  const driver = new TreeDriver(new Tree({ ringBytes: 1000 }));
  driver.writeAll([createOperation("/d"), createOperation("/d/a"), createOperation("/d/b")]);
  const at = driver.tree.applied;
  for (let i = 0; i < 10; i++) driver.write(createOperation(`/d/c${i}`));
  const read = (zxid: number): string => {
    const outcome = driver.tree.read(
      { kind: "children", path: "/d" as Path, limit: 5, withData: false, at: zxid as Zxid },
      anyone,
    );
    return outcome.ok ? "ok" : outcome.code;
  };
  assert.deepEqual(
    [read(at), read(driver.tree.applied), read(driver.tree.applied + 1)],
    ["pageTooOld", "ok", "behind"],
  );
  assert.equal(driver.tree.changes.after(at), "tooOld");
});

test("a page with data ends before it is too large", () => {
  const driver = new TreeDriver();
  driver.write(createOperation("/d"));
  for (let i = 0; i < 4; i++) driver.done("node", createOperation(`/d/${i}`, "x".repeat(limits.dataBytes)));
  const page = children(driver.tree, "/d", { withData: true });
  assert.equal(page.children.length, 2);
  assert.equal(page.more, true);
  const reads = Array.from({ length: 4 }, (_, i) => ({ kind: "get", path: `/d/${i}` }) as never);
  assert.equal(driver.code(txnOf(reads)), "tooLarge");
  const key = { key: "k", requestHash: new Uint8Array(16) };
  assert.equal(driver.code(txnOf([reads[0] as never]), { key }), "tooLarge");
});

test("limits: znodes of a transaction, ephemerals of a session, the path behind a sequence number", () => {
  const driver = new TreeDriver();
  const acting = driver.openSession(1);
  driver.write(createOperation("/d"));
  const shape = { kind: "ephemeral", ttlMillis: 0 };
  for (let at = 0; at < limits.sessionEphemerals; at += 1000) {
    driver.writeAll(
      Array.from({ length: 1000 }, (_, i) => createOperation(`/d/${at + i}`, "", { shape })),
      { acting },
    );
  }
  assert.equal(driver.code(createOperation("/d/more", "", { shape }), { acting }), "quotaExceeded");
  assert.equal(driver.code(deleteOperation("/d", true)), "tooLarge");
  assert.equal(driver.tree.znodeCount, emptyTreeZnodes + limits.sessionEphemerals + 1);
  driver.done("deleted", deleteOperation("/d/0"));
  assert.equal(driver.done("deleted", deleteOperation("/d", true)).count, limits.txnZnodes);
  assert.equal(
    driver.code(createOperation(`/${"x".repeat(limits.pathBytes - 5)}`, "", { sequential: true })),
    "badArguments",
  );
  assert.equal(driver.code(deleteOperation("/")), "badArguments");
});

test("sorted names are what a sorted array is", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 3000 }), fc.boolean()), { maxLength: 3000, minLength: 500 }),
      fc.integer({ min: 0, max: 3000 }),
      (steps, from) => {
        const names = new SortedNames();
        const plain = new Set<string>();
        for (const [number, add] of steps) {
          const name = `n${number}`;
          if (add && !plain.has(name)) names.insert(name);
          if (!add && plain.has(name)) names.remove(name);
          if (add) plain.add(name);
          else plain.delete(name);
        }
        const sorted = [...plain].sort();
        assert.deepEqual([...names.after(undefined)], sorted);
        assert.deepEqual(
          [...names.after(`n${from}`)],
          sorted.filter((each) => each > `n${from}`),
        );
        assert.equal(names.size, sorted.length);
      },
    ),
    { numRuns: 30 },
  );
  const ascending = new SortedNames();
  for (let i = 0; i < 2000; i++) ascending.insert(String(i).padStart(5, "0"));
  assert.equal([...ascending.after("01998")].length, 1);
});
