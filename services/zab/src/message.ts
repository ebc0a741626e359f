/** What peers say to each other, one union per direction. Every link is ordered and reliable while it stands. */
import type { Batch, Epoch, ReplicaId, Zxid } from "@quorate/api";
import type { Credentials, EpochEnd, Standing } from "./state.ts";

/** Any peer to any peer, at linkUp and whenever something in it changes: the newest replaces the former. */
export interface VoteMessage {
  readonly kind: "vote";
  readonly phase: "waiting" | "looking" | "following" | "leading";
  readonly credentials: Credentials;
  /** Whom the sender would follow; 0: nobody. */
  readonly choice: ReplicaId;
  /** How many members the sender reaches, itself included: a candidate below a quorum cannot lead. */
  readonly reach: number;
  /** The sender follows a leader's HANDOVER: it waits for this target first; 0: none. */
  readonly preferred: ReplicaId;
}
export type ElectionMessage = VoteMessage;

/** Follower to leader. */
export type ToLeader =
  /** CEPOCH: "I would follow you". */
  | {
      readonly kind: "followerInfo";
      readonly standing: Standing;
      readonly ensembleId: string;
      readonly acceptedEpoch: Epoch;
    }
  /** ACK-E: the promise is durable. `counts` is false when the epoch was promised before (equal epoch). */
  | {
      readonly kind: "ackEpoch";
      readonly epoch: Epoch;
      readonly counts: boolean;
      readonly standing: Standing;
      readonly ensembleId: string;
      readonly currentEpoch: Epoch;
      readonly position: Zxid;
      /** Where the follower's log begins, and the last zxid of each epoch in it (the base first). */
      readonly base: Zxid;
      readonly epochs: readonly EpochEnd[];
    }
  /** The offered epoch is lower than one promised: the leader has to go higher. */
  | { readonly kind: "refuseEpoch"; readonly acceptedEpoch: Epoch }
  /** ACK-LD: the whole history is durable, then `currentEpoch` is. */
  | { readonly kind: "ackNewLeader"; readonly epoch: Epoch }
  /** Cumulative, sent only after fsync. */
  | { readonly kind: "ack"; readonly epoch: Epoch; readonly through: Zxid }
  | { readonly kind: "pong"; readonly epoch: Epoch; readonly number: number };

/** Leader to follower. */
export type ToFollower =
  /** NEWEPOCH. `founding`: every member must acknowledge as a founder, writing this ensemble id. */
  | { readonly kind: "newEpoch"; readonly epoch: Epoch; readonly ensembleId: string; readonly founding: boolean }
  /** Cut back to the common prefix; DIFF follows. */
  | { readonly kind: "truncate"; readonly to: Zxid }
  /** A piece of a snapshot; batches behind `at` follow the last one. */
  | {
      readonly kind: "snapshot";
      readonly at: Zxid;
      readonly checksum: number;
      readonly offset: number;
      readonly chunk: Uint8Array;
      readonly done: boolean;
    }
  /** PROPOSE, and what synchronization sends. */
  | { readonly kind: "propose"; readonly batch: Batch }
  /** Follows the last packet of the synchronization, on the same stream. */
  | { readonly kind: "newLeader"; readonly epoch: Epoch; readonly last: Zxid }
  /** Cumulative; also says "established" the first time. */
  | { readonly kind: "commit"; readonly epoch: Epoch; readonly through: Zxid }
  /**
   * Numbered. `commit`: the index at its sending; `confirmed`: the newest ping that a quorum answered; `echo`: the
   * newest answer of this follower that the leader has.
   */
  | {
      readonly kind: "ping";
      readonly epoch: Epoch;
      readonly number: number;
      readonly commit: Zxid;
      readonly confirmed: number;
      readonly echo: number;
      readonly established: boolean;
    }
  /** Behind the last commit: go looking, with the target as first vote. */
  | { readonly kind: "handOver"; readonly epoch: Epoch; readonly target: ReplicaId };

export type PeerMessage = ElectionMessage | ToLeader | ToFollower;
