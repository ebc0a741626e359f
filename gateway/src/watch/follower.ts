/**
 * What one attached session follows, path by path. It has no place of its own in the feed: all that follow stand where
 * `Followers` stands.
 */
import {
  type Acting,
  type FeedChange,
  type Path,
  utf8Length,
  type WatchScope,
  type Zxid,
  zeroZxid,
} from "@quorate/api";
import type { Following, FollowListener } from "../backend.ts";
import type { FeedPlace } from "./watcher.ts";

/** What it knows of all of them. */
export interface FollowerPorts {
  /** Where they stand. */
  readonly feed: FeedPlace;
  /** From there on all that is followed is told. */
  readonly settled: boolean;
  /** The home's feed goes on there. */
  readonly joined: boolean;
  /** Whether one path more may be followed by it, of so many bytes; if not, it is about to end. */
  admits(follower: Follower, bytes: number): boolean;
  added(follower: Follower, scope: WatchScope, path: Path, bytes: number): void;
  removed(follower: Follower, scope: WatchScope, path: Path, bytes: number): void;
  close(follower: Follower): void;
}

const bits: { readonly [scope in WatchScope]: number } = { node: 1, children: 2, subtree: 4 };
const scopeNames = Object.keys(bits) as readonly WatchScope[];

export class Follower implements Following {
  readonly kind = "follower";
  readonly acting: Acting;
  readonly listener: FollowListener;
  state: "follows" | "ended" = "follows";
  /** It is about to end. */
  refused = false;
  /** What it is told at the end of the message at hand; an array of one may be shared with others. */
  pending: FeedChange[] | undefined = undefined;
  pendingShared = false;
  /** Where it stands while `pending` is not told, and once it has ended. */
  zxid: Zxid = zeroZxid;
  /** What is followed, and its bytes as they are asked: a path counts once for each scope. */
  count = 0;
  bytes = 0;
  /** The scopes of each path. */
  readonly #paths = new Map<Path, number>();
  readonly #ports: FollowerPorts;

  constructor(acting: Acting, listener: FollowListener, ports: FollowerPorts) {
    this.acting = acting;
    this.listener = listener;
    this.#ports = ports;
  }

  get feed(): FeedPlace {
    return this.#ports.feed;
  }

  get cursor(): Zxid {
    return this.pending || this.state === "ended" ? this.zxid : this.#ports.feed.through;
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
    this.zxid = this.cursor;
    this.pending = undefined;
    this.#paths.clear();
    this.count = 0;
    this.bytes = 0;
  }

  /** Whether everything up to `zxid` is told, and what is followed is told behind it; `home`: somebody there said so. */
  tells(zxid: Zxid, home: boolean): boolean {
    if (this.refused) return false;
    if (this.count === 0) return true;
    const { settled, joined, feed } = this.#ports;
    if (!settled || this.pending !== undefined) return false;
    return feed.through >= zxid || (home && joined);
  }
}

/** Behind its length. */
function bytesOf(path: Path): number {
  return 4 + utf8Length(path);
}
