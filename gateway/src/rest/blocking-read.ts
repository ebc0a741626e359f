/**
 * `GET /v1/znodes/x?wait=30s` with `If-None-Match`: reads, and answers if the client does not have it. Else it watches the
 * znode behind that read's zxid, so that no change falls between, and reads again when there was one. State, not events.
 */
import { asZxid, type Path, type Stat, type WatchEvent, type Zxid } from "@quorate/api";
import type { ReadRequest, WatchEnd, Watching, WatchListener, WatchOpening } from "../backend.ts";
import type { Call } from "./call.ts";
import { bad } from "./fault.ts";
import { type Served, type Settled, settle } from "./reply.ts";
import { type Awaited, WaitingCall } from "./waiting-call.ts";
import { refusalOfEnd } from "./watch-poll.ts";
import { readWait } from "./watch-query.ts";
import { expectResult } from "./znodes.ts";

/** What the route makes of a read. */
export interface BlockingAnswers {
  /** The client has what was read. */
  has(stat: Stat): boolean;
  /** 200. */
  found(settled: Settled): void;
  /** 304. */
  unchanged(served: Served, stat: Stat): void;
}

export function startBlockingRead(
  call: Call,
  path: Path,
  request: ReadRequest,
  wait: string,
  answers: BlockingAnswers,
): void {
  if (call.head.ifNoneMatch === undefined) {
    throw bad("wait: it goes with If-None-Match, the ETag that you have; the answer comes when the data is another");
  }
  new BlockingRead(call, path, request, answers, readWait(wait)).start();
}

/** A watch that cannot go on is begun anew with a read; not for ever. */
const mostLooks = 100;

class BlockingRead implements WatchListener, Awaited {
  readonly #call: Call;
  readonly #path: Path;
  readonly #request: ReadRequest;
  readonly #answers: BlockingAnswers;
  readonly #waitMillis: number;
  readonly #waiting: WaitingCall;
  #watching: Watching | undefined;
  /** The last read's, which the client has. */
  #served: Served | undefined;
  #stat: Stat | undefined;
  #looks = 0;

  constructor(call: Call, path: Path, request: ReadRequest, answers: BlockingAnswers, waitMillis: number) {
    this.#call = call;
    this.#path = path;
    this.#request = request;
    this.#answers = answers;
    this.#waitMillis = waitMillis;
    this.#waiting = new WaitingCall(call, "blockingGet", this);
  }

  start(): void {
    this.#waiting.start(this.#request.acting);
    this.#waiting.waitFor(this.#waitMillis);
    void this.#look(this.#request);
  }

  async #look(request: ReadRequest): Promise<void> {
    this.#looks++;
    const answer = await this.#call.door.options.backend.read(request, this.#waiting.deadlineMillis);
    if (this.#waiting.over) return;
    if (answer.kind === "unavailable" || !answer.outcome.ok) {
      this.#waiting.finish(() => settle(this.#call, answer, true));
      return;
    }
    const { outcome, servedBy, ageMillis } = answer;
    const { stat } = expectResult(outcome.result, "data");
    const settled = { outcome, zxid: outcome.zxid, servedBy, ageMillis, replayed: false };
    if (!this.#answers.has(stat)) {
      this.#waiting.finish(() => this.#answers.found(settled));
      return;
    }
    this.#served = { zxid: outcome.zxid, servedBy, ageMillis, replayed: false };
    this.#stat = stat;
    if (this.#waiting.overdue || this.#looks >= mostLooks) this.#unchanged(outcome.zxid);
    else this.#watch(outcome.zxid);
  }

  #watch(zxid: Zxid): void {
    const { identity, acting, consistency, minZxid, maxStaleMillis } = this.#request;
    const scopes = { node: [this.#path], children: [], subtree: [] };
    const request = { identity, scopes, after: { zxid }, consistency, minZxid, maxStaleMillis };
    this.#watching = this.#call.door.options.backend.watch(
      acting === undefined ? request : { ...request, acting },
      this.#waiting.deadlineMillis,
      this,
    );
  }

  opened({ sessionTimeoutMillis }: WatchOpening): void {
    this.#waiting.waitFor(this.#waitMillis, sessionTimeoutMillis);
  }

  events(events: readonly WatchEvent[]): void {
    const last = events.at(-1);
    if (this.#waiting.over || last === undefined) return;
    this.close();
    void this.#look({ ...this.#request, consistency: "session", minZxid: last.zxid, maxStaleMillis: 0 });
  }

  ended(end: WatchEnd): void {
    this.#watching = undefined;
    // The zxid is our own: what happened behind it is seen by reading anew.
    const again = end.code === "cursorTooOld" || end.code === "cursorOfAnotherHistory";
    if (again && this.#looks < mostLooks) void this.#look(this.#request);
    else this.#waiting.refuse(refusalOfEnd(end));
  }

  /** Where it reads, that will tell. */
  late(): void {
    if (this.#watching !== undefined) this.#unchanged(this.#watching.cursor.zxid);
  }

  /** 304, as of the newest zxid at which nothing had happened. */
  #unchanged(through: Zxid): void {
    const served = this.#served;
    const stat = this.#stat;
    if (served === undefined || stat === undefined) return;
    const zxid = asZxid(Math.max(through, served.zxid));
    this.#waiting.finish(() => this.#answers.unchanged({ ...served, zxid }, stat));
  }

  close(): void {
    this.#watching?.close();
    this.#watching = undefined;
  }
}
