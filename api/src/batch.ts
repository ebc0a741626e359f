/**
 * The unit of the log, of acknowledgement, commit, synchronization and snapshot: every position is a batch's end.
 * A batch is self-describing, so that learning one does not depend on who sent it.
 */
import type { Zxid } from "./zxid.ts";

export interface Batch {
  /** Zxid of the first command; its epoch is the batch's. */
  readonly first: Zxid;
  /** Zxid of the last command: the batch's position. `last - first + 1` commands. */
  readonly last: Zxid;
  /** Position of the batch before it; 0 before the first of all. */
  readonly previous: Zxid;
  /** The leader's commit index when it was proposed. */
  readonly commit: Zxid;
  /** The leader's stamp: ms since 1970, never falling. */
  readonly stamp: number;
  /** The rules version by which it is applied. */
  readonly rules: number;
  /** Running checksum of the log up to and with this batch: uint32. */
  readonly checksum: number;
  /** The commands, each behind its length (uint32, little-endian). */
  readonly payload: Uint8Array;
}
