/**
 * The operations of a Session stream: read, given to the session's lane in order, answered in order. While the lane is full, or
 * the client does not read, nothing more is begun, and soon nothing more is read from the stream.
 *
 * A write that is refused here, because it cannot be read, uses no number: what is numbered behind it is refused too, until its
 * number comes again. A watch waits for all before it, and all behind it wait for the watch: so its state shows what
 * was written before, and its events are what is written after. Of a fenced write the locks may have to be looked at first:
 * then all behind it wait, too.
 */
import { type Acting, limits, type Zxid } from "@quorate/api";
import type { v1 } from "@quorate/proto";
import type { Answer, LaneOpening, SessionLane, WriteRequest } from "../backend.ts";
import type { Guarding } from "../recipes/fence.ts";
import type { Fenceable } from "../recipes/fence-wrap.ts";
import type { Fence } from "../recipes/recipes.ts";
import { type Call, freshnessOf, keyOf, plainHeader, readRequest } from "./call.ts";
import type { Flow } from "./desk.ts";
import { expectResult } from "./encode.ts";
import { type Asked, type Exchange, type ExchangeName, exchanges, replyOf, sizeOf } from "./exchanges.ts";
import { bad, failureOf, faultOfFailure, faultOfUnavailable, GrpcFault } from "./faults.ts";
import type { Outlet } from "./outlet.ts";
import type { SessionReplies, Slot } from "./session-replies.ts";
import { SessionWatches } from "./session-watches.ts";
import { fencesOf, millisOf, sessionOf } from "./values.ts";

export interface SessionOperationsOptions {
  readonly call: Call;
  readonly acting: Acting;
  readonly lane: SessionLane;
  readonly opening: LaneOpening;
  readonly replies: SessionReplies;
  readonly outlet: Outlet;
  readonly flow: Flow;
  /** Ends the stream. */
  readonly end: (fault?: GrpcFault) => void;
  /** Runs what may throw a fault, which then ends the stream. */
  readonly guarded: (run: () => void) => void;
}

type AnyExchange = Exchange<object, object>;

/** A write that is understood, and what its answer is for. */
interface Writing {
  readonly name: ExchangeName;
  readonly sequence: number;
  readonly requestId: number;
  readonly exchange: AnyExchange;
  readonly asked: Extract<Asked, { kind: "write" }>;
  readonly fences: readonly Fence[];
  readonly slot: Slot;
}

export class SessionOperations {
  readonly #options: SessionOperationsOptions;
  readonly #watches: SessionWatches;
  /** Read, and not begun. */
  #waiting: v1.SessionOperation[] = [];
  #next = 0;
  #paused = false;
  #pumping = false;
  /** Given to the lane, and not answered. */
  #underWay = 0;
  /** The next number that is new. */
  #nextSequence: number;
  /** The lowest number that was refused here. */
  #refused = Number.POSITIVE_INFINITY;
  #answeredUpTo = 0;
  /** The newest zxid that was answered on this stream, or told by its watches. */
  #seen = 0;
  #closing = false;
  /** The locks of the last write that was begun are looked at. */
  #looking = false;
  #stopped = false;
  #finish: (() => void) | undefined;

  constructor(options: SessionOperationsOptions) {
    this.#options = options;
    this.#nextSequence = options.opening.lastSequence + 1;
    this.#watches = new SessionWatches(options, {
      saw: (zxid) => this.#saw(zxid),
      released: () => options.guarded(() => this.pump()),
    });
  }

  take(request: v1.SessionRequest): void {
    const { answeredUpTo = 0, operations = [] } = request;
    const most = this.#options.call.door.limits.sessionOperations;
    if (operations.length > most) throw bad("operations", `${operations.length} in one message are more than ${most}`);
    if (!Number.isSafeInteger(answeredUpTo) || answeredUpTo >= this.#nextSequence) {
      throw bad(
        "answered_up_to",
        `${answeredUpTo} is no number that was answered; the next one is ${this.#nextSequence}`,
      );
    }
    this.#answeredUpTo = Math.max(this.#answeredUpTo, answeredUpTo);
    for (const each of operations) this.#waiting.push(each);
    this.pump();
  }

  /** What was sent is done and answered; then `done`. */
  finish(done: () => void): void {
    this.#finish = done;
    this.pump();
  }

  stop(): void {
    this.#stopped = true;
    this.#waiting = [];
    this.#next = 0;
    this.#watches.stop();
  }

  /** Begins as much as there is room for. */
  pump(): void {
    // An answer that is there at once comes back here: the loop goes on by itself.
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      this.#pump();
    } finally {
      this.#pumping = false;
    }
  }

  #pump(): void {
    while (this.#next < this.#waiting.length && this.#ready(this.#waiting[this.#next] as v1.SessionOperation)) {
      this.#begin(this.#waiting[this.#next++] as v1.SessionOperation);
    }
    if (this.#next === this.#waiting.length) {
      this.#waiting = [];
      this.#next = 0;
      if (this.#paused) this.#options.flow.resume();
      this.#paused = false;
      if (this.#finish !== undefined && this.#options.replies.outstanding === 0) this.#finish();
    } else if (!this.#paused) {
      this.#paused = true;
      this.#options.flow.pause();
    }
  }

  #ready(operation: v1.SessionOperation): boolean {
    const { lane, outlet, replies, call } = this.#options;
    const { sessionWindow, sessionQueuedBytes } = call.door.limits;
    if (outlet.queuedBytes > sessionQueuedBytes) {
      outlet.whenBelow(sessionQueuedBytes / 2, () => this.#options.guarded(() => this.pump()));
      return false;
    }
    if (replies.outstanding >= sessionWindow || this.#closing || this.#looking) return false;
    if (operation.operation === "watch") return this.#underWay === 0;
    return lane.writable && this.#watches.opening === 0;
  }

  #begin(operation: v1.SessionOperation): void {
    const { requestId = 0, sequence = 0 } = operation;
    const slot = this.#options.replies.slot();
    this.#attempt(requestId, sequence, slot, () => this.#dispatch(operation, slot));
  }

  /** A fault is the reply. */
  #attempt(requestId: number, sequence: number, slot: Slot, run: () => void): void {
    try {
      run();
    } catch (error) {
      if (!(error instanceof GrpcFault)) throw error;
      if (sequence !== 0) this.#refused = Math.min(this.#refused, sequence);
      this.#answer(slot, { requestId, sequence, error: failureOf(error) }, 0);
    }
  }

  #dispatch(operation: v1.SessionOperation, slot: Slot): void {
    const { operation: name, requestId = 0, sequence = 0 } = operation;
    if (!Number.isSafeInteger(sequence) || sequence < 0) throw bad("sequence", `${sequence} is no number of a write`);
    if (name === undefined) throw bad("operation", "the operation is missing, or unknown to this gateway");
    if (name === "watch" || name === "unwatch" || name === "close") return this.#own(name, operation, slot);
    const exchange = exchanges[name] as unknown as AnyExchange;
    const request = operation[name] as object;
    this.#checkSession(exchange.sessionOf(request), `${name}.options.session_id`);
    const asked = exchange.ask(request, `${name}.`, true);
    if (asked.kind === "write") {
      const fences = fencesOf(asked.options?.fenced, `${name}.options.fenced`);
      this.#write({ name, sequence, requestId, exchange, asked, fences, slot });
    } else this.#read(name, operation, exchange, asked, slot);
  }

  #own(name: "watch" | "unwatch" | "close", operation: v1.SessionOperation, slot: Slot): void {
    const { requestId = 0, sequence = 0 } = operation;
    if (name === "close") {
      this.#close(sequence, requestId, slot);
      return;
    }
    refuseNumber(sequence);
    if (name === "unwatch") {
      this.#watches.close(operation.unwatch?.watchId ?? 0);
      this.#answer(slot, { requestId, unwatch: { header: plainHeader(this.#seen, 0) } }, 0);
      return;
    }
    const request = operation.watch ?? {};
    this.#checkSession(request.options?.sessionId, "watch.options.session_id");
    this.#watches.open(requestId, request, this.#seen as Zxid, timeoutOf(operation), slot, (reply, bytes) => {
      this.#answer(slot, { requestId, ...reply }, bytes);
    });
  }

  #write(writing: Writing): void {
    const { call } = this.#options;
    const { sequence, requestId, asked, fences, slot } = writing;
    if (fences.length === 0) return this.#send(writing, asked.operation, (answer) => answer);
    const operation = asked.operation as Fenceable;
    const guarding = call.door.options.recipes.guard(operation, fences, call.identity, call.deadlineMillis);
    if (!(guarding instanceof Promise)) return this.#sendGuarded(writing, guarding);
    this.#looking = true;
    void guarding.then((found) => {
      this.#looking = false;
      if (this.#stopped) return;
      this.#options.guarded(() => {
        this.#attempt(requestId, sequence, slot, () => this.#sendGuarded(writing, found));
        this.pump();
      });
    });
  }

  /** One that was refused has used no number. */
  #sendGuarded(writing: Writing, guarding: Guarding): void {
    if (guarding.kind === "guarded") {
      const { operation, restore } = guarding.guarded;
      return this.#send(writing, operation, restore);
    }
    const { answer } = guarding;
    const reply = replyOf(writing.exchange, writing.asked, answer, undefined);
    throw reply instanceof GrpcFault ? reply : new Error("a refusal is no reply");
  }

  #send(writing: Writing, operation: WriteRequest["operation"], restore: (answer: Answer) => Answer): void {
    const { acting, call, lane } = this.#options;
    const { name, sequence, requestId, exchange, asked, fences, slot } = writing;
    const field = `${name}.options.idempotency_key`;
    const text = asked.options?.idempotencyKey;
    const key = keyOf(text, field, exchange.method, asked.operation, acting.session, fences);
    this.#number(sequence);
    this.#underWay++;
    const base = {
      sequence,
      answeredUpTo: Math.min(this.#answeredUpTo, sequence - 1),
      identity: call.identity,
      operation,
    };
    lane.write(key === undefined ? base : { ...base, key }, ({ answer: given, decided }) => {
      this.#underWay--;
      const answer = restore(given);
      const result = this.#resultOf(name, exchange, asked, answer, undefined);
      this.#answer(slot, { requestId, sequence, decided, ...result }, bytesOf(answer));
    });
  }

  #read(
    name: ExchangeName,
    operation: v1.SessionOperation,
    exchange: AnyExchange,
    asked: Extract<Asked, { kind: "read" }>,
    slot: Slot,
  ): void {
    const { acting, call, lane } = this.#options;
    const { requestId = 0, sequence = 0 } = operation;
    refuseNumber(sequence);
    const freshness = freshnessOf(asked.options, `${name}.options`, this.#seen);
    const minZxid = Math.max(freshness.minZxid, this.#seen) as Zxid;
    const request = readRequest(call.identity, asked.operation, acting, { ...freshness, minZxid });
    this.#underWay++;
    lane.read(request, timeoutOf(operation), (answer) => {
      this.#underWay--;
      const result = this.#resultOf(name, exchange, asked, answer, freshness.consistency);
      this.#answer(slot, { requestId, ...result }, bytesOf(answer));
    });
  }

  #close(sequence: number, requestId: number, slot: Slot): void {
    const { acting, call, lane, end } = this.#options;
    this.#number(sequence);
    this.#closing = true;
    this.#underWay++;
    const operation = { kind: "closeSession", session: acting.session } as const;
    const answeredUpTo = Math.min(this.#answeredUpTo, sequence - 1);
    lane.write({ sequence, answeredUpTo, identity: call.identity, operation }, ({ answer, decided }) => {
      this.#underWay--;
      this.#closing = false;
      const base = { requestId, sequence, decided };
      if (answer.kind === "unavailable") {
        this.#answer(slot, { ...base, error: failureOf(faultOfUnavailable(answer)) }, 0);
      } else if (!answer.outcome.ok) {
        const fault = faultOfFailure(answer.outcome, answer.servedBy);
        this.#answer(slot, { ...base, error: failureOf(fault) }, 0);
      } else {
        const { zxid, result } = answer.outcome;
        const deleted = expectResult(result, "done").count;
        // Its watches are over with it, and no reply waits for them any more.
        this.stop();
        this.#answer(slot, { ...base, close: { header: plainHeader(zxid, answer.servedBy), deleted } }, 0);
        end();
      }
    });
  }

  /** Takes a write's number; throws what refuses it. A gap is a fault of the client's program, and ends the stream. */
  #number(sequence: number): void {
    if (sequence === 0) throw bad("sequence", `a write has one; the next is ${this.#nextSequence}`);
    if (sequence > this.#refused) {
      const detail = `the write ${this.#refused} before it was refused, and its number is to be used first`;
      throw bad("sequence", detail);
    }
    if (sequence > this.#nextSequence) {
      const fault = bad("sequence", `${sequence} leaves a gap; the next is ${this.#nextSequence}`);
      this.#options.end(fault);
      throw fault;
    }
    if (sequence - this.#answeredUpTo > limits.laneWindow) {
      const detail = `sequence: ${sequence} is more than ${limits.laneWindow} beyond answered_up_to (${this.#answeredUpTo})`;
      throw new GrpcFault("throttled", `${detail}; send that with what was answered`);
    }
    this.#refused = Number.POSITIVE_INFINITY;
    this.#nextSequence = Math.max(this.#nextSequence, sequence + 1);
  }

  #checkSession(id: number | undefined, field: string): void {
    const session = sessionOf(id, field);
    if (session === undefined || session === this.#options.acting.session) return;
    throw bad(field, "it is another session than the stream's; leave it out");
  }

  #resultOf(
    name: ExchangeName,
    exchange: AnyExchange,
    asked: Asked,
    answer: Answer,
    consistency: Parameters<typeof replyOf>[3],
  ): Partial<v1.SessionReply> {
    if (answer.kind === "outcome") this.#saw(answer.outcome.zxid);
    const reply = replyOf(exchange, asked, answer, consistency);
    return reply instanceof GrpcFault ? { error: failureOf(reply) } : { [name]: reply };
  }

  #saw(zxid: Zxid): void {
    if (zxid > this.#seen) this.#seen = zxid;
  }

  #answer(slot: Slot, reply: v1.SessionReply, bytes: number): void {
    this.#options.replies.fill(slot, reply, bytes);
    if (this.#next < this.#waiting.length || this.#finish !== undefined) this.#options.guarded(() => this.pump());
  }
}

function refuseNumber(sequence: number): void {
  if (sequence !== 0) throw bad("sequence", "only writes have one");
}

function timeoutOf({ timeout }: v1.SessionOperation): number {
  if (timeout === undefined) return limits.requestTimeoutDefaultMillis;
  return millisOf(timeout, "timeout", 1, limits.requestTimeoutMaxMillis);
}

function bytesOf(answer: Answer): number {
  return answer.kind === "outcome" && answer.outcome.ok ? sizeOf(answer.outcome.result) : 0;
}
