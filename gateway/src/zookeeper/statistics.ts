/** What a connection, or the whole door, was asked and what it answered, as the four-letter words tell of it. */
import type { Zxid } from "@quorate/api";

/** Milliseconds. */
export interface Latency {
  readonly min: number;
  readonly average: number;
  readonly max: number;
}

export class Statistics {
  /** Frames, and four-letter words. */
  received = 0;
  /** Replies and events. */
  sent = 0;
  #answered = 0;
  #sum = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = 0;

  /** A reply that took so long. */
  observe(millis: number): void {
    this.#answered += 1;
    this.#sum += millis;
    if (millis < this.#min) this.#min = millis;
    if (millis > this.#max) this.#max = millis;
  }

  get latency(): Latency {
    if (this.#answered === 0) return { min: 0, average: 0, max: 0 };
    return { min: this.#min, average: this.#sum / this.#answered, max: this.#max };
  }

  reset(): void {
    this.received = 0;
    this.sent = 0;
    this.#answered = 0;
    this.#sum = 0;
    this.#min = Number.POSITIVE_INFINITY;
    this.#max = 0;
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
