/** What is cut from a stream, however it comes, and what is kept for a frame that does not come. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FrameCutter } from "./frames.ts";

const limit = 1_048_575;

function framed(...frames: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(
    frames.flatMap((frame) => {
      const length = Buffer.alloc(4);
      length.writeInt32BE(frame.length);
      return [length, frame];
    }),
  );
}

function next(cutter: FrameCutter): Uint8Array | undefined {
  return cutter.next() ? cutter.bytes.subarray(cutter.from, cutter.to) : undefined;
}

function all(cutter: FrameCutter): Buffer[] {
  const frames: Buffer[] = [];
  for (let frame = next(cutter); frame !== undefined; frame = next(cutter)) frames.push(Buffer.from(frame));
  return frames;
}

test("frames come out as they went in, however the stream is chopped, and whenever they are asked for", () => {
  const frame = fc.oneof(fc.uint8Array({ maxLength: 12 }), fc.uint8Array({ minLength: 200, maxLength: 1500 }));
  const pieces = fc.array(fc.tuple(fc.integer({ min: 1, max: 700 }), fc.boolean()), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 20 }), pieces, (frames, cuts) => {
      const cutter = new FrameCutter(limit);
      const stream = framed(...frames);
      const views: Uint8Array[] = [];
      const take = () => {
        for (let frame = next(cutter); frame !== undefined; frame = next(cutter)) views.push(frame);
      };
      for (let at = 0, i = 0; at < stream.length; i++) {
        const [size, ask] = cuts[i % cuts.length] as [number, boolean];
        cutter.push(Uint8Array.from(stream.subarray(at, at + size)));
        at += size;
        if (ask) take();
      }
      take();
      // Looked at in the end: nobody wrote over a frame that was handed out.
      assert.deepEqual(
        views.map((view) => [...view]),
        frames.map((each) => [...each]),
      );
      assert.equal(cutter.waiting, 0);
      assert.equal(cutter.fault, undefined);
    }),
  );
});

test("a whole frame is a view of its chunk", () => {
  const cutter = new FrameCutter(limit);
  const chunk = framed(Uint8Array.of(1, 2, 3), new Uint8Array(0));
  cutter.push(chunk);
  assert.equal(next(cutter)?.buffer, chunk.buffer);
  assert.equal(next(cutter)?.length, 0);
  assert.equal(next(cutter), undefined);
});

test("a length that no frame has ends it, and takes nothing", () => {
  for (const length of [-1, -2_147_483_648, limit + 1, 2_147_483_647, 0x72756f6b]) {
    for (const apart of [false, true]) {
      const cutter = new FrameCutter(limit);
      const bytes = Buffer.alloc(4);
      bytes.writeInt32BE(length);
      cutter.push(framed(Uint8Array.of(9)));
      const pieces = apart ? [...bytes].map((byte) => Uint8Array.of(byte)) : [bytes];
      const taken: Buffer[] = [];
      for (const piece of pieces) {
        cutter.push(piece);
        taken.push(...all(cutter));
      }
      assert.deepEqual(taken, [Buffer.of(9)], "what came before it is whole");
      assert.match(cutter.fault ?? "", new RegExp(`the length ${length} of a frame is outside 0 to 1048575`));
      cutter.push(framed(Uint8Array.of(1)));
      assert.deepEqual([all(cutter).length, cutter.waiting], [0, 0], "nothing comes behind it");
    }
  }
});

test("the longest frame passes, in one piece and in many", () => {
  const longest = new Uint8Array(limit).map((_, index) => index);
  const stream = framed(longest);
  for (const size of [stream.length, 65_536, 4096]) {
    const cutter = new FrameCutter(limit);
    const frames: Buffer[] = [];
    for (let at = 0; at < stream.length; at += size) {
      cutter.push(Uint8Array.from(stream.subarray(at, at + size)));
      frames.push(...all(cutter));
    }
    assert.equal(frames.length, 1);
    assert.equal(frames[0]?.equals(longest), true);
  }
});

test("who promises much and sends little costs little", () => {
  const cutters: FrameCutter[] = [];
  const before = process.memoryUsage().arrayBuffers;
  for (let i = 0; i < 2000; i++) {
    const cutter = new FrameCutter(limit);
    const length = Buffer.alloc(4);
    length.writeInt32BE(limit);
    cutter.push(length);
    assert.equal(next(cutter), undefined);
    cutter.push(new Uint8Array(10));
    assert.equal(next(cutter), undefined);
    cutters.push(cutter);
  }
  const taken = process.memoryUsage().arrayBuffers - before;
  assert.ok(taken < 2000 * 1024, `${taken} bytes for 2000 frames of which 14 bytes each have come`);
  assert.ok(cutters.every((cutter) => cutter.waiting === 14));
});

test("the first four bytes are seen before they are taken for a length", () => {
  const cutter = new FrameCutter(limit);
  for (const piece of ["r", "uo"]) {
    cutter.push(Buffer.from(piece));
    assert.equal(cutter.first, undefined);
  }
  cutter.push(Buffer.from("k\n"));
  assert.equal(cutter.first, 0x72756f6b);
  const asked = new FrameCutter(limit);
  asked.push(Buffer.from("st"));
  assert.equal(next(asked), undefined);
  asked.push(Buffer.from("at"));
  assert.equal(asked.first, 0x73746174);
});
