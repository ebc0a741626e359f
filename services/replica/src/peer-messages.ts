/**
 * What replicas say to each other beside the protocol's own messages: forwards, confirmations asked of the leader,
 * touches, and what each says of itself. `peer-codec.ts` gives the bytes.
 */
import type { ErrorCode, ReplicaId, SessionId, Zxid } from "@quorate/api";
import type { MemberStatus, TouchResult } from "@quorate/proto";
import type { PeerMessage } from "@quorate/zab";

/** Names a request on its link; rising; drawn by the side that asks. */
export type PeerRequestId = number;

/** From a follower that is somebody's home to the leader, and back. */
export type ShellMessage =
  /** A lane's write, to be proposed. No answer but a refusal: the outcome comes by the follower's own apply. */
  | {
      readonly kind: "forward";
      readonly session: SessionId;
      readonly sequence: number;
      /** Of the home's lane at that moment: a refusal echoes it, so that it cannot be taken for one of a later try. */
      readonly fence: number;
      readonly command: Uint8Array;
    }
  /** Nothing was done with this forward, nor with what is behind it on its lane. */
  | {
      readonly kind: "forwardRefused";
      readonly session: SessionId;
      readonly sequence: number;
      readonly fence: number;
      readonly code: ErrorCode;
      readonly detail: string;
      readonly retryAfterMillis: number;
    }
  /** A gateway's first session: a write without a lane. */
  | { readonly kind: "forwardOpen"; readonly id: PeerRequestId; readonly command: Uint8Array }
  | { readonly kind: "openRefused"; readonly id: PeerRequestId; readonly code: ErrorCode; readonly detail: string }
  /** Wanted: the commit index as a quorum confirms it after now. */
  | { readonly kind: "confirmRequest"; readonly id: PeerRequestId }
  | { readonly kind: "confirmReply"; readonly id: PeerRequestId; readonly index: Zxid }
  | { readonly kind: "confirmRefused"; readonly id: PeerRequestId; readonly detail: string }
  /** Renewals whose secrets the follower has checked. */
  | { readonly kind: "touchForward"; readonly id: PeerRequestId; readonly sessions: readonly SessionId[] }
  | {
      readonly kind: "touchReply";
      readonly id: PeerRequestId;
      readonly results: readonly { readonly session: SessionId; readonly result: TouchResult }[];
    }
  /** Any to any, at linkUp and whenever something in it changes. */
  | { readonly kind: "status"; readonly self: MemberStatus }
  /** Hex digest of the replicated state at a zxid. */
  | { readonly kind: "digest"; readonly at: Zxid; readonly digest: string }
  | { readonly kind: "handOver"; readonly id: PeerRequestId; readonly target: ReplicaId }
  | { readonly kind: "handOverReply"; readonly id: PeerRequestId; readonly ok: boolean; readonly detail: string }
  /** From a leader in the midst of a transfer: tell when what was sent before this is written. */
  | { readonly kind: "storedRequest"; readonly id: PeerRequestId }
  | { readonly kind: "storedReply"; readonly id: PeerRequestId };

/** Everything that travels on a link. */
export type PeerWire = { readonly kind: "zab"; readonly message: PeerMessage } | ShellMessage;
