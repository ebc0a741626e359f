/**
 * ZooKeeper's guarantees, "sequential consistency: updates from a client will be applied in the order that they were
 * sent"; DESIGN 6, Lanes. The lane rule is made here a second time, from the commands and their results alone.
 *
 * Checked: on each lane the commands that are executed (their failures count, too) have the numbers 1, 2, 3, … without
 * gap or repetition, through all attachments, and bear the attachment of that moment; what comes again is answered from
 * memory or `connectionLoss`, what comes too early is refused without a trace, what comes from a former attachment is
 * `sessionMoved`. A client's write that was first asked for after another of its writes was answered stands behind it.
 */
import { formatZxid, type Lane, limits, type Outcome, type SessionId, type Zxid } from "@quorate/api";
import type { Applied } from "@quorate/tree";
import { type Answered, type AppliedBatch, type Asked, Invariant } from "../observation.ts";
import type { Entry, Execution, Order } from "./order.ts";

interface LaneState {
  attachment: number;
  last: number;
  answered: number;
}

export class SessionFifo extends Invariant {
  readonly name = "session-fifo";
  readonly #order: Order;
  readonly #lanes = new Map<SessionId, LaneState>();
  /** The newest write that was answered, by client. */
  readonly #answered = new Map<number, Zxid>();
  /** What must lie before a request, by request. */
  readonly #floors = new Map<number, Zxid>();

  constructor(order: Order) {
    super();
    this.#order = order;
  }

  override asked({ kind, client, request }: Asked): void {
    if (kind === "write" && !this.#floors.has(request)) {
      this.#floors.set(request, this.#answered.get(client) ?? (0 as Zxid));
    }
  }

  override answered({ at, asked, answer }: Answered): void {
    if (asked.kind !== "write" || answer.kind !== "outcome") return;
    if (this.#order.suspects.spoke(answer.servedBy, asked.at, at)) return;
    const { zxid } = answer.outcome;
    const floor = this.#floors.get(asked.request) ?? 0;
    if (zxid <= floor) {
      const before = `a write that was answered before it was asked for stands at ${formatZxid(floor as Zxid)}`;
      this.broken(`client ${asked.client}: request ${asked.request} stands at ${formatZxid(zxid)}; ${before}`);
    }
    if (zxid > (this.#answered.get(asked.client) ?? 0)) this.#answered.set(asked.client, zxid);
  }

  override applied(seen: AppliedBatch): void {
    for (const entry of this.#order.note(seen).revealed) this.#walk(entry);
  }

  #walk({ commands, results, executed }: Entry): void {
    let next = 0;
    for (let i = 0; i < commands.length; i++) {
      const { zxid, outcome } = (results as readonly Applied[])[i] as Applied;
      const lane = commands[i]?.lane;
      if (lane !== undefined) this.#judge(lane, zxid, outcome);
      if (executed[next]?.zxid === zxid) this.#follow(executed[next++] as Execution);
    }
  }

  #judge(lane: Lane, zxid: Zxid, outcome: Outcome | "gap"): void {
    const state = this.#lanes.get(lane.session);
    if (state === undefined) {
      if (!isFailure(outcome, zxid, "sessionExpired")) this.#wrong(lane, zxid, "goes on, but its session is over");
      return;
    }
    const { attachment, last } = state;
    if (lane.attachment !== attachment) {
      if (isFailure(outcome, zxid, "sessionMoved")) return;
      this.#wrong(lane, zxid, `bears attachment ${lane.attachment}, but ${attachment} holds`);
    }
    const answered = Math.max(state.answered, Math.min(lane.answeredUpTo, last));
    const beyond = lane.sequence > last + 1 || lane.sequence - answered > limits.laneWindow;
    if (beyond !== (outcome === "gap")) {
      this.#wrong(lane, zxid, `is ${beyond ? "not refused" : "refused"} as a gap; the lane is at ${last}`);
    }
    if (outcome === "gap") return;
    state.answered = answered;
    if (lane.sequence <= last) {
      if (outcome.zxid < zxid || isFailure(outcome, zxid, "connectionLoss")) return;
      this.#wrong(lane, zxid, `is executed again, or out of its turn; the lane is at ${last}`);
    }
    state.last = lane.sequence;
    if (outcome.zxid === zxid || outcome.replayed) return;
    this.#wrong(lane, zxid, `is the next of its lane and gets the outcome of ${formatZxid(outcome.zxid)}`);
  }

  #wrong({ session, sequence }: Lane, zxid: Zxid, why: string): never {
    this.broken(`${formatZxid(zxid)} (number ${sequence} of lane ${formatZxid(session)}) ${why}`);
  }

  /** What an executed command does to the lanes. */
  #follow({ command: { operation }, outcome: { result } }: Execution): void {
    if (operation.kind === "createSession" && result.kind === "session") {
      this.#lanes.set(result.session, { attachment: 1, last: 0, answered: 0 });
    } else if (operation.kind === "attach") {
      const lane = this.#lanes.get(operation.session);
      if (lane !== undefined) lane.attachment++;
    } else if (operation.kind === "closeSession" || operation.kind === "expireSession") {
      this.#lanes.delete(operation.session);
    }
  }
}

function isFailure(outcome: Outcome | "gap", zxid: Zxid, code: string): boolean {
  return outcome !== "gap" && !outcome.ok && outcome.code === code && outcome.zxid === zxid;
}
