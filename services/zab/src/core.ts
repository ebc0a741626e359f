/**
 * The state that the phases share, and the small steps they all take: send, write, note. Each phase lives in a file of
 * its own as plain functions over this; `peer.ts` alone holds the switch on role.
 */
import { assert, type Batch, type Epoch, type ReplicaId, type Zxid } from "@quorate/api";
import type { Effect, Status } from "./effect.ts";
import type { History } from "./history.ts";
import type { ConfirmTicket, LinkId, TransferTicket, WriteTicket } from "./input.ts";
import type { PeerMessage, VoteMessage } from "./message.ts";
import type { Credentials, DurableState, EpochEnd, Standing } from "./state.ts";

export type Millis = number;

export interface Timing {
  /** How long a leader or a quorum may be silent; also how long a write may hang before the replica is ill. */
  readonly electionMillis: Millis;
  readonly pingMillis: Millis;
  /** Quiet after which a vote that a quorum shares settles although not every linked voter shares it. */
  readonly settleMillis: Millis;
  /** From standing as leader to the end of discovery. */
  readonly discoveryMillis: Millis;
  /** How long a hand-over may take, and how long its target is preferred. */
  readonly handOverMillis: Millis;
}

export const defaultTiming: Timing = {
  electionMillis: 1000,
  pingMillis: 100,
  settleMillis: 50,
  discoveryMillis: 1500,
  handOverMillis: 1000,
};

export interface PeerOptions {
  readonly id: ReplicaId;
  readonly members: readonly ReplicaId[];
  readonly timing?: Partial<Timing>;
  /** 32 hex digits that this peer would give to a new ensemble. */
  readonly newEnsembleId: string;
  /** Running checksum of the log with a batch behind `previous`. */
  readonly checksum: (
    previous: number,
    batch: Pick<Batch, "first" | "last" | "previous" | "stamp" | "rules" | "payload">,
  ) => number;
  /** Whether a follower whose log ends at `after` is better served by the newest snapshot, which then lies beyond it. */
  readonly prefersSnapshot?: (after: Zxid) => boolean;
  /** Delivered batches kept in memory for followers that are a little behind. */
  readonly windowBytes?: number;
  /** The epoch rolls when the counter passes this. */
  readonly counterRollAt?: number;
}

/** What a leader knows of one follower; made anew with every FOLLOWERINFO. */
export interface Follower {
  readonly link: LinkId;
  readonly peer: ReplicaId;
  acceptedEpoch: Epoch;
  standing: Standing;
  ensembleId: string;
  /** waiting (for a confirmation, for establishment) → informed → offered → acked → syncing → live. */
  stage: "informed" | "offered" | "acked" | "syncing" | "live";
  /** Its ACK-E counts towards the quorum of discovery. */
  promised: boolean;
  /** The first ping that left behind its promise: who answers that one has not forgotten it. */
  promisedBefore: number;
  position: Zxid;
  currentEpoch: Epoch;
  base: Zxid;
  epochs: readonly EpochEnd[];
  /** Synchronization has sent everything up to here. */
  next: Zxid;
  transfer: TransferTicket | undefined;
  /** `last` of the NEWLEADER sent. */
  newLeaderLast: Zxid;
  /** It acknowledged NEWLEADER: its acks and pongs count. */
  synced: boolean;
  match: Zxid;
  sentCommit: Zxid;
  pong: number;
}

export interface PingRound {
  readonly number: number;
  readonly sentAt: Millis;
  readonly commit: Zxid;
  readonly tickets: ConfirmTicket[];
  /** Joiners that may be synchronized once this round is confirmed. */
  readonly admits: LinkId[];
}

export interface Leading {
  stage: "informing" | "writingAccepted" | "offering" | "writingCurrent" | "syncing" | "established";
  epoch: Epoch;
  /** `currentEpoch` at the beginning of this discovery: what "better" compares with. */
  readonly formerEpoch: Epoch;
  /** No member exists yet: every member of the configuration must acknowledge as a founder. False once all have. */
  founding: boolean;
  ensembleId: string;
  /** It was established in the epoch before and rolls: what it applied may still be read. */
  readonly rolling: boolean;
  startedAt: Millis;
  readonly followers: Map<LinkId, Follower>;
  /** The end of the initial history. */
  initialLast: Zxid;
  /** When a quorum last answered (the sending of the ping it answered). */
  quorumAt: Millis;
  pingNumber: number;
  lastPingAt: Millis;
  confirmed: number;
  confirmedSentAt: Millis;
  /** The commit index at that sending. */
  confirmedCommit: Zxid;
  rounds: PingRound[];
  waiting: ConfirmTicket[];
  waitingAdmits: LinkId[];
  handOver: { readonly target: ReplicaId; readonly until: Millis } | undefined;
  /** The epoch must roll above this; 0: no roll wanted. */
  rollAbove: Epoch;
}

export interface Following {
  readonly leader: ReplicaId;
  readonly link: LinkId;
  stage: "informing" | "promising" | "promised" | "syncing" | "acknowledging" | "synced";
  epoch: Epoch;
  lastHeard: Millis;
  /** The history behind a snapshot that is being staged, until the state file names it. */
  staged: { readonly at: Zxid; readonly history: History; complete: boolean } | undefined;
  installing: boolean;
  newLeaderLast: Zxid | undefined;
  /** The leader has said that it is established. */
  serving: boolean;
  /** Own answers: ping number → when. */
  readonly answers: Map<number, Millis>;
  /** Pings seen: number → what it said. */
  readonly pings: Map<number, { readonly commit: Zxid; readonly echo: number }>;
  /** Confirmed freshness: once `commit` is applied, what is read is at most as old as `at`. */
  fresh: { readonly commit: Zxid; readonly at: Millis }[];
}

export interface Link {
  readonly id: LinkId;
  readonly peer: ReplicaId;
  vote: VoteMessage | undefined;
  /** When anything last came over it. */
  lastHeard: Millis;
}

export interface OutstandingWrite {
  readonly ticket: WriteTicket;
  at: Millis;
  readonly done: () => void;
}

export interface Core {
  readonly options: PeerOptions;
  readonly timing: Timing;
  now: Millis;
  /** When the former step was made. */
  steppedAt: Millis;
  out: Effect[];
  /** As the disk has it. */
  durable: DurableState;
  history: History;
  phase: "waiting" | "looking" | "following" | "leading";
  /** Rises with each change of role: what was asked for in an older one answers nobody. */
  term: number;
  readonly links: Map<LinkId, Link>;
  readonly writes: OutstandingWrite[];
  nextTicket: number;
  /** The commit index that is believed. */
  committed: Zxid;
  delivered: Zxid;
  leading: Leading | undefined;
  following: Following | undefined;
  /** When something in the votes last changed. */
  votesChangedAt: Millis;
  lookingSince: Millis;
  /** When this peer last told everybody its vote. */
  toldAt: Millis;
  lastVote: VoteMessage | undefined;
  preferred: { readonly target: ReplicaId; readonly until: Millis } | undefined;
  /** Failed attempts to lead, for the back-off, and when the next may begin. */
  failures: number;
  leadNotBefore: Millis;
  /** After a failed attempt to follow: not again before. */
  readonly followNotBefore: Map<ReplicaId, Millis>;
  lastStatus: Status | undefined;
  nextTransfer: TransferTicket;
}

export function send(core: Core, link: LinkId, message: PeerMessage): void {
  if (core.links.has(link)) core.out.push({ kind: "send", link, message });
}

export function drop(core: Core, link: LinkId, why: string): void {
  if (core.links.has(link)) core.out.push({ kind: "drop", link, why });
}

export function note(core: Core, text: string): void {
  core.out.push({ kind: "note", text });
}

/** Registers a disk effect: `done` runs when it is durable, whatever the role is then. */
export function ticketFor(core: Core, done: () => void): WriteTicket {
  const ticket = core.nextTicket++;
  core.writes.push({ ticket, at: core.now, done });
  return ticket;
}

export function oldestWriteAge(core: Core): Millis {
  const oldest = core.writes[0];
  return oldest ? core.now - oldest.at : 0;
}

export function linkTo(core: Core, peer: ReplicaId): Link | undefined {
  for (const link of core.links.values()) if (link.peer === peer) return link;
  return undefined;
}

/** (currentEpoch, position, id) of this peer, from what is durable. */
export function credentialsOf(core: Core): Credentials {
  return {
    id: core.options.id,
    standing: core.durable.standing,
    ensembleId: core.durable.ensembleId,
    acceptedEpoch: core.durable.acceptedEpoch,
    currentEpoch: core.durable.currentEpoch,
    position: positionOf(core),
  };
}

/** The one function for votes, discovery and plans: the snapshot under the log, then the durable log. */
export function positionOf(core: Core): Zxid {
  return core.history.durable;
}

/** Replaces the state file; the change is believed when it is durable. */
export function writeState(core: Core, state: DurableState, install: Zxid | undefined, done: () => void): void {
  assert(state.acceptedEpoch >= core.durable.acceptedEpoch, "a promise is never taken back");
  assert(state.acceptedEpoch >= state.currentEpoch, "an epoch is accepted before it is current");
  const ticket = ticketFor(core, () => {
    core.durable = state;
    done();
  });
  core.out.push({ kind: "writeState", ticket, state, install });
}

/** Delivers what is committed and in the own durable log. */
export function deliver(core: Core): void {
  const through = Math.min(core.committed, core.history.durable) as Zxid;
  if (through <= core.delivered) return;
  const batches = core.history.between(core.delivered, through);
  const last = batches.at(-1);
  if (!last) return;
  assert((batches[0] as Batch).previous === core.delivered, "deliveries are contiguous");
  core.delivered = last.last;
  core.out.push({ kind: "deliver", batches });
  core.history.evict(core.delivered, core.options.windowBytes ?? 16 * 1024 * 1024);
}
