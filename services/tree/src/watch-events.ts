/**
 * The events that one watcher gets of the changes behind its cursor: a change of a named path, and of children of one,
 * needs READ by the lists of that moment, or the watch is over there; below a subtree's root it is left out without it.
 * A gateway that judges rights by itself gets the changes, and those lists.
 */
import {
  type Acl,
  assert,
  type Change,
  type ChangeType,
  type FeedChange,
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
import { bytesOfAcl } from "./outcome-memory.ts";
import type { State } from "./state.ts";

/** `through`: everything up to there is here; `more`: there are others behind it. */
interface Portion {
  readonly through: Zxid;
  readonly more: boolean;
}
/** Nothing can be told of what comes next. */
type Untold = "tooOld" | "tooLarge";

/** `lost`: the named path that may not be read there. */
type Found = ({ readonly found: readonly Change[] } & Portion) | Untold | { readonly lost: Path };
export type Told = ({ readonly events: readonly WatchEvent[] } & Portion) | Untold | { readonly lost: Path };
export type RawTold = ({ readonly changes: readonly FeedChange[]; readonly acls: readonly Acl[] } & Portion) | Untold;

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
 * Whole transactions behind `after`, as many as fit; `more`: what a change takes beside its path. Where the watch is over,
 * what comes before is told first: whoever asks again from there learns of the end.
 */
function find(state: State, after: Zxid, watcher: Watcher, more: (change: Change) => number): Found {
  const changes = state.ring.after(after);
  if (changes === "tooOld") return "tooOld";
  const found: Change[] = [];
  let [bytes, scanned, through] = [0, 0, after];
  // Of the transaction under way: its zxid and its first event, so that it can be taken back.
  let [zxid, first] = [after, 0];
  const cut = (): Found => ({ found: found.slice(0, first), through, more: true });
  for (const change of changes) {
    if (change.zxid !== zxid) {
      [through, zxid, first] = [zxid, change.zxid, found.length];
      const { watchEvents, watchBytes, watchScanned } = memoryLimits;
      if (found.length >= watchEvents || bytes >= watchBytes || scanned >= watchScanned) return cut();
    }
    scanned += 1 + (change.path.length >> 7);
    const verdict = watcher.judge(change);
    if (verdict === "pass") continue;
    if (verdict !== "tell") return through > after ? cut() : verdict;
    found.push(change);
    bytes += more(change) + utf8Length(change.path);
    if (bytes > memoryLimits.watchTransactionBytes) return through > after ? cut() : "tooLarge";
  }
  return { found, through: state.applied, more: false };
}

export function eventsAfter(state: State, after: Zxid, watcher: Watcher): Told {
  const told = find(state, after, watcher, () => fixedBytes);
  if (typeof told === "string" || "lost" in told) return told;
  const { through, more } = told;
  const events = told.found.map(({ zxid, type, path, version, czxid, time }): WatchEvent => {
    return { zxid, type: type as ChangeType, path, version, czxid, time: Math.floor(time) };
  });
  return { events, through, more };
}

/** The lists that changes refer to, each once. */
class Lists {
  readonly acls: Acl[] = [];
  /** One was not there any more. */
  missing = false;
  readonly #state: State;
  readonly #places = new Map<number, number>();

  constructor(state: State) {
    this.#state = state;
  }

  /** Bytes by which they grow. */
  add(reference: number): number {
    if (this.#places.has(reference)) return 0;
    const acl = this.#state.acls.get(reference) ?? this.#state.ring.retired(reference);
    if (acl === undefined) this.missing = true;
    this.#places.set(reference, this.acls.length);
    this.acls.push(acl ?? []);
    return bytesOfAcl(acl ?? []);
  }

  place(reference: number): number {
    return this.#places.get(reference) ?? 0;
  }
}

const everybody: Identity = { ids: [], superUser: true };

/** Whatever the scopes meet, whoever may read it. */
export function changesAfter(state: State, after: Zxid, scopes: WatchScopes): RawTold {
  const lists = new Lists(state);
  const grow = (change: Change): number => fixedBytes + lists.add(change.acl) + lists.add(change.parentAcl);
  const told = find(state, after, new Watcher(state, scopes, everybody), grow);
  if (typeof told === "string") return told;
  assert(!("lost" in told), "nothing is kept from the gateway");
  if (lists.missing) return "tooOld";
  const { through, more } = told;
  const changes = told.found.map((change): FeedChange => {
    const { acl, parentAcl, time } = change;
    return { ...change, time: Math.floor(time), acl: lists.place(acl), parentAcl: lists.place(parentAcl) };
  });
  return { changes, acls: lists.acls, through, more };
}
