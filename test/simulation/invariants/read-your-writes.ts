/**
 * API.md section 1: `session` reads are never older than `Quorate-Min-Zxid`, and what an answer bears as
 * `Quorate-Zxid` is good as such; Terry et al. 1994, "read your writes". (What is shown at a zxid is judged by
 * reads-show-the-state.)
 *
 * Checked: a read that asks for `minZxid` is answered at that zxid or later, whatever its consistency; and a client's
 * linearizable read stands behind each of the client's own writes that was answered before it was asked.
 */
import { formatZxid, type Zxid } from "@quorate/api";
import { type Answered, type Asked, Invariant } from "../observation.ts";
import type { Order } from "./order.ts";

export class ReadYourWrites extends Invariant {
  readonly name = "read-your-writes";
  readonly #order: Order;
  /** The newest write that was answered, by client. */
  readonly #written = new Map<number, Zxid>();
  /** The same as it was when a linearizable read was asked, by try. */
  readonly #floors = new Map<number, Zxid>();

  constructor(order: Order) {
    super();
    this.#order = order;
  }

  override asked(seen: Asked): void {
    if (seen.kind !== "read" || seen.read.consistency !== "linearizable") return;
    const written = this.#written.get(seen.client);
    if (written !== undefined) this.#floors.set(seen.id, written);
  }

  override answered({ at, asked, answer }: Answered): void {
    if (answer.kind !== "outcome" || this.#order.suspects.spoke(answer.servedBy, asked.at, at)) return;
    const { zxid } = answer.outcome;
    if (asked.kind === "write") {
      if (zxid > (this.#written.get(asked.client) ?? 0)) this.#written.set(asked.client, zxid);
      return;
    }
    if (asked.kind !== "read") return;
    const { minZxid, consistency } = asked.read;
    const what = `client ${asked.client}'s ${consistency} read ${asked.id} is answered at ${formatZxid(zxid)}`;
    if (zxid < minZxid) this.broken(`${what}; it asked for ${formatZxid(minZxid)} or later`);
    const floor = this.#floors.get(asked.id);
    if (floor === undefined) return;
    this.#floors.delete(asked.id);
    if (zxid < floor) this.broken(`${what}; its own write at ${formatZxid(floor)} was answered before`);
  }
}
