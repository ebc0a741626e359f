/** The watches of a Session stream: each is named by the operation that opened it, and told in the stream's own order. */
import type { Acting, Zxid } from "@quorate/api";
import type { v1 } from "@quorate/proto";
import type { GatewayTimer } from "../ports.ts";
import type { Call } from "./call.ts";
import { bad, failureOf, GrpcFault } from "./faults.ts";
import type { Outlet } from "./outlet.ts";
import type { SessionReplies, Slot } from "./session-replies.ts";
import { WatchFeed, type WatchSink } from "./watch-feed.ts";
import { watchAskOf } from "./watch-request.ts";

/** The reply to the operation: the first message of the watch, or why it was not opened. */
type Opened = (reply: Pick<v1.SessionReply, "watch" | "error">, bytes: number) => void;

export interface SessionWatchesOptions {
  readonly call: Call;
  readonly acting: Acting;
  readonly replies: SessionReplies;
  readonly outlet: Outlet;
  /** Ends the stream. */
  readonly end: (fault: GrpcFault) => void;
}

export interface SessionWatchesEvents {
  /** The client is told everything up to here. */
  saw(zxid: Zxid): void;
  /** Replies went out that had waited for events. */
  released(): void;
}

interface Open {
  readonly feed: WatchFeed;
  /** Of the reply to the operation. */
  readonly slot: Slot;
  /** Until the first message. */
  opened: Opened | undefined;
}

export class SessionWatches {
  readonly #call: Call;
  readonly #acting: Acting;
  readonly #replies: SessionReplies;
  readonly #outlet: Outlet;
  readonly #end: (fault: GrpcFault) => void;
  readonly #events: SessionWatchesEvents;
  readonly #open = new Map<number, Open>();
  #opening = 0;
  #beating: GatewayTimer | undefined;

  constructor(options: SessionWatchesOptions, events: SessionWatchesEvents) {
    const { call, acting, replies, outlet, end } = options;
    this.#call = call;
    this.#acting = acting;
    this.#replies = replies;
    this.#outlet = outlet;
    this.#end = end;
    this.#events = events;
  }

  /** How many have not had their first message. */
  get opening(): number {
    return this.#opening;
  }

  /** Throws what refuses it at once. */
  open(id: number, request: v1.WatchRequest, seen: Zxid, deadlineMillis: number, slot: Slot, opened: Opened): void {
    const { door } = this.#call;
    if (this.#open.has(id)) throw bad("request_id", `${id} is the name of a watch that is open on this stream`);
    if (this.#open.size >= door.limits.sessionWatches) {
      throw new GrpcFault("throttled", `the stream has ${this.#open.size} watches, which is the most; end some`);
    }
    const ask = watchAskOf(this.#call, request, "watch.", { zxid: seen, acting: this.#acting });
    const feed = new WatchFeed(this.#call, ask, this.#sink(id, slot));
    this.#open.set(id, { feed, slot, opened });
    this.#opening++;
    this.#beating ??= door.options.world.every(door.limits.cursorMillis, () => {
      for (const each of [...this.#open.values()]) each.feed.beat();
    });
    feed.open(deadlineMillis);
  }

  /** Nothing of it comes after this. */
  close(id: number): void {
    const open = this.#open.get(id);
    if (open === undefined) throw bad("unwatch.watch_id", `there is no open watch ${id} on this stream`);
    open.feed.close();
    this.#forget(id, open);
  }

  stop(): void {
    for (const [id, open] of [...this.#open]) {
      open.feed.close();
      this.#forget(id, open);
    }
    this.#opening = 0;
  }

  #sink(id: number, slot: Slot): WatchSink {
    const outlet = this.#outlet;
    const replies = this.#replies;
    return {
      get queuedBytes() {
        return outlet.queuedBytes + replies.heldBytes;
      },
      mostQueuedBytes: this.#call.door.limits.sessionEventBytes,
      send: (message) => this.#told(id, message),
      owes: (is) => this.#owe(slot, is),
      ended: (fault) => this.#ended(id, fault),
      whenBelow: (bytes, run) => outlet.whenBelow(bytes, run),
    };
  }

  #told(id: number, message: v1.WatchResponse): void {
    const open = this.#open.get(id);
    if (open === undefined) return;
    const bytes = sizeOf(message);
    this.#events.saw((message.header?.zxid ?? 0) as Zxid);
    if (open.opened === undefined) {
      this.#replies.event(open.slot, { watchId: id, watch: message }, bytes);
      return;
    }
    const { opened } = open;
    open.opened = undefined;
    this.#opening--;
    opened({ watch: message }, bytes);
  }

  #ended(id: number, fault: GrpcFault): void {
    const open = this.#open.get(id);
    if (open === undefined) return;
    if (open.opened === undefined) {
      // Who does not read his events does not read anything.
      if (fault.code === "throttled") return this.#end(fault);
      this.#replies.event(open.slot, { watchId: id, error: failureOf(fault), cursor: fault.parts.cursor }, 0);
      this.#forget(id, open);
    } else {
      this.#forget(id, open);
      this.#opening--;
      open.opened({ error: failureOf(fault) }, 0);
    }
  }

  #owe(slot: Slot, is: boolean): void {
    if (slot.owing === is) return;
    this.#replies.owe(slot, is);
    if (!is) this.#events.released();
  }

  #forget(id: number, { slot }: Open): void {
    this.#open.delete(id);
    if (this.#open.size === 0) {
      this.#beating?.cancel();
      this.#beating = undefined;
    }
    this.#owe(slot, false);
  }
}

/** About what it takes. */
function sizeOf({ states = [], events = [] }: v1.WatchResponse): number {
  let bytes = 128;
  for (const each of events) bytes += 64 + 3 * (each.path?.length ?? 0) + (each.data?.length ?? 0);
  for (const { data, names = [] } of states) {
    bytes += 256 + (data?.length ?? 0);
    for (const name of names) bytes += 4 + 3 * name.length;
  }
  return bytes;
}
