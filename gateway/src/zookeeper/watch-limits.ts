/** The bounds of a connection's watches, with the answer to each overflow. Sizes in bytes, times in ms. */
import { assert, limits } from "@quorate/api";
import { linkLimits } from "../limits.ts";

export const watchLimits = {
  /**
   * What one connection follows: a path once for each scope, and their bytes. Beyond: a read with a watch is refused
   * (`throttled`); a client that sets so many again is cut off by the link.
   */
  followed: linkLimits.sessionFollowed,
  followedBytes: linkLimits.sessionFollowedBytes,
  /**
   * Changes kept for watches whose reply is not out. Beyond: the client is cut off; but while it sets its watches again,
   * they are forgotten and asked for.
   */
  backlogChanges: 65_536,
  /** Bytes of a question for missed changes, a path once for each scope; with more, all changes are asked for. */
  questionBytes: linkLimits.followQuestionBytes,
  /** Znodes looked at together when the missed changes are forgotten. */
  lookingAt: 256,
  /** How long one of these reads may take. Beyond: the client is cut off, and comes back. */
  readMillis: limits.requestTimeoutMaxMillis,
} as const;

export type WatchLimits = { readonly [Name in keyof typeof watchLimits]: number };

assert(watchLimits.lookingAt * 2 <= limits.laneWindow, "what is looked at fits the lane");
