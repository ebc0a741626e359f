import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readOperationArbitrary } from "../../test/arbitraries.ts";
import { limits } from "./limits.ts";
import type { ReadOperation, TxnOperation } from "./operation.ts";
import { type Path, rootPath } from "./path.ts";
import { decodeRead, encodeRead } from "./read-codec.ts";
import { watchCodecLimits } from "./watch-codec.ts";

test("every read comes back as it was", () => {
  fc.assert(
    fc.property(readOperationArbitrary, (operation) => {
      assert.deepEqual(decodeRead(encodeRead(operation)), operation);
    }),
    { numRuns: 500 },
  );
});

test("no truncation decodes; a flipped bit gives nothing, or a read with exactly these bytes", () => {
  fc.assert(
    fc.property(readOperationArbitrary, fc.nat(), (operation, at) => {
      const bytes = encodeRead(operation).slice();
      assert.equal(decodeRead(bytes.subarray(0, at % bytes.length)), undefined);
      const bit = at % (bytes.length * 8);
      bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
      const decoded = decodeRead(bytes);
      if (decoded !== undefined) assert.deepEqual(encodeRead(decoded), bytes);
    }),
    { numRuns: 2000 },
  );
});

test("random bytes never throw", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60, size: "max" }), (tail) => {
      const bytes = Uint8Array.from([1, ...tail]);
      const decoded = decodeRead(bytes);
      if (decoded !== undefined) assert.deepEqual(encodeRead(decoded), bytes);
    }),
    { numRuns: 3000 },
  );
});

test("a txn that writes is no read", () => {
  const write: TxnOperation = { kind: "delete", path: "/a" as Path, condition: {}, recursive: false };
  const txn = (operation: TxnOperation): ReadOperation => ({ kind: "txn", check: [], then: [operation] });
  assert.equal(decodeRead(encodeRead(txn(write))), undefined);
  assert.equal(decodeRead(encodeRead({ kind: "txn", check: [], then: [], else: [write] })), undefined);
  assert.notEqual(decodeRead(encodeRead(txn({ kind: "check", path: rootPath, exists: true }))), undefined);
});

test("pages of sessions have 1 to 10,000 names, answers of children up to a million; a check alone is no read", () => {
  const page = (limit: number): boolean =>
    decodeRead(encodeRead({ kind: "children", path: rootPath, limit, withData: false })) !== undefined;
  assert.ok(!page(0) && page(1) && page(limits.listedNames) && !page(limits.listedNames + 1));
  const list = (limit: number): boolean => decodeRead(encodeRead({ kind: "listSessions", limit })) !== undefined;
  assert.ok(!list(0) && list(1) && list(limits.pageNames) && !list(limits.pageNames + 1));
  assert.equal(decodeRead(Uint8Array.from([1, 6, 0, 1, 0, 0, 0, 47])), undefined);
});

test("a watch has 100 paths, of a gateway that judges by itself 1 MiB of them", () => {
  const decodes = (paths: readonly Path[], raw: boolean): boolean => {
    const scopes = { node: paths, children: paths.slice(0, 1), subtree: [] };
    return decodeRead(encodeRead(raw ? { kind: "watch", scopes, raw } : { kind: "watch", scopes })) !== undefined;
  };
  const short = (count: number): Path[] => Array.from({ length: count }, () => "/a" as Path);
  assert.deepEqual([decodes(short(99), false), decodes(short(100), false)], [true, false]);
  assert.ok(decodes(short(10_000), true));
  // Each takes 4 bytes and its own.
  const long = `/${"x".repeat(1019)}` as Path;
  const most = Array.from({ length: watchCodecLimits.rawPathBytes / 1024 - 1 }, () => long);
  assert.deepEqual([decodes(most, true), decodes([...most, "/a" as Path], true)], [true, false]);
});
