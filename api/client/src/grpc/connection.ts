/**
 * One gateway over grpc-js, which nobody else here touches: unary calls, streams that answer, and the stream both ways of a
 * session. Calls end by their signal; failures are the one class of error.
 */
import { type ChannelOptions, Client, credentials, Metadata } from "@grpc/grpc-js";
import { type PublicMethod, publicServices } from "@quorate/proto";
import { failureOfStatus, type StatusError } from "./failures.ts";
import type { Methods } from "./forms.ts";

const channelOptions: ChannelOptions = {
  // We try again by ourselves, by rules that know what a try may have done.
  "grpc.enable_retries": 0,
  "grpc.service_config_disable_resolution": 1,
  // A gateway that comes back is found again soon; grpc-js would wait for up to two minutes.
  "grpc.initial_reconnect_backoff_ms": 50,
  "grpc.min_reconnect_backoff_ms": 50,
  "grpc.max_reconnect_backoff_ms": 2000,
  // Who vanishes without a FIN is found by these.
  "grpc.keepalive_time_ms": 20_000,
  "grpc.keepalive_timeout_ms": 5000,
};

export interface CallSettings {
  readonly signal: AbortSignal;
  /** None: it may last for ever. */
  readonly timeoutMillis?: number;
  readonly secret?: string;
}

export interface SessionStreamEvents {
  received(message: Methods["Session"][1]): void;
  /** There is room again after `send` answered false. */
  drained(): void;
  /** Exactly once, unless it is cancelled. Undefined: it ended with OK. */
  ended(error: Error | undefined): void;
}

export interface OpenStream {
  /** False: no more until `drained`. */
  send(message: Methods["Session"][0]): boolean;
  /** No event comes after it. */
  cancel(): void;
}

export class Connection {
  readonly address: string;
  readonly #client: Client;
  readonly #authorization: string | undefined;

  /** `host:port`. Connects with the first call. */
  constructor(address: string, authorization: string | undefined) {
    this.address = address;
    this.#client = new Client(address, credentials.createInsecure(), channelOptions);
    this.#authorization = authorization;
  }

  close(): void {
    this.#client.close();
  }

  unary<Name extends keyof Methods>(
    name: Name,
    request: Methods[Name][0],
    settings: CallSettings,
  ): Promise<Methods[Name][1]> {
    const { path, encodeRequest, decodeResponse } = methodOf(name);
    const { signal } = settings;
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const done = (error: unknown, reply?: Methods[Name][1]): void => {
        signal.removeEventListener("abort", cancel);
        if (reply !== undefined && !error) resolve(reply);
        else reject(this.#failure(error, signal));
      };
      const metadata = this.#metadata(settings);
      const call = this.#client.makeUnaryRequest(
        path,
        encodeRequest,
        decode(decodeResponse),
        request,
        metadata,
        deadline(settings),
        done,
      );
      const cancel = (): void => call.cancel();
      signal.addEventListener("abort", cancel, { once: true });
    });
  }

  async *serverStream<Name extends "Watch" | "GetTree" | "Observe">(
    name: Name,
    request: Methods[Name][0],
    settings: CallSettings,
  ): AsyncGenerator<Methods[Name][1], undefined, undefined> {
    const { path, encodeRequest, decodeResponse } = methodOf(name);
    const { signal } = settings;
    signal.throwIfAborted();
    const metadata = this.#metadata(settings);
    const call = this.#client.makeServerStreamRequest(
      path,
      encodeRequest,
      decode(decodeResponse),
      request,
      metadata,
      deadline(settings),
    );
    const cancel = (): void => call.cancel();
    signal.addEventListener("abort", cancel, { once: true });
    try {
      // Read as it is wanted: what is not read waits with the gateway.
      for await (const reply of call) yield reply as Methods[Name][1];
    } catch (error) {
      throw this.#failure(error, signal);
    } finally {
      signal.removeEventListener("abort", cancel);
      call.on("error", () => undefined);
      call.cancel();
    }
  }

  session(secret: string, events: SessionStreamEvents): OpenStream {
    const { path, encodeRequest, decodeResponse } = methodOf("Session");
    const metadata = this.#metadata({ secret });
    const call = this.#client.makeBidiStreamRequest(path, encodeRequest, decode(decodeResponse), metadata, {});
    let over = false;
    const end = (error: Error | undefined): void => {
      if (over) return;
      over = true;
      events.ended(error);
    };
    call.on("data", (message: Methods["Session"][1]) => {
      if (!over) events.received(message);
    });
    call.on("drain", () => {
      if (!over) events.drained();
    });
    call.on("error", (error: StatusError & Error) => end(failureOfStatus(error, this.address)));
    call.on("end", () => end(undefined));
    return {
      send: (message) => over || call.write(message),
      cancel: () => {
        over = true;
        call.cancel();
      },
    };
  }

  #metadata({ secret }: Pick<CallSettings, "secret">): Metadata {
    const metadata = new Metadata();
    if (this.#authorization !== undefined) metadata.set("authorization", this.#authorization);
    if (secret !== undefined) metadata.set("quorate-session-secret", secret);
    return metadata;
  }

  #failure(error: unknown, signal: AbortSignal): Error {
    if (signal.aborted) return signal.reason as Error;
    return error instanceof Error && "code" in error && "details" in error
      ? failureOfStatus(error as Error & StatusError, this.address)
      : (error as Error);
  }
}

type MethodTable = { readonly [Name in keyof Methods]: PublicMethod<Methods[Name][0], Methods[Name][1]> };
let methods: MethodTable | undefined;

function methodOf<Name extends keyof Methods>(name: Name): PublicMethod<Methods[Name][0], Methods[Name][1]> {
  const { Coordination, Locks, Elections } = publicServices().methods;
  methods ??= { ...Coordination, ...Locks, ...Elections } as unknown as MethodTable;
  return methods[name];
}

/** grpc-js gives Buffers, and takes no `this`. */
function decode<Reply>(decodeResponse: (bytes: Uint8Array) => Reply): (bytes: Buffer) => Reply {
  return (bytes) => decodeResponse(bytes);
}

function deadline({ timeoutMillis }: CallSettings): { deadline?: number } {
  return timeoutMillis === undefined ? {} : { deadline: Date.now() + timeoutMillis };
}
