/**
 * The changes that came while watches wait for the replies that arm them: a watch is armed at its reply's zxid, and what
 * changed behind that is told behind the reply. In zxid order; bounded (`backlogChanges`).
 */
import { type FeedChange, type Zxid, zeroZxid } from "@quorate/api";

/**
 * Of a change, as bits: its own path, its parent may be read; an event of its own path, of its parent was told. Above them:
 * its place in its transaction.
 */
export const marks = { ownReadable: 1, parentReadable: 2, ownTold: 4, parentTold: 8, placeShift: 4 } as const;

export class WatchBacklog {
  #changes: FeedChange[] = [];
  #marks: number[] = [];
  #lost: Zxid = zeroZxid;
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#changes.length;
  }

  /** Some up to here were forgotten (`overflow`). */
  get lost(): Zxid {
    return this.#lost;
  }

  /** False: there is no room. */
  push(change: FeedChange, mark: number): boolean {
    if (this.#changes.length >= this.#most) return false;
    this.#changes.push(change);
    this.#marks.push(mark);
    return true;
  }

  /** Forgets all, this one too. */
  overflow({ zxid }: FeedChange): void {
    this.clear();
    this.#lost = zxid;
  }

  /** Those up to `zxid` are not asked for any more. */
  forget(zxid: Zxid): void {
    const count = this.#place(zxid);
    if (count === 0) return;
    if (count === this.#changes.length) return this.clear();
    this.#changes.splice(0, count);
    this.#marks.splice(0, count);
  }

  clear(): void {
    if (this.#changes.length === 0) return;
    this.#changes = [];
    this.#marks = [];
  }

  /** All behind `zxid`; `look` answers the marks that it has then. */
  behind(zxid: Zxid, look: (change: FeedChange, mark: number) => number): void {
    const changes = this.#changes;
    for (let i = this.#place(zxid); i < changes.length; i++) {
      this.#marks[i] = look(changes[i] as FeedChange, this.#marks[i] as number);
    }
  }

  /** How many are up to `zxid`. */
  #place(zxid: Zxid): number {
    const changes = this.#changes;
    let [low, high] = [0, changes.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((changes[middle] as FeedChange).zxid <= zxid) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
