/**
 * The face that a replica shows to gateways on its peer port: accepts `Attach` streams, lets both sides prove
 * themselves, decodes, and hands each stream to the replica. The embedded gateway and the simulator call `attach`
 * themselves and never come here.
 */
import type { Outcome } from "@quorate/api";
import {
  acceptHandshake,
  type DirectRead,
  decodeFromGateway,
  type FrameStream,
  type FromGateway,
  type Hello,
  type StreamServer,
  type ToGateway,
} from "@quorate/proto";
import type { Clock, Random } from "./world.ts";

export const gatewayLimits = {
  /** Replies that wait for one gateway; beyond it its stream is closed, and it comes back. */
  queueBytes: 64 * 1_048_576,
  /** Gateways attached at once. */
  gateways: 256,
} as const;

/** One live stream to a gateway, as the replica sees it. */
export interface GatewayConnection {
  readonly name: string;
  /** The newest rules whose forms it may write; 0: it is not told which hold, and would not understand. */
  readonly rules: number;
  /** An encoded ToGateway; queued until `flush` or the end of the turn. Nothing happens after `closed`. */
  send(message: Uint8Array): void;
  /** As `send`, within one process: the message as it is, whose outcome holds no data. It is not changed any more. */
  tell?(message: Extract<ToGateway, { kind: "written" }>): void;
  flush(): void;
  readonly queuedBytes: number;
  close(why: string): void;
}

/** What the replica made of it. After `closed` nothing more is said. */
export interface Attachment {
  /** They are taken in a turn of the loop. */
  received(messages: Iterable<FromGateway>): void;
  /**
   * The outcome as of now, if the replica need not wait for it. Between its turns: what it has applied was told on the
   * stream, so that who has received all of that gets this answer in its place.
   */
  readNow(read: DirectRead): Outcome | undefined;
  closed(why: string): void;
}

export interface AttachPoint {
  attach(connection: GatewayConnection): Attachment;
}

export interface GatewaysOptions {
  readonly key?: Uint8Array;
  readonly hello: () => Hello;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: (text: string) => void;
}

export class Gateways {
  readonly #options: GatewaysOptions;
  readonly #replica: AttachPoint;
  readonly #streams = new Set<FrameStream>();
  #stopped = false;

  constructor(options: GatewaysOptions, replica: AttachPoint) {
    this.#options = options;
    this.#replica = replica;
  }

  /** How many are attached, or about to be. */
  get count(): number {
    return this.#streams.size;
  }

  /** Before the server listens. */
  attachTo(server: StreamServer): void {
    server.handle("attach", (stream) => this.#accept(stream), gatewayLimits.queueBytes);
  }

  /** Closes all streams. Idempotent. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const stream of [...this.#streams]) stream.close("this replica stops");
  }

  #accept(stream: FrameStream): void {
    const { key, hello, clock, random, log } = this.#options;
    if (this.#stopped || this.#streams.size >= gatewayLimits.gateways) {
      stream.close(this.#stopped ? "this replica stops" : `more than ${gatewayLimits.gateways} gateways`);
      return;
    }
    this.#streams.add(stream);
    const { remote } = stream;
    const options = {
      hello: hello(),
      expect: "gateway",
      timers: clock,
      randomBytes: (count: number) => random.bytes(count),
      ...(key === undefined ? {} : { key }),
    } as const;
    acceptHandshake(stream, options, (result) => {
      if ("hello" in result) this.#attach(stream, result.hello);
      else {
        this.#streams.delete(stream);
        if (!this.#stopped) log(`refused a gateway's stream from ${remote}: ${result.refused}`);
      }
    });
  }

  #attach(stream: FrameStream, hello: Hello): void {
    const attachment = this.#replica.attach({
      name: hello.name,
      rules: hello.rules,
      send: (message) => {
        stream.send(message);
      },
      flush: () => stream.flush(),
      get queuedBytes() {
        return stream.queuedBytes;
      },
      close: (why) => stream.close(why),
    });
    const closed = (why: string): void => {
      this.#streams.delete(stream);
      attachment.closed(why);
    };
    if (stream.closed) {
      closed("closed at once");
      return;
    }
    stream.listen({
      received: (messages) => receive(stream, attachment, messages),
      drained: () => undefined,
      closed,
    });
  }
}

function receive(stream: FrameStream, attachment: Attachment, messages: readonly Uint8Array[]): void {
  const decoded: FromGateway[] = [];
  for (const bytes of messages) {
    const message = decodeFromGateway(bytes);
    if (message === undefined) {
      stream.close("a message from the gateway does not decode");
      return;
    }
    decoded.push(message);
  }
  attachment.received(decoded);
}
