/** What lane, calls and touches see of a stream to a replica. */
import type { Certainty, ErrorCode, Outcome, ReplicaId } from "@quorate/api";
import type { DirectRead, FromGateway, ToGateway } from "@quorate/proto";
import type { Answer } from "./backend.ts";

/** One live stream. It is never revived: after a break the same replica comes back as another one. */
export interface ReplicaStream {
  /** Who is at the other end. */
  readonly replica: ReplicaId;
  readonly address: string;
  /** No newer rules may be counted on: those that hold there. Of a replica that does not tell, those that it knows. */
  readonly rules: number;
  /** False: nothing more for now; the pump is run again when it has drained. */
  readonly writable: boolean;
  /** Queued until the end of the turn; nothing happens on a stream that is broken. */
  send(message: FromGateway): void;
  /** See `ReplicaConnection`. */
  readonly readNow?: ReadNow | undefined;
}

/** One connection, made by `dialReplica` of @quorate/proto or by a test. No reconnecting of its own. */
export interface ReplicaConnection {
  /** Encoded here, where there is a wire. What it refers to is not changed any more. */
  send(message: FromGateway): void;
  flush(): void;
  close(): void;
  readonly queuedBytes: number;
  /**
   * Of a replica in this process: the answer as of now, in its place in the stream. Undefined: it cannot be given now, for
   * something that was sent before is still on its way here, or the replica has to wait: ask by a message.
   */
  readonly readNow?: ReadNow | undefined;
}

export type ReadNow = (read: DirectRead) => Outcome | undefined;

/** After `down` nothing more is heard of a connection. */
export interface ReplicaEvents {
  up(): void;
  received(messages: readonly ToGateway[]): void;
  down(why: string): void;
  drained(): void;
}

export type Dial = (address: string, events: ReplicaEvents) => ReplicaConnection;

export type Unavailable = Extract<Answer, { kind: "unavailable" }>;

export function unavailable(
  code: ErrorCode,
  certainty: Certainty,
  detail: string,
  retryAfterMillis: number = 1000,
): Unavailable {
  return { kind: "unavailable", code, detail, certainty, retryAfterMillis };
}

/** A numbered write of a lane. */
export type WriteMessage = Extract<FromGateway, { kind: "write" }>;
