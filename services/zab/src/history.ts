/**
 * What a peer knows of its log: where it begins and ends, the end of each epoch in it, what is durable, and a window of
 * its newest batches in memory. The log itself lies with the shell.
 */
import { assert, type Batch, epochOf, type Zxid } from "@quorate/api";
import type { RecoveredHistory } from "./input.ts";
import type { EpochEnd } from "./state.ts";

export class History {
  /** The oldest point from which the log is whole. */
  #base: Zxid;
  /** Ascending; `base` first when it is not 0. */
  #epochs: EpochEnd[];
  /** The newest batches; everything not yet delivered is among them. */
  #window: Batch[] = [];
  #windowBytes = 0;
  /** Position before the window's first batch, and the running checksum there. */
  #windowStart: Zxid;
  #windowStartChecksum: number;
  #last: Zxid;
  #checksum: number;
  /** Everything up to here is fsynced; ≤ last. */
  #durable: Zxid;

  constructor(recovered: RecoveredHistory) {
    this.#base = recovered.base;
    this.#epochs = recovered.epochs.map((each) => ({ ...each }));
    this.#windowStart = recovered.applied;
    this.#windowStartChecksum = recovered.appliedChecksum;
    this.#last = recovered.applied;
    this.#checksum = recovered.appliedChecksum;
    this.#durable = recovered.applied;
    for (const batch of recovered.tail) this.#push(batch);
    this.#durable = this.#last;
    assert(
      recovered.tail.length === 0 || this.#checksum === recovered.checksum,
      "the recovered log's checksum differs",
    );
  }

  /** An empty history that begins behind a snapshot at `at`, whose running checksum is `checksum`. */
  static behind(at: Zxid, checksum: number): History {
    const epochs = at === 0 ? [] : [{ epoch: epochOf(at), last: at }];
    return new History({ base: at, applied: at, epochs, tail: [], checksum, appliedChecksum: checksum });
  }

  get base(): Zxid {
    return this.#base;
  }
  get last(): Zxid {
    return this.#last;
  }
  get durable(): Zxid {
    return this.#durable;
  }
  get checksum(): number {
    return this.#checksum;
  }
  /** Batches behind this position are in memory. */
  get windowStart(): Zxid {
    return this.#windowStart;
  }
  epochs(): readonly EpochEnd[] {
    return this.#epochs;
  }

  /** Behind the last batch; the caller has checked contiguity. */
  append(batch: Batch): void {
    assert(batch.first > this.#last, "zxids only grow");
    this.#push(batch);
  }

  #push(batch: Batch): void {
    this.#window.push(batch);
    this.#windowBytes += batch.payload.length;
    this.#last = batch.last;
    this.#checksum = batch.checksum;
    const epoch = epochOf(batch.last);
    const end = this.#epochs.at(-1);
    if (end && end.epoch === epoch) this.#epochs[this.#epochs.length - 1] = { epoch, last: batch.last };
    else this.#epochs.push({ epoch, last: batch.last });
  }

  /** Whether `position` is a batch's end in the window, or its start. */
  knows(position: Zxid): boolean {
    return position === this.#windowStart || this.#indexOf(position) >= 0;
  }

  /** Cuts everything behind `to`, which must be known. */
  truncate(to: Zxid): void {
    assert(this.knows(to), "a truncation ends at a batch's end in the window");
    const keep = to === this.#windowStart ? 0 : this.#indexOf(to) + 1;
    for (const batch of this.#window.splice(keep)) this.#windowBytes -= batch.payload.length;
    this.#last = to;
    this.#checksum = this.#window.at(-1)?.checksum ?? this.#windowStartChecksum;
    while (this.#epochs.length > 0 && epochStart(this.#epochs, this.#epochs.length - 1) >= to) this.#epochs.pop();
    const end = this.#epochs.at(-1);
    if (end && end.last > to) this.#epochs[this.#epochs.length - 1] = { epoch: end.epoch, last: to };
  }

  /** The write of everything up to `position` has finished. */
  written(position: Zxid): void {
    assert(position <= this.#last, "nothing is durable that was not appended");
    if (position > this.#durable) this.#durable = position;
  }

  /** The write of a truncation to `position` has finished, or was asked for: nothing behind it counts any more. */
  cut(position: Zxid): void {
    if (position < this.#durable) this.#durable = position;
  }

  /** The batches in (after, through], which must lie in the window. */
  between(after: Zxid, through: Zxid): readonly Batch[] {
    assert(after >= this.#windowStart, "the window reaches back far enough");
    let low = 0;
    let high = this.#window.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#window[middle] as Batch).last <= after) low = middle + 1;
      else high = middle;
    }
    let end = low;
    while (end < this.#window.length && (this.#window[end] as Batch).last <= through) end++;
    return this.#window.slice(low, end);
  }

  /** The running checksum at the window's beginning, or at the end of a batch in it. */
  checksumAt(position: Zxid): number {
    if (position === this.#windowStart) return this.#windowStartChecksum;
    const batch = this.#window[this.#indexOf(position)];
    assert(batch !== undefined, "the position is a batch's end in the window");
    return batch.checksum;
  }

  /** Forgets delivered batches beyond `bytes`; the files still have them. */
  evict(delivered: Zxid, bytes: number): void {
    if (this.#windowBytes <= bytes) return;
    let drop = 0;
    let size = this.#windowBytes;
    while (drop < this.#window.length && size > bytes / 2 && (this.#window[drop] as Batch).last <= delivered) {
      size -= (this.#window[drop] as Batch).payload.length;
      drop++;
    }
    if (drop === 0) return;
    const lastDropped = this.#window[drop - 1] as Batch;
    this.#windowStart = lastDropped.last;
    this.#windowStartChecksum = lastDropped.checksum;
    this.#window.splice(0, drop);
    this.#windowBytes = size;
  }

  /** The files begin at `base` now. */
  prune(base: Zxid): void {
    if (base <= this.#base) return;
    this.#base = base;
    const kept = this.#epochs.filter((each) => each.last > base);
    this.#epochs = [{ epoch: epochOf(base), last: base }, ...kept.filter((each) => each.epoch !== epochOf(base))];
    const sameEpoch = kept.find((each) => each.epoch === epochOf(base));
    if (sameEpoch) this.#epochs[0] = sameEpoch;
  }

  #indexOf(position: Zxid): number {
    let low = 0;
    let high = this.#window.length - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const last = (this.#window[middle] as Batch).last;
      if (last === position) return middle;
      if (last < position) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }
}

/** The position at which the epoch at `index` begins: the end of the one before it. */
function epochStart(epochs: readonly EpochEnd[], index: number): Zxid {
  return (epochs[index - 1]?.last ?? 0) as Zxid;
}
