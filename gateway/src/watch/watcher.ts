/** One open watch: where it stands, and what of the feed at hand it is about to be told. */
import {
  type Acting,
  type Path,
  type WatchEvent,
  type WatchOperation,
  type WatchScopes,
  type Zxid,
  zeroZxid,
} from "@quorate/api";
import type { Cursor, ReadRequest, Watching, WatchListener } from "../backend.ts";
import type { Queued } from "../queue.ts";
import type { Party } from "./questions.ts";
import type { Reader } from "./readers.ts";

/** How far the feed of one stream has been told; a broken feed is never taken up again. */
export interface FeedPlace {
  through: Zxid;
  /** Of whose changes it is, as far as is known. */
  history: string | undefined;
}

/**
 * `opening`: its first question is under way. `asking`: a later one is. `waiting`: for its turn to ask, or for a home.
 * `resting`: it was refused and asks again in a moment. `joined`: the feed goes on where its last answer ended.
 */
export type WatcherState = "opening" | "asking" | "waiting" | "resting" | "joined" | "ended";

type Terms = Pick<ReadRequest, "consistency" | "minZxid" | "maxStaleMillis">;
const behindCursor: Terms = { consistency: "session", minZxid: zeroZxid, maxStaleMillis: 0 };

export class Watcher implements Watching, Queued<Party> {
  readonly kind = "watcher";
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
  before: Party | undefined = undefined;
  after: Party | undefined = undefined;
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

  /** About as many bytes as its question has. */
  get weight(): number {
    let sum = 0;
    for (const paths of Object.values(this.scopes)) for (const path of paths) sum += path.length;
    return sum;
  }

  /** `resumes`: behind its cursor; else for the state. */
  question(how: Terms = behindCursor, resumes = true): ReadRequest {
    const { scopes, zxid, history, acting, reader } = this;
    const behind = history === undefined ? { after: zxid } : { after: zxid, history };
    const operation: WatchOperation = resumes ? { kind: "watch", scopes, ...behind } : { kind: "watch", scopes };
    const { identity } = reader;
    return acting ? { ...how, identity, acting, operation } : { ...how, identity, operation };
  }

  /** Whether everything up to `zxid` is told, or it is not open yet; `home`: somebody there said so. */
  tells(zxid: Zxid, home: boolean): boolean {
    if (this.state === "opening") return true;
    if (this.pending !== undefined) return false;
    return this.cursor.zxid >= zxid || (home && this.state === "joined");
  }

  /** Takes it off the feed, with all that it was told as its place. */
  leaveFeed(): void {
    this.zxid = this.cursor.zxid;
    this.feed = undefined;
    this.pending = undefined;
    this.denied = undefined;
  }
}
