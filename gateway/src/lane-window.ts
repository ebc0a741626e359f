/**
 * The numbered writes of a lane: a ring by sequence, from the first unanswered to the last given.
 *
 * Three marks: `answered` ≤ `cursor` - 1 ≤ `next` - 1. What lies between `answered` and `cursor` was sent since the last
 * fence; what lies from `cursor` on waits to be sent again. `tainted` is the last number that the replicated state may
 * hold: those above it, if any, were sent once, on this stream, since its fence. Both are prefixes because a lane is
 * sent in order: whoever sent n sent all before it on the same stream.
 */
import { assert, type SessionId } from "@quorate/api";
import { linkLimits } from "./limits.ts";
import type { WriteMessage } from "./stream.ts";

/** A write that has, or may get, a number. */
export interface Numbered {
  /** 0: it has none, and is in no try of unknown fate. */
  sequence: number;
  /** Of its number. */
  message: WriteMessage | undefined;
  /** Estimated until it is encoded. */
  size: number;
  /** Its outcome is known. */
  decided: boolean;
}

const firstSlots = 8;
/** Of a message, besides its command. */
const messageBytes = 24;

export class LaneWindow<T extends Numbered> {
  readonly session: SessionId;
  readonly attachment: number;
  /** Grows with what is under way, to a power of two: most sessions never have much. */
  #ring: (T | undefined)[] = new Array<T | undefined>(firstSlots).fill(undefined);
  #answered: number;
  #cursor: number;
  #next: number;
  #tainted: number;
  #bytes = 0;

  /** Begins behind `answered`; up to `lastSequence` the replicated state holds the numbers already. */
  constructor(session: SessionId, attachment: number, answered: number, lastSequence: number = answered) {
    this.session = session;
    this.attachment = attachment;
    this.#answered = answered;
    this.#tainted = lastSequence;
    this.#cursor = answered + 1;
    this.#next = answered + 1;
  }

  /** All up to this one are answered. */
  get answered(): number {
    return this.#answered;
  }
  /** The next number to be given. */
  get next(): number {
    return this.#next;
  }
  /** The last number that the replicated state may hold. */
  get highest(): number {
    return Math.max(this.#next - 1, this.#tainted);
  }
  get size(): number {
    return this.#next - 1 - this.#answered;
  }
  get inFlight(): number {
    return this.#cursor - 1 - this.#answered;
  }
  /** Something waits to be sent again. */
  get resending(): boolean {
    return this.#cursor !== this.#next;
  }
  get bytes(): number {
    return this.#bytes;
  }

  /** A write of this size may get a number now. */
  admits(size: number): boolean {
    if (this.size >= linkLimits.laneWindow) return false;
    return this.#bytes === 0 || this.#bytes + size <= linkLimits.laneBytes;
  }

  /** Gives the next number; all given before were sent. */
  append(entry: T, message: WriteMessage): void {
    assert(this.#cursor === this.#next, "a number is given only when all before it are sent");
    assert(this.size < linkLimits.laneWindow, "the lane's window is kept");
    entry.sequence = this.#next;
    entry.message = message;
    entry.size = message.command.length + messageBytes;
    this.#bytes += entry.size;
    if (this.size >= this.#ring.length) this.#grow();
    this.#ring[entry.sequence % this.#ring.length] = entry;
    this.#next += 1;
    this.#cursor = this.#next;
  }

  #grow(): void {
    const ring = new Array<T | undefined>(this.#ring.length * 2).fill(undefined);
    for (let each = this.#answered + 1; each < this.#next; each += 1) ring[each % ring.length] = this.#at(each);
    this.#ring = ring;
  }

  /** The next one to be sent again; undefined: all are sent. */
  takeUnsent(): T | undefined {
    if (this.#cursor === this.#next) return undefined;
    const entry = this.#at(this.#cursor);
    this.#cursor += 1;
    return entry;
  }

  /** The fate of all that was sent is unknown from here on; all of it is to be sent again. */
  rewind(): void {
    this.#tainted = Math.max(this.#tainted, this.#cursor - 1);
    this.#cursor = this.#answered + 1;
    assert(this.#next - 1 <= Math.max(this.#tainted, this.#answered), "what is not tainted has no number");
  }

  /** The replicated state holds `sequence`. Undefined: not of this window, or known already. */
  decide(sequence: number): T | undefined {
    if (sequence <= this.#answered || sequence >= this.#next) return undefined;
    const entry = this.#at(sequence);
    if (entry.decided) return undefined;
    entry.decided = true;
    this.#tainted = Math.max(this.#tainted, sequence);
    this.#advance();
    return entry;
  }

  #advance(): void {
    while (this.#answered + 1 < this.#next) {
      const slot = (this.#answered + 1) % this.#ring.length;
      const entry = this.#ring[slot] as T;
      if (!entry.decided) break;
      this.#ring[slot] = undefined;
      this.#bytes -= entry.size;
      this.#answered += 1;
    }
    if (this.#cursor <= this.#answered) this.#cursor = this.#answered + 1;
  }

  /**
   * This stream's try of `sequence`, and of all behind it, was not taken. Takes back the numbers that no other try has
   * used and returns their writes, in order; undefined if there was no such try.
   */
  refuse(sequence: number): readonly T[] | undefined {
    if (sequence <= this.#answered || sequence >= this.#cursor) return undefined;
    const from = Math.max(sequence, this.#tainted + 1);
    const free: T[] = [];
    for (let each = from; each < this.#next; each += 1) {
      const entry = this.#at(each);
      this.#ring[each % this.#ring.length] = undefined;
      this.#bytes -= entry.size;
      entry.sequence = 0;
      entry.message = undefined;
      free.push(entry);
    }
    this.#next = Math.min(this.#next, from);
    this.#cursor = sequence;
    return free;
  }

  *entries(): Generator<T> {
    for (let each = this.#answered + 1; each < this.#next; each += 1) yield this.#at(each);
  }

  #at(sequence: number): T {
    const entry = this.#ring[sequence % this.#ring.length];
    assert(entry !== undefined && entry.sequence === sequence, "the ring holds what was numbered");
    return entry;
  }
}
