/**
 * A connection keeps its session: nothing but renewals does. One is asked for by each ping, and answers it once it is confirmed,
 * so that a client whose gateway cannot renew gets no answers and goes elsewhere; and one every third of the timeout
 * while anything comes, for clients that are too busy to ping. One at a time: what comes meanwhile asks for the next one.
 * Where nothing more comes, the last one follows soon: a renewal holds the session from when it is made, and a client that
 * has died is not to be held for a third longer.
 *
 * Who is too busy to ping would not notice that none is confirmed, and take for its own what is over elsewhere: a third of the
 * timeout after the last one that was confirmed the next one begins, and half of the timeout later the connection is closed.
 */
import { type Acting, formatZxid, limits } from "@quorate/api";
import type { Backend } from "../backend.ts";

export interface KeepAliveOptions {
  readonly backend: Backend;
  readonly acting: Acting;
  readonly timeoutMillis: number;
  /** A ping may be answered. */
  confirmed(): void;
  /** The session is not this client's any more. */
  over(why: string): void;
}

export class KeepAlive {
  readonly #options: KeepAliveOptions;
  readonly #renewEveryMillis: number;
  /** After such a silence it is not busy any more. */
  readonly #quietMillis: number;
  /** When something last came. */
  #heardAt: number;
  /** When the last renewal began. */
  #renewedAt: number;
  /** When the first one began of those that are not confirmed; undefined: all are. */
  #wantedSince: number | undefined;
  #renewing = false;
  /** Pings that came before the renewal under way began, and behind. */
  #waiting = 0;
  #next = 0;
  #closed = false;

  constructor(options: KeepAliveOptions, now: number) {
    this.#options = options;
    this.#renewEveryMillis = options.timeoutMillis / 3;
    this.#quietMillis = options.timeoutMillis / 10;
    this.#heardAt = now;
    this.#renewedAt = now;
  }

  get timeoutMillis(): number {
    return this.#options.timeoutMillis;
  }

  get heardAt(): number {
    return this.#heardAt;
  }

  /** Nothing may come for so long. */
  get silenceMillis(): number {
    return this.#options.timeoutMillis * 1.5;
  }

  /** A renewal may take so long, with all its tries. */
  get patienceMillis(): number {
    return this.#options.timeoutMillis / 2;
  }

  /** Pings that are not answered. */
  get pings(): number {
    return this.#waiting + this.#next;
  }

  heard(now: number): void {
    this.#heardAt = now;
  }

  ping(now: number): void {
    this.#next += 1;
    if (!this.#renewing) void this.#renew(now);
  }

  /** Now and then. */
  tick(now: number): void {
    if (now - this.#heardAt > this.silenceMillis) {
      this.#options.over(`nothing came from its client for ${Math.round(this.silenceMillis)} ms`);
    } else if (this.#wantedSince !== undefined && now - this.#wantedSince > this.patienceMillis) {
      this.#options.over(`its session could not be renewed for ${Math.round(this.patienceMillis)} ms`);
    } else if (!this.#renewing && (this.#next > 0 || this.#isDue(now))) void this.#renew(now);
  }

  #isDue(now: number): boolean {
    if (this.#heardAt <= this.#renewedAt) return false;
    return now - this.#renewedAt >= this.#renewEveryMillis || now - this.#heardAt >= this.#quietMillis;
  }

  async #renew(now: number): Promise<void> {
    const { backend, acting, timeoutMillis, over } = this.#options;
    this.#renewing = true;
    this.#renewedAt = now;
    this.#wantedSince ??= now;
    this.#waiting = this.#next;
    this.#next = 0;
    const within = Math.min(timeoutMillis, limits.requestTimeoutMaxMillis);
    const answer = await backend.renew(acting.session, acting.secretHash, within);
    this.#renewing = false;
    if (this.#closed) return;
    switch (answer.kind) {
      case "renewed":
        this.#wantedSince = undefined;
        for (; this.#waiting > 0; this.#waiting--) this.#options.confirmed();
        break;
      case "unavailable":
        // They wait on, for the renewal that the next tick begins.
        this.#next += this.#waiting;
        this.#waiting = 0;
        return;
      case "expired":
      case "badSecret":
        return over(`its session ${formatZxid(acting.session)} is over`);
    }
    // What came meanwhile wants a renewal that begins behind it; it may as well be now.
    if (this.#next > 0) void this.#renew(this.#heardAt);
  }

  close(): void {
    this.#closed = true;
  }
}
