/** What the two clients share beside their calls: their sessions, and their end. */
import { limits } from "@quorate/api";
import type { Channel, Seen, SessionToken } from "./ask.ts";
import { Calls } from "./calls.ts";
import { ClientElections } from "./client-elections.ts";
import { ClientLocks } from "./client-locks.ts";
import { ClientSession } from "./client-session.ts";
import type { ContestPorts } from "./contending.ts";
import { defined } from "./defined.ts";
import type { Elections, Locks } from "./locks.ts";
import { present } from "./moment.ts";
import type { Quorate, Session, SessionOptions } from "./quorate.ts";
import { QuorateError } from "./quorate-error.ts";

export interface SessionFacts {
  readonly token: SessionToken;
  readonly timeoutMillis: number;
  /** When it is lost, or the client closed. */
  readonly over: AbortSignal;
  /** To be called when it is known to be over. */
  lose(reason: QuorateError): void;
}

export interface ClientParts {
  readonly caller: Channel;
  readonly seen: Seen;
  readonly over: AbortController;
  /** Of each call that names none. */
  readonly timeoutMillis: number | undefined;
  /** What a session asks through. */
  sessionChannel(facts: SessionFacts): Channel;
  /** After everything else is over. */
  release(): void;
}

export class Client extends Calls implements Quorate {
  readonly locks: Locks;
  readonly elections: Elections;
  readonly #parts: ClientParts;
  readonly #sessions = new Set<ClientSession>();

  protected constructor(parts: ClientParts) {
    super(parts.caller);
    this.#parts = parts;
    const ports: ContestPorts = {
      caller: parts.caller,
      timeoutMillis: parts.timeoutMillis ?? limits.requestTimeoutDefaultMillis,
      over: parts.over.signal,
      openSession: (options) => this.#open(options),
    };
    this.locks = new ClientLocks(ports);
    this.elections = new ClientElections(ports);
  }

  get seen(): string {
    return this.#parts.seen.zxid;
  }

  session(options: SessionOptions = {}): Promise<Session> {
    return this.#open(options);
  }

  async #open(options: SessionOptions): Promise<ClientSession> {
    const { sessionTimeoutMillis: asked, name } = options;
    const ask = defined({ timeoutMillis: asked, name });
    const { caller, over } = this.#parts;
    const openedAt = present();
    const { id, secret, timeoutMillis } = await caller.call("createSession", ask, options);
    over.signal.throwIfAborted();
    const session: ClientSession = new ClientSession({
      token: { id, secret },
      timeoutMillis,
      openedAt,
      channelOf: (facts) => this.#parts.sessionChannel(facts),
      clientOver: over.signal,
      closed: () => this.#sessions.delete(session),
    });
    this.#sessions.add(session);
    return session;
  }

  async close(): Promise<void> {
    // One may be opened while the others are closed.
    while (this.#sessions.size > 0) await Promise.all([...this.#sessions].map((each) => each.close()));
    this.#parts.over.abort(new QuorateError("connectionLoss", "the client is closed"));
    this.#parts.release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
