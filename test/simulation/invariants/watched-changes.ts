/**
 * The changes of the one order with the lists that said who might read them, and what each is to a watch: what its
 * client has to be told of it. `note` may be called by each invariant with the same observation.
 */
import {
  type Acl,
  type Change,
  type Path,
  parentOf,
  permissions,
  permits,
  type WatchScopes,
  type Zxid,
} from "@quorate/api";
import type { AppliedBatch, Watch } from "../observation.ts";
import type { Entry, Order } from "./order.ts";

export interface WatchedChange {
  readonly change: Change;
  readonly acl: Acl;
  readonly parentAcl: Acl;
}

/** `lost`: the watch ends there, because a path that it names may not be read. */
export type Verdict = "tell" | "pass" | "lost";

/** What a watch is told of a stretch of the order, and where it has lost its right. */
export interface Due {
  readonly changes: readonly Change[];
  /** The transaction at which it ends; nothing of that one is told, and nothing behind it. */
  readonly lost: Zxid | undefined;
}

export class WatchedChanges {
  readonly order: Order;
  readonly #changes: WatchedChange[] = [];
  readonly #of = new Map<Entry, readonly WatchedChange[] | undefined>();
  /** Where changes are not known: behind the first, up to the second. */
  readonly #holes: (readonly [Zxid, Zxid])[] = [];
  #seen: AppliedBatch | undefined;

  constructor(order: Order) {
    this.order = order;
  }

  note(seen: AppliedBatch): void {
    if (this.#seen === seen) return;
    this.#seen = seen;
    const { entry, fresh, revealed } = this.order.note(seen);
    if (fresh) this.#of.set(entry, withLists(entry, seen));
    for (const each of revealed) {
      const changes = this.#of.get(each);
      this.#of.delete(each);
      if (changes === undefined) this.#holes.push([each.batch.previous, each.batch.last]);
      else for (const change of changes) this.#changes.push(change);
    }
  }

  /** Up to here everything is known. */
  get through(): Zxid {
    return this.order.knownThrough;
  }

  /** What `watch` is told of everything behind `from`, up to `through`; undefined: that is not known. */
  due({ request }: Watch, from: Zxid, through: Zxid): Due | undefined {
    if (this.#holes.some(([behind, last]) => behind < through && last > from)) return undefined;
    const changes: Change[] = [];
    for (let at = this.#after(from); at < this.#changes.length; at++) {
      const seen = this.#changes[at] as WatchedChange;
      const { zxid } = seen.change;
      if (zxid > through) break;
      const verdict = verdictOf(request.scopes, seen, (acl) => permits(acl, request.identity, permissions.read));
      if (verdict === "tell") changes.push(seen.change);
      if (verdict !== "lost") continue;
      while (changes.at(-1)?.zxid === zxid) changes.pop();
      return { changes, lost: zxid };
    }
    return { changes, lost: undefined };
  }

  /** All changes behind `from`, up to `through`; undefined: that is not known. */
  between(from: Zxid, through: Zxid): readonly WatchedChange[] | undefined {
    if (through > this.through || this.#holes.some(([behind, last]) => behind < through && last > from))
      return undefined;
    return this.#changes.slice(this.#after(from), this.#after(through));
  }

  /** Whether there was such a change, and the watch may not be told of it. */
  forbids({ request }: Watch, zxid: Zxid, path: Path): boolean {
    const readable = (acl: Acl): boolean => permits(acl, request.identity, permissions.read);
    for (let at = this.#after((zxid - 1) as Zxid); at < this.#changes.length; at++) {
      const seen = this.#changes[at] as WatchedChange;
      if (seen.change.zxid !== zxid) return false;
      if (seen.change.path === path && verdictOf(request.scopes, seen, readable) !== "tell") return true;
    }
    return false;
  }

  /** The first change behind `zxid`. */
  #after(zxid: Zxid): number {
    let low = 0;
    let high = this.#changes.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#changes[middle] as WatchedChange).change.zxid <= zxid) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Undefined: the ring was too small for them, or for the lists. */
function withLists({ changes }: Entry, { tree }: AppliedBatch): readonly WatchedChange[] | undefined {
  const known: WatchedChange[] = [];
  for (const change of changes ?? []) {
    const acl = tree.acl(change.acl);
    const parentAcl = tree.acl(change.parentAcl);
    if (acl === undefined || parentAcl === undefined) return undefined;
    known.push({ change, acl, parentAcl });
  }
  return changes && known;
}

/** Of one change, by the scopes that it matches: the strictest says. */
export function verdictOf(
  scopes: WatchScopes,
  { change, acl, parentAcl }: WatchedChange,
  readable: (acl: Acl) => boolean,
): Verdict {
  const { path, type } = change;
  const parent = parentOf(path);
  const comesOrGoes = type === "created" || type === "deleted";
  const named = scopes.node.includes(path) || scopes.subtree.includes(path);
  const parentNamed = comesOrGoes && parent !== undefined && scopes.children.includes(parent);
  const own = readable(acl);
  // The list by which its children may be watched is another one now.
  const parents = scopes.children.includes(path) && (type === "acl" || type === "created");
  if (((named || parents) && !own) || (parentNamed && !readable(parentAcl))) return "lost";
  if (type === "acl") return "pass";
  const below = own && scopes.subtree.some((root) => isBelow(path, root));
  return named || parentNamed || below ? "tell" : "pass";
}

function isBelow(path: Path, root: Path): boolean {
  return path !== root && path.startsWith(root === "/" ? "/" : `${root}/`);
}
