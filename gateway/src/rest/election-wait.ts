/**
 * `GET /v1/elections/x?wait=30s` with `If-None-Match`: answers once somebody else leads, or the leader proclaims something else
 * than the client has. It observes from the start, so that no state falls between; of several it sees the last.
 */
import type { Zxid } from "@quorate/api";
import type { WatchEnd } from "../backend.ts";
import type { ElectionListener, ElectionState, RecipeRead } from "../recipes/recipes.ts";
import { type Call, timeoutOf } from "./call.ts";
import { type Served, sendProblem } from "./reply.ts";
import { type Refusal, renewOnArrival, waitingMillis } from "./session-keeping.ts";
import { refusalOfEnd } from "./watch-poll.ts";
import { observeWatcher, takeSeat, type Waiter } from "./watch-room.ts";

export interface ElectionAnswers {
  /** The client has this state. */
  has(state: ElectionState): boolean;
  /** 200, or 304 if it has. */
  say(state: ElectionState, served: Served): void;
}

export function startElectionWait(call: Call, read: RecipeRead, waitMillis: number, answers: ElectionAnswers): void {
  const deadlineMillis = timeoutOf(call);
  const wait = new ElectionWait(call, read, waitMillis, deadlineMillis, answers);
  takeSeat(call, wait);
  wait.start();
}

interface Told {
  readonly state: ElectionState;
  readonly zxid: Zxid;
}

class ElectionWait implements ElectionListener, Waiter {
  readonly #call: Call;
  readonly #read: RecipeRead;
  readonly #waitMillis: number;
  readonly #deadlineMillis: number;
  readonly #answers: ElectionAnswers;
  readonly #began: number;
  deadline: number;
  wheelSlot = -1;
  wheelPlace = 0;
  #observing: { close(): void } | undefined;
  /** What the client has, as of when it was told last. */
  #latest: Told | undefined;
  #renewing = false;
  #overdue: boolean;
  /** What it will say once the renewal is answered. */
  #last: (() => void) | undefined;
  #done = false;

  constructor(call: Call, read: RecipeRead, waitMillis: number, deadlineMillis: number, answers: ElectionAnswers) {
    this.#call = call;
    this.#read = read;
    this.#waitMillis = waitMillis;
    this.#deadlineMillis = deadlineMillis;
    this.#answers = answers;
    this.#began = call.door.options.world.now();
    this.deadline = this.#began + waitingMillis(call, waitMillis, 0);
    this.#overdue = call.door.stopping || waitMillis === 0;
  }

  start(): void {
    const { acting } = this.#read;
    if (acting !== undefined) {
      this.#renewing = true;
      renewOnArrival(this.#call, acting, this.#deadlineMillis, (refusal) => {
        this.#renewing = false;
        if (refusal !== undefined) this.#refuse(refusal);
        else if (this.#last !== undefined) this.#finish(this.#last);
      });
      void this.#bound(acting);
    }
    this.#call.door.watches.schedule(this);
    this.#observing = this.#call.door.options.recipes.observe(this.#read, this.#deadlineMillis, this);
  }

  /** To a third of the session's time; who asks has it, or is refused by the renewal. */
  async #bound(acting: NonNullable<RecipeRead["acting"]>): Promise<void> {
    const { identity, consistency, minZxid, maxStaleMillis } = this.#read;
    const operation = { kind: "getSession", session: acting.session } as const;
    const { backend } = this.#call.door.options;
    const request = { identity, acting, operation, consistency, minZxid, maxStaleMillis };
    const answer = await backend.read(request, this.#deadlineMillis);
    const found = answer.kind === "outcome" && answer.outcome.ok ? answer.outcome.result : undefined;
    if (this.#done || this.#overdue || found?.kind !== "sessionInfo") return;
    this.deadline = this.#began + waitingMillis(this.#call, this.#waitMillis, found.info.timeoutMillis);
    this.#call.door.watches.schedule(this);
  }

  changed(state: ElectionState, zxid: Zxid): void {
    if (this.#done) return;
    this.#latest = { state, zxid };
    if (this.#overdue || !this.#answers.has(state)) this.#answer(this.#latest);
  }

  ended(end: WatchEnd): void {
    this.#observing = undefined;
    this.#refuse(refusalOfEnd(end));
  }

  expire(): void {
    this.#overdue = true;
    if (this.#latest !== undefined) this.#answer(this.#latest);
  }

  drain(): void {
    this.expire();
  }

  gone(): void {
    this.#leave();
  }

  #answer({ state, zxid }: Told): void {
    const served: Served = { zxid, servedBy: 0, ageMillis: undefined, replayed: false };
    this.#finish(() => this.#answers.say(state, served));
  }

  #refuse({ problem, headers }: Refusal): void {
    this.#renewing = false;
    this.#finish(() => sendProblem(this.#call, problem, headers));
  }

  #finish(say: () => void): void {
    if (this.#done) return;
    this.#unobserve();
    this.#last = say;
    if (this.#renewing) return;
    this.#leave();
    say();
    observeWatcher(this.#call, this.#call.route.operationId, this.#began);
  }

  #unobserve(): void {
    this.#observing?.close();
    this.#observing = undefined;
  }

  #leave(): void {
    this.#done = true;
    this.#unobserve();
    this.#call.door.watches.leave(this);
  }
}
