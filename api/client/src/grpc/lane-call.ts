/** One call on a session's stream, until it is answered or its time is over. */
import type { v1 } from "@quorate/proto";
import { QuorateError } from "../quorate-error.ts";
import { backOff, isPassing } from "../retry.ts";
import { failureOf } from "./failures.ts";
import type { Ask, LaneQueue } from "./lane-queue.ts";

export interface LaneCallOptions {
  readonly write: boolean;
  readonly operation: v1.SessionOperation;
  /** About. */
  readonly bytes: number;
  readonly timeoutMillis: number;
  readonly signal?: AbortSignal;
}

export interface LaneCallPorts {
  readonly queue: LaneQueue;
  nextId(): number;
  /** There is something to send. */
  schedule(): void;
  refused(error: QuorateError): void;
}

export class LaneCall<T> {
  readonly answered: Promise<T>;
  readonly #options: LaneCallOptions;
  readonly #ports: LaneCallPorts;
  readonly #answer: (reply: v1.SessionReply) => T;
  readonly #timer: NodeJS.Timeout;
  #again: NodeJS.Timeout | undefined;
  #ask: Ask | undefined;
  #refusal: QuorateError | undefined;
  #resolve: (value: T) => void = () => undefined;
  #reject: (error: Error) => void = () => undefined;

  constructor(options: LaneCallOptions, ports: LaneCallPorts, answer: (reply: v1.SessionReply) => T) {
    this.#options = options;
    this.#ports = ports;
    this.#answer = answer;
    this.answered = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#timer = setTimeout(() => this.#late(), options.timeoutMillis);
    const { signal } = options;
    if (signal?.aborted) this.#stop();
    else {
      signal?.addEventListener("abort", this.#stop, { once: true });
      this.#push();
    }
  }

  #push(): void {
    const { write, operation, bytes } = this.#options;
    this.#ask = {
      requestId: this.#ports.nextId(),
      write,
      operation,
      bytes,
      ...(operation.watch || operation.unwatch ? { once: true } : undefined),
      answered: (reply) => this.#take(reply),
      failed: (error) => this.#fail(error),
    };
    try {
      this.#ports.queue.push(this.#ask);
      this.#ports.schedule();
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  #take(reply: v1.SessionReply): void {
    if (reply.error === undefined) {
      this.#settle();
      try {
        this.#resolve(this.#answer(reply));
      } catch (error) {
        this.#reject(error as Error);
      }
      return;
    }
    this.#refusal = failureOf(reply.error);
    this.#ports.refused(this.#refusal);
    this.#ask = undefined;
    // A read that nobody could serve just now is asked again.
    if (this.#options.write || !isPassing(this.#refusal)) this.#fail(this.#refusal);
    else this.#again = setTimeout(() => this.#push(), backOff(2));
  }

  #late(): void {
    const millis = Math.round(this.#options.timeoutMillis);
    const certainty = this.#giveUp() || !this.#options.write ? "noEffect" : "unknown";
    this.#fail(this.#refusal ?? new QuorateError("timeout", `no answer within ${millis} ms`, { certainty }));
  }

  readonly #stop = (): void => {
    this.#giveUp();
    this.#fail(this.#options.signal?.reason as Error);
  };

  #giveUp(): boolean {
    return this.#ask === undefined || this.#ports.queue.giveUp(this.#ask);
  }

  #fail(error: Error): void {
    this.#settle();
    this.#reject(error);
  }

  #settle(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#again);
    this.#options.signal?.removeEventListener("abort", this.#stop);
  }
}
