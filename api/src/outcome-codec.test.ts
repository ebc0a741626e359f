import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { outcomeArbitrary, statArbitrary } from "../../test/arbitraries.ts";
import { ByteWriter } from "./bytes.ts";
import { errorCodes } from "./errors.ts";
import type { Outcome, Result } from "./outcome.ts";
import { decodeOutcome, encodeOutcome, writeOutcome } from "./outcome-codec.ts";
import { rootPath } from "./path.ts";
import { zeroZxid } from "./zxid.ts";

test("every outcome comes back as it was, and owns its bytes", () => {
  fc.assert(
    fc.property(outcomeArbitrary, (outcome) => {
      const bytes = encodeOutcome(outcome);
      assert.equal(bytes.buffer.byteLength, bytes.length);
      assert.deepEqual(decodeOutcome(bytes), outcome);
      const w = new ByteWriter();
      writeOutcome(w, outcome);
      assert.deepEqual(w.finish(), bytes);
    }),
    { numRuns: 600 },
  );
});

test("every error code comes back", () => {
  for (const code of errorCodes) {
    const outcome: Outcome = { ok: false, zxid: zeroZxid, code, detail: "" };
    assert.deepEqual(decodeOutcome(encodeOutcome(outcome)), outcome);
  }
});

test("no truncation decodes; a flipped bit gives nothing, or an outcome with exactly these bytes", () => {
  fc.assert(
    fc.property(outcomeArbitrary, fc.nat(), (outcome, at) => {
      const bytes = encodeOutcome(outcome);
      assert.equal(decodeOutcome(bytes.subarray(0, at % bytes.length)), undefined);
      const bit = at % (bytes.length * 8);
      bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
      const decoded = decodeOutcome(bytes);
      if (decoded !== undefined) assert.deepEqual(encodeOutcome(decoded), bytes);
    }),
    { numRuns: 2000 },
  );
});

test("random bytes never throw", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120, size: "max" }), (bytes) => {
      const decoded = decodeOutcome(bytes);
      if (decoded !== undefined) assert.deepEqual(encodeOutcome(decoded), bytes);
    }),
    { numRuns: 3000 },
  );
});

test("a time with a fraction is shown as whole milliseconds, not refused", () => {
  const [stat] = fc.sample(statArbitrary, 1);
  assert.ok(stat !== undefined);
  const of = (time: number): Outcome => {
    return {
      ok: true,
      zxid: zeroZxid,
      result: { kind: "stat", path: rootPath, stat: { ...stat, ctime: time, mtime: time } },
    };
  };
  assert.deepEqual(decodeOutcome(encodeOutcome(of(1_790_000_000_000.75))), of(1_790_000_000_000));
});

test("a txn in a txn is refused both ways", () => {
  const inner: Result = { kind: "txn", branch: "then", results: [] };
  const outer: Outcome = { ok: true, zxid: zeroZxid, result: { kind: "txn", branch: "then", results: [inner] } };
  assert.throws(() => encodeOutcome(outer), /no other/);
  const bytes = encodeOutcome({
    ok: true,
    zxid: zeroZxid,
    result: { ...inner, results: [{ kind: "done", count: 0 }] },
  });
  assert.notEqual(decodeOutcome(bytes), undefined);
  // Behind flags, zxid, tag, branch and count: the inner result's tag, made a txn's; its five bytes remain.
  assert.equal(bytes[15], 12);
  const nested = Uint8Array.from([...bytes.subarray(0, 15), 8, 0, 0, 0, 0, 0]);
  assert.equal(decodeOutcome(nested), undefined);
});
