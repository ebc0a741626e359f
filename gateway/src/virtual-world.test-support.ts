/** Virtual time and seeded chance for the tests of the link: nothing waits for a real clock. */
import type { GatewayTimer, GatewayWorld } from "./ports.ts";

export class VirtualWorld implements GatewayWorld {
  #now = 1000;
  #order = 0;
  readonly #heap: { at: number; order: number; run: () => void }[] = [];
  #state: number;

  constructor(seed: number) {
    this.#state = (seed * 2654435761 + 88675123) >>> 0 || 1;
  }

  now(): number {
    return this.#now;
  }

  after(millis: number, run: () => void): GatewayTimer {
    let cancelled = false;
    this.#push(this.#now + millis, () => {
      if (!cancelled) run();
    });
    return {
      cancel: () => {
        cancelled = true;
      },
    };
  }

  every(millis: number, run: () => void): GatewayTimer {
    let cancelled = false;
    const again = (): void => {
      if (cancelled) return;
      run();
      this.#push(this.#now + millis, again);
    };
    this.#push(this.#now + millis, again);
    return {
      cancel: () => {
        cancelled = true;
      },
    };
  }

  next(run: () => void): void {
    this.soon(run);
  }

  soon(run: () => void): void {
    this.#push(this.#now, run);
  }

  randomBytes(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => this.below(256));
  }

  /** 0 ≤ result < bound, a whole number (xorshift32). */
  below(bound: number): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x >>> 0;
    return this.#state % bound;
  }

  chance(probability: number): boolean {
    return this.below(1_000_000) < probability * 1_000_000;
  }

  /** Runs all that is due within `millis`. */
  async run(millis: number): Promise<void> {
    const until = this.#now + millis;
    for (let first = this.#heap[0]; first && first.at <= until; first = this.#heap[0]) {
      this.#pop();
      this.#now = Math.max(this.#now, first.at);
      first.run();
      await Promise.resolve();
    }
    this.#now = until;
  }

  #push(at: number, run: () => void): void {
    const heap = this.#heap;
    this.#order++;
    const item = { at, order: this.#order, run };
    let index = heap.push(item) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!earlier(item, heap[parent] as typeof item)) break;
      heap[index] = heap[parent] as typeof item;
      index = parent;
    }
    heap[index] = item;
  }

  #pop(): void {
    const heap = this.#heap;
    const item = heap.pop();
    if (!item || heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && earlier(heap[child + 1] as typeof item, heap[child] as typeof item)) child += 1;
      if (!earlier(heap[child] as typeof item, item)) break;
      heap[index] = heap[child] as typeof item;
      index = child;
    }
    heap[index] = item;
  }
}

function earlier(a: { at: number; order: number }, b: { at: number; order: number }): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
