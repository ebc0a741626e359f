/**
 * ZAB, section III: total order and agreement. DESIGN 3: a batch carries its predecessor's zxid and the log's running
 * checksum.
 *
 * Checked: any two replicas that apply at the same position apply the same batch; a replica applies each batch exactly
 * where it stands, without a gap or a repetition, also across restarts and a leader's snapshot; each command of a
 * batch has its own zxid and one result.
 */
import { formatZxid, type ReplicaId, type Zxid } from "@quorate/api";
import type { Applied } from "@quorate/tree";
import { type AppliedBatch, Invariant, type Restored } from "../observation.ts";
import type { Order } from "./order.ts";

export class TotalOrder extends Invariant {
  readonly name = "total-order";
  readonly #order: Order;
  readonly #stands = new Map<ReplicaId, Zxid>();

  constructor(order: Order) {
    super();
    this.#order = order;
  }

  override restored({ replica, tree }: Restored): void {
    this.#stands.set(replica, tree.applied);
  }

  override stopped(_at: number, replica: ReplicaId): void {
    this.#stands.delete(replica);
  }

  override applied(seen: AppliedBatch): void {
    const { replica, batch, tree } = seen;
    const stood = this.#stands.get(replica);
    if (stood !== undefined && batch.previous !== stood) {
      const follows = `one that follows ${formatZxid(batch.previous)}`;
      this.broken(`replica ${replica} stands at ${formatZxid(stood)} and applies ${follows}`);
    }
    this.#stands.set(replica, batch.last);
    if (tree.applied !== batch.last) {
      this.broken(`replica ${replica} applied ${formatZxid(batch.last)} and stands at ${formatZxid(tree.applied)}`);
    }
    const { clash, entry } = this.#order.note(seen);
    if (clash) {
      const other = `${formatZxid(entry.batch.last)} (checksum ${entry.batch.checksum})`;
      const own = `${formatZxid(batch.last)} (checksum ${batch.checksum})`;
      this.broken(`behind ${formatZxid(batch.previous)} replica ${replica} applies ${own}, others ${other}`);
    }
    this.#eachHasItsResult(seen);
  }

  #eachHasItsResult({ replica, batch, commands, results }: AppliedBatch): void {
    const count = batch.last - batch.first + 1;
    if (results.length !== count || commands.length !== count) {
      this.broken(`replica ${replica} has ${results.length} results for the ${count} commands of a batch`);
    }
    for (let i = 0; i < count; i++) {
      if ((results[i] as Applied).zxid === batch.first + i) continue;
      this.broken(`replica ${replica}: command ${i} of the batch at ${formatZxid(batch.last)} has another's zxid`);
    }
  }
}
