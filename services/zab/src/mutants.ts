/**
 * Switches that each take one safety rule out, so that the simulation can prove that it would notice. Nothing outside
 * the tests sets them.
 */
export type Mutant =
  /** A follower acknowledges a proposal when it has asked for the write, not when it is durable. */
  | "ackBeforeFsync"
  /** The leader counts its own vote before its own fsync. */
  | "leaderCountsUnsynced"
  /** The promise of an epoch is kept in memory only. */
  | "acceptedEpochNotDurable"
  /** `currentEpoch` is written when the synchronization begins, before its history is durable. */
  | "currentEpochBeforeHistory"
  /** A write that finishes after its term moves nothing, and a replica looks without waiting for it. */
  | "staleTicketIgnored"
  /** A position is the last zxid of the log, whatever snapshot lies under it. */
  | "snapshotNotInPosition"
  /** A commit index is believed while the synchronization runs. */
  | "commitBeforeNewLeaderAck"
  /** Confirmations are answered before the initial history is committed. */
  | "readIndexBeforeEstablishment"
  /** A confirmation joins a ping that is already under way. */
  | "readJoinsRoundInFlight"
  /** A replica with an empty disk counts at once. */
  | "joinerCounts"
  /** An epoch that was promised before counts again. */
  | "equalEpochCounts"
  /** A promise counts although whoever made it may have lost its disk since. */
  | "forgottenPromiseCounts"
  /** Batches are appended without looking at what they follow. */
  | "gapAccepted"
  /** One acknowledgement less than a quorum commits. */
  | "minorityCommits"
  /** The candidate leads whatever better history it meets. */
  | "betterHistoryIgnored"
  /** NEWLEADER is acknowledged before the history is durable. */
  | "newLeaderAckBeforeFsync";
