/**
 * Broadcast (ZAB phase 3), the leader's half: PROPOSE pipelined, cumulative acks after fsync, a cumulative commit index.
 */
import { assert, type Batch, composeZxid, counterLimit, counterOf, epochOf, formatZxid, type Zxid } from "@quorate/api";
import {
  type Core,
  deliver,
  drop,
  type Follower,
  type Leading,
  type Link,
  linkTo,
  note,
  oldestWriteAge,
  send,
  ticketFor,
} from "./core.ts";
import { isEstablished, rollEpoch } from "./discovery.ts";
import { goLooking } from "./election.ts";
import type { Submission } from "./input.ts";
import { quorumValue } from "./quorum.ts";

/** Beyond this the counter's end is near enough to roll the epoch in peace. */
const defaultRollAt = counterLimit - 2 ** 24;

export function mayPropose(core: Core): boolean {
  const { leading } = core;
  return leading?.stage === "established" && leading.handOver === undefined && leading.rollAbove === 0;
}

export function onSubmitted(core: Core, submission: Submission): void {
  const { leading } = core;
  if (!leading || !mayPropose(core)) {
    core.out.push({ kind: "refused" });
    return;
  }
  const batch = stampBatch(core, leading, submission);
  core.history.append(batch);
  for (const follower of leading.followers.values()) {
    if (follower.stage !== "live") continue;
    send(core, follower.link, { kind: "propose", batch });
    follower.next = batch.last;
    if (follower.synced) follower.sentCommit = batch.commit;
  }
  const { history } = core;
  const ticket = ticketFor(core, () => {
    if (batch.last <= history.last) history.written(batch.last);
    if (core.leading === leading) advanceCommit(core, leading);
  });
  core.out.push({ kind: "append", ticket, batches: [batch], staged: false });
  if (counterOf(batch.last) > (core.options.counterRollAt ?? defaultRollAt)) leading.rollAbove = leading.epoch;
}

function stampBatch(core: Core, leading: Leading, submission: Submission): Batch {
  const { history } = core;
  const { count, payload, stamp, rules } = submission;
  assert(Number.isInteger(count) && count > 0, "a batch has commands");
  const previous = history.last;
  const counter = epochOf(previous) === leading.epoch ? counterOf(previous) : 0;
  const first = composeZxid(leading.epoch, counter + 1);
  const last = composeZxid(leading.epoch, counter + count);
  const shape = { first, last, previous, stamp, rules, payload };
  return { ...shape, commit: core.committed, checksum: core.options.checksum(history.checksum, shape) };
}

export function onAck(core: Core, link: Link, epoch: number, through: Zxid): void {
  const { leading } = core;
  const follower = leading?.followers.get(link.id);
  if (!leading || !follower?.synced || epoch !== leading.epoch) return;
  if (through > core.history.last) {
    drop(core, link.id, `replica ${link.peer} acknowledges ${formatZxid(through)}, which was not proposed`);
    return;
  }
  if (through <= follower.match) return;
  follower.match = through;
  if (isEstablished(leading)) advanceCommit(core, leading);
}

/** The commit index: the highest position that a quorum has durably, the leader's own after its own fsync. */
export function advanceCommit(core: Core, leading: Leading): void {
  const byPeer = new Map<number, Zxid>();
  for (const follower of leading.followers.values()) if (follower.synced) byPeer.set(follower.peer, follower.match);
  const at = (id: number): Zxid | undefined => (id === core.options.id ? core.history.durable : byPeer.get(id));
  const commit = quorumValue<Zxid>(core.options.members, at, 0 as Zxid);
  if (commit > core.committed) {
    core.committed = commit;
    for (const follower of leading.followers.values()) sendCommit(core, leading, follower);
  }
  deliver(core);
}

function sendCommit(core: Core, leading: Leading, follower: Follower): void {
  if (!follower.synced || follower.sentCommit >= core.committed) return;
  follower.sentCommit = core.committed;
  send(core, follower.link, { kind: "commit", epoch: leading.epoch, through: core.committed });
}

/** Starts a hand-over; it happens behind the last commit, when the target has all of it. */
export function onHandOverWanted(core: Core, target: number): void {
  const { leading } = core;
  if (leading?.stage !== "established" || target === core.options.id) return;
  leading.handOver = { target, until: core.now + core.timing.handOverMillis };
  continueHandOver(core, leading);
}

/** Each step of a leader ends here: a hand-over or a roll that waited for the last commit goes on. */
export function continueLeading(core: Core): void {
  const { leading } = core;
  if (leading?.stage !== "established") return;
  if (leading.handOver) continueHandOver(core, leading);
  else if (
    leading.rollAbove > 0 &&
    core.committed === core.history.last &&
    core.history.durable === core.history.last
  ) {
    rollEpoch(core, leading);
  }
}

function continueHandOver(core: Core, leading: Leading): void {
  const { handOver } = leading;
  if (!handOver) return;
  const link = linkTo(core, handOver.target);
  const follower = link && leading.followers.get(link.id);
  if (core.now > handOver.until) {
    note(core, `the hand-over to replica ${handOver.target} took too long: it leads on`);
    leading.handOver = undefined;
    return;
  }
  if (!follower?.synced || core.committed !== core.history.last || follower.match !== core.history.last) return;
  if (core.history.durable !== core.history.last) return;
  leaveTo(core, leading, handOver.target);
}

function leaveTo(core: Core, leading: Leading, target: number): void {
  for (const follower of leading.followers.values()) {
    send(core, follower.link, { kind: "handOver", epoch: leading.epoch, target });
  }
  core.preferred = { target, until: core.now + core.timing.handOverMillis };
  goLooking(core, `hands over to replica ${target}`);
}

/** A leader whose own disk hangs can answer nobody, for ever: it leaves to the follower that has most. */
export function leaveIfIll(core: Core, leading: Leading): boolean {
  if (oldestWriteAge(core) <= core.timing.electionMillis) return false;
  let best: Follower | undefined;
  for (const follower of leading.followers.values()) {
    if (follower.synced && (!best || follower.match > best.match)) best = follower;
  }
  note(core, "the oldest write hangs longer than the election timeout");
  if (best) leaveTo(core, leading, best.peer);
  else goLooking(core, "its disk hangs");
  return true;
}
