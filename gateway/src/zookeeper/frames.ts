/**
 * A connection's byte stream, cut into frames: four bytes of length, then so many bytes. A frame that is whole in one chunk is
 * a view of it; one that comes in pieces is gathered in memory that grows with what has come, never with what was promised.
 */

const nothing = new Uint8Array(0);
const lengthBytes = 4;
/** The least that is taken for a frame in pieces. */
const leastBytes = 256;

/**
 * `push` what comes, then `next` until it is false. A frame lies in `bytes` from `from` to before `to`; its bytes are never
 * written again. What is not asked for stays: who stops in the midst of a chunk goes on with `next` later.
 */
export class FrameCutter {
  /** Of the frames that are cut from now on. */
  limitBytes: number;
  /** What has come and was not looked at: from `#at` on. */
  #chunk: Uint8Array = nothing;
  #at = 0;
  /** Before that, the beginning of a frame, its length included: the first `#have` bytes. */
  #part: Uint8Array = nothing;
  #have = 0;
  #fault: string | undefined;

  bytes: Uint8Array = nothing;
  from = 0;
  to = 0;

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes;
  }

  /** A length that no frame has: the stream makes no sense from there on, and nothing more comes of it. */
  get fault(): string | undefined {
    return this.#fault;
  }

  /** Bytes that have come and are in no frame that was handed out. */
  get waiting(): number {
    return this.#have + this.#chunk.length - this.#at;
  }

  /** The four bytes that are next: a length, or before the first frame perhaps a four-letter word. Undefined: fewer are here. */
  get first(): number | undefined {
    if (this.waiting < lengthBytes) return undefined;
    let first = 0;
    for (let i = 0; i < lengthBytes; i++) {
      const byte = i < this.#have ? this.#part[i] : this.#chunk[this.#at + i - this.#have];
      first = (first << 8) | (byte as number);
    }
    return first;
  }

  push(chunk: Uint8Array): void {
    if (this.#fault !== undefined) return;
    if (this.#at === this.#chunk.length) this.#chunk = chunk;
    else {
      const joined = new Uint8Array(this.#chunk.length - this.#at + chunk.length);
      joined.set(this.#chunk.subarray(this.#at));
      joined.set(chunk, this.#chunk.length - this.#at);
      this.#chunk = joined;
    }
    this.#at = 0;
  }

  next(): boolean {
    if (this.#have > 0) return this.#complete();
    const from = this.#at + lengthBytes;
    if (from > this.#chunk.length) return this.#keep(0);
    const length = intAt(this.#chunk, this.#at);
    if (!this.#fits(length)) return false;
    if (from + length > this.#chunk.length) return this.#keep(length);
    this.bytes = this.#chunk;
    this.from = from;
    this.to = from + length;
    this.#at = this.to;
    return true;
  }

  #fits(length: number): boolean {
    if (length >= 0 && length <= this.limitBytes) return true;
    this.#fault = `the length ${length} of a frame is outside 0 to ${this.limitBytes}`;
    this.#chunk = nothing;
    this.#at = 0;
    this.#part = nothing;
    this.#have = 0;
    return false;
  }

  /** What is left of the chunk is the beginning of a frame. */
  #keep(length: number): false {
    const rest = this.#chunk.length - this.#at;
    if (rest > 0) {
      this.#part = new Uint8Array(this.#roomFor(rest, length));
      this.#gather(rest);
    }
    return false;
  }

  /** Twice what is there, so that small pieces are not copied again and again, but never more than the frame has. */
  #roomFor(count: number, length: number): number {
    return Math.max(count, Math.min(count * 2 + leastBytes, lengthBytes + length));
  }

  /** Takes `count` bytes more of the chunk into the part, which has room for them. */
  #gather(count: number): void {
    this.#part.set(this.#chunk.subarray(this.#at, this.#at + count), this.#have);
    this.#have += count;
    this.#at += count;
    if (this.#at < this.#chunk.length) return;
    this.#chunk = nothing;
    this.#at = 0;
  }

  /** Goes on with the frame whose beginning is there. */
  #complete(): boolean {
    if (this.#have < lengthBytes) {
      this.#take(lengthBytes - this.#have, 0);
      if (this.#have < lengthBytes) return false;
    }
    const length = intAt(this.#part, 0);
    if (!this.#fits(length)) return false;
    this.#take(lengthBytes + length - this.#have, length);
    if (this.#have < lengthBytes + length) return false;
    this.bytes = this.#part;
    this.from = lengthBytes;
    this.to = this.#have;
    this.#part = nothing;
    this.#have = 0;
    return true;
  }

  /** At most `count` bytes of what is there. */
  #take(count: number, length: number): void {
    const taken = Math.min(count, this.#chunk.length - this.#at);
    if (taken === 0) return;
    if (this.#have + taken > this.#part.length) {
      const grown = new Uint8Array(this.#roomFor(this.#have + taken, length));
      grown.set(this.#part.subarray(0, this.#have));
      this.#part = grown;
    }
    this.#gather(taken);
  }
}

function intAt(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) << 24) |
    ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number)
  );
}
