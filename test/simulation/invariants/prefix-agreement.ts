/**
 * ZAB, section III: agreement, in the form "what each process has delivered is a prefix of one order". DESIGN 3: every
 * position is a batch's end; DESIGN 4: after a restart only what is known as committed is applied.
 *
 * Checked: a replica that restored its tree stands at the end of a batch of the order. It may come back further than
 * anybody was seen to apply, for its log said so; then the order has to come to pass through that very position. A
 * leader's snapshot never sets back. At the end all stand at the order's end.
 */
import { formatZxid, type ReplicaId, type Zxid } from "@quorate/api";
import { type AppliedBatch, type Finished, Invariant, type Restored } from "../observation.ts";
import type { Order } from "./order.ts";

export class PrefixAgreement extends Invariant {
  readonly name = "prefix-agreement";
  readonly #order: Order;
  readonly #stands = new Map<ReplicaId, Zxid>();
  /** Positions that somebody restored and nobody was seen to apply, and who that was. */
  readonly #claims = new Map<Zxid, ReplicaId>();

  constructor(order: Order) {
    super();
    this.#order = order;
  }

  override restored({ replica, from, tree }: Restored): void {
    const position = tree.applied;
    const stood = this.#stands.get(replica);
    if (from === "leader" && stood !== undefined && position < stood) {
      this.broken(`a snapshot sets replica ${replica} back from ${formatZxid(stood)} to ${formatZxid(position)}`);
    }
    this.#stands.set(replica, position);
    if (this.#order.isEnd(position)) return;
    this.#claims.set(position, replica);
    this.#judgeClaims();
  }

  override stopped(_at: number, replica: ReplicaId): void {
    this.#stands.delete(replica);
  }

  override applied(seen: AppliedBatch): void {
    this.#stands.set(seen.replica, seen.batch.last);
    this.#order.note(seen);
    if (this.#claims.size > 0) this.#judgeClaims();
  }

  #judgeClaims(): void {
    for (const [position, replica] of this.#claims) {
      if (this.#order.isEnd(position)) this.#claims.delete(position);
      else if (position < this.#order.end) {
        this.broken(`replica ${replica} restored ${formatZxid(position)}, which is no position of the order`);
      }
    }
  }

  override finished({ trees }: Finished): void {
    let end = this.#order.end;
    for (const position of this.#claims.keys()) if (position > end) end = position;
    for (const [replica, tree] of trees) {
      if (tree.applied === end) continue;
      this.broken(`replica ${replica} stands at ${formatZxid(tree.applied)}, the order ends at ${formatZxid(end)}`);
    }
  }
}
