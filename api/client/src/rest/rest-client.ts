/** The client over REST: nothing but `fetch`, so that it runs wherever that is. */
import { Seen } from "../ask.ts";
import { Caller } from "../caller.ts";
import { bytesOf, Calls } from "../calls.ts";
import { ClientSession } from "../client-session.ts";
import type { ClientOptions, Quorate, Session, SessionOptions } from "../quorate.ts";
import { QuorateError } from "../quorate-error.ts";
import { Endpoints } from "../retry.ts";
import type { Gateway } from "./exchange.ts";
import { toBase64 } from "./json-data.ts";
import { RestTransport } from "./rest-transport.ts";

export interface RestClientOptions extends ClientOptions {
  /** How it watches: by one stream of lines (default), or by polls, where a proxy holds streams back. */
  readonly watchBy?: "stream" | "poll";
}

export class RestClient extends Calls implements Quorate {
  readonly #seen: Seen;
  readonly #caller: Caller<Gateway>;
  readonly #over: AbortController;
  readonly #sessions = new Set<Session>();

  /** Endpoints such as `http://10.0.0.1:8080`. Nothing is asked before the first call. */
  constructor(options: RestClientOptions) {
    const over = new AbortController();
    const seen = new Seen();
    const { credentials, timeoutMillis, consistency } = options;
    const authorization = credentials && `Basic ${toBase64(bytesOf(`${credentials.user}:${credentials.password}`))}`;
    const gateways = options.endpoints.map((each): Gateway => ({ base: each.replace(/\/+$/, ""), authorization }));
    const transport = new RestTransport(options.watchBy === "poll");
    const endpoints = new Endpoints(gateways);
    const caller = new Caller({ transport, endpoints, timeoutMillis, consistency, seen, over: over.signal });
    super(caller);
    this.#seen = seen;
    this.#caller = caller;
    this.#over = over;
  }

  get seen(): string {
    return this.#seen.zxid;
  }

  async session(options: SessionOptions = {}): Promise<Session> {
    const { sessionTimeoutMillis: asked, name } = options;
    const ask = {
      ...(asked === undefined ? undefined : { timeoutMillis: asked }),
      ...(name === undefined ? undefined : { name }),
    };
    const openedAt = performance.now();
    const { id, secret, timeoutMillis } = await this.#caller.call("createSession", ask, options);
    const token = { id, secret };
    const session = new ClientSession({
      token,
      timeoutMillis,
      openedAt,
      channelOf: (over) => this.#caller.of(token, over),
      clientOver: this.#over.signal,
      closed: (one) => this.#sessions.delete(one),
    });
    this.#sessions.add(session);
    return session;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#sessions].map((each) => each.close()));
    this.#over.abort(new QuorateError("connectionLoss", "the client is closed"));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
