/**
 * What goes out on a Session stream, in order: replies as their turn comes, events as they come, gathered into messages. Within
 * a message events stand before replies, so that what a reply shows has been told by then.
 */
import { publicServices, type v1 } from "@quorate/proto";
import type { GatewayWorld } from "../ports.ts";
import type { Outlet } from "./outlet.ts";

/** A reply that is still to come. */
export interface Slot {
  reply: v1.SessionReply | undefined;
  bytes: number;
}

/** What a reply takes beside its data, rounded up. */
const replyBytes = 256;

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

  constructor(outlet: Outlet, world: GatewayWorld, batchBytes: number) {
    this.#outlet = outlet;
    this.#world = world;
    this.#batchBytes = batchBytes;
  }

  /** Operations whose reply has not gone out. */
  get outstanding(): number {
    return this.#slots.length - this.#first;
  }

  opened(opened: v1.SessionOpened): void {
    this.#outlet.send(publicServices().methods.Coordination.Session.encodeResponse({ opened }));
  }

  /** A place in the order of the replies. */
  slot(): Slot {
    const slot: Slot = { reply: undefined, bytes: 0 };
    this.#slots.push(slot);
    return slot;
  }

  /** `dataBytes`: of data and lists in it. */
  fill(slot: Slot, reply: v1.SessionReply, dataBytes: number): void {
    slot.reply = reply;
    slot.bytes = replyBytes + dataBytes;
    while (this.#first < this.#slots.length) {
      const next = this.#slots[this.#first] as Slot;
      if (next.reply === undefined) break;
      this.#first++;
      this.#put(next.reply, next.bytes);
    }
    if (this.#first > 1024 && this.#first * 2 > this.#slots.length) {
      this.#slots.splice(0, this.#first);
      this.#first = 0;
    }
  }

  event(events: v1.SessionEvents, bytes: number): void {
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
    const message: v1.SessionResponse = { events: this.#events, replies: this.#replies, heartbeat };
    this.#events = [];
    this.#replies = [];
    this.#heartbeat = undefined;
    this.#bytes = 0;
    this.#outlet.send(publicServices().methods.Coordination.Session.encodeResponse(message));
  }
}
