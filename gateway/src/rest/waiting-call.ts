/**
 * A call that waits: its place among the watchers, how long it has, and its one answer, which is said when its session has
 * been renewed. What it waits for, and what there is to say, is its owner's business.
 */
import type { Acting } from "@quorate/api";
import { type Call, timeoutOf } from "./call.ts";
import { sendProblem } from "./reply.ts";
import { type Refusal, renewOnArrival, waitingMillis } from "./session-keeping.ts";
import { observeWatcher, takeSeat, type Waiter } from "./watch-room.ts";

export interface Awaited {
  /** The time is over, or the process stops: what is known is to be said. It may be told again. */
  late(): void;
  /** Nothing of it is needed any more. It may be told again. */
  close(): void;
}

export class WaitingCall implements Waiter {
  readonly deadlineMillis: number;
  deadline = 0;
  wheelSlot = -1;
  wheelPlace = 0;
  /** As soon as there is anything to say, it is to be said. */
  overdue: boolean;
  readonly #call: Call;
  readonly #operation: string;
  readonly #awaited: Awaited;
  readonly #began: number;
  #sessionTimeoutMillis: number | undefined;
  #renewing = false;
  /** What it will say once the renewal is answered. */
  #last: (() => void) | undefined;
  #over = false;

  constructor(call: Call, operation: string, awaited: Awaited) {
    this.deadlineMillis = timeoutOf(call);
    this.overdue = call.door.stopping;
    this.#call = call;
    this.#operation = operation;
    this.#awaited = awaited;
    this.#began = call.door.options.world.now();
  }

  /** It was answered, or its client is gone. */
  get over(): boolean {
    return this.#over;
  }

  /** `keeper`: is renewed by it. Throws where there is no room. */
  start(keeper?: Acting): void {
    takeSeat(this.#call, this);
    if (keeper === undefined) return;
    this.#renewing = true;
    renewOnArrival(this.#call, keeper, this.deadlineMillis, (refusal) => {
      this.#renewing = false;
      if (refusal !== undefined) this.refuse(refusal);
      else if (this.#last !== undefined) this.finish(this.#last);
    });
  }

  /** From when it came on, and no longer than a third of its session's time, where that is known. */
  waitFor(waitMillis: number, sessionTimeoutMillis = 0): void {
    if (this.#over || this.#sessionTimeoutMillis === sessionTimeoutMillis) return;
    this.#sessionTimeoutMillis = sessionTimeoutMillis;
    this.deadline = this.#began + waitingMillis(this.#call, waitMillis, sessionTimeoutMillis);
    if (this.deadline <= this.#call.door.options.world.now()) this.overdue = true;
    this.#call.door.watches.schedule(this);
  }

  /** The answer. A later one takes its place as long as the renewal is not answered. */
  finish(say: () => void): void {
    if (this.#over) return;
    this.#awaited.close();
    this.#last = say;
    if (this.#renewing) return;
    this.gone();
    say();
    observeWatcher(this.#call, this.#operation, this.#began);
  }

  refuse({ problem, headers }: Refusal): void {
    this.#renewing = false;
    this.finish(() => sendProblem(this.#call, problem, headers));
  }

  expire(): void {
    this.overdue = true;
    this.#awaited.late();
  }

  drain(): void {
    this.expire();
  }

  gone(): void {
    if (this.#over) return;
    this.#over = true;
    this.#awaited.close();
    this.#call.door.watches.leave(this);
  }
}
