/**
 * Those who follow paths on behalf of attached sessions. What they follow comes and goes without asking anybody, as long as
 * the feed goes on; and when that breaks, one question is asked for all of them.
 *
 * 1. They stand at one place. As long as nobody follows anything, that is nowhere in particular (`idle`). With the first
 *    path they take their place in the feed, if watchers have joined that; else it is asked how far the tree is, and all is
 *    followed from there (`anchored`).
 * 2. What happened behind a broken feed is asked for by the union of what is followed, and goes to each through the index as a
 *    message of the feed does. A path that is added while the question is under way is followed from the answer on (`partial`).
 * 3. Until it is known from where all paths are followed, no answer of a session's lane is told; and no read of it shows
 *    less than where they stand (`Watches.floor`): one that does is asked again. So a read that was given behind `add` shows
 *    a state behind which all changes of the path are told.
 */
import {
  type Acting,
  anyone,
  type Path,
  type WatchedResult,
  type WatchOperation,
  type WatchScope,
  type WatchScopes,
  type Zxid,
  zeroZxid,
} from "@quorate/api";
import type { FollowListener, ReadRequest, WatchEnd } from "../backend.ts";
import { linkLimits } from "../limits.ts";
import type { GatewayWorld } from "../ports.ts";
import type { Queued } from "../queue.ts";
import type { Delivery } from "./delivery.ts";
import { Follower, type FollowerPorts } from "./follower.ts";
import type { Party } from "./questions.ts";
import type { WatchIndex } from "./watch-index.ts";
import type { FeedPlace, Watcher, WatcherState } from "./watcher.ts";

export type Member = Watcher | Follower;

export interface FollowersPorts {
  readonly world: GatewayWorld;
  /** Where the home's feed stands, if anybody has joined it. */
  place(): FeedPlace | undefined;
  /** They have to ask. */
  wait(followers: Followers): void;
  /** What waited for events may go on, and nobody may watch any more. */
  relieved(): void;
  tell(member: Member, call: () => void): void;
  end(member: Member, end: WatchEnd): void;
  forget(member: Member): void;
}

const nothing: WatchScopes = { node: [], children: [], subtree: [] };
const everything: WatchScopes = { ...nothing, subtree: ["/" as Path] };

export class Followers implements FollowerPorts, Queued<Party> {
  readonly kind = "followers";
  /** They ask on behalf of many. */
  readonly acting = undefined;
  readonly all: Set<Follower> = new Set();
  /** Of all: a path once for each of them and each scope. */
  followed = 0;
  state: Exclude<WatcherState, "opening" | "ended"> | "idle" = "idle";
  /** All before it was told to all of them. */
  feed: FeedPlace = { through: zeroZxid, history: undefined };
  giveUp: (() => void) | undefined = undefined;
  /** Bytes of what the question under way asks. */
  weight = 0;
  queue: unknown = undefined;
  before: Party | undefined = undefined;
  after: Party | undefined = undefined;
  /** What is followed is told from `feed` on. If not, it is told from where it is answered that the tree stands. */
  #anchored = false;
  /** The question under way asks for every change. */
  #wide = false;
  /** It does not ask for all that is followed by now. */
  #partial = false;
  #bytes = 0;
  readonly #index: WatchIndex<Member>;
  readonly #delivery: Delivery;
  readonly #ports: FollowersPorts;

  constructor(index: WatchIndex<Member>, delivery: Delivery, ports: FollowersPorts) {
    this.#index = index;
    this.#delivery = delivery;
    this.#ports = ports;
  }

  get settled(): boolean {
    return this.#anchored && !this.#partial;
  }
  get joined(): boolean {
    return this.state === "joined";
  }
  get history(): string | undefined {
    return this.feed.history;
  }
  set history(history: string | undefined) {
    this.feed.history = history;
  }

  /** `refusal`: why it ends at once, but not before this returns. */
  open(acting: Acting, listener: FollowListener, refusal: WatchEnd | undefined): Follower {
    const follower = new Follower(acting, listener, this);
    if (refusal) this.#refuse(follower, refusal);
    else this.all.add(follower);
    return follower;
  }

  #refuse(follower: Follower, end: WatchEnd): void {
    follower.refused = true;
    this.#ports.world.soon(() => this.#ports.end(follower, end));
  }

  admits(follower: Follower, bytes: number): boolean {
    const { sessionFollowed, sessionFollowedBytes, followed, followedBytes } = linkLimits;
    const own = follower.count >= sessionFollowed || follower.bytes + bytes > sessionFollowedBytes;
    if (!own && this.followed < followed && this.#bytes + bytes <= followedBytes) return true;
    const detail = own
      ? `this session watches ${follower.count} paths, and may not watch more through one gateway`
      : `the sessions of this gateway watch ${this.followed} paths, and it takes no more; try another one, or again later`;
    this.#refuse(follower, { code: "throttled", detail, retryAfterMillis: 1000 });
    return false;
  }

  added(follower: Follower, scope: WatchScope, path: Path, bytes: number): void {
    this.followed += 1;
    this.#bytes += bytes;
    this.#index.enter(scope, path, follower);
    if (this.state === "idle" && !this.#takePlace()) this.#ports.wait(this);
    else if (this.state === "asking" && !this.#wide) this.#partial = true;
  }

  removed(follower: Follower, scope: WatchScope, path: Path, bytes: number): void {
    this.followed -= 1;
    this.#bytes -= bytes;
    this.#index.leave(scope, path, follower);
    if (follower.count === 0) this.#ports.relieved();
  }

  close(follower: Follower): void {
    this.#ports.forget(follower);
  }

  /** It has ended. */
  forget(follower: Follower): void {
    this.all.delete(follower);
    for (const [scope, path] of follower.followed()) this.#index.leave(scope, path, follower);
    this.followed -= follower.count;
    this.#bytes -= follower.bytes;
    follower.clear();
  }

  /** (1) */
  #takePlace(): boolean {
    const place = this.#ports.place();
    if (!place || this.#anchored || place.through < this.feed.through) return false;
    this.#anchored = true;
    this.state = "joined";
    this.feed = place;
    return true;
  }

  /** It is their turn to ask; undefined: they need not. */
  question(): ReadRequest | undefined {
    if (this.followed === 0) {
      this.#idle();
      return undefined;
    }
    if (this.#takePlace()) return undefined;
    const { through, history } = this.feed;
    const scopes = this.#anchored ? this.#index.scopes(linkLimits.followQuestionBytes) : nothing;
    const behind = !this.#anchored ? {} : history === undefined ? { after: through } : { after: through, history };
    const operation: WatchOperation = { kind: "watch", scopes: scopes ?? everything, raw: true, ...behind };
    this.#wide = scopes === undefined;
    this.#partial = false;
    this.weight = scopes === undefined ? 0 : Math.min(this.#bytes, linkLimits.followQuestionBytes);
    // Rights are the listeners' to judge.
    const how = { identity: anyone, consistency: "session", maxStaleMillis: 0 } as const;
    return { ...how, operation, minZxid: this.#anchored ? zeroZxid : through };
  }

  /** Their question was answered. */
  took({ through, changes = [], acls = [] }: WatchedResult): void {
    const told = this.#anchored ? changes : [];
    const touched = this.#delivery.gather(this.feed, { changes: told, acls });
    this.feed.through = through;
    this.#anchored = true;
    this.#partial = false;
    for (const each of touched) if (each.kind === "follower") this.deliver(each, acls);
  }

  /** What was gathered for it. */
  deliver(follower: Follower, acls: WatchedResult["acls"] = []): void {
    const { pending } = follower;
    if (pending === undefined) return;
    follower.pending = undefined;
    this.#ports.tell(follower, () => follower.listener.changes(pending, acls));
  }

  /** What is asked for can never be told: all have lost changes. */
  lost(end: WatchEnd): void {
    this.#idle();
    if (end.code === "cursorOfAnotherHistory") this.feed = { through: zeroZxid, history: undefined };
    for (const follower of [...this.all]) if (follower.count > 0) this.#ports.end(follower, end);
  }

  /** The feed that stood there has a gap, or is turned off. */
  broken(place: FeedPlace): void {
    if (this.feed !== place) return;
    this.feed = { ...place };
    if (this.followed === 0) this.#idle();
    else this.#ports.wait(this);
  }

  #idle(): void {
    this.state = "idle";
    this.#anchored = false;
    this.#partial = false;
  }

  /** Older than where they stand: of no use. */
  isBack(through: Zxid): boolean {
    return through < this.feed.through;
  }
}
