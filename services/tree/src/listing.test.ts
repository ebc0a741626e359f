import assert from "node:assert/strict";
import { test } from "node:test";
import { anyone, type Identity, type Path, permissions, rootPath, type TreeEntry } from "@quorate/api";
import fc from "fast-check";
import type { Listing } from "./listing.ts";
import { isBehind } from "./listing.ts";
import {
  bytesOf,
  createOperation,
  deleteOperation,
  digestIdentity,
  putOperation,
  TreeDriver,
} from "./tree-driver.test-support.ts";

/** Every tree has them. */
const zookeeper = ["/zookeeper", "/zookeeper/config", "/zookeeper/quota"];
const alice = digestIdentity("alice");
const alicesOwn = [{ scheme: "digest", id: "alice:hash-of-alice", perms: permissions.all }];

function open(driver: TreeDriver, path: string, more: { depth?: number; identity?: Identity } = {}): Listing {
  const { identity = anyone, ...request } = more;
  const listing = driver.tree.list({ path: path as Path, withData: true, ...request }, identity);
  assert.ok(!("ok" in listing), "the listing opens");
  return listing;
}

/** All pages, `between` them whatever is given. */
function drain(listing: Listing, count = 3, between: () => void = () => undefined): TreeEntry[] {
  const entries: TreeEntry[] = [];
  for (;;) {
    const page = listing.next(count, 1_000_000);
    entries.push(...page.entries);
    if (!page.more) return entries;
    between();
  }
}

const paths = (entries: readonly TreeEntry[]): string[] => entries.map((each) => each.path);

/** What a reader sees who asks znode by znode. */
function naive(driver: TreeDriver, path: Path, identity: Identity, depth: number): TreeEntry[] {
  const here = driver.tree.read({ kind: "get", path }, identity);
  const entries: TreeEntry[] = [];
  if (here.ok && here.result.kind === "data") entries.push({ path, stat: here.result.stat, data: here.result.data });
  const all = driver.tree.read({ kind: "children", path, limit: 1000, withData: false }, { ids: [], superUser: true });
  if (depth === 0 || !all.ok || all.result.kind !== "children") return entries;
  for (const { name } of all.result.children) {
    entries.push(...naive(driver, `${path === "/" ? "" : path}/${name}` as Path, identity, depth - 1));
  }
  return entries;
}

test("parents before children, names by their bytes, whatever stands around the slash", () => {
  const driver = new TreeDriver();
  for (const path of ["/a", "/a/b", "/a/b/c", "/a-b", "/a.b", "/a/a", "/a0", "/é", "/z"])
    driver.write(createOperation(path));
  const expected = ["/", "/a", "/a/a", "/a/b", "/a/b/c", "/a-b", "/a.b", "/a0", "/z", ...zookeeper, "/é"];
  assert.deepEqual(paths(drain(open(driver, "/"))), expected);
  assert.deepEqual(paths(drain(open(driver, "/"), 1)), expected);
  assert.deepEqual(paths(drain(open(driver, "/a"))), ["/a", "/a/a", "/a/b", "/a/b/c"]);
  assert.deepEqual(paths(drain(open(driver, "/a", { depth: 1 }))), ["/a", "/a/a", "/a/b"]);
  assert.deepEqual(paths(drain(open(driver, "/a", { depth: 0 }))), ["/a"]);
  for (const [i, x] of expected.entries()) {
    for (const [j, y] of expected.entries()) assert.equal(isBehind(x, y), i > j, `${x} behind ${y}`);
  }
});

test("what is absent, and what may not be read", () => {
  const driver = new TreeDriver();
  const shape = { kind: "persistent", ttlMillis: 0, acl: alicesOwn };
  driver.write(createOperation("/s", "", { shape }), { identity: alice });
  driver.write(createOperation("/s/open"), { identity: alice });
  const refused = (path: string): string => {
    const answer = driver.tree.list({ path: path as Path, withData: false }, anyone);
    return "ok" in answer ? answer.code : "open";
  };
  assert.equal(refused("/none"), "noNode");
  assert.equal(refused("/s"), "noAuth");
  assert.deepEqual(paths(drain(open(driver, "/"))), ["/", "/s/open", ...zookeeper]);
  assert.deepEqual(paths(drain(open(driver, "/", { identity: alice }))), ["/", "/s", "/s/open", ...zookeeper]);
});

test("the rights are those of its zxid, though the list they refer to has gone", () => {
  const driver = new TreeDriver();
  const shape = { kind: "persistent", ttlMillis: 0, acl: alicesOwn };
  driver.write(createOperation("/a"));
  driver.write(createOperation("/s", "x", { shape }), { identity: alice });
  const [hers, others] = [open(driver, "/", { identity: alice }), open(driver, "/")];
  const all = [{ scheme: "world", id: "anyone", perms: permissions.all }];
  driver.write({ kind: "setAcl", path: "/s" as Path, acl: all, aversion: -1 }, { identity: alice });
  assert.deepEqual(paths(drain(hers)), ["/", "/a", "/s", ...zookeeper]);
  assert.deepEqual(paths(drain(others)), ["/", "/a", ...zookeeper]);
});

test("what is kept is let go: page by page, at the end, and when it is closed", () => {
  const driver = new TreeDriver();
  for (let i = 0; i < 50; i++) driver.write(createOperation(`/n${i}`, "x".repeat(100)));
  const listing = open(driver, "/");
  const idle = open(driver, "/");
  for (let i = 0; i < 50; i++) driver.write(putOperation(`/n${i}`, "y"));
  const full = listing.keptBytes;
  assert.ok(full > 50 * 100, String(full));
  listing.next(25, 1_000_000);
  assert.ok(listing.keptBytes < full * 0.7);
  const before = listing.keptBytes;
  driver.write(putOperation("/n0", "passed"));
  assert.equal(listing.keptBytes, before, "what it has passed is kept no more");
  drain(listing);
  assert.equal(listing.keptBytes, 0);
  assert.ok(!listing.open);
  idle.close();
  assert.equal(idle.keptBytes, 0);
  driver.write(putOperation("/n1", "z"));
  assert.equal(idle.keptBytes, 0);
});

test("znodes deeper than asked are not kept", () => {
  const driver = new TreeDriver();
  for (const path of ["/a", "/a/b", "/a/b/c"]) driver.write(createOperation(path));
  const listing = open(driver, "/a", { depth: 1 });
  driver.write(putOperation("/a/b/c", "x"));
  assert.equal(listing.keptBytes, 0);
  listing.close();
});

const name = fc.constantFrom("a", "b", "-", "~", "é");
const somePath = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => `/${names.join("/")}`);
const shapes = [undefined, { kind: "persistent", ttlMillis: 0, acl: alicesOwn }] as const;
const command = fc.oneof(
  fc.record({ do: fc.constant("put" as const), path: somePath, data: fc.string({ maxLength: 3 }), shape: fc.nat(1) }),
  fc.record({ do: fc.constant("delete" as const), path: somePath, recursive: fc.boolean() }),
  // All of it is taken back.
  fc.record({ do: fc.constant("failingTxn" as const), path: somePath, other: somePath }),
  fc.record({
    do: fc.constant("open" as const),
    path: fc.oneof(fc.constant("/"), somePath),
    depth: fc.nat(3),
    who: fc.boolean(),
  }),
  fc.record({ do: fc.constant("page" as const), which: fc.nat(), count: fc.integer({ min: 1, max: 4 }) }),
);

function write(
  driver: TreeDriver,
  each: { do: string; path: string; data?: string; shape?: number; recursive?: boolean; other?: string },
): void {
  if (each.do === "put") {
    const shape = shapes[each.shape ?? 0];
    driver.write(
      putOperation(each.path, each.data?.replace(/[^a-z]/g, "x"), { parents: true, ...(shape ? { shape } : {}) }),
      {
        identity: alice,
      },
    );
  } else if (each.do === "delete") driver.write(deleteOperation(each.path, each.recursive), { identity: alice });
  else {
    const path = each.path as Path;
    const parts = [
      { kind: "put", path, data: bytesOf("t"), parents: true, condition: {} },
      { kind: "delete", path: each.other as Path, condition: {}, recursive: true },
      { kind: "put", path: each.other as Path, data: bytesOf("u"), parents: true, condition: {} },
      { kind: "check", path: rootPath, exists: false },
    ] as const;
    driver.write({ kind: "txn", check: [], then: parts }, { identity: alice });
  }
}

test("whatever is written between its pages, a listing is exactly the subtree of its zxid", () => {
  fc.assert(
    fc.property(fc.array(command, { minLength: 20, maxLength: 60 }), (commands) => {
      const driver = new TreeDriver();
      const running: { listing: Listing; expected: TreeEntry[]; seen: TreeEntry[] }[] = [];
      for (const each of commands) {
        if (each.do === "open") {
          const identity = each.who ? alice : anyone;
          const depth = each.depth === 3 ? undefined : each.depth;
          const request = { path: each.path as Path, withData: true, ...(depth === undefined ? {} : { depth }) };
          const listing = driver.tree.list(request, identity);
          if ("ok" in listing) continue;
          running.push({ listing, expected: naive(driver, each.path as Path, identity, depth ?? 99), seen: [] });
        } else if (each.do === "page") {
          const one = running[each.which % Math.max(1, running.length)];
          if (one?.listing.open) one.seen.push(...one.listing.next(each.count, 1_000_000).entries);
        } else write(driver, each);
      }
      for (const { listing, expected, seen } of running) {
        if (listing.open) seen.push(...drain(listing, 2));
        assert.deepEqual(seen, expected);
        assert.equal(listing.keptBytes, 0);
      }
    }),
    { numRuns: 400 },
  );
});
