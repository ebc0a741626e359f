/**
 * Following (ZAB phases 1 and 2), the follower's half: promise the epoch, receive the history, make it durable, *then*
 * write `currentEpoch`, *then* acknowledge NEWLEADER.
 */
import { assert, type Batch, formatZxid, type Zxid } from "@quorate/api";
import {
  type Core,
  deliver,
  type Following,
  type Link,
  note,
  positionOf,
  send,
  ticketFor,
  writeState,
} from "./core.ts";
import { announce, goLooking } from "./election.ts";
import { History } from "./history.ts";
import type { ToFollower } from "./message.ts";
import type { DurableState } from "./state.ts";

type NewEpoch = Extract<ToFollower, { kind: "newEpoch" }>;
type SnapshotPiece = Extract<ToFollower, { kind: "snapshot" }>;

export function startFollowing(core: Core, link: Link): void {
  assert(core.writes.length === 0, "a follower's disk is at rest when it begins");
  core.term++;
  core.phase = "following";
  core.following = newFollowing(core, link.peer, link.id, false);
  const { standing, ensembleId, acceptedEpoch } = core.durable;
  send(core, link.id, { kind: "followerInfo", standing, ensembleId, acceptedEpoch });
}

function newFollowing(core: Core, leader: number, link: number, serving: boolean): Following {
  return {
    leader,
    link,
    stage: "informing",
    epoch: 0,
    lastHeard: core.now,
    staged: undefined,
    installing: false,
    newLeaderLast: undefined,
    serving,
    answers: new Map(),
    pings: new Map(),
    fresh: [],
  };
}

/** The following that this link's leader may speak to; messages of an earlier relation are passed over. */
function followingOn(core: Core, link: Link): Following | undefined {
  return core.following?.link === link.id ? core.following : undefined;
}

export function onNewEpoch(core: Core, link: Link, message: NewEpoch): void {
  const former = followingOn(core, link);
  if (!former || (former.stage !== "informing" && former.stage !== "synced")) return;
  const joined = standingUnder(core, message);
  if (typeof joined === "string") {
    goLooking(core, joined);
    return;
  }
  const { epoch } = message;
  if (epoch < core.durable.acceptedEpoch) {
    send(core, link.id, { kind: "refuseEpoch", acceptedEpoch: core.durable.acceptedEpoch });
    goLooking(core, `replica ${link.peer} offers epoch ${epoch}, below the promised ${core.durable.acceptedEpoch}`);
    return;
  }
  // A roll: the same leader, over the link that stands. Nothing that was promised to the former epoch is lost, since
  // the leader rolls only when all it proposed is committed.
  const following = former.stage === "synced" ? newFollowing(core, link.peer, link.id, former.serving) : former;
  core.following = following;
  core.term++;
  following.stage = "promising";
  following.epoch = epoch;
  if (epoch === core.durable.acceptedEpoch) {
    acknowledgeEpoch(core, following, false);
    return;
  }
  const term = core.term;
  const state = { ...joined, acceptedEpoch: epoch };
  writeState(core, state, undefined, () => {
    if (core.term === term) acknowledgeEpoch(core, following, true);
  });
}

/** The state that this replica has under the offered epoch, or why it cannot follow it. */
function standingUnder(core: Core, message: NewEpoch): DurableState | string {
  const { durable } = core;
  const sameId = durable.ensembleId === message.ensembleId;
  if (message.founding) {
    if (durable.standing !== "founding") return "a new ensemble is being founded without its member";
    return durable.ensembleId === "" || sameId
      ? { ...durable, ensembleId: message.ensembleId }
      : "founders of two ensembles";
  }
  if (durable.ensembleId !== "" && !sameId) return `the leader is of another ensemble (${message.ensembleId})`;
  const late = durable.standing === "founding" && durable.ensembleId === "";
  return { ...durable, ensembleId: message.ensembleId, standing: late ? "joining" : durable.standing };
}

function acknowledgeEpoch(core: Core, following: Following, counts: boolean): void {
  assert(core.history.durable === core.history.last, "what is promised with is durable");
  following.stage = "promised";
  send(core, following.link, {
    kind: "ackEpoch",
    epoch: following.epoch,
    counts,
    standing: core.durable.standing,
    ensembleId: core.durable.ensembleId,
    currentEpoch: core.durable.currentEpoch,
    position: positionOf(core),
    base: core.history.base,
    epochs: core.history.epochs(),
  });
}

export function onTruncate(core: Core, link: Link, to: Zxid): void {
  const following = followingOn(core, link);
  if (following?.stage !== "promised") return;
  following.stage = "syncing";
  if (to >= core.history.last) return;
  if (to < core.delivered || !core.history.knows(to)) {
    core.out.push({
      kind: "stop",
      why: `the leader would cut the log at ${formatZxid(to)}, but ${formatZxid(core.delivered)} is applied`,
    });
    return;
  }
  note(core, `cuts its log from ${formatZxid(core.history.last)} back to ${formatZxid(to)}`);
  const { history } = core;
  history.truncate(to);
  history.cut(to);
  core.out.push({ kind: "truncate", ticket: ticketFor(core, () => history.cut(to)), to });
}

export function onSnapshotPiece(core: Core, link: Link, piece: SnapshotPiece): void {
  const following = followingOn(core, link);
  if (!following || (following.stage !== "promised" && following.stage !== "syncing")) return;
  if (piece.offset === 0) {
    if (piece.at < core.delivered) {
      core.out.push({
        kind: "stop",
        why: `the leader's snapshot ends at ${piece.at}, but ${core.delivered} is applied`,
      });
      return;
    }
    following.stage = "syncing";
    following.staged = { at: piece.at, history: History.behind(piece.at, piece.checksum), complete: false };
  }
  const { staged } = following;
  if (!staged || staged.at !== piece.at || staged.complete) return;
  staged.complete = piece.done;
  const ticket = ticketFor(core, () => {});
  const { at, checksum, offset, chunk, done } = piece;
  core.out.push({ kind: "stage", ticket, at, checksum, offset, chunk, done });
}

/** A proposal, or a piece of history: behind the last one, or the link is not what it says. */
export function onPropose(core: Core, link: Link, batch: Batch): void {
  const following = followingOn(core, link);
  if (!following) return;
  const { stage } = following;
  if (stage !== "syncing" && stage !== "acknowledging" && stage !== "synced") return;
  const history = following.staged?.history ?? core.history;
  const fault = contiguityFault(core, history, batch);
  if (fault !== "") {
    core.out.push({ kind: "drop", link: link.id, why: fault });
    goLooking(core, fault);
    return;
  }
  history.append(batch);
  const staged = following.staged !== undefined && !following.installing;
  const ticket = ticketFor(core, () => {
    if (batch.last <= history.last) history.written(batch.last);
    onDurable(core, following);
  });
  core.out.push({ kind: "append", ticket, batches: [batch], staged });
  if (stage === "synced") believe(core, batch.commit);
}

function contiguityFault(core: Core, history: History, batch: Batch): string {
  if (batch.previous !== history.last) {
    return `a batch follows ${formatZxid(batch.previous)}, the log ends at ${formatZxid(history.last)}`;
  }
  if (batch.first <= history.last) return "zxids only grow";
  const checksum = core.options.checksum(history.checksum, batch);
  return checksum === batch.checksum ? "" : `the running checksum at ${formatZxid(batch.last)} differs`;
}

export function onNewLeader(core: Core, link: Link, epoch: number, last: Zxid): void {
  const following = followingOn(core, link);
  if (following?.stage !== "syncing" || epoch !== following.epoch) return;
  const history = following.staged?.history ?? core.history;
  if (last !== history.last || following.staged?.complete === false) {
    core.out.push({ kind: "drop", link: link.id, why: "NEWLEADER does not fit the history it follows" });
    goLooking(core, `NEWLEADER says ${formatZxid(last)}, the history ends at ${formatZxid(history.last)}`);
    return;
  }
  following.stage = "acknowledging";
  following.newLeaderLast = last;
  onDurable(core, following);
}

/** A write has finished: acknowledge what may be, to the leader that is followed now. */
function onDurable(core: Core, following: Following): void {
  if (core.following !== following) return;
  if (following.stage === "acknowledging") acknowledgeNewLeader(core, following);
  else if (following.stage === "synced") {
    send(core, following.link, { kind: "ack", epoch: following.epoch, through: core.history.durable });
    deliver(core);
  }
}

/** History durable, then `currentEpoch` (and a staged snapshot with it), then the acknowledgement. */
function acknowledgeNewLeader(core: Core, following: Following): void {
  const { staged, newLeaderLast } = following;
  const history = staged?.history ?? core.history;
  if (newLeaderLast === undefined || following.installing) return;
  if (history.durable < newLeaderLast) return;
  following.installing = true;
  const term = core.term;
  const state: DurableState = { ...core.durable, currentEpoch: following.epoch, standing: "member" };
  writeState(core, state, staged?.at, () => {
    if (staged) {
      core.history = staged.history;
      core.delivered = staged.at;
      core.committed = staged.at;
    }
    if (core.term !== term) return;
    following.staged = undefined;
    following.stage = "synced";
    core.failures = 0;
    core.preferred = undefined;
    core.followNotBefore.clear();
    send(core, following.link, { kind: "ackNewLeader", epoch: following.epoch });
    if (core.history.durable > newLeaderLast) {
      send(core, following.link, { kind: "ack", epoch: following.epoch, through: core.history.durable });
    }
    announce(core);
  });
}

/** Believes a commit index: only from the leader whose NEWLEADER was acknowledged, on its link. */
function believe(core: Core, through: Zxid): void {
  if (through > core.committed) core.committed = through;
  // Not only when it rises: an earlier leader may have said so before the batch was durable here.
  deliver(core);
}

export function onCommit(core: Core, link: Link, epoch: number, through: Zxid): void {
  const following = followingOn(core, link);
  if (!following || epoch !== following.epoch) return;
  if (following.stage !== "synced") return;
  believe(core, through);
  following.serving = true;
}

export function onHandOver(core: Core, link: Link, epoch: number, target: number): void {
  const following = followingOn(core, link);
  if (following?.stage !== "synced" || epoch !== following.epoch) return;
  core.preferred = { target, until: core.now + core.timing.handOverMillis };
  goLooking(core, `replica ${link.peer} hands over to replica ${target}`);
}
