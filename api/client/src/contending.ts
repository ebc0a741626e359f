/**
 * How a place in a queue is taken: a session is opened for it first, so that it outlives connections; then it is asked for again
 * and again, at whatever gateway answers, until its turn has come or the wait is over. Who gives up leaves the queue.
 */
import type { Asks, Channel, Standing } from "./ask.ts";
import { ClientSession } from "./client-session.ts";
import { defined } from "./defined.ts";
import type { ContestOptions } from "./locks.ts";
import type { Session, SessionOptions } from "./quorate.ts";
import { isCode, QuorateError } from "./quorate-error.ts";
import { backOff, mayRepeat, sleep } from "./retry.ts";

export interface ContestPorts {
  readonly caller: Channel;
  readonly timeoutMillis: number;
  /** When the client is closed. */
  readonly over: AbortSignal;
  openSession(options: SessionOptions): Promise<ClientSession>;
}

export type ContestKind = "acquire" | "campaign";

export interface Contest<K extends ContestKind = ContestKind> {
  readonly kind: K;
  readonly name: string;
  /** What it asks for each time. */
  readonly ask: Omit<Asks[K], "waitMillis" | "token" | "key">;
}

/** A place that is held, by a session that is its own or was given. */
export interface Won {
  readonly session: ClientSession;
  readonly owned: boolean;
  readonly standing: Standing & { readonly token: string };
}

/** One poll waits so long, and a third of the session's timeout at most. */
const pollMillis = 10_000;
/** What a call gets, however little is left of the wait, and at most where there is an end to that. */
const callMillis = { least: 500, most: 2000 } as const;
/** For giving the place up, when the wait is over. */
const lateMillis = 5000;
/** How long whoever ends the waiting by his signal waits for the place to be given up. */
const leaveMillis = 1000;

export const givesUp = { acquire: "release", campaign: "resign" } as const;

export async function contend(ports: ContestPorts, contest: Contest, options: ContestOptions): Promise<Won> {
  const contending = new Contending(ports, contest, options);
  return contending.run();
}

/** Sessions of this client library alone know how to ask. */
function ownOf(session: Session): ClientSession {
  if (session instanceof ClientSession) return session;
  throw new QuorateError("badArguments", "session: it was not opened by a client of this library");
}

class Contending {
  readonly #ports: ContestPorts;
  readonly #contest: Contest;
  readonly #options: ContestOptions;
  readonly #callMillis: number;
  readonly #signal: AbortSignal;
  /** When the wait for its turn is over, and when that for an answer is. */
  readonly #endsAt: number;
  readonly #patientUntil: number;
  readonly #key = crypto.randomUUID();
  /** The last poll may still be on its way to where it takes effect. */
  #doubt = false;
  #asked = false;
  #answered = false;
  /** What failed last when there was no more patience. */
  #exhausted: QuorateError | undefined;

  constructor(ports: ContestPorts, contest: Contest, options: ContestOptions) {
    const { wait = Infinity, timeoutMillis = ports.timeoutMillis, signal } = options;
    if (!(wait >= 0)) throw new QuorateError("badArguments", `wait: ${wait} is no time in milliseconds`);
    const now = performance.now();
    this.#ports = ports;
    this.#contest = contest;
    this.#options = options;
    this.#callMillis = timeoutMillis;
    this.#signal = signal ?? new AbortController().signal;
    this.#endsAt = now + wait;
    this.#patientUntil = now + (wait === 0 ? timeoutMillis : wait);
  }

  async run(): Promise<Won> {
    this.#signal.throwIfAborted();
    const { session: given } = this.#options;
    const session = given === undefined ? await this.#open() : ownOf(given);
    const owned = given === undefined;
    try {
      const standing = await this.#turn(session);
      if (standing?.token !== undefined) return { session, owned, standing: { ...standing, token: standing.token } };
    } catch (error) {
      if (this.#exhausted === undefined) {
        await this.#leaveWithin(session, owned);
        throw error;
      }
    }
    throw await this.#late(session, owned);
  }

  /** Asks until it is held; undefined: the wait is over. */
  async #turn(session: ClientSession): Promise<Standing | undefined> {
    for (let quick = 0; ; ) {
      const waitMillis = this.#waitMillis(session);
      const sentAt = performance.now();
      const standing = await this.#persist((millis, signal) =>
        this.#ask(session, this.#waitMillis(session), millis, signal),
      );
      if (standing.held) return standing;
      if (performance.now() >= this.#endsAt) return undefined;
      // A gateway that stops answers early.
      quick = performance.now() - sentAt < waitMillis / 2 ? quick + 1 : 0;
      if (quick > 0) await sleep(backOff(quick), this.#signal);
    }
  }

  #waitMillis({ timeoutMillis }: ClientSession): number {
    const left = Math.max(0, this.#endsAt - performance.now());
    return Math.min(left, pollMillis, Math.floor(timeoutMillis / 3));
  }

  async #ask(
    session: ClientSession,
    waitMillis: number,
    timeoutMillis: number,
    signal: AbortSignal | undefined,
  ): Promise<Standing> {
    const { kind, ask } = this.#contest;
    // Once it is answered, the place is found by its session.
    const key = this.#answered ? undefined : this.#key;
    const poll = { ...ask, ...defined({ waitMillis, key }) } as Asks[ContestKind];
    this.#asked = true;
    const standing = await session.channel.call(kind, poll, { timeoutMillis, ...defined({ signal }) });
    this.#answered = true;
    this.#doubt = false;
    return standing;
  }

  async #open(): Promise<ClientSession> {
    const { sessionTimeoutMillis } = this.#options;
    const { kind, name } = this.#contest;
    const called = `${kind === "acquire" ? "lock" : "election"} ${name}`.slice(0, 80);
    try {
      return await this.#persist((timeoutMillis, signal) =>
        this.#ports.openSession({ ...defined({ sessionTimeoutMillis }), name: called, timeoutMillis, signal }),
      );
    } catch (error) {
      const { wait } = this.#options;
      if (this.#exhausted === undefined) throw error;
      // A session that may have been opened has no place.
      const facts = { certainty: "noEffect", cause: error } as const;
      const { code, message } = this.#exhausted;
      if (wait === 0) throw new QuorateError(code, `no session could be opened for it: ${message}`, facts);
      throw new QuorateError("timeout", `no session could be opened for it within ${wait} ms: ${message}`, facts);
    }
  }

  /** Through failures that pass, as long as there is patience. */
  async #persist<T>(run: (millis: number, signal: AbortSignal) => Promise<T>): Promise<T> {
    for (let failures = 0; ; failures++) {
      const millis = this.#millis();
      try {
        return await run(millis, this.#signal);
      } catch (error) {
        this.#signal.throwIfAborted();
        if (!(error instanceof QuorateError)) throw error;
        if (error.certainty === "unknown") this.#doubt = true;
        const pause = Math.max(failures === 0 ? 0 : backOff(failures - 1), error.retryAfterMillis);
        if (!mayRepeat(error, true)) throw error;
        this.#ports.over.throwIfAborted();
        if (performance.now() + pause >= this.#patientUntil) {
          this.#exhausted = error;
          throw error;
        }
        await sleep(pause, this.#signal);
      }
    }
  }

  /** What a call gets beside the waiting for its turn. */
  #millis(): number {
    const { wait } = this.#options;
    if (wait === undefined) return this.#callMillis;
    const left = Math.max(this.#patientUntil - performance.now(), callMillis.least);
    return Math.min(left, this.#callMillis, wait === 0 ? Infinity : callMillis.most);
  }

  async #late(session: ClientSession, owned: boolean): Promise<QuorateError> {
    const { kind, name } = this.#contest;
    const gone = await this.#leave(session, owned, Math.min(this.#callMillis, lateMillis));
    const cause = this.#exhausted;
    // Who does not wait is told what it was.
    if (cause !== undefined && this.#options.wait === 0) return gone ? cause : cause.inDoubt();
    const what = kind === "acquire" ? `the lock ${name} was not free` : `it did not lead ${name}`;
    const then = gone
      ? "its place in the queue is given up"
      : `its place in the queue may be there as long as the session ${session.id}${owned ? ", which is renewed no more" : ""}`;
    const last = cause === undefined ? "" : ` (${cause.message})`;
    const detail = `${what} within ${this.#options.wait} ms${last}; ${then}`;
    return new QuorateError("timeout", detail, { certainty: gone ? "noEffect" : "unknown", ...defined({ cause }) });
  }

  /** What the error is does not hang on it, and whoever aborts does not wait for a network that is stuck. */
  async #leaveWithin(session: ClientSession, owned: boolean): Promise<void> {
    const left = new AbortController();
    const leaving = this.#leave(session, owned, this.#callMillis).finally(() => left.abort());
    await Promise.race([leaving, sleep(leaveMillis, left.signal).catch(() => undefined)]);
  }

  /** Whether it certainly has no place any more. */
  async #leave(session: ClientSession, owned: boolean, timeoutMillis: number): Promise<boolean> {
    try {
      if (owned) {
        await session.end({ timeoutMillis });
        return true;
      }
      // A first try that comes late makes no second place under the key of one that was answered.
      const unheard = this.#asked && !this.#answered;
      const token = unheard ? (await this.#ask(session, 0, timeoutMillis, undefined)).token : undefined;
      const { kind, ask } = this.#contest;
      await session.channel.call(givesUp[kind], { path: ask.path, token }, { timeoutMillis });
    } catch (error) {
      if (isCode(error, "sessionExpired")) return true;
      if (!isCode(error, "fenced", "noNode")) return false;
    }
    // A poll that is still on its way would make the place anew.
    return !this.#doubt;
  }
}
