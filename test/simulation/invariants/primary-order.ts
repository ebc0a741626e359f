/**
 * ZAB, section III: local and global primary order, and primary integrity (a primary has everything of earlier epochs
 * that anybody delivers before it broadcasts itself).
 *
 * Checked in the one order: epochs never fall; in an epoch the zxids follow each other without a gap, from 1 on; the
 * first batch of an epoch follows the end of the history with which its leader was established. When a leader is
 * established: that history has everything of earlier epochs that anybody has applied, and all of it is committed;
 * nothing of an earlier epoch is applied behind its end later.
 */
import { type Batch, counterOf, type Epoch, epochOf, formatZxid, type ReplicaId, type Zxid } from "@quorate/api";
import { type AppliedBatch, Invariant, type Restored, type RoleSeen } from "../observation.ts";
import { NewestByEpoch } from "./newest-by-epoch.ts";
import type { Order } from "./order.ts";

interface Beginning {
  readonly leader: ReplicaId;
  readonly at: Zxid;
}

export class PrimaryOrder extends Invariant {
  readonly name = "primary-order";
  readonly #order: Order;
  /** By epoch: the end of the history with which its leader was established. */
  readonly #beginnings = new Map<Epoch, Beginning>();
  /** The newest that anybody was seen to have applied. */
  #newest: Zxid = 0 as Zxid;
  readonly #byEpoch = new NewestByEpoch();

  constructor(order: Order) {
    super();
    this.#order = order;
  }

  override restored({ tree }: Restored): void {
    if (tree.applied > this.#newest) this.#newest = tree.applied;
    this.#byEpoch.add(tree.applied);
  }

  override role({ replica, role, serving, epoch, syncedThrough, committed }: RoleSeen): void {
    if (role !== "leading" || !serving || this.#beginnings.has(epoch)) return;
    this.#beginnings.set(epoch, { leader: replica, at: syncedThrough });
    const history = `replica ${replica} begins epoch ${epoch} with a history up to ${formatZxid(syncedThrough)}`;
    const needed = this.#byEpoch.before(epoch);
    if (syncedThrough < needed) this.broken(`${history}; ${formatZxid(needed)} is applied already`);
    if (epochOf(syncedThrough) >= epoch) this.broken(`${history}, which is not of an earlier epoch`);
    if (committed < syncedThrough) this.broken(`${history}, of which ${formatZxid(committed)} is committed`);
  }

  override applied(seen: AppliedBatch): void {
    const { replica, batch } = seen;
    if (batch.last > this.#newest) {
      this.#newest = batch.last;
      this.#byEpoch.add(batch.last);
      this.#fits(replica, batch);
    }
    this.#order.note(seen);
  }

  #fits(replica: ReplicaId, batch: Batch): void {
    const { first, last, previous } = batch;
    const epoch = epochOf(first);
    if (epochOf(last) !== epoch) this.#wrong(replica, batch, "one batch of two epochs");
    if (epoch < epochOf(previous)) this.#wrong(replica, batch, "the epoch falls");
    if (epoch > epochOf(previous)) {
      if (counterOf(first) !== 1) this.#wrong(replica, batch, "the epoch does not begin with 1");
      const beginning = this.#beginnings.get(epoch);
      if (beginning !== undefined && beginning.at !== previous) {
        this.#wrong(replica, batch, `replica ${beginning.leader} began the epoch behind ${formatZxid(beginning.at)}`);
      }
    } else if (first !== previous + 1) this.#wrong(replica, batch, "zxids are left out");
    // Of what is applied late the leaders of later epochs had everything.
    for (const [later, { leader, at }] of this.#beginnings) {
      if (later <= epoch || last <= at) continue;
      this.#wrong(replica, batch, `replica ${leader} began epoch ${later} with ${formatZxid(at)} only`);
    }
  }

  #wrong(replica: ReplicaId, { first, last, previous }: Batch, why: string): never {
    const which = `${formatZxid(first)} to ${formatZxid(last)} behind ${formatZxid(previous)}`;
    this.broken(`replica ${replica} applies ${which}: ${why}`);
  }
}
