/**
 * Jute, the bytes of ZooKeeper's records: big-endian numbers, texts and buffers behind their length (-1: null), vectors
 * behind their count (-1: null). The reader believes nothing: it never throws, allocates no more than its input can back,
 * and once it has failed gives zeros, so that a decoder asks for `failed` once at its end.
 */
import { assert, noSession, readUtf8, type SessionId, writeUtf8, type Zxid } from "@quorate/api";

const high = 2 ** 32;
/** The high half of a safe integer stays below this. */
const highLimit = 2 ** 21;
const nothing = new Uint8Array(0);
const lenient = new TextDecoder("utf-8", { ignoreBOM: true });

/** Reads what `reset` gave it. What it hands out as bytes are views of that. */
export class JuteReader {
  #bytes: Uint8Array = nothing;
  #at = 0;
  #end = 0;
  #failed = false;

  /** Begins anew, at `from`, and ends before `to`. */
  reset(bytes: Uint8Array, from: number, to: number): void {
    this.#bytes = bytes;
    this.#at = from;
    this.#end = to;
    this.#failed = false;
  }

  get failed(): boolean {
    return this.#failed;
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

  /** Anything but 0 is true, as in Java. */
  bool(): boolean {
    const at = this.#take(1);
    return at >= 0 && this.#bytes[at] !== 0;
  }

  int(): number {
    const at = this.#take(4);
    return at < 0 ? 0 : readInt(this.#bytes, at);
  }

  /** As near as a number comes: beyond 2^53 it is rounded, so it is for quantities, not for names of things. */
  long(): number {
    const at = this.#take(8);
    return at < 0 ? 0 : readInt(this.#bytes, at) * high + (readInt(this.#bytes, at + 4) >>> 0);
  }

  /** What no zxid of ours can be is the greatest number, which compares as it would; negative ones are 0. */
  zxid(): Zxid {
    const value = this.long();
    return Math.max(0, Math.min(value, Number.MAX_SAFE_INTEGER)) as Zxid;
  }

  /** Undefined: a number that no session of ours has. Never rounded to another one's. */
  session(): SessionId | undefined {
    const at = this.#take(8);
    if (at < 0) return noSession;
    const top = readInt(this.#bytes, at);
    if (top < 0 || top >= highLimit) return undefined;
    return (top * high + (readInt(this.#bytes, at + 4) >>> 0)) as SessionId;
  }

  /** The length of a text or buffer; -1: null. */
  #length(): number {
    const length = this.int();
    if (length >= -1 && length <= this.remaining) return length;
    this.fail();
    return -1;
  }

  /** Undefined: null. Bytes that are no UTF-8 become U+FFFD, as in Java, which no path may have. */
  string(): string | undefined {
    const length = this.#length();
    if (length < 0) return undefined;
    const at = this.#at;
    const end = at + length;
    this.#at = end;
    return readUtf8(this.#bytes, at, end) ?? lenient.decode(this.#bytes.subarray(at, end));
  }

  /** A text that must be there: null is a fault. */
  text(): string {
    const text = this.string();
    if (text !== undefined) return text;
    this.fail();
    return "";
  }

  /** Undefined: null. */
  buffer(): Uint8Array | undefined {
    const length = this.#length();
    if (length < 0) return undefined;
    const at = this.#at;
    this.#at = at + length;
    return length === 0 ? nothing : this.#bytes.subarray(at, at + length);
  }

  /** Whether exactly these bytes come next; then they are passed. */
  passed(bytes: Uint8Array): boolean {
    const { length } = bytes;
    if (length > this.remaining) return false;
    for (let i = 0; i < length; i++) if (bytes[i] !== this.#bytes[this.#at + i]) return false;
    this.#at += length;
    return true;
  }

  /** How many elements follow, each of at least `leastBytes`; -1: null. Other negative counts are none, as in Java. */
  count(leastBytes: number): number {
    const count = this.int();
    if (count <= 0) return count === -1 ? -1 : 0;
    if (count * leastBytes <= this.remaining) return count;
    this.fail();
    return 0;
  }
}

function readInt(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) << 24) |
    ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number)
  );
}

const slabBytes = 65_536;
/** A rest is worth keeping from the one on; memory is, up to the other. */
const leastRestBytes = 4096;
const mostSlabBytes = 4 * slabBytes;
/** Rests that wait for a writer. Beyond: dropped. */
const restLimit = 64;
/** Copying fewer bytes one by one is cheaper than asking for it. */
const fewBytes = 32;

interface Slab {
  readonly bytes: Uint8Array;
  readonly at: number;
}

/**
 * The memory that many writers share: what one of them has not used goes to the next one, so that an idle connection holds
 * none and a message costs no allocation of its own.
 */
export class Slabs {
  readonly #rests: Slab[] = [];

  get(leastBytes: number): Slab {
    const rest = this.#rests.pop();
    if (rest && rest.bytes.length - rest.at >= leastBytes) return rest;
    return { bytes: new Uint8Array(Math.max(slabBytes, leastBytes)), at: 0 };
  }

  put(bytes: Uint8Array, at: number): void {
    const kept = bytes.length <= mostSlabBytes && bytes.length - at >= leastRestBytes;
    if (kept && this.#rests.length < restLimit) this.#rests.push({ bytes, at });
  }
}

/** Writes records one behind the other, until `take` hands them out together. What it has handed out it never touches again. */
export class JuteWriter {
  readonly #slabs: Slabs;
  #bytes: Uint8Array = nothing;
  /** Where what is not handed out begins. */
  #start = 0;
  #at = 0;

  constructor(slabs: Slabs) {
    this.#slabs = slabs;
  }

  /** Bytes that are not handed out. */
  get length(): number {
    return this.#at - this.#start;
  }

  /** All that was written since the last time. */
  take(): Uint8Array {
    const taken = this.#bytes.subarray(this.#start, this.#at);
    this.#slabs.put(this.#bytes, this.#at);
    this.#bytes = nothing;
    this.#start = 0;
    this.#at = 0;
    return taken;
  }

  /** Drops what was written behind `length`. */
  rewind(length: number): void {
    assert(length >= 0 && length <= this.length, "what is dropped was written");
    this.#at = this.#start + length;
  }

  #room(count: number): void {
    if (this.#at + count > this.#bytes.length) this.#grow(count);
  }

  #grow(count: number): void {
    const length = this.length;
    const { bytes, at } = this.#slabs.get(length === 0 ? count : (length + count) * 2);
    bytes.set(this.#bytes.subarray(this.#start, this.#at), at);
    this.#slabs.put(this.#bytes, this.#start);
    this.#bytes = bytes;
    this.#start = at;
    this.#at = at + length;
  }

  bool(value: boolean): void {
    this.#room(1);
    this.#bytes[this.#at++] = value ? 1 : 0;
  }

  int(value: number): void {
    assert((value | 0) === value, "the number is no int");
    this.#room(4);
    this.#put(value);
  }

  #put(value: number): void {
    const bytes = this.#bytes;
    const at = this.#at;
    bytes[at] = value >>> 24;
    bytes[at + 1] = value >>> 16;
    bytes[at + 2] = value >>> 8;
    bytes[at + 3] = value;
    this.#at = at + 4;
  }

  /** A safe integer. */
  long(value: number): void {
    assert(Number.isSafeInteger(value), "the number is no safe integer");
    this.#room(8);
    this.#put(Math.floor(value / high));
    this.#put(value >>> 0);
  }

  /** Undefined: null. */
  string(text: string | undefined): void {
    if (text === undefined) return this.int(-1);
    this.#room(4 + text.length * 3);
    const start = this.#at;
    const end = writeUtf8(text, this.#bytes, start + 4);
    this.#put(end - start - 4);
    this.#at = end;
  }

  /** Undefined: null. */
  buffer(buffer: Uint8Array | undefined): void {
    if (buffer === undefined) return this.int(-1);
    const { length } = buffer;
    this.#room(4 + length);
    this.#put(length);
    if (length > fewBytes) this.#bytes.set(buffer, this.#at);
    else for (let i = 0; i < length; i++) this.#bytes[this.#at + i] = buffer[i] as number;
    this.#at += length;
  }

  /** Room for a length that is known later; answers where the frame begins, for `end`. */
  begin(): number {
    this.#room(4);
    this.#at += 4;
    return this.length;
  }

  /** Writes the length of the frame that began at `begin`'s answer; answers it. */
  end(begun: number): number {
    const length = this.length - begun;
    const at = this.#at;
    this.#at = this.#start + begun - 4;
    this.#put(length);
    this.#at = at;
    return length;
  }
}
