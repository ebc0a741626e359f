/**
 * One message of the feed at a time: who of those who are joined is told of which change. An event is made once for each
 * change, and only if somebody is told of it; all share it, so that a door can encode it once. Nothing is called here:
 * what was gathered lies in them.
 *
 * Rights are those of the change: who watches a path by name and may not read it any more is denied, and told nothing of
 * that transaction; below a subtree's root a znode that may not be read is left out. Who follows paths judges by itself, and
 * gets the changes as they are.
 */
import type { ChangeType, FeedChange, Path, WatchEvent, Zxid } from "@quorate/api";
import type { ToGateway } from "@quorate/proto";
import type { Follower } from "./follower.ts";
import type { Member } from "./followers.ts";
import type { Readers } from "./readers.ts";
import type { Relation, WatchIndex } from "./watch-index.ts";
import type { FeedPlace, Watcher } from "./watcher.ts";

export type FeedMessage = Extract<ToGateway, { kind: "feed" }>;

export class Delivery {
  readonly #index: WatchIndex<Member>;
  readonly #readers: Readers;
  #place: FeedPlace = { through: 0 as Zxid, history: undefined };
  #touched: Member[] = [];
  #change: FeedChange | undefined;
  #event: WatchEvent | undefined;
  /** The event alone in an array, for all who are told of nothing else in this message. */
  #alone: WatchEvent[] = [];
  /** The change alone, likewise. */
  #aloneRaw: FeedChange[] = [];

  constructor(index: WatchIndex<Member>, readers: Readers) {
    this.#index = index;
    this.#readers = readers;
  }

  /** Those with `pending` or `denied` set; each keeps its place as it was before this message until it is told. */
  gather(place: FeedPlace, { changes, acls }: Pick<FeedMessage, "changes" | "acls">): readonly Member[] {
    this.#place = place;
    this.#touched = [];
    this.#readers.begin(acls);
    for (const change of changes) {
      this.#change = change;
      this.#event = undefined;
      this.#aloneRaw = [];
      this.#index.find(change.path, change.type, this.#found);
    }
    this.#change = undefined;
    return this.#touched;
  }

  readonly #found = (relation: Relation, member: Member): void => {
    if (member.feed !== this.#place) return;
    const change = this.#change as FeedChange;
    const { type } = change;
    if (member.kind === "follower") {
      if (type !== "acl" && relation !== "parent") this.#follow(member, change);
      return;
    }
    if (member.denied !== undefined) return;
    switch (relation) {
      case "node":
      case "root":
        this.#named(member, change, change.acl, change.path, type !== "acl");
        return;
      case "parent":
        // No event, but its ACL is the one that decides over its children's.
        if (type === "created" || type === "acl") this.#named(member, change, change.acl, change.path, false);
        return;
      case "child":
        this.#named(member, change, change.parentAcl, undefined, true);
        return;
      case "below":
        if (type !== "acl" && this.#readers.may(member.reader, change.acl)) this.#tell(member, change);
        return;
      default:
        relation satisfies never;
    }
  };

  #follow(follower: Follower, change: FeedChange): void {
    const { pending } = follower;
    if (pending === undefined) {
      follower.zxid = this.#place.through;
      this.#touched.push(follower);
      if (this.#aloneRaw.length === 0) this.#aloneRaw.push(change);
      follower.pending = this.#aloneRaw;
      follower.pendingShared = true;
      return;
    }
    // Found before, by another of its paths.
    if (pending.at(-1) === change) return;
    if (follower.pendingShared) {
      follower.pending = [...pending, change];
      follower.pendingShared = false;
    } else pending.push(change);
  }

  /** `path` undefined: the change's parent. */
  #named(watcher: Watcher, change: FeedChange, acl: number, path: Path | undefined, tells: boolean): void {
    if (this.#readers.may(watcher.reader, acl)) {
      if (tells) this.#tell(watcher, change);
      return;
    }
    this.#touch(watcher);
    watcher.denied = path ?? (change.path.slice(0, Math.max(1, change.path.lastIndexOf("/"))) as Path);
    // Of the transaction that took the right nothing is told, or it would be told in part.
    watcher.pending = watcher.pending?.filter((event) => event.zxid !== change.zxid) ?? [];
    watcher.pendingShared = false;
  }

  #touch(watcher: Watcher): void {
    if (watcher.pending !== undefined) return;
    watcher.zxid = this.#place.through;
    this.#touched.push(watcher);
  }

  #tell(watcher: Watcher, change: FeedChange): void {
    if (this.#event === undefined) {
      this.#event = eventOf(change);
      this.#alone = [this.#event];
    }
    const event = this.#event;
    const { pending } = watcher;
    if (pending === undefined) {
      this.#touch(watcher);
      watcher.pending = this.#alone;
      watcher.pendingShared = true;
      return;
    }
    // Found before, by another of its scopes.
    if (pending.at(-1) === event) return;
    if (watcher.pendingShared) {
      watcher.pending = [...pending, event];
      watcher.pendingShared = false;
    } else pending.push(event);
  }
}

function eventOf({ zxid, type, path, version, czxid, time }: FeedChange): WatchEvent {
  return { zxid, type: type as ChangeType, path, version, czxid, time };
}
