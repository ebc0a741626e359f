/** One open watch: where it stands, and what of the feed at hand it is about to be told. */
import type { Acting, Path, WatchEvent, WatchScopes, Zxid } from "@quorate/api";
import type { Cursor, Watching, WatchListener } from "../backend.ts";
import type { Queued } from "../queue.ts";
import type { Reader } from "./readers.ts";

/** How far the feed of one stream has been told; a broken feed is never taken up again. */
export interface FeedPlace {
  through: Zxid;
}

/**
 * `opening`: its first question is under way. `asking`: a later one is. `waiting`: for its turn to ask, or for a home.
 * `resting`: it was refused and asks again in a moment. `joined`: the feed goes on where its last answer ended.
 */
export type WatcherState = "opening" | "asking" | "waiting" | "resting" | "joined" | "ended";

export class Watcher implements Watching, Queued<Watcher> {
  readonly scopes: WatchScopes;
  readonly acting: Acting | undefined;
  readonly reader: Reader;
  readonly listener: WatchListener;
  state: WatcherState = "opening";
  /** Where it stands while it is not joined, and while `pending` is not told. */
  zxid: Zxid;
  history: string | undefined;
  /** While it is joined. */
  feed: FeedPlace | undefined = undefined;
  /** It was opened behind a cursor, or told that more is on its way: the next answer is told even with no events. */
  owed: boolean;
  /** Gives the question up that is under way. */
  giveUp: (() => void) | undefined = undefined;
  /** What it is told at the end of the feed at hand; an array of one may be shared with others. */
  pending: WatchEvent[] | undefined = undefined;
  pendingShared = false;
  /** The path whose reading is not permitted any more, found in the feed at hand. */
  denied: Path | undefined = undefined;
  queue: unknown = undefined;
  before: Watcher | undefined = undefined;
  after: Watcher | undefined = undefined;
  readonly #close: (watcher: Watcher) => void;

  constructor(
    { scopes, acting, after }: { scopes: WatchScopes; acting?: Acting; after?: Cursor },
    reader: Reader,
    listener: WatchListener,
    close: (watcher: Watcher) => void,
  ) {
    this.scopes = scopes;
    this.acting = acting;
    this.reader = reader;
    this.listener = listener;
    this.zxid = after?.zxid ?? (0 as Zxid);
    this.history = after?.history;
    this.owed = after !== undefined;
    this.#close = close;
  }

  get cursor(): Cursor {
    const zxid = this.feed && !this.pending ? this.feed.through : this.zxid;
    return this.history === undefined ? { zxid } : { zxid, history: this.history };
  }

  close(): void {
    this.#close(this);
  }

  /** Takes it off the feed, with all that it was told as its place. */
  leaveFeed(): void {
    this.zxid = this.cursor.zxid;
    this.feed = undefined;
    this.pending = undefined;
    this.denied = undefined;
  }
}
