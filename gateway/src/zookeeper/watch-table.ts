/**
 * What one connection watches, and what a change is to it: ZooKeeper 3.9's WatchManager (its tables of data and of child
 * watches, with WatchStats), seen from one watcher. Pure; knows no rights, no order and nobody to tell.
 *
 * - Kinds stand beside each other on a path; setting one again changes nothing.
 * - An event of a path is one event, however many kinds hear it, here or in a recursive watch above.
 * - One-shot kinds are spent by what they hear: `data` by everything about its znode, `child` by its znode's deletion and
 *   by its children's comings and goings. The others stay.
 * - `data` is exists and getData alike. A recursive watch is told nothing of lists of children.
 */
import { type ChangeType, type Path, parentOf } from "@quorate/api";

/** One bit for each kind; a path has some of them. `data` and `child` are one-shot. */
export const watchKinds = { data: 1, child: 2, persistent: 4, recursive: 8 } as const;

/**
 * What a change fires, as bits: an event of its own path; childrenChanged of its parent; and which one-shot kinds it spent
 * of its path (their bits, shifted) and of its parent (`child`).
 */
export const fires = { own: 1, parent: 2, parentSpent: 4, spentShift: 3 } as const;

const { data, child, persistent, recursive } = watchKinds;

/** Of the path's own kinds, those that hear that it was created or changed; a deletion is heard by all. */
const hearPresence = data | persistent | recursive;

export class WatchTable {
  readonly #kinds = new Map<Path, number>();
  #dataPaths = 0;
  #childPaths = 0;
  #recursive = 0;

  /** Paths. */
  get size(): number {
    return this.#kinds.size;
  }
  /** As ZooKeeper counts (watch_count): entries of its two tables. A persistent watch is in both. */
  get count(): number {
    return this.#dataPaths + this.#childPaths;
  }

  /** 0: none. */
  get(path: Path): number {
    return this.#kinds.get(path) ?? 0;
  }

  entries(): IterableIterator<[Path, number]> {
    return this.#kinds.entries();
  }

  /** Those of ZooKeeper's table of data watches, which its four-letter words show. */
  *dataPaths(): Generator<Path> {
    for (const [path, kinds] of this.#kinds) if (kinds & hearPresence) yield path;
  }

  add(path: Path, kinds: number): void {
    const before = this.get(path);
    if ((before | kinds) !== before) this.#put(path, before, before | kinds);
  }

  /** Answers those that were there. */
  remove(path: Path, kinds: number): number {
    const before = this.get(path);
    const gone = before & kinds;
    if (gone !== 0) this.#put(path, before, before & ~kinds);
    return gone;
  }

  clear(): void {
    this.#kinds.clear();
    this.#dataPaths = 0;
    this.#childPaths = 0;
    this.#recursive = 0;
  }

  #put(path: Path, before: number, after: number): void {
    if (after === 0) this.#kinds.delete(path);
    else this.#kinds.set(path, after);
    this.#dataPaths += has(after, hearPresence) - has(before, hearPresence);
    this.#childPaths += has(after, child | persistent) - has(before, child | persistent);
    this.#recursive += has(after, recursive) - has(before, recursive);
  }

  /** What this change fires (`fires`); the one-shot watches among them are spent. */
  fire(type: ChangeType, path: Path): number {
    return this.#look(type, path, true);
  }

  /** What it would fire. */
  meets(type: ChangeType, path: Path): boolean {
    return this.#look(type, path, false) !== 0;
  }

  #look(type: ChangeType, path: Path, spends: boolean): number {
    const { size } = this.#kinds;
    if (size === 0) return 0;
    let found = 0;
    const own = this.#kinds.get(path) ?? 0;
    const heard = type === "deleted" ? own : own & hearPresence;
    if (heard !== 0) {
      found = fires.own;
      const spent = heard & (data | child);
      if (spends && spent !== 0) {
        this.#put(path, own, own & ~spent);
        found |= spent << fires.spentShift;
      }
    }
    const lists = type !== "changed" && this.#childPaths > 0;
    const above = found === 0 && this.#recursive > 0;
    if (!lists && !above) return found;
    const parent = parentOf(path);
    if (parent === undefined) return found;
    const theirs = this.#kinds.get(parent) ?? 0;
    if (lists && (theirs & (child | persistent)) !== 0) {
      found |= fires.parent;
      if (spends && (theirs & child) !== 0) {
        this.#put(parent, theirs, theirs & ~child);
        found |= fires.parentSpent;
      }
    }
    return above && this.#isBelow(parent) ? found | fires.own : found;
  }

  #isBelow(parent: Path): boolean {
    for (let at: Path | undefined = parent; at !== undefined; at = parentOf(at)) {
      if (((this.#kinds.get(at) ?? 0) & recursive) !== 0) return true;
    }
    return false;
  }
}

function has(kinds: number, some: number): 0 | 1 {
  return (kinds & some) === 0 ? 0 : 1;
}
