/**
 * The port on which replicas and gateways reach a replica: one gRPC server for both services. It accepts the sockets
 * itself, so that a connection can be broken when its stream does not end by itself, and so that what has not proved
 * itself has little memory and little time.
 */
import {
  type IncomingHttpHeaders,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import { createServer, type Socket, type Server as SocketServer } from "node:net";
import { contentType, refuseCall, serverCall } from "./grpc-call.ts";
import {
  assertListenAddress,
  callLimits,
  keepAlive,
  methodPaths,
  parseHostPort,
  type StreamMethod,
  sessionOptions,
} from "./service.ts";
import { FrameStream, type StreamTimer, streamLimits, type Timers } from "./stream.ts";

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

interface Served {
  readonly handler: StreamHandler;
  readonly queueBytes: number;
}

interface Stranger {
  readonly socket: Socket;
  sweeps: number;
}

/** Call `handle` for what is served, then `listen`. `stop` is idempotent and breaks what still stands. */
export class StreamServer {
  readonly #options: StreamServerOptions;
  readonly #served = new Map<string, Served>();
  readonly #sockets = new Set<Socket>();
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
    this.#served.set(methodPaths[method], { handler, queueBytes });
  }

  /** Resolves to the port; rejects with the address and the reason. */
  listen(): Promise<number> {
    const { host, port } = parseHostPort(this.#options.address) ?? { host: "", port: 0 };
    const acceptor = createServer({ noDelay: true, keepAlive: true }, (socket) => {
      this.#admit(socket);
      // An HTTP/2 session costs a hundred times what a socket does: who says nothing gets none.
      socket.once("readable", () => {
        if (socket.destroyed || socket.readableLength === 0) socket.destroy();
        else this.#greet(socket);
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
    for (const socket of this.#sockets) socket.destroy();
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
    this.#sockets.add(socket);
    socket.once("close", () => {
      this.#sockets.delete(socket);
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

  #greet(socket: Socket): void {
    const session: ServerHttp2Session = performServerHandshake(socket, sessionOptions);
    const remote = `${socket.remoteAddress}:${socket.remotePort}`;
    session.on("error", () => socket.destroy());
    session.once("close", () => socket.destroy());
    session.on("stream", (stream, headers) => this.#called(stream, headers, socket, remote));
    keepAlive(session, this.#options.timers, () => socket.destroy());
  }

  #called(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, socket: Socket, remote: string): void {
    const isGrpc = headers[":method"] === "POST" && `${headers["content-type"]}`.startsWith(contentType);
    const served = isGrpc ? this.#served.get(`${headers[":path"]}`) : undefined;
    if (served) this.#open(stream, served, socket, remote);
    else refuseCall(stream, isGrpc);
  }

  #open(stream: ServerHttp2Stream, { handler, queueBytes }: Served, socket: Socket, remote: string): void {
    const frames = new FrameStream(serverCall(stream, callLimits.messageBytes), {
      remote: () => remote,
      timers: this.#options.timers,
      hangUp: () => {
        this.#streams.delete(frames);
        socket.destroy();
      },
      trusted: () => this.#strangers.delete(socket),
      queueBytes,
    });
    this.#streams.add(frames);
    if (this.#stopped) frames.close("this side stops");
    else handler(frames);
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
