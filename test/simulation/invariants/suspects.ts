/**
 * Replicas whose memory was flipped, and since when. What such a replica computes is promised to nobody until it is
 * found (DESIGN 5: the minority quarantines itself); what it has applied is still the one order. A flip may have reached
 * its disk: a new process is sound only when its restored state is.
 */
import type { ReplicaId } from "@quorate/api";

interface Flip {
  readonly replica: ReplicaId;
  readonly from: number;
  readonly to: number;
}

export class Suspects {
  readonly #now = new Map<ReplicaId, number>();
  readonly #past: Flip[] = [];

  flip(replica: ReplicaId, at: number): void {
    if (!this.#now.has(replica)) this.#now.set(replica, at);
  }

  /** Its tree is a new one, and the right one. */
  clear(replica: ReplicaId, at: number): void {
    const from = this.#now.get(replica);
    if (from === undefined) return;
    this.#now.delete(replica);
    this.#past.push({ replica, from, to: at });
  }

  has(replica: ReplicaId): boolean {
    return this.#now.size > 0 && this.#now.has(replica);
  }

  /** Whether the replica may have spoken from flipped memory between `from` and `to`. */
  spoke(replica: ReplicaId, from: number, to: number): boolean {
    if (this.has(replica)) return true;
    return this.#past.some((each) => each.replica === replica && each.to >= from && each.from <= to);
  }

  /** As `spoke`, whoever it was. */
  anySpoke(from: number, to: number): boolean {
    return this.#now.size > 0 || this.#past.some((each) => each.to >= from && each.from <= to);
  }
}
