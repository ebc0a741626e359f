/**
 * A disk for one simulated peer, at the level of the protocol's effects: what is durable, and a queue of writes that
 * become durable later, in order. A crash keeps some first part of the queue (the machine may have written it).
 */
import { type Batch, epochOf, type ReplicaId, type Zxid } from "@quorate/api";
import type { DurableState, EpochEnd, RecoveredHistory, Standing } from "@quorate/zab";
import { Violation } from "./violation.ts";

/** A snapshot is the list of what was applied, by reference into the oracle's order: its length and its end. */
export interface SimSnapshot {
  readonly at: Zxid;
  readonly checksum: number;
}

interface LogState {
  snapshot: SimSnapshot;
  batches: Batch[];
}

type Pending = { readonly apply: () => void; readonly done: () => void };

const nothing: SimSnapshot = { at: 0 as Zxid, checksum: 0 };

export class SimDisk {
  state: DurableState;
  #log: LogState = { snapshot: nothing, batches: [] };
  #staged: LogState | undefined;
  readonly #queue: Pending[] = [];
  /** While set, nothing becomes durable. */
  hung = false;
  readonly id: ReplicaId;

  constructor(id: ReplicaId, standing: Standing) {
    this.id = id;
    this.state = { standing, ensembleId: "", acceptedEpoch: 0, currentEpoch: 0 };
  }

  append(batches: readonly Batch[], staged: boolean, done: () => void): void {
    this.#queue.push({ apply: () => (staged ? this.#staged : this.#log)?.batches.push(...batches), done });
  }

  truncate(to: Zxid, done: () => void): void {
    const apply = (): void => {
      this.#log.batches = this.#log.batches.filter((batch) => batch.last <= to);
    };
    this.#queue.push({ apply, done });
  }

  writeState(state: DurableState, install: Zxid | undefined, done: () => void): void {
    const apply = (): void => {
      this.state = state;
      if (install === undefined) return;
      if (this.#staged?.snapshot.at !== install) throw new Violation("assertion", "installs what was not staged");
      this.#log = this.#staged;
      this.#staged = undefined;
    };
    this.#queue.push({ apply, done });
  }

  stage(snapshot: SimSnapshot, done: () => void): void {
    this.#queue.push({ apply: () => (this.#staged = { snapshot, batches: [] }), done });
  }

  unstage(done: () => void): void {
    this.#queue.push({ apply: () => (this.#staged = undefined), done });
  }

  get busy(): boolean {
    return this.#queue.length > 0;
  }

  /** One fsync: the first `count` writes are durable, then their completions are told. */
  sync(count: number): void {
    if (this.hung) return;
    const finished = this.#queue.splice(0, count);
    for (const each of finished) each.apply();
    for (const each of finished) each.done();
  }

  /** The machine stops: the first `kept` pending writes reached the disk although nobody was told. */
  crash(kept: number): void {
    for (const each of this.#queue.splice(0, kept)) each.apply();
    this.#queue.length = 0;
    this.#staged = undefined;
    this.hung = false;
  }

  /** An empty disk in the same machine; `founding`: started with `--initial`. */
  wipe(standing: "joining" | "founding"): void {
    this.#queue.length = 0;
    this.#staged = undefined;
    this.#log = { snapshot: nothing, batches: [] };
    this.state = { standing, ensembleId: "", acceptedEpoch: 0, currentEpoch: 0 };
  }

  snapshot(): SimSnapshot {
    return this.#log.snapshot;
  }

  /** The own tree is written out at `at`: the log up to it is pruned. */
  takeSnapshot(at: Zxid, checksum: number): void {
    if (at <= this.#log.snapshot.at) return;
    this.#log = { snapshot: { at, checksum }, batches: this.#log.batches.filter((batch) => batch.last > at) };
  }

  between(after: Zxid, through: Zxid): readonly Batch[] {
    return this.#log.batches.filter((batch) => batch.last > after && batch.last <= through);
  }

  /** What a restart finds. */
  recover(): RecoveredHistory & { readonly committed: readonly Batch[] } {
    const { snapshot, batches } = this.#log;
    let known = snapshot.at;
    for (const batch of batches) if (batch.commit > known) known = batch.commit;
    const committed = batches.filter((batch) => batch.last <= known);
    const tail = batches.filter((batch) => batch.last > known);
    const applied = committed.at(-1) ?? { last: snapshot.at, checksum: snapshot.checksum };
    return {
      base: snapshot.at,
      applied: applied.last,
      epochs: epochsOf(snapshot.at, batches),
      tail,
      checksum: batches.at(-1)?.checksum ?? snapshot.checksum,
      appliedChecksum: applied.checksum,
      committed,
    };
  }
}

function epochsOf(base: Zxid, batches: readonly Batch[]): EpochEnd[] {
  const epochs: EpochEnd[] = base === 0 ? [] : [{ epoch: epochOf(base), last: base }];
  for (const batch of batches) {
    const epoch = epochOf(batch.last);
    if (epochs.at(-1)?.epoch === epoch) epochs.pop();
    epochs.push({ epoch, last: batch.last });
  }
  return epochs;
}
