/**
 * Confirmation: one mechanism for linearizable reads, sync, renewals and the admission of joiners. Pings are numbered
 * and answered by the core only while it follows that epoch and has promised no other; a waiter needs a quorum's answers
 * to a ping sent *after* it arrived, and gets the commit index of that sending (Raft dissertation 6.4's read index,
 * without a lease).
 */
import type { Zxid } from "@quorate/api";
import { type Core, type Leading, type Link, oldestWriteAge, send } from "./core.ts";
import { completeOffering, isEstablished, sendNewEpoch } from "./discovery.ts";
import type { ConfirmTicket, LinkId } from "./input.ts";
import type { ToFollower } from "./message.ts";
import { quorumValue } from "./quorum.ts";

type Ping = Extract<ToFollower, { kind: "ping" }>;

export function onConfirm(core: Core, ticket: ConfirmTicket): void {
  const { leading } = core;
  if (!leading || !(isEstablished(leading) || leading.rolling)) {
    core.out.push({ kind: "unconfirmed", ticket });
    return;
  }
  leading.waiting.push(ticket);
  if (leading.rounds.length === 0 && isEstablished(leading)) sendPing(core, leading);
}

/** A joiner may be synchronized once a round begun now is confirmed; it does not count in it. */
export function requestAdmission(core: Core, leading: Leading, link: LinkId): void {
  leading.waitingAdmits.push(link);
  if (leading.rounds.length === 0) sendPing(core, leading);
}

/** One ping to every follower; what waits rides on it. Before establishment it only says "alive". */
export function sendPing(core: Core, leading: Leading): void {
  const established = isEstablished(leading);
  const number = ++leading.pingNumber;
  leading.lastPingAt = core.now;
  leading.rounds.push({
    number,
    sentAt: core.now,
    commit: core.committed,
    tickets: established ? leading.waiting.splice(0) : [],
    admits: established ? leading.waitingAdmits.splice(0) : [],
  });
  for (const follower of leading.followers.values()) {
    send(core, follower.link, {
      kind: "ping",
      epoch: leading.epoch,
      number,
      commit: core.committed,
      confirmed: leading.confirmed,
      echo: follower.pong,
      established,
    });
  }
  confirmRounds(core, leading);
}

export function onPing(core: Core, link: Link, ping: Ping): void {
  const { following } = core;
  if (following?.link !== link.id) return;
  following.lastHeard = core.now;
  if (ping.epoch !== following.epoch || core.durable.acceptedEpoch !== ping.epoch) return;
  if (following.stage === "informing" || following.stage === "promising") return;
  // A replica whose disk hangs is no quorum's member: it would acknowledge nothing.
  if (oldestWriteAge(core) > core.timing.electionMillis) return;
  send(core, link.id, { kind: "pong", epoch: ping.epoch, number: ping.number });
  if (!ping.established || following.stage !== "synced") return;
  following.answers.set(ping.number, core.now);
  following.pings.set(ping.number, { commit: ping.commit, echo: ping.echo });
  noteFreshness(core, ping.confirmed);
}

/** What was committed when ping `confirmed` left is at most as old as this follower's answer that it echoed. */
function noteFreshness(core: Core, confirmed: number): void {
  const { following } = core;
  if (!following) return;
  const seen = following.pings.get(confirmed);
  const answered = seen && following.answers.get(seen.echo);
  if (seen && answered !== undefined) {
    const newest = following.fresh.at(-1);
    if (!newest || newest.at < answered) following.fresh.push({ commit: seen.commit, at: answered });
    if (following.fresh.length > 64) following.fresh.shift();
  }
  const oldest = confirmed - 256;
  for (const number of following.pings.keys()) {
    if (number >= oldest) break;
    following.pings.delete(number);
  }
  for (const number of following.answers.keys()) {
    if (number >= oldest) break;
    following.answers.delete(number);
  }
}

export function onPong(core: Core, link: Link, epoch: number, number: number): void {
  const { leading } = core;
  const follower = leading?.followers.get(link.id);
  if (!leading || !follower || epoch !== leading.epoch || number > leading.pingNumber) return;
  if (number > follower.pong) follower.pong = number;
  confirmRounds(core, leading);
  completeOffering(core);
}

/** The newest number that a quorum of members has answered confirms every round up to it. */
function confirmRounds(core: Core, leading: Leading): void {
  const confirmed = confirmedNumber(core, leading);
  if (confirmed <= leading.confirmed) return;
  leading.confirmed = confirmed;
  while (leading.rounds.length > 0 && (leading.rounds[0]?.number ?? 0) <= confirmed) {
    const round = leading.rounds.shift();
    if (!round) break;
    // What was asked before a standstill does not undo that it is excused.
    leading.quorumAt = Math.max(leading.quorumAt, round.sentAt);
    leading.confirmedSentAt = round.sentAt;
    leading.confirmedCommit = round.commit;
    for (const ticket of round.tickets) core.out.push({ kind: "confirmed", ticket, index: round.commit });
    for (const link of round.admits) admit(leading, link, core);
  }
  const waits = leading.waiting.length > 0 || leading.waitingAdmits.length > 0;
  if (waits && leading.rounds.length === 0 && isEstablished(leading)) sendPing(core, leading);
}

/** Before establishment those that follow answer for themselves; afterwards only the synchronized count. */
function confirmedNumber(core: Core, leading: Leading): number {
  const byPeer = new Map<number, number>();
  for (const follower of leading.followers.values()) {
    if (follower.synced || (!isEstablished(leading) && follower.standing !== "joining")) {
      byPeer.set(follower.peer, follower.pong);
    }
  }
  const own = core.options.id;
  return quorumValue(core.options.members, (id) => (id === own ? leading.pingNumber : byPeer.get(id)), 0);
}

function admit(leading: Leading, link: LinkId, core: Core): void {
  const follower = leading.followers.get(link);
  if (follower && follower.stage === "informed" && isEstablished(leading)) sendNewEpoch(core, leading, follower);
}

/** When what this peer holds was certainly the newest: monotonic ms of its own clock; undefined: it cannot say. */
export function freshSince(core: Core, applied: Zxid): number | undefined {
  const { leading, following } = core;
  // A ping of before the establishment carries what this peer knew then: others may have committed more of its history.
  if (leading) {
    const whole = applied >= leading.confirmedCommit && applied >= leading.initialLast;
    return whole && isEstablished(leading) ? leading.confirmedSentAt : undefined;
  }
  if (!following?.serving) return undefined;
  let best: number | undefined;
  for (const each of following.fresh) if (each.commit <= applied) best = each.at;
  return best;
}
