/**
 * Discovery (ZAB phase 1): CEPOCH → NEWEPOCH → ACK-E, the leader's half. `acceptedEpoch` is durable on the leader before
 * NEWEPOCH leaves; a quorum of members must promise, none of them with a better history.
 */
import { assert, type Epoch, epochLimit, type ReplicaId } from "@quorate/api";
import { requestAdmission, sendPing } from "./confirmation.ts";
import { type Core, drop, type Follower, type Leading, type Link, note, positionOf, send, writeState } from "./core.ts";
import { countsIn, goLooking } from "./election.ts";
import type { ToLeader } from "./message.ts";
import { quorumSize } from "./quorum.ts";
import { beginSyncing, startSync } from "./synchronization-leader.ts";

type Info = Extract<ToLeader, { kind: "followerInfo" }>;
type AckEpoch = Extract<ToLeader, { kind: "ackEpoch" }>;

export function startLeading(core: Core, founding: boolean): void {
  assert(core.writes.length === 0, "a candidate's disk is at rest");
  core.term++;
  core.phase = "leading";
  core.leading = newLeading(core, founding, false);
  note(core, `stands as leader${founding ? " of a new ensemble" : ""}`);
  completeInforming(core);
}

function newLeading(core: Core, founding: boolean, rolling: boolean): Leading {
  return {
    stage: "informing",
    epoch: 0,
    formerEpoch: core.durable.currentEpoch,
    founding,
    rolling,
    ensembleId: core.durable.ensembleId,
    startedAt: core.now,
    followers: new Map(),
    initialLast: core.history.last,
    quorumAt: core.now,
    pingNumber: 0,
    lastPingAt: core.now,
    confirmed: 0,
    confirmedSentAt: core.now,
    confirmedCommit: core.committed,
    rounds: [],
    waiting: [],
    waitingAdmits: [],
    handOver: undefined,
    rollAbove: 0,
  };
}

export function isEstablished(leading: Leading): boolean {
  return leading.stage === "established";
}

/** Whether this follower counts: a member, or a founder of this very ensemble. */
export function counted(leading: Leading, follower: Pick<Follower, "standing" | "ensembleId" | "synced">): boolean {
  if (follower.synced) return true;
  return countsIn(follower, leading.founding ? "" : leading.ensembleId);
}

function enough(core: Core, leading: Leading, count: number): boolean {
  return count >= (leading.founding ? core.options.members.length : quorumSize(core.options.members));
}

export function onFollowerInfo(core: Core, link: Link, info: Info): void {
  const { leading } = core;
  if (!leading) return;
  if (info.ensembleId !== "" && leading.ensembleId !== "" && info.ensembleId !== leading.ensembleId) {
    drop(core, link.id, `replica ${link.peer} is of ensemble ${info.ensembleId}, not ${leading.ensembleId}`);
    return;
  }
  const follower: Follower = {
    link: link.id,
    peer: link.peer,
    acceptedEpoch: info.acceptedEpoch,
    standing: info.standing,
    ensembleId: info.ensembleId,
    stage: "informed",
    promised: false,
    promisedBefore: 0,
    position: 0 as Follower["position"],
    currentEpoch: 0,
    base: 0 as Follower["base"],
    epochs: [],
    next: 0 as Follower["next"],
    transfer: undefined,
    newLeaderLast: 0 as Follower["newLeaderLast"],
    synced: false,
    match: 0 as Follower["match"],
    sentCommit: 0 as Follower["sentCommit"],
    pong: 0,
  };
  leading.followers.set(link.id, follower);
  if (leading.stage === "informing") completeInforming(core);
  else if (leading.stage !== "writingAccepted") offer(core, leading, follower);
}

/** With a quorum of members heard: an epoch above all of theirs, durable here before anybody hears of it. */
function completeInforming(core: Core): void {
  const { leading } = core;
  if (leading?.stage !== "informing") return;
  let count = 1;
  let highest = core.durable.acceptedEpoch;
  for (const follower of leading.followers.values()) {
    highest = Math.max(highest, follower.acceptedEpoch);
    if (counted(leading, follower)) count++;
    if (leading.ensembleId === "") leading.ensembleId = follower.ensembleId;
  }
  if (!enough(core, leading, count)) return;
  if (leading.ensembleId === "") leading.ensembleId = core.options.newEnsembleId;
  writeEpoch(core, leading, highest + 1);
}

function writeEpoch(core: Core, leading: Leading, epoch: Epoch): void {
  assert(epoch < epochLimit, "the epochs are spent");
  leading.stage = "writingAccepted";
  leading.epoch = epoch;
  const term = core.term;
  const state = { ...core.durable, acceptedEpoch: epoch, ensembleId: leading.ensembleId };
  writeState(core, state, undefined, () => {
    if (core.term !== term) return;
    leading.stage = "offering";
    for (const follower of leading.followers.values()) {
      offer(core, leading, follower);
      if (core.term !== term) return;
    }
    completeOffering(core);
  });
}

/** NEWEPOCH to one follower; a joiner waits for a confirmation begun after it asked. */
export function offer(core: Core, leading: Leading, follower: Follower): void {
  if (follower.stage !== "informed") return;
  if (follower.acceptedEpoch > leading.epoch) {
    onHigherPromise(core, leading, follower.acceptedEpoch, follower.peer);
    return;
  }
  if (!counted(leading, follower)) {
    if (!isEstablished(leading)) return;
    requestAdmission(core, leading, follower.link);
    return;
  }
  sendNewEpoch(core, leading, follower);
}

export function sendNewEpoch(core: Core, leading: Leading, follower: Follower): void {
  follower.stage = "offered";
  const { epoch, ensembleId, founding } = leading;
  send(core, follower.link, { kind: "newEpoch", epoch, ensembleId, founding });
}

/** The answer to an offer; one of an earlier offer, which this leader has outgrown, says nothing. */
export function onRefuseEpoch(core: Core, link: Link, acceptedEpoch: Epoch): void {
  const { leading } = core;
  const offered = leading?.followers.get(link.id)?.stage === "offered";
  if (leading && offered && acceptedEpoch > leading.epoch) onHigherPromise(core, leading, acceptedEpoch, link.peer);
}

/** Somebody has promised more: an established leader rolls its epoch above it, a candidate gives up. */
function onHigherPromise(core: Core, leading: Leading, acceptedEpoch: Epoch, peer: ReplicaId): void {
  if (isEstablished(leading)) leading.rollAbove = Math.max(leading.rollAbove, acceptedEpoch);
  else goLooking(core, `replica ${peer} has promised epoch ${acceptedEpoch}`);
}

export function onAckEpoch(core: Core, link: Link, ack: AckEpoch): void {
  const { leading } = core;
  const follower = leading?.followers.get(link.id);
  if (!leading || !follower || follower.stage !== "offered" || ack.epoch !== leading.epoch) return;
  follower.stage = "acked";
  follower.promised = ack.counts;
  follower.promisedBefore = leading.pingNumber + 1;
  follower.standing = ack.standing;
  follower.ensembleId = ack.ensembleId;
  follower.position = ack.position;
  follower.currentEpoch = ack.currentEpoch;
  follower.base = ack.base;
  follower.epochs = ack.epochs;
  const established = leading.stage === "established";
  if (!established && counted(leading, follower) && hasBetterHistory(core, leading, follower)) {
    goLooking(core, `replica ${link.peer} has a better history`);
    return;
  }
  if (leading.stage === "offering") {
    if (enough(core, leading, 1 + promisersOf(leading).length)) sendPing(core, leading);
    completeOffering(core);
  } else if (leading.stage === "syncing" || established) startSync(core, leading, follower);
}

function hasBetterHistory(core: Core, leading: Leading, follower: Follower): boolean {
  if (follower.currentEpoch !== leading.formerEpoch) return follower.currentEpoch > leading.formerEpoch;
  return follower.position > positionOf(core);
}

function promisersOf(leading: Leading): Follower[] {
  return [...leading.followers.values()].filter(
    (each) => each.stage === "acked" && each.promised && counted(leading, each),
  );
}

/**
 * Whether a quorum has promised, and each of it has answered a ping that left behind the last of these promises. Who was
 * wiped before does not answer on this link, and its promise is forgotten. Who is wiped later asks an older leader for
 * admission when all have promised: that leader's confirmation, without the wiped one, meets one of them and fails.
 */
function isPromised(core: Core, leading: Leading): boolean {
  const promisers = promisersOf(leading);
  if (!enough(core, leading, 1 + promisers.length)) return false;
  if (promisers.length === 0) return true;
  return promisers.some(({ promisedBefore }) => {
    const alive = promisers.filter((each) => each.promisedBefore <= promisedBefore && each.pong >= promisedBefore);
    return enough(core, leading, 1 + alive.length);
  });
}

/** With a quorum of promises: only now the leader's own `currentEpoch`, then synchronization. */
export function completeOffering(core: Core): void {
  const { leading } = core;
  if (leading?.stage !== "offering" || !isPromised(core, leading)) return;
  leading.stage = "writingCurrent";
  const term = core.term;
  const state = { ...core.durable, currentEpoch: leading.epoch, standing: "member" as const };
  writeState(core, state, undefined, () => {
    if (core.term === term) beginSyncing(core, leading);
  });
}

/** The roll: discovery and synchronization again over the links that stand, with no vote. */
export function rollEpoch(core: Core, leading: Leading): void {
  assert(core.committed === core.history.last, "an epoch rolls when all that was proposed is committed");
  assert(core.history.durable === core.history.last, "an epoch rolls when the leader's own log is durable");
  const above = Math.max(leading.rollAbove, core.durable.acceptedEpoch);
  note(core, `rolls the epoch above ${above}`);
  const next: Leading = { ...newLeading(core, false, true), ensembleId: leading.ensembleId };
  next.pingNumber = leading.pingNumber;
  next.confirmed = leading.confirmed;
  next.confirmedSentAt = leading.confirmedSentAt;
  next.confirmedCommit = leading.confirmedCommit;
  next.waiting.push(...leading.waiting);
  for (const round of leading.rounds) next.waiting.push(...round.tickets);
  for (const follower of leading.followers.values()) {
    if (follower.stage === "live" && follower.synced) {
      next.followers.set(follower.link, {
        ...follower,
        stage: "informed",
        synced: false,
        promised: false,
        standing: "member",
      });
    } else {
      drop(core, follower.link, "the epoch rolls: begin again");
    }
  }
  core.term++;
  core.leading = next;
  writeEpoch(core, next, above + 1);
}
