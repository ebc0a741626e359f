/**
 * One address of a replica: dials it, dials again when the connection breaks, and keeps what the replica last said of
 * itself. A stream counts as live from its first status to its break.
 */
import type { ReplicaId } from "@quorate/api";
import type { FromGateway, MemberStatus, ToGateway } from "@quorate/proto";
import { linkLimits } from "./limits.ts";
import type { GatewayTimer, GatewayWorld } from "./ports.ts";
import type { Dial, ReadNow, ReplicaConnection, ReplicaStream } from "./stream.ts";

export interface EndpointEvents {
  /** A status came, or a stream broke: look again who is home. */
  changed(endpoint: Endpoint): void;
  received(stream: ReplicaStream, message: Exclude<ToGateway, { kind: "status" | "rules" }>): void;
  lost(stream: ReplicaStream, why: string): void;
  /** No stream came about; once for each reason in a row. */
  failed(endpoint: Endpoint, why: string): void;
  /** Something may be sent again. */
  drained(): void;
  /** Something was put on a stream: `flush` is due by the end of the turn. */
  queued(endpoint: Endpoint): void;
}

/** One connection's life; the lane and the calls hold it by identity. */
class Stream implements ReplicaStream {
  readonly address: string;
  replica: ReplicaId = 0;
  rules = 0;
  toldRules = false;
  connection: ReplicaConnection | undefined;
  ended = false;
  readonly #queued: () => void;

  constructor(address: string, queued: () => void) {
    this.address = address;
    this.#queued = queued;
  }

  get writable(): boolean {
    return this.connection !== undefined && this.connection.queuedBytes < linkLimits.streamQueuedBytes;
  }

  send(message: FromGateway): void {
    if (!this.connection) return;
    this.connection.send(message);
    this.#queued();
  }

  get readNow(): ReadNow | undefined {
    return this.connection?.readNow;
  }
}

export interface Heard {
  readonly self: MemberStatus;
  readonly others: readonly MemberStatus[];
  readonly at: number;
}

export class Endpoint {
  readonly address: string;
  /** From the configuration, not learned from a status. */
  readonly configured: boolean;
  readonly #dial: Dial;
  readonly #world: GatewayWorld;
  readonly #events: EndpointEvents;
  #stream: Stream | undefined;
  /** Of the attempt, then of the last status. */
  #aliveAt = 0;
  #live = false;
  #heard: Heard | undefined;
  #lastFault = "";
  #backOff: number = linkLimits.redialFirstMillis;
  #timer: GatewayTimer | undefined;
  #closed = false;
  #dirty = false;

  constructor(address: string, configured: boolean, dial: Dial, world: GatewayWorld, events: EndpointEvents) {
    this.address = address;
    this.configured = configured;
    this.#dial = dial;
    this.#world = world;
    this.#events = events;
  }

  /** The live stream. */
  get stream(): ReplicaStream | undefined {
    return this.#live ? this.#stream : undefined;
  }
  /** What was last heard, of this stream or of one before. */
  get heard(): Heard | undefined {
    return this.#heard;
  }

  start(): void {
    if (this.#closed || this.#stream) return;
    const stream = new Stream(this.address, () => {
      if (this.#dirty) return;
      this.#dirty = true;
      this.#events.queued(this);
    });
    this.#stream = stream;
    this.#aliveAt = this.#world.now();
    const connection = this.#dial(this.address, {
      up: () => {},
      received: (messages) => this.#received(stream, messages),
      down: (why) => this.#down(stream, why),
      drained: () => this.#events.drained(),
    });
    if (stream.ended) connection.close();
    else stream.connection = connection;
  }

  #received(stream: Stream, messages: readonly ToGateway[]): void {
    for (const message of messages) {
      if (stream.ended) return;
      if (message.kind === "status") this.#status(stream, message.self, message.others);
      else if (message.kind === "rules") {
        stream.rules = message.rules;
        stream.toldRules = true;
      } else this.#events.received(stream, message);
    }
  }

  #status(stream: Stream, self: MemberStatus, others: readonly MemberStatus[]): void {
    const at = this.#world.now();
    stream.replica = self.id;
    if (!stream.toldRules) stream.rules = self.rules;
    this.#live = true;
    this.#aliveAt = at;
    this.#lastFault = "";
    this.#backOff = linkLimits.redialFirstMillis;
    this.#heard = { self, others, at };
    this.#events.changed(this);
  }

  #down(stream: Stream, why: string): void {
    if (stream.ended) return;
    stream.ended = true;
    stream.connection = undefined;
    this.#stream = undefined;
    const wasLive = this.#live;
    this.#live = false;
    this.#dirty = false;
    if (!this.#closed) {
      this.#timer = this.#world.after(this.#backOff, () => this.start());
      this.#backOff = Math.min(this.#backOff * 2, linkLimits.redialLastMillis);
    }
    this.#events.lost(stream, why);
    if (wasLive) this.#events.changed(this);
    else if (!this.#closed && why !== this.#lastFault) {
      this.#lastFault = why;
      this.#events.failed(this, why);
    }
  }

  flush(): void {
    this.#dirty = false;
    this.#stream?.connection?.flush();
  }

  /** Breaks a stream on which nothing is heard, or an attempt that leads to nothing. */
  check(now: number): void {
    const stream = this.#stream;
    if (!stream || now - this.#aliveAt < linkLimits.silenceMillis) return;
    const { connection } = stream;
    this.#down(stream, `nothing heard of ${this.address} for ${linkLimits.silenceMillis} ms`);
    connection?.close();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#timer?.cancel();
    const stream = this.#stream;
    if (!stream) return;
    const { connection } = stream;
    this.#down(stream, "this gateway stops");
    connection?.close();
  }
}
