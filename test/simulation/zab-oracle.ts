/**
 * What must hold at every step of a simulated ensemble. Each rule names its source; a violation is thrown and carries
 * the rule's name, so that the table of mutants can say who caught what.
 */
import type { Batch, ReplicaId, Zxid } from "@quorate/api";
import { Violation } from "./violation.ts";

export class ZabOracle {
  /** Everything that any replica ever applied, in the one order. */
  readonly #order: Batch[] = [];
  readonly #indexOf = new Map<Zxid, number>([[0 as Zxid, 0]]);
  readonly #leaders = new Map<number, ReplicaId>();
  /** The newest position that a client was told is done. */
  #acknowledged: Zxid = 0 as Zxid;
  readonly #acknowledgedBatches = new Map<Zxid, number>();

  get acknowledged(): Zxid {
    return this.#acknowledged;
  }

  get length(): number {
    return this.#order.length;
  }

  get leaderships(): number {
    return this.#leaders.size;
  }

  /** ZAB paper, "total order" and "agreement": everybody applies the same batches in the same order, without a gap. */
  applied(id: ReplicaId, at: Zxid, batch: Batch): void {
    const index = this.#indexOf.get(at);
    if (index === undefined)
      throw new Violation("prefix-agreement", `replica ${id} stands at ${at}, which nobody applied`);
    const known = this.#order[index];
    if (!known) {
      if (batch.previous !== at) throw new Violation("total-order", `replica ${id} applies ${batch.last} behind ${at}`);
      this.#order.push(batch);
      this.#indexOf.set(batch.last, this.#order.length);
      return;
    }
    if (known.last !== batch.last || known.checksum !== batch.checksum) {
      throw new Violation("total-order", `replica ${id} applies ${batch.last} where ${known.last} was applied before`);
    }
  }

  /** A snapshot holds what everybody applied up to a batch's end. */
  installed(id: ReplicaId, at: Zxid): void {
    if (!this.#indexOf.has(at)) throw new Violation("prefix-agreement", `replica ${id} installs a snapshot of ${at}`);
  }

  /** A client was told. */
  acknowledge(batch: Batch): void {
    this.#acknowledgedBatches.set(batch.last, batch.checksum);
    if (batch.last > this.#acknowledged) this.#acknowledged = batch.last;
  }

  /** ZAB paper, "at most one established leader per epoch". */
  leads(id: ReplicaId, epoch: number): void {
    const other = this.#leaders.get(epoch);
    if (other !== undefined && other !== id) {
      throw new Violation("one-leader-per-epoch", `replicas ${other} and ${id} both lead epoch ${epoch}`);
    }
    this.#leaders.set(epoch, id);
  }

  /** Linearizability of reads: nothing that was acknowledged before the read was asked for is missing. */
  confirmed(id: ReplicaId, index: Zxid, acknowledgedBefore: Zxid): void {
    if (index < acknowledgedBefore) {
      throw new Violation(
        "read-index",
        `replica ${id} confirms ${index}; ${acknowledgedBefore} was acknowledged before`,
      );
    }
  }

  /** A quorum that confirms a leader is one that acknowledges: whose disk hangs confirms nobody. */
  commits(id: ReplicaId, waitingMillis: number, electionMillis: number): void {
    if (waitingMillis <= 1.5 * electionMillis + 400) return;
    throw new Violation(
      "confirmed-leader-commits",
      `replica ${id} is confirmed, and what it proposed ${waitingMillis} ms ago is not committed`,
    );
  }

  stopped(id: ReplicaId, why: string): never {
    throw new Violation("no-unexpected-stop", `replica ${id} stops: ${why}`);
  }

  /** After healing: every acknowledged batch is in the order that everybody holds. */
  finish(positions: ReadonlyMap<ReplicaId, Zxid>): void {
    for (const [last, checksum] of this.#acknowledgedBatches) {
      const index = this.#indexOf.get(last);
      if (index === undefined || this.#order[index - 1]?.checksum !== checksum) {
        throw new Violation("no-lost-acknowledgement", `${last} was acknowledged and is gone`);
      }
    }
    for (const [id, at] of positions) {
      if (at !== (this.#order.at(-1)?.last ?? 0)) {
        throw new Violation("progress", `replica ${id} stands at ${at}, the order ends at ${this.#order.at(-1)?.last}`);
      }
    }
  }
}
