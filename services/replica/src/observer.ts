/**
 * Who looks over a replica's shoulder: told of what it does to its state, at the moment it does it. Looks on and changes
 * nothing; what is shown is not to be held across turns of the loop.
 */
import type { Batch } from "@quorate/api";
import type { Applied, Tree } from "@quorate/tree";
import type { PeerView } from "@quorate/zab";

export interface ReplicaObserver {
  /** The tree as it was restored from disk at the start, or loaded from a leader's snapshot. */
  restored(tree: Tree, from: "start" | "leader"): void;
  /** `batch` was applied; `tree` stands at its end. */
  applied(batch: Batch, results: readonly Applied[], tree: Tree): void;
  /** Its role, leader or epoch changed, or whether it serves. */
  role(view: PeerView): void;
}
