/** Numbers and texts of jute at their edges: what a writer writes a reader reads. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { JuteReader, JuteWriter, Slabs } from "./jute.ts";

function read<T>(bytes: Uint8Array, get: (reader: JuteReader) => T): T {
  const reader = new JuteReader();
  reader.reset(bytes, 0, bytes.length);
  return get(reader);
}

function written(write: (writer: JuteWriter) => void): Buffer {
  const writer = new JuteWriter(new Slabs());
  write(writer);
  return Buffer.from(writer.take());
}

test("numbers are big-endian, with their sign", () => {
  fc.assert(
    fc.property(fc.integer(), fc.maxSafeInteger(), (int, long) => {
      const bytes = written((writer) => {
        writer.int(int);
        writer.long(long);
      });
      assert.equal(bytes.readInt32BE(0), int);
      assert.equal(bytes.readBigInt64BE(4), BigInt(long));
      assert.deepEqual(
        read(bytes, (reader) => [reader.int(), reader.long()]),
        [int, long],
      );
    }),
  );
  for (const bad of [2 ** 31, -(2 ** 31) - 1, 0.5, Number.NaN]) {
    assert.throws(() => written((writer) => writer.int(bad)), /no int/);
  }
  for (const bad of [2 ** 53, -(2 ** 53), 0.5, Number.NaN]) {
    assert.throws(() => written((writer) => writer.long(bad)), /no safe integer/);
  }
});

test("any long is read as near as a number comes; names of things are never rounded", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
      const bytes = Buffer.alloc(8);
      bytes.writeBigInt64BE(value);
      assert.equal(
        read(bytes, (reader) => reader.long()),
        Number(value),
      );
      const ours = value >= 0n && value < 2n ** 53n ? Number(value) : undefined;
      assert.equal(
        read(bytes, (reader) => reader.session()),
        ours,
      );
      assert.equal(
        read(bytes, (reader) => reader.zxid()),
        ours ?? (value < 0n ? 0 : Number.MAX_SAFE_INTEGER),
      );
    }),
  );
});

test("texts and buffers come back, null as null", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "binary", maxLength: 60 }),
      fc.option(fc.uint8Array({ maxLength: 80 }), { nil: undefined }),
      (text, buffer) => {
        const bytes = written((writer) => {
          writer.string(text);
          writer.buffer(buffer);
          writer.bool(true);
        });
        const [string, back, flag] = read(bytes, (reader) => [reader.string(), reader.buffer(), reader.bool()]);
        assert.deepEqual([string, back && [...(back as Uint8Array)], flag], [text, buffer && [...buffer], true]);
        assert.equal(bytes.readInt32BE(0), Buffer.byteLength(text));
      },
    ),
  );
  assert.equal(
    read(Buffer.from("ffffffff", "hex"), (reader) => reader.string()),
    undefined,
  );
});

test("once it has failed a reader gives nothing more", () => {
  const bytes = Buffer.from("000000ff0000000700000007", "hex");
  read(bytes, (reader) => {
    assert.equal(reader.string(), undefined);
    assert.equal(reader.failed, true);
    assert.deepEqual([reader.int(), reader.long(), reader.zxid(), reader.bool()], [0, 0, 0, false]);
    assert.deepEqual(
      [reader.text(), reader.buffer(), reader.count(1), reader.session()],
      ["", new Uint8Array(0), 0, 0],
    );
    reader.reset(bytes, 4, bytes.length);
    assert.deepEqual([reader.failed, reader.int(), reader.count(4)], [false, 7, 0]);
    assert.equal(reader.failed, true, "seven elements of four bytes are not there");
  });
});
