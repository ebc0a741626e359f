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
import type { WriteEntry } from "./write-entry.ts";

export class LaneWindow {
  readonly session: SessionId;
  readonly attachment: number;
  readonly #ring: (WriteEntry | undefined)[] = new Array<WriteEntry | undefined>(linkLimits.laneWindow).fill(undefined);
  #answered: number;
  #cursor: number;
  #next: number;
  #tainted: number;
  #bytes = 0;

  constructor(session: SessionId, attachment: number, lastSequence: number) {
    this.session = session;
    this.attachment = attachment;
    this.#answered = lastSequence;
    this.#tainted = lastSequence;
    this.#cursor = lastSequence + 1;
    this.#next = lastSequence + 1;
  }

  /** All up to this one are answered. */
  get answered(): number {
    return this.#answered;
  }
  /** The next number to be given. */
  get next(): number {
    return this.#next;
  }
  get size(): number {
    return this.#next - 1 - this.#answered;
  }
  get inFlight(): number {
    return this.#cursor - 1 - this.#answered;
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
  append(entry: WriteEntry, message: Uint8Array): void {
    assert(this.#cursor === this.#next, "a number is given only when all before it are sent");
    assert(this.size < linkLimits.laneWindow, "the lane's window is kept");
    entry.sequence = this.#next;
    entry.message = message;
    entry.size = message.length;
    this.#bytes += entry.size;
    this.#ring[entry.sequence % linkLimits.laneWindow] = entry;
    this.#next += 1;
    this.#cursor = this.#next;
  }

  /** The next one to be sent again; undefined: all are sent. */
  takeUnsent(): WriteEntry | undefined {
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
  decide(sequence: number): WriteEntry | undefined {
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
      const slot = (this.#answered + 1) % linkLimits.laneWindow;
      const entry = this.#ring[slot] as WriteEntry;
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
  refuse(sequence: number): readonly WriteEntry[] | undefined {
    if (sequence <= this.#answered || sequence >= this.#cursor) return undefined;
    const from = Math.max(sequence, this.#tainted + 1);
    const free: WriteEntry[] = [];
    for (let each = from; each < this.#next; each += 1) {
      const entry = this.#at(each);
      this.#ring[each % linkLimits.laneWindow] = undefined;
      this.#bytes -= entry.size;
      entry.sequence = 0;
      entry.message = undefined;
      free.push(entry);
    }
    this.#next = Math.min(this.#next, from);
    this.#cursor = sequence;
    return free;
  }

  *entries(): Generator<WriteEntry> {
    for (let each = this.#answered + 1; each < this.#next; each += 1) yield this.#at(each);
  }

  #at(sequence: number): WriteEntry {
    const entry = this.#ring[sequence % linkLimits.laneWindow];
    assert(entry !== undefined && entry.sequence === sequence, "the ring holds what was numbered");
    return entry;
  }
}
