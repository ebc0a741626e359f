/**
 * How a leader makes a follower's history equal to its own (ZAB's synchronization; ZooKeeper's DIFF, TRUNC, SNAP).
 * Pure: two tables in, a plan out. Batches of one epoch are made by one leader in one order, so two logs that both hold
 * a zxid are equal up to it: the common prefix ends at the smaller of the two ends of their highest common epoch.
 */
import { type Zxid, zeroZxid } from "@quorate/api";
import type { EpochEnd } from "./state.ts";

export interface LogShape {
  readonly base: Zxid;
  readonly epochs: readonly EpochEnd[];
  readonly last: Zxid;
}

export type SyncPlan =
  /** Cut back to `common` (which may be the follower's end already), then send what is behind it. */
  { readonly kind: "diff"; readonly common: Zxid } | { readonly kind: "snapshot" };

/** The end of the longest prefix that both are known to share; undefined when the tables do not reach back to one. */
export function commonPrefix(leader: LogShape, follower: LogShape): Zxid | undefined {
  let common: Zxid | undefined;
  for (const mine of leader.epochs) {
    const theirs = follower.epochs.find((each) => each.epoch === mine.epoch);
    if (theirs) common = Math.min(mine.last, theirs.last) as Zxid;
  }
  if (common === undefined && leader.base === zeroZxid && follower.base === zeroZxid) common = zeroZxid;
  return common;
}

export function planSync(leader: LogShape, follower: LogShape): SyncPlan {
  const common = commonPrefix(leader, follower);
  if (common === undefined || common < leader.base || common < follower.base) return { kind: "snapshot" };
  return { kind: "diff", common };
}
