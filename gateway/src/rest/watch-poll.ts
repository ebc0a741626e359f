/**
 * A watch answered once: with the state and a cursor, or with all events behind a cursor, at once if there are any, else
 * when there are or when the wait is over.
 */
import { formatZxid, type WatchEvent, type Zxid, zeroZxid } from "@quorate/api";
import type { Cursor, WatchEnd, Watching, WatchListener, WatchOpening } from "../backend.ts";
import { formatCursor } from "../watch/cursor.ts";
import type { Call } from "./call.ts";
import { problemOfUnavailable } from "./fault.ts";
import { type Served, sendJson, sessionChallenge } from "./reply.ts";
import type { Refusal } from "./session-keeping.ts";
import { type Awaited, WaitingCall } from "./waiting-call.ts";
import { DataReader, endOfTransaction } from "./watch-data.ts";
import { pollBody, stateBody } from "./watch-encode.ts";
import { keeperOf, type WatchAsk } from "./watch-query.ts";

export function startPoll(call: Call, ask: WatchAsk): void {
  new Poll(call, ask).open();
}

export function refusalOfEnd({ code, detail, retryAfterMillis, ...known }: WatchEnd): Refusal {
  const { zxid = zeroZxid, servedBy, path } = known;
  const headers = code === "authFailed" ? ["WWW-Authenticate", sessionChallenge] : [];
  const unavailable = problemOfUnavailable({ code, detail, retryAfterMillis, certainty: "noEffect" });
  const problem = { ...unavailable, zxid, servedBy: servedBy === undefined ? "gateway" : String(servedBy) };
  return { problem: path === undefined ? problem : { ...problem, path }, headers };
}

/** What a poll found, once it has something to say. */
interface Found {
  readonly events: readonly WatchEvent[];
  readonly cursor: Cursor;
  readonly more: boolean;
}

class Poll implements WatchListener, Awaited {
  readonly #call: Call;
  readonly #ask: WatchAsk;
  readonly #waiting: WaitingCall;
  #watching: Watching | undefined;
  #servedBy = 0;
  #sessionTimeoutMillis = 0;

  constructor(call: Call, ask: WatchAsk) {
    this.#call = call;
    this.#ask = ask;
    this.#waiting = new WaitingCall(call, "watch", this);
  }

  open(): void {
    this.#waiting.start(keeperOf(this.#ask));
    const { backend } = this.#call.door.options;
    this.#watching = backend.watch(this.#ask.request, this.#waiting.deadlineMillis, this);
  }

  opened(opening: WatchOpening): void {
    this.#servedBy = opening.servedBy;
    this.#sessionTimeoutMillis = opening.sessionTimeoutMillis;
    if (this.#ask.request.after !== undefined || this.#watching === undefined) return;
    const { cursor } = this.#watching;
    const zxid = formatZxid(cursor.zxid);
    const body = stateBody(opening.states, this.#ask.forced, zxid, formatCursor(cursor));
    this.#answer(body, cursor.zxid, opening.ageMillis, true);
  }

  events(events: readonly WatchEvent[], more: boolean): void {
    if (this.#watching === undefined || (events.length === 0 && more)) return;
    const { cursor } = this.#watching;
    const last = events.at(-1);
    if (last === undefined) {
      this.#waiting.waitFor(this.#ask.waitMillis, this.#sessionTimeoutMillis);
      if (this.#waiting.overdue) this.late();
      return;
    }
    this.close();
    const found = { events, cursor: { ...cursor, zxid: last.zxid }, more };
    if (this.#ask.withData) void this.#answerWithData(found);
    else this.#answerFound(found, undefined);
  }

  ended(end: WatchEnd): void {
    this.#watching = undefined;
    this.#waiting.refuse(refusalOfEnd(end));
  }

  /** An answer with nothing but a cursor will do. */
  late(): void {
    if (this.#watching === undefined || this.#ask.request.after === undefined) return;
    this.#answerFound({ events: [], cursor: this.#watching.cursor, more: false }, undefined);
  }

  close(): void {
    this.#watching?.close();
    this.#watching = undefined;
  }

  #answerFound({ events, cursor, more }: Found, data: readonly string[] | undefined): void {
    this.#answer(pollBody(events, data, formatCursor(cursor), more), cursor.zxid, 0, false);
  }

  /** Whole transactions, until their data is as much as an answer should have. */
  async #answerWithData(found: Found): Promise<void> {
    const { events, cursor } = found;
    const most = this.#call.door.limits.pollDataBytes;
    const reader = new DataReader(this.#call, this.#ask.forced);
    const data: string[] = [];
    let length = 0;
    while (data.length < events.length && length < most) {
      const texts = await reader.read(events.slice(data.length, endOfTransaction(events, data.length)));
      if ("code" in texts) return this.#waiting.refuse(refusalOfEnd(texts));
      if (this.#waiting.over) return;
      for (const text of texts) {
        data.push(text);
        length += text.length;
      }
    }
    const part = events.slice(0, data.length);
    const more = found.more || part.length < events.length;
    this.#answerFound({ events: part, cursor: { ...cursor, zxid: part.at(-1)?.zxid ?? cursor.zxid }, more }, data);
  }

  #answer(body: string, zxid: Zxid, ageMillis: number, reading: boolean): void {
    const served: Served = { zxid, servedBy: this.#servedBy, ageMillis, replayed: false };
    this.#waiting.finish(() => sendJson(this.#call, 200, served, body, ["Vary", "Accept"], reading));
  }
}
