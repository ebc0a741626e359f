/** Ctrl-C and its like: the first ends what is under way, the second the process; or all go to a program that is run. */
import { Interrupted, signalNumber } from "./failures.ts";

const caught: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"];

export class Signals {
  readonly #over = new AbortController();
  #forward: ((signal: NodeJS.Signals) => void) | undefined;

  constructor() {
    for (const signal of caught) process.on(signal, () => this.#come(signal));
  }

  get signal(): AbortSignal {
    return this.#over.signal;
  }

  /** What is under way ends, as by that signal. */
  end(signal: NodeJS.Signals): void {
    this.#over.abort(new Interrupted(signal));
  }

  /** Until it is called with nothing, signals end nothing here. */
  forwardTo(forward: ((signal: NodeJS.Signals) => void) | undefined): void {
    this.#forward = forward;
  }

  #come(signal: NodeJS.Signals): void {
    if (this.#forward) this.#forward(signal);
    else if (this.#over.signal.aborted) process.exit(128 + signalNumber(signal));
    else this.end(signal);
  }
}
