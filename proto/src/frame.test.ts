import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeFrame, encodeFrame, frameLimits } from "./frame.ts";

test("frames come back as they were", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 }), (messages) => {
      const back = decodeFrame(encodeFrame(messages));
      assert.deepEqual(
        back?.map((each) => [...each]),
        messages.map((each) => [...each]),
      );
    }),
  );
});

test("lengths at the varint's steps", () => {
  for (const length of [0, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152]) {
    const back = decodeFrame(encodeFrame([new Uint8Array(length).fill(7), Uint8Array.of(1)]));
    assert.equal(back?.[0]?.length, length);
    assert.deepEqual(back?.[1] && [...back[1]], [1]);
  }
});

test("random bytes and truncations never throw, and a cut message is no frame", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      decodeFrame(bytes);
    }),
  );
  const whole = encodeFrame([new Uint8Array(200).fill(9)]);
  for (let length = 1; length < whole.length; length++) assert.equal(decodeFrame(whole.subarray(0, length)), undefined);
  assert.equal(decodeFrame(Uint8Array.of(0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01)), undefined);
  assert.equal(decodeFrame(Uint8Array.of(0x12, 0x00)), undefined);
});

test("a frame of too many empty messages is refused", () => {
  const bytes = new Uint8Array((frameLimits.messages + 1) * 2);
  for (let at = 0; at < bytes.length; at += 2) bytes[at] = 0x0a;
  assert.equal(decodeFrame(bytes), undefined);
  assert.equal(decodeFrame(bytes.subarray(2))?.length, frameLimits.messages);
});
