/**
 * DESIGN 5: apply is deterministic, and a digest of the whole replicated state finds who has come apart; the minority
 * quarantines itself.
 *
 * Checked: replicas that stand at the same position have the same digest and gave the same verdicts on the way. A
 * replica whose memory was flipped (`flipped`) is left out until it has restored a tree with the right digest: it may
 * come back with a wrong one, since the flip may have reached its log, and is then to be found again. At the end the
 * state of every replica, computed anew from its records, has the digest of that position: who is still wrong by then
 * was not found.
 */
import { formatZxid, type ReplicaId } from "@quorate/api";
import { type Applied, type SnapshotCursor, Tree } from "@quorate/tree";
import { type AppliedBatch, type Finished, Invariant, type Restored } from "../observation.ts";
import type { Order } from "./order.ts";

export class EqualDigests extends Invariant {
  readonly name = "equal-digests";
  readonly #order: Order;
  #now = 0;
  /** Those flipped that have restored a tree since. */
  readonly #restored = new Set<ReplicaId>();

  /** Suspects whose state is right since the last batch. */
  readonly #healed = new Set<ReplicaId>();

  constructor(order: Order) {
    super();
    this.#order = order;
  }

  /** A bit of the replica's memory was flipped; `at`: when, if not just now. */
  flipped(replica: ReplicaId, at: number = this.#now): void {
    this.#restored.delete(replica);
    this.#order.suspects.flip(replica, at);
  }

  override restored({ at, replica, tree }: Restored): void {
    this.#now = at;
    if (!this.#order.suspects.has(replica)) return;
    this.#restored.add(replica);
    // Its files were set aside, or it has what the others have.
    if (tree.applied === 0) this.#sound(replica);
    else if (this.#isRight(tree)) this.#sound(replica);
  }

  override stopped(at: number, replica: ReplicaId): void {
    this.#now = at;
    this.#healed.delete(replica);
    this.#restored.delete(replica);
  }

  override applied(seen: AppliedBatch): void {
    const { at, replica, batch, tree } = seen;
    this.#now = at;
    for (const each of this.#healed) this.#sound(each);
    this.#healed.clear();
    if (this.#order.suspects.has(replica)) {
      // What it did with this very batch it did to a wrong state.
      if (this.#restored.has(replica) && this.#isRight(tree)) this.#healed.add(replica);
      return;
    }
    const { entry, fresh } = this.#order.note(seen);
    const digest = tree.digest();
    const known = this.#order.digests.get(batch.last);
    if (known === undefined) this.#order.digests.set(batch.last, { digest, replica });
    else if (known.digest !== digest) {
      const others = `replica ${known.replica} has ${known.digest}`;
      this.broken(`at ${formatZxid(batch.last)} replica ${replica} has digest ${digest}, ${others}`);
    }
    if (!fresh && entry.results !== undefined) this.#sameVerdicts(seen, entry.results);
  }

  /** Of a tree that was restored after the flip. */
  #isRight(tree: Tree): boolean {
    return this.#order.digests.get(tree.applied)?.digest === tree.digest();
  }

  #sound(replica: ReplicaId): void {
    this.#restored.delete(replica);
    this.#order.suspects.clear(replica, this.#now);
  }

  #sameVerdicts({ replica, results }: AppliedBatch, first: readonly Applied[]): void {
    for (let i = 0; i < results.length; i++) {
      const { outcome, zxid } = results[i] as Applied;
      const other = first[i]?.outcome;
      if (isSame(outcome, other)) continue;
      this.broken(`replica ${replica} decides ${formatZxid(zxid)} otherwise than the first that applied it`);
    }
  }

  override finished({ trees }: Finished): void {
    for (const [replica, tree] of trees) {
      const expected = this.#order.digests.get(tree.applied)?.digest;
      const actual = anew(tree);
      if (expected === undefined || actual === undefined || actual === expected) continue;
      const flipped = this.#order.suspects.has(replica) ? "its flipped memory was not found: " : "";
      this.broken(`replica ${replica}: ${flipped}its records have digest ${actual}, expected is ${expected}`);
    }
  }
}

function isSame(a: Applied["outcome"], b: Applied["outcome"] | undefined): boolean {
  if (a === "gap" || b === "gap" || b === undefined) return a === b;
  if (a.zxid !== b.zxid || a.ok !== b.ok) return false;
  return a.ok || b.ok || a.code === b.code;
}

/** The digest of what the records hold, or why they are no state; undefined while the replica itself finds that out. */
function anew(tree: Tree): string | undefined {
  const cursor = snapshotOf(tree);
  if (cursor === undefined) return undefined;
  const loader = Tree.loader();
  for (let frame = cursor.next(1 << 20); frame !== undefined; frame = cursor.next(1 << 20)) loader.push(frame);
  if (!cursor.digestMatches) return "other than its sum";
  const loaded = loader.finish();
  return "bad" in loaded ? loaded.bad : loaded.digest();
}

/** Undefined: one is being taken. */
function snapshotOf(tree: Tree): SnapshotCursor | undefined {
  try {
    return tree.snapshot();
  } catch {
    return undefined;
  }
}
