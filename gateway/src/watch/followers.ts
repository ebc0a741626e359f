/**
 * Those who follow paths on behalf of attached sessions: what they follow comes and goes without asking anybody, as long as
 * the feed goes on.
 *
 * 1. Who follows nothing stands nowhere (`idle`). With its first path it takes its place in the feed, if others have joined
 *    that; else it asks how far the tree is, and follows from there (`anchored`).
 * 2. A path that is added while its question is under way is followed from the answer on (`partial`).
 * 3. Until it knows from where all its paths are followed, no answer of its session's lane is told; and no read of it shows
 *    less than where it stands (`Watches.floor`): one that does is asked again. So a read that was given behind `add` shows
 *    a state behind which all changes of the path are told.
 */
import type { Acting, Path, WatchScope } from "@quorate/api";
import type { FollowListener, ReadRequest, WatchEnd } from "../backend.ts";
import { linkLimits } from "../limits.ts";
import type { GatewayWorld } from "../ports.ts";
import { Follower, type FollowerPorts } from "./follower.ts";
import type { Party } from "./questions.ts";
import type { WatchIndex } from "./watch-index.ts";
import type { FeedPlace } from "./watcher.ts";

export interface FollowersPorts {
  readonly world: GatewayWorld;
  /** Where the home's feed stands, if anybody has joined it. */
  place(): FeedPlace | undefined;
  /** It has to ask. */
  wait(follower: Follower): void;
  /** What waited for its events may go on, and nobody may watch any more. */
  relieved(): void;
  end(follower: Follower, end: WatchEnd): void;
  forget(follower: Follower): void;
}

export class Followers {
  readonly all: Set<Follower> = new Set();
  /** Of all: a path once for each scope. */
  followed = 0;
  #bytes = 0;
  readonly #index: WatchIndex<Party>;
  readonly #ports: FollowersPorts;
  readonly #ofFollowers: FollowerPorts;

  constructor(index: WatchIndex<Party>, ports: FollowersPorts) {
    this.#index = index;
    this.#ports = ports;
    this.#ofFollowers = {
      admits: (follower, bytes) => this.#admits(follower, bytes),
      added: (follower, scope, path, bytes) => this.#added(follower, scope, path, bytes),
      removed: (follower, scope, path, bytes) => this.#removed(follower, scope, path, bytes),
      close: (follower) => ports.forget(follower),
    };
  }

  /** `refusal`: why it ends at once, but not before this returns. */
  open(acting: Acting, listener: FollowListener, refusal: WatchEnd | undefined): Follower {
    const follower = new Follower(acting, listener, this.#ofFollowers);
    if (refusal) this.#refuse(follower, refusal);
    else this.all.add(follower);
    return follower;
  }

  #refuse(follower: Follower, end: WatchEnd): void {
    follower.refused = true;
    this.#ports.world.soon(() => this.#ports.end(follower, end));
  }

  #admits(follower: Follower, bytes: number): boolean {
    const { sessionFollowed, sessionFollowedBytes, followed, followedBytes } = linkLimits;
    const own = follower.count >= sessionFollowed || follower.bytes + bytes > sessionFollowedBytes;
    if (!own && this.followed < followed && this.#bytes + bytes <= followedBytes) return true;
    const detail = own
      ? `this session watches ${follower.count} paths, and may not watch more through one gateway`
      : `the sessions of this gateway watch ${this.followed} paths, and it takes no more; try another one, or again later`;
    this.#refuse(follower, { code: "throttled", detail, retryAfterMillis: 1000 });
    return false;
  }

  #added(follower: Follower, scope: WatchScope, path: Path, bytes: number): void {
    this.followed += 1;
    this.#bytes += bytes;
    this.#index.enter(scope, path, follower);
    if (follower.state === "asking" && !follower.wide) follower.partial = true;
    if (follower.state === "idle" && !this.#takePlace(follower)) this.#ports.wait(follower);
  }

  #removed(follower: Follower, scope: WatchScope, path: Path, bytes: number): void {
    this.followed -= 1;
    this.#bytes -= bytes;
    this.#index.leave(scope, path, follower);
    if (follower.count === 0) this.#ports.relieved();
  }

  /** (1) */
  #takePlace(follower: Follower): boolean {
    const place = this.#ports.place();
    if (!place || follower.anchored || place.through < follower.cursor) return false;
    follower.anchored = true;
    follower.history = place.history;
    follower.state = "joined";
    follower.feed = place;
    return true;
  }

  /** It is its turn to ask; undefined: it need not. */
  question(follower: Follower): ReadRequest | undefined {
    if (follower.count === 0) {
      this.#idle(follower);
      return undefined;
    }
    return this.#takePlace(follower) ? undefined : follower.question();
  }

  #idle(follower: Follower): void {
    follower.state = "idle";
    follower.anchored = false;
  }

  /** The feed that stood there has a gap, or is turned off. */
  broken(place: FeedPlace): void {
    for (const follower of this.all) {
      if (follower.feed !== place) continue;
      follower.leaveFeed();
      if (follower.count === 0) this.#idle(follower);
      else this.#ports.wait(follower);
    }
  }

  /** It has ended. */
  forget(follower: Follower): void {
    this.all.delete(follower);
    for (const [scope, path] of follower.followed()) this.#index.leave(scope, path, follower);
    this.followed -= follower.count;
    this.#bytes -= follower.bytes;
    follower.clear();
  }
}
