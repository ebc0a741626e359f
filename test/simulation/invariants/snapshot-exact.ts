/**
 * DESIGN 5: a snapshot is exact at one zxid, written while writes go on.
 *
 * Checked: a tree that was restored (from a snapshot and the log behind it at a start, or from a leader's snapshot)
 * stands at the end of a batch and has the digest of the order there. (Not of a replica whose memory was flipped: the
 * flip may have reached its log. Equal-digests sees to it that this is found.)
 */
import { formatZxid } from "@quorate/api";
import { Invariant, type Restored } from "../observation.ts";
import type { Order } from "./order.ts";

export class SnapshotExact extends Invariant {
  readonly name = "snapshot-exact";
  readonly #order: Order;

  constructor(order: Order) {
    super();
    this.#order = order;
  }

  override restored({ replica, from, tree }: Restored): void {
    const { applied: position } = tree;
    if (position === 0 || this.#order.suspects.has(replica)) return;
    const digest = tree.digest();
    const known = this.#order.digests.get(position);
    const what = `replica ${replica} restores ${formatZxid(position)} (${from})`;
    if (known === undefined) {
      if (position < this.#order.end && !this.#order.isEnd(position)) this.broken(`${what}, which is no batch's end`);
      this.#order.digests.set(position, { digest, replica });
    } else if (known.digest !== digest) {
      this.broken(`${what} with digest ${digest}; replica ${known.replica} had ${known.digest}`);
    }
  }
}
