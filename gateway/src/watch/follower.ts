/**
 * What one attached session follows, path by path, and where it stands. Unlike a watch it may follow nothing for a while,
 * and then has nothing to ask; and what it follows changes while it is asked for.
 */
import {
  type Acting,
  anyone,
  type FeedChange,
  type Path,
  parentOf,
  utf8Length,
  type WatchedResult,
  type WatchOperation,
  type WatchScope,
  type WatchScopes,
  type Zxid,
  zeroZxid,
} from "@quorate/api";
import type { Following, FollowListener, ReadRequest } from "../backend.ts";
import { linkLimits } from "../limits.ts";
import type { Queued } from "../queue.ts";
import type { Party } from "./questions.ts";
import type { FeedPlace, WatcherState } from "./watcher.ts";

/** `idle`: it follows nothing, or did when the feed broke, and stands nowhere. Else as watchers. */
export type FollowerState = Exclude<WatcherState, "opening"> | "idle";

export interface FollowerPorts {
  /** Whether one path more may be followed by it, of so many bytes; if not, it is about to end. */
  admits(follower: Follower, bytes: number): boolean;
  added(follower: Follower, scope: WatchScope, path: Path, bytes: number): void;
  removed(follower: Follower, scope: WatchScope, path: Path, bytes: number): void;
  close(follower: Follower): void;
}

const bits: { readonly [scope in WatchScope]: number } = { node: 1, children: 2, subtree: 4 };
const scopeNames = Object.keys(bits) as readonly WatchScope[];
const nothing: WatchScopes = { node: [], children: [], subtree: [] };
const everything: WatchScopes = { ...nothing, subtree: ["/" as Path] };

export class Follower implements Following, Queued<Party> {
  readonly kind = "follower";
  readonly acting: Acting;
  readonly listener: FollowListener;
  state: FollowerState = "idle";
  /** What is followed is told from `zxid` on. If not, it is told from where it is answered that the tree stands. */
  anchored = false;
  /** All before it was told, while it is not joined and while `pending` is not told. */
  zxid: Zxid = zeroZxid;
  history: string | undefined = undefined;
  feed: FeedPlace | undefined = undefined;
  /** The question under way asks for every change: it is answered with more than what is followed. */
  wide = false;
  /** The question under way does not ask for all that is followed: the rest is told from its answer on. */
  partial = false;
  /** It is about to end. */
  refused = false;
  giveUp: (() => void) | undefined = undefined;
  /** What it is told at the end of the feed at hand; an array of one may be shared with others. */
  pending: FeedChange[] | undefined = undefined;
  pendingShared = false;
  queue: unknown = undefined;
  before: Party | undefined = undefined;
  after: Party | undefined = undefined;
  /** What is followed, and its bytes as they are asked: a path counts once for each scope. */
  count = 0;
  bytes = 0;
  /** The scopes of each path. */
  readonly #paths = new Map<Path, number>();
  #subtrees = 0;
  readonly #ports: FollowerPorts;

  constructor(acting: Acting, listener: FollowListener, ports: FollowerPorts) {
    this.acting = acting;
    this.listener = listener;
    this.#ports = ports;
  }

  get cursor(): Zxid {
    return this.feed && !this.pending ? this.feed.through : this.zxid;
  }

  /** Nothing older may be shown behind what it was told, and where it follows from. */
  get floor(): Zxid {
    return this.feed?.through ?? this.zxid;
  }

  /** Bytes of what its question asks. */
  get weight(): number {
    return this.wide ? 0 : this.bytes;
  }

  add(scope: WatchScope, path: Path): void {
    if (this.state === "ended" || this.refused) return;
    const had = this.#paths.get(path) ?? 0;
    if ((had & bits[scope]) !== 0) return;
    const bytes = bytesOf(path);
    if (!this.#ports.admits(this, bytes)) return;
    this.#paths.set(path, had | bits[scope]);
    this.count += 1;
    this.bytes += bytes;
    if (scope === "subtree") this.#subtrees += 1;
    this.#ports.added(this, scope, path, bytes);
  }

  remove(scope: WatchScope, path: Path): void {
    const had = this.#paths.get(path) ?? 0;
    if ((had & bits[scope]) === 0) return;
    const left = had & ~bits[scope];
    if (left === 0) this.#paths.delete(path);
    else this.#paths.set(path, left);
    const bytes = bytesOf(path);
    this.count -= 1;
    this.bytes -= bytes;
    if (scope === "subtree") this.#subtrees -= 1;
    this.#ports.removed(this, scope, path, bytes);
  }

  close(): void {
    this.#ports.close(this);
  }

  *followed(): Generator<readonly [WatchScope, Path]> {
    for (const [path, scopes] of this.#paths) {
      for (const scope of scopeNames) if ((scopes & bits[scope]) !== 0) yield [scope, path];
    }
  }

  /** It has ended: nothing is left of what it followed. */
  clear(): void {
    this.#paths.clear();
    this.count = 0;
    this.bytes = 0;
    this.#subtrees = 0;
  }

  /** Takes it off the feed, with all that it was told as its place. */
  leaveFeed(): void {
    this.zxid = this.cursor;
    this.feed = undefined;
    this.pending = undefined;
  }

  /** What happened behind its place; or, where it stands nowhere yet, how far the tree is, at least there. */
  question(): ReadRequest {
    const { zxid, history, acting, anchored } = this;
    this.partial = false;
    this.wide = anchored && this.bytes > linkLimits.followQuestionBytes;
    const scopes = !anchored ? nothing : this.wide ? everything : this.#scopes();
    const behind = !anchored ? {} : history === undefined ? { after: zxid } : { after: zxid, history };
    const operation: WatchOperation = { kind: "watch", scopes, raw: true, ...behind };
    // Rights are the listener's to judge.
    const how = { identity: anyone, consistency: "session", maxStaleMillis: 0 } as const;
    return { ...how, acting, operation, minZxid: anchored ? zeroZxid : zxid };
  }

  #scopes(): WatchScopes {
    const scopes: { readonly [scope in WatchScope]: Path[] } = { node: [], children: [], subtree: [] };
    for (const [scope, path] of this.followed()) scopes[scope].push(path);
    return scopes;
  }

  /** Its question was answered: what is to be told. */
  took({ through, changes = [] }: WatchedResult): readonly FeedChange[] {
    this.zxid = through;
    this.anchored = true;
    this.partial = false;
    return this.wide ? changes.filter((change) => this.#meets(change)) : changes;
  }

  #meets({ path, type }: FeedChange): boolean {
    const has = (at: Path, scope: WatchScope): boolean => ((this.#paths.get(at) ?? 0) & bits[scope]) !== 0;
    if (has(path, "node") || has(path, "subtree")) return true;
    const parent = parentOf(path);
    if (parent !== undefined && type !== "changed" && has(parent, "children")) return true;
    if (this.#subtrees === 0) return false;
    for (let at = parent; at !== undefined; at = parentOf(at)) if (has(at, "subtree")) return true;
    return false;
  }

  /** Whether everything up to `zxid` is told, or nothing that is told has been promised; `home`: somebody there said so. */
  tells(zxid: Zxid, home: boolean): boolean {
    if (this.refused) return false;
    if (this.count === 0) return true;
    if (!this.anchored || this.partial || this.pending !== undefined) return false;
    return this.cursor >= zxid || (home && this.state === "joined");
  }
}

function bytesOf(path: Path): number {
  return 4 + utf8Length(path);
}
