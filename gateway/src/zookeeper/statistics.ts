/** What a connection, or the whole door, was asked and what it answered, as the four-letter words tell of it. */
import type { Zxid } from "@quorate/api";

/** Milliseconds. */
export interface Latency {
  readonly min: number;
  readonly average: number;
  readonly max: number;
}

/** What things of a kind took. */
export class Latencies {
  count = 0;
  /** Milliseconds, all together. */
  sum = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = 0;

  observe(millis: number): void {
    this.count += 1;
    this.sum += millis;
    if (millis < this.#min) this.#min = millis;
    if (millis > this.#max) this.#max = millis;
  }

  get latency(): Latency {
    if (this.count === 0) return { min: 0, average: 0, max: 0 };
    return { min: this.#min, average: this.sum / this.count, max: this.#max };
  }

  reset(): void {
    this.count = 0;
    this.sum = 0;
    this.#min = Number.POSITIVE_INFINITY;
    this.#max = 0;
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
  readonly #latencies = new Latencies();
  #lastBytes = 0;
  #minBytes = Number.POSITIVE_INFINITY;
  #maxBytes = 0;

  /** A reply that took so long, and its frame's bytes. */
  observe(millis: number, bytes: number): void {
    this.#latencies.observe(millis);
    this.#lastBytes = bytes;
    if (bytes < this.#minBytes) this.#minBytes = bytes;
    if (bytes > this.#maxBytes) this.#maxBytes = bytes;
  }

  get latency(): Latency {
    return this.#latencies.latency;
  }

  get replySizes(): ReplySizes | undefined {
    if (this.#latencies.count === 0) return undefined;
    return { last: this.#lastBytes, min: this.#minBytes, max: this.#maxBytes };
  }

  reset(): void {
    this.received = 0;
    this.sent = 0;
    this.#latencies.reset();
    this.#lastBytes = 0;
    this.#minBytes = Number.POSITIVE_INFINITY;
    this.#maxBytes = 0;
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
