/**
 * When a replica could not have been confirmed by anybody, by the truth of the simulation: its process stood still, or
 * no majority could answer it. Of such a time its expiry clock may count no more than a step; what it may have counted
 * in any doubt is counted here, too.
 */
import type { ReplicaId } from "@quorate/api";
import type { ReachSeen } from "../observation.ts";

/** The longest step of the expiry clock, and what events are apart. */
const stepMillis = 450;
/**
 * Pings that waited in the network are answered when it opens, one by one: perhaps two steps. Where the network is slow
 * they may be many: then nothing is said.
 */
const stepsMillis = 900;

interface Outage {
  readonly from: number;
  to: number;
}

class Outages {
  readonly #allowedMillis: number;
  readonly #all: Outage[] = [];
  #since: number | undefined;

  constructor(allowedMillis: number) {
    this.#allowedMillis = allowedMillis;
  }

  note(at: number, isOut: boolean, counts: boolean): void {
    if (isOut) this.#since ??= at;
    else if (this.#since !== undefined) {
      if (counts && at - this.#since > this.#allowedMillis) this.#all.push({ from: this.#since, to: at });
      this.#since = undefined;
    }
  }

  /** Of the time from `from` to `to`. What is not over yet says nothing. */
  uncounted(from: number, to: number): number {
    let sum = 0;
    for (let at = this.#all.length - 1; at >= 0; at--) {
      const outage = this.#all[at] as Outage;
      if (outage.to <= from) break;
      sum += Math.max(0, Math.min(to, outage.to) - Math.max(from, outage.from) - this.#allowedMillis);
    }
    return sum;
  }
}

export class ReachOfReplicas {
  readonly #stood = new Map<ReplicaId, Outages>();
  readonly #alone = new Map<ReplicaId, Outages>();

  note({ at, replica, runs, reaches, slow }: ReachSeen): void {
    of(this.#stood, replica, stepMillis).note(at, !runs, true);
    of(this.#alone, replica, stepsMillis).note(at, !reaches, !slow);
  }

  /** Of that time, what the replica's expiry clock cannot have counted. */
  uncounted(replica: ReplicaId, from: number, to: number): number {
    const stood = of(this.#stood, replica, stepMillis).uncounted(from, to);
    // They may lie in each other: the greater of the two is certain.
    return Math.max(stood, of(this.#alone, replica, stepsMillis).uncounted(from, to));
  }
}

function of(map: Map<ReplicaId, Outages>, replica: ReplicaId, allowedMillis: number): Outages {
  let found = map.get(replica);
  if (found === undefined) {
    found = new Outages(allowedMillis);
    map.set(replica, found);
  }
  return found;
}
