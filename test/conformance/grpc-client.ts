/** A real client of the gRPC door, of grpc-js with the public codecs, for tests: calls, streams, and errors with their details. */
import { type ChannelOptions, Client, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import {
  decodeRpcStatus,
  type PublicMethod,
  type PublicMethods,
  publicServices,
  type RpcStatus,
  statusDetailsKey,
} from "@quorate/proto";

type Methods = PublicMethods["Coordination"] &
  PublicMethods["Locks"] &
  PublicMethods["Elections"] &
  PublicMethods["Cluster"];

export interface Asking {
  readonly metadata?: Readonly<Record<string, string>>;
  readonly deadlineMillis?: number;
  readonly signal?: AbortSignal;
}

export class CallError extends Error {
  readonly code: number;
  readonly status: RpcStatus | undefined;

  constructor(error: ServiceError) {
    super(error.details);
    this.code = error.code;
    const [details] = error.metadata?.get(statusDetailsKey) ?? [];
    this.status = details instanceof Buffer ? decodeRpcStatus(details) : undefined;
  }

  get reason(): string {
    return this.status?.reason ?? "";
  }
}

function metadataOf(values: Readonly<Record<string, string>> = {}): Metadata {
  const metadata = new Metadata();
  for (const [key, value] of Object.entries(values)) metadata.add(key, value);
  return metadata;
}

function optionsOf({ deadlineMillis }: Asking): { deadline?: number } {
  return deadlineMillis === undefined ? {} : { deadline: Date.now() + deadlineMillis };
}

/** What came on a stream so far; `next` waits for more. */
export class Inbox<Message> {
  readonly all: Message[] = [];
  error: CallError | undefined = undefined;
  ended = false;
  cancel: () => void = () => {};
  send: (request: unknown) => void = () => {};
  finish: () => void = () => {};
  pause: () => void = () => {};
  resume: () => void = () => {};
  #taken = 0;
  #wake: (() => void) | undefined;

  tell(): void {
    this.#wake?.();
  }

  async next(): Promise<Message> {
    await this.until(() => this.all.length > this.#taken);
    return this.all[this.#taken++] as Message;
  }

  /** Throws when the stream is over before. */
  async until(found: () => boolean): Promise<void> {
    while (!found()) {
      if (this.error !== undefined) throw this.error;
      if (this.ended) throw new Error("the stream ended");
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async over(): Promise<CallError | undefined> {
    while (!this.ended && this.error === undefined) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.error;
  }
}

export class Caller {
  readonly client: Client;
  readonly #methods: { readonly [name: string]: PublicMethod<unknown, unknown> };

  constructor(port: number, options: ChannelOptions = {}) {
    this.client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
      "grpc.use_local_subchannel_pool": 1,
      ...options,
    });
    const { Health: _, ...services } = publicServices().methods;
    this.#methods = Object.assign({}, ...Object.values(services));
  }

  call<Name extends keyof Methods>(
    name: Name,
    request: Methods[Name][0],
    asking: Asking = {},
  ): Promise<Methods[Name][1]> {
    const { path, encodeRequest, decodeResponse } = this.#method(name);
    return new Promise((resolve, reject) => {
      const call = this.client.makeUnaryRequest<unknown, unknown>(
        path,
        encodeRequest,
        decodeResponse,
        request,
        metadataOf(asking.metadata),
        optionsOf(asking),
        (error, reply) => {
          if (error === null) resolve(reply as Methods[Name][1]);
          else reject(new CallError(error));
        },
      );
      asking.signal?.addEventListener("abort", () => call.cancel());
    });
  }

  /** Bytes as they are: what no client of ours would send. */
  raw(name: keyof Methods, bytes: Buffer, asking: Asking = {}): Promise<unknown> {
    const { path, decodeResponse } = this.#method(name);
    return new Promise((resolve, reject) => {
      this.client.makeUnaryRequest<Buffer, unknown>(
        path,
        (same) => same,
        decodeResponse,
        bytes,
        metadataOf(asking.metadata),
        optionsOf(asking),
        (error, reply) => (error === null ? resolve(reply) : reject(new CallError(error))),
      );
    });
  }

  stream<Name extends "Watch" | "GetTree" | "Observe">(
    name: Name,
    request: Methods[Name][0],
    asking: Asking = {},
  ): Inbox<Methods[Name][1]> {
    const { path, encodeRequest, decodeResponse } = this.#method(name);
    const call = this.client.makeServerStreamRequest<unknown, unknown>(
      path,
      encodeRequest,
      decodeResponse,
      request,
      metadataOf(asking.metadata),
      optionsOf(asking),
    );
    return fill(call as never) as Inbox<Methods[Name][1]>;
  }

  session(asking: Asking = {}): Inbox<Methods["Session"][1]> {
    const { path, encodeRequest, decodeResponse } = this.#method("Session");
    const call = this.client.makeBidiStreamRequest<unknown, unknown>(
      path,
      encodeRequest,
      decodeResponse,
      metadataOf(asking.metadata),
      optionsOf(asking),
    );
    const inbox = fill(call as never) as Inbox<Methods["Session"][1]>;
    inbox.send = (request) => void call.write(request);
    inbox.finish = () => void call.end();
    return inbox;
  }

  close(): void {
    this.client.close();
  }

  #method(name: string): PublicMethod<unknown, unknown> {
    return this.#methods[name] as PublicMethod<unknown, unknown>;
  }
}

interface AnyStream {
  on(event: string, listener: (value: never) => void): void;
  cancel(): void;
  pause(): void;
  resume(): void;
}

function fill(call: AnyStream): Inbox<unknown> {
  const inbox = new Inbox<unknown>();
  inbox.cancel = () => call.cancel();
  inbox.pause = () => call.pause();
  inbox.resume = () => call.resume();
  call.on("data", (message: unknown) => {
    inbox.all.push(message);
    inbox.tell();
  });
  call.on("error", (error: ServiceError) => {
    inbox.error = new CallError(error);
    inbox.tell();
  });
  call.on("end", () => {
    inbox.ended = true;
    inbox.tell();
  });
  return inbox;
}

/** What a promise fails with, which has to fail. */
export async function failureOf(promise: Promise<unknown>): Promise<CallError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof CallError) return error;
    throw error;
  }
  throw new Error("the call succeeded");
}
