/**
 * Deadlines without a timer for each request: a wheel of slots, one tick for all. Adding and removing cost a few
 * stores. What is farther away than one turn of the wheel stays in its slot until its round comes.
 */
import { linkLimits } from "./limits.ts";

/** What has a deadline; `wheelSlot` and `wheelPlace` belong to the wheel, -1 while it is on none. */
export interface Timed {
  /** On the gateway's monotonic clock. */
  readonly deadline: number;
  wheelSlot: number;
  wheelPlace: number;
}

const { deadlineSlots: slotCount, deadlineTickMillis: tickMillis } = linkLimits;

export class Deadlines<T extends Timed> {
  readonly #slots: T[][] = Array.from({ length: slotCount }, () => []);
  readonly #expire: (item: T) => void;
  #turned: number;
  #size = 0;

  constructor(now: number, expire: (item: T) => void) {
    this.#turned = Math.floor(now / tickMillis);
    this.#expire = expire;
  }

  get size(): number {
    return this.#size;
  }

  add(item: T): void {
    // A deadline that is over already waits for the next tick: nothing expires inside the call that made it.
    const tick = Math.max(Math.ceil(item.deadline / tickMillis), this.#turned + 1);
    const slot = this.#slots[tick % slotCount] as T[];
    item.wheelSlot = tick % slotCount;
    item.wheelPlace = slot.length;
    slot.push(item);
    this.#size += 1;
  }

  remove(item: T): void {
    if (item.wheelSlot < 0) return;
    const slot = this.#slots[item.wheelSlot] as T[];
    const last = slot.pop() as T;
    if (last !== item) {
      slot[item.wheelPlace] = last;
      last.wheelPlace = item.wheelPlace;
    }
    item.wheelSlot = -1;
    this.#size -= 1;
  }

  /** Expires all whose time is over, each taken off the wheel first. */
  tick(now: number): void {
    const until = Math.floor(now / tickMillis);
    const from = Math.max(this.#turned + 1, until - slotCount + 1);
    if (until < from) return;
    this.#turned = until;
    if (this.#size === 0) return;
    const due: T[] = [];
    for (let tick = from; tick <= until; tick += 1) {
      for (const item of this.#slots[tick % slotCount] as T[]) if (item.deadline <= now) due.push(item);
    }
    for (const item of due) {
      if (item.wheelSlot < 0) continue;
      this.remove(item);
      this.#expire(item);
    }
  }
}
