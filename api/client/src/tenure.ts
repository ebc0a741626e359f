/**
 * A place that is held, until it is given up or lost. Two things tell that it is lost: the poll that renews it, which is answered
 * early when its znode goes; and its session, by this client's own clock, whatever becomes of the network.
 */
import type { Asks, Channel } from "./ask.ts";
import type { ClientSession } from "./client-session.ts";
import { type Contest, type ContestKind, type ContestPorts, givesUp, type Won } from "./contending.ts";
import type { Holding, Layout } from "./locks.ts";
import type { CallOptions, Session } from "./quorate.ts";
import { isCode, QuorateError } from "./quorate-error.ts";
import { backOff, sleep } from "./retry.ts";

const pollMillis = 15_000;
/** What is held shortly is given up before it is renewed: to break off a poll costs HTTP/1.1 its connection. */
const firstPollMillis = 300;

export class Tenure implements Holding {
  readonly name: string;
  readonly token: string;
  readonly layout: Layout;
  readonly znode: string;
  readonly signal: AbortSignal;
  protected readonly channel: Channel;
  readonly #contest: Contest;
  readonly #session: ClientSession;
  readonly #owned: boolean;
  readonly #callMillis: number;
  readonly #over = new AbortController();
  #givenUp: Promise<void> | undefined;
  /** The place is no more. */
  #gone = false;

  protected constructor(ports: ContestPorts, contest: Contest, { session, owned, standing }: Won) {
    this.name = contest.name;
    this.token = standing.token;
    this.layout = standing.layout;
    this.znode = standing.znode;
    this.signal = this.#over.signal;
    this.channel = session.channel;
    this.#contest = contest;
    this.#session = session;
    this.#owned = owned;
    this.#callMillis = ports.timeoutMillis;
    const lose = (): void => this.#end(session.lost.reason as QuorateError);
    if (session.lost.aborted) lose();
    else session.lost.addEventListener("abort", lose, { once: true, signal: this.signal });
    void this.#keep();
  }

  get session(): Session {
    return this.#session;
  }

  get held(): boolean {
    return this.#session.held && !this.signal.aborted;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.giveUp({}).catch((error: unknown) => {
      // Its own session is renewed no more, and ends by itself.
      if (!this.#owned || !(error instanceof QuorateError)) throw error;
    });
  }

  protected giveUp(options: CallOptions): Promise<void> {
    this.#givenUp ??= this.#giveUp(options).catch((error: unknown) => {
      this.#givenUp = undefined;
      throw error;
    });
    return this.#givenUp;
  }

  async #giveUp(options: CallOptions): Promise<void> {
    const { kind, ask, name } = this.#contest;
    this.#end(new QuorateError("fenced", `${name} was given up`));
    const settings = { timeoutMillis: this.#callMillis, ...options };
    if (this.#owned) return this.#session.end(settings);
    // What the session has there by now is another's who holds it.
    if (this.#gone) return;
    try {
      await this.channel.call(givesUp[kind], { path: ask.path, token: this.token }, settings);
    } catch (error) {
      if (!isCode(error, "fenced", "noNode", "sessionExpired")) throw error;
    }
  }

  async #keep(): Promise<void> {
    const { kind, ask } = this.#contest;
    // Nobody reads it of a renewal.
    const value = new Uint8Array(0);
    const waitMillis = Math.min(pollMillis, Math.floor(this.#session.timeoutMillis / 3));
    const renewal = { ...ask, waitMillis, token: this.token };
    const poll = (kind === "campaign" ? { ...renewal, value } : renewal) as Asks[ContestKind];
    const { signal } = this;
    await sleep(Math.min(firstPollMillis, waitMillis), signal).catch(() => undefined);
    for (let vain = 0; !signal.aborted; ) {
      const sentAt = performance.now();
      try {
        await this.channel.call(kind, poll, { timeoutMillis: this.#callMillis, signal });
        // A gateway that stops answers early.
        vain = performance.now() - sentAt < waitMillis / 2 ? vain + 1 : 0;
      } catch (error) {
        if (signal.aborted) return;
        if (isCode(error, "fenced", "noNode", "sessionExpired")) return this.#lost(error);
        vain++;
      }
      if (vain > 0) await sleep(Math.min(backOff(vain), waitMillis), signal).catch(() => undefined);
    }
  }

  #lost(reason: QuorateError): void {
    this.#gone = true;
    this.#end(reason);
    // It was for this place alone.
    if (this.#owned) void this.#session.close();
  }

  #end(reason: QuorateError): void {
    if (!this.signal.aborted) this.#over.abort(reason);
  }
}
