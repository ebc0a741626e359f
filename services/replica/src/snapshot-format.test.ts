import assert from "node:assert/strict";
import { test } from "node:test";
import { composeZxid } from "@quorate/api";
import fc from "fast-check";
import { encodeSnapshotHeader, SnapshotFormatError, SnapshotParser, SnapshotTally } from "./snapshot-format.ts";

const header = { at: composeZxid(3, 4), checksum: 5 };

function encode(pieces: readonly Uint8Array[]): Uint8Array {
  const tally = new SnapshotTally();
  const parts = [encodeSnapshotHeader(header)];
  for (const piece of pieces) parts.push(tally.piece(piece), piece);
  return new Uint8Array(Buffer.concat([...parts, tally.end()]));
}

const contents = fc.array(fc.uint8Array({ minLength: 1, maxLength: 60 }), { maxLength: 8 });

test("content comes back piece by piece, however the bytes are cut", () => {
  fc.assert(
    fc.property(contents, fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }), (pieces, cuts) => {
      const bytes = encode(pieces);
      const parser = new SnapshotParser();
      const read: Uint8Array[] = [];
      for (let at = 0, turn = 0; at < bytes.length; turn++) {
        const next = at + (cuts[turn % cuts.length] ?? 1);
        read.push(...parser.push(bytes.subarray(at, next)));
        at = next;
      }
      assert.deepEqual(parser.finish(), header);
      assert.deepEqual(
        read.map((piece) => [...piece]),
        pieces.map((piece) => [...piece]),
      );
    }),
  );
});

test("a flipped bit, a missing piece, a cut and a longer file are found", () => {
  const check = (bytes: Uint8Array): void => {
    const parser = new SnapshotParser();
    parser.push(bytes);
    parser.finish();
  };
  fc.assert(
    fc.property(contents, fc.nat(), fc.nat(7), (pieces, at, bit) => {
      const bytes = encode(pieces);
      assert.throws(() => check(bytes.subarray(0, at % bytes.length)), SnapshotFormatError);
      assert.throws(() => check(new Uint8Array([...bytes, 0])), SnapshotFormatError);
      const index = at % bytes.length;
      // Zeros of the header that mean nothing are covered by its checksum, too.
      bytes[index] = (bytes[index] as number) ^ (1 << bit);
      assert.throws(() => check(bytes), SnapshotFormatError);
    }),
  );
  const [one, two] = [Uint8Array.of(1, 2), Uint8Array.of(3, 4)];
  const whole = encode([one, two]);
  const without = new Uint8Array([...whole.subarray(0, 32), ...whole.subarray(42)]);
  const swapped = new Uint8Array([
    ...whole.subarray(0, 32),
    ...whole.subarray(42, 52),
    ...whole.subarray(32, 42),
    ...whole.subarray(52),
  ]);
  assert.throws(() => check(without), SnapshotFormatError);
  assert.throws(() => check(swapped), SnapshotFormatError);
});

test("arbitrary bytes are refused as such", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const parser = new SnapshotParser();
      assert.throws(() => {
        parser.push(bytes);
        parser.finish();
      }, SnapshotFormatError);
    }),
  );
});
