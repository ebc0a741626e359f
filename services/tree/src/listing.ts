/**
 * A subtree as it is at one zxid, read in pages between which batches are applied: the store's former records again
 * (`store.ts`), for readers instead of the snapshot's writer. The first change of a znode that a listing has still to come
 * to keeps its former record for it; what the listing has passed is of no more concern to it. Parents come before
 * children, and names are sorted by their bytes.
 */
import { type Failure, type Identity, type Path, parentOf, permissions, type TreeEntry, type Zxid } from "@quorate/api";
import { expand } from "./compact-data.ts";
import { failure } from "./failure.ts";
import { denied, may } from "./rights.ts";
import { SortedNames } from "./sorted-names.ts";
import type { State } from "./state.ts";
import type { Keeper, Stored, Table } from "./store.ts";
import { statOf, type ZNode } from "./znode.ts";

/** A znode that has changed since, as it was; `undefined` node: there was none. */
interface Former {
  readonly node: ZNode | undefined;
  /** By the rights of then: its list may be gone from the table by the time the listing comes to it. */
  readonly readable: boolean;
}

/** Children of `parent` that are still to be looked at. */
interface Level {
  readonly parent: Path;
  /** The last one looked at. */
  last: Path | undefined;
  /** Good within one page: nothing is applied meanwhile. */
  paths: Iterator<string, void> | undefined;
}

export interface ListingRequest {
  readonly path: Path;
  /** Levels below it; undefined: all. */
  readonly depth?: number;
  readonly withData: boolean;
}

export interface ListedPage {
  readonly entries: readonly TreeEntry[];
  readonly more: boolean;
}

/** What a kept record is taken to cost, beside its path and data. */
const keptRecordBytes = 400;
const createdSince: Former = { node: undefined, readable: false };

export class Listing implements Keeper {
  readonly at: Zxid;
  readonly #state: State;
  readonly #identity: Identity;
  readonly #depth: number;
  readonly #withData: boolean;
  readonly #root: Path;
  /** What begins every path below the root of the listing. */
  readonly #prefix: string;
  readonly #former = new Map<Path, Former>();
  /** Deleted since, by parent. */
  readonly #gone = new Map<Path, SortedNames>();
  /** From the root of the listing to where it stands. */
  readonly #levels: Level[] = [];
  /** Everything up to here, in the listing's order, is done with. */
  #passed: Path | undefined = undefined;
  #open = true;
  /** Rough memory of what is kept for it. */
  keptBytes = 0;

  static begin(state: State, request: ListingRequest, identity: Identity): Listing | Failure {
    const { path } = request;
    const node = state.znodes.get(path);
    if (node === undefined) return failure(state.applied, "noNode", `there is no znode ${path}`, path);
    return denied(state, state.applied, node, identity, permissions.read) ?? new Listing(state, request, identity);
  }

  private constructor(state: State, request: ListingRequest, identity: Identity) {
    this.at = state.applied;
    this.#state = state;
    this.#identity = identity;
    this.#root = request.path;
    this.#prefix = prefixOf(request.path);
    this.#depth = request.depth ?? Number.POSITIVE_INFINITY;
    this.#withData = request.withData;
    state.store.keep(this);
  }

  get open(): boolean {
    return this.#open;
  }

  /** Nothing is kept for it any more. Harmless when it is over. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#state.store.release(this);
    this.#former.clear();
    this.#gone.clear();
    this.#levels.length = 0;
    this.keptBytes = 0;
  }

  /** At most `count` znodes and about `bytes`; closed by its last page. It must be open. */
  next(count: number, bytes: number): ListedPage {
    const entries: TreeEntry[] = [];
    let left = count;
    let room = bytes;
    for (const level of this.#levels) level.paths = undefined;
    let path = this.#step();
    while (path !== undefined) {
      const entry = this.#entry(path);
      if (entry !== undefined) {
        entries.push(entry);
        room -= 160 + 3 * path.length + (entry.data?.length ?? 0);
      }
      if (--left <= 0 || room <= 0) return { entries, more: true };
      path = this.#step();
    }
    this.close();
    return { entries, more: false };
  }

  /** The next path in order, passed with this. */
  #step(): Path | undefined {
    const levels = this.#levels;
    if (this.#passed === undefined) return this.#pass(this.#root);
    for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
      level.paths ??= this.#childrenOf(level.parent, level.last);
      const step = level.paths.next();
      if (step.done !== true) {
        level.last = step.value as Path;
        return this.#pass(level.last);
      }
      levels.pop();
    }
    return undefined;
  }

  /** `path` is looked at now; its children are next, where it is not too deep. */
  #pass(path: Path): Path {
    this.#passed = path;
    const was = this.#former.get(path) !== createdSince;
    if (was && this.#levels.length < this.#depth)
      this.#levels.push({ parent: path, last: undefined, paths: undefined });
    return path;
  }

  /** Those that were there or are there, behind `after`. */
  *#childrenOf(parent: Path, after: Path | undefined): Generator<string, void, undefined> {
    const living = this.#state.znodes.get(parent)?.family?.index.after(after);
    const gone = this.#gone.get(parent)?.after(after);
    let next = gone?.next();
    for (const path of living ?? []) {
      while (next !== undefined && next.done !== true && next.value < path) {
        yield next.value;
        next = gone?.next();
      }
      yield path;
    }
    while (next !== undefined && next.done !== true) {
      yield next.value;
      next = gone?.next();
    }
  }

  #entry(path: Path): TreeEntry | undefined {
    const former = this.#former.get(path);
    let node: ZNode | undefined;
    if (former === undefined) {
      node = this.#state.znodes.get(path);
      if (node === undefined || !this.#mayRead(node)) return undefined;
    } else {
      node = former.node;
      this.#former.delete(path);
      this.keptBytes -= bytesOf(path, former);
      if (node === undefined || !former.readable) return undefined;
    }
    const entry = { path: node.path, stat: statOf(node) };
    return this.#withData ? { ...entry, data: expand(node.data) } : entry;
  }

  #mayRead(node: ZNode): boolean {
    return may(this.#state, node, this.#identity, permissions.read);
  }

  /** The store's word: `former` is about to be replaced by `next`. */
  replacing(table: Table<Stored>, former: Stored | undefined, next: Stored | undefined): void {
    if (table.number !== this.#state.znodes.table.number) return;
    const before = former as ZNode | undefined;
    const after = next as ZNode | undefined;
    const path = (before ?? after)?.path as Path;
    if (!this.#concerns(path)) return;
    let kept = this.#former.get(path);
    if (kept === undefined) {
      kept = before === undefined ? createdSince : { node: before, readable: this.#mayRead(before) };
      this.#former.set(path, kept);
      this.keptBytes += bytesOf(path, kept);
    }
    if (kept === createdSince || path === this.#root) return;
    if (after === undefined) this.#note(path);
    else if (before === undefined) this.#gone.get(parentOf(path) as Path)?.remove(path);
  }

  #note(path: Path): void {
    const parent = parentOf(path) as Path;
    const known = this.#gone.get(parent);
    const gone = known ?? new SortedNames();
    if (known === undefined) this.#gone.set(parent, gone);
    gone.insert(path);
  }

  /** Whether the listing has still to come to `path`. */
  #concerns(path: Path): boolean {
    const passed = this.#passed;
    if (path === this.#root) return passed === undefined;
    if (!path.startsWith(this.#prefix) || levelsOf(path, this.#prefix.length) > this.#depth) return false;
    return passed === undefined || isBehind(path, passed);
  }
}

function prefixOf(path: Path): string {
  return path.length === 1 ? path : `${path}/`;
}

function bytesOf(path: Path, { node }: Former): number {
  return keptRecordBytes + 2 * path.length + (node === undefined ? 0 : node.data.length);
}

/** Of a path below one whose prefix has `length` characters. */
function levelsOf(path: Path, length: number): number {
  let levels = 1;
  for (let at = path.indexOf("/", length); at >= 0; at = path.indexOf("/", at + 1)) levels++;
  return levels;
}

const slash = 47;

/** Whether `path` comes behind `other` in a listing: as text, but with the slash before all that names may have. */
export function isBehind(path: string, other: string): boolean {
  const length = Math.min(path.length, other.length);
  for (let i = 0; i < length; i++) {
    const a = path.charCodeAt(i);
    const b = other.charCodeAt(i);
    if (a === b) continue;
    if (a === slash) return false;
    return b === slash || a > b;
  }
  return path.length > other.length;
}
