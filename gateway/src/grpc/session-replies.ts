/**
 * What goes out on a Session stream, in order: replies as their turn comes, events as they come, gathered into messages. Within
 * a message events stand before replies, so that what a reply shows has been told by then. For its sake replies wait, too, while
 * a watch owes events that it has been told itself; and the events of a watch wait for the reply that opens it.
 */
import { publicServices, type v1 } from "@quorate/proto";
import type { GatewayWorld } from "../ports.ts";
import { isTooLarge, tooLargeReply } from "./exchanges.ts";
import { failureOf } from "./faults.ts";
import type { Outlet } from "./outlet.ts";

/** A reply's place in the order. */
export interface Slot {
  reply: v1.SessionReply | undefined;
  bytes: number;
  /** It has gone out. */
  out: boolean;
  /** It opened a watch, some of whose events are known here and not told yet. */
  owing: boolean;
  /** Events of the watch that it opens: they come behind it. */
  events: Told[];
}

interface Told {
  readonly events: v1.SessionEvents;
  readonly bytes: number;
}

/** What a reply takes beside its result, rounded up. */
const replyBytes = 64;

export class SessionReplies {
  readonly #outlet: Outlet;
  readonly #world: GatewayWorld;
  readonly #batchBytes: number;
  /** In the order of their operations. */
  readonly #slots: Slot[] = [];
  #first = 0;
  #replies: v1.SessionReply[] = [];
  #events: v1.SessionEvents[] = [];
  #bytes = 0;
  #heartbeat: v1.SessionHeartbeat | undefined;
  #waking = false;
  /** Watches that owe events. */
  #owing = 0;
  #heldBytes = 0;

  constructor(outlet: Outlet, world: GatewayWorld, batchBytes: number) {
    this.#outlet = outlet;
    this.#world = world;
    this.#batchBytes = batchBytes;
  }

  /** Operations whose reply has not gone out. */
  get outstanding(): number {
    return this.#slots.length - this.#first;
  }

  /** Of events that wait for a reply. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  opened(opened: v1.SessionOpened): void {
    this.#outlet.send(publicServices().methods.Coordination.Session.encodeResponse({ opened }));
  }

  /** A place in the order of the replies. */
  slot(): Slot {
    const slot: Slot = { reply: undefined, bytes: 0, out: false, owing: false, events: [] };
    this.#slots.push(slot);
    return slot;
  }

  /** `resultBytes`: what its result takes, or a little for an error. */
  fill(slot: Slot, reply: v1.SessionReply, resultBytes: number): void {
    slot.reply = reply;
    slot.bytes = replyBytes + resultBytes;
    this.#advance();
  }

  #advance(): void {
    while (this.#first < this.#slots.length && this.#owing === 0) {
      const next = this.#slots[this.#first] as Slot;
      if (next.reply === undefined) break;
      this.#first++;
      this.#put(next.reply, next.bytes);
      next.out = true;
      for (const { events, bytes } of next.events) {
        this.#heldBytes -= bytes;
        this.event(next, events, bytes);
      }
      next.events = [];
      if (next.owing) this.#owing++;
    }
    if (this.#first > 1024 && this.#first * 2 > this.#slots.length) {
      this.#slots.splice(0, this.#first);
      this.#first = 0;
    }
  }

  /** Whether the watch that `slot` opened owes events: no reply goes out before them. */
  owe(slot: Slot, owing: boolean): void {
    if (slot.owing === owing) return;
    slot.owing = owing;
    if (!slot.out) return;
    this.#owing += owing ? 1 : -1;
    this.#advance();
  }

  /** Of the watch that `slot` opens. */
  event(slot: Slot, events: v1.SessionEvents, bytes: number): void {
    if (!slot.out) {
      slot.events.push({ events, bytes });
      this.#heldBytes += bytes;
      return;
    }
    if (this.#replies.length > 0 || this.#bytes + bytes > this.#batchBytes) this.flush();
    this.#events.push(events);
    this.#bytes += bytes;
    this.#wake();
  }

  heartbeat(heartbeat: v1.SessionHeartbeat): void {
    this.#heartbeat = heartbeat;
    this.#wake();
  }

  #put(reply: v1.SessionReply, bytes: number): void {
    if (this.#bytes > 0 && this.#bytes + bytes > this.#batchBytes) this.flush();
    this.#replies.push(reply);
    this.#bytes += bytes;
    this.#wake();
  }

  #wake(): void {
    if (this.#waking) return;
    this.#waking = true;
    this.#world.soon(() => {
      this.#waking = false;
      this.flush();
    });
  }

  flush(): void {
    const heartbeat = this.#heartbeat;
    if (this.#replies.length === 0 && this.#events.length === 0 && heartbeat === undefined) return;
    const replies = this.#replies;
    const events = this.#events;
    this.#events = [];
    this.#replies = [];
    this.#heartbeat = undefined;
    this.#bytes = 0;
    const { encodeResponse } = publicServices().methods.Coordination.Session;
    const bytes = encodeResponse({ events, replies, heartbeat });
    const [first] = replies;
    // One reply that is too large stands alone, by its size.
    if (first === undefined || !isTooLarge(bytes, true)) return this.#outlet.send(bytes);
    const { requestId, sequence, decided } = first;
    const error = failureOf(tooLargeReply(bytes.length, sequence !== undefined));
    this.#outlet.send(encodeResponse({ events, replies: [{ requestId, sequence, decided, error }], heartbeat }));
  }
}
