/**
 * `GET /v1/znodes/x?wait=30s` with `If-None-Match`: reads, and answers if the client does not have it. Else it watches the
 * znode behind that read's zxid, so that no change falls between, and reads again when there was one. State, not events.
 */
import { asZxid, type Path, type Stat, type WatchEvent, type Zxid } from "@quorate/api";
import type { ReadRequest, WatchEnd, Watching, WatchListener, WatchOpening } from "../backend.ts";
import { type Call, timeoutOf } from "./call.ts";
import { bad } from "./fault.ts";
import { type Served, type Settled, sendProblem, settle } from "./reply.ts";
import { type Refusal, renewOnArrival, waitingMillis } from "./session-keeping.ts";
import { refusalOfEnd } from "./watch-poll.ts";
import { readWait } from "./watch-query.ts";
import { observeWatcher, takeSeat, type Waiter } from "./watch-room.ts";
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
  const waitMillis = readWait(wait);
  const deadlineMillis = timeoutOf(call);
  const read = new BlockingRead(call, path, request, answers, waitMillis, deadlineMillis);
  takeSeat(call, read);
  read.start();
}

/** A watch that cannot go on is begun anew with a read; not for ever. */
const mostLooks = 100;

class BlockingRead implements WatchListener, Waiter {
  readonly #call: Call;
  readonly #path: Path;
  readonly #request: ReadRequest;
  readonly #answers: BlockingAnswers;
  readonly #waitMillis: number;
  readonly #deadlineMillis: number;
  readonly #began: number;
  deadline: number;
  wheelSlot = -1;
  wheelPlace = 0;
  #watching: Watching | undefined;
  /** The last read's, which the client has. */
  #served: Served | undefined;
  #stat: Stat | undefined;
  #sessionTimeoutMillis = 0;
  #renewing = false;
  #overdue: boolean;
  #looks = 0;
  /** What it will say once the renewal is answered. */
  #last: (() => void) | undefined;
  #done = false;

  constructor(
    call: Call,
    path: Path,
    request: ReadRequest,
    answers: BlockingAnswers,
    waitMillis: number,
    deadlineMillis: number,
  ) {
    this.#call = call;
    this.#path = path;
    this.#request = request;
    this.#answers = answers;
    this.#waitMillis = waitMillis;
    this.#deadlineMillis = deadlineMillis;
    this.#began = call.door.options.world.now();
    this.deadline = this.#began + waitingMillis(call, waitMillis, 0);
    this.#overdue = call.door.stopping || waitMillis === 0;
  }

  start(): void {
    const { acting } = this.#request;
    if (acting !== undefined) {
      this.#renewing = true;
      renewOnArrival(this.#call, acting, this.#deadlineMillis, (refusal) => {
        this.#renewing = false;
        if (refusal !== undefined) this.#refuse(refusal);
        else if (this.#last !== undefined) this.#finish(this.#last);
      });
    }
    this.#call.door.watches.schedule(this);
    void this.#look(this.#request);
  }

  async #look(request: ReadRequest): Promise<void> {
    this.#looks++;
    const answer = await this.#call.door.options.backend.read(request, this.#deadlineMillis);
    if (this.#done) return;
    if (answer.kind === "unavailable" || !answer.outcome.ok) {
      this.#finish(() => settle(this.#call, answer, true));
      return;
    }
    const { outcome, servedBy, ageMillis } = answer;
    const { stat } = expectResult(outcome.result, "data");
    const settled = { outcome, zxid: outcome.zxid, servedBy, ageMillis, replayed: false };
    if (!this.#answers.has(stat)) {
      this.#finish(() => this.#answers.found(settled));
      return;
    }
    this.#served = { zxid: outcome.zxid, servedBy, ageMillis, replayed: false };
    this.#stat = stat;
    if (this.#overdue || this.#looks >= mostLooks) this.#giveUp();
    else this.#watch(outcome.zxid);
  }

  #watch(zxid: Zxid): void {
    const { identity, acting, consistency, minZxid, maxStaleMillis } = this.#request;
    const scopes = { node: [this.#path], children: [], subtree: [] };
    const request = { identity, scopes, after: { zxid }, consistency, minZxid, maxStaleMillis };
    this.#watching = this.#call.door.options.backend.watch(
      acting === undefined ? request : { ...request, acting },
      this.#deadlineMillis,
      this,
    );
  }

  opened({ sessionTimeoutMillis }: WatchOpening): void {
    if (this.#done || this.#sessionTimeoutMillis === sessionTimeoutMillis) return;
    this.#sessionTimeoutMillis = sessionTimeoutMillis;
    this.deadline = this.#began + waitingMillis(this.#call, this.#waitMillis, sessionTimeoutMillis);
    this.#call.door.watches.schedule(this);
  }

  events(events: readonly WatchEvent[]): void {
    const last = events.at(-1);
    if (this.#done || last === undefined) return;
    this.#unwatch();
    void this.#look({ ...this.#request, consistency: "session", minZxid: last.zxid, maxStaleMillis: 0 });
  }

  ended(end: WatchEnd): void {
    this.#watching = undefined;
    // The zxid is our own: what happened behind it is seen by reading anew.
    const again = end.code === "cursorTooOld" || end.code === "cursorOfAnotherHistory";
    if (again && this.#looks < mostLooks) void this.#look(this.#request);
    else this.#refuse(refusalOfEnd(end));
  }

  expire(): void {
    this.#overdue = true;
    if (this.#watching !== undefined) this.#giveUp();
  }

  drain(): void {
    this.expire();
  }

  gone(): void {
    this.#leave();
  }

  /** 304, as of the newest zxid at which nothing had happened. */
  #giveUp(): void {
    const served = this.#served;
    const stat = this.#stat;
    if (served === undefined || stat === undefined) return;
    const through = this.#watching?.cursor.zxid ?? served.zxid;
    const zxid = asZxid(Math.max(through, served.zxid));
    this.#finish(() => this.#answers.unchanged({ ...served, zxid }, stat));
  }

  #refuse({ problem, headers }: Refusal): void {
    this.#renewing = false;
    this.#finish(() => sendProblem(this.#call, problem, headers));
  }

  #finish(say: () => void): void {
    if (this.#done) return;
    this.#unwatch();
    this.#last = say;
    if (this.#renewing) return;
    this.#leave();
    say();
    observeWatcher(this.#call, "blockingGet", this.#began);
  }

  #unwatch(): void {
    this.#watching?.close();
    this.#watching = undefined;
  }

  #leave(): void {
    this.#done = true;
    this.#unwatch();
    this.#call.door.watches.leave(this);
  }
}
