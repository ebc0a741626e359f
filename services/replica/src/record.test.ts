import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32 } from "node:zlib";
import { type Batch, composeZxid, type Zxid } from "@quorate/api";
import fc from "fast-check";
import { recordPayloadBytes } from "./limits.ts";
import { chainChecksum, decodeBatch, encodeBatchHeader, recordHeaderBytes, runningChecksum } from "./record.ts";

const epochs = fc.integer({ min: 1, max: 2 ** 21 - 1 });
const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });

const batches: fc.Arbitrary<Batch> = fc
  .record({
    epoch: epochs,
    start: fc.integer({ min: 1, max: 2 ** 32 - 1001 }),
    count: fc.integer({ min: 1, max: 1000 }),
    stamp: fc.double({ min: 0, max: 2 ** 45, noNaN: true }),
    rules: uint32,
    checksum: uint32,
    payload: fc.uint8Array({ maxLength: 200 }),
  })
  .map(({ epoch, start, count, ...rest }) => ({
    first: composeZxid(epoch, start),
    last: composeZxid(epoch, start + count - 1),
    previous: (composeZxid(epoch, start) - 1) as Zxid,
    commit: composeZxid(epoch - 1, start),
    ...rest,
  }));

function encode(batch: Batch): Uint8Array {
  return new Uint8Array(Buffer.concat([encodeBatchHeader(batch), batch.payload]));
}

test("a batch comes back as it was, at any offset, with others behind it", () => {
  fc.assert(
    fc.property(batches, batches, fc.nat(50), (one, two, offset) => {
      const bytes = new Uint8Array(Buffer.concat([new Uint8Array(offset), encode(one), encode(two)]));
      const first = decodeBatch(bytes, offset);
      assert(typeof first !== "string");
      assert.deepEqual({ ...first.batch, payload: [...first.batch.payload] }, { ...one, payload: [...one.payload] });
      const second = decodeBatch(bytes, first.next);
      assert(typeof second !== "string");
      assert.equal(second.batch.last, two.last);
      assert.equal(second.next, bytes.length);
    }),
  );
});

test("a record cut anywhere is torn; a record with any bit flipped is not read", () => {
  fc.assert(
    fc.property(batches, fc.nat(), fc.nat(7), (batch, at, bit) => {
      const bytes = encode(batch);
      assert.equal(decodeBatch(bytes.subarray(0, at % bytes.length), 0), "torn");
      const index = at % bytes.length;
      bytes[index] = (bytes[index] ?? 0) ^ (1 << bit);
      assert.equal(typeof decodeBatch(bytes, 0), "string");
    }),
  );
});

test("arbitrary bytes never throw", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(310), (bytes, offset) => {
      assert.equal(typeof decodeBatch(bytes, offset), "string");
    }),
  );
});

test("a header that is whole but impossible is corrupt: length beyond the limit, zxids out of order", () => {
  const batch: Batch = {
    first: composeZxid(2, 5),
    last: composeZxid(2, 6),
    previous: composeZxid(2, 4),
    commit: composeZxid(2, 3),
    stamp: 1,
    rules: 1,
    checksum: 7,
    payload: new Uint8Array(3),
  };
  const forge = (change: (view: DataView) => void): Uint8Array => {
    const bytes = encode(batch);
    const view = new DataView(bytes.buffer);
    change(view);
    view.setUint32(64, crc32(bytes.subarray(0, 64)), true);
    return bytes;
  };
  const forged = (change: (view: DataView) => void): unknown => decodeBatch(forge(change), 0);
  assert.notEqual(typeof forged(() => {}), "string");
  const impossible: readonly (readonly [at: number, value: number])[] = [
    [4, recordPayloadBytes + 1],
    [20, 2 ** 21],
    [16, 4],
    [24, 5],
    [32, 5],
  ];
  for (const [at, value] of impossible) {
    assert.equal(
      forged((view) => view.setUint32(at, value, true)),
      "corrupt",
      `${value} at ${at}`,
    );
  }
  assert.equal(encodeBatchHeader(batch).length, recordHeaderBytes);
});

test("the running checksum depends on all but the commit index, and on what came before", () => {
  fc.assert(
    fc.property(batches, uint32, (batch, before) => {
      const sum = runningChecksum(before, batch);
      assert.equal(sum, chainChecksum(before, batch, crc32(batch.payload)));
      assert.equal(sum, runningChecksum(before, { ...batch, commit: 0 as Zxid } as Batch));
      assert.notEqual(sum, runningChecksum(before ^ 1, batch));
      assert.notEqual(sum, runningChecksum(before, { ...batch, last: (batch.last + 1) as Zxid }));
      assert.notEqual(sum, runningChecksum(before, { ...batch, previous: (batch.previous - 1) as Zxid }));
      assert.notEqual(sum, runningChecksum(before, { ...batch, stamp: batch.stamp + 1 }));
      assert.notEqual(sum, runningChecksum(before, { ...batch, rules: batch.rules ^ 1 }));
      assert.notEqual(sum, runningChecksum(before, { ...batch, payload: Uint8Array.of(...batch.payload, 0) }));
    }),
  );
});
