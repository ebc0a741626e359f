/**
 * A watch that outlives connections. Its source may end or break at any time; it is opened anew, elsewhere, after the last
 * cursor. Items are held back until a cursor stands behind them, so that a break inside a transaction repeats nothing.
 */
import type { Seen, SessionToken, Settings, WatchPart } from "./ask.ts";
import type { Watch, WatchItem, WatchOptions } from "./quorate.ts";
import { isCode, QuorateError } from "./quorate-error.ts";
import { backOff, type Endpoints, sleep } from "./retry.ts";

export interface WatchSource<Place> {
  readonly endpoints: Endpoints<Place>;
  readonly seen: Seen;
  readonly session: SessionToken | undefined;
  /** Of the client, or of the session. */
  readonly over: AbortSignal;
  readonly openMillis: number;
  open(place: Place, options: WatchOptions, after: string | undefined, settings: Settings): AsyncIterable<WatchPart>;
}

/** A stream says its cursor every 15 s. */
const silenceMillis = 35_000;

export class Watching<Place> implements Watch {
  readonly #source: WatchSource<Place>;
  readonly #options: WatchOptions;
  readonly #closing = new AbortController();
  readonly #signal: AbortSignal;
  #cursor: string | undefined;
  #reader: AsyncGenerator<WatchItem, undefined, undefined> | undefined;

  constructor(source: WatchSource<Place>, options: WatchOptions) {
    this.#source = source;
    this.#options = options;
    this.#cursor = options.after;
    const signals = [this.#closing.signal, source.over, ...(options.signal ? [options.signal] : [])];
    this.#signal = AbortSignal.any(signals);
  }

  get cursor(): string | undefined {
    return this.#cursor;
  }

  async close(): Promise<void> {
    this.#closing.abort(new QuorateError("connectionLoss", "the watch is closed", { certainty: "noEffect" }));
    // Where nobody reads on, this is what lets the connection go.
    await this.#reader?.return(undefined).catch(() => undefined);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  [Symbol.asyncIterator](): AsyncIterator<WatchItem, undefined, undefined> {
    if (this.#reader)
      throw new QuorateError("badArguments", "a watch is gone through once; open another one after its cursor");
    this.#reader = this.#items();
    return this.#reader;
  }

  async *#items(): AsyncGenerator<WatchItem, undefined, undefined> {
    const { endpoints, seen } = this.#source;
    let brokenAt: number | undefined;
    for (let failures = 0; ; ) {
      if (this.#closing.signal.aborted) return;
      this.#signal.throwIfAborted();
      const endpoint = endpoints.choose(performance.now());
      const connection = new Connection(this.#signal);
      try {
        for await (const part of this.#open(endpoint.place, connection)) {
          if (failures > 0) endpoints.succeeded(endpoint);
          failures = 0;
          brokenAt = undefined;
          seen.note(part.cursor);
          yield* this.#give(part);
        }
        // Ended in peace: that gateway is going down.
        endpoints.failed(endpoint, performance.now(), 0);
      } catch (error) {
        if (this.#closing.signal.aborted) return;
        this.#signal.throwIfAborted();
        const reason = connection.reasonOr(error);
        if (this.#restarts(reason)) {
          this.#cursor = undefined;
          yield { type: "restarted" };
          continue;
        }
        brokenAt ??= performance.now();
        if (!passes(reason) || performance.now() - brokenAt > (this.#options.timeoutMillis ?? Infinity)) throw reason;
        endpoints.failed(endpoint, performance.now(), reason.retryAfterMillis);
      } finally {
        connection.end();
      }
      await this.#pause(failures++);
    }
  }

  async #pause(failures: number): Promise<void> {
    const { endpoints } = this.#source;
    const now = performance.now();
    const wait = failures < endpoints.count ? 0 : backOff(failures);
    try {
      await sleep(Math.max(wait, endpoints.choose(now).notBefore - now), this.#signal);
    } catch (error) {
      if (!this.#closing.signal.aborted) throw error;
    }
  }

  /** Parts whose last item has a cursor behind it. */
  async *#open(place: Place, connection: Connection): AsyncGenerator<WatchPart, undefined, undefined> {
    const { session, openMillis } = this.#source;
    const settings = { timeoutMillis: openMillis, signal: connection.signal, ...(session ? { session } : undefined) };
    let held: WatchItem[] = [];
    connection.expect(openMillis * 1.5);
    for await (const { items, cursor } of this.#source.open(place, this.#options, this.#cursor, settings)) {
      connection.expect(0);
      held = held.length === 0 ? [...items] : held.concat(items);
      if (cursor !== undefined) {
        yield { items: held, cursor };
        held = [];
      }
      connection.expect(silenceMillis);
    }
  }

  *#give({ items, cursor }: WatchPart): Generator<WatchItem, undefined, undefined> {
    for (const [place, item] of items.entries()) {
      if (this.#closing.signal.aborted) return;
      this.#signal.throwIfAborted();
      if (place === items.length - 1) this.#cursor = cursor;
      yield item;
    }
    this.#cursor = cursor;
  }

  #restarts(error: unknown): boolean {
    return this.#options.restart === true && isCode(error, "cursorTooOld", "cursorOfAnotherHistory");
  }
}

export function passes(error: unknown): error is QuorateError {
  if (!(error instanceof QuorateError)) return false;
  return error.certainty === "unknown" || isCode(error, "noLeader", "behind", "throttled", "connectionLoss", "timeout");
}

/** One connection's own signal: it is cut when it has been silent for too long. */
export class Connection {
  readonly #cut = new AbortController();
  readonly signal: AbortSignal;
  #timer: NodeJS.Timeout | undefined;

  constructor(signal: AbortSignal) {
    this.signal = AbortSignal.any([signal, this.#cut.signal]);
  }

  /** Something has to come within so long; 0: it waits for nobody. */
  expect(millis: number): void {
    clearTimeout(this.#timer);
    if (millis === 0) return;
    this.#timer = setTimeout(() => {
      this.#cut.abort(new QuorateError("timeout", `the watch was silent for ${millis} ms`));
    }, millis);
  }

  reasonOr(error: unknown): unknown {
    return this.#cut.signal.aborted ? this.#cut.signal.reason : error;
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#cut.abort(new QuorateError("connectionLoss", "it is over"));
  }
}
