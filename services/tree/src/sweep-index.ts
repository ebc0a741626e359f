/**
 * Which znodes a sweep may delete: TTL znodes without children by the second in which their time is over, and
 * containers that had children and have none. Derived from the records, so that no sweep looks at all znodes.
 */
import type { Path, SweepOperation } from "@quorate/api";
import type { ZNode } from "./znode.ts";

const bucketMillis = 1000;

/** When its time is over, by the stamps; undefined for a znode that no time ends, or not while it has children. */
export function dueAt(node: ZNode): number | undefined {
  if (node.nature.kind !== "ttl" || node.numChildren > 0) return undefined;
  return node.mtime + node.nature.ttlMillis;
}

/** ZooKeeper's rule: empty, and it once had a child. */
export function isSpentContainer(node: ZNode): boolean {
  return node.nature.kind === "container" && node.numChildren === 0 && node.childrenCreated !== 0;
}

export class SweepIndex {
  readonly #buckets = new Map<number, Set<Path>>();
  /** The keys of `#buckets`, ascending. */
  readonly #order: number[] = [];
  readonly #containers = new Set<Path>();

  add(node: ZNode): void {
    if (isSpentContainer(node)) this.#containers.add(node.path);
    const due = dueAt(node);
    if (due === undefined) return;
    const number = Math.floor(due / bucketMillis);
    const bucket = this.#buckets.get(number);
    if (bucket !== undefined) {
      bucket.add(node.path);
      return;
    }
    this.#buckets.set(number, new Set([node.path]));
    this.#order.splice(this.#position(number), 0, number);
  }

  remove(node: ZNode): void {
    if (node.nature.kind === "container") this.#containers.delete(node.path);
    const due = dueAt(node);
    if (due === undefined) return;
    const number = Math.floor(due / bucketMillis);
    const bucket = this.#buckets.get(number);
    bucket?.delete(node.path);
    if (bucket?.size !== 0) return;
    this.#buckets.delete(number);
    this.#order.splice(this.#position(number), 1);
  }

  /** At most `most`, those due first first. */
  candidates(now: number, most: number, get: (path: Path) => ZNode | undefined): SweepOperation["candidates"] {
    const found: SweepOperation["candidates"][number][] = [];
    for (const number of this.#order) {
      if (number * bucketMillis > now || found.length >= most) break;
      for (const path of this.#buckets.get(number) ?? []) {
        if (found.length >= most) break;
        const node = get(path);
        const due = node && dueAt(node);
        if (node && due !== undefined && due <= now) found.push({ path, mzxid: node.mzxid, pzxid: node.pzxid });
      }
    }
    for (const path of this.#containers) {
      if (found.length >= most) break;
      const node = get(path);
      if (node) found.push({ path, mzxid: node.mzxid, pzxid: node.pzxid });
    }
    return found;
  }

  #position(number: number): number {
    let low = 0;
    let high = this.#order.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#order[middle] as number) < number) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
