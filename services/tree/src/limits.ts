/**
 * The bounds of the state machine that are not part of the clients' table (`limits` of api). They are rules: every
 * replica must have the same, so a change of one is a change of the rules version. Sizes in bytes, times in ms.
 */
import { assert, limits } from "@quorate/api";

/**
 * The newest rules by which this room can apply batches. A change of what a command does takes the next number, and
 * what `apply` does under the numbers before it stays: whatever depends on it asks `State.rules`.
 */
export const rulesVersion = 2;

export const treeLimits = {
  /** V8's Map ends at 2^24 entries; beyond this a creation is `quotaExceeded`. */
  znodes: 16_000_000,
  /** Live sessions of both roles; beyond it createSession is `quotaExceeded`. */
  sessions: 1_000_000,
  /** What all lanes together may remember; beyond it writes are `throttled` until gateways acknowledge. */
  laneBytes: 256 * 1_048_576,
  /** What all idempotency keys together may remember; beyond it keyed writes are `throttled`. */
  keyBytes: 64 * 1_048_576,
  /** What the reads of one keyed txn may answer, since it is remembered for a minute; beyond it `tooLarge`. */
  keyedAnswerBytes: 65_536,
  /**
   * Znodes that one transaction may look at to count what new quotas are about, since that holds up all else; beyond it
   * `tooLarge`. A larger tree is not looked at as a whole: there quotas are set on an eighth as many znodes at most.
   */
  quotaCounted: 4_000_000,
  /** Keys purged at the start of a batch, and before each keyed command. */
  keysPurgedPerBatch: 1000,
  keysPurgedPerCommand: 2,
} as const;

/** Bounds of one replica's memory; not rules. */
export const memoryLimits = {
  /** The change ring; beyond it the oldest changes go. */
  ringBytes: 32 * 1_048_576,
  /**
   * An answer to a watch ends with the transaction that reaches one of these: events, their bytes, changes looked at
   * (one of a long path counts as several).
   */
  watchEvents: 1000,
  watchBytes: limits.watchAnswerBytes,
  watchScanned: 10_000,
  /** Events of one transaction that one answer can hold. */
  watchTransactionBytes: 8 * 1_048_576,
  /** A frame of a snapshot: a longer one is no snapshot of ours. One record is at most an outcome or a znode. */
  frameBytes: 16 * 1_048_576,
  /** Where the snapshot's writer ends a frame, whatever its budget. */
  frameTargetBytes: 1_048_576,
} as const;

assert(limits.keyCount * 2 < treeLimits.znodes, "the idempotency keys must fit a Map");
assert(memoryLimits.frameBytes > 2 * limits.answerBytes, "a remembered outcome must fit a frame");
assert(treeLimits.keyedAnswerBytes < limits.answerBytes, "a keyed answer is smaller than any answer");
