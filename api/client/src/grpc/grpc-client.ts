/** The client over gRPC: a session has a stream of its own, everything else goes by unary calls. */

import { limits } from "@quorate/api";
import { Seen } from "../ask.ts";
import { Caller } from "../caller.ts";
import { Client } from "../client.ts";
import type { ClientOptions } from "../quorate.ts";
import { Endpoints } from "../retry.ts";
import { Connection } from "./connection.ts";
import { GrpcTransport, prepare } from "./grpc-transport.ts";
import { Lane } from "./lane.ts";

export class GrpcClient extends Client {
  /** Endpoints such as `10.0.0.1:9090`. Nothing is asked before the first call. */
  constructor(options: ClientOptions) {
    prepare();
    const over = new AbortController();
    const seen = new Seen();
    const { credentials, timeoutMillis, consistency } = options;
    const authorization =
      credentials && `Basic ${Buffer.from(`${credentials.user}:${credentials.password}`).toString("base64")}`;
    const connections = options.endpoints.map((each) => new Connection(each, authorization));
    const common = { timeoutMillis, consistency, seen };
    const endpoints = new Endpoints(connections);
    const caller = new Caller({ ...common, transport: new GrpcTransport(), endpoints, over: over.signal });
    super({
      caller,
      seen,
      over,
      timeoutMillis,
      sessionChannel: (facts) =>
        new Lane({
          facts,
          seen,
          consistency,
          timeoutMillis: timeoutMillis ?? limits.requestTimeoutDefaultMillis,
          endpoints: new Endpoints(connections),
          caller: caller.of(facts.token, facts.over),
        }),
      release: () => {
        for (const each of connections) each.close();
      },
    });
  }
}
