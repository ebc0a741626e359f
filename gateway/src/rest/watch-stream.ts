/**
 * A watch that stays open: server-sent events or lines of JSON. What is written goes to the socket as bytes that are made
 * once for all streams. A reader that is too slow is cut off with its last cursor; while it still catches up, or its events
 * wait for their data, the watch is closed instead and taken up again from its cursor, so that nothing piles up.
 */
import type { WatchEvent } from "@quorate/api";
import type { Cursor, WatchEnd, Watching, WatchListener, WatchOpening } from "../backend.ts";
import { formatCursor } from "../watch/cursor.ts";
import { type Call, timeoutOf } from "./call.ts";
import { openStream, sendProblem } from "./reply.ts";
import { DataReader, endOfTransaction } from "./watch-data.ts";
import {
  type EventData,
  type Piece,
  pieceOf,
  type StreamForm,
  stateText,
  streamForms,
  streamPiece,
} from "./watch-encode.ts";
import { refusalOfEnd } from "./watch-poll.ts";
import type { WatchAsk } from "./watch-query.ts";
import { observeWatcher, takeSeat, type Waiter } from "./watch-room.ts";

export function startStream(call: Call, ask: WatchAsk): void {
  const deadlineMillis = timeoutOf(call);
  const stream = new Stream(call, ask, deadlineMillis);
  takeSeat(call, stream);
  stream.open();
}

const nothing = Buffer.alloc(0);

/** `draining`: nothing more to say but what is unsent. `over`: nobody is there. */
type Phase = "opening" | "live" | "draining" | "over";

class Stream implements WatchListener, Waiter {
  readonly #call: Call;
  readonly #ask: WatchAsk;
  readonly #form: StreamForm;
  readonly #began: number;
  readonly #deadlineMillis: number;
  readonly #pump: DataPump | undefined;
  deadline = 0;
  wheelSlot = -1;
  wheelPlace = 0;
  #phase: Phase = "opening";
  #watching: Watching | undefined;
  /** All before it is written. */
  #sent: Cursor;
  /** The watch is closed until the client has read what it was sent. */
  #paused = false;
  /** Events were written since the last beat. */
  #progressed = false;

  constructor(call: Call, ask: WatchAsk, deadlineMillis: number) {
    this.#call = call;
    this.#ask = ask;
    this.#form = streamForms[ask.type === "text/event-stream" ? ask.type : "application/x-ndjson"];
    this.#began = call.door.options.world.now();
    this.#deadlineMillis = deadlineMillis;
    this.#sent = ask.request.after ?? { zxid: ask.request.minZxid };
    if (ask.withData) this.#pump = new DataPump(new DataReader(call, ask.forced), this);
  }

  open(): void {
    const { backend } = this.#call.door.options;
    const { request } = this.#ask;
    this.#watching = backend.watch(
      this.#phase === "opening" ? request : { ...request, after: this.#sent },
      this.#deadlineMillis,
      this,
    );
  }

  opened(opening: WatchOpening): void {
    if (this.#phase !== "opening" || this.#watching === undefined) return;
    this.#phase = "live";
    const { cursor } = this.#watching;
    this.#sent = cursor;
    const { servedBy, ageMillis } = opening;
    const served = { zxid: cursor.zxid, servedBy, ageMillis, replayed: false };
    openStream(this.#call, served, this.#ask.type, this.#ask.request.after === undefined);
    if (this.#ask.request.after === undefined) this.#writeStates(opening, formatCursor(cursor));
    this.#beatIn(this.#call.door.limits.watchBeatMillis * (1 - this.#call.door.watches.spread() / 2));
    if (this.#call.door.stopping) this.drain();
  }

  #writeStates({ states }: WatchOpening, cursor: string): void {
    if (states.length === 0) return this.#write(pieceOf(this.#form.cursor(cursor)));
    // Of a state that is broken off none can be gone on from but all.
    const last = states.length - 1;
    const texts = states.map((each, i) =>
      this.#form.state(stateText(each, this.#ask.forced), i === last ? cursor : undefined),
    );
    this.#write(pieceOf(texts.join("")));
  }

  events(events: readonly WatchEvent[], more: boolean): void {
    if (this.#phase !== "live" || events.length === 0) return;
    const { watchQueuedEvents, watchSoftBytes } = this.#call.door.limits;
    if (this.#pump !== undefined) {
      this.#pump.push(events);
      if (this.#pump.waiting > watchQueuedEvents) this.#pause();
      return;
    }
    if (this.unsentBytes > this.#call.door.limits.watchUnsentBytes) return this.#cutOff();
    this.writeEvents(events, undefined);
    if (more && this.unsentBytes > watchSoftBytes) this.#pause();
  }

  ended(end: WatchEnd): void {
    this.#watching = undefined;
    if (this.#phase === "opening") {
      this.#leave();
      const refusal = refusalOfEnd(end);
      sendProblem(this.#call, refusal.problem, refusal.headers);
      observeWatcher(this.#call, "watch", this.#began);
    } else if (this.#pump?.busy === true) this.#pump.endWith(end);
    else this.end(end.code, end.detail);
  }

  /** The beat: a cursor, so that a quiet watch never grows too old. */
  expire(): void {
    if (this.#phase === "draining") {
      this.#call.response.destroy();
      return;
    }
    const { watchBeatMillis, watchUnsentBytes } = this.#call.door.limits;
    const stuck = (this.#paused || this.#pump?.busy === true) && !this.#progressed;
    if (this.unsentBytes > watchUnsentBytes || (stuck && this.unsentBytes > 0)) return this.#cutOff();
    this.#progressed = false;
    if (this.#watching !== undefined && this.#pump?.busy !== true) this.#sent = this.#watching.cursor;
    this.#write(pieceOf(this.#form.cursor(formatCursor(this.#sent))));
    this.#beatIn(watchBeatMillis);
  }

  drain(): void {
    if (this.#phase !== "live") return;
    if (this.#watching !== undefined && this.#pump?.busy !== true) this.#sent = this.#watching.cursor;
    this.end(undefined, "this gateway stops; connect again, to another one, and go on from the cursor");
  }

  gone(): void {
    this.#leave();
  }

  get unsentBytes(): number {
    return this.#call.response.writableLength;
  }

  get live(): boolean {
    return this.#phase === "live";
  }

  /** `run` when the client has read enough, or will never; at once if it has now. */
  whenRead(run: () => void): void {
    const { response, door } = this.#call;
    if (this.unsentBytes <= door.limits.watchSoftBytes) return run();
    const { socket } = response;
    const read = (): void => {
      response.off("drain", read).off("close", read);
      run();
    };
    if (socket === null) response.once("drain", read);
    // Nothing, but behind all the rest. Of `drain` a socket tells only where its own mark was passed.
    else socket.write(nothing, read);
    response.once("close", read);
  }

  writeEvents(events: readonly WatchEvent[], data: EventData): void {
    const history = this.#watching?.cursor.history ?? this.#sent.history;
    const at = (event: WatchEvent): Cursor =>
      history === undefined ? { zxid: event.zxid } : { zxid: event.zxid, history };
    const piece = streamPiece(this.#form, events, data, history ?? "", (event) => formatCursor(at(event)));
    this.#sent = at(events.at(-1) as WatchEvent);
    this.#progressed = true;
    this.#write(piece);
  }

  /** The pump has nothing more: a watch that was closed for its sake is taken up again. */
  pumped(): void {
    if (this.#paused) this.#resume();
  }

  /** The last word. Who does not read it in time is left. */
  end(code: string | undefined, detail: string): void {
    if (this.#phase !== "live") return;
    const { response, door } = this.#call;
    this.#write(pieceOf(this.#form.end(formatCursor(this.#sent), code, detail)));
    this.#phase = "draining";
    this.#watching?.close();
    this.#watching = undefined;
    this.#beatIn(door.limits.watchLingerMillis);
    // Node looks whether some of it has gone to the kernel since.
    response.setTimeout(door.limits.watchStallMillis, () => response.destroy());
    response.end();
    observeWatcher(this.#call, "watch", this.#began);
  }

  #cutOff(): void {
    this.end("throttled", "the events come faster than they are read; connect again and go on from the cursor");
  }

  #pause(): void {
    this.#watching?.close();
    this.#watching = undefined;
    if (this.#paused) return;
    this.#paused = true;
    if (this.#pump === undefined) this.whenRead(() => this.#resume());
  }

  #resume(): void {
    if (this.#phase !== "live" || !this.#paused) return;
    this.#paused = false;
    this.open();
  }

  #beatIn(millis: number): void {
    const { door } = this.#call;
    this.deadline = door.options.world.now() + millis;
    door.watches.schedule(this);
  }

  /** Straight to the socket: the response would make chunks of its own, anew for each stream. */
  #write(piece: Piece): void {
    const { response } = this.#call;
    const { socket } = response;
    if (socket === null) response.write(piece.plain);
    else if (!socket.destroyed) socket.write(response.chunkedEncoding ? piece.chunked : piece.plain);
  }

  #leave(): void {
    this.#phase = "over";
    this.#watching?.close();
    this.#watching = undefined;
    this.#call.door.watches.leave(this);
  }
}

/** Gives events their data, a transaction after the other, in order. */
class DataPump {
  readonly #reader: DataReader;
  readonly #stream: Stream;
  #queue: WatchEvent[] = [];
  #next = 0;
  #running = false;
  #lastWord: WatchEnd | undefined;

  constructor(reader: DataReader, stream: Stream) {
    this.#reader = reader;
    this.#stream = stream;
  }

  get busy(): boolean {
    return this.#running;
  }

  get waiting(): number {
    return this.#queue.length - this.#next;
  }

  push(events: readonly WatchEvent[]): void {
    for (const each of events) this.#queue.push(each);
    if (!this.#running) void this.#run();
  }

  /** Behind all that waits. */
  endWith(end: WatchEnd): void {
    this.#lastWord = end;
  }

  async #run(): Promise<void> {
    this.#running = true;
    const stream = this.#stream;
    while (stream.live && this.waiting > 0) {
      const end = endOfTransaction(this.#queue, this.#next);
      const transaction = this.#queue.slice(this.#next, end);
      const data = await this.#reader.read(transaction);
      if (!stream.live) break;
      if ("code" in data) {
        stream.end(data.code, data.detail);
        break;
      }
      stream.writeEvents(transaction, data);
      this.#next = end;
      await new Promise<void>((resolve) => stream.whenRead(resolve));
    }
    this.#queue = [];
    this.#next = 0;
    this.#running = false;
    if (this.#lastWord !== undefined) stream.end(this.#lastWord.code, this.#lastWord.detail);
    else if (stream.live) stream.pumped();
  }
}
