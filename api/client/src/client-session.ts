/**
 * A session's life, whatever carries its calls: renewed at a third of its timeout, and given up as lost when no renewal that was sent within
 * the last timeout was answered. One rule decides it, the client's own clock, whatever the server may still think.
 */
import { limits } from "@quorate/api";
import type { Channel, SessionToken } from "./ask.ts";
import { Calls } from "./calls.ts";
import type { SessionFacts } from "./client.ts";
import { type Moment, millisSince, present } from "./moment.ts";
import type { CallOptions, Session } from "./quorate.ts";
import { isCode, QuorateError } from "./quorate-error.ts";
import { sleep } from "./retry.ts";

/** What a session is kept by. */
export interface SessionPorts {
  readonly token: SessionToken;
  readonly timeoutMillis: number;
  /** When the call was sent that made it. */
  readonly openedAt: Moment;
  /** What it asks through. */
  channelOf(facts: SessionFacts): Channel;
  /** The client is closed. */
  readonly clientOver: AbortSignal;
  closed(): void;
}

const closeMillis = 5000;
const lookMillis = 1000;

export class ClientSession extends Calls implements Session {
  readonly id: string;
  readonly secret: string;
  readonly timeoutMillis: number;
  readonly lost: AbortSignal;
  readonly #lost: AbortController;
  readonly #closing = new AbortController();
  readonly #channel: Channel;
  readonly #ports: SessionPorts;
  /** When the renewal was sent that was answered last. */
  #renewedAt: Moment;
  #timer: NodeJS.Timeout | undefined;
  #closed: Promise<void> | undefined;

  constructor(ports: SessionPorts) {
    const lost = new AbortController();
    const { token, timeoutMillis } = ports;
    const over = AbortSignal.any([lost.signal, ports.clientOver]);
    const channel = ports.channelOf({ token, timeoutMillis, over, lose: (reason) => this.#lose(reason) });
    super(held(channel, () => this.#check()));
    this.id = token.id;
    this.secret = token.secret;
    this.timeoutMillis = timeoutMillis;
    this.lost = lost.signal;
    this.#lost = lost;
    this.#channel = channel;
    this.#ports = ports;
    this.#renewedAt = ports.openedAt;
    this.#watchClock();
    void this.#keep();
  }

  /** What it asks through. */
  get channel(): Channel {
    return held(this.#channel, () => this.#check());
  }

  /** By the clock, however long this process stood still. */
  get held(): boolean {
    this.#check();
    return !this.lost.aborted;
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** As `close`, but it says if that is not known to be done, and may be called again. It is renewed no more. */
  async end(options: CallOptions = {}): Promise<void> {
    this.#closing.abort();
    if (this.lost.aborted) return;
    const usual = { timeoutMillis: Math.min(closeMillis, this.timeoutMillis) };
    try {
      await this.#channel.call("closeSession", { id: this.id }, { ...usual, ...options });
    } catch (error) {
      if (!isCode(error, "sessionExpired")) throw error;
    }
    this.#lose(new QuorateError("sessionExpired", `the session ${this.id} is closed`));
  }

  async #close(): Promise<void> {
    try {
      await this.end();
    } catch (error) {
      // It will be over by itself.
      if (!(error instanceof QuorateError)) throw error;
    } finally {
      this.#lose(new QuorateError("sessionExpired", `the session ${this.id} is closed`));
    }
  }

  async #keep(): Promise<void> {
    const third = this.timeoutMillis / 3;
    const over = AbortSignal.any([this.#closing.signal, this.lost]);
    let due = this.#renewedAt.steady + third;
    while (!over.aborted) {
      try {
        await sleep(Math.max(0, due - performance.now()), over);
        const sentAt = present();
        const timeoutMillis = Math.max(1, Math.min(this.#leftMillis, limits.requestTimeoutMaxMillis));
        await this.#channel.call("renewSession", { id: this.id }, { timeoutMillis, signal: over });
        this.#renewedAt = sentAt;
        due = sentAt.steady + third;
      } catch (error) {
        if (over.aborted) return;
        if (isCode(error, "sessionExpired", "authFailed")) this.#lose(error);
        due = performance.now() + third / 10;
        this.#check();
      }
    }
  }

  get #leftMillis(): number {
    return this.timeoutMillis - millisSince(this.#renewedAt);
  }

  /** Whatever a renewal under way may be stuck in. No timer runs while the machine sleeps, so that it looks often. */
  #watchClock(): void {
    this.#timer = setTimeout(
      () => {
        this.#check();
        if (!this.lost.aborted) this.#watchClock();
      },
      Math.max(1, Math.min(this.#leftMillis, lookMillis)),
    );
  }

  /** A process that stood still finds out before it does anything else. */
  #check(): void {
    if (this.#leftMillis > 0 || this.#lost.signal.aborted) return;
    const why = `no renewal of the session ${this.id} was answered within ${this.timeoutMillis} ms; it may be over`;
    this.#lose(new QuorateError("sessionExpired", why));
  }

  #lose(reason: QuorateError): void {
    clearTimeout(this.#timer);
    if (!this.#lost.signal.aborted) this.#lost.abort(reason);
    this.#ports.closed();
  }
}

/** Looks at the clock before each call. */
function held(channel: Channel, check: () => void): Channel {
  return {
    call: (kind, ask, options) => {
      check();
      return channel.call(kind, ask, options);
    },
    tree: (path, options) => {
      check();
      return channel.tree(path, options);
    },
    watch: (options) => {
      check();
      return channel.watch(options);
    },
    observe: (path, options) => {
      check();
      return channel.observe(path, options);
    },
  };
}
