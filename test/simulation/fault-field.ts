/** What a simulated fault works on: the ensemble, and the time in which it begins and ends. */
import type { ReplicaId } from "@quorate/api";
import type { VirtualTime } from "./events.ts";
import type { SeededRandom } from "./random.ts";
import type { Town } from "./sim-client.ts";
import type { SimEnsemble, SimReplica } from "./sim-ensemble.ts";

export interface FaultHost {
  readonly time: VirtualTime;
  readonly random: SeededRandom;
  readonly ensemble: SimEnsemble;
  readonly town: Town;
  trace(text: string): void;
  /** Names of faults, joined by "+", that are to come more often than others. */
  readonly scenario: string;
  /**
   * Memory may be flipped. What a replica tells from flipped memory is promised to nobody until it has noticed: such runs
   * ask for less, and are runs of their own.
   */
  readonly flips: boolean;
  /** A bit of this replica's memory was flipped. */
  flipped(id: ReplicaId): void;
}

/** Ends of faults come only while faults are on, and not into one that is to be alone. */
export interface Field {
  readonly host: FaultHost;
  readonly on: boolean;
  /** Runs between `low` and `high` ms from now. */
  later(low: number, high: number, run: () => void): void;
  /** Starts the victim again, within `high` ms. */
  startLater(victim: SimReplica, high?: number): void;
  /** Calls `then` once everybody is whole, unless the time of faults is over before. */
  whenWhole(when: string, then: () => void): void;
  /** A fault that came alone is over once everybody is whole again. */
  over(when: string): void;
}

/** `false`: it was not possible now, and nothing has happened. */
export type Fault = (field: Field, victim: SimReplica) => unknown;
