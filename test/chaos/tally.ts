/**
 * What a run has seen so far: violations, counts, and what the zxids and the times of the answers tell. Times are those of
 * `performance.now()`.
 */
import { epochOf, type Zxid } from "@quorate/api";
import type { Millis, Outage, ZxidNumber } from "../linearizability/index.ts";

/** Silence of all writers beyond this may have kept a leader from judging sessions. */
const silenceMillis = 700;
/**
 * What one fault explains of a gap while there is a majority: a leader is given up after a second, another is elected and
 * confirmed, its gateways find it, and clients that hung on a stopped door for 4.5 s come back. The rest is for a machine that is
 * busy with other work.
 */
const explainedGapMillis = 12_000;
/** Spans before this are forgotten: no history that is still open reaches back so far. */
const rememberedMillis = 300_000;
/** More of them say nothing new. */
const violationsKept = 100;

export interface Violation {
  readonly at: Millis;
  readonly what: string;
}

/** Of one kind of answer: how many. */
export type Verdict = "ok" | "failed" | "noEffect" | "unknown";

export class Tally {
  readonly began: Millis = performance.now();
  readonly violations: Violation[] = [];
  readonly verdicts: Record<Verdict, number> = { ok: 0, failed: 0, noEffect: 0, unknown: 0 };
  /** What was answered without effect or without knowledge, by status and code. */
  readonly troubles = new Map<string, number>();
  readonly onViolation: (violation: Violation) => void;
  /** Epochs in which somebody led, and who. */
  readonly leaders = new Map<number, number>();
  longestGap = 0;
  overGrpc = 0;
  overZookeeper = 0;
  #outages: Outage[] = [];
  /** Spans in which there was no majority, or no room: a gap there is no fault. */
  #excused: Outage[] = [];
  /** Of writes, not yet judged: a fault that excuses one may still be under way. */
  readonly #gaps: Outage[] = [];
  #heldSince: Millis | undefined;
  #highest = 0;
  /** Infinity: nothing has been written yet. */
  #lastWrite: Millis = Number.POSITIVE_INFINITY;
  #lastEpoch = 0;

  constructor(onViolation: (violation: Violation) => void) {
    this.onViolation = onViolation;
  }

  violate(what: string): void {
    const violation = { at: performance.now() - this.began, what };
    if (this.violations.length < violationsKept) this.violations.push(violation);
    this.onViolation(violation);
  }

  /** Who led last, as far as anybody said so. */
  get newestLeader(): number {
    return this.leaders.get(Math.max(...this.leaders.keys())) ?? 0;
  }

  get operations(): number {
    const { ok, failed, noEffect, unknown } = this.verdicts;
    return ok + failed + noEffect + unknown;
  }

  get leaderChanges(): number {
    return Math.max(0, this.leaders.size - 1);
  }

  /** What every answer to a request that is sent from now on must be at least as new as. */
  get floor(): ZxidNumber {
    return this.#highest;
  }

  count(verdict: Verdict, why: string): void {
    this.verdicts[verdict] += 1;
    if (why !== "") this.troubles.set(why, (this.troubles.get(why) ?? 0) + 1);
  }

  /** An answer at `zxid` to a request that was sent when `floor` had been acknowledged. */
  answered(what: string, zxid: ZxidNumber, floor: ZxidNumber, isWrite: boolean): void {
    if (zxid < floor || (isWrite && zxid === floor)) {
      this.violate(`${what} was answered at zxid ${hex(zxid)}; ${hex(floor)} had been acknowledged before it was sent`);
    }
    if (zxid > this.#highest) this.#highest = zxid;
    if (isWrite) this.#written(zxid);
  }

  /** Somebody said that `leader` leads in `epoch`. Two leaders of one epoch are what must never be. */
  led(epoch: number, leader: number): void {
    const known = this.leaders.get(epoch);
    if (known !== undefined && known !== leader) {
      this.violate(`epoch ${epoch} has two leaders: ${known} and ${leader}`);
    }
    this.leaders.set(epoch, leader);
  }

  outage(from: Millis, to: Millis): void {
    const forgotten = to - rememberedMillis;
    this.#outages = this.#outages.filter((each) => each.to > forgotten);
    this.#outages.push({ from, to });
  }

  /** No majority, or no room, from then on until then. */
  excuse(from: Millis, to: Millis): void {
    this.#excused = this.#excused.filter((each) => each.to > to - rememberedMillis);
    this.#excused.push({ from, to });
  }

  /** Requests may be held up from now on, until `let go` is told. */
  holdUp(): void {
    this.#heldSince ??= performance.now();
  }

  /** What was held up has arrived when `millis` more are over. */
  letGo(millis: Millis): void {
    if (this.#heldSince !== undefined) this.outage(this.#heldSince, performance.now() + millis);
    this.#heldSince = undefined;
  }

  /** Those that are not over yet are among them. */
  outages(since: Millis): Outage[] {
    const now = performance.now();
    const under = this.#outages.filter((each) => each.to >= since);
    if (this.#heldSince !== undefined) under.push({ from: this.#heldSince, to: now });
    if (now - this.#lastWrite > silenceMillis) under.push({ from: this.#lastWrite, to: now });
    return under;
  }

  #written(zxid: ZxidNumber): void {
    const now = performance.now();
    const epoch = epochOf(zxid as Zxid);
    const gap = now - this.#lastWrite;
    if (gap > silenceMillis || (epoch > this.#lastEpoch && gap >= 0)) this.outage(this.#lastWrite, now);
    if (epoch > this.#lastEpoch) this.#lastEpoch = epoch;
    if (gap > silenceMillis) this.#gaps.push({ from: this.#lastWrite, to: now });
    this.#lastWrite = now;
  }

  /** Judges the gaps of writes that no fault under way can excuse any more; answers the longest that nothing excuses. */
  settleGaps(mostMillis: Millis = explainedGapMillis): Millis {
    let longest = 0;
    for (const { from, to } of this.#gaps.splice(0)) {
      let since = from;
      for (const excused of this.#excused.toSorted((one, other) => one.from - other.from)) {
        if (excused.from >= to || excused.to <= since) continue;
        longest = Math.max(longest, excused.from - since);
        since = excused.to;
      }
      longest = Math.max(longest, to - since);
    }
    this.longestGap = Math.max(this.longestGap, longest);
    if (longest > mostMillis) this.violate(`nothing was written for ${Math.round(longest)} ms, with a majority there`);
    return longest;
  }
}

export function hex(zxid: ZxidNumber): string {
  return `0x${zxid.toString(16).padStart(16, "0")}`;
}
