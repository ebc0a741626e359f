/** The client over REST: nothing but `fetch`, so that it runs wherever that is. */
import { Seen } from "../ask.ts";
import { Caller } from "../caller.ts";
import { bytesOf } from "../calls.ts";
import { Client } from "../client.ts";
import type { ClientOptions } from "../quorate.ts";
import { Endpoints } from "../retry.ts";
import type { Gateway } from "./exchange.ts";
import { toBase64 } from "./json-data.ts";
import { RestTransport } from "./rest-transport.ts";

export interface RestClientOptions extends ClientOptions {
  /** How it watches: by one stream of lines (default), or by polls, where a proxy holds streams back. */
  readonly watchBy?: "stream" | "poll";
}

export class RestClient extends Client {
  /** Endpoints such as `http://10.0.0.1:8080`. Nothing is asked before the first call. */
  constructor(options: RestClientOptions) {
    const over = new AbortController();
    const seen = new Seen();
    const { credentials, timeoutMillis, consistency } = options;
    const authorization = credentials && `Basic ${toBase64(bytesOf(`${credentials.user}:${credentials.password}`))}`;
    const gateways = options.endpoints.map((each): Gateway => ({ base: each.replace(/\/+$/, ""), authorization }));
    const caller = new Caller({
      transport: new RestTransport(options.watchBy === "poll"),
      endpoints: new Endpoints(gateways),
      timeoutMillis,
      consistency,
      seen,
      over: over.signal,
    });
    super({
      caller,
      seen,
      over,
      timeoutMillis,
      sessionChannel: (facts) => caller.of(facts.token, facts.over),
      release: () => undefined,
    });
  }
}
