/**
 * All invariants of a run, each promise of the service in a file of its own. They share what was seen of the one order;
 * the first of them are about that, so that a fork is named as such before something else notices it.
 */
import type { ReplicaId } from "@quorate/api";
import type { Invariant } from "../observation.ts";
import { BoundedStaleness } from "./bounded-staleness.ts";
import { CursorMonotonic } from "./cursor-monotonic.ts";
import { EphemeralsEndWithTheirSession } from "./ephemerals-end-with-their-session.ts";
import { EqualDigests } from "./equal-digests.ts";
import { EventBeforeData } from "./event-before-data.ts";
import { FollowedChangesTold } from "./followed-changes-told.ts";
import { LinearizableReads } from "./linearizable-reads.ts";
import { MonotonicReads } from "./monotonic-reads.ts";
import { NoEarlyExpiry } from "./no-early-expiry.ts";
import { NoEffectMeansNone } from "./no-effect-means-none.ts";
import { NoLostAcknowledgement } from "./no-lost-acknowledgement.ts";
import { NoWriteAppliedTwice } from "./no-write-applied-twice.ts";
import { OneLeaderPerEpoch } from "./one-leader-per-epoch.ts";
import { Order } from "./order.ts";
import { PrefixAgreement } from "./prefix-agreement.ts";
import { PrimaryOrder } from "./primary-order.ts";
import { ReadYourWrites } from "./read-your-writes.ts";
import { ReadsShowTheState } from "./reads-show-the-state.ts";
import { RightsAtDelivery } from "./rights-at-delivery.ts";
import { RingWithoutGapOrDuplicate } from "./ring-without-gap-or-duplicate.ts";
import { SessionFifo } from "./session-fifo.ts";
import { SessionLaneOrder } from "./session-lane-order.ts";
import { SessionsEnd } from "./sessions-end.ts";
import { SnapshotExact } from "./snapshot-exact.ts";
import { TotalOrder } from "./total-order.ts";
import { WatchEndsWithItsSession } from "./watch-ends-with-its-session.ts";
import { WatchEventsComplete } from "./watch-events-complete.ts";
import { WatchedChanges } from "./watched-changes.ts";

export interface InvariantOptions {
  /** By how much of the true time a replica's monotonic clock may be fast or slow. */
  readonly clockDrift?: number;
  /** What the expiry of a session may take beyond its timeout, once nothing fails any more, ms. */
  readonly expirySlackMillis?: number;
}

/** Fresh ones, for one run. */
export function createInvariants({ clockDrift = 0.05, expirySlackMillis = 1500 }: InvariantOptions = {}): Invariant[] {
  const order = new Order();
  const changes = new WatchedChanges(order);
  return [
    new OneLeaderPerEpoch(),
    new TotalOrder(order),
    new PrefixAgreement(order),
    new PrimaryOrder(order),
    new NoWriteAppliedTwice(order),
    new SessionFifo(order),
    new SessionLaneOrder(order),
    new NoEffectMeansNone(order),
    new NoLostAcknowledgement(order),
    new ReadYourWrites(order),
    new MonotonicReads(order),
    new LinearizableReads(order),
    new BoundedStaleness(order, clockDrift),
    new NoEarlyExpiry(order, clockDrift),
    new EphemeralsEndWithTheirSession(order),
    new SessionsEnd(order, expirySlackMillis),
    new SnapshotExact(order),
    new EqualDigests(order),
    new RingWithoutGapOrDuplicate(order),
    new ReadsShowTheState(order),
    new CursorMonotonic(order),
    new EventBeforeData(),
    new RightsAtDelivery(changes),
    new WatchEventsComplete(changes),
    new WatchEndsWithItsSession(order),
    new FollowedChangesTold(changes),
  ];
}

/** A bit of the replica's memory was flipped: its state is left out of account until it has restored the right one. */
export function flipped(invariants: readonly Invariant[], replica: ReplicaId): void {
  for (const each of invariants) if (each instanceof EqualDigests) each.flipped(replica);
}
