/**
 * One synchronous door into agreement: `step(now, input)` takes what happened and answers what to do about it. No clock,
 * disk, socket, promise or randomness is known here; payloads are opaque bytes.
 */
import { assert, type ReplicaId, unreachable, type Zxid } from "@quorate/api";
import { continueLeading, leaveIfIll, mayPropose, onAck, onHandOverWanted, onSubmitted } from "./broadcast.ts";
import { freshSince, onConfirm, onPing, onPong, sendPing } from "./confirmation.ts";
import { type Core, defaultTiming, type Leading, type Link, type PeerOptions } from "./core.ts";
import { onAckEpoch, onFollowerInfo, onRefuseEpoch } from "./discovery.ts";
import type { Effect, Status } from "./effect.ts";
import {
  announce,
  dropSilent,
  evaluate,
  goLooking,
  greet,
  lookingReason,
  onVote,
  settleWrites,
  tickLooking,
} from "./election.ts";
import { History } from "./history.ts";
import type { Input, LinkId, RecoveredHistory, WriteTicket } from "./input.ts";
import type { PeerMessage, ToFollower, ToLeader } from "./message.ts";
import { excuseStandstill } from "./standstill.ts";
import type { DurableState } from "./state.ts";
import {
  onCommit,
  onHandOver,
  onNewEpoch,
  onNewLeader,
  onPropose,
  onSnapshotPiece,
  onTruncate,
} from "./synchronization.ts";
import { onAckNewLeader, onTransferred } from "./synchronization-leader.ts";

/** What metrics and health look at. */
export interface PeerView {
  readonly status: Status;
  readonly state: DurableState;
  readonly committed: Zxid;
  /** The end of the durable log. */
  readonly durable: Zxid;
  readonly last: Zxid;
  /** Following or leading: the end of the history this replica was synchronized with. */
  readonly syncedThrough: Zxid;
}

export class Peer {
  readonly #core: Core;

  constructor(options: PeerOptions, state: DurableState, recovered: RecoveredHistory) {
    assert(options.members.includes(options.id), "a replica is in its own configuration");
    this.#core = {
      options,
      timing: { ...defaultTiming, ...options.timing },
      now: 0,
      steppedAt: 0,
      out: [],
      durable: state,
      history: new History(recovered),
      phase: "looking",
      term: 0,
      links: new Map(),
      writes: [],
      nextTicket: 1,
      committed: recovered.applied,
      delivered: recovered.applied,
      leading: undefined,
      following: undefined,
      votesChangedAt: 0,
      lookingSince: 0,
      toldAt: 0,
      lastVote: undefined,
      preferred: undefined,
      failures: 0,
      leadNotBefore: 0,
      followNotBefore: new Map(),
      lastStatus: undefined,
      nextTransfer: 1,
    };
  }

  /** `now`: monotonic milliseconds, never falling. The effects are to be performed in order. */
  step(now: number, input: Input): readonly Effect[] {
    const core = this.#core;
    assert(now >= core.now, "time does not fall");
    core.now = now;
    core.out = [];
    excuseStandstill(core);
    this.#dispatch(input);
    continueLeading(core);
    evaluate(core);
    this.#reportStatus();
    return core.out;
  }

  /** Whether a submission would be taken now. */
  get mayPropose(): boolean {
    return mayPropose(this.#core);
  }

  get view(): PeerView {
    const core = this.#core;
    return {
      status: this.#status(),
      state: core.durable,
      committed: core.committed,
      durable: core.history.durable,
      last: core.history.last,
      syncedThrough: (core.leading?.initialLast ?? core.following?.newLeaderLast ?? 0) as Zxid,
    };
  }

  /** Since when, by this replica's own clock, what it has applied (`applied`) was certainly the newest. */
  freshSince(applied: Zxid): number | undefined {
    return freshSince(this.#core, applied);
  }

  /** Which link leads to this peer, if one stands. */
  linkTo(peer: ReplicaId): LinkId | undefined {
    for (const link of this.#core.links.values()) if (link.peer === peer) return link.id;
    return undefined;
  }

  #dispatch(input: Input): void {
    const core = this.#core;
    switch (input.kind) {
      case "tick":
        return this.#tick();
      case "linkUp":
        return this.#linkUp(input.link, input.peer);
      case "linkDown":
        return this.#linkDown(input.link);
      case "received":
        return this.#received(input.link, input.message);
      case "written":
        return this.#written(input.ticket);
      case "submitted":
        return onSubmitted(core, input.submission);
      case "confirm":
        return onConfirm(core, input.ticket);
      case "handOver":
        return onHandOverWanted(core, input.target);
      case "transferred":
        return onTransferred(core, input.ticket, input.at);
      case "pruned":
        return core.history.prune(input.base);
      default:
        return unreachable(input);
    }
  }

  #linkUp(id: LinkId, peer: ReplicaId): void {
    const core = this.#core;
    assert(!core.links.has(id), "a link comes up once");
    assert(this.linkTo(peer) === undefined, "one link to each peer");
    if (!core.options.members.includes(peer) || peer === core.options.id) {
      core.out.push({ kind: "drop", link: id, why: `replica ${peer} is not in the configuration` });
      return;
    }
    const link: Link = { id, peer, vote: undefined, lastHeard: core.now };
    core.links.set(id, link);
    greet(core, link);
  }

  #linkDown(id: LinkId): void {
    const core = this.#core;
    const link = core.links.get(id);
    if (!link) return;
    core.links.delete(id);
    core.votesChangedAt = core.now;
    core.leading?.followers.delete(id);
    if (core.following?.link === id) goLooking(core, `the link to the leader, replica ${link.peer}, broke`);
    else if (core.phase === "looking" || core.phase === "waiting") announce(core);
  }

  #written(ticket: WriteTicket): void {
    const core = this.#core;
    const write = core.writes.shift();
    assert(write !== undefined && write.ticket === ticket, "disk effects complete in order");
    write.done();
    settleWrites(core);
  }

  #received(id: LinkId, message: PeerMessage): void {
    const core = this.#core;
    const link = core.links.get(id);
    if (!link) return;
    link.lastHeard = core.now;
    if (core.following?.link === id) core.following.lastHeard = core.now;
    switch (message.kind) {
      case "vote":
        return onVote(core, link, message);
      case "followerInfo":
      case "ackEpoch":
      case "refuseEpoch":
      case "ackNewLeader":
      case "ack":
      case "pong":
        return this.#fromFollower(link, message);
      default:
        return this.#fromLeader(link, message);
    }
  }

  #fromFollower(link: Link, message: ToLeader): void {
    const core = this.#core;
    switch (message.kind) {
      case "followerInfo":
        return onFollowerInfo(core, link, message);
      case "ackEpoch":
        return onAckEpoch(core, link, message);
      case "refuseEpoch":
        return onRefuseEpoch(core, link, message.acceptedEpoch);
      case "ackNewLeader":
        return onAckNewLeader(core, link, message.epoch);
      case "ack":
        return onAck(core, link, message.epoch, message.through);
      case "pong":
        return onPong(core, link, message.epoch, message.number);
      default:
        return unreachable(message);
    }
  }

  #fromLeader(link: Link, message: ToFollower): void {
    const core = this.#core;
    switch (message.kind) {
      case "newEpoch":
        return onNewEpoch(core, link, message);
      case "truncate":
        return onTruncate(core, link, message.to);
      case "snapshot":
        return onSnapshotPiece(core, link, message);
      case "propose":
        return onPropose(core, link, message.batch);
      case "newLeader":
        return onNewLeader(core, link, message.epoch, message.last);
      case "commit":
        return onCommit(core, link, message.epoch, message.through);
      case "ping":
        return onPing(core, link, message);
      case "handOver":
        return onHandOver(core, link, message.epoch, message.target);
      default:
        return unreachable(message);
    }
  }

  #tick(): void {
    const core = this.#core;
    const { leading, following, timing } = core;
    if (core.preferred && core.now >= core.preferred.until) core.preferred = undefined;
    if (following && core.now - following.lastHeard > timing.electionMillis) {
      goLooking(core, `replica ${following.leader} is silent`);
      const link = core.links.get(following.link);
      if (link) dropSilent(core, link);
      // Its vote still stands and says that it leads: joining it at once would cost another silence before an election.
      core.followNotBefore.set(following.leader, core.now + timing.electionMillis / 2);
    }
    if (leading) this.#tickLeading(leading);
    tickLooking(core);
  }

  #tickLeading(leading: Leading): void {
    const core = this.#core;
    const { timing } = core;
    const early = leading.stage !== "established" && leading.stage !== "syncing";
    if (early && core.now - leading.startedAt > timing.discoveryMillis) {
      goLooking(core, "discovery found no quorum in time");
      return;
    }
    if (!early && core.now - leading.quorumAt > timing.electionMillis) {
      goLooking(core, "a quorum is silent");
      // Followers answer pings: whom this leader does not hear it shall not reach, or it would be everybody's choice.
      for (const { link: id } of leading.followers.values()) {
        const link = core.links.get(id);
        if (link && core.now - link.lastHeard > timing.electionMillis) dropSilent(core, link);
      }
      return;
    }
    if (leaveIfIll(core, leading)) return;
    if (core.now - leading.lastPingAt >= timing.pingMillis) sendPing(core, leading);
  }

  #reportStatus(): void {
    const core = this.#core;
    const status = this.#status();
    const last = core.lastStatus;
    const same =
      last &&
      last.role === status.role &&
      last.leader === status.leader &&
      last.epoch === status.epoch &&
      last.serving === status.serving &&
      last.reason === status.reason;
    if (same) return;
    core.lastStatus = status;
    core.out.push({ kind: "roleChanged", status });
  }

  #status(): Status {
    const core = this.#core;
    const { leading, following } = core;
    const epoch = core.durable.currentEpoch;
    if (leading) {
      const serving = leading.stage === "established" || leading.rolling;
      const reason = serving ? "" : `it stands as leader (${leading.stage})`;
      return { role: "leading", leader: core.options.id, epoch, serving, reason };
    }
    if (following) {
      const { serving, stage, leader } = following;
      return {
        role: "following",
        leader,
        epoch,
        serving,
        reason: serving ? "" : `replica ${leader} synchronizes it (${stage})`,
      };
    }
    return { role: "looking", leader: 0, epoch, serving: false, reason: lookingReason(core) };
  }
}
