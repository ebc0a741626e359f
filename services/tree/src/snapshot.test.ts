/** Snapshots are exact at their zxid while batches are applied between slices, and bad ones are refused. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Acl, Path, WriteOperation } from "@quorate/api";
import fc from "fast-check";
import { rulesVersion } from "./limits.ts";
import { Tree } from "./tree.ts";
import {
  createOperation,
  deleteOperation,
  emptyTreeZnodes,
  putOperation,
  sessionOperation,
  TreeDriver,
} from "./tree-driver.test-support.ts";

const acls: Acl[] = [1, 2, 3].map((bits) => [
  { scheme: "world", id: "anyone", perms: 31 },
  { scheme: "ip", id: `10.0.0.0/${bits}`, perms: 1 },
]);
const name = fc.constantFrom("/a", "/b", "/c", "/a/1", "/a/2", "/b/1", "/c/1", "/c/1/x");
const write: fc.Arbitrary<WriteOperation> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .tuple(name, fc.string({ maxLength: 3, unit: fc.constantFrom("x", "y") }))
      .map(([path, data]) => putOperation(path, data, { parents: true })),
  },
  { weight: 2, arbitrary: fc.tuple(name, fc.boolean()).map(([path, recursive]) => deleteOperation(path, recursive)) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(name, fc.constantFrom(...acls))
      .map(([path, acl]) => ({ kind: "setAcl" as const, path: path as Path, acl, aversion: -1 })),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(name, name).map(([a, b]) => ({
      kind: "txn" as const,
      check: [],
      then: [putOperation(a, "t", { parents: true }), deleteOperation(b, true)] as never,
    })),
  },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 9 }).map((seed) => sessionOperation(seed, "client")) },
);

function load(chunks: readonly Uint8Array[], pieces: number): ReturnType<ReturnType<typeof Tree.loader>["finish"]> {
  const loader = Tree.loader();
  for (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at += pieces) loader.push(chunk.subarray(at, at + pieces));
  }
  return loader.finish();
}

test("a snapshot is the tree at its zxid, whatever is written between its slices", () => {
  const slices = fc.array(
    fc.tuple(fc.integer({ min: 20, max: 400 }), fc.array(write, { minLength: 1, maxLength: 3 })),
    { maxLength: 40 },
  );
  fc.assert(
    fc.property(
      fc.array(write, { minLength: 1, maxLength: 40 }),
      slices,
      fc.integer({ min: 1, max: 500 }),
      (before, during, pieces) => {
        const driver = new TreeDriver();
        driver.writeAll(before);
        driver.writeAll([putOperation("/keyed")], { key: { key: "k1", requestHash: new Uint8Array(16) } });
        const stopped = driver.tree.digest();
        const cursor = driver.tree.snapshot();
        assert.equal(cursor.zxid, driver.tree.applied);
        const chunks: Uint8Array[] = [];
        for (const [budget, operations] of during) {
          const chunk = cursor.next(budget);
          if (chunk === undefined) break;
          chunks.push(chunk);
          driver.writeAll(operations);
        }
        for (let chunk = cursor.next(200); chunk !== undefined; chunk = cursor.next(200)) chunks.push(chunk);
        assert.ok(cursor.digestMatches);
        const loaded = load(chunks, pieces);
        assert.ok(loaded instanceof Tree, JSON.stringify(loaded));
        assert.equal(loaded.digest(), stopped);
        assert.equal(loaded.applied, cursor.zxid);
        // What was applied since leads the loaded tree to the same state.
        for (const batch of driver.batches) if (batch.first > cursor.zxid) loaded.apply(batch);
        assert.equal(loaded.digest(), driver.tree.digest());
        assert.equal(loaded.znodeCount, driver.tree.znodeCount);
        assert.equal(loaded.sessionCount, driver.tree.sessionCount);
        assert.equal(loaded.clientSessionCount, driver.tree.clientSessionCount);
        let ephemerals = 0;
        for (const { ephemeralCount } of loaded.sessions()) ephemerals += ephemeralCount;
        assert.deepEqual([loaded.ephemeralCount, driver.tree.ephemeralCount], [ephemerals, ephemerals]);
      },
    ),
    { numRuns: 300 },
  );
});

function written(rules: number = rulesVersion): Uint8Array[] {
  const driver = new TreeDriver(new Tree(), rules);
  const acting = driver.openSession(3);
  driver.writeAll([createOperation("/e", "mine", { shape: { kind: "ephemeral", ttlMillis: 0 } })], { acting });
  driver.writeAll([
    createOperation("/t", "x", { shape: { kind: "ttl", ttlMillis: 5000, acl: acls[0] } }),
    createOperation("/ünïcode", "y"),
    createOperation("/big", "z".repeat(5000)),
    createOperation("/box", "", { shape: { kind: "container", ttlMillis: 0 } }),
  ]);
  const cursor = driver.tree.snapshot();
  const chunks: Uint8Array[] = [];
  for (let chunk = cursor.next(4096); chunk !== undefined; chunk = cursor.next(4096)) chunks.push(chunk);
  return chunks;
}

test("kinds, ACLs and ephemerals come back", () => {
  const tree = load(written(), 7);
  assert.ok(tree instanceof Tree);
  const session = [...tree.sessions()].find((each) => each.role === "client");
  assert.equal(session?.ephemeralCount, 1);
  assert.deepEqual(
    tree.sweepCandidates(2_000_000, 10).map((each) => each.path),
    ["/t"],
  );
  assert.equal(tree.znodeCount, emptyTreeZnodes + 5);
});

test("a snapshot cut off anywhere, or with any bit turned, is refused and does not throw", () => {
  const whole = written();
  const bytes = Uint8Array.from(whole.flatMap((each) => [...each]));
  for (let end = 0; end < bytes.length; end += 13)
    assert.ok("bad" in load([bytes.subarray(0, end)], 1 << 20), `cut at ${end}`);
  let refused = 0;
  for (let at = 0; at < bytes.length; at++) {
    const turned = bytes.slice();
    turned[at] = (turned[at] as number) ^ (1 << (at % 8));
    const result = load([turned], 1 << 20);
    if ("bad" in result) refused++;
    // Only the header's counters are outside of the records' sum: the state's digest has them.
    else assert.ok(at < 4 + 2 + 24, `byte ${at} does not matter`);
  }
  assert.ok(refused > bytes.length - 40);
});

test("one snapshot at a time; a cancelled one makes room and matches nothing", () => {
  const { tree } = new TreeDriver();
  const cursor = tree.snapshot();
  assert.throws(() => tree.snapshot());
  cursor.cancel();
  assert.equal(cursor.next(100), undefined);
  assert.equal(cursor.digestMatches, false);
  tree.snapshot().cancel();
});

/** Where the first frame has the format and the rules version: behind its length, its tag, three numbers. */
const [formatAt, rulesAt] = [5, 4 + 2 + 3 * 8];

test("a snapshot bears the rules version; one of a version that is not known is refused and says what to do", () => {
  const bytes = Uint8Array.from(written().flatMap((each) => [...each]));
  assert.equal(bytes[rulesAt], rulesVersion);
  bytes[rulesAt] = rulesVersion + 1;
  const result = load([bytes], 1 << 20);
  assert.ok("bad" in result);
  const known = `this program knows those up to ${rulesVersion}`;
  assert.equal(result.bad, `its rules version is ${rulesVersion + 1}; ${known}: start the newer program that wrote it`);
});

test("a snapshot of format 1, which had no rules version, is still read", () => {
  const bytes = written(1).flatMap((each) => [...each]);
  assert.equal(bytes[formatAt], 2, "by the rules of then, in the layout that all of then can read");
  const whole = load([Uint8Array.from(bytes)], 1 << 20);
  bytes.splice(rulesAt, 4);
  bytes[formatAt] = 1;
  const length = ((bytes[0] as number) | ((bytes[1] as number) << 8)) - 4;
  bytes[0] = length & 255;
  bytes[1] = length >> 8;
  const former = load([Uint8Array.from(bytes)], 1 << 20);
  assert.ok(former instanceof Tree && whole instanceof Tree, JSON.stringify(former));
  assert.deepEqual([former.rules, former.digest()], [1, whole.digest()]);
});
