/**
 * A watch answered once: with the state and a cursor, or with all events behind a cursor, at once if there are any, else
 * when there are or when the wait is over.
 */
import { formatZxid, type WatchEvent, type Zxid, zeroZxid } from "@quorate/api";
import type { Cursor, WatchEnd, Watching, WatchListener, WatchOpening } from "../backend.ts";
import { formatCursor } from "../watch/cursor.ts";
import { type Call, timeoutOf } from "./call.ts";
import { problemOfUnavailable } from "./fault.ts";
import { type Served, sendJson, sendProblem, sessionChallenge } from "./reply.ts";
import { type Refusal, renewOnArrival, waitingMillis } from "./session-keeping.ts";
import { DataReader, endOfTransaction } from "./watch-data.ts";
import { pollBody, stateBody } from "./watch-encode.ts";
import { keeperOf, type WatchAsk } from "./watch-query.ts";
import { observeWatcher, takeSeat, type Waiter } from "./watch-room.ts";

export function startPoll(call: Call, ask: WatchAsk): void {
  const deadlineMillis = timeoutOf(call);
  const poll = new Poll(call, ask);
  takeSeat(call, poll);
  poll.open(deadlineMillis);
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

class Poll implements WatchListener, Waiter {
  readonly #call: Call;
  readonly #ask: WatchAsk;
  readonly #began: number;
  deadline = 0;
  wheelSlot = -1;
  wheelPlace = 0;
  #watching: Watching | undefined;
  #servedBy = 0;
  #sessionTimeoutMillis = 0;
  /** Its session's renewal is not answered yet. */
  #renewing = false;
  /** An answer with nothing but a cursor will do. */
  #overdue: boolean;
  #found: Found | undefined;
  #done = false;

  constructor(call: Call, ask: WatchAsk) {
    this.#call = call;
    this.#ask = ask;
    this.#began = call.door.options.world.now();
    this.#overdue = call.door.stopping;
  }

  open(deadlineMillis: number): void {
    const keeper = keeperOf(this.#ask);
    if (keeper !== undefined) {
      this.#renewing = true;
      renewOnArrival(this.#call, keeper, deadlineMillis, (refusal) => {
        this.#renewing = false;
        if (refusal === undefined) this.#settle();
        else this.#refuse(refusal);
      });
    }
    this.#watching = this.#call.door.options.backend.watch(this.#ask.request, deadlineMillis, this);
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
    if (this.#done || this.#watching === undefined || (events.length === 0 && more)) return;
    const last = events.at(-1);
    if (last !== undefined) {
      const { history } = this.#watching.cursor;
      this.#watching.close();
      this.#watching = undefined;
      const cursor = history === undefined ? { zxid: last.zxid } : { zxid: last.zxid, history };
      this.#found = { events, cursor, more };
    } else {
      const wait = waitingMillis(this.#call, this.#ask.waitMillis, this.#sessionTimeoutMillis);
      const { world } = this.#call.door.options;
      this.deadline = this.#began + wait;
      if (this.deadline <= world.now()) this.#overdue = true;
      else this.#call.door.watches.schedule(this);
    }
    this.#settle();
  }

  ended(end: WatchEnd): void {
    this.#watching = undefined;
    this.#refuse(refusalOfEnd(end));
  }

  expire(): void {
    this.#overdue = true;
    this.#settle();
  }

  drain(): void {
    this.expire();
  }

  gone(): void {
    this.#finish();
  }

  /** Answers, if everything is there that the answer needs. */
  #settle(): void {
    if (this.#done || this.#renewing) return;
    if (this.#found !== undefined) {
      const found = this.#found;
      this.#found = undefined;
      if (this.#ask.withData) void this.#answerWithData(found);
      else this.#answerFound(found, undefined);
    } else if (this.#overdue && this.#watching !== undefined && this.#ask.request.after !== undefined) {
      this.#answerFound({ events: [], cursor: this.#watching.cursor, more: false }, undefined);
    }
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
      if ("code" in texts) return this.#refuse(refusalOfEnd(texts));
      if (this.#done) return;
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
    if (this.#done) return;
    const served: Served = { zxid, servedBy: this.#servedBy, ageMillis, replayed: false };
    this.#finish();
    sendJson(this.#call, 200, served, body, ["Vary", "Accept"], reading);
    observeWatcher(this.#call, "watch", this.#began);
  }

  #refuse(refusal: Refusal): void {
    if (this.#done) return;
    this.#finish();
    sendProblem(this.#call, refusal.problem, refusal.headers);
    observeWatcher(this.#call, "watch", this.#began);
  }

  #finish(): void {
    if (this.#done) return;
    this.#done = true;
    this.#watching?.close();
    this.#watching = undefined;
    this.#found = undefined;
    this.#call.door.watches.leave(this);
  }
}
