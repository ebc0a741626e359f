/**
 * `message Frame { repeated bytes message = 1; }` in its protobuf wire form, by hand: one gRPC message carries many of
 * ours, because gRPC costs per message and not per byte. Knows nothing of what is inside.
 */

export const frameLimits = {
  /** One message. The gRPC limits of both sides are this and room for the frame's own bytes. */
  messageBytes: 16 * 1_048_576,
  /** A frame is closed beyond this; a single larger message travels alone. */
  frameBytes: 256 * 1024,
  /** So that two bytes on the wire cannot cost an object each, millions of times. */
  messages: 16_384,
} as const;

/** Tag and the longest varint that a length needs. */
export const frameOverheadBytes = 6;

const tag = 0x0a;

/** Bytes of `length` as a varint. */
export function varintBytes(length: number): number {
  if (length < 0x80) return 1;
  if (length < 0x4000) return 2;
  if (length < 0x20_0000) return 3;
  return length < 0x1000_0000 ? 4 : 5;
}

/** Writes tag and length of one message; answers the offset behind them. */
export function writeFrameHeader(frame: Uint8Array, offset: number, length: number): number {
  let at = offset;
  frame[at++] = tag;
  let rest = length;
  while (rest > 0x7f) {
    frame[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  frame[at++] = rest;
  return at;
}

export function encodeFrame(messages: readonly Uint8Array[]): Uint8Array {
  let size = 0;
  for (const message of messages) size += 1 + varintBytes(message.length) + message.length;
  const frame = Buffer.allocUnsafe(size);
  let at = 0;
  for (const message of messages) {
    at = writeFrameHeader(frame, at, message.length);
    frame.set(message, at);
    at += message.length;
  }
  return frame;
}

/** The messages, as subarrays of `bytes`; undefined for anything else than a whole frame within the limits. */
export function decodeFrame(bytes: Uint8Array): Uint8Array[] | undefined {
  const messages: Uint8Array[] = [];
  const end = bytes.length;
  let at = 0;
  while (at < end) {
    if (bytes[at++] !== tag || messages.length >= frameLimits.messages) return undefined;
    let length = 0;
    let scale = 1;
    for (;;) {
      const byte = bytes[at++];
      if (byte === undefined || scale > 0x1000_0000) return undefined;
      length += (byte & 0x7f) * scale;
      if (byte < 0x80) break;
      scale *= 0x80;
    }
    if (length > end - at) return undefined;
    messages.push(bytes.subarray(at, at + length));
    at += length;
  }
  return messages;
}
