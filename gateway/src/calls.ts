/**
 * What is asked by id and answered once: reads, which are harmless and are asked again elsewhere when a stream breaks,
 * and hand-overs, which are asked once. A read is never of unknown certainty: it has no effect.
 *
 * A read that opens a watch is more: its answer's place in the stream says where the feed goes on. So it gets a new id when
 * it is asked again, and an answer to a former try, before which the feed may have been turned off, is not taken for it.
 */
import {
  type Acting,
  type ErrorCode,
  encodeRead,
  type Outcome,
  type ReadOperation,
  type ReplicaId,
  type SessionId,
  type TreeOperation,
  type Zxid,
} from "@quorate/api";
import type { RequestId } from "@quorate/proto";
import type { Answer, ReadRequest } from "./backend.ts";
import { Deadlines, type Timed } from "./deadlines.ts";
import { linkLimits } from "./limits.ts";
import type { GatewayTimer, GatewayWorld } from "./ports.ts";
import { Queue, type Queued } from "./queue.ts";
import { type ReplicaStream, unavailable } from "./stream.ts";

export interface CallPorts {
  readonly world: GatewayWorld;
  nextId(): RequestId;
  home(): ReplicaStream | undefined;
  /** Something was committed up to here. */
  learn(zxid: Zxid): void;
  /** For stale reads; prefers another one than `avoid`. */
  anywhere(avoid: ReplicaStream | undefined): ReplicaStream | undefined;
  wake(): void;
}

/** A session's own read. It is looked at anew at each try: what the session saw meanwhile counts, too. */
export interface OrderedRead extends Omit<ReadRequest, "operation" | "acting"> {
  readonly acting?: Acting | undefined;
  readonly operation: ReadOperation | TreeOperation;
  /** It sees this write, whoever answers it. */
  readonly behind?: { readonly session: SessionId; readonly sequence: number } | undefined;
}

type Asked =
  | { readonly kind: "read"; readonly request: OrderedRead; readonly operation: Uint8Array }
  | { readonly kind: "handOver"; readonly target: ReplicaId };

/** `stream`: who answered; undefined: nobody did. Called in the turn of the answer. */
export type ReadAnswered = (answer: Answer, stream: ReplicaStream | undefined) => void;

class Call implements Timed, Queued<Call> {
  id: RequestId;
  readonly asked: Asked;
  readonly deadline: number;
  readonly size: number;
  readonly resolve: ReadAnswered;
  /** Where it was sent; undefined while it waits. */
  stream: ReplicaStream | undefined = undefined;
  /** Who could not answer it; a stale read then goes elsewhere. */
  avoid: ReplicaStream | undefined = undefined;
  code: ErrorCode = "noLeader";
  detail = "";
  wheelSlot = -1;
  wheelPlace = 0;
  queue: unknown = undefined;
  before: Call | undefined = undefined;
  after: Call | undefined = undefined;

  constructor(id: RequestId, asked: Asked, deadline: number, resolve: ReadAnswered) {
    this.id = id;
    this.asked = asked;
    this.deadline = deadline;
    this.resolve = resolve;
    this.size = 128 + (asked.kind === "read" ? asked.operation.length : 0);
  }
}

const nothingToGiveUp = (): void => {};

/** A replica that answers with one of these has not answered the question. */
const passing: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["noLeader", "behind", "timeout", "connectionLoss"]);

export class Calls {
  readonly #ports: CallPorts;
  readonly #all = new Map<RequestId, Call>();
  /** For the home. */
  readonly #unsent = new Queue<Call>();
  /** For any replica. */
  readonly #unsentStale = new Queue<Call>();
  readonly #retrying = new Set<Call>();
  readonly #deadlines: Deadlines<Call>;
  #bytes = 0;
  #timer: GatewayTimer | undefined;
  #stopped = false;

  constructor(ports: CallPorts) {
    this.#ports = ports;
    this.#deadlines = new Deadlines(ports.world.now(), (call) => this.#expire(call));
  }

  /** Sent or waiting. */
  get size(): number {
    return this.#all.size;
  }

  /** Answers the way to give it up: `resolve` is not called any more. */
  read(request: OrderedRead, deadline: number, resolve: ReadAnswered): () => void {
    if (request.consistency === "session" && this.#readNow(request, resolve)) return nothingToGiveUp;
    const call = this.#ask({ kind: "read", request, operation: encodeRead(request.operation) }, deadline, resolve);
    return () => {
      if (call && this.#all.get(call.id) === call) this.#drop(call);
    };
  }

  /** False: it was not answered. */
  #readNow(request: OrderedRead, resolve: ReadAnswered): boolean {
    const home = this.#stopped ? undefined : this.#ports.home();
    const outcome = home?.readNow?.(request);
    if (home === undefined || outcome === undefined) return false;
    this.#ports.learn(outcome.zxid);
    resolve({ kind: "outcome", outcome, servedBy: home.replica, ageMillis: 0 }, home);
    return true;
  }

  handOver(target: ReplicaId, deadline: number, resolve: (answer: Answer) => void): void {
    this.#ask({ kind: "handOver", target }, deadline, resolve);
  }

  /** Undefined: it was answered at once. */
  #ask(asked: Asked, deadline: number, resolve: ReadAnswered): Call | undefined {
    if (this.#stopped) {
      resolve(unavailable("noLeader", "noEffect", "this gateway is stopping"), undefined);
      return undefined;
    }
    const call = new Call(this.#ports.nextId(), asked, deadline, resolve);
    if (this.#all.size >= linkLimits.calls || this.#bytes + call.size > linkLimits.callBytes) {
      const detail = "too many requests wait in this gateway; try again later";
      resolve(unavailable("throttled", "noEffect", detail), undefined);
      return undefined;
    }
    this.#all.set(call.id, call);
    this.#bytes += call.size;
    this.#enqueue(call);
    this.#deadlines.add(call);
    this.#ports.wake();
    return call;
  }

  pump(): void {
    const home = this.#ports.home();
    for (let call = this.#unsent.first; call && home?.writable; call = this.#unsent.first) {
      this.#unsent.remove(call);
      this.#send(call, home);
    }
    for (let call = this.#unsentStale.first; call; call = this.#unsentStale.first) {
      const stream = this.#ports.anywhere(call.avoid);
      if (!stream?.writable) return;
      this.#unsentStale.remove(call);
      this.#send(call, stream);
    }
  }

  #enqueue(call: Call): void {
    const { asked } = call;
    if (asked.kind !== "read") this.#unsent.push(call);
    else if (asked.request.consistency === "stale") this.#unsentStale.push(call);
    // At a new home an event has to come before the data that it announces.
    else if (asked.request.operation.kind === "watch") this.#unsent.pushFront(call);
    else this.#unsent.push(call);
  }

  #send(call: Call, stream: ReplicaStream): void {
    call.stream = stream;
    const { id, asked } = call;
    if (asked.kind === "handOver") {
      stream.send({ kind: "handOver", id, target: asked.target });
      return;
    }
    const { request, operation } = asked;
    const { consistency, minZxid, maxStaleMillis, identity, acting, behind } = request;
    const left = call.deadline - this.#ports.world.now();
    // The replica's verdict says more than our own: it should be here before the time is over.
    const budgetMillis = Math.max(1, Math.floor(left - Math.min(left / 4, linkLimits.verdictMillis)));
    const message = {
      kind: "read",
      id,
      consistency,
      minZxid,
      maxStaleMillis,
      budgetMillis,
      identity,
      operation,
      ...(acting === undefined ? {} : { acting }),
      ...(behind === undefined ? {} : { behind }),
    } as const;
    stream.send(message);
  }

  answered(stream: ReplicaStream, id: RequestId, outcome: Outcome, ageMillis: number): void {
    const call = this.#all.get(id);
    if (!call) return;
    if (call.asked.kind === "read" && !outcome.ok && passing.has(outcome.code)) {
      // Of a former try: the present one is under way.
      if (call.stream !== stream) return;
      call.code = outcome.code === "behind" ? "behind" : "noLeader";
      call.detail = outcome.detail;
      call.avoid = stream;
      if (call.deadline - this.#ports.world.now() <= 2 * linkLimits.retryMillis) this.#expire(call);
      else this.#retry(call);
      return;
    }
    if (!outcome.ok && outcome.code === "throttled") {
      this.#settle(call, unavailable("throttled", "noEffect", outcome.detail), stream);
    } else this.#settle(call, { kind: "outcome", outcome, servedBy: stream.replica, ageMillis }, stream);
  }

  #retry(call: Call): void {
    call.stream = undefined;
    this.#retrying.add(call);
    this.#timer ??= this.#ports.world.after(linkLimits.retryMillis, () => {
      this.#timer = undefined;
      for (const each of this.#retrying) this.#enqueue(each);
      this.#retrying.clear();
      this.#ports.wake();
    });
  }

  lost(stream: ReplicaStream): void {
    for (const call of [...this.#all.values()]) {
      if (call.avoid === stream) call.avoid = undefined;
      if (call.stream !== stream) continue;
      if (call.asked.kind === "read") this.#again(call);
      else this.#settle(call, unavailable("connectionLoss", "unknown", "the stream to the leader broke"));
    }
  }

  /** What needs the home and was sent to a former one, which may never answer, is asked again. */
  moved(home: ReplicaStream | undefined): void {
    if (!home) return;
    for (const call of [...this.#all.values()]) {
      if (!call.stream || call.stream === home || call.asked.kind !== "read") continue;
      if (call.asked.request.consistency !== "stale") this.#again(call);
    }
  }

  #again(call: Call): void {
    call.stream = undefined;
    if (call.asked.kind === "read" && call.asked.request.operation.kind === "watch") {
      this.#all.delete(call.id);
      call.id = this.#ports.nextId();
      this.#all.set(call.id, call);
    }
    this.#enqueue(call);
    this.#ports.wake();
  }

  tick(now: number): void {
    this.#deadlines.tick(now);
  }

  #expire(call: Call): void {
    if (call.asked.kind === "handOver" && call.stream) {
      this.#settle(call, unavailable("timeout", "unknown", "no answer to the hand-over came in time"));
      return;
    }
    const why = call.stream ? "no replica answered within the time limit" : "no replica can answer it now";
    this.#settle(call, unavailable(call.code, "noEffect", call.detail === "" ? why : call.detail));
  }

  #settle(call: Call, answer: Answer, stream?: ReplicaStream): void {
    this.#drop(call);
    call.resolve(answer, stream);
  }

  #drop(call: Call): void {
    this.#all.delete(call.id);
    this.#bytes -= call.size;
    this.#unsent.remove(call);
    this.#unsentStale.remove(call);
    this.#retrying.delete(call);
    this.#deadlines.remove(call);
  }

  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#timer?.cancel();
    for (const call of [...this.#all.values()]) {
      const asked = call.asked.kind === "handOver" && call.stream !== undefined;
      const detail = "this gateway is stopping";
      this.#settle(
        call,
        asked ? unavailable("connectionLoss", "unknown", detail) : unavailable("noLeader", "noEffect", detail),
      );
    }
  }
}
