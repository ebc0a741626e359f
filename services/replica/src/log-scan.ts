/**
 * What recovery learns from the batches of a log as they pass by, in order. Keeps the tail alone: the batches behind
 * what is known as applied, which the next commit index sends away.
 */
import { type Batch, epochOf, formatZxid, type Zxid } from "@quorate/api";
import type { EpochEnd, RecoveredHistory } from "@quorate/zab";
import { chainChecksum, type Decoded } from "./record.ts";

export class LogScan {
  readonly #base: Zxid;
  readonly #snapshot: Zxid;
  readonly #epochs: EpochEnd[] = [];
  #last: Zxid;
  #checksum: number;
  #applied: Zxid;
  #appliedChecksum: number;
  #tail: Batch[] = [];
  /** The running checksum at the snapshot, once the log has passed it. */
  #snapshotChecksum: number | undefined;

  constructor(base: Zxid, checksum: number, snapshot: Zxid) {
    this.#base = base;
    this.#snapshot = snapshot;
    this.#last = base;
    this.#checksum = checksum;
    this.#applied = base;
    this.#appliedChecksum = checksum;
    if (base === snapshot) this.#snapshotChecksum = checksum;
    if (base !== 0) this.#epochs.push({ epoch: epochOf(base), last: base });
  }

  get last(): Zxid {
    return this.#last;
  }

  get checksum(): number {
    return this.#checksum;
  }

  get snapshotChecksum(): number | undefined {
    return this.#snapshotChecksum;
  }

  /** Takes the next batch; says what is wrong with it, if something is. */
  add({ batch, payloadCrc }: Decoded): string | undefined {
    if (batch.previous !== this.#last) {
      return `follows ${formatZxid(batch.previous)}, the log ends at ${formatZxid(this.#last)}`;
    }
    const checksum = chainChecksum(this.#checksum, batch, payloadCrc);
    if (checksum !== batch.checksum) return "breaks the running checksum";
    this.#last = batch.last;
    this.#checksum = checksum;
    const end = this.#epochs.at(-1);
    const epoch = epochOf(batch.last);
    if (end?.epoch === epoch) this.#epochs.pop();
    this.#epochs.push({ epoch, last: batch.last });
    if (batch.last === this.#snapshot) this.#snapshotChecksum = checksum;
    this.#tail.push(batch);
    const known = Math.max(batch.commit, Math.min(this.#snapshot, batch.last));
    if (known > this.#applied) this.#apply(known);
    return undefined;
  }

  /** All batches up to `index` are applied: rounded down to a batch's end. */
  #apply(index: number): void {
    let count = 0;
    for (const batch of this.#tail) {
      if (batch.last > index) break;
      this.#applied = batch.last;
      this.#appliedChecksum = batch.checksum;
      count += 1;
    }
    if (count === this.#tail.length) this.#tail = [];
    else if (count > 0) this.#tail.splice(0, count);
  }

  /** At the end. The tail's payloads are copied, so that the pages that were read can go. */
  history(): RecoveredHistory {
    return {
      base: this.#base,
      applied: this.#applied,
      epochs: this.#epochs,
      tail: this.#tail.map((batch) => ({ ...batch, payload: batch.payload.slice() })),
      checksum: this.#checksum,
      appliedChecksum: this.#appliedChecksum,
    };
  }
}
