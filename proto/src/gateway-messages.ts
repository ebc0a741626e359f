/**
 * What a gateway and a replica say to each other on their one ordered stream. `gateway-codec.ts` gives the bytes,
 * `quorate/internal/v1/replica.proto` the written contract.
 */
import type {
  Acl,
  Acting,
  ErrorCode,
  FeedChange,
  Identity,
  Outcome,
  ReadOperation,
  ReplicaId,
  SessionId,
  TreeOperation,
  Zxid,
} from "@quorate/api";

/** Unique on its stream and gateway; rising. */
export type RequestId = number;

export type Consistency = "linearizable" | "session" | "stale";

/** Gateway to replica. */
export type FromGateway =
  /**
   * "I send this lane's writes here from now on": the replica answers `laneState` once it serves. `fence` rises with
   * each `lane` on a stream: a `refused` that leaves the replica after the `laneState` of a fence is about a write sent
   * behind that fence, never about an earlier one.
   */
  | { readonly kind: "lane"; readonly session: SessionId; readonly attachment: number; readonly fence: number }
  /** Creates the gateway's own session; the only write without a lane. `command`: an encoded Command. */
  | { readonly kind: "open"; readonly id: RequestId; readonly command: Uint8Array }
  /** `command`: an encoded Command whose lane is (session, sequence). */
  | {
      readonly kind: "write";
      readonly session: SessionId;
      readonly sequence: number;
      readonly command: Uint8Array;
    }
  | {
      readonly kind: "read";
      readonly id: RequestId;
      readonly consistency: Consistency;
      /** The replica waits until it has applied this. 0: nothing. */
      readonly minZxid: Zxid;
      /** For `stale`. Number.MAX_SAFE_INTEGER: however old, and also if nobody knows how old, which is answered likewise. */
      readonly maxStaleMillis: number;
      /** How long the replica may wait. */
      readonly budgetMillis: number;
      readonly identity: Identity;
      /** The client's session, where the read is on its behalf. */
      readonly acting?: Acting;
      /** Encoded ReadOperation (`encodeRead`). */
      readonly operation: Uint8Array;
      /** Read your writes: not answered before this write of that lane is applied here. */
      readonly behind?: { readonly session: SessionId; readonly sequence: number };
    }
  /** Nobody watches through this stream any more: no feed is wanted until the next read of kind `watch`. */
  | { readonly kind: "unwatch" }
  /** Renewals, gathered: each needs a confirmation by the leader. `secretHash` empty: the gateway's own session. */
  | {
      readonly kind: "touch";
      readonly id: RequestId;
      readonly sessions: readonly { readonly session: SessionId; readonly secretHash: Uint8Array }[];
    }
  | { readonly kind: "handOver"; readonly id: RequestId; readonly target: ReplicaId };

/** A read of consistency `session` as a value, with the terms of `read`: within one process it may be answered at once. */
export interface DirectRead {
  readonly minZxid: Zxid;
  readonly identity: Identity;
  readonly acting?: Acting | undefined;
  readonly operation: ReadOperation | TreeOperation;
  readonly behind?: { readonly session: SessionId; readonly sequence: number } | undefined;
}

export type TouchResult = "renewed" | "expired" | "badSecret" | "behind" | "closing";

/** What each member last said of itself. */
export interface MemberStatus {
  readonly id: ReplicaId;
  readonly standing: "founding" | "joining" | "member";
  readonly role: "looking" | "following" | "leading";
  readonly serving: boolean;
  /** Why it does not serve; empty while it does. */
  readonly reason: string;
  readonly leader: ReplicaId;
  readonly epoch: number;
  readonly acceptedEpoch: number;
  readonly applied: Zxid;
  readonly committed: Zxid;
  /** Last zxid of the durable log. */
  readonly logged: Zxid;
  readonly ensembleId: string;
  readonly historyId: string;
  readonly version: string;
  readonly rules: number;
  /** Hex digest of the whole replicated state at `applied`. */
  readonly digest: string;
  readonly znodes: number;
  /** Of clients; without the gateways' own. */
  readonly sessions: number;
  /** Milliseconds since it said so, as the sender of this message knows; 0: itself. */
  readonly agoMillis: number;
  /** Where others reach it: `host:port` on 7400. */
  readonly address: string;
}

/** Replica to gateway. */
export type ToGateway =
  /** First, on every stream, and again whenever role, leader or serving changes, and every 500 ms. */
  | { readonly kind: "status"; readonly self: MemberStatus; readonly others: readonly MemberStatus[] }
  /**
   * By which rules all is applied here, behind the first status and whenever they rise: they hold for good, so that a write
   * in their forms is read by everybody, whoever leads. Only to gateways whose hello names rules.
   */
  | { readonly kind: "rules"; readonly rules: number }
  /**
   * The lane's last applied sequence, after this replica has applied the history it was synchronized with: the gateway
   * re-sends in order from its first unanswered number. `exists` false: the session is over (or was never).
   * `fence`: of the last `lane` for this session on this stream, also when nobody asked anew.
   */
  | {
      readonly kind: "laneState";
      readonly session: SessionId;
      readonly exists: boolean;
      readonly attachment: number;
      readonly lastSequence: number;
      readonly fence: number;
    }
  /** The outcome of a lane's write, from this replica's own apply or from the replicated memory. */
  | { readonly kind: "written"; readonly session: SessionId; readonly sequence: number; readonly outcome: Outcome }
  /** This write, and what is behind it on the lane, was not taken: nothing of it was done by this try. */
  | {
      readonly kind: "refused";
      readonly session: SessionId;
      readonly sequence: number;
      readonly code: ErrorCode;
      readonly detail: string;
      readonly retryAfterMillis: number;
    }
  /** Answers `open`, `read`, `handOver`. `ageMillis`: of a stale read; else 0. */
  | { readonly kind: "answer"; readonly id: RequestId; readonly outcome: Outcome; readonly ageMillis: number }
  | {
      readonly kind: "touched";
      readonly id: RequestId;
      readonly results: readonly { readonly session: SessionId; readonly result: TouchResult }[];
    }
  /**
   * All changes of whole transactions behind the last feed, or behind the answer to the `watch` that began the feed, up to
   * `through`; before any reply that was computed at or behind one of them. Also when a transaction changed no znode.
   */
  | {
      readonly kind: "feed";
      readonly through: Zxid;
      readonly changes: readonly FeedChange[];
      /** What `acl` and `parentAcl` of the changes count in. */
      readonly acls: readonly Acl[];
      /** Client sessions that ended. */
      readonly ended: readonly SessionId[];
    }
  /** This replica's state was replaced by a leader's snapshot: the feed has a gap and has ended. Watchers ask again. */
  | { readonly kind: "feedBroken" };

export type { ReadOperation };
