/**
 * The gateway's end of one stream to a replica: dials, proves itself, decodes. One connection, which is not revived:
 * redialling is the caller's business.
 */
import { decodeToGateway, encodeFromGateway } from "./gateway-codec.ts";
import type { FromGateway, ToGateway } from "./gateway-messages.ts";
import { type Hello, offerHandshake } from "./handshake.ts";
import { dial } from "./service.ts";
import type { FrameStream, Timers } from "./stream.ts";

export const attachLimits = {
  connectMillis: 1_000,
  /** Requests that wait for the replica; beyond it the stream is dropped, and the lanes move. */
  queueBytes: 64 * 1_048_576,
} as const;

export interface AttachOptions {
  readonly hello: Hello;
  readonly key?: Uint8Array;
  readonly timers: Timers;
  readonly randomBytes: (count: number) => Uint8Array;
  /** Further reasons not to speak with the replica that answers. */
  readonly judge?: (hello: Hello) => string | undefined;
}

/** `down` comes exactly once, also when the replica was never reached or after `close`; nothing follows it. */
export interface AttachEvents {
  up(hello: Hello): void;
  received(messages: readonly ToGateway[]): void;
  down(why: string): void;
  /** The queue is short again, after it had been beyond the stream's high-water mark. */
  drained(): void;
}

export interface AttachConnection {
  /** Queued until `flush` or the end of the turn; nothing happens before `up` and after `down`. */
  send(message: FromGateway): void;
  flush(): void;
  close(): void;
  readonly queuedBytes: number;
  readonly writable: boolean;
}

export function dialReplica(address: string, options: AttachOptions, events: AttachEvents): AttachConnection {
  const { timers } = options;
  const { connectMillis, queueBytes } = attachLimits;
  const stream = dial(address, "attach", { timers, connectMillis, queueBytes });
  let up = false;
  offerHandshake(stream, { ...options, expect: "peer" }, (result) => {
    if ("refused" in result) {
      events.down(result.refused);
      return;
    }
    up = true;
    stream.listen({
      received: (messages) => receive(stream, messages, events),
      drained: () => events.drained(),
      closed: (why) => events.down(why),
    });
    events.up(result.hello);
  });
  return {
    send: (message) => {
      if (up) stream.send(encodeFromGateway(message));
    },
    flush: () => stream.flush(),
    close: () => stream.close("closed by this side"),
    get queuedBytes() {
      return stream.queuedBytes;
    },
    get writable() {
      return up && stream.writable;
    },
  };
}

function receive(stream: FrameStream, messages: readonly Uint8Array[], events: AttachEvents): void {
  const decoded: ToGateway[] = [];
  for (const bytes of messages) {
    const message = decodeToGateway(bytes);
    if (message === undefined) {
      stream.close("a message from the replica does not decode");
      return;
    }
    decoded.push(message);
  }
  events.received(decoded);
}
