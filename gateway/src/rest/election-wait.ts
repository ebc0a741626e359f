/**
 * `GET /v1/elections/x?wait=30s` with `If-None-Match`: answers once somebody else leads, or the leader proclaims something else
 * than the client has. It observes from the start, so that no state falls between; of several it sees the last.
 */
import type { Zxid } from "@quorate/api";
import type { WatchEnd } from "../backend.ts";
import type { ElectionListener, ElectionState, RecipeRead } from "../recipes/recipes.ts";
import type { Call } from "./call.ts";
import type { Served } from "./reply.ts";
import { type Awaited, WaitingCall } from "./waiting-call.ts";
import { refusalOfEnd } from "./watch-poll.ts";

export interface ElectionAnswers {
  /** The client has this state. */
  has(state: ElectionState): boolean;
  /** 200, or 304 if it has. */
  say(state: ElectionState, served: Served): void;
}

export function startElectionWait(call: Call, read: RecipeRead, waitMillis: number, answers: ElectionAnswers): void {
  new ElectionWait(call, read, waitMillis, answers).start();
}

interface Told {
  readonly state: ElectionState;
  readonly zxid: Zxid;
}

class ElectionWait implements ElectionListener, Awaited {
  readonly #call: Call;
  readonly #read: RecipeRead;
  readonly #waitMillis: number;
  readonly #answers: ElectionAnswers;
  readonly #waiting: WaitingCall;
  #observing: { close(): void } | undefined;
  /** What the client has, as of when it was told last. */
  #latest: Told | undefined;

  constructor(call: Call, read: RecipeRead, waitMillis: number, answers: ElectionAnswers) {
    this.#call = call;
    this.#read = read;
    this.#waitMillis = waitMillis;
    this.#answers = answers;
    this.#waiting = new WaitingCall(call, call.route.operationId, this);
  }

  start(): void {
    const { acting } = this.#read;
    this.#waiting.start(acting);
    if (acting !== undefined) void this.#bound(acting);
    this.#waiting.waitFor(this.#waitMillis);
    this.#observing = this.#call.door.options.recipes.observe(this.#read, this.#waiting.deadlineMillis, this);
  }

  /** To a third of the session's time; who asks has it, or is refused by the renewal. */
  async #bound(acting: NonNullable<RecipeRead["acting"]>): Promise<void> {
    const { identity, consistency, minZxid, maxStaleMillis } = this.#read;
    const operation = { kind: "getSession", session: acting.session } as const;
    const request = { identity, acting, operation, consistency, minZxid, maxStaleMillis };
    const answer = await this.#call.door.options.backend.read(request, this.#waiting.deadlineMillis);
    const found = answer.kind === "outcome" && answer.outcome.ok ? answer.outcome.result : undefined;
    if (found?.kind === "sessionInfo") this.#waiting.waitFor(this.#waitMillis, found.info.timeoutMillis);
  }

  changed(state: ElectionState, zxid: Zxid): void {
    this.#latest = { state, zxid };
    if (this.#waiting.overdue || !this.#answers.has(state)) this.late();
  }

  ended(end: WatchEnd): void {
    this.#observing = undefined;
    this.#waiting.refuse(refusalOfEnd(end));
  }

  late(): void {
    if (this.#latest === undefined) return;
    const { state, zxid } = this.#latest;
    const served: Served = { zxid, servedBy: 0, ageMillis: undefined, replayed: false };
    this.#waiting.finish(() => this.#answers.say(state, served));
  }

  close(): void {
    this.#observing?.close();
    this.#observing = undefined;
  }
}
