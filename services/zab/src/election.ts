/**
 * Looking for a leader (ZAB phase 0; ZooKeeper's fast leader election, without rounds: links are ordered, so that each
 * peer's newest vote is known, and a vote is only ever for somebody whom the voter itself hears).
 */
import { formatZxid, type ReplicaId } from "@quorate/api";
import {
  type Core,
  credentialsOf,
  drop,
  type Link,
  linkTo,
  note,
  positionOf,
  send,
  ticketFor,
  writeState,
} from "./core.ts";
import { startLeading } from "./discovery.ts";
import type { VoteMessage } from "./message.ts";
import { quorumSize } from "./quorum.ts";
import type { Credentials } from "./state.ts";
import { startFollowing } from "./synchronization.ts";

/** Whether `a` is a better candidate than `b`: by (currentEpoch, position, id). */
export function isBetter(a: Credentials, b: Credentials): boolean {
  if (a.currentEpoch !== b.currentEpoch) return a.currentEpoch > b.currentEpoch;
  if (a.position !== b.position) return a.position > b.position;
  return a.id > b.id;
}

/** The id of the ensemble of which somebody here is a member; empty when nobody is. */
export function knownEnsemble(core: Core): string {
  if (core.durable.standing === "member") return core.durable.ensembleId;
  for (const link of core.links.values()) {
    if (link.vote?.credentials.standing === "member") return link.vote.credentials.ensembleId;
  }
  return "";
}

/** A voter: a member, or a founder: of an ensemble that nobody is a member of yet, or that holds its id. */
export function countsIn(credentials: Pick<Credentials, "standing" | "ensembleId">, ensemble: string): boolean {
  if (credentials.standing === "member") return credentials.ensembleId === ensemble;
  if (credentials.standing === "founding") return ensemble === "" || credentials.ensembleId === ensemble;
  return false;
}

/** Gives up whatever this peer was and looks for a leader; first it waits until no write is outstanding. */
export function goLooking(core: Core, why: string): void {
  if (core.phase === "waiting" || core.phase === "looking") return;
  note(core, `looking for a leader: ${why}`);
  core.term++;
  const { leading, following } = core;
  core.leading = undefined;
  core.following = undefined;
  if (leading) {
    for (const ticket of leading.waiting) core.out.push({ kind: "unconfirmed", ticket });
    for (const round of leading.rounds) {
      for (const ticket of round.tickets) core.out.push({ kind: "unconfirmed", ticket });
    }
    if (leading.stage !== "established") backOff(core);
  }
  if (following) {
    if (following.stage !== "synced") core.followNotBefore.set(following.leader, core.now + 2 * core.timing.pingMillis);
    if (following.staged && !following.installing) {
      core.out.push({ kind: "unstage", ticket: ticketFor(core, () => {}) });
    }
  }
  core.phase = "waiting";
  core.lookingSince = core.now;
  core.votesChangedAt = core.now;
  settleWrites(core);
  announce(core);
}

/** A failed discovery costs an epoch: wait longer each time, so that flapping cannot spend them. */
function backOff(core: Core): void {
  core.failures++;
  // At last longer than the patience of anybody else, who would be heard by those that do not hear this one.
  const longest = Math.max(5000, 4 * core.timing.electionMillis);
  const pause = Math.min(longest, 25 * 2 ** Math.min(core.failures, 10));
  core.leadNotBefore = core.now + pause + core.options.id * 7;
}

/** From waiting to looking, once what lies on the disk is what this peer will report. */
export function settleWrites(core: Core): void {
  if (core.phase !== "waiting") return;
  if (core.writes.length > 0) return;
  core.phase = "looking";
  core.lookingSince = core.now;
  announce(core);
}

export function onVote(core: Core, link: Link, vote: VoteMessage): void {
  const mine = core.durable.ensembleId;
  const theirs = vote.credentials.ensembleId;
  if (mine !== "" && theirs !== "" && mine !== theirs) {
    drop(core, link.id, `replica ${link.peer} is of another ensemble (${theirs}, not ${mine})`);
    return;
  }
  const before = link.vote;
  link.vote = vote;
  if (!before || !sameVote(before, vote)) core.votesChangedAt = core.now;
  const { following } = core;
  if (following && following.link === link.id && vote.phase !== "leading" && before?.phase === "leading") {
    goLooking(core, `replica ${link.peer} leads no more`);
    return;
  }
  if (core.phase === "looking" || core.phase === "waiting") announce(core);
  else if (isSeeking(vote)) send(core, link.id, core.lastVote ?? currentVote(core));
}

function isSeeking(vote: VoteMessage): boolean {
  return vote.phase === "looking" || vote.phase === "waiting";
}

/**
 * While it looks, a peer tells its vote again and again, and whoever does not look answers with its own: so every link
 * that works is heard. One that is not heard is dropped.
 * 1. A leader goes deaf: what it says still arrives, and the best vote is its own.
 * 2. It misses its quorum and looks. Everybody hears that, and chooses it: it reaches a quorum, as far as it knows.
 * 3. It hears no vote, so it never leads; nobody else stands while it is there. Without the drop, for ever.
 */
export function tickLooking(core: Core): void {
  if (core.phase !== "looking" && core.phase !== "waiting") return;
  const patience = 2 * core.timing.electionMillis;
  for (const link of core.links.values()) {
    if (core.now - Math.max(link.lastHeard, core.lookingSince) > patience) dropSilent(core, link);
  }
  if (core.now - core.toldAt < core.timing.pingMillis) return;
  core.toldAt = core.now;
  for (const link of core.links.keys()) send(core, link, core.lastVote ?? currentVote(core));
}

export function dropSilent(core: Core, link: Link): void {
  drop(core, link.id, `replica ${link.peer} is silent`);
}

/** A founder without an id that meets a member is no founder: it joins (its disk was emptied). */
function joinIfLate(core: Core): boolean {
  if (core.durable.standing !== "founding" || core.writes.length > 0) return false;
  const ensemble = knownEnsemble(core);
  if (ensemble === "" || core.durable.ensembleId === ensemble) return false;
  note(core, `ensemble ${ensemble} exists already: this replica joins it with an empty disk`);
  core.phase = "waiting";
  writeState(core, { ...core.durable, standing: "joining" }, undefined, () => settleWrites(core));
  return true;
}

function reachOf(core: Core, ensemble: string): number {
  let reach = countsIn(core.durable, ensemble) ? 1 : 0;
  for (const link of core.links.values()) if (link.vote && countsIn(link.vote.credentials, ensemble)) reach++;
  return reach;
}

/** Whom this peer would follow now: the best that it hears, itself included; 0: nobody. */
function choose(core: Core, ensemble: string): ReplicaId {
  const needed = neededVotes(core, ensemble);
  const own = credentialsOf(core);
  let best: Credentials | undefined;
  if (countsIn(own, ensemble) && reachOf(core, ensemble) >= needed) best = own;
  const { preferred } = core;
  if (preferred && core.now < preferred.until) {
    if (preferred.target === own.id) return own.id;
    const link = linkTo(core, preferred.target);
    if (link?.vote) return preferred.target;
  }
  for (const link of core.links.values()) {
    const { vote } = link;
    if (!vote || (vote.phase !== "looking" && vote.phase !== "waiting")) continue;
    if (!countsIn(vote.credentials, ensemble) || vote.reach < needed) continue;
    if (!best || isBetter(vote.credentials, best)) best = vote.credentials;
  }
  return best?.id ?? 0;
}

/** The birth needs every member; later a quorum is enough. */
function neededVotes(core: Core, ensemble: string): number {
  return ensemble === "" ? core.options.members.length : quorumSize(core.options.members);
}

/** Tells every peer what this one is and whom it would follow, when that has changed. */
export function announce(core: Core): void {
  const vote = currentVote(core);
  const last = core.lastVote;
  if (last && sameVote(last, vote)) return;
  core.lastVote = vote;
  core.votesChangedAt = core.now;
  for (const link of core.links.keys()) send(core, link, vote);
}

function sameVote(a: VoteMessage, b: VoteMessage): boolean {
  const x = a.credentials;
  const y = b.credentials;
  return (
    a.phase === b.phase &&
    a.choice === b.choice &&
    a.reach === b.reach &&
    a.preferred === b.preferred &&
    x.standing === y.standing &&
    x.ensembleId === y.ensembleId &&
    x.acceptedEpoch === y.acceptedEpoch &&
    x.currentEpoch === y.currentEpoch &&
    (x.position === y.position || (a.phase !== "looking" && a.phase !== "waiting"))
  );
}

function currentVote(core: Core): VoteMessage {
  const ensemble = knownEnsemble(core);
  const preferred = core.preferred && core.now < core.preferred.until ? core.preferred.target : 0;
  const base = { kind: "vote", phase: core.phase, credentials: credentialsOf(core), preferred } as const;
  const reach = reachOf(core, ensemble);
  if (core.phase === "leading") return { ...base, choice: core.options.id, reach };
  if (core.phase === "following") return { ...base, choice: core.following?.leader ?? 0, reach };
  return { ...base, choice: choose(core, ensemble), reach };
}

export function greet(core: Core, link: Link): void {
  core.lastVote = currentVote(core);
  core.votesChangedAt = core.now;
  send(core, link.id, core.lastVote);
  if (core.phase === "looking" || core.phase === "waiting") {
    for (const other of core.links.keys()) if (other !== link.id) send(core, other, core.lastVote);
  }
}

/** Looks at the votes: join a leader that answers, or lead when the votes have settled on this peer. */
export function evaluate(core: Core): void {
  if (core.phase !== "looking" || core.writes.length > 0) return;
  if (joinIfLate(core)) return;
  announce(core);
  const leader = liveLeader(core);
  if (leader) {
    startFollowing(core, leader);
    announce(core);
    return;
  }
  if (core.durable.standing === "joining") return;
  if (mayLead(core)) {
    startLeading(core, knownEnsemble(core) === "");
    announce(core);
  }
}

/** Joining one that claims to lead is always safe; of several the one with the highest promise. */
function liveLeader(core: Core): Link | undefined {
  let best: Link | undefined;
  for (const link of core.links.values()) {
    const { vote } = link;
    if (vote?.phase !== "leading") continue;
    if ((core.followNotBefore.get(link.peer) ?? 0) > core.now) continue;
    const former = best?.vote?.credentials;
    if (!former || vote.credentials.acceptedEpoch > former.acceptedEpoch) best = link;
  }
  return best;
}

function mayLead(core: Core): boolean {
  if (core.now < core.leadNotBefore) return false;
  const ensemble = knownEnsemble(core);
  const own = credentialsOf(core);
  if (!countsIn(own, ensemble)) return false;
  const needed = neededVotes(core, ensemble);
  let supporters = 1;
  let others = 0;
  let worse = 1;
  let better = 0;
  for (const { vote } of core.links.values()) {
    if (!vote || !countsIn(vote.credentials, ensemble)) continue;
    if (vote.phase !== "looking") {
      others++;
      continue;
    }
    if (vote.choice === own.id) supporters++;
    else others++;
    if (isBetter(own, vote.credentials)) worse++;
    else better++;
  }
  if (core.lastVote?.choice === own.id && supporters >= needed) {
    return others === 0 || core.now - core.votesChangedAt >= core.timing.settleMillis;
  }
  // Where not everybody hears everybody, or everybody's choice waits for a disk that hangs, the votes may never meet: the
  // best of a quorum that it hears stands after all. But first those that are better: they would not follow this one.
  const rank = better * 8 + core.options.members.indexOf(core.options.id);
  const patience = core.timing.electionMillis * 2 + rank * core.timing.pingMillis;
  return worse >= needed && core.now - core.lookingSince >= patience;
}

/** For people: why there is no leader here. */
export function lookingReason(core: Core): string {
  const ensemble = knownEnsemble(core);
  const needed = neededVotes(core, ensemble);
  const reach = reachOf(core, ensemble);
  const joining = [...core.links.values()].filter((link) => link.vote?.credentials.standing === "joining");
  const size = core.options.members.length;
  const ids = joining.map((link) => link.peer).join(", ");
  if (ensemble === "" && core.durable.standing === "founding") {
    const hint =
      joining.length > 0 ? `; joining and no founders: ${ids} (empty their folders, start them with --initial)` : "";
    return `the ensemble is not founded yet: ${reach} of ${size} founders are here, all are needed the first time${hint}`;
  }
  if (core.durable.standing === "joining" && reach < needed) {
    return `this replica's disk is new: it joins when a leader has synchronized it; ${reach} of ${size} members are here`;
  }
  if (reach < needed) {
    const lost =
      joining.length > 0 ? `; replicas with an empty disk do not count: ${ids} (see \`quorate recover\`)` : "";
    return `no quorum: ${reach} of ${size} members are here, ${needed} are needed${lost}`;
  }
  return `an election is under way (epoch ${core.durable.currentEpoch}, position ${formatZxid(positionOf(core))})`;
}
