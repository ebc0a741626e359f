/**
 * What a connection asks of its session's lane. The door gives the writes their numbers; none is sent twice from here: when
 * the lane says nothing certain, the connection is closed, and its client knows that it does not know.
 */
import type { Outcome, ReadOperation, WriteOperation, Zxid } from "@quorate/api";
import { zeroZxid } from "@quorate/api";
import type { Consistency } from "@quorate/proto";
import type { Answer, ClusterView, LaneAnswer, LaneOpening, LaneWrite, ReadRequest } from "../backend.ts";
import { configured } from "./configuration-znode.ts";
import type { ConnectionContext, Slot } from "./context.ts";
import { type Conversion, codeOf, faultOf, whyOf } from "./results.ts";

export class LaneCalls {
  readonly #context: ConnectionContext;
  /** How long a read may take. */
  readonly #deadlineMillis: number;
  /** The next write's number. */
  #sequence: number;
  #answeredUpTo: number;
  /** Rises when numbers are given back: all behind the first of them were given in the same round, and are told of later. */
  #round = 0;
  readonly #cluster = (): ClusterView => this.#context.backend.cluster();

  constructor(context: ConnectionContext, opening: LaneOpening, deadlineMillis: number) {
    this.#context = context;
    this.#deadlineMillis = deadlineMillis;
    this.#sequence = opening.lastSequence + 1;
    this.#answeredUpTo = opening.lastSequence;
  }

  /** A number is the code of ZooKeeper that refuses it. */
  write(operation: WriteOperation | number, slot: Slot, convert: Conversion): void {
    if (typeof operation === "number") return this.#context.replies.fill(slot, zeroZxid, operation);
    const [sequence, round] = [this.#sequence, this.#round];
    this.#context.lane.write(this.#next(operation), (answer) =>
      this.#reply(slot, this.#decided(sequence, round, answer), convert),
    );
  }

  #next(operation: WriteOperation): LaneWrite {
    const sequence = this.#sequence;
    this.#sequence += 1;
    return { sequence, answeredUpTo: this.#answeredUpTo, identity: this.#context.identity(), operation };
  }

  #decided(sequence: number, round: number, { answer, decided }: LaneAnswer): Answer {
    if (decided) this.#answeredUpTo = sequence;
    else if (round === this.#round) {
      // The number was not used, nor was any behind it: it is the next one's.
      this.#sequence = sequence;
      this.#round += 1;
    }
    return answer;
  }

  /** `done` hears of an outcome; else the slot is filled here, or the connection closed. */
  submit(operation: WriteOperation, slot: Slot, done: (outcome: Outcome) => void): void {
    const [sequence, round] = [this.#sequence, this.#round];
    this.#context.lane.write(this.#next(operation), (answer) =>
      this.#answered(slot, this.#decided(sequence, round, answer), done),
    );
  }

  read(operation: ReadOperation, slot: Slot, convert: Conversion, consistency: Consistency = "session"): void {
    this.#context.lane.read(this.#request(operation, consistency), this.#deadlineMillis, (answer) =>
      this.#reply(slot, configured(answer, this.#cluster), convert),
    );
  }

  /** As `submit`. */
  ask(operation: ReadOperation, slot: Slot, done: (outcome: Outcome) => void): void {
    this.#context.lane.read(this.#request(operation, "session"), this.#deadlineMillis, (answer) =>
      this.#answered(slot, configured(answer, this.#cluster), done),
    );
  }

  #request(operation: ReadOperation, consistency: Consistency): ReadRequest {
    const { minZxid } = this.#context;
    return { identity: this.#context.identity(), operation, consistency, minZxid, maxStaleMillis: 0 };
  }

  #answered(slot: Slot, answer: Answer, done: (outcome: Outcome) => void): void {
    try {
      if (answer.kind === "outcome") done(answer.outcome);
      else this.#unanswered(slot, answer);
    } catch (error) {
      this.#failed(error);
    }
  }

  #reply(slot: Slot, answer: Answer, convert: Conversion): void {
    try {
      if (answer.kind !== "outcome") return this.#unanswered(slot, answer);
      const { outcome } = answer;
      if (outcome.ok) this.#context.replies.fill(slot, outcome.zxid, 0, convert(outcome.result));
      else this.fail(slot, outcome);
    } catch (error) {
      this.#failed(error);
    }
  }

  /** A fault of ours in an answer ends no more than this connection. */
  #failed(error: unknown): void {
    this.#context.close(faultOf(error));
  }

  #unanswered(slot: Slot, answer: Extract<Answer, { kind: "unavailable" }>): void {
    const code = codeOf(answer.code);
    if (code === undefined) this.#context.close(whyOf(answer));
    else this.#context.replies.fill(slot, zeroZxid, code);
  }

  fail(slot: Slot, outcome: Extract<Outcome, { ok: false }>): void {
    const code = codeOf(outcome.code);
    if (code === undefined) this.#context.close(whyOf(outcome));
    else this.#context.replies.fill(slot, outcome.zxid as Zxid, code);
  }
}
