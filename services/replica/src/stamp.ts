/**
 * The leader's time: the last stamp plus the monotonic time since, slewed towards its wall clock by at most a tenth, so
 * that no clock's jump expires anything (ARCHITECTURE.md, "Time").
 */
import type { Clock } from "./world.ts";

export class Stamper {
  readonly #clock: Clock;
  #stamp = 0;
  #at = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * A new leadership begins: stamps go on from the last one that was replicated, which this replica saw at `seenAt`, so
   * that no TTL is lengthened by the quiet before; an empty history takes the wall's.
   */
  begin(last: number, seenAt: number): void {
    this.#stamp = last === 0 ? this.#clock.wall() : last;
    this.#at = last === 0 ? this.#clock.now() : seenAt;
  }

  /** Milliseconds since 1970, whole, never falling. */
  next(): number {
    const now = this.#clock.now();
    const elapsed = now - this.#at;
    const behind = this.#clock.wall() - (this.#stamp + elapsed);
    const slew = Math.max(-elapsed / 10, Math.min(elapsed / 10, behind));
    this.#stamp += elapsed + slew;
    this.#at = now;
    return Math.floor(this.#stamp);
  }
}
