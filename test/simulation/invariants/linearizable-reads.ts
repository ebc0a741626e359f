/**
 * Herlihy and Wing 1990; etcd's API guarantees, "linearizability"; DESIGN 4, Confirmation: a waiter needs a quorum's
 * answers to a ping sent after it arrived.
 *
 * Checked: a `linearizable` read is answered at a zxid not below any that anybody was told of before it was asked: by
 * the outcome of a write (a failure that was decided is one, too) or by another linearizable read. And a write stands
 * behind everything that anybody was told of before it was first asked for.
 */
import { formatZxid, type Zxid } from "@quorate/api";
import { type Answered, type Asked, Invariant } from "../observation.ts";
import type { Order } from "./order.ts";

export class LinearizableReads extends Invariant {
  readonly name = "linearizable-reads";
  readonly #order: Order;
  /** The newest that anybody was told of. */
  #told: Zxid = 0 as Zxid;
  /** The same as it was when a read was asked, by try; when a write was first asked, by request. */
  readonly #reads = new Map<number, Zxid>();
  readonly #writes = new Map<number, Zxid>();

  constructor(order: Order) {
    super();
    this.#order = order;
  }

  override asked(seen: Asked): void {
    if (seen.kind === "read" && seen.read.consistency === "linearizable") this.#reads.set(seen.id, this.#told);
    if (seen.kind === "write" && !this.#writes.has(seen.request)) this.#writes.set(seen.request, this.#told);
  }

  override answered({ at, asked, answer }: Answered): void {
    if (answer.kind !== "outcome" || this.#order.suspects.spoke(answer.servedBy, asked.at, at)) return;
    const { zxid } = answer.outcome;
    if (asked.kind === "write") {
      const floor = this.#writes.get(asked.request) ?? 0;
      if (zxid <= floor) this.#stale(`request ${asked.request} stands`, zxid, floor as Zxid);
    } else {
      const floor = this.#reads.get(asked.id);
      if (floor === undefined) return;
      this.#reads.delete(asked.id);
      if (zxid < floor) this.#stale(`client ${asked.client}'s linearizable read ${asked.id} is answered`, zxid, floor);
    }
    if (zxid > this.#told) this.#told = zxid;
  }

  #stale(what: string, zxid: Zxid, floor: Zxid): never {
    this.broken(`${what} at ${formatZxid(zxid)}; ${formatZxid(floor)} was told before it was asked`);
  }
}
