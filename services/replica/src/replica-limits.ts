/** The named bounds of a replica's loop: counts, bytes and milliseconds. */
import { assert, limits } from "@quorate/api";
import { gatewayLimits } from "./gateways.ts";

export const replicaLimits = {
  /** Commands that wait at the leader to be proposed; beyond it: `throttled`. */
  submissionCount: 16_384,
  submissionBytes: 64 * 1024 * 1024,
  /**
   * Lanes of which a try is being refused; beyond it the oldest is forgotten, and what is behind its refusal is proposed, to
   * be a gap without a trace at apply.
   */
  refusedLanes: 16_384,
  /** One batch. */
  batchCommands: 2048,
  batchBytes: 4 * 1024 * 1024,
  /** Appends of the leader under way before the next batch waits: what gathers meanwhile is one batch. */
  appendsInFlight: 1,
  /** Work that waits for the loop; beyond it the process is not keeping up with anything and stops. */
  inboxItems: 2_000_000,
  /** Reads of one gateway that wait (for a confirmation, a zxid, a leader); beyond it: `throttled`. */
  waitingReads: 20_000,
  /**
   * Unsent on a gateway's stream: its reads wait until it has taken some of that. What they answer is larger than what they
   * ask by thousands of times, and a stream that is full is dropped with all that goes over it.
   */
  answeredBytes: 16 * 1024 * 1024,
  /** First sessions of gateways that wait; beyond it the oldest is forgotten (its gateway asks again). */
  waitingOpens: 1000,
  /** Listings under way, of all gateways; one more is `throttled`. */
  listings: 16,
  /** What is kept for all of them together; beyond it the one that needs most is ended. */
  listingKeptBytes: 128 * 1024 * 1024,
  /** A listing that takes longer, or that nobody asks the next page of, is ended. */
  listingMillis: 600_000,
  listingIdleMillis: 30_000,
  /** A page of a listing ends at the first of these: it is made in one go, well within a slice. */
  pageZnodes: 500,
  pageBytes: 128 * 1024,
  /** Applying, restoring and snapshots run in slices of this. */
  sliceMillis: 4,
  tickMillis: 20,
  statusMillis: 500,
  sweepMillis: 400,
  sweepZnodes: 1000,
  expiredPerTick: 200,
  /** Log behind the newest snapshot after which the next one is taken. */
  snapshotLogBytes: 64 * 1024 * 1024,
  /** A snapshot's piece on the wire. */
  transferBytes: 256 * 1024,
  /** A follower that is synchronized from files is asked after so much whether it has written it, … */
  transferStepBytes: 1024 * 1024,
  /** … and is at most so many answers behind: a disk slower than the link must not fill its memory. */
  transferSteps: 2,
  /** A disk that takes nothing for so long holds the leader's log no longer. */
  transferStallMillis: 30_000,
  /** A follower further behind than this, and than the snapshot is large, gets the snapshot. */
  historyBytes: 32 * 1024 * 1024,
} as const;

assert(replicaLimits.batchBytes >= limits.requestBytes, "the largest command fits into a batch");
assert(replicaLimits.answeredBytes + 16 * 1024 * 1024 < gatewayLimits.queueBytes, "an answer more fits a stream");
assert(replicaLimits.submissionBytes >= replicaLimits.batchBytes, "a batch fits into the queue");
