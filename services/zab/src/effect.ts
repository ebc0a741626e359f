/** What a peer asks of its shell. Performed in the order given; disk effects are FIFO among themselves. */
import type { Batch, Epoch, ReplicaId, Zxid } from "@quorate/api";
import type { ConfirmTicket, LinkId, TransferTicket, WriteTicket } from "./input.ts";
import type { PeerMessage } from "./message.ts";
import type { DurableState } from "./state.ts";

export type Effect =
  | { readonly kind: "send"; readonly link: LinkId; readonly message: PeerMessage }
  /** Close the connection: its peer speaks out of turn, or must begin anew. */
  | { readonly kind: "drop"; readonly link: LinkId; readonly why: string }
  /** Append to the log (`staged`: to the log behind the snapshot being staged) and fsync. */
  | {
      readonly kind: "append";
      readonly ticket: WriteTicket;
      readonly batches: readonly Batch[];
      readonly staged: boolean;
    }
  /** Cut the log behind `to`, durably. */
  | { readonly kind: "truncate"; readonly ticket: WriteTicket; readonly to: Zxid }
  /**
   * Replace the state file. With `install` the staged snapshot and the log staged behind it become the history in the
   * same replacement; the shell then loads the snapshot into its tree before it performs later `deliver`s.
   */
  | {
      readonly kind: "writeState";
      readonly ticket: WriteTicket;
      readonly state: DurableState;
      readonly install: Zxid | undefined;
    }
  /** One piece of a snapshot that a leader sends; the first has `offset` 0, the last `done`. Durable when `done` is. */
  | {
      readonly kind: "stage";
      readonly ticket: WriteTicket;
      readonly at: Zxid;
      /** Running checksum of the log at `at`. */
      readonly checksum: number;
      readonly offset: number;
      readonly chunk: Uint8Array;
      readonly done: boolean;
    }
  /** Throw away what is staged. */
  | { readonly kind: "unstage"; readonly ticket: WriteTicket }
  /** Committed and in the own durable log: apply these, in this order. */
  | { readonly kind: "deliver"; readonly batches: readonly Batch[] }
  /** The commit index that a quorum confirmed after the ticket was asked for; wait until it is applied, then answer. */
  | { readonly kind: "confirmed"; readonly ticket: ConfirmTicket; readonly index: Zxid }
  /** Not (any more) in a position to confirm: ask the leader. */
  | { readonly kind: "unconfirmed"; readonly ticket: ConfirmTicket }
  /** A submission that this peer may not propose now: nothing was done with it. */
  | { readonly kind: "refused" }
  /** Stream the batches in (after, through] to the link from the log files, then step `transferred`. */
  | {
      readonly kind: "sendHistory";
      readonly ticket: TransferTicket;
      readonly link: LinkId;
      readonly after: Zxid;
      readonly through: Zxid;
    }
  /** Stream the newest snapshot file to the link as `snapshot` messages, then step `transferred` with its zxid. */
  | { readonly kind: "sendSnapshot"; readonly ticket: TransferTicket; readonly link: LinkId }
  | { readonly kind: "roleChanged"; readonly status: Status }
  /** For the log and for operators. */
  | { readonly kind: "note"; readonly text: string }
  /** A rule that only a lying disk or a bug can break: the process must stop. */
  | { readonly kind: "stop"; readonly why: string };

export interface Status {
  readonly role: "looking" | "following" | "leading";
  /** 0 while looking. */
  readonly leader: ReplicaId;
  readonly epoch: Epoch;
  /** Leading: established, may propose. Following: synchronized with an established leader; may serve reads. */
  readonly serving: boolean;
  /** Why it does not serve, for people; empty while it does. */
  readonly reason: string;
}
