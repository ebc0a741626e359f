/**
 * What goes out on a connection, in order. Replies leave in the order of their requests, events between them:
 *
 * 1. An event of zxid Z leaves before any reply of Z or a higher zxid: the lane tells what a reply shows before it answers,
 *    and the events up to its zxid are let out before it.
 * 2. Else it is held to the end of the turn, so that replies of lower zxids that come in the same turn leave before it, as
 *    they do at ZooKeeper, where both are made in zxid order.
 * 3. Who has a part in a reply's leaving (a watch, which is armed by it) is told then; its events are of higher zxids, so
 *    they come behind the reply.
 *
 * Everything of one turn is one write.
 */
import { errors, type Zxid, zeroZxid } from "@quorate/api";
import type { GatewayWorld } from "../ports.ts";
import type { Leaving, Replies, Slot } from "./context.ts";
import type { OperationCounts } from "./counts.ts";
import { encodeHeader, encodeNotification } from "./encode.ts";
import { JuteWriter, type Slabs } from "./jute.ts";
import type { ZookeeperLimits } from "./limits.ts";
import type { Notification } from "./messages.ts";
import { type ReplyBody, writeReply } from "./reply.ts";
import type { LastReply, Statistics } from "./statistics.ts";

export interface OutboxOptions {
  readonly world: GatewayWorld;
  readonly slabs: Slabs;
  readonly limits: Pick<ZookeeperLimits, "firstWindow" | "leastWindow" | "window" | "pausedBytes">;
  /** What counts the answers. */
  readonly statistics?: readonly Statistics[];
  /** All that is put out in one turn. */
  write(bytes: Uint8Array): void;
  /** Bytes that were written and not sent. */
  unsent(): number;
}

/** A request under way. */
export class Place implements Slot {
  readonly xid: number;
  readonly counts: OperationCounts;
  /** When its bytes came. */
  readonly began: number;
  holds: boolean = false;
  leaving: Leaving | undefined = undefined;
  filled: boolean = false;
  /** It is put out. */
  left: boolean = false;
  zxid: Zxid = zeroZxid;
  code = 0;
  body: ReplyBody | undefined = undefined;
  next: Place | undefined = undefined;

  constructor(xid: number, counts: OperationCounts, began: number) {
    this.xid = xid;
    this.counts = counts;
    this.began = began;
  }
}

/** How fast the estimate of a reply's size follows smaller ones. */
const forgetting = 16;
/** In front of each frame. */
const lengthBytes = 4;

export class Outbox implements Replies {
  readonly #options: OutboxOptions;
  readonly #writer: JuteWriter;
  readonly #statistics: readonly Statistics[];
  #first: Place | undefined;
  #last: Place | undefined;
  #outstanding = 0;
  /** Of these, whose replies may be as large as any. */
  #large = 0;
  /** By zxid, and by their places in one. */
  #events: Notification[] = [];
  /** The newest that was put out. */
  #zxid: Zxid;
  #waking = false;
  #lastLeft: Place | undefined;
  #lastLeftAt = 0;
  /** Of this turn, once something was put out in it. */
  #now: number | undefined;
  /** What a reply takes, rather too much than too little. */
  #replyBytes: number;
  /** For room. */
  #waiting: (() => void)[] = [];
  #over = false;

  /** `zxid`: what the client had seen when it connected. */
  constructor(options: OutboxOptions, zxid: Zxid) {
    this.#options = options;
    this.#writer = new JuteWriter(options.slabs);
    this.#statistics = options.statistics ?? [];
    this.#zxid = zxid;
    this.#replyBytes = options.limits.pausedBytes / options.limits.firstWindow;
  }

  /** Requests whose reply is not put out. */
  get outstanding(): number {
    return this.#outstanding;
  }

  /**
   * Whether one request more may be begun, beside `others` that have no place here. Large replies may come at any time, so
   * that of those who may be large there are never more than what a connection has room for at their largest.
   */
  admits(others: number): boolean {
    return this.#outstanding + others < this.window && this.#large < this.#options.limits.firstWindow;
  }

  /** How many may be, for their replies to be about `pausedBytes` together. */
  get window(): number {
    const { leastWindow, window, pausedBytes } = this.#options.limits;
    return Math.max(leastWindow, Math.min(window, pausedBytes / this.#replyBytes));
  }

  /** A place in the order of the replies. */
  place(xid: number, counts: OperationCounts, began: number): Place {
    const place = new Place(xid, counts, began);
    if (this.#last) this.#last.next = place;
    else this.#first = place;
    this.#last = place;
    this.#outstanding += 1;
    if (counts.large) this.#large += 1;
    return place;
  }

  /** `zxid` 0: the answer is the door's own, and shows nothing newer than what was put out before it. */
  fill(slot: Slot, zxid: Zxid, code: number, body?: ReplyBody): void {
    const place = slot as Place;
    if (place.filled) return;
    place.filled = true;
    place.zxid = zxid;
    place.code = code;
    place.body = body;
    if (place !== this.#first) return;
    for (let each: Place | undefined = place; each?.filled && !this.#over; each = this.#first) {
      this.#first = each.next;
      if (!this.#first) this.#last = undefined;
      this.#outstanding -= 1;
      if (each.counts.large) this.#large -= 1;
      this.#put(each);
    }
    this.#wake();
  }

  #put(place: Place): void {
    const { leaving, xid } = place;
    const zxid = place.zxid > 0 ? place.zxid : this.#zxid;
    this.#letOut(zxid);
    const before = this.#writer.length;
    let { code } = place;
    if (leaving && (code !== 0 || place.body === undefined)) code = leaving.leave(zxid, code);
    if (zxid > this.#zxid) this.#zxid = zxid;
    // A write may have been applied before what a read in front of it has shown: clients keep the last zxid, not the highest.
    const shown = this.#zxid;
    if (!writeReply(this.#writer, xid, shown, code, place.body)) code = errors.tooLarge.zookeeper;
    place.left = true;
    if (leaving && place.code === 0 && place.body !== undefined) leaving.leave(zxid, code);
    place.body = undefined;
    place.leaving = undefined;
    place.next = undefined;
    const bytes = this.#writer.length - before;
    this.#replyBytes = bytes > this.#replyBytes ? bytes : this.#replyBytes - (this.#replyBytes - bytes) / forgetting;
    this.#now ??= this.#options.world.now();
    this.#count(place, shown, code, bytes - lengthBytes);
  }

  #count(place: Place, zxid: Zxid, code: number, bytes: number): void {
    const now = this.#now as number;
    const millis = now - place.began;
    place.counts.observe(code, millis);
    for (const each of this.#statistics) each.observe(millis, bytes);
    place.zxid = zxid;
    this.#lastLeft = place;
    this.#lastLeftAt = now;
    this.#sent(1);
  }

  #sent(count: number): void {
    for (const each of this.#statistics) each.sent += count;
  }

  get lastReply(): LastReply | undefined {
    const place = this.#lastLeft;
    if (place === undefined) return undefined;
    const { xid, zxid, counts, began } = place;
    return { op: counts.op, xid, zxid, at: this.#lastLeftAt, millis: this.#lastLeftAt - began };
  }

  event(notification: Notification): void {
    const events = this.#events;
    let at = events.length;
    while (at > 0 && comesBefore(notification, events[at - 1] as Notification)) at -= 1;
    if (at === events.length) events.push(notification);
    else events.splice(at, 0, notification);
    this.#wake();
  }

  holds({ zxid, type, path }: Notification): boolean {
    return this.#events.some((each) => each.zxid === zxid && each.type === type && each.path === path);
  }

  whenRoom(run: () => void): void {
    if (this.#over) return;
    if (this.hasRoom) run();
    else this.#waiting.push(run);
  }

  /** If not, the client has much to read before anything more comes of it. */
  get hasRoom(): boolean {
    const { unsent, limits } = this.#options;
    return this.#writer.length + unsent() < limits.pausedBytes;
  }

  /** The client has read something. */
  drained(): void {
    if (this.#waiting.length === 0 || !this.hasRoom) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const run of waiting) this.whenRoom(run);
  }

  /** Events up to this zxid. */
  #letOut(zxid: Zxid): void {
    const events = this.#events;
    if (events.length === 0 || (events[0] as Notification).zxid > zxid) return;
    let count = 0;
    for (; count < events.length && (events[count] as Notification).zxid <= zxid; count++) {
      encodeNotification(this.#writer, events[count] as Notification);
    }
    this.#sent(count);
    if (count === events.length) this.#events = [];
    else events.splice(0, count);
  }

  /** An answer that has no place in the order: of a ping, of an auth packet. `zxid` undefined: the newest that was put out. */
  direct(xid: number, code: number, zxid: Zxid = this.#zxid): void {
    if (this.#over) return;
    encodeHeader(this.#writer, xid, zxid, code);
    this.#sent(1);
    this.#wake();
  }

  #wake(): void {
    if (this.#waking) return;
    this.#waking = true;
    this.#options.world.next(() => this.flush());
  }

  /** The end of the turn. */
  flush(): void {
    this.#waking = false;
    if (this.#over) return;
    this.#letOut(Number.MAX_SAFE_INTEGER as Zxid);
    this.#now = undefined;
    this.#options.write(this.#writer.take());
    this.drained();
  }

  /** Nothing is put out any more. */
  close(): void {
    this.#over = true;
    this.#first = undefined;
    this.#last = undefined;
    this.#events = [];
    this.#waiting = [];
    this.#writer.take();
  }
}

function comesBefore(one: Notification, other: Notification): boolean {
  return one.zxid < other.zxid || (one.zxid === other.zxid && one.place < other.place);
}
