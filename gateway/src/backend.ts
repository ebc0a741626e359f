/**
 * The port behind the doors: session operations, wherever the replicas are. Two implementations: the gRPC link
 * (`replica-link.ts`), and in tests an in-memory one that runs a real tree.
 */
import type {
  Acting,
  Certainty,
  ErrorCode,
  IdempotencyKey,
  Identity,
  Outcome,
  ReadOperation,
  ReplicaId,
  SessionId,
  WriteOperation,
  Zxid,
} from "@quorate/api";
import type { Consistency, MemberStatus } from "@quorate/proto";

export interface WriteRequest {
  readonly identity: Identity;
  readonly acting?: Acting;
  readonly key?: IdempotencyKey;
  readonly operation: WriteOperation;
}

export interface ReadRequest {
  readonly identity: Identity;
  /** The client's session, where the read is on its behalf (its own listing, `owner: "self"`). */
  readonly acting?: Acting;
  readonly operation: ReadOperation;
  readonly consistency: Consistency;
  /** 0: nothing. */
  readonly minZxid: Zxid;
  /** For `stale`; milliseconds. */
  readonly maxStaleMillis: number;
}

/**
 * `certainty` is that of all tries together. An outcome from the replicated state is certain; `unavailable` is for a
 * request that got none (noLeader, behind, timeout, connectionLoss, throttled, internal).
 */
export type Answer =
  | { readonly kind: "outcome"; readonly outcome: Outcome; readonly servedBy: ReplicaId; readonly ageMillis: number }
  | {
      readonly kind: "unavailable";
      readonly code: ErrorCode;
      readonly detail: string;
      readonly certainty: Certainty;
      readonly retryAfterMillis: number;
    };

export type RenewAnswer =
  | { readonly kind: "renewed"; readonly zxid: Zxid; readonly servedBy: ReplicaId }
  | { readonly kind: "expired" | "badSecret" }
  | Extract<Answer, { kind: "unavailable" }>;

export interface ClusterView {
  /** The leader that the gateway follows; 0: none. */
  readonly leader: ReplicaId;
  readonly members: readonly MemberStatus[];
  /** Configured endpoints that have not been heard of. */
  readonly silent: readonly string[];
}

export interface Backend {
  /** `deadlineMillis`: how long it may take. Never rejects. */
  write(request: WriteRequest, deadlineMillis: number): Promise<Answer>;
  read(request: ReadRequest, deadlineMillis: number): Promise<Answer>;
  /** Renews a session; `secretHash` is the SHA-256 of the secret the client showed. */
  renew(session: SessionId, secretHash: Uint8Array, deadlineMillis: number): Promise<RenewAnswer>;
  handOver(target: ReplicaId, deadlineMillis: number): Promise<Answer>;
  cluster(): ClusterView;
}
