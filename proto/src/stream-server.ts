/**
 * The port on which replicas and gateways reach a replica: one gRPC server for both services. It accepts the sockets
 * itself and hands them to grpc-js, so that a connection can be broken when its stream does not end by itself, and so
 * that what has not proved itself has little memory and little time.
 */
import { createServer, type Socket, type Server as SocketServer } from "node:net";
import { Server, ServerCredentials, type ServerDuplexStream, status } from "@grpc/grpc-js";
import { assertListenAddress, channelOptions, parseHostPort, type StreamMethod, serviceDefinition } from "./service.ts";
import { type FrameCall, FrameStream, type StreamTimer, streamLimits, type Timers } from "./stream.ts";

export const serverLimits = {
  connections: 1024,
  /** Connections that have not proved themselves. One more, and the oldest of them goes. */
  strangers: 128,
  /** How long a connection may be a stranger: the handshake's own limit, and the way to it. */
  strangerMillis: 6_000,
  /** What a stranger may send: a hello and a proof are far below. */
  strangerBytes: 65_536,
  sweepMillis: 100,
  /** Notes about refused connections. */
  noteMillis: 1_000,
} as const;

export interface StreamServerOptions {
  /** `host:port`; port 0: any free one. */
  readonly address: string;
  /** Whether those who connect must know a key. Without one only loopback may be listened on. */
  readonly keyed: boolean;
  readonly timers: Timers;
  /** Sockets at a time, where the process may not open as many files as `serverLimits` would take. */
  readonly connections?: number;
  readonly log: (text: string) => void;
}

export type StreamHandler = (stream: FrameStream) => void;

interface Stranger {
  readonly socket: Socket;
  sweeps: number;
}

/** Call `handle` for what is served, then `listen`. `stop` is idempotent and breaks what still stands. */
export class StreamServer {
  readonly #options: StreamServerOptions;
  readonly #server = new Server({ ...channelOptions, "grpc.max_concurrent_streams": 4 });
  readonly #sockets = new Map<string, Socket>();
  /** In the order of their arrival. */
  readonly #strangers = new Map<Socket, Stranger>();
  readonly #streams = new Set<FrameStream>();
  #acceptor: SocketServer | undefined;
  #sweeping: StreamTimer | undefined;
  #quiet: StreamTimer | undefined;
  #stopped = false;

  constructor(options: StreamServerOptions) {
    assertListenAddress(options.address, options.keyed);
    this.#options = options;
  }

  /** `queueBytes`: what may wait for one such stream; beyond it the stream is dropped. */
  handle(method: StreamMethod, handler: StreamHandler, queueBytes: number = streamLimits.queueBytes): void {
    this.#server.addService(serviceDefinition(method), {
      [method]: (call: ServerDuplexStream<Buffer, Uint8Array>) => this.#open(call, handler, queueBytes),
    });
  }

  /** Resolves to the port; rejects with the address and the reason. */
  listen(): Promise<number> {
    const { host, port } = parseHostPort(this.#options.address) ?? { host: "", port: 0 };
    const injector = this.#server.createConnectionInjector(ServerCredentials.createInsecure());
    const acceptor = createServer({ noDelay: true, keepAlive: true }, (socket) => {
      this.#admit(socket);
      // An HTTP/2 session costs a hundred times what a socket does: who says nothing gets none.
      socket.once("readable", () => {
        if (socket.destroyed || socket.readableLength === 0) socket.destroy();
        else injector.injectConnection(socket);
      });
    });
    const connections = Math.min(serverLimits.connections, this.#options.connections ?? serverLimits.connections);
    acceptor.maxConnections = connections;
    acceptor.on("drop", () => this.#note(`more than ${connections} connections: refused one`));
    this.#acceptor = acceptor;
    return new Promise((resolve, reject) => {
      acceptor.once("error", (error) =>
        reject(new Error(`cannot listen on ${this.#options.address}: ${error.message}`)),
      );
      acceptor.listen({ host, port }, () => {
        const bound = acceptor.address();
        acceptor.on("error", (error) => this.#note(`the peer port: ${error.message}`));
        resolve(typeof bound === "object" && bound !== null ? bound.port : port);
      });
    });
  }

  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    for (const stream of [...this.#streams]) stream.close("this side stops");
    const acceptor = this.#acceptor;
    const closed = new Promise<void>((resolve) => {
      if (acceptor?.listening) acceptor.close(() => resolve());
      else resolve();
    });
    // One turn for the last words, which are small; then nothing is waited for.
    await new Promise<void>((resolve) => this.#options.timers.after(10, resolve));
    this.#server.forceShutdown();
    for (const socket of this.#sockets.values()) socket.destroy();
    this.#sweeping?.cancel();
    this.#quiet?.cancel();
    await closed;
  }

  #admit(socket: Socket): void {
    socket.on("error", () => undefined);
    if (this.#stopped) {
      socket.destroy();
      return;
    }
    const key = `${socket.remoteAddress}:${socket.remotePort}`;
    this.#sockets.set(key, socket);
    socket.once("close", () => {
      if (this.#sockets.get(key) === socket) this.#sockets.delete(key);
      this.#strangers.delete(socket);
    });
    this.#strangers.set(socket, { socket, sweeps: 0 });
    if (this.#strangers.size > serverLimits.strangers) {
      const [oldest] = this.#strangers.keys();
      if (oldest) this.#expel(oldest, `more than ${serverLimits.strangers} connections have not proved themselves`);
    }
    this.#sweepLater();
  }

  #sweepLater(): void {
    if (this.#sweeping || this.#stopped || this.#strangers.size === 0) return;
    this.#sweeping = this.#options.timers.after(serverLimits.sweepMillis, () => {
      this.#sweeping = undefined;
      for (const stranger of [...this.#strangers.values()]) this.#sweep(stranger);
      this.#sweepLater();
    });
  }

  #sweep(stranger: Stranger): void {
    stranger.sweeps += 1;
    const { socket } = stranger;
    if (socket.bytesRead > serverLimits.strangerBytes) {
      this.#expel(socket, `it sent ${socket.bytesRead} bytes and has not proved itself`);
    } else if (stranger.sweeps * serverLimits.sweepMillis > serverLimits.strangerMillis) {
      this.#expel(socket, `it did not prove itself within ${serverLimits.strangerMillis} ms`);
    }
  }

  #expel(socket: Socket, why: string): void {
    this.#note(`closed the connection from ${socket.remoteAddress}:${socket.remotePort}: ${why}`);
    this.#strangers.delete(socket);
    socket.destroy();
  }

  #open(call: ServerDuplexStream<Buffer, Uint8Array>, handler: StreamHandler, queueBytes: number): void {
    const peer = call.getPeer();
    const socket = this.#sockets.get(peer);
    const stream = new FrameStream(call as unknown as FrameCall, {
      remote: () => peer,
      timers: this.#options.timers,
      farewell: (reason) => call.emit("error", { code: status.ABORTED, details: printable(reason) }),
      hangUp: () => {
        this.#streams.delete(stream);
        socket?.destroy();
      },
      trusted: () => {
        if (socket) this.#strangers.delete(socket);
      },
      queueBytes,
    });
    this.#streams.add(stream);
    if (this.#stopped) stream.close("this side stops");
    else handler(stream);
  }

  /** At most one note a second: whoever knocks must not fill the log. */
  #note(text: string): void {
    if (this.#quiet || this.#stopped) return;
    this.#quiet = this.#options.timers.after(serverLimits.noteMillis, () => {
      this.#quiet = undefined;
    });
    this.#options.log(text);
  }
}

/** A status text travels percent-encoded, and what cannot be encoded would throw. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, "?").slice(0, 500);
}
