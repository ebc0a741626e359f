/**
 * DESIGN 6, "Lanes make retries safe" (the Raft dissertation's section 6.3), and API.md, `Idempotency-Key`: at most
 * once. Judged from the commands and their results in the order, not by what the tree remembers.
 *
 * Checked: a request is executed at most once for each try that its client made, and with an idempotency key once for
 * as long as keys are kept (a minute of stamps, and of true time but for what stamps may run ahead); whoever first decided under a key (a failure, too) decided for all its repeats. On a lane
 * each number is executed at most once. What is answered from memory is the outcome of the same request's command.
 */
import { formatZxid, identityName, type Lane, limits, type Outcome, type SessionId, type Zxid } from "@quorate/api";
import type { Applied } from "@quorate/tree";
import { type AppliedBatch, type Asked, Invariant, requestOf } from "../observation.ts";
import type { Entry, Execution, Order } from "./order.ts";

/** Failures that need not have been decided under the key: lanes, sessions and want of room refuse before or beside it. */
const undecided: ReadonlySet<string> = new Set([
  "badArguments",
  "connectionLoss",
  "keyReused",
  "sessionExpired",
  "sessionMoved",
  "throttled",
]);

/** Stamps may run so much faster than true time: a clock's drift, and a tenth on the way to the wall's. */
const fastest = 1.2;

export class NoWriteAppliedTwice extends Invariant {
  readonly name = "no-write-applied-twice";
  readonly #order: Order;
  readonly #tries = new Map<number, number>();
  readonly #executions = new Map<number, number>();
  /** By (identity, key): the first verdict, with the stamp and the true time of it. */
  readonly #verdicts = new Map<string, { readonly zxid: Zxid; readonly stamp: number; readonly at: number }>();
  /** Where each number of a lane was executed. */
  readonly #numbers = new Map<SessionId, Map<number, Zxid>>();
  #stamp = 0;

  constructor(order: Order) {
    super();
    this.#order = order;
  }

  override asked(seen: Asked): void {
    if (seen.kind === "write") this.#tries.set(seen.request, (this.#tries.get(seen.request) ?? 0) + 1);
  }

  override applied(seen: AppliedBatch): void {
    for (const entry of this.#order.note(seen).revealed) this.#look(entry);
  }

  #look(entry: Entry): void {
    this.#stamp = Math.max(this.#stamp, entry.batch.stamp);
    for (const execution of entry.executed) this.#count(execution);
    const results = entry.results ?? [];
    for (let i = 0; i < results.length; i++) {
      const { outcome, zxid } = results[i] as Applied;
      if (outcome === "gap") continue;
      if (outcome.zxid === zxid) this.#decided(entry, i, outcome);
      else this.#remembered(entry, i, outcome);
    }
  }

  #count({ zxid, command: { lane }, request }: Execution): void {
    if (lane !== undefined) this.#number(lane, zxid);
    if (request === undefined) return;
    const count = (this.#executions.get(request) ?? 0) + 1;
    this.#executions.set(request, count);
    const tries = this.#tries.get(request) ?? 0;
    if (count > tries) this.broken(`request ${request} was tried ${tries} times and is executed ${count} times`);
  }

  #number({ session, sequence }: Lane, zxid: Zxid): void {
    let lane = this.#numbers.get(session);
    if (lane === undefined) {
      lane = new Map();
      this.#numbers.set(session, lane);
    }
    const first = lane.get(sequence);
    lane.set(sequence, zxid);
    if (first === undefined) return;
    const where = `${formatZxid(first)} and ${formatZxid(zxid)}`;
    this.broken(`number ${sequence} of lane ${formatZxid(session)} is executed at ${where}`);
  }

  /** A verdict of its own: none may have fallen under the same key before, while that is kept. */
  #decided(entry: Entry, index: number, outcome: Outcome): void {
    const command = entry.commands[index];
    if (command?.key === undefined || (!outcome.ok && undecided.has(outcome.code))) return;
    const name = `${identityName(command.identity)}\n${command.key.key}`;
    const first = this.#verdicts.get(name);
    const kept = (since: { readonly stamp: number; readonly at: number }): boolean =>
      since.stamp + limits.keyMillis >= this.#stamp || since.at + limits.keyMillis / fastest >= entry.at;
    if (first !== undefined && kept(first)) {
      const where = `${formatZxid(first.zxid)} and again at ${formatZxid(outcome.zxid)}`;
      this.broken(`the key ${command.key.key} of request ${requestOf(command)} is decided at ${where}`);
    }
    this.#verdicts.set(name, { zxid: outcome.zxid, stamp: this.#stamp, at: entry.at });
  }

  /** An outcome from the memory of a lane or of a key: of the same request. */
  #remembered(entry: Entry, index: number, outcome: Outcome): void {
    const request = requestOf(entry.commands[index]);
    const first = this.#order.locate(outcome.zxid);
    const owner = first && requestOf(first.commands[outcome.zxid - first.batch.first]);
    if (first !== undefined && owner === request) return;
    const what = `request ${request} at ${formatZxid((entry.batch.first + index) as Zxid)}`;
    this.broken(`${what} gets the outcome of request ${owner} at ${formatZxid(outcome.zxid)}`);
  }
}
