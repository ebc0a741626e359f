/**
 * ZAB, section III: agreement, as clients see it; etcd's API guarantees: "durability"; DESIGN 4: a leader that is
 * established has the whole initial history.
 *
 * Checked: a write that was answered with an outcome (a success, or a failure that was decided) is in the order at the
 * outcome's zxid, by that request's own command, with that same outcome. A leader of a later epoch has it in the
 * history it begins with; at the end everybody has it.
 */
import { type Epoch, formatZxid, type Outcome, type Zxid } from "@quorate/api";
import type { Applied } from "@quorate/tree";
import {
  type Answered,
  type AppliedBatch,
  type Finished,
  Invariant,
  type Restored,
  type RoleSeen,
  requestOf,
} from "../observation.ts";
import { NewestByEpoch } from "./newest-by-epoch.ts";
import type { Entry, Order } from "./order.ts";
import { sameOutcome } from "./same-value.ts";

interface Acknowledgement {
  readonly request: number;
  readonly outcome: Outcome;
}

export class NoLostAcknowledgement extends Invariant {
  readonly name = "no-lost-acknowledgement";
  readonly #order: Order;
  #newest: Zxid = 0 as Zxid;
  readonly #byEpoch = new NewestByEpoch();
  /** Told to a client by a replica that restored it; nobody was seen to apply it so far. */
  #open: Acknowledgement[] = [];
  /** The furthest position that anybody restored. */
  #restored: Zxid = 0 as Zxid;
  /** Epochs whose leader was seen at its establishment: what it acknowledges itself is no part of where it began. */
  readonly #led = new Set<Epoch>();

  constructor(order: Order) {
    super();
    this.#order = order;
  }

  override restored({ tree }: Restored): void {
    if (tree.applied > this.#restored) this.#restored = tree.applied;
  }

  override answered({ at, asked, answer }: Answered): void {
    if (asked.kind !== "write" || answer.kind !== "outcome") return;
    const { outcome, servedBy } = answer;
    if (this.#order.suspects.spoke(servedBy, asked.at, at)) return;
    if (outcome.zxid > this.#newest) this.#newest = outcome.zxid;
    this.#byEpoch.add(outcome.zxid);
    const promise = { request: asked.request, outcome };
    if (!this.#keeps(promise)) this.#open.push(promise);
  }

  /** False: it cannot be told yet. */
  #keeps({ request, outcome }: Acknowledgement): boolean {
    const entry = this.#order.locate(outcome.zxid);
    if (entry !== undefined) return this.#agrees(request, outcome, entry);
    // Who came back further than anybody was seen to apply may answer from what it remembers.
    if (this.#order.whole && outcome.zxid > this.#restored) this.#absent(request, outcome);
    return false;
  }

  #absent(request: number, { zxid }: Outcome): never {
    this.broken(`request ${request} was answered at ${formatZxid(zxid)}, which is not in the order`);
  }

  #agrees(request: number, outcome: Outcome, entry: Entry): boolean {
    if (entry.results === undefined) return false;
    const index = outcome.zxid - entry.batch.first;
    const owner = requestOf(entry.commands[index]);
    const where = `request ${request} was answered at ${formatZxid(outcome.zxid)}`;
    if (owner !== request) this.broken(`${where}; there is the command of request ${owner}`);
    const decided = (entry.results[index] as Applied).outcome;
    if (decided === "gap" || !sameOutcome(decided, outcome)) {
      this.broken(`${where} with ${told(outcome)}; decided was ${decided === "gap" ? "gap" : told(decided)}`);
    }
    return true;
  }

  override applied(seen: AppliedBatch): void {
    this.#order.note(seen);
    if (this.#open.length > 0) this.#open = this.#open.filter((each) => !this.#keeps(each));
  }

  override role({ replica, role, serving, epoch, syncedThrough }: RoleSeen): void {
    if (role !== "leading" || !serving || this.#led.has(epoch)) return;
    this.#led.add(epoch);
    const needed = this.#byEpoch.before(epoch);
    if (syncedThrough >= needed) return;
    const history = `replica ${replica} begins epoch ${epoch} with a history up to ${formatZxid(syncedThrough)}`;
    this.broken(`${history}; ${formatZxid(needed)} was acknowledged`);
  }

  override finished({ trees }: Finished): void {
    for (const { request, outcome } of this.#open) {
      if (this.#order.whole && outcome.zxid <= this.#order.end) this.#absent(request, outcome);
    }
    for (const [replica, tree] of trees) {
      if (tree.applied >= this.#newest) continue;
      const stands = `replica ${replica} stands at ${formatZxid(tree.applied)}`;
      this.broken(`${stands}; ${formatZxid(this.#newest)} was acknowledged`);
    }
  }
}

function told(outcome: Outcome): string {
  return outcome.ok ? `${outcome.result.kind} at ${formatZxid(outcome.zxid)}` : outcome.code;
}
