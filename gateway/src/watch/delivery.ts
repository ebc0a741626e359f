/**
 * One message of the feed at a time: who of the joined watchers is told of which change. An event is made once for each
 * change, and only if somebody is told of it; all share it, so that a door can encode it once. Nothing is called here:
 * what was gathered lies in the watchers.
 *
 * Rights are those of the change: who watches a path by name and may not read it any more is denied, and told nothing of
 * that transaction; below a subtree's root a znode that may not be read is left out.
 */
import type { ChangeType, FeedChange, Path, WatchEvent, Zxid } from "@quorate/api";
import type { ToGateway } from "@quorate/proto";
import type { Readers } from "./readers.ts";
import type { Relation, WatchIndex } from "./watch-index.ts";
import type { FeedPlace, Watcher } from "./watcher.ts";

export type FeedMessage = Extract<ToGateway, { kind: "feed" }>;

export class Delivery {
  readonly #index: WatchIndex<Watcher>;
  readonly #readers: Readers;
  #place: FeedPlace = { through: 0 as Zxid };
  #touched: Watcher[] = [];
  #change: FeedChange | undefined;
  #event: WatchEvent | undefined;
  /** The event alone in an array, for all who are told of nothing else in this message. */
  #alone: WatchEvent[] = [];

  constructor(index: WatchIndex<Watcher>, readers: Readers) {
    this.#index = index;
    this.#readers = readers;
  }

  /** Those with `pending` or `denied` set; each keeps its place as it was before this message until it is told. */
  gather(place: FeedPlace, { changes, acls }: FeedMessage): readonly Watcher[] {
    this.#place = place;
    this.#touched = [];
    this.#readers.begin(acls);
    for (const change of changes) {
      this.#change = change;
      this.#event = undefined;
      this.#index.find(change.path, change.type, this.#found);
    }
    this.#change = undefined;
    return this.#touched;
  }

  readonly #found = (relation: Relation, watchers: ReadonlySet<Watcher>): void => {
    const change = this.#change as FeedChange;
    const { type } = change;
    switch (relation) {
      case "node":
      case "root":
        for (const each of watchers) this.#named(each, change, change.acl, change.path, type !== "acl");
        return;
      case "parent":
        // No event, but its ACL is the one that decides over its children's.
        if (type !== "created" && type !== "acl") return;
        for (const each of watchers) this.#named(each, change, change.acl, change.path, false);
        return;
      case "child":
        for (const each of watchers) this.#named(each, change, change.parentAcl, undefined, true);
        return;
      case "below":
        if (type === "acl") return;
        for (const each of watchers) {
          if (this.#listens(each) && this.#readers.may(each.reader, change.acl)) this.#tell(each, change);
        }
        return;
      default:
        relation satisfies never;
    }
  };

  #listens(watcher: Watcher): boolean {
    return watcher.feed === this.#place && watcher.denied === undefined;
  }

  /** `path` undefined: the change's parent. */
  #named(watcher: Watcher, change: FeedChange, acl: number, path: Path | undefined, tells: boolean): void {
    if (!this.#listens(watcher)) return;
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
