/**
 * One store of immutable records. Every change of the replicated state is a `replace` in one of its tables, which does
 * four things at once: it keeps the digest, it keeps the former record for the open transaction's undo, it keeps the
 * former record for a running snapshot that has not written it yet, and it tells the open listings (`listing.ts`).
 *
 * How a snapshot stays exact: each record bears the number of the snapshot for which it needs no writing any more,
 * because it was written, or was handed over as a former record, or was made after the snapshot's zxid. So the writer
 * may walk the live tables while they change, and takes from them only the records that do not bear its number.
 */
import { assert } from "@quorate/api";
import { DigestSum, Hasher } from "./digest.ts";

/** What every record has; the rest of it never changes once it is in a table. */
export interface Stored {
  /** The number of the last snapshot that needs this record no more. */
  mark: number;
}

/** Where a table's records live. */
export interface Home<R extends Stored> {
  put(record: R): void;
  remove(record: R): void;
  values(): IterableIterator<R>;
  /** Called behind each change, also those of an undo: for what is derived from the records. */
  changed?(former: R | undefined, next: R | undefined, undoing: boolean): void;
}

/** `fresh`: from the content alone, whatever the record has cached. */
export type HashRecord<R> = (record: R, hasher: Hasher, fresh: boolean) => void;

export class Table<R extends Stored> {
  /** Its number in snapshots, and the salt of its hashes. */
  readonly number: number;
  readonly home: Home<R>;
  readonly #store: Store;
  readonly #hash: HashRecord<R>;

  constructor(store: Store, number: number, home: Home<R>, hash: HashRecord<R>) {
    this.#store = store;
    this.number = number;
    this.home = home;
    this.#hash = hash;
  }

  /** `former` is the record now in the table under the same key, or undefined; `next` undefined deletes. */
  replace(former: R | undefined, next: R | undefined): void {
    this.#store.journal?.push({ table: this as unknown as Table<Stored>, former, next });
    this.#put(former, next, false);
  }

  /** Takes a change back: `next` is what lies in the table. */
  undo(former: R | undefined, next: R | undefined): void {
    this.#put(next, former, true);
  }

  /** Adds the record's hash to `sum`, from its content alone. */
  addFresh(record: R, sum: DigestSum): void {
    const hasher = this.#store.hasher;
    hasher.begin(this.number);
    this.#hash(record, hasher, true);
    hasher.end();
    sum.add(hasher);
  }

  #put(former: R | undefined, next: R | undefined, undoing: boolean): void {
    const { hasher, sum, snapshot, keepers } = this.#store;
    // While what `former` refers to is still there.
    for (const each of keepers) each.replacing(this as unknown as Table<Stored>, former, next);
    if (snapshot !== undefined) {
      if (former !== undefined && former.mark !== snapshot.number) {
        former.mark = snapshot.number;
        snapshot.kept.push({ table: this as unknown as Table<Stored>, record: former });
      }
      if (next !== undefined) next.mark = snapshot.number;
    }
    if (former !== undefined) {
      hasher.begin(this.number);
      this.#hash(former, hasher, false);
      hasher.end();
      sum.subtract(hasher);
    }
    if (next !== undefined) {
      hasher.begin(this.number);
      this.#hash(next, hasher, false);
      hasher.end();
      sum.add(hasher);
      this.home.put(next);
    } else if (former !== undefined) {
      this.home.remove(former);
    }
    this.home.changed?.(former, next, undoing);
  }
}

interface Entry {
  readonly table: Table<Stored>;
  readonly former: Stored | undefined;
  readonly next: Stored | undefined;
}

export interface Kept {
  readonly table: Table<Stored>;
  readonly record: Stored;
}

/** A snapshot under way: former records wait here until its writer takes them. */
export interface RunningSnapshot {
  readonly number: number;
  kept: Kept[];
}

/** Who reads the state of a former zxid, and is told of each change before it is made, those of an undo too. */
export interface Keeper {
  replacing(table: Table<Stored>, former: Stored | undefined, next: Stored | undefined): void;
}

export class Store {
  readonly hasher: Hasher = new Hasher();
  readonly sum: DigestSum = new DigestSum();
  /** Of the open transaction. */
  journal: Entry[] | undefined = undefined;
  snapshot: RunningSnapshot | undefined = undefined;
  /** An array, since every change walks it. */
  keepers: readonly Keeper[] = [];
  #snapshots = 0;

  begin(): void {
    assert(this.journal === undefined, "transactions do not nest");
    this.journal = [];
  }

  commit(): void {
    assert(this.journal !== undefined, "a transaction is open");
    this.journal = undefined;
  }

  rollback(): void {
    const journal = this.journal;
    assert(journal !== undefined, "a transaction is open");
    this.journal = undefined;
    for (let i = journal.length - 1; i >= 0; i--) {
      const { table, former, next } = journal[i] as Entry;
      table.undo(former, next);
    }
  }

  beginSnapshot(): RunningSnapshot {
    assert(this.snapshot === undefined, "one snapshot at a time");
    this.snapshot = { number: ++this.#snapshots, kept: [] };
    return this.snapshot;
  }

  endSnapshot(): void {
    this.snapshot = undefined;
  }

  keep(keeper: Keeper): void {
    this.keepers = [...this.keepers, keeper];
  }

  release(keeper: Keeper): void {
    this.keepers = this.keepers.filter((each) => each !== keeper);
  }
}
