/** Virtual time: a heap of events, run in order of (time, arrival). */

interface Event {
  readonly at: number;
  readonly order: number;
  run: (() => void) | undefined;
}

/** An event that may still be taken back. */
export interface Pending {
  cancel(): void;
}

export class VirtualTime {
  #now = 0;
  #order = 0;
  readonly #heap: Event[] = [];
  /** Events that were run. */
  count = 0;

  get now(): number {
    return this.#now;
  }

  after(millis: number, run: () => void): Pending {
    const event: Event = { at: this.#now + Math.max(0, millis), order: this.#order++, run };
    this.#push(event);
    return {
      cancel: () => {
        event.run = undefined;
      },
    };
  }

  /** Runs events until `until`; `each` after every one. */
  runUntil(until: number, each: () => void): void {
    for (;;) {
      const next = this.#heap[0];
      if (!next || next.at > until) break;
      this.#pop();
      if (!next.run) continue;
      this.#now = next.at;
      this.count += 1;
      next.run();
      each();
    }
    this.#now = until;
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.push(event) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(heap[at] as Event, heap[parent] as Event)) break;
      [heap[at], heap[parent]] = [heap[parent] as Event, heap[at] as Event];
      at = parent;
    }
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Event;
    if (heap.length === 0) return;
    heap[0] = last;
    let at = 0;
    for (;;) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < heap.length && before(heap[child] as Event, heap[least] as Event)) least = child;
      }
      if (least === at) return;
      [heap[at], heap[least]] = [heap[least] as Event, heap[at] as Event];
      at = least;
    }
  }
}

function before(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
