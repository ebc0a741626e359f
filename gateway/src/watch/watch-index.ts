/**
 * Who watches which path. Finding the watchers of a change costs a look-up of its path, one of its parent, and of the
 * ancestors only while there are watchers of subtrees: a change that nobody watches must cost next to nothing. Nor may a
 * path: millions may be followed, and most of them by one alone, who then stands there without a set.
 */
import { type ChangeType, type Path, parentOf, utf8Length, type WatchScope, type WatchScopes } from "@quorate/api";

/** One alone, or several. */
type Crowd<W> = W | Set<W>;
/** The watchers of one path. A crowd is there only while somebody is in it. */
type Spot<W> = { [scope in WatchScope]: Crowd<W> | undefined };

/**
 * How those that were found stand to the change's path: they watch the znode (`node`), its children (`parent`), the
 * subtree whose root it is (`root`); or it is a child of what they watch (`child`), or below it (`below`).
 */
export type Relation = "node" | "parent" | "root" | "child" | "below";

export type Found<W> = (relation: Relation, watcher: W) => void;

const scopeNames: readonly WatchScope[] = ["node", "children", "subtree"];

/** `W`: no set. */
export class WatchIndex<W extends object> {
  readonly #spots = new Map<Path, Spot<W>>();
  /** Crowds that are there, by scope. */
  readonly #crowds: { [scope in WatchScope]: number } = { node: 0, children: 0, subtree: 0 };

  /** Paths that somebody watches. */
  get size(): number {
    return this.#spots.size;
  }

  /** All that somebody watches; undefined: these are more bytes, each path behind its length. */
  scopes(mostBytes: number): WatchScopes | undefined {
    const scopes: { readonly [scope in WatchScope]: Path[] } = { node: [], children: [], subtree: [] };
    let bytes = 0;
    for (const [path, spot] of this.#spots) {
      for (const scope of scopeNames) {
        if (spot[scope] === undefined) continue;
        scopes[scope].push(path);
        bytes += 4 + utf8Length(path);
      }
      if (bytes > mostBytes) return undefined;
    }
    return scopes;
  }

  add(scopes: WatchScopes, watcher: W): void {
    for (const scope of scopeNames) for (const path of scopes[scope]) this.enter(scope, path, watcher);
  }

  remove(scopes: WatchScopes, watcher: W): void {
    for (const scope of scopeNames) for (const path of scopes[scope]) this.leave(scope, path, watcher);
  }

  /** Harmless if it is there. */
  enter(scope: WatchScope, path: Path, watcher: W): void {
    let spot = this.#spots.get(path);
    if (!spot) {
      spot = { node: undefined, children: undefined, subtree: undefined };
      this.#spots.set(path, spot);
    }
    const crowd = spot[scope];
    if (crowd instanceof Set) crowd.add(watcher);
    else if (crowd === undefined) {
      spot[scope] = watcher;
      this.#crowds[scope] += 1;
    } else if (crowd !== watcher) spot[scope] = new Set([crowd, watcher]);
  }

  /** Harmless if it is not there. */
  leave(scope: WatchScope, path: Path, watcher: W): void {
    const spot = this.#spots.get(path);
    const crowd = spot?.[scope];
    if (!spot || crowd === undefined) return;
    if (crowd instanceof Set) {
      crowd.delete(watcher);
      if (crowd.size > 0) return;
    } else if (crowd !== watcher) return;
    spot[scope] = undefined;
    this.#crowds[scope] -= 1;
    if (!spot.node && !spot.children && !spot.subtree) this.#spots.delete(path);
  }

  /** A watcher of several paths may be found several times. Nobody may come or go meanwhile. */
  find(path: Path, type: ChangeType | "acl", found: Found<W>): void {
    const spots = this.#spots;
    if (spots.size === 0) return;
    const own = spots.get(path);
    if (own) {
      each("node", own.node, found);
      each("parent", own.children, found);
      each("root", own.subtree, found);
    }
    let parents = this.#crowds.children > 0 && (type === "created" || type === "deleted");
    const subtrees = this.#crowds.subtree > 0;
    if (!parents && !subtrees) return;
    for (let at = parentOf(path); at !== undefined; at = parentOf(at)) {
      const spot = spots.get(at);
      if (parents) each("child", spot?.children, found);
      if (!subtrees) return;
      each("below", spot?.subtree, found);
      parents = false;
    }
  }
}

function each<W extends object>(relation: Relation, crowd: Crowd<W> | undefined, found: Found<W>): void {
  if (crowd === undefined) return;
  if (crowd instanceof Set) for (const watcher of crowd) found(relation, watcher);
  else found(relation, crowd);
}
