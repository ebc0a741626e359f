/** What a connection, or the whole door, was asked and what it answered, as the four-letter words tell of it. */
import type { Zxid } from "@quorate/api";

/** Milliseconds. */
export interface Latency {
  readonly min: number;
  readonly average: number;
  readonly max: number;
}

/** How many things of a kind there were, and what they took: milliseconds, or bytes. */
export class Tally {
  count = 0;
  sum = 0;
  last = 0;
  #min = Number.POSITIVE_INFINITY;
  max = 0;

  observe(value: number): void {
    this.count += 1;
    this.sum += value;
    this.last = value;
    if (value < this.#min) this.#min = value;
    if (value > this.max) this.max = value;
  }

  /** 0 while there was none, as the others. */
  get min(): number {
    return this.count === 0 ? 0 : this.#min;
  }

  reset(): void {
    this.count = 0;
    this.sum = 0;
    this.last = 0;
    this.#min = Number.POSITIVE_INFINITY;
    this.max = 0;
  }
}

/** Of the replies' frames, without the four bytes of their length; undefined: there was none. */
export interface ReplySizes {
  readonly last: number;
  readonly min: number;
  readonly max: number;
}

export class Statistics {
  /** Frames, and four-letter words. */
  received = 0;
  /** Replies and events. */
  sent = 0;
  readonly #millis = new Tally();
  readonly #bytes = new Tally();

  /** A reply that took so long, and its frame's bytes. */
  observe(millis: number, bytes: number): void {
    this.#millis.observe(millis);
    this.#bytes.observe(bytes);
  }

  get latency(): Latency {
    const { count, sum, min, max } = this.#millis;
    return { min, average: count === 0 ? 0 : sum / count, max };
  }

  get replySizes(): ReplySizes | undefined {
    const { count, last, min, max } = this.#bytes;
    return count === 0 ? undefined : { last, min, max };
  }

  reset(): void {
    this.received = 0;
    this.sent = 0;
    this.#millis.reset();
    this.#bytes.reset();
  }
}

/** The last reply of a connection. */
export interface LastReply {
  /** Of its request: `op` of the body. */
  readonly op: string;
  readonly xid: number;
  readonly zxid: Zxid;
  /** When it was put out, and how long that took; monotonic. */
  readonly at: number;
  readonly millis: number;
}
