/**
 * The gRPC door as a server, and the one file of the gateway that speaks with grpc-js. It accepts the sockets itself, so that
 * there is a bound to them, and takes requests as bytes, so that what does not decode gets an answer with details.
 */
import { createServer, type Socket, type Server as SocketServer } from "node:net";
import {
  Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  type sendUnaryData,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import {
  answerReflection,
  type PublicService,
  publicServices,
  reflectionPaths,
  statusDetailsKey,
} from "@quorate/proto";
import { Identities, Remembered } from "../identity.ts";
import { SocketBudget } from "../socket-budget.ts";
import type { GrpcDoor, GrpcOptions, Incoming } from "./call.ts";
import { Desk } from "./desk.ts";
import type { GrpcStatus } from "./faults.ts";
import { type GrpcLimits, grpcLimits } from "./limits.ts";
import { Outlet } from "./outlet.ts";

export interface GrpcServer {
  /** Resolves to the port; 0 is any free one. Rejects with the address and the reason. */
  listen(host: string, port: number): Promise<number>;
  /** Health says so, streams end with their cursor, unary calls are waited for a while. May be called again. */
  stop(): Promise<void>;
}

type AnyCall =
  | ServerUnaryCall<Buffer, Buffer>
  | ServerWritableStream<Buffer, Buffer>
  | ServerDuplexStream<Buffer, Buffer>;

/** What is written is in the kernel by then, and a client that listens has it. */
const lastWordsMillis = 50;

/** W3C Trace Context, 3.2: version, trace, parent, flags. */
const traceForm = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

const same = (bytes: Buffer): Buffer => bytes;
const rawCodecs = {
  requestSerialize: same,
  requestDeserialize: same,
  responseSerialize: same,
  responseDeserialize: same,
};

export function createGrpcServer(options: GrpcOptions): GrpcServer {
  return new Door(options);
}

class Door implements GrpcServer {
  readonly #door: GrpcDoor;
  readonly #desk: Desk;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #acceptor: SocketServer | undefined;
  #stopped: Promise<void> | undefined;

  constructor(options: GrpcOptions) {
    const limits: GrpcLimits = { ...grpcLimits, ...options.limits };
    this.#door = {
      options,
      limits,
      identities: new Identities({
        remembered: limits.cachedCredentials,
        ...(options.superUserDigest === undefined ? undefined : { superUserDigest: options.superUserDigest }),
        ...(options.trustedProxies === undefined ? undefined : { trustedProxies: options.trustedProxies }),
      }),
      sessions: new Remembered(limits.cachedCredentials),
      streams: new Set(),
      inFlight: 0,
      watches: 0,
      sessionStreams: 0,
      stopping: false,
    };
    this.#desk = new Desk(this.#door);
    this.#server = new Server({
      "grpc.max_receive_message_length": limits.receiveBytes,
      // No answer of ours is larger; this one guards against a fault of our own.
      "grpc.max_send_message_length": 4 * 1_048_576,
      "grpc.max_concurrent_streams": limits.streamsPerConnection,
      "grpc.keepalive_time_ms": limits.keepaliveMillis,
      "grpc.keepalive_timeout_ms": limits.keepaliveTimeoutMillis,
      "grpc-node.flow_control_window": limits.flowControlWindow,
      // Its bookkeeping costs a tenth of a unary call, and nobody reads it.
      "grpc.enable_channelz": 0,
    });
    for (const service of Object.keys(publicServices().methods) as PublicService[]) this.#serve(service);
    for (const path of reflectionPaths) this.#serveReflection(path);
  }

  listen(host: string, port: number): Promise<number> {
    const { connections, strangerMillis } = this.#door.limits;
    const { log } = this.#door.options;
    const budget = this.#door.options.sockets ?? SocketBudget.alone({ grpc: connections }, { log });
    const injector = this.#server.createConnectionInjector(ServerCredentials.createInsecure());
    const acceptor = createServer({ noDelay: true, keepAlive: true }, (socket) => {
      socket.on("error", () => undefined);
      if (!budget.take("grpc")) {
        socket.destroy();
        return;
      }
      this.#sockets.add(socket);
      socket.once("close", () => {
        this.#sockets.delete(socket);
        budget.give("grpc");
      });
      // An HTTP/2 session costs a hundred times what a socket does: who says nothing gets none.
      const silent = this.#door.options.world.after(strangerMillis, () => socket.destroy());
      socket.once("close", () => silent.cancel());
      socket.once("readable", () => {
        silent.cancel();
        if (socket.destroyed || socket.readableLength === 0) socket.destroy();
        else injector.injectConnection(socket);
      });
    });
    this.#acceptor = acceptor;
    return new Promise((resolve, reject) => {
      acceptor.once("error", (error) => reject(new Error(`cannot listen on ${host}:${port}: ${error.message}`)));
      acceptor.listen({ host, port }, () => {
        const bound = acceptor.address();
        acceptor.on("error", (error) => log(`grpc: the port: ${error.message}`));
        resolve(typeof bound === "object" && bound !== null ? bound.port : port);
      });
    });
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    const { world } = this.#door.options;
    const pause = (millis: number): Promise<void> => new Promise((resolve) => void world.after(millis, resolve));
    this.#desk.announce();
    if (this.#door.limits.graceMillis > 0) await pause(this.#door.limits.graceMillis);
    const acceptor = this.#acceptor;
    const closed = new Promise<void>((resolve) => {
      if (acceptor?.listening) acceptor.close(() => resolve());
      else resolve();
    });
    this.#desk.stop();
    // The last words first: a connection that is closed at once takes with it what it has not sent.
    await pause(lastWordsMillis);
    // Sends GOAWAY on every connection; done when each has nothing more under way.
    await new Promise<void>((resolve) => {
      const timer = world.after(this.#door.limits.drainMillis, resolve);
      this.#server.tryShutdown(() => {
        timer.cancel();
        resolve();
      });
    });
    if (this.#sockets.size > 0) await pause(lastWordsMillis);
    this.#server.forceShutdown();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #serve(service: PublicService): void {
    const definition: Record<string, ServiceDefinition[string]> = {};
    const handlers: UntypedServiceImplementation = {};
    for (const [name, { path, requestStream, responseStream }] of Object.entries(publicServices().methods[service])) {
      definition[name] = { path, requestStream, responseStream, ...rawCodecs };
      if (requestStream) handlers[name] = (call: ServerDuplexStream<Buffer, Buffer>) => this.#duplex(name, call);
      else if (responseStream) {
        handlers[name] = (call: ServerWritableStream<Buffer, Buffer>) => this.#stream(service, name, call);
      } else {
        handlers[name] = (call: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>) =>
          this.#unary(service, name, call, callback);
      }
    }
    this.#server.addService(definition, handlers);
  }

  #serveReflection(path: string): void {
    const definition = { info: { path, requestStream: true, responseStream: true, ...rawCodecs } };
    this.#server.addService(definition, {
      info: (call: ServerDuplexStream<Buffer, Buffer>) => {
        const outlet = this.#outlet("Reflection", call);
        call.on("data", (bytes: Buffer) => {
          outlet.send(answerReflection(bytes));
          // One answer after the other: what is asked meanwhile waits with the client.
          call.pause();
          outlet.whenBelow(0, () => call.resume());
        });
        call.on("end", () => outlet.end());
      },
    });
  }

  #unary(
    service: PublicService,
    name: string,
    call: ServerUnaryCall<Buffer, Buffer>,
    callback: sendUnaryData<Buffer>,
  ): void {
    if (isOver(call)) return;
    void this.#desk.unary(service, this.#incoming(name, call), call.request).then((answer) => {
      if (Buffer.isBuffer(answer)) callback(null, answer);
      else callback(errorOf(answer));
    });
  }

  #stream(service: PublicService, name: string, call: ServerWritableStream<Buffer, Buffer>): void {
    if (isOver(call)) return;
    this.#desk.stream(service, this.#incoming(name, call), call.request, this.#outlet(name, call));
  }

  #duplex(name: string, call: ServerDuplexStream<Buffer, Buffer>): void {
    const inlet = this.#desk.duplex(this.#incoming(name, call), this.#outlet(name, call), {
      pause: () => call.pause(),
      resume: () => call.resume(),
    });
    call.on("data", (bytes: Buffer) => inlet.received(bytes));
    call.on("end", () => inlet.finished());
  }

  #incoming(method: string, call: AnyCall): Incoming {
    /** A moment, as a number or as a Date; Infinity is none. */
    const deadline = call.getDeadline();
    const { metadata } = call;
    const [given] = metadata.get("traceparent");
    const trace = typeof given === "string" && traceForm.test(given) ? given : undefined;
    if (trace !== undefined) {
      const back = new Metadata();
      back.set("traceparent", trace);
      call.sendMetadata(back);
    }
    return {
      method,
      trace,
      peer: call.getPeer(),
      remainingMillis: Number(deadline) - this.#door.options.wallNow(),
      metadata: (name) => metadata.get(name),
      metadataNames: () => Object.keys(metadata.getMap()),
      onGone: (run) => void (call as ServerUnaryCall<Buffer, Buffer>).once("cancelled", run),
    };
  }

  #outlet(name: string, call: ServerWritableStream<Buffer, Buffer> | ServerDuplexStream<Buffer, Buffer>): Outlet {
    const began = this.#door.options.world.now();
    const outlet = new Outlet(call as { write(bytes: Buffer, done: () => void): unknown; end(): unknown }, {
      fail: (status) => call.emit("error", errorOf(status)),
      ended: (status) => this.#desk.observe(name, status, began),
    });
    call.on("cancelled", () => outlet.gone());
    return outlet;
  }
}

/**
 * A call whose deadline came, or that grpc-js refused, between its request and the client's last word: it is handed on all the
 * same, but nobody is told of its end any more, so that what it took would be taken for ever. Nothing public says so.
 */
function isOver(call: ServerUnaryCall<Buffer, Buffer> | ServerWritableStream<Buffer, Buffer>): boolean {
  const { call: below } = call as unknown as { readonly call?: { readonly cancelled?: unknown } };
  return below?.cancelled === true;
}

function errorOf({ code, message, details }: GrpcStatus): { code: number; details: string; metadata: Metadata } {
  const metadata = new Metadata();
  // Go's clients take empty details for a status that contradicts this one.
  if (details.length > 0) metadata.set(statusDetailsKey, details);
  return { code, details: message, metadata };
}
