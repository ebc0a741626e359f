/**
 * What only a leader does: stamps and proposes what has gathered, judges which sessions and znodes are out of time, and
 * refuses writes before the disk is full.
 */
import { anyone, type Batch, encodeCommand, type SessionId, type WriteOperation } from "@quorate/api";
import { type Applied, rulesVersion, type Tree } from "@quorate/tree";
import type { Submission } from "@quorate/zab";
import { Expiry } from "./expiry.ts";
import type { Members } from "./members.ts";
import { replicaLimits } from "./replica-limits.ts";
import { Spread } from "./spread.ts";
import { Stamper } from "./stamp.ts";
import type { Storage } from "./storage.ts";
import { type Refusal, Submissions } from "./submissions.ts";
import type { Clock } from "./world.ts";

export interface LeadershipPorts {
  readonly clock: Clock;
  readonly storage: Storage;
  readonly members: Members;
  tree(): Tree;
  mayPropose(): boolean;
  propose(submission: Submission): void;
  /** When a quorum last confirmed this leader, on its own clock. */
  confirmedAt(): number | undefined;
}

/** What of the last batch decides how the next one is stamped. */
export type HistoryHead = Pick<Batch, "stamp" | "rules">;

export class Leadership {
  readonly #ports: LeadershipPorts;
  readonly #stamper: Stamper;
  readonly expiry: Expiry;
  readonly submissions: Submissions;
  /** Bytes of each proposal of this leadership. */
  proposalBytes: Spread = new Spread();
  #formerProposals = 0;
  #leads = false;
  /** On the own monotonic clock. */
  #since = 0;
  /** The sessions have their deadlines. */
  #judges = false;
  /** Own appends whose fsync is under way, by ticket. */
  readonly #appends = new Set<number>();
  #lastStamp: number;
  /** When that was seen, on the own monotonic clock. */
  #stampSeenAt: number;
  /** The highest rules version in the history, committed or not: every member has announced it once. */
  #rules: number;

  /** `history`: the newest of what this replica has, its tail included. */
  constructor(history: HistoryHead, ports: LeadershipPorts) {
    this.#ports = ports;
    this.#lastStamp = history.stamp;
    this.#rules = history.rules;
    this.#stampSeenAt = ports.clock.now();
    this.#stamper = new Stamper(ports.clock);
    this.expiry = new Expiry(() => ports.clock.now());
    this.submissions = new Submissions(() => this.#refusesWrites());
  }

  /** Leading and established. */
  get leads(): boolean {
    return this.#leads;
  }

  /** For how long; undefined: it does not. */
  get leadsMillis(): number | undefined {
    return this.#leads ? this.#ports.clock.now() - this.#since : undefined;
  }

  /** Since the start, of all its leaderships. */
  get proposals(): number {
    return this.#formerProposals + this.proposalBytes.count;
  }

  /** The history has grown, or was replaced by a leader's. */
  saw({ stamp, rules }: HistoryHead): void {
    if (rules > this.#rules) this.#rules = rules;
    if (stamp <= this.#lastStamp) return;
    this.#lastStamp = stamp;
    this.#stampSeenAt = this.#ports.clock.now();
  }

  begin(): void {
    this.#leads = true;
    this.#since = this.#ports.clock.now();
    this.#formerProposals = this.proposals;
    this.proposalBytes = new Spread();
    this.#judges = false;
    this.#appends.clear();
    this.#stamper.begin(this.#lastStamp, this.#stampSeenAt);
    this.expiry.end();
  }

  end(): void {
    this.#leads = false;
    this.#appends.clear();
    this.submissions.clear();
    this.expiry.end();
  }

  /**
   * The initial history is applied: every session has its full timeout again. Not after a roll of the epoch: this leader
   * has led on, and ends that it has judged wait to be proposed; who is renewed behind one would be told too much.
   */
  ready(): void {
    if (this.#judges) return;
    this.#judges = true;
    this.expiry.begin(this.#ports.tree().sessions());
  }

  appending(ticket: number): void {
    if (this.#leads) this.#appends.add(ticket);
  }

  written(ticket: number): void {
    this.#appends.delete(ticket);
  }

  applied(results: readonly Applied[]): void {
    if (!this.#leads) return;
    for (const { outcome } of results) {
      if (outcome === "gap" || !outcome.ok || outcome.result.kind !== "session") continue;
      this.expiry.add(outcome.result.session, outcome.result.timeoutMillis);
    }
  }

  /** What has gathered becomes a batch, unless an own fsync is under way: then it waits for company. */
  propose(): void {
    const { mayPropose, members, propose } = this.#ports;
    while (this.#leads && mayPropose() && this.#appends.size < replicaLimits.appendsInFlight) {
      const next = this.submissions.take();
      if (!next) return;
      // It rises when all are here and know more, and never falls: who is not here said what the history bears.
      this.proposalBytes.observe(next.payload.length);
      this.saw({ stamp: this.#stamper.next(), rules: members.commonRules(rulesVersion) });
      propose({ ...next, stamp: this.#lastStamp, rules: this.#rules });
    }
  }

  /** On the clock of confirmations, after everything that waited in the inbox has been looked at. */
  expire(): void {
    const confirmed = this.#ports.confirmedAt();
    if (!this.#leads || confirmed === undefined) return;
    this.expiry.confirmed(confirmed);
    const known = (session: SessionId): boolean => this.#ports.tree().lane(session) !== undefined;
    for (const session of this.expiry.due(replicaLimits.expiredPerTick, known))
      this.#own({ kind: "expireSession", session });
  }

  /**
   * Proposes to delete the znodes whose TTL is over and the containers that are empty. Where nobody writes it proposes nothing
   * to be done, once, for the rules to rise: what needs them waits for that.
   */
  sweep(): void {
    if (!this.#leads || !this.#ports.mayPropose()) return;
    const candidates = this.#ports.tree().sweepCandidates(this.#stamper.next(), replicaLimits.sweepZnodes);
    const mayRise = this.#rules < this.#ports.members.commonRules(rulesVersion);
    if (candidates.length > 0 || mayRise) this.#own({ kind: "sweep", candidates });
  }

  #own(operation: WriteOperation): void {
    this.submissions.own(encodeCommand({ identity: anyone, operation }));
  }

  #refusesWrites(): Refusal | undefined {
    if (!this.#leads) return { code: "noLeader", detail: "this replica does not lead", retryAfterMillis: 50 };
    if (!this.#ports.storage.diskReserveReached()) return undefined;
    const detail = "disk reserve: the leader's disk is nearly full; make room on it, then try again";
    return { code: "quotaExceeded", detail, retryAfterMillis: 5000 };
  }
}
