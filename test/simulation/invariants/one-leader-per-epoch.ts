/**
 * ZAB (Junqueira, Reed, Serafini 2011), section IV: there is at most one established leader of an epoch; DESIGN 4: an
 * epoch once promised is never given again.
 *
 * Checked: at most one replica leads and serves in an epoch, and only once (who stopped leading in it, by a crash or
 * otherwise, never leads in it again); who follows and serves in it follows that one.
 */
import { type Epoch, epochOf, type ReplicaId } from "@quorate/api";
import { type AppliedBatch, Invariant, type RoleSeen } from "../observation.ts";

export class OneLeaderPerEpoch extends Invariant {
  readonly name = "one-leader-per-epoch";
  readonly #leaders = new Map<Epoch, ReplicaId>();
  /** Who leads and serves at this moment, and in which epoch. */
  readonly #leading = new Map<ReplicaId, Epoch>();
  /** Leaderships that are over. */
  readonly #over = new Set<Epoch>();

  override role({ replica, role, leader, epoch, serving }: RoleSeen): void {
    const leads = role === "leading" && serving;
    const former = this.#leading.get(replica);
    if (former !== undefined && (!leads || former !== epoch)) this.#end(replica, former);
    if (leads) this.#lead(replica, epoch);
    else if (role === "following" && serving) this.#belongs(replica, leader, epoch);
  }

  #lead(replica: ReplicaId, epoch: Epoch): void {
    if (this.#leading.get(replica) === epoch) return;
    this.#belongs(replica, replica, epoch);
    if (this.#over.has(epoch)) this.broken(`replica ${replica} leads epoch ${epoch} a second time`);
    this.#leading.set(replica, epoch);
  }

  #belongs(replica: ReplicaId, leader: ReplicaId, epoch: Epoch): void {
    const known = this.#leaders.get(epoch);
    if (known === undefined) this.#leaders.set(epoch, leader);
    else if (known !== leader) {
      const what = replica === leader ? "leads" : `follows replica ${leader} in`;
      this.broken(`replica ${replica} ${what} epoch ${epoch}, which replica ${known} leads`);
    }
  }

  #end(replica: ReplicaId, epoch: Epoch): void {
    this.#leading.delete(replica);
    this.#over.add(epoch);
  }

  override stopped(_at: number, replica: ReplicaId): void {
    const epoch = this.#leading.get(replica);
    if (epoch !== undefined) this.#end(replica, epoch);
  }

  /** What is applied was proposed by an established leader. */
  override applied({ replica, batch }: AppliedBatch): void {
    const epoch = epochOf(batch.last);
    if (!this.#leaders.has(epoch))
      this.broken(`replica ${replica} applies a batch of epoch ${epoch}, which nobody led`);
  }
}
