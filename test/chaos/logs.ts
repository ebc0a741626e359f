/** What the processes print: moved to files while the run goes on, and searched for words that nobody may say. */
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import type { Process } from "../integration/ensemble.ts";
import type { Tally } from "./tally.ts";

/** A fault of the program itself: a door that caught an exception, a stack trace. */
const faults = /rest: fault|^ {4}at /m;

export class Logs {
  readonly #folder: string;
  readonly #processes: readonly Process[];
  readonly #tally: Tally;

  constructor(folder: string, processes: readonly Process[], tally: Tally) {
    this.#folder = folder;
    this.#processes = processes;
    this.#tally = tally;
  }

  /** Whole lines alone. */
  drain(isLast = false): void {
    for (const process of this.#processes) {
      const { output } = process;
      const end = isLast ? output.length : output.lastIndexOf("\n") + 1;
      const text = output.slice(0, end);
      process.output = output.slice(end);
      if (text === "") continue;
      appendFileSync(join(this.#folder, `${process.name.replace(" ", "-")}.log`), text);
      const found = faults.exec(text);
      if (found) {
        const around = text.slice(Math.max(0, found.index - 500), found.index + 500);
        this.#tally.violate(`${process.name} notes a fault of its own: ${around}`);
      }
    }
  }
}
