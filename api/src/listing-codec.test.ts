import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { statArbitrary } from "../../test/arbitraries.ts";
import type { ListingOperation, TreePageResult } from "./listing.ts";
import type { Outcome } from "./outcome.ts";
import { decodeOutcome, encodeOutcome } from "./outcome-codec.ts";
import type { Path } from "./path.ts";
import { decodeRead, encodeRead } from "./read-codec.ts";
import { zeroZxid } from "./zxid.ts";

const number = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const path = fc.constantFrom("/", "/a", "/a/é").map((text) => text as Path);
const operation: fc.Arbitrary<ListingOperation> = fc.oneof(
  fc.record(
    { kind: fc.constant("tree" as const), listing: number, path, depth: fc.nat(), withData: fc.boolean() },
    { requiredKeys: ["kind", "listing", "path", "withData"], noNullPrototype: true },
  ),
  fc.record(
    {
      kind: fc.constant("treePage" as const),
      listing: number,
      at: fc.constant(zeroZxid),
      page: number,
      end: fc.boolean(),
    },
    { noNullPrototype: true },
  ),
);
const entry = fc.record(
  { path, stat: statArbitrary, data: fc.uint8Array({ maxLength: 20 }) },
  { requiredKeys: ["path", "stat"], noNullPrototype: true },
);
const result: fc.Arbitrary<TreePageResult> = fc.record(
  {
    kind: fc.constant("treePage" as const),
    at: fc.constant(zeroZxid),
    more: fc.boolean(),
    entries: fc.array(entry, { maxLength: 5 }),
  },
  { noNullPrototype: true },
);

test("what asks for a listing comes back as it was; no part of it decodes", () => {
  fc.assert(
    fc.property(operation, fc.nat(), (each, at) => {
      const bytes = encodeRead(each).slice();
      assert.deepEqual(decodeRead(bytes), each);
      assert.equal(decodeRead(bytes.subarray(0, at % bytes.length)), undefined);
    }),
  );
});

test("a page comes back as it was; a flipped bit gives nothing, or a page with exactly these bytes", () => {
  fc.assert(
    fc.property(result, fc.nat(), (each, at) => {
      const outcome: Outcome = { ok: true, zxid: zeroZxid, result: each };
      const bytes = encodeOutcome(outcome);
      assert.deepEqual(decodeOutcome(bytes), outcome);
      const bit = at % (bytes.length * 8);
      bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
      const decoded = decodeOutcome(bytes);
      if (decoded !== undefined) assert.deepEqual(encodeOutcome(decoded), bytes);
    }),
    { numRuns: 1000 },
  );
});
