/**
 * Who watches which path. Finding the watchers of a change costs a look-up of its path, one of its parent, and of the
 * ancestors only while there are watchers of subtrees: a change that nobody watches must cost next to nothing.
 */
import { type ChangeType, type Path, parentOf, type WatchScope, type WatchScopes } from "@quorate/api";

/** The watchers of one path. A set is there only while somebody is in it. */
type Spot<W> = { [scope in WatchScope]: Set<W> | undefined };

/**
 * How those that were found stand to the change's path: they watch the znode (`node`), its children (`parent`), the
 * subtree whose root it is (`root`); or it is a child of what they watch (`child`), or below it (`below`).
 */
export type Relation = "node" | "parent" | "root" | "child" | "below";

export type Found<W> = (relation: Relation, watchers: ReadonlySet<W>) => void;

const scopeNames: readonly WatchScope[] = ["node", "children", "subtree"];

export class WatchIndex<W> {
  readonly #spots = new Map<Path, Spot<W>>();
  /** Sets that are there, by scope. */
  readonly #sets: { [scope in WatchScope]: number } = { node: 0, children: 0, subtree: 0 };

  /** Paths that somebody watches. */
  get size(): number {
    return this.#spots.size;
  }

  add(scopes: WatchScopes, watcher: W): void {
    for (const scope of scopeNames) {
      for (const path of scopes[scope]) {
        let spot = this.#spots.get(path);
        if (!spot) {
          spot = { node: undefined, children: undefined, subtree: undefined };
          this.#spots.set(path, spot);
        }
        const set = spot[scope];
        if (set) set.add(watcher);
        else {
          spot[scope] = new Set([watcher]);
          this.#sets[scope] += 1;
        }
      }
    }
  }

  remove(scopes: WatchScopes, watcher: W): void {
    for (const scope of scopeNames) {
      for (const path of scopes[scope]) {
        const spot = this.#spots.get(path);
        const set = spot?.[scope];
        if (!spot || !set?.delete(watcher) || set.size > 0) continue;
        spot[scope] = undefined;
        this.#sets[scope] -= 1;
        if (!spot.node && !spot.children && !spot.subtree) this.#spots.delete(path);
      }
    }
  }

  /** A watcher of several paths may be found several times. The sets must not be changed meanwhile. */
  find(path: Path, type: ChangeType | "acl", found: Found<W>): void {
    const spots = this.#spots;
    if (spots.size === 0) return;
    const own = spots.get(path);
    if (own) {
      if (own.node) found("node", own.node);
      if (own.children) found("parent", own.children);
      if (own.subtree) found("root", own.subtree);
    }
    let parents = this.#sets.children > 0 && (type === "created" || type === "deleted");
    const subtrees = this.#sets.subtree > 0;
    if (!parents && !subtrees) return;
    for (let at = parentOf(path); at !== undefined; at = parentOf(at)) {
      const spot = spots.get(at);
      if (parents && spot?.children) found("child", spot.children);
      if (!subtrees) return;
      if (spot?.subtree) found("below", spot.subtree);
      parents = false;
    }
  }
}
