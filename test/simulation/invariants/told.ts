/** The newest zxid that clients were told of, by true time. */
import type { Zxid } from "@quorate/api";

export class Told {
  readonly #times: number[] = [];
  readonly #zxids: Zxid[] = [];

  get newest(): Zxid {
    return this.#zxids.at(-1) ?? (0 as Zxid);
  }

  /** Times never fall. */
  tell(at: number, zxid: Zxid): void {
    if (zxid <= this.newest) return;
    this.#times.push(at);
    this.#zxids.push(zxid);
  }

  /** The newest that was told before `at`. */
  before(at: number): Zxid {
    let low = 0;
    let high = this.#times.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#times[middle] as number) < at) low = middle + 1;
      else high = middle;
    }
    return this.#zxids[low - 1] ?? (0 as Zxid);
  }
}
