/**
 * The events that one watcher gets of the changes behind its cursor: a change of a named path, and of children of one,
 * needs READ by the lists of that moment, or the watch is over there; below a subtree's root it is left out without it.
 */
import {
  type Change,
  type ChangeType,
  type Identity,
  type Path,
  parentOf,
  permissions,
  permits,
  utf8Length,
  type WatchEvent,
  type WatchScopes,
  type Zxid,
} from "@quorate/api";
import { openAclReference } from "./acls.ts";
import { memoryLimits } from "./limits.ts";
import type { State } from "./state.ts";

/** `lost`: the named path that may not be read there. */
export type Told =
  | { readonly events: readonly WatchEvent[]; readonly through: Zxid; readonly more: boolean }
  | "tooOld"
  | "tooLarge"
  | { readonly lost: Path };

/** Rough bytes of an event on the wire beside its path. */
const fixedBytes = 40;

/** What a change is to the watcher: an event, none, or the end because of that path. */
type Verdict = "tell" | "pass" | { readonly lost: Path };

/** Judges changes by the scopes and rights of one watcher. */
export class Watcher {
  readonly #state: State;
  readonly #identity: Identity;
  readonly #nodes: ReadonlySet<Path>;
  readonly #parents: ReadonlySet<Path>;
  readonly #tops: ReadonlySet<Path>;
  /** What begins all paths below a subtree's root; sorted, and none begins another. */
  readonly #prefixes: readonly string[];
  readonly #readable = new Map<number, boolean>();

  constructor(state: State, scopes: WatchScopes, identity: Identity) {
    this.#state = state;
    this.#identity = identity;
    this.#nodes = new Set(scopes.node);
    this.#parents = new Set(scopes.children);
    this.#tops = new Set(scopes.subtree);
    const prefixes: string[] = [];
    for (const each of scopes.subtree.map((path) => (path.length === 1 ? path : `${path}/`)).sort()) {
      const before = prefixes.at(-1);
      if (before === undefined || !each.startsWith(before)) prefixes.push(each);
    }
    this.#prefixes = prefixes;
  }

  judge(change: Change): Verdict {
    const { type, path } = change;
    const named = this.#nodes.has(path) || this.#tops.has(path);
    // The list by which its children may be watched is another one now.
    const parent = (type === "acl" || type === "created") && this.#parents.has(path);
    if ((named || parent) && !this.#mayRead(change.acl)) return { lost: path };
    if (type === "acl") return "pass";
    if (type !== "changed" && this.#parents.size > 0) {
      const above = parentOf(path);
      if (above !== undefined && this.#parents.has(above)) {
        return this.#mayRead(change.parentAcl) ? "tell" : { lost: above };
      }
    }
    return named || (this.#isBelow(path) && this.#mayRead(change.acl)) ? "tell" : "pass";
  }

  /** Below the root of a subtree: then the greatest prefix that is not greater than the path begins it. */
  #isBelow(path: Path): boolean {
    const prefixes = this.#prefixes;
    let low = 0;
    let high = prefixes.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((prefixes[middle] as string) <= path) low = middle + 1;
      else high = middle;
    }
    return low > 0 && path.startsWith(prefixes[low - 1] as string);
  }

  #mayRead(reference: number): boolean {
    if (reference === openAclReference || this.#identity.superUser) return true;
    const known = this.#readable.get(reference);
    if (known !== undefined) return known;
    const acl = this.#state.acls.get(reference) ?? this.#state.ring.retired(reference);
    const readable = acl !== undefined && permits(acl, this.#identity, permissions.read);
    this.#readable.set(reference, readable);
    return readable;
  }
}

/**
 * Whole transactions behind `after`, as many as fit. Where the watch is over, what comes before is told first: whoever
 * asks again from there learns of the end.
 */
export function eventsAfter(state: State, after: Zxid, watcher: Watcher): Told {
  const changes = state.ring.after(after);
  if (changes === "tooOld") return "tooOld";
  const events: WatchEvent[] = [];
  let [bytes, scanned, through] = [0, 0, after];
  // Of the transaction under way: its zxid and its first event, so that it can be taken back.
  let [zxid, first] = [after, 0];
  const cut = (): Told => ({ events: events.slice(0, first), through, more: true });
  for (const change of changes) {
    if (change.zxid !== zxid) {
      [through, zxid, first] = [zxid, change.zxid, events.length];
      const { watchEvents, watchBytes, watchScanned } = memoryLimits;
      if (events.length >= watchEvents || bytes >= watchBytes || scanned >= watchScanned) return cut();
    }
    scanned += 1 + (change.path.length >> 7);
    const verdict = watcher.judge(change);
    if (verdict === "pass") continue;
    if (verdict !== "tell") return through > after ? cut() : verdict;
    const { type, path, version, czxid, time } = change;
    events.push({ zxid, type: type as ChangeType, path, version, czxid, time: Math.floor(time) });
    bytes += fixedBytes + utf8Length(path);
    if (bytes > memoryLimits.watchTransactionBytes) return through > after ? cut() : "tooLarge";
  }
  return { events, through: state.applied, more: false };
}
