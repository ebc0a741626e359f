/** Everything that can happen to a peer. The shell calls `step` with one of these; nothing else reaches the core. */
import type { Batch, ReplicaId, Zxid } from "@quorate/api";
import type { PeerMessage } from "./message.ts";

/** A live connection to one peer: rising, never reused. */
export type LinkId = number;
/** Names one disk effect; rising; completions come in the same order. */
export type WriteTicket = number;
/** Names one confirmation asked for by the shell. */
export type ConfirmTicket = number;
/** Names one transfer of history or snapshot from the leader's files. */
export type TransferTicket = number;

export type Input =
  /** Time passes; `now` of every step is monotonic milliseconds. */
  | { readonly kind: "tick" }
  /** A connection stands. An older one to the same peer is gone (its linkDown came before). */
  | { readonly kind: "linkUp"; readonly link: LinkId; readonly peer: ReplicaId }
  | { readonly kind: "linkDown"; readonly link: LinkId }
  | { readonly kind: "received"; readonly link: LinkId; readonly message: PeerMessage }
  /** The disk effect with this ticket is durable. */
  | { readonly kind: "written"; readonly ticket: WriteTicket }
  /** A batch to agree on: `count` commands in `payload`; refused unless this peer may propose. */
  | { readonly kind: "submitted"; readonly submission: Submission }
  /** The shell wants the leader's commit index as confirmed by a quorum after now. */
  | { readonly kind: "confirm"; readonly ticket: ConfirmTicket }
  | { readonly kind: "handOver"; readonly target: ReplicaId }
  /** The transfer was sent whole (its link still stands). `at`: of a snapshot, its zxid; of history, the last sent. */
  | { readonly kind: "transferred"; readonly ticket: TransferTicket; readonly at: Zxid }
  /** The shell's files begin here now: older log is gone, a snapshot at `base` (or later) stands. */
  | { readonly kind: "pruned"; readonly base: Zxid };

export interface Submission {
  readonly count: number;
  readonly payload: Uint8Array;
  readonly stamp: number;
  readonly rules: number;
}

/** What the disk held at start, as the shell recovered it. */
export interface RecoveredHistory {
  /** Where the log begins: the zxid of the oldest point from which it is whole (0, or a snapshot's zxid). */
  readonly base: Zxid;
  /** Known as committed and applied by the shell: the snapshot and what a later batch's commit index covers. */
  readonly applied: Zxid;
  /** The last zxid of each epoch in (base, last], ascending; `base` itself first when it is not 0. */
  readonly epochs: readonly { readonly epoch: number; readonly last: Zxid }[];
  /** The batches after `applied`: history to vote with, not to apply. */
  readonly tail: readonly Batch[];
  /** Running checksum at the end of the log. */
  readonly checksum: number;
  /** Running checksum at `applied`. */
  readonly appliedChecksum: number;
}
