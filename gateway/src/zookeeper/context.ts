/** What those who serve a connection's requests know of it: its session, its lane, and how they answer. */
import type { Acting, Identity, Path, Zxid } from "@quorate/api";
import type { Backend, SessionLane } from "../backend.ts";
import type { GatewayWorld } from "../ports.ts";
import type { Notification, SetWatchesRequest } from "./messages.ts";
import type { ReplyBody } from "./reply.ts";

/**
 * A reply's place in the order of requests. It is filled once, at any time, and put out when all before it are.
 */
export interface Slot {
  readonly xid: number;
  /**
   * Nothing behind it is begun before it is put out: for requests that take more than one call, or that change what
   * the requests behind them meet here. Set before the handler returns.
   */
  holds: boolean;
  /** Told as the reply is put out. */
  leaving: Leaving | undefined;
}

/** Who has a part in the moment at which a reply is put out: a watch is armed then, and no earlier. */
export interface Leaving {
  /**
   * `zxid` and `code` are the reply's; answers the code that is sent (the body goes with 0 alone). Events that are told here come
   * behind the reply, and have a higher zxid; those that are told before it, up to its zxid, come before it.
   */
  leave(zxid: Zxid, code: number): number;
}

export interface Replies {
  /** `code`: ZooKeeper's; 0 is success. `body` undefined: a header alone. */
  fill(slot: Slot, zxid: Zxid, code: number, body?: ReplyBody): void;
  /** An event: before any reply of its zxid or a higher one, behind those of a lower one that come in the same turn. */
  event(notification: Notification): void;
  /** Whether this event was given and is not put out yet. */
  holds(notification: Notification): boolean;
  /** Runs, at once or later, when the client has so much read that there is room for more events (not if it is closed). */
  whenRoom(run: () => void): void;
}

export interface ConnectionContext {
  readonly backend: Backend;
  readonly world: GatewayWorld;
  readonly acting: Acting;
  readonly lane: SessionLane;
  readonly replies: Replies;
  /** What was proven by now; other after an auth packet. */
  identity(): Identity;
  /** No read shows less: where the ensemble was when the session was attached, which is not before what the client had seen. */
  readonly minZxid: Zxid;
  /** It only reads, while there is no leader (`read-only.ts`); its session is known to nobody else. */
  readonly readOnly: boolean;
  /** Nobody waits any more for what was not answered. */
  isOver(): boolean;
  /** What clients can cause: one line in a while. */
  log(text: string): void;
  /** The client finds a broken connection and comes back; what is not answered is not answered any more. */
  close(why: string): void;
}

/**
 * What the connection needs of its watches (`watches.ts`): one for each connection, made when its session is attached. It
 * opens `backend.follow` with the first watch.
 */
export interface ConnectionWatches {
  /**
   * For exists, getData and getChildren with a watch, before the read is given to the lane. Goes into `slot.leaving`: there
   * it is armed (code 0; for `exists` also -101) or dropped. Undefined: the connection has as many as it may; `throttled`.
   */
  expect(op: "exists" | "getData" | "getChildren", path: Path): Leaving | undefined;
  /** These fill the slot. */
  addWatch(path: string, mode: number, slot: Slot): void;
  setWatches(request: SetWatchesRequest, slot: Slot): void;
  /** Judged when the reply's turn comes. */
  checkWatches(path: string, watcherType: number, slot: Slot): void;
  removeWatches(path: string, watcherType: number, slot: Slot): void;
  /** As ZooKeeper counts (`watch_count`). */
  readonly count: number;
  /** Those that ZooKeeper's `wchs`, `wchc` and `wchp` show: of its table of data watches. */
  dataPaths(): Iterable<Path>;
  /** The connection is over. */
  close(): void;
}
