/**
 * One watch on its way to a client: what the hub tells becomes messages of bounded size, each with a cursor from which nothing
 * is lost. Behind a reader who is slower than the past that he asked for, the watch is closed and taken up again from its
 * cursor; one who is slower than the present is cut off. Nothing piles up.
 */
import { limits, type WatchEvent, type Zxid } from "@quorate/api";
import type { v1 } from "@quorate/proto";
import type { Cursor, WatchEnd, Watching, WatchListener, WatchOpening } from "../backend.ts";
import { formatCursor } from "../watch/cursor.ts";
import type { Call } from "./call.ts";
import { durationOf } from "./encode.ts";
import { faultOfEnd, faultOfUnavailable, GrpcFault } from "./faults.ts";
import { type EventData, eventBytes, eventOf, stateOf, type WatchAsk, watchResponse } from "./watch-request.ts";

/** Where the messages go. */
export interface WatchSink {
  /** What the client has not taken yet. */
  readonly queuedBytes: number;
  /** Beyond this the client is too slow. */
  readonly mostQueuedBytes: number;
  send(message: v1.WatchResponse): void;
  /** Whether events are known, or may be, that have not been sent; not so at first. */
  owes?(is: boolean): void;
  /** The last word; with the cursor, if there is one. */
  ended(fault: GrpcFault): void;
  whenBelow(bytes: number, run: () => void): void;
}

/** Reads of data at once. */
const readsAtOnce = 4;
/** Events that wait for their data; beyond it the watch is closed until they have been sent. */
const mostWaiting = 1024;

export class WatchFeed implements WatchListener {
  readonly #call: Call;
  readonly #ask: WatchAsk;
  readonly #sink: WatchSink;
  #watching: Watching | undefined;
  /** Everything before it has been sent. */
  #sent: Cursor | undefined;
  #opened = false;
  #over = false;
  /** Closed until the client has read. */
  #paused = false;
  /** Opened again, and not told yet what it missed. */
  #resuming = false;
  #servedBy = 0;
  /** Something was sent since the last beat. */
  #fresh = false;
  /** Waits for data, in order; only with `includeData`. */
  #waiting: WatchEvent[] = [];
  #reading = false;
  /** What ends the watch behind those that wait. */
  #lastWord: WatchEnd | undefined;

  constructor(call: Call, ask: WatchAsk, sink: WatchSink) {
    this.#call = call;
    this.#ask = ask;
    this.#sink = sink;
    this.#sent = ask.request.after;
  }

  /** Undefined: not opened. */
  get cursor(): string | undefined {
    return this.#opened && this.#sent ? formatCursor(this.#sent) : undefined;
  }

  open(deadlineMillis: number): void {
    const { request } = this.#ask;
    const again = this.#opened && this.#sent !== undefined ? { ...request, after: this.#sent } : request;
    this.#watching = this.#call.door.options.backend.watch(again, deadlineMillis, this);
  }

  close(): void {
    this.#over = true;
    this.#watching?.close();
    this.#watching = undefined;
    this.#waiting = [];
  }

  opened(opening: WatchOpening): void {
    if (this.#over || this.#watching === undefined) return;
    this.#servedBy = opening.servedBy;
    if (this.#opened || this.#ask.request.after !== undefined) {
      this.#opened = true;
      return;
    }
    this.#opened = true;
    const header = this.#ask.request.consistency === "stale" ? { staleAge: durationOf(opening.ageMillis) } : {};
    this.#send(this.#watching.cursor, { states: opening.states.map(stateOf) }, header);
  }

  events(events: readonly WatchEvent[], more: boolean): void {
    if (this.#over || this.#watching === undefined) return;
    this.#resuming = false;
    if (this.#ask.includeData && (events.length > 0 || this.#reading)) {
      for (const each of events) this.#waiting.push(each);
      if (!this.#reading) void this.#readAndSend();
      if (this.#waiting.length > mostWaiting) this.#pause();
      this.#tellOwing();
      return;
    }
    if (this.#sink.queuedBytes > this.#sink.mostQueuedBytes) return this.#cutOff();
    this.#sendAll(events, undefined, this.#watching.cursor, more);
    if (more && this.#sink.queuedBytes > this.#sink.mostQueuedBytes / 4) {
      this.#pause();
      this.#resumeBelow();
    }
    this.#tellOwing();
  }

  #tellOwing(): void {
    this.#sink.owes?.(this.#reading || this.#paused || this.#resuming);
  }

  ended(end: WatchEnd): void {
    if (this.#over) return;
    this.#watching = undefined;
    if (this.#reading) this.#lastWord = end;
    else this.#end(faultOfEnd(end));
  }

  /** From time to time: a cursor, so that a quiet watch never grows too old. */
  beat(): void {
    if (this.#over || !this.#opened) return;
    const stuck = this.#sink.queuedBytes > 0 && !this.#fresh && this.#paused;
    if (stuck || this.#sink.queuedBytes > this.#sink.mostQueuedBytes) return this.#cutOff();
    if (!this.#fresh && this.#watching !== undefined && !this.#reading) this.#send(this.#watching.cursor, {});
    this.#fresh = false;
  }

  /** As when the process stops: the cursor of now, and the fault. */
  end(fault: GrpcFault): void {
    if (this.#over) return;
    if (this.#opened && this.#watching !== undefined && !this.#reading) this.#sent = this.#watching.cursor;
    this.#end(fault);
  }

  #end(fault: GrpcFault): void {
    const { cursor } = this;
    this.close();
    this.#sink.ended(cursor === undefined ? fault : fault.with({ cursor }));
  }

  #cutOff(): void {
    const detail = "what was sent is not read fast enough; watch again from the cursor, and read faster";
    this.#end(new GrpcFault("throttled", detail));
  }

  #pause(): void {
    this.#paused = true;
    this.#watching?.close();
    this.#watching = undefined;
  }

  #resumeBelow(): void {
    this.#sink.whenBelow(this.#sink.mostQueuedBytes / 8, () => {
      if (this.#over || !this.#paused) return;
      this.#paused = false;
      this.#resuming = true;
      this.open(limits.requestTimeoutMaxMillis);
    });
  }

  #send(
    cursor: Cursor,
    parts: Pick<v1.WatchResponse, "states" | "events" | "more">,
    header: Partial<v1.Header> = {},
  ): void {
    this.#sent = cursor;
    this.#fresh = true;
    this.#sink.send(watchResponse(cursor, this.#servedBy, parts, header));
  }

  /**
   * In messages of bounded size. Each but the last has the cursor of the last transaction that is whole by then; the last has
   * `end`.
   */
  #sendAll(
    events: readonly WatchEvent[],
    data: readonly (EventData | undefined)[] | undefined,
    end: Cursor,
    more: boolean,
  ): void {
    const most = this.#call.door.limits.watchMessageBytes;
    let part: v1.WatchEvent[] = [];
    let size = 0;
    let whole: Cursor | undefined = this.#sent;
    events.forEach((event, index) => {
      const bytes = eventBytes(event, data?.[index]);
      const before = events[index - 1];
      if (before !== undefined && before.zxid !== event.zxid) whole = { ...end, zxid: before.zxid };
      if (size + bytes > most && part.length > 0) {
        this.#send(whole ?? { ...end, zxid: 0 as Zxid }, { events: part, more: true });
        part = [];
        size = 0;
      }
      part.push(eventOf(event, data?.[index]));
      size += bytes;
    });
    this.#send(end, more ? { events: part, more } : { events: part });
  }

  async #readAndSend(): Promise<void> {
    this.#reading = true;
    while (!this.#over && this.#waiting.length > 0) {
      const zxid = this.#waiting[0]?.zxid;
      const ends = this.#waiting.findIndex((each) => each.zxid !== zxid);
      const transaction = this.#waiting.splice(0, ends < 0 ? this.#waiting.length : ends);
      const cursor = this.#cursorBehind(transaction);
      await this.#sendWithData(transaction, cursor);
      if (this.#over) return;
      await new Promise<void>((resolve) => this.#sink.whenBelow(this.#sink.mostQueuedBytes / 4, resolve));
    }
    this.#reading = false;
    if (this.#over) return;
    if (this.#lastWord !== undefined) this.#end(faultOfEnd(this.#lastWord));
    else if (this.#paused) this.#resumeBelow();
    else this.#tellOwing();
  }

  #cursorBehind(transaction: readonly WatchEvent[]): Cursor {
    const history = this.#sent?.history ?? this.#watching?.cursor.history;
    const zxid = (transaction.at(-1) as WatchEvent).zxid;
    return history === undefined ? { zxid } : { zxid, history };
  }

  /** A few at a time, so that a transaction of thousands is never held as a whole. */
  async #sendWithData(transaction: readonly WatchEvent[], end: Cursor): Promise<void> {
    const before = this.#sent ?? end;
    for (let at = 0; at < transaction.length && !this.#over; at += readsAtOnce) {
      const some = transaction.slice(at, at + readsAtOnce);
      const data = await Promise.all(some.map((each) => this.#dataOf(each)));
      if (this.#over) return;
      const fault = data.find((each) => each instanceof GrpcFault);
      if (fault !== undefined) return this.#end(fault);
      const isLast = at + readsAtOnce >= transaction.length;
      this.#sendAll(some, data as (EventData | undefined)[], isLast ? end : before, false);
    }
  }

  /** Read at delivery, with the watcher's own rights. */
  async #dataOf(event: WatchEvent): Promise<EventData | undefined | GrpcFault> {
    if (event.type === "deleted") return undefined;
    const { identity, request } = { ...this.#ask.request, request: this.#ask.request };
    const answer = await this.#call.door.options.backend.read(
      {
        identity,
        operation: { kind: "get", path: event.path },
        consistency: "session",
        minZxid: event.zxid,
        maxStaleMillis: 0,
        ...(request.acting === undefined ? undefined : { acting: request.acting }),
      },
      limits.requestTimeoutDefaultMillis,
    );
    if (answer.kind === "unavailable") return faultOfUnavailable(answer);
    const { outcome } = answer;
    // It is gone, or its rights have changed since: another event follows, which tells it.
    if (!outcome.ok || outcome.result.kind !== "data") return "superseded";
    return outcome.result.stat.mzxid === event.zxid ? outcome.result.data : "superseded";
  }
}
