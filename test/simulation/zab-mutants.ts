/** Each safety rule taken out in turn: the simulation must notice within a stated number of seeds. */
import type { Mutant } from "@quorate/zab";
import type { HarnessMutant } from "./zab-cluster.ts";
import { runSeed } from "./zab-run.ts";

/** Seeds within which every mutant must be caught. */
export const mutantSeeds = 400;

export const simulatedMutants: readonly (Mutant | HarnessMutant)[] = [
  "ackBeforeFsync",
  "leaderCountsUnsynced",
  "acceptedEpochNotDurable",
  "currentEpochBeforeHistory",
  "staleTicketIgnored",
  "snapshotNotInPosition",
  "commitBeforeNewLeaderAck",
  "readIndexBeforeEstablishment",
  "readJoinsRoundInFlight",
  "joinerCounts",
  "equalEpochCounts",
  "gapAccepted",
  "minorityCommits",
  "betterHistoryIgnored",
  "newLeaderAckBeforeFsync",
  "replayUncommittedTail",
];

/** The first seed that catches the mutant, and the invariant that did; undefined: none did. */
export function findMutant(
  mutant: Mutant | HarnessMutant,
  seeds: number,
): { readonly seed: number; readonly invariant: string } | undefined {
  for (let seed = 1; seed <= seeds; seed++) {
    const { violation } = runSeed({ seed, mutants: new Set([mutant]) });
    if (violation) return { seed, invariant: violation.invariant };
  }
  return undefined;
}
