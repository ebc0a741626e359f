/**
 * ZooKeeper's guarantees, "single system image: a client will not see an older view of the system"; Terry et al. 1994,
 * "monotonic reads".
 *
 * Checked, by client: a `session` read that passes the newest zxid the client has seen, and each `linearizable` read, is
 * never answered at an older zxid than any answer that the client had before it asked. (A `session` read that passes
 * less, and a `stale` one, may go back: they asked for it.)
 */
import { formatZxid, type Zxid } from "@quorate/api";
import { type Answered, type Asked, Invariant } from "../observation.ts";
import type { Order } from "./order.ts";

export class MonotonicReads extends Invariant {
  readonly name = "monotonic-reads";
  readonly #order: Order;
  /** The newest that a client was shown, by client. */
  readonly #seen = new Map<number, Zxid>();
  /** The same as it was when a read was asked that may not go back, by try. */
  readonly #floors = new Map<number, Zxid>();

  constructor(order: Order) {
    super();
    this.#order = order;
  }

  override asked(seen: Asked): void {
    if (seen.kind !== "read" || seen.read.consistency === "stale") return;
    const newest = this.#seen.get(seen.client);
    if (newest === undefined) return;
    if (seen.read.consistency === "linearizable" || seen.read.minZxid >= newest) this.#floors.set(seen.id, newest);
  }

  override answered({ at, asked, answer }: Answered): void {
    if (answer.kind !== "outcome" || this.#order.suspects.spoke(answer.servedBy, asked.at, at)) return;
    const { zxid } = answer.outcome;
    const floor = this.#floors.get(asked.id);
    if (floor !== undefined && asked.kind === "read") {
      this.#floors.delete(asked.id);
      if (zxid < floor) {
        const what = `client ${asked.client}'s ${asked.read.consistency} read ${asked.id}`;
        this.broken(`${what} goes back to ${formatZxid(zxid)}; the client had seen ${formatZxid(floor)}`);
      }
    }
    if (zxid > (this.#seen.get(asked.client) ?? 0)) this.#seen.set(asked.client, zxid);
  }
}
