/**
 * Who stands in a queue, in its order, and who of them holds. The holders are always its first ones, and who holds stays
 * among them until it goes: whoever comes later has a higher number.
 *
 * A sorted array: contenders come at its end and mostly go at its beginning, and a place is found by halving. What is moved
 * when one in the middle goes are pointers, some microseconds of ten thousand.
 */
import { assert, noSession } from "@quorate/api";
import { type NamedContender, parseContender, type QueueShape, signOf } from "./layout.ts";
import type { LockMode } from "./recipes.ts";

export interface Queued {
  readonly name: string;
  readonly mode: LockMode;
  /** Rises by one with each that is made in the queue, through the wraps of the int32 in the name. */
  readonly order: number;
}

export class ContenderQueue {
  readonly shape: QueueShape;
  readonly #byName = new Map<string, Queued>();
  /** How many names begin alike, as those of one session do. */
  readonly #alike = new Map<string, number>();
  readonly #signLength: number;
  #queue: Queued[] = [];
  #holders = 0;
  /** Order of the newest that ever came. */
  #newest: number | undefined;

  constructor(shape: QueueShape, names: readonly string[]) {
    this.shape = shape;
    this.#signLength = signOf(shape, noSession).length;
    const found: NamedContender[] = [];
    for (const name of names) {
      const contender = parseContender(shape, name);
      if (contender !== undefined) found.push(contender);
    }
    // Those that stand in one queue are near to each other: if the int32 wrapped between them, the negative ones came later.
    const high = found.some(({ number }) => number >= 2 ** 30);
    const wrapped = high && found.some(({ number }) => number < -(2 ** 30));
    for (const { name, number, mode } of found) {
      const order = wrapped && number < 0 ? number + 2 ** 32 : number;
      this.#byName.set(name, { name, mode, order });
      this.#count(name, 1);
    }
    this.#queue = [...this.#byName.values()].sort(compare);
    this.#newest = this.#queue.at(-1)?.order;
    this.advance();
  }

  get size(): number {
    return this.#queue.length;
  }

  /** How many of the first ones hold. */
  get holders(): number {
    return this.#holders;
  }

  has(name: string): boolean {
    return this.#byName.has(name);
  }

  at(index: number): Queued | undefined {
    return this.#queue[index];
  }

  /** How many stand before it; undefined: it is not there. */
  rank(name: string): number | undefined {
    const contender = this.#byName.get(name);
    return contender && this.#find(contender);
  }

  holds(name: string): boolean {
    const rank = this.rank(name);
    return rank !== undefined && rank < this.#holders;
  }

  /** In the queue's order. */
  list(from: number, most: number): readonly Queued[] {
    return this.#queue.slice(from, from + most);
  }

  /** All whose names begin as this one's with the sign of their session, if it is not the only one. */
  alike(name: string): readonly Queued[] {
    const sign = name.slice(0, this.#signLength);
    if ((this.#alike.get(sign) ?? 0) < 2) return [];
    return this.#queue.filter((each) => each.name.startsWith(sign));
  }

  #count(name: string, by: 1 | -1): void {
    const sign = name.slice(0, this.#signLength);
    const count = (this.#alike.get(sign) ?? 0) + by;
    if (count === 0) this.#alike.delete(sign);
    else this.#alike.set(sign, count);
  }

  /** False: it is no contender, or is there already. Who holds is known after `advance`. */
  add(name: string): boolean {
    if (this.#byName.has(name)) return false;
    const parsed = parseContender(this.shape, name);
    if (parsed === undefined) return false;
    const { number, mode } = parsed;
    // Int32 differences: right through a wrap.
    const order = this.#newest === undefined ? number : this.#newest + ((number - this.#newest) | 0);
    this.#newest = Math.max(order, this.#newest ?? order);
    const contender = { name, mode, order };
    this.#byName.set(name, contender);
    this.#count(name, 1);
    const index = this.#find(contender);
    this.#queue.splice(index, 0, contender);
    // Somebody made a low number by hand: who holds is told anew.
    if (index < this.#holders) this.#holders = index;
    return true;
  }

  /** False: it was not there. */
  remove(name: string): boolean {
    const contender = this.#byName.get(name);
    if (contender === undefined) return false;
    const index = this.#find(contender);
    assert(this.#queue[index] === contender, "who is known by name stands in the queue");
    this.#byName.delete(name);
    this.#count(name, -1);
    if (index === 0) this.#queue.shift();
    else this.#queue.splice(index, 1);
    if (index < this.#holders) this.#holders -= 1;
    return true;
  }

  /** Those who hold now and did not, in their order. */
  advance(): readonly Queued[] {
    const before = this.#holders;
    while (this.#holders < this.#queue.length && this.#mayHold(this.#holders)) this.#holders += 1;
    return this.#queue.slice(before, this.#holders);
  }

  /** All before it hold. */
  #mayHold(index: number): boolean {
    const { kind, permits = 1 } = this.shape;
    if (kind !== "readWrite") return index < permits;
    if (index === 0) return true;
    return this.#queue[0]?.mode === "read" && this.#queue[index]?.mode === "read";
  }

  /** Its index, or where it would stand. */
  #find(contender: Queued): number {
    let low = 0;
    let high = this.#queue.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compare(this.#queue[middle] as Queued, contender) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/**
 * By number. One number twice is Curator's: who holds a write lock and takes the read lock, too, gives that the same number, to
 * stand right behind itself.
 */
function compare(a: Queued, b: Queued): number {
  if (a.order !== b.order) return a.order - b.order;
  if (a.mode !== b.mode) return a.mode === "write" ? -1 : 1;
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}
