/** A first-in-first-out queue from whose midst an item can be taken in no time: its links lie in the items. */

export interface Queued<T> {
  queue: unknown;
  before: T | undefined;
  after: T | undefined;
}

export class Queue<T extends Queued<T>> {
  #first: T | undefined;
  #last: T | undefined;
  #size = 0;

  get first(): T | undefined {
    return this.#first;
  }

  get size(): number {
    return this.#size;
  }

  push(item: T): void {
    item.queue = this;
    item.before = this.#last;
    item.after = undefined;
    if (this.#last) this.#last.after = item;
    else this.#first = item;
    this.#last = item;
    this.#size += 1;
  }

  pushFront(item: T): void {
    item.queue = this;
    item.before = undefined;
    item.after = this.#first;
    if (this.#first) this.#first.before = item;
    else this.#last = item;
    this.#first = item;
    this.#size += 1;
  }

  /** Harmless when the item is not in this queue. */
  remove(item: T): void {
    if (item.queue !== this) return;
    if (item.before) item.before.after = item.after;
    else this.#first = item.after;
    if (item.after) item.after.before = item.before;
    else this.#last = item.before;
    item.queue = undefined;
    item.before = undefined;
    item.after = undefined;
    this.#size -= 1;
  }
}
