/**
 * Numbers, strings and lists as bytes: little-endian, lengths and counts as uint32 in front. The writer asserts what it
 * is given; the reader believes nothing: it never throws, allocates no more than its input can back, and once it has
 * failed gives zeros, so that a decoder asks for `finished` once at its end.
 */
import { assert } from "./assert.ts";
import { readUtf8, writeUtf8 } from "./utf8.ts";

const high = 2 ** 32;
/** The high half of a safe integer stays below this. */
const highLimit = 2 ** 21;
/**
 * Small messages are laid one behind the other in slabs of this size: an allocation outside of the heap for each costs
 * more than all of its encoding.
 */
const slabBytes = 16_384;
const empty = new Uint8Array(0);

/** Writes messages, one after the other. What it has handed out it never touches again. */
export class ByteWriter {
  #bytes = new Uint8Array(slabBytes);
  /** Where the message under way begins. */
  #start = 0;
  #at = 0;

  /** Bytes of the message under way. */
  get length(): number {
    return this.#at - this.#start;
  }

  /** Drops the message under way. */
  reset(): void {
    this.#at = this.#start;
  }

  /**
   * Ends the message. A small one is a view that shares its slab with its neighbours: for bytes that are soon sent or
   * copied. Who keeps some of many for long takes `finishOwn`, or each would hold a whole slab.
   */
  finish(): Uint8Array {
    if (this.#bytes.length > slabBytes) return this.finishOwn();
    const message = this.#bytes.subarray(this.#start, this.#at);
    this.#start = this.#at;
    return message;
  }

  /** Ends the message and answers a copy that owns its memory. */
  finishOwn(): Uint8Array {
    const message = this.#bytes.slice(this.#start, this.#at);
    if (this.#bytes.length > slabBytes) {
      this.#bytes = new Uint8Array(slabBytes);
      this.#start = 0;
    }
    this.#at = this.#start;
    return message;
  }

  #room(count: number): void {
    if (this.#at + count > this.#bytes.length) this.#grow(count);
  }

  /** A new slab, or for a message that fills one, twice as much as it needs. */
  #grow(count: number): void {
    const length = this.#at - this.#start;
    const needed = length + count;
    const grown = new Uint8Array(needed > slabBytes / 2 ? Math.max(slabBytes + 1, needed * 2) : slabBytes);
    grown.set(this.#bytes.subarray(this.#start, this.#at));
    this.#bytes = grown;
    this.#start = 0;
    this.#at = length;
  }

  u8(value: number): void {
    assert(Number.isInteger(value) && value >= 0 && value <= 0xff, "the number is no uint8");
    this.#room(1);
    this.#bytes[this.#at++] = value;
  }

  bool(value: boolean): void {
    this.u8(value ? 1 : 0);
  }

  u16(value: number): void {
    assert(Number.isInteger(value) && value >= 0 && value <= 0xffff, "the number is no uint16");
    this.#room(2);
    this.#bytes[this.#at] = value;
    this.#bytes[this.#at + 1] = value >>> 8;
    this.#at += 2;
  }

  u32(value: number): void {
    assert(value >>> 0 === value, "the number is no uint32");
    this.#room(4);
    this.#put32(value);
  }

  i32(value: number): void {
    assert((value | 0) === value, "the number is no int32");
    this.#room(4);
    this.#put32(value);
  }

  #put32(value: number): void {
    const bytes = this.#bytes;
    const at = this.#at;
    bytes[at] = value;
    bytes[at + 1] = value >>> 8;
    bytes[at + 2] = value >>> 16;
    bytes[at + 3] = value >>> 24;
    this.#at = at + 4;
  }

  /** A safe integer ≥ 0 in 8 bytes: zxids, session ids, times, sequence numbers. */
  f53(value: number): void {
    assert(Number.isSafeInteger(value) && value >= 0, "the number is no safe integer from 0 on");
    this.#room(8);
    this.#put32(value >>> 0);
    this.#put32(Math.floor(value / high));
  }

  /** A duration or age: whole milliseconds, rounded up; negative ones are 0 and endless ones the greatest. */
  millis(value: number): void {
    this.f53(value > 0 ? Math.min(Math.ceil(value), Number.MAX_SAFE_INTEGER) : 0);
  }

  /** UTF-8 behind its length in bytes. */
  string(text: string): void {
    this.#room(4 + text.length * 3);
    const start = this.#at;
    const end = writeUtf8(text, this.#bytes, start + 4);
    this.#put32(end - start - 4);
    this.#at = end;
  }

  /** Bytes behind their length. */
  bytes(bytes: Uint8Array): void {
    this.#room(4 + bytes.length);
    this.#put32(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  /** Bytes whose length the reader knows. */
  raw(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }
}

/** Reads `bytes` (a Node Buffer too) from `from` to before `to`. What it hands out as bytes are views of the input. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #at: number;
  #failed = false;

  constructor(bytes: Uint8Array, from = 0, to: number = bytes.length) {
    this.#bytes = bytes;
    this.#at = from;
    this.#end = to;
  }

  get failed(): boolean {
    return this.#failed;
  }

  /** Nothing failed and nothing is left. */
  get finished(): boolean {
    return !this.#failed && this.#at === this.#end;
  }

  get remaining(): number {
    return this.#end - this.#at;
  }

  /** What was read is not what may stand here. Everything read from now on is zero or empty. */
  fail(): void {
    this.#failed = true;
    this.#at = this.#end;
  }

  /** The position of `count` bytes, now passed; -1 if there are fewer. */
  #take(count: number): number {
    const at = this.#at;
    if (count > this.#end - at) {
      this.fail();
      return -1;
    }
    this.#at = at + count;
    return at;
  }

  u8(): number {
    const at = this.#take(1);
    return at < 0 ? 0 : (this.#bytes[at] as number);
  }

  /** 0 or 1, nothing else. */
  bool(): boolean {
    return this.flags(1) === 1;
  }

  /** A byte that has no other bits than `mask`'s. */
  flags(mask: number): number {
    const value = this.u8();
    if ((value & ~mask) === 0) return value;
    this.fail();
    return 0;
  }

  u16(): number {
    const at = this.#take(2);
    return at < 0 ? 0 : (this.#bytes[at] as number) | ((this.#bytes[at + 1] as number) << 8);
  }

  i32(): number {
    const at = this.#take(4);
    return at < 0 ? 0 : this.#get32(at);
  }

  u32(): number {
    return this.i32() >>> 0;
  }

  #get32(at: number): number {
    const bytes = this.#bytes;
    return (
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)
    );
  }

  /** A safe integer ≥ 0 from 8 bytes; fails from 2^53 on. */
  f53(): number {
    const at = this.#take(8);
    if (at < 0) return 0;
    const top = this.#get32(at + 4) >>> 0;
    if (top >= highLimit) {
      this.fail();
      return 0;
    }
    return top * high + (this.#get32(at) >>> 0);
  }

  /** How many elements follow: at most `limit`, and each takes at least `leastBytes`. */
  count(limit: number, leastBytes: number): number {
    const value = this.u32();
    if (value <= limit && value * leastBytes <= this.remaining) return value;
    this.fail();
    return 0;
  }

  /** UTF-8 behind its length, at most `limit` bytes. */
  string(limit: number): string {
    const length = this.count(limit, 1);
    const at = this.#take(length);
    if (at < 0 || length === 0) return "";
    const text = readUtf8(this.#bytes, at, at + length);
    if (text !== undefined) return text;
    this.fail();
    return "";
  }

  /** A view of the bytes behind their length, at most `limit`. */
  bytes(limit: number): Uint8Array {
    return this.raw(this.count(limit, 1));
  }

  /** A view of the next `count` bytes; empty if there are fewer. */
  raw(count: number): Uint8Array {
    const at = this.#take(count);
    return at < 0 || count === 0 ? empty : this.#bytes.subarray(at, at + count);
  }

  /**
   * Text behind its length as `read` makes it of the bytes; undefined from `read` is a failure, answered as undefined.
   * For texts with rules of their own, such as paths.
   */
  text<T>(limit: number, read: (bytes: Uint8Array, from: number, to: number) => T | undefined): T | undefined {
    const length = this.count(limit, 1);
    const at = this.#take(length);
    const value = this.#failed ? undefined : read(this.#bytes, at, at + length);
    if (value === undefined) this.fail();
    return value;
  }
}
