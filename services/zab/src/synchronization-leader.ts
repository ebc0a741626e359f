/**
 * Synchronization (ZAB phase 2), the leader's half: carry out each follower's plan, then NEWLEADER on the same ordered
 * stream. A quorum of its acknowledgements, the leader's own included, commits the whole initial history.
 */
import { assert, epochOf, formatZxid } from "@quorate/api";
import { advanceCommit } from "./broadcast.ts";
import { sendPing } from "./confirmation.ts";
import { type Core, deliver, type Follower, type Leading, type Link, note, send } from "./core.ts";
import { offer } from "./discovery.ts";
import type { TransferTicket } from "./input.ts";
import { quorumSize } from "./quorum.ts";
import { planSync } from "./sync-plan.ts";

/** The leader's own `currentEpoch` is durable, and so is its history: it counts as its own first follower. */
export function beginSyncing(core: Core, leading: Leading): void {
  assert(core.history.durable === core.history.last, "the leader's own history is durable");
  leading.stage = "syncing";
  leading.founding = false;
  leading.initialLast = core.history.last;
  leading.quorumAt = core.now;
  for (const follower of leading.followers.values()) if (follower.stage === "acked") startSync(core, leading, follower);
  maybeEstablish(core, leading);
}

export function startSync(core: Core, leading: Leading, follower: Follower): void {
  follower.stage = "syncing";
  const { history } = core;
  const mine = { base: history.base, epochs: history.epochs(), last: history.last };
  const theirs = { base: follower.base, epochs: follower.epochs, last: follower.position };
  const plan = planSync(mine, theirs);
  const snapshot = plan.kind === "snapshot" || (core.options.prefersSnapshot?.(plan.common) ?? false);
  if (snapshot) {
    follower.transfer = core.nextTransfer++;
    note(core, `synchronizes replica ${follower.peer} by SNAP`);
    core.out.push({ kind: "sendSnapshot", ticket: follower.transfer, link: follower.link });
    return;
  }
  assert(plan.kind === "diff", "a plan is one of two");
  const cut = plan.common < follower.position;
  const behind = plan.common < history.last;
  const name = cut ? "TRUNC" : behind ? "DIFF" : "nothing";
  note(
    core,
    `synchronizes replica ${follower.peer} by ${name}${cut && behind ? " and DIFF" : ""} from ${formatZxid(plan.common)}`,
  );
  send(core, follower.link, { kind: "truncate", to: plan.common });
  follower.next = plan.common;
  pump(core, leading, follower);
}

/** Sends what is in memory and joins the follower to the live stream, or has the files sent first. */
function pump(core: Core, leading: Leading, follower: Follower): void {
  const { history } = core;
  if (follower.next < history.windowStart) {
    follower.transfer = core.nextTransfer++;
    const through = history.windowStart;
    core.out.push({
      kind: "sendHistory",
      ticket: follower.transfer,
      link: follower.link,
      after: follower.next,
      through,
    });
    return;
  }
  let checksum = history.checksumAt(follower.next);
  for (const batch of history.between(follower.next, history.last)) {
    // No follower would take what memory has changed, however often it is sent: its own files have it as it was.
    checksum = core.options.checksum(checksum, batch);
    if (checksum !== batch.checksum) {
      core.out.push({ kind: "stop", why: `the batch at ${formatZxid(batch.last)} is not in memory as it was written` });
      return;
    }
    send(core, follower.link, { kind: "propose", batch });
  }
  follower.next = history.last;
  follower.newLeaderLast = history.last;
  follower.stage = "live";
  send(core, follower.link, { kind: "newLeader", epoch: leading.epoch, last: history.last });
}

export function onTransferred(core: Core, ticket: TransferTicket, at: Follower["next"]): void {
  const { leading } = core;
  if (!leading) return;
  for (const follower of leading.followers.values()) {
    if (follower.transfer !== ticket || follower.stage !== "syncing") continue;
    follower.transfer = undefined;
    follower.next = at;
    pump(core, leading, follower);
    return;
  }
}

/** From here on its proposal acks and pongs count, a former joiner's too: its whole history is durable. */
export function onAckNewLeader(core: Core, link: Link, epoch: number): void {
  const { leading } = core;
  const follower = leading?.followers.get(link.id);
  if (!leading || !follower || follower.stage !== "live" || epoch !== leading.epoch) return;
  if (!follower.synced) {
    follower.synced = true;
    follower.standing = "member";
    follower.match = follower.newLeaderLast;
  }
  if (leading.stage === "syncing") maybeEstablish(core, leading);
  else if (leading.stage === "established") {
    follower.sentCommit = core.committed;
    send(core, follower.link, { kind: "commit", epoch: leading.epoch, through: core.committed });
    // What it was synchronized with may be the last proposals, which nobody would acknowledge again.
    advanceCommit(core, leading);
  }
}

/** A quorum holds the whole initial history durably: at this instant it is committed, and proposing begins. */
function maybeEstablish(core: Core, leading: Leading): void {
  let count = 1;
  for (const follower of leading.followers.values()) if (follower.synced) count++;
  if (count < quorumSize(core.options.members)) return;
  leading.stage = "established";
  leading.quorumAt = core.now;
  core.failures = 0;
  core.preferred = undefined;
  assert(epochOf(core.history.last) < leading.epoch, "the initial history is of earlier epochs");
  if (leading.initialLast > core.committed) core.committed = leading.initialLast;
  deliver(core);
  note(core, `leads epoch ${leading.epoch}`);
  for (const follower of leading.followers.values()) {
    if (!follower.synced) continue;
    follower.sentCommit = core.committed;
    send(core, follower.link, { kind: "commit", epoch: leading.epoch, through: core.committed });
  }
  for (const follower of leading.followers.values()) offer(core, leading, follower);
  sendPing(core, leading);
}
