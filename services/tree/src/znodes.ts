/**
 * The table of znodes by path, with what is derived from them: each znode's sorted children, the ephemerals of each
 * session, what a sweep may delete, the usage of quotas, and the uses of ACLs.
 */
import { assert, type Path, parentOf, rootPath, type SessionId } from "@quorate/api";
import { type Acls, openAclReference } from "./acls.ts";
import type { Quotas } from "./quotas.ts";
import { SortedNames } from "./sorted-names.ts";
import { type Home, type Store, Table } from "./store.ts";
import { SweepIndex } from "./sweep-index.ts";
import { beginning, Family, hashZNode, type Moment, type Nature, persistentNature, ZNode } from "./znode.ts";

interface Ephemerals {
  /** Shared by the session's ephemerals. */
  readonly nature: Nature;
  readonly paths: Set<Path>;
}

export class Znodes implements Home<ZNode> {
  readonly table: Table<ZNode>;
  readonly sweeps: SweepIndex = new SweepIndex();
  readonly #map = new Map<Path, ZNode>();
  readonly #ephemerals = new Map<SessionId, Ephemerals>();
  /** Of all paths and data, as ZooKeeper counts: a path in UTF-16 units. */
  bytes = 0;
  /** Of all sessions. */
  ephemerals = 0;
  readonly #acls: Acls;
  readonly #quotas: Quotas;

  /** `root`: with the root znode; a loader brings its own. */
  constructor(store: Store, acls: Acls, quotas: Quotas, root: boolean) {
    this.#acls = acls;
    this.#quotas = quotas;
    this.table = new Table(store, 1, this, hashZNode);
    if (root) this.table.replace(undefined, ZNode.fresh(rootPath, "", persistentNature, openAclReference, beginning));
  }

  get size(): number {
    return this.#map.size;
  }

  get(path: Path): ZNode | undefined {
    return this.#map.get(path);
  }

  /** Puts a new znode under its parent, in whose record the creation counts. */
  insert(parent: ZNode, child: ZNode, at: Moment): void {
    const family = parent.family;
    const index = family === undefined ? new SortedNames() : family.index;
    const created = family === undefined ? 1 : (family.created + 1) | 0;
    const count = family === undefined ? 1 : family.count + 1;
    this.table.replace(parent, parent.withFamily(new Family(at.zxidHigh, at.zxidLow, created, count, index)));
    index.insert(child.path);
    this.table.replace(undefined, child);
  }

  /** Takes a childless znode from under its parent. */
  detach(parent: ZNode, child: ZNode, at: Moment): void {
    const family = parent.family;
    assert(family !== undefined && family.count > 0, "the parent of a znode has children");
    assert(child.numChildren === 0, "a deleted znode has no children");
    this.table.replace(child, undefined);
    family.index.remove(child.path);
    const { created, count, index } = family;
    this.table.replace(parent, parent.withFamily(new Family(at.zxidHigh, at.zxidLow, created, count - 1, index)));
  }

  /** The nature of the session's ephemerals. */
  ephemeralNature(session: SessionId): Nature {
    return this.#ephemerals.get(session)?.nature ?? { kind: "ephemeral", owner: session, ttlMillis: 0 };
  }

  ephemeralCount(session: SessionId): number {
    return this.#ephemerals.get(session)?.paths.size ?? 0;
  }

  /** Sorted, so that every replica deletes them in the same order. */
  ephemeralsOf(session: SessionId): readonly Path[] {
    return [...(this.#ephemerals.get(session)?.paths ?? [])].sort();
  }

  put(node: ZNode): void {
    this.#map.set(node.path, node);
  }

  remove(node: ZNode): void {
    this.#map.delete(node.path);
  }

  values(): IterableIterator<ZNode> {
    return this.#map.values();
  }

  changed(former: ZNode | undefined, next: ZNode | undefined, undoing: boolean): void {
    if (undoing) this.#undoIndex(former, next);
    if (next !== undefined) this.bytes += next.path.length + next.data.length;
    if (former !== undefined) this.bytes -= former.path.length + former.data.length;
    if (former === undefined || next === undefined || former.acl !== next.acl) {
      if (next !== undefined) this.#acls.retain(next.acl);
      if (former !== undefined) this.#acls.release(former.acl);
    }
    if (former !== undefined && former.nature !== persistentNature) this.#forget(former, next);
    if (next !== undefined && next.nature !== persistentNature) this.#note(next, former);
    if (this.#quotas.on) this.#quotas.changed(former, next);
  }

  /** `insert` and `detach` keep the index themselves; an undo comes here record by record. */
  #undoIndex(former: ZNode | undefined, next: ZNode | undefined): void {
    const path = former === undefined ? next?.path : next === undefined ? former.path : undefined;
    const parentPath = path === undefined ? undefined : parentOf(path);
    if (path === undefined || parentPath === undefined) return;
    const index = this.#map.get(parentPath)?.family?.index;
    assert(index !== undefined, "a znode's parent has an index of its children");
    if (next === undefined) index.remove(path);
    else index.insert(path);
  }

  #forget(former: ZNode, next: ZNode | undefined): void {
    if (former.nature.kind !== "ephemeral") {
      this.sweeps.remove(former);
      return;
    }
    if (next?.nature.kind === "ephemeral") return;
    const of = this.#ephemerals.get(former.nature.owner);
    if (of?.paths.delete(former.path)) this.ephemerals -= 1;
    if (of?.paths.size === 0) this.#ephemerals.delete(former.nature.owner);
  }

  #note(next: ZNode, former: ZNode | undefined): void {
    if (next.nature.kind !== "ephemeral") {
      this.sweeps.add(next);
      return;
    }
    if (former?.nature.kind === "ephemeral") return;
    this.ephemerals += 1;
    const of = this.#ephemerals.get(next.nature.owner);
    if (of !== undefined) of.paths.add(next.path);
    else this.#ephemerals.set(next.nature.owner, { nature: next.nature, paths: new Set([next.path]) });
  }
}
