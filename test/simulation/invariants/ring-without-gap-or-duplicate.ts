/**
 * etcd's API guarantees for watches: ordered, unique, reliable, atomic; DESIGN 7: each replica keeps the recent changes
 * in a ring, from which a cursor resumes; it begins anew at a SNAP and is filled from the log at a restart.
 *
 * Checked: the changes of a batch are those that its executed commands tell of in their results, in the order of their
 * zxids, and nothing else has any; every replica's ring holds exactly the changes of the one order from its floor on
 * (with each batch the new tail; the whole ring when it was restored, at the end, and now and then). After a leader's
 * snapshot its floor is not below that snapshot's zxid.
 */
import {
  assert,
  type Change,
  formatZxid,
  type ReplicaId,
  type Result,
  type TxnOperation,
  type WriteOperation,
  type Zxid,
} from "@quorate/api";
import type { Tree } from "@quorate/tree";
import { type AppliedBatch, type Finished, Invariant, type Restored } from "../observation.ts";
import type { Entry, Execution, Order } from "./order.ts";
import { sameChange } from "./same-value.ts";

/** So many batches of a replica between two looks at its whole ring. */
const wholeEvery = 512;

interface Counts {
  created: number;
  /** Missing parents come on top. */
  moreCreated: boolean;
  changed: number;
  deleted: number;
  acl: number;
}

export class RingWithoutGapOrDuplicate extends Invariant {
  readonly name = "ring-without-gap-or-duplicate";
  readonly #order: Order;
  /** Of the order, as far as it is known. */
  readonly #changes: Change[] = [];
  /** `#changes` is whole behind this: a batch was too large for the ring it was seen in. */
  #wholeSince: Zxid = 0 as Zxid;
  readonly #looks = new Map<ReplicaId, number>();

  constructor(order: Order) {
    super();
    this.#order = order;
  }

  /** Whose ring may be of a wrong state, also when the state has become right; and since when its process lives. */
  readonly #tainted = new Set<ReplicaId>();
  readonly #since = new Map<ReplicaId, number>();

  override applied(seen: AppliedBatch): void {
    const { entry, fresh, revealed } = this.#order.note(seen);
    for (const each of revealed) this.#extend(each);
    if (this.#order.suspects.has(seen.replica)) this.#tainted.add(seen.replica);
    if (this.#tainted.has(seen.replica)) return;
    if (!fresh && entry.changes !== undefined) this.#tail(seen, entry.changes);
    const looks = (this.#looks.get(seen.replica) ?? 0) + 1;
    this.#looks.set(seen.replica, looks);
    if (looks % wholeEvery === 0) this.#wholeRing(seen.replica, seen.tree);
  }

  #extend(entry: Entry): void {
    const { changes, executed, batch } = entry;
    if (changes === undefined) {
      this.#changes.length = 0;
      this.#wholeSince = batch.last;
      return;
    }
    let at = 0;
    for (const execution of executed) {
      const start = at;
      while (changes[at]?.zxid === execution.zxid) at++;
      this.#tells(execution, changes.slice(start, at));
    }
    const rest = changes[at];
    if (rest !== undefined) this.broken(`the change of ${rest.path} at ${formatZxid(rest.zxid)} is no command's`);
    this.#changes.push(...changes);
  }

  /** The changes are what the results say. */
  #tells({ zxid, command: { operation }, outcome: { result } }: Execution, changes: readonly Change[]): void {
    const expected: Counts = { created: 0, moreCreated: false, changed: 0, deleted: 0, acl: 0 };
    this.#expect(operation, result, expected, changes);
    const found = { created: 0, changed: 0, deleted: 0, acl: 0 };
    for (const { type } of changes) found[type]++;
    const more = expected.moreCreated ? found.created >= expected.created : found.created === expected.created;
    const others = ["changed", "deleted", "acl"] as const;
    if (more && others.every((each) => found[each] === expected[each])) return;
    const what = `${operation.kind} at ${formatZxid(zxid)}`;
    this.broken(`${what} has changes ${JSON.stringify(found)}, its result tells ${JSON.stringify(expected)}`);
  }

  #expect(operation: WriteOperation | TxnOperation, result: Result, counts: Counts, changes: readonly Change[]): void {
    switch (result.kind) {
      case "node": {
        if (result.created) counts.created++;
        else counts.changed++;
        if ("parents" in operation && operation.parents) counts.moreCreated = true;
        const type = result.created ? "created" : "changed";
        const { path, stat } = result;
        const isIt = (each: Change): boolean => each.path === path && each.type === type;
        const { version, czxid } = stat;
        if (changes.some((each) => isIt(each) && each.version === version && each.czxid === czxid)) return;
        return this.broken(`no change tells that ${path} was ${type} (version ${version})`);
      }
      case "deleted":
      case "done":
        counts.deleted += result.count;
        return;
      case "acl":
        if (operation.kind === "setAcl") counts.acl++;
        return;
      case "txn": {
        assert(operation.kind === "txn", "a txn's result is of a txn");
        const operations = (result.branch === "then" ? operation.then : operation.else) ?? [];
        for (const [index, each] of result.results.entries()) {
          this.#expect(operations[index] as TxnOperation, each, counts, changes);
        }
        return;
      }
      default:
    }
  }

  /** What the batch added to the ring. */
  #tail({ replica, batch, tree }: AppliedBatch, expected: readonly Change[]): void {
    const { floor } = tree.changes;
    const from = Math.max(floor, batch.previous) as Zxid;
    let at = 0;
    while (at < expected.length && (expected[at] as Change).zxid <= from) at++;
    this.#same(replica, tree, from, expected, at);
  }

  /** Everything in the ring, as far as the order's changes are known. */
  #wholeRing(replica: ReplicaId, tree: Tree): void {
    if (tree.applied > this.#order.knownThrough || this.#order.suspects.has(replica)) return;
    const { floor } = tree.changes;
    const from = Math.max(floor, this.#wholeSince) as Zxid;
    if (from >= tree.applied) return;
    this.#same(replica, tree, from, this.#changes, this.#after(from));
  }

  #same(replica: ReplicaId, tree: Tree, from: Zxid, expected: readonly Change[], start: number): void {
    const ring = tree.changes.after(from);
    if (ring === "tooOld") this.broken(`the ring of replica ${replica} does not reach back to its own floor`);
    let at = start;
    for (const change of ring) {
      const other = expected[at++];
      if (other !== undefined && sameChange(change, other)) continue;
      const has = `the ring of replica ${replica} has ${describe(change)}`;
      this.broken(`${has}, the order ${other === undefined ? "nothing more" : describe(other)}`);
    }
    const missing = expected[at];
    if (missing === undefined || missing.zxid > tree.applied) return;
    this.broken(`the ring of replica ${replica} has not ${describe(missing)}`);
  }

  /** The first change of the order behind `zxid`. */
  #after(zxid: Zxid): number {
    let low = 0;
    let high = this.#changes.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#changes[middle] as Change).zxid <= zxid) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  override restored({ at, replica, from, tree }: Restored): void {
    // What it came back with may have been written in a life of flipped memory.
    if (this.#order.suspects.spoke(replica, this.#since.get(replica) ?? 0, at)) this.#tainted.add(replica);
    else this.#tainted.delete(replica);
    this.#since.set(replica, at);
    const { floor } = tree.changes;
    if (floor > tree.applied) {
      this.broken(`the ring of replica ${replica} begins at ${formatZxid(floor)}, beyond ${formatZxid(tree.applied)}`);
    }
    if (from === "leader" && floor < tree.applied) {
      const snapshot = `a leader's snapshot of ${formatZxid(tree.applied)}`;
      this.broken(`behind ${snapshot} the ring of replica ${replica} begins at ${formatZxid(floor)}`);
    }
    if (!this.#tainted.has(replica)) this.#wholeRing(replica, tree);
  }

  override finished({ trees }: Finished): void {
    for (const [replica, tree] of trees) if (!this.#tainted.has(replica)) this.#wholeRing(replica, tree);
  }
}

function describe({ type, path, zxid, version }: Change): string {
  return `${type} ${path} at ${formatZxid(zxid)} (version ${version})`;
}
