/**
 * The sending half of a streaming call: counts what is not sent yet, tells when it is less, and ends exactly once, with OK or
 * with a fault. Whoever writes without looking at `queuedBytes` is a road to out of memory.
 */
import { type GrpcFault, type GrpcStatus, statusOf } from "./faults.ts";

/** What is needed of a grpc-js call. */
export interface RawCall {
  write(bytes: Buffer, done: () => void): unknown;
  end(): unknown;
}

export interface OutletOptions {
  /** Ends the call with a status other than OK. */
  readonly fail: (status: GrpcStatus) => void;
  /** Once, at the end, however it comes; with google.rpc.Code. */
  readonly ended: (status: number) => void;
}

const cancelled = 1;

export class Outlet {
  readonly #call: RawCall;
  readonly #options: OutletOptions;
  #queuedBytes = 0;
  #over = false;
  #waiting: { readonly below: number; readonly run: () => void }[] = [];
  #goneRuns: (() => void)[] = [];

  constructor(call: RawCall, options: OutletOptions) {
    this.#call = call;
    this.#options = options;
  }

  /** Given to grpc-js, and not yet sent. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Nothing is sent any more. */
  get over(): boolean {
    return this.#over;
  }

  send(bytes: Buffer): void {
    if (this.#over) return;
    this.#queuedBytes += bytes.length;
    this.#call.write(bytes, () => {
      this.#queuedBytes -= bytes.length;
      this.#drained();
    });
  }

  /** `run` once no more than `below` bytes are unsent; at once if it is so. Never, when the call ends before. */
  whenBelow(below: number, run: () => void): void {
    if (this.#over) return;
    if (this.#queuedBytes <= below) run();
    else this.#waiting.push({ below, run });
  }

  /** When the call is over, whoever ended it. */
  onGone(run: () => void): void {
    if (this.#over) run();
    else this.#goneRuns.push(run);
  }

  end(fault?: GrpcFault): void {
    if (this.#over) return;
    if (fault === undefined) {
      this.#finish(0);
      this.#call.end();
      return;
    }
    const status = statusOf(fault);
    this.#finish(status.code);
    this.#options.fail(status);
  }

  /** The client has cancelled, its deadline has come, or its connection broke. */
  gone(): void {
    if (!this.#over) this.#finish(cancelled);
  }

  #drained(): void {
    if (this.#waiting.length === 0 || this.#over) return;
    const ready = this.#waiting.filter(({ below }) => this.#queuedBytes <= below);
    if (ready.length === 0) return;
    this.#waiting = this.#waiting.filter((each) => !ready.includes(each));
    for (const { run } of ready) run();
  }

  #finish(status: number): void {
    this.#over = true;
    this.#waiting = [];
    const runs = this.#goneRuns;
    this.#goneRuns = [];
    this.#options.ended(status);
    for (const run of runs) run();
  }
}
