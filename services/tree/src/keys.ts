/**
 * Idempotency keys: under (identity, key) the request's hash and its outcome, for `limits.keyMillis` of stamped time
 * after the commit, never less; purged oldest first, so much at a time. No room is `throttled`, never an early end.
 */
import {
  type Failure,
  type IdempotencyKey,
  type Identity,
  identityName,
  limits,
  type Outcome,
  type Zxid,
} from "@quorate/api";
import { compact, flatten } from "./compact-data.ts";
import type { Hasher } from "./digest.ts";
import { failure } from "./failure.ts";
import { treeLimits } from "./limits.ts";
import { bytesOfOutcome, hashOutcome } from "./outcome-memory.ts";
import { type Home, type Store, type Stored, Table } from "./store.ts";

export class KeyRecord implements Stored {
  mark = 0;
  /** The identity's name, a line break, the key. */
  readonly name: string;
  /** 16 bytes as code units. */
  readonly requestHash: string;
  readonly outcome: Outcome;
  readonly stamp: number;
  readonly bytes: number;

  constructor(name: string, requestHash: string, outcome: Outcome, stamp: number) {
    this.name = name;
    this.requestHash = requestHash;
    this.outcome = outcome;
    this.stamp = stamp;
    this.bytes = bytesOfOutcome(outcome) + name.length;
  }
}

function hashKey(record: KeyRecord, hasher: Hasher): void {
  hasher.text(record.name);
  hasher.text(record.requestHash);
  hasher.long(record.stamp);
  hashOutcome(record.outcome, hasher);
}

export class Keys implements Home<KeyRecord> {
  readonly table: Table<KeyRecord>;
  readonly #map = new Map<string, KeyRecord>();
  /** In the order of their commits, from `#first` on. */
  #queue: KeyRecord[] = [];
  #first = 0;
  #bytes = 0;

  constructor(store: Store) {
    this.table = new Table(store, 5, this, hashKey);
  }

  get size(): number {
    return this.#map.size;
  }

  /** The outcome to answer without doing anything; undefined: do it, then `remember` it. */
  judge(identity: Identity, key: IdempotencyKey, zxid: Zxid, stamp: number): Outcome | undefined {
    this.purge(stamp, treeLimits.keysPurgedPerCommand);
    const known = this.#map.get(nameOfKey(identity, key));
    if (known !== undefined) {
      if (known.requestHash === compact(key.requestHash)) return { ...known.outcome, replayed: true };
      const detail = `Idempotency-Key ${JSON.stringify(key.key)} was used for another request; draw a new key for each`;
      return failure(zxid, "keyReused", detail);
    }
    return this.#full(zxid);
  }

  #full(zxid: Zxid): Failure | undefined {
    const seconds = limits.keyMillis / 1000;
    if (this.#map.size >= limits.keyCount) {
      const detail = `${limits.keyCount} idempotency keys of the last ${seconds} s are remembered; try again later`;
      return failure(zxid, "throttled", detail);
    }
    if (this.#bytes < treeLimits.keyBytes) return undefined;
    const detail = `the answers of the last ${seconds} s under idempotency keys take ${treeLimits.keyBytes} bytes; try again later`;
    return failure(zxid, "throttled", detail);
  }

  remember(identity: Identity, key: IdempotencyKey, outcome: Outcome, stamp: number): void {
    const name = flatten(nameOfKey(identity, key));
    const record = new KeyRecord(name, compact(key.requestHash) as string, outcome, stamp);
    this.table.replace(undefined, record);
  }

  /** At most `most` of those whose time is over. */
  purge(stamp: number, most: number): void {
    for (let i = 0; i < most && this.#first < this.#queue.length; i++) {
      const record = this.#queue[this.#first] as KeyRecord;
      if (record.stamp + limits.keyMillis >= stamp) return;
      this.#first++;
      this.table.replace(record, undefined);
    }
    if (this.#first * 2 <= this.#queue.length || this.#first < 64) return;
    this.#queue = this.#queue.slice(this.#first);
    this.#first = 0;
  }

  /** After a load, which brings them in any order. */
  sort(): void {
    this.#queue.sort((a, b) => a.outcome.zxid - b.outcome.zxid);
  }

  put(record: KeyRecord): void {
    this.#map.set(record.name, record);
    this.#queue.push(record);
    this.#bytes += record.bytes;
  }

  remove(record: KeyRecord): void {
    this.#map.delete(record.name);
    this.#bytes -= record.bytes;
  }

  values(): IterableIterator<KeyRecord> {
    return this.#map.values();
  }
}

function nameOfKey(identity: Identity, key: IdempotencyKey): string {
  return `${identityName(identity)}\n${key.key}`;
}
