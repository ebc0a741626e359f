/** What may happen to an ensemble. Each fault begins, lasts, and is taken back; who is hit is drawn when it begins. */
import type { SeededRandom } from "../simulation/random.ts";
import type { Arena } from "./arena.ts";
import { replicaName } from "./network.ts";

/** A fault under way. */
export interface Underway {
  /** Whom it hit and how, for people. */
  readonly what: string;
  readonly millis: number;
  readonly end: () => Promise<void> | void;
}

export interface FaultKind {
  readonly name: string;
  /** How often it is drawn, among all. */
  readonly weight: number;
  /** It may not come together with another. */
  readonly isAlone?: boolean;
  /** There may be no majority, or no room, while it lasts: that nothing is written then is no fault. */
  readonly stopsWrites?: boolean;
  /** Requests may be on their way for as long as it lasts, and arrive afterwards. */
  readonly holdsMessages?: boolean;
  /** Undefined: not possible now. */
  readonly begin: (stage: Stage) => Promise<Underway | undefined> | Underway | undefined;
}

export interface Stage {
  readonly arena: Arena;
  readonly random: SeededRandom;
  /** Takes a process for this fault alone, if no other has it. */
  readonly claim: (name: string) => boolean;
  /** How a fault tells what it found. */
  readonly violate: (what: string) => void;
}

/** Whom a fault hits. */
export type Whom = "leader" | "follower" | "gateway";

/** Claimed; undefined if there is none free. */
export function drawTarget({ arena, random, claim }: Stage, whom: Whom): string | undefined {
  if (whom === "gateway") {
    const { name } = random.pick(arena.ensemble.gateways);
    return claim(name) ? name : undefined;
  }
  if (arena.leader === 0) return undefined;
  if (whom === "leader") return claim(replicaName(arena.leader)) ? replicaName(arena.leader) : undefined;
  const followers = arena.ids.filter((id) => id !== arena.leader).map(replicaName);
  const free = random.pick(followers);
  return claim(free) ? free : undefined;
}

export function idOf(name: string): number {
  return Number(name.split(" ")[1]);
}
