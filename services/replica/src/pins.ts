/** What transfers under way still need: log behind a position, and files. Pruning asks here. */
import type { Zxid } from "@quorate/api";

export interface Pin {
  /** Idempotent. */
  release(): void;
}

interface Held {
  readonly after: Zxid;
  readonly file: string | undefined;
}

export class Pins {
  readonly #held: Set<Held> = new Set();

  /** Log behind `after` (and the file) stays until the pin is released. */
  hold(after: Zxid, file?: string): Pin {
    const held = { after, file };
    this.#held.add(held);
    return { release: () => void this.#held.delete(held) };
  }

  /** The log behind this is needed; Infinity when nothing is. */
  floor(): number {
    let floor = Number.POSITIVE_INFINITY;
    for (const held of this.#held) floor = Math.min(floor, held.after);
    return floor;
  }

  holds(file: string): boolean {
    for (const held of this.#held) if (held.file === file) return true;
    return false;
  }

  /** Holds from now until the iteration ends, fails or is given up. */
  during<T>(after: Zxid, source: AsyncGenerator<T, void>): AsyncIterableIterator<T, void> {
    const pin = this.hold(after);
    const iterator: AsyncIterableIterator<T, void> = {
      [Symbol.asyncIterator]: () => iterator,
      next: async () => {
        try {
          const step = await source.next();
          if (step.done === true) pin.release();
          return step;
        } catch (error) {
          pin.release();
          throw error;
        }
      },
      return: async () => {
        pin.release();
        return await source.return();
      },
    };
    return iterator;
  }
}
