import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ByteReader, ByteWriter } from "./bytes.ts";
import { readUtf8, writeUtf8 } from "./utf8.ts";

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function nativeText(bytes: Uint8Array): string | undefined {
  try {
    return strict.decode(bytes);
  } catch {
    return undefined;
  }
}

function written(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length * 3);
  return bytes.subarray(0, writeUtf8(text, bytes, 0));
}

test("text is written as the platform's encoder writes it, lone surrogates too", () => {
  const texts = fc.oneof(
    fc.string({ unit: "binary", maxLength: 3000, size: "max" }),
    fc.string({ size: "max", maxLength: 3000 }),
    fc.array(fc.integer({ min: 0xd700, max: 0xe000 })).map((units) => String.fromCharCode(...units)),
  );
  fc.assert(
    fc.property(texts, (text) => {
      const bytes = written(text);
      assert.deepEqual(bytes, new TextEncoder().encode(text));
      assert.equal(readUtf8(bytes, 0, bytes.length), text.toWellFormed());
    }),
  );
});

test("bytes are read as the platform's strict decoder reads them", () => {
  const edges = fc.constantFrom(0x00, 0x7f, 0x80, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0x9f, 0xa0, 0xed, 0xef, 0xbb);
  const far = fc.constantFrom(0xf0, 0x8f, 0x90, 0xf4, 0xf5, 0xff, 0x41);
  fc.assert(
    fc.property(fc.array(fc.oneof(edges, far), { maxLength: 6 }), (units) => {
      const bytes = Uint8Array.from(units);
      assert.equal(readUtf8(bytes, 0, bytes.length), nativeText(bytes));
    }),
    { numRuns: 20_000 },
  );
});

test("ASCII of every length up to several chunks", () => {
  const bytes = Uint8Array.from({ length: 2100 }, (_, i) => 32 + (i % 95));
  for (let length = 0; length <= bytes.length; length += length < 200 ? 1 : 97) {
    assert.equal(readUtf8(bytes, 0, length), strict.decode(bytes.subarray(0, length)));
  }
});

test("numbers come back, at their bounds too, in little-endian order", () => {
  const w = new ByteWriter();
  for (const value of [0, 255]) w.u8(value);
  for (const value of [0, 256, 65_535]) w.u16(value);
  for (const value of [0, 2 ** 31, 2 ** 32 - 1]) w.u32(value);
  for (const value of [-(2 ** 31), -1, 2 ** 31 - 1]) w.i32(value);
  for (const value of [0, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER]) w.f53(value);
  w.u32(0x0403_0201);
  const bytes = w.finish();
  assert.deepEqual([...bytes.subarray(-4)], [1, 2, 3, 4]);
  const r = new ByteReader(bytes);
  assert.deepEqual([r.u8(), r.u8()], [0, 255]);
  assert.deepEqual([r.u16(), r.u16(), r.u16()], [0, 256, 65_535]);
  assert.deepEqual([r.u32(), r.u32(), r.u32()], [0, 2 ** 31, 2 ** 32 - 1]);
  assert.deepEqual([r.i32(), r.i32(), r.i32()], [-(2 ** 31), -1, 2 ** 31 - 1]);
  assert.deepEqual([r.f53(), r.f53(), r.f53(), r.f53()], [0, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER]);
  assert.equal(r.u32(), 0x0403_0201);
  assert.ok(r.finished);
});

test("the writer refuses numbers that do not fit", () => {
  const w = new ByteWriter();
  for (const value of [-1, 256, 1.5, Number.NaN]) assert.throws(() => w.u8(value), /uint8/);
  for (const value of [-1, 65_536]) assert.throws(() => w.u16(value), /uint16/);
  for (const value of [-1, 2 ** 32, 0.5, Number.NaN]) assert.throws(() => w.u32(value), /uint32/);
  for (const value of [2 ** 31, -(2 ** 31) - 1, 0.5]) assert.throws(() => w.i32(value), /int32/);
  for (const value of [-1, 2 ** 53, 0.5, Number.POSITIVE_INFINITY]) assert.throws(() => w.f53(value), /safe integer/);
  assert.equal(w.length, 0);
});

test("durations are whole milliseconds, rounded up and bounded", () => {
  const w = new ByteWriter();
  const given = [0, 0.2, 3, 3.5, -7, Number.NaN, Number.POSITIVE_INFINITY];
  for (const value of given) w.millis(value);
  const r = new ByteReader(w.finish());
  assert.deepEqual(
    given.map(() => r.f53()),
    [0, 1, 3, 4, 0, 0, Number.MAX_SAFE_INTEGER],
  );
});

test("2^53 and more, cut-off numbers, wrong flags and counts fail, and then all is zero", () => {
  const beyond = new ByteReader(Uint8Array.of(0, 0, 0, 0, 0, 0, 0x20, 0, 1));
  assert.equal(beyond.f53(), 0);
  assert.ok(beyond.failed && !beyond.finished);
  assert.equal(beyond.u8(), 0);
  assert.equal(beyond.raw(0).length, 0);
  const bool = new ByteReader(Uint8Array.of(2));
  assert.equal(bool.bool(), false);
  assert.ok(bool.failed);
  for (const size of [0, 1, 3, 7]) {
    const r = new ByteReader(new Uint8Array(size));
    r.f53();
    assert.ok(r.failed);
  }
  const count = new ByteReader(Uint8Array.of(3, 0, 0, 0, 9, 9, 9, 9, 9));
  assert.equal(count.count(10, 2), 0);
  assert.ok(count.failed, "three elements of two bytes are not in five");
  const text = new ByteReader(Uint8Array.of(2, 0, 0, 0, 0xc3, 0x28));
  assert.equal(text.string(10), "");
  assert.ok(text.failed);
});

test("the reader keeps within its part of the bytes", () => {
  const r = new ByteReader(Uint8Array.of(9, 1, 2, 9), 1, 3);
  assert.equal(r.remaining, 2);
  assert.deepEqual([r.u8(), r.u8(), r.finished, r.u8(), r.failed], [1, 2, true, 0, true]);
});

test("messages of all sizes, views and own copies, are never touched again", () => {
  const w = new ByteWriter();
  const sizes = fc.array(fc.tuple(fc.nat(12_000), fc.boolean(), fc.boolean()), {
    minLength: 1,
    maxLength: 30,
    size: "max",
  });
  fc.assert(
    fc.property(sizes, (messages) => {
      const made = messages.map(([size, own, dropped], i) => {
        const body = new Uint8Array(size).fill(i);
        if (dropped) {
          w.raw(body);
          w.reset();
        }
        w.raw(body.subarray(0, size >> 1));
        w.raw(body.subarray(size >> 1));
        assert.equal(w.length, size);
        return { body, bytes: own ? w.finishOwn() : w.finish(), own };
      });
      for (const { body, bytes, own } of made) {
        assert.deepEqual(bytes, body);
        if (own) assert.equal(bytes.buffer.byteLength, bytes.length);
      }
    }),
    { numRuns: 100 },
  );
});
