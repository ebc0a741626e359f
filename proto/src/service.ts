/**
 * The two internal services: their paths, every setting of HTTP/2 and why, and how they are dialled.
 * `quorate/internal/v1/*.proto` is the written contract.
 */
import { type ClientHttp2Session, connect, type ServerHttp2Session } from "node:http2";
import { connect as connectSocket } from "node:net";
import { frameLimits } from "./frame.ts";
import { callHeaders, clientCall } from "./grpc-call.ts";
import { type FrameCall, FrameStream, type StreamTimer, type Timers } from "./stream.ts";

export type StreamMethod = "attach" | "link";

export const methodPaths: Readonly<Record<StreamMethod, string>> = {
  attach: "/quorate.internal.v1.Replica/Attach",
  link: "/quorate.internal.v1.Peer/Link",
};

export const callLimits = {
  /** The frame's own bytes fit beside the largest message. */
  messageBytes: frameLimits.messageBytes + 65_536,
  /** HTTP/2's default of 64 KiB would make a snapshot wait for a round trip after each piece. */
  windowBytes: 1_048_576,
  /** Of one connection. Ours have one. */
  streams: 4,
  /**
   * A peer whose machine is gone sends no FIN: TCP would notice after many minutes. The protocol's own pings find a
   * silent peer much sooner; this is for connections on which nobody pings, and so that no socket is kept for ever.
   */
  pingMillis: 10_000,
  pongMillis: 5_000,
} as const;

/** What each side tells of itself first, and what it allows its session to hold: the frames in flight, and more. */
export const sessionOptions = {
  settings: {
    initialWindowSize: callLimits.windowBytes,
    maxConcurrentStreams: callLimits.streams,
    enablePush: false,
  },
  maxSessionMemory: 64,
} as const;

/**
 * For a session that stands: its window, and pings for as long as it lives; `silent` when one is not answered. Whoever has
 * said goodbye (GOAWAY) cannot be pinged, and has as long for the rest: HTTP/2 may have stopped reading by then, so that not
 * even the end of the connection would be seen.
 */
export function keepAlive(session: ClientHttp2Session | ServerHttp2Session, timers: Timers, silent: () => void): void {
  if (session.destroyed) return;
  session.setLocalWindowSize(callLimits.windowBytes);
  let timer: StreamTimer;
  const ping = (): void => {
    if (session.destroyed) return;
    timer = timers.after(callLimits.pongMillis, silent);
    if (session.closed) return;
    session.ping(() => {
      timer.cancel();
      if (!session.destroyed) timer = timers.after(callLimits.pingMillis, ping);
    });
  };
  timer = timers.after(callLimits.pingMillis, ping);
  session.once("close", () => timer.cancel());
}

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** `host:port`, `[v6]:port`; undefined for anything else, schemes and paths among it. */
export function parseHostPort(text: string): HostPort | undefined {
  const found = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]+)):(\d{1,5})$/.exec(text);
  if (!found) return undefined;
  const host = found[1] ?? found[2] ?? "";
  const port = Number(found[3]);
  return port > 65_535 ? undefined : { host, port };
}

/** An address of this machine that no other machine reaches: 127.0.0.0/8, ::1 (also as mapped), `localhost`. */
export function isLoopbackHost(host: string): boolean {
  const bare = host.toLowerCase().replace(/^::ffff:/, "");
  return bare === "localhost" || bare === "::1" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(bare);
}

/** Of an address as `remote` of a stream has it: with a port. */
export function isLoopbackAddress(address: string): boolean {
  const at = address.lastIndexOf(":");
  if (at < 0) return false;
  return isLoopbackHost(address.slice(0, at).replace(/^\[|\]$/g, ""));
}

/** Why the streams' port may not listen there, or undefined. Without a key everybody who reaches it is believed. */
export function listenFault(address: string, keyed: boolean): string | undefined {
  const parsed = parseHostPort(address);
  if (!parsed) return `the peer address ${JSON.stringify(address)} is not host:port`;
  if (keyed || isLoopbackHost(parsed.host)) return undefined;
  return `without a key file the peer port listens on loopback only, not on ${parsed.host}: give a key file, or 127.0.0.1`;
}

/** Throws what `listenFault` finds. */
export function assertListenAddress(address: string, keyed: boolean): void {
  const fault = listenFault(address, keyed);
  if (fault !== undefined) throw new Error(fault);
}

export interface DialOptions {
  readonly timers: Timers;
  /** Until the connection stands. */
  readonly connectMillis: number;
  readonly queueBytes?: number;
}

/** Begins a connection and one stream on it. Whatever fails, a bad address too, is the stream's `closed`. */
export function dial(address: string, method: StreamMethod, options: DialOptions): FrameStream {
  const parsed = parseHostPort(address);
  if (!parsed) return deadStream(address, options);
  const { timers, connectMillis, queueBytes } = options;
  const socket = connectSocket({ ...parsed, noDelay: true, keepAlive: true });
  // The session tells of it while it lives.
  socket.on("error", () => undefined);
  let remote = address;
  socket.once("connect", () => {
    remote = `${socket.remoteAddress}:${socket.remotePort}`;
  });
  // The address is not made a URL of: not every one that a name server may know is good for one.
  const session = connect("http://localhost", { ...sessionOptions, createConnection: () => socket });
  const call = clientCall(
    session.request(callHeaders(address, methodPaths[method]), { endStream: false }),
    callLimits.messageBytes,
  );
  let connecting: StreamTimer | undefined;
  const stream = new FrameStream(call, {
    remote: () => remote,
    timers,
    hangUp: () => {
      connecting?.cancel();
      session.destroy();
      socket.destroy();
    },
    ...(queueBytes === undefined ? {} : { queueBytes }),
  });
  // Its streams hear of it, too, with less words.
  session.on("error", (error) => stream.close(error.message));
  session.once("connect", () => keepAlive(session, timers, () => socket.destroy()));
  // Not before the other side has said that it speaks HTTP/2.
  session.once("remoteSettings", () => connecting?.cancel());
  connecting = timers.after(connectMillis, () =>
    stream.close(`no connection to ${address} within ${connectMillis} ms`),
  );
  return stream;
}

/** For an address that is none: closed as soon as somebody can listen. */
function deadStream(address: string, options: DialOptions): FrameStream {
  const nothing = (): void => undefined;
  const call: FrameCall = {
    open: nothing,
    read: nothing,
    write: nothing,
    end: nothing,
    pause: nothing,
    resume: nothing,
  };
  const stream = new FrameStream(call, { remote: () => address, timers: options.timers, hangUp: nothing });
  options.timers.after(0, () => stream.close(`the address ${JSON.stringify(address)} is not host:port`));
  return stream;
}
