/**
 * The two internal services as grpc-js wants them, written by hand with raw serializers: no .proto is loaded at run
 * time. `quorate/internal/v1/*.proto` is the written contract. Here is every option of gRPC that we set, and why.
 */
import { type ChannelOptions, Client, connectivityState, Metadata, type ServiceDefinition } from "@grpc/grpc-js";
import { frameLimits } from "./frame.ts";
import { PlainCredentials } from "./plain-credentials.ts";
import { type FrameCall, FrameStream, type StreamTimer, type Timers } from "./stream.ts";

export type StreamMethod = "attach" | "link";

export const methodPaths: Readonly<Record<StreamMethod, string>> = {
  attach: "/quorate.internal.v1.Replica/Attach",
  link: "/quorate.internal.v1.Peer/Link",
};

/** The frame's own bytes fit beside the largest message. */
const largestFrame = frameLimits.messageBytes + 65_536;

export const channelOptions: ChannelOptions = {
  "grpc.max_receive_message_length": largestFrame,
  "grpc.max_send_message_length": largestFrame,
  // A peer whose machine is gone sends no FIN: TCP would notice after many minutes. The protocol's own pings find a
  // silent peer much sooner; this is for connections on which nobody pings, and so that no socket is kept for ever.
  "grpc.keepalive_time_ms": 10_000,
  "grpc.keepalive_timeout_ms": 5_000,
  "grpc.keepalive_permit_without_calls": 1,
  // A proxy from the environment has no place between replicas.
  "grpc.enable_http_proxy": 0,
  // A stream that is re-sent behind our back would break its order; we redial ourselves.
  "grpc.enable_retries": 0,
  "grpc.service_config_disable_resolution": 1,
  // Each stream has a connection of its own: a new one is new, and what is closed is gone.
  "grpc.use_local_subchannel_pool": 1,
  "grpc.enable_channelz": 0,
  // The default of 64 KiB would make a snapshot wait for a round trip after each piece.
  "grpc-node.flow_control_window": 1_048_576,
};

const asBuffer = (frame: Uint8Array): Buffer =>
  Buffer.isBuffer(frame) ? frame : Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength);
const asIs = (frame: Buffer): Buffer => frame;

export function serviceDefinition(method: StreamMethod): ServiceDefinition {
  return {
    [method]: {
      path: methodPaths[method],
      requestStream: true,
      responseStream: true,
      requestSerialize: asBuffer,
      requestDeserialize: asIs,
      responseSerialize: asBuffer,
      responseDeserialize: asIs,
    },
  };
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
  const host = parsed.host.includes(":") ? `[${parsed.host}]` : parsed.host;
  const client = new Client(`dns:${host}:${parsed.port}`, new PlainCredentials(), channelOptions);
  const call = client.makeBidiStreamRequest(methodPaths[method], asBuffer, asIs, new Metadata(), {});
  let connecting: StreamTimer | undefined;
  const stream = new FrameStream(call as FrameCall, {
    remote: () => call.getPeer(),
    timers: options.timers,
    hangUp: () => {
      connecting?.cancel();
      call.cancel();
      client.close();
    },
    ...(options.queueBytes === undefined ? {} : { queueBytes: options.queueBytes }),
  });
  connecting = options.timers.after(options.connectMillis, () => {
    if (stream.closed || client.getChannel().getConnectivityState(false) === connectivityState.READY) return;
    stream.close(`no connection to ${address} within ${options.connectMillis} ms`);
  });
  return stream;
}

/** For an address that is none: closed as soon as somebody can listen. */
function deadStream(address: string, options: DialOptions): FrameStream {
  const nothing = (): void => undefined;
  const call: FrameCall = { on: nothing, write: nothing, end: nothing, pause: nothing, resume: nothing };
  const stream = new FrameStream(call, { remote: () => address, timers: options.timers, hangUp: nothing });
  options.timers.after(0, () => stream.close(`the address ${JSON.stringify(address)} is not host:port`));
  return stream;
}
