/** What a peer keeps across crashes, beside its log and snapshots. */
import type { Epoch, ReplicaId, Zxid } from "@quorate/api";

/**
 * `founding`: made for an ensemble that does not exist yet; `joining`: counts nowhere until a leader has synchronized
 * it; `member`: votes.
 */
export type Standing = "founding" | "joining" | "member";

/** The part of the state file that the protocol owns; replaced atomically, always as a whole. */
export interface DurableState {
  readonly standing: Standing;
  /** 32 hex digits, drawn by the first leader; empty before the birth. */
  readonly ensembleId: string;
  /** The last epoch promised to (ZAB's f.p). */
  readonly acceptedEpoch: Epoch;
  /** The last epoch whose NEWLEADER was acknowledged (ZAB's f.a). */
  readonly currentEpoch: Epoch;
}

/** The last zxid of one epoch in a log: what FOLLOWERINFO carries so that a plan can cut at the common prefix. */
export interface EpochEnd {
  readonly epoch: Epoch;
  readonly last: Zxid;
}

/** (currentEpoch, position, id): the order of votes and of histories. */
export interface Credentials {
  readonly id: ReplicaId;
  readonly standing: Standing;
  readonly ensembleId: string;
  readonly acceptedEpoch: Epoch;
  readonly currentEpoch: Epoch;
  /** The last zxid of the durable history: the snapshot that the state file names, then the log behind it. */
  readonly position: Zxid;
}
