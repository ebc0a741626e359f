/**
 * A session at home on one gRPC stream at a time: calls in order, many in a message; and taken over at the next gateway when
 * the stream breaks. What had no answer is sent again there with its number, so that nothing is done twice.
 */
import { limits } from "@quorate/api";
import { publicServices, type v1 } from "@quorate/proto";
import {
  type Answers,
  type Asks,
  type Channel,
  fencesOf,
  isRead,
  type Kind,
  readingOf,
  type Seen,
  type WatchPart,
} from "../ask.ts";
import type { Caller } from "../caller.ts";
import type { SessionFacts } from "../client.ts";
import { defined } from "../defined.ts";
import type { ElectionState, ObserveOptions } from "../locks.ts";
import type {
  Consistency,
  Listing,
  ReadOptions,
  TreeNode,
  TreeOptions,
  Watch,
  WatchOptions,
  WriteOptions,
} from "../quorate.ts";
import { QuorateError } from "../quorate-error.ts";
import { backOff, Endpoints } from "../retry.ts";
import { Watching } from "../watching.ts";
import type { Connection } from "./connection.ts";
import { failureOf } from "./failures.ts";
import { forms } from "./forms.ts";
import { LaneCall, type LaneCallOptions, type LaneCallPorts } from "./lane-call.ts";
import { LaneQueue } from "./lane-queue.ts";
import { LaneStream } from "./lane-stream.ts";
import { LaneWatch } from "./lane-watch.ts";
import { durationOf, zxidText } from "./values.ts";

export interface LaneOptions {
  readonly facts: SessionFacts;
  readonly endpoints: Endpoints<Connection>;
  readonly seen: Seen;
  readonly timeoutMillis: number;
  readonly consistency: Consistency | undefined;
  /** For what the stream does not carry. */
  readonly caller: Caller<Connection>;
}

/** Where a call's message stands in a `SessionOperation`. */
const fields = {
  get: "get",
  exists: "exists",
  children: "listChildren",
  getAcl: "getAcl",
  sync: "sync",
  put: "put",
  create: "create",
  delete: "delete",
  setAcl: "setAcl",
  txn: "txn",
  closeSession: "close",
} as const satisfies Partial<Record<Kind, keyof v1.SessionOperation>>;

/** How a stream ends behind which none can follow. */
const ends: ReadonlySet<string> = new Set(["sessionExpired", "authFailed", "badArguments", "unimplemented"]);

/** Of its bytes on the way, not less. */
function sizeOf(value: unknown): number {
  if (typeof value === "string") return 3 * value.length + 6;
  if (value instanceof Uint8Array) return value.length + 6;
  if (typeof value !== "object" || value === null) return 12;
  return Object.values(value).reduce((sum: number, each) => sum + sizeOf(each), 6);
}

/** What stands beside an operation in its message. */
const besideBytes = 64;

/** A message that no gateway takes would end each stream that it is sent on, and all that is asked behind it would wait for ever. */
function sizeOrThrow(operation: v1.SessionOperation): number {
  const most = limits.requestBytes - besideBytes;
  const bytes = sizeOf(operation);
  if (bytes <= most) return bytes;
  const exact = publicServices().methods.Coordination.Session.encodeRequest({ operations: [operation] }).length;
  if (exact <= most) return exact;
  throw new QuorateError("tooLarge", `the request has ${exact} bytes, over ${most}`);
}

export class Lane implements Channel {
  readonly #options: LaneOptions;
  readonly #queue = new LaneQueue();
  readonly #watches = new Map<number, LaneWatch>();
  /** Renewals that wait for a heartbeat. */
  readonly #renewals = new Set<() => void>();
  readonly #ports: LaneCallPorts = {
    queue: this.#queue,
    nextId: () => ++this.#lastId,
    schedule: () => this.#schedule(),
    refused: ({ zxid }) => this.#options.seen.note(zxid),
  };
  #stream: LaneStream | undefined;
  #lastId = 0;
  #failures = 0;
  /** Openings that were given up: the ensemble may still follow one, and end the stream that is open for its sake. */
  #strays = 0;
  #scheduled = false;
  #timer: NodeJS.Timeout | undefined;
  #ended: QuorateError | undefined;

  constructor(options: LaneOptions) {
    this.#options = options;
    const { over } = options.facts;
    over.addEventListener("abort", () => this.#end(over.reason as QuorateError), { once: true });
    this.#open();
  }

  async call<K extends Kind>(kind: K, ask: Asks[K], options: ReadOptions & WriteOptions): Promise<Answers[K]> {
    if (kind === "renewSession") return this.#renew(options) as Promise<Answers[K]>;
    if (!(kind in fields)) return this.#options.caller.call(kind, ask, options);
    const read = isRead(kind, ask);
    const fences = fencesOf(options, read);
    const { consistency, seen } = this.#options;
    const millis = options.timeoutMillis ?? this.#options.timeoutMillis;
    const form = forms[kind];
    const field = fields[kind as keyof typeof fields];
    const operation = {
      [field]: form.request(ask, read ? readingOf(options, consistency, seen) : defined({ fences })),
      ...(read ? { timeout: durationOf(millis) } : undefined),
    };
    const { signal } = options;
    const asked = { write: !read, operation, timeoutMillis: millis };
    return this.#ask({ ...asked, ...(signal && { signal }) }, (reply) => {
      const result = reply[field as keyof v1.SessionReply] as { readonly header?: v1.Header };
      seen.note(result.header && zxidText(result.header.zxid));
      return form.answer(result as never, ask);
    });
  }

  tree(path: string, options: TreeOptions): Listing<TreeNode> {
    return this.#options.caller.tree(path, options);
  }

  observe(path: string, options: ObserveOptions): AsyncIterable<ElectionState> {
    return this.#options.caller.observe(path, options);
  }

  watch(options: WatchOptions): Watch {
    const { facts, seen, timeoutMillis } = this.#options;
    const source = {
      endpoints: new Endpoints([this]),
      seen,
      session: undefined,
      over: facts.over,
      openMillis: timeoutMillis,
      open: (_: Lane, asked: WatchOptions, after: string | undefined, { signal }: { readonly signal: AbortSignal }) =>
        this.#watch(asked, after, signal),
    };
    return new Watching(source, options);
  }

  async *#watch(
    options: WatchOptions,
    after: string | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<WatchPart, undefined, undefined> {
    const { timeoutMillis } = this.#options;
    const watch = new LaneWatch(options, after, signal);
    const { operation } = watch;
    let id = 0;
    try {
      await this.#ask({ write: false, operation, timeoutMillis, signal }, (reply) => {
        id = reply.requestId ?? 0;
        this.#watches.set(id, watch);
        watch.told(reply.watch ?? {});
      });
      yield* watch.parts();
    } finally {
      if (this.#watches.delete(id)) this.#unwatch(id);
    }
  }

  /** If it is lost, so is the stream and the watch with it. */
  #unwatch(watchId: number): void {
    const { timeoutMillis } = this.#options;
    this.#ask({ write: false, operation: { unwatch: { watchId } }, timeoutMillis }, () => undefined).catch(
      () => undefined,
    );
  }

  async #ask<T>(options: Omit<LaneCallOptions, "bytes">, answer: (reply: v1.SessionReply) => T): Promise<T> {
    if (this.#ended) throw this.#ended;
    return new LaneCall({ ...options, bytes: sizeOrThrow(options.operation) }, this.#ports, answer).answered;
  }

  /** At the end of the loop's turn, so that what is asked together goes together. */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    const stream = this.#stream;
    while (stream?.writable === true && stream === this.#stream) {
      const operations = this.#queue.take();
      if (operations.length === 0) return;
      stream.send({ operations, answeredUpTo: this.#queue.answeredUpTo });
    }
  }

  /** Resolves when a heartbeat that was sent after this call is answered, or a stream that was opened after it stands. */
  #renew({ signal, timeoutMillis = this.#options.timeoutMillis }: ReadOptions): Promise<undefined> {
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", stop);
        this.#renewals.delete(done);
      };
      const done = (): void => {
        settle();
        resolve(undefined);
      };
      const stop = (): void => {
        settle();
        reject(signal?.reason as Error);
      };
      const timer = setTimeout(() => {
        settle();
        reject(new QuorateError("timeout", `no heartbeat was answered within ${Math.round(timeoutMillis)} ms`));
      }, timeoutMillis);
      if (this.#ended) {
        settle();
        reject(this.#ended);
        return;
      }
      if (signal?.aborted) return stop();
      signal?.addEventListener("abort", stop, { once: true });
      this.#renewals.add(done);
      this.#stream?.beat(this.#queue.answeredUpTo, done);
    });
  }

  #open(): void {
    if (this.#ended) return;
    const { facts, endpoints } = this.#options;
    const endpoint = endpoints.choose(performance.now());
    const wait = endpoint.notBefore - performance.now();
    if (wait > 0) {
      this.#timer = setTimeout(() => this.#open(), wait);
      return;
    }
    const before = [...this.#renewals];
    const stream = new LaneStream(endpoint.place, facts, this.#queue.answeredUpTo, {
      opened: () => {
        endpoints.succeeded(endpoint);
        this.#failures = 0;
        for (const done of before) done();
        for (const done of this.#renewals) stream.beat(this.#queue.answeredUpTo, done);
        this.#flush();
      },
      received: (message) => this.#received(message),
      drained: () => this.#flush(),
      waiting: () => this.#queue.waiting,
      ended: (error) => {
        if (this.#stream !== stream) return;
        endpoints.failed(endpoint, performance.now(), error.retryAfterMillis);
        this.#broken(stream, error);
      },
    });
    this.#stream = stream;
  }

  #received({ events = [], replies = [] }: v1.SessionResponse): void {
    for (const { watchId = 0, watch, error } of events) {
      const known = this.#watches.get(watchId);
      if (error) this.#watches.delete(watchId);
      if (watch) known?.told(watch);
      else if (error) known?.end(failureOf(error));
    }
    for (const reply of replies) {
      const refusal = this.#queue.reply(reply);
      if (refusal) {
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => this.#flush(), Math.max(backOff(this.#failures++), refusal.retryAfterMillis));
      } else this.#failures = 0;
      const { watch, requestId = 0 } = reply;
      // It was given up before it was open: the gateway does not know.
      if (watch && !this.#watches.has(requestId)) this.#unwatch(requestId);
    }
    if (replies.length > 0) this.#schedule();
  }

  #broken(stream: LaneStream, error: QuorateError): void {
    this.#stream = undefined;
    clearTimeout(this.#timer);
    if (!stream.standing) this.#strays++;
    const moved = error.code === "sessionMoved";
    if (ends.has(error.code) || (moved && this.#strays === 0)) {
      this.#options.facts.lose(error);
      this.#end(error);
      return;
    }
    if (moved) this.#strays--;
    const lost = new QuorateError("connectionLoss", error.detail, { cause: error });
    this.#queue.broken(lost);
    for (const watch of this.#watches.values()) watch.end(lost);
    this.#watches.clear();
    this.#timer = setTimeout(() => this.#open(), this.#failures === 0 ? 0 : backOff(this.#failures));
    this.#failures++;
  }

  #end(reason: QuorateError): void {
    if (this.#ended) return;
    this.#ended = reason;
    clearTimeout(this.#timer);
    this.#stream?.cancel();
    this.#stream = undefined;
    this.#queue.end(reason);
    for (const watch of this.#watches.values()) watch.end(reason);
    this.#watches.clear();
  }
}
