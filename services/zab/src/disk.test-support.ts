/** A disk for one peer of a test, at the level of the core's effects: writes wait in order until the test lets them be. */
import { assert, type Batch, epochOf, type Zxid } from "@quorate/api";
import type { Effect } from "./effect.ts";
import type { RecoveredHistory, WriteTicket } from "./input.ts";
import type { DurableState, EpochEnd, Standing } from "./state.ts";

export type DiskEffect = Extract<Effect, { kind: "append" | "truncate" | "writeState" | "stage" | "unstage" }>;

interface Log {
  base: Zxid;
  checksum: number;
  batches: Batch[];
}

export class TestDisk {
  state: DurableState;
  log: Log = { base: 0 as Zxid, checksum: 0, batches: [] };
  staged: Log | undefined;
  /** While set nothing becomes durable. */
  hung = false;
  /** Every write that became durable, for tests of their order. */
  readonly done: string[] = [];
  #waiting: DiskEffect[] = [];

  constructor(standing: Standing) {
    this.state = { standing, ensembleId: "", acceptedEpoch: 0, currentEpoch: 0 };
  }

  get waiting(): readonly DiskEffect[] {
    return this.#waiting;
  }

  push(effect: DiskEffect): void {
    this.#waiting.push(effect);
  }

  /** The oldest write becomes durable; undefined: none waits, or the disk hangs. */
  finish(): WriteTicket | undefined {
    const effect = this.hung ? undefined : this.#waiting.shift();
    if (!effect) return undefined;
    this.done.push(effect.kind);
    switch (effect.kind) {
      case "append": {
        const log = effect.staged ? this.staged : this.log;
        assert(log !== undefined, "a staged append follows a staged snapshot");
        log.batches.push(...effect.batches);
        break;
      }
      case "truncate":
        this.log.batches = this.log.batches.filter((batch) => batch.last <= effect.to);
        break;
      case "writeState":
        this.state = effect.state;
        if (effect.install !== undefined) this.#install(effect.install);
        break;
      case "stage":
        this.staged = { base: effect.at, checksum: effect.checksum, batches: [] };
        break;
      case "unstage":
        this.staged = undefined;
        break;
    }
    return effect.ticket;
  }

  #install(at: Zxid): void {
    assert(this.staged?.base === at, "what is installed was staged");
    this.log = this.staged;
    this.staged = undefined;
  }

  /** The machine stops: what was not durable is gone. */
  crash(): void {
    this.#waiting = [];
    this.staged = undefined;
    this.hung = false;
  }

  /** A new, empty disk, without `--initial`. */
  wipe(standing: Standing = "joining"): void {
    this.crash();
    this.log = { base: 0 as Zxid, checksum: 0, batches: [] };
    this.state = { standing, ensembleId: "", acceptedEpoch: 0, currentEpoch: 0 };
  }

  /** The log up to `at` goes behind a snapshot. */
  snapshot(at: Zxid): void {
    const end = this.log.batches.find((batch) => batch.last === at);
    assert(end !== undefined, "a snapshot ends at a batch's end");
    this.log = { base: at, checksum: end.checksum, batches: this.log.batches.filter((batch) => batch.last > at) };
  }

  recover(): RecoveredHistory {
    const { base, checksum, batches } = this.log;
    let known = base;
    for (const batch of batches) if (batch.commit > known) known = batch.commit;
    const applied = batches.findLast((batch) => batch.last <= known);
    return {
      base,
      applied: applied?.last ?? base,
      epochs: epochsOf(base, batches),
      tail: batches.filter((batch) => batch.last > known),
      checksum: batches.at(-1)?.checksum ?? checksum,
      appliedChecksum: applied?.checksum ?? checksum,
    };
  }
}

function epochsOf(base: Zxid, batches: readonly Batch[]): EpochEnd[] {
  const epochs: EpochEnd[] = base === 0 ? [] : [{ epoch: epochOf(base), last: base }];
  for (const { last } of batches) {
    const epoch = epochOf(last);
    if (epochs.at(-1)?.epoch === epoch) epochs.pop();
    epochs.push({ epoch, last });
  }
  return epochs;
}
