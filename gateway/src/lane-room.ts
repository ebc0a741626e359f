/** How much of a session's lane is not answered, and whether it takes more. */
import { linkLimits } from "./limits.ts";

export class LaneRoom {
  /** More, or less, memory is taken; false: all lanes together take too much. */
  readonly #take: (bytes: number) => boolean;
  #count = 0;
  #bytes = 0;
  #full = false;
  #crowded = false;

  constructor(take: (bytes: number) => boolean) {
    this.#take = take;
  }

  /** Requests that are not answered. */
  get count(): number {
    return this.#count;
  }

  get writable(): boolean {
    if (this.#count === 0) return true;
    return this.#count < linkLimits.sessionRequests && this.#bytes < linkLimits.sessionBytes && !this.#crowded;
  }

  enter(bytes: number): void {
    this.#count += 1;
    this.#bytes += bytes;
    this.#crowded = !this.#take(bytes);
    if (!this.writable) this.#full = true;
  }

  leave(bytes: number): void {
    this.#count -= 1;
    this.#bytes -= bytes;
    this.#crowded = !this.#take(-bytes);
    // Others may have taken so much meanwhile that it takes no more.
    if (!this.writable) this.#full = true;
  }

  /** Once, when it had been full and is half empty. */
  relieved(): boolean {
    if (!this.#full || (this.#count > 0 && !this.#isHalfEmpty)) return false;
    this.#full = false;
    return true;
  }

  get #isHalfEmpty(): boolean {
    const { sessionRequests, sessionBytes } = linkLimits;
    return this.#count <= sessionRequests / 2 && this.#bytes <= sessionBytes / 2 && !this.#crowded;
  }

  close(): void {
    this.#take(-this.#bytes);
  }
}
