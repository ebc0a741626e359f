/** Has closed histories judged in a thread of its own while the run goes on; a history that fails is kept. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { formatHistory, type History } from "../linearizability/index.ts";
import { pause } from "./hand.ts";
import type { Finding } from "./judge-worker.ts";
import type { Tally } from "./tally.ts";

/** So many histories may wait; who closes one more waits as well. */
const waitingHistories = 32;

export class Judge {
  objects = 0;
  undecided = 0;
  operations = 0;
  slowestMillis = 0;
  readonly #tally: Tally;
  readonly #folder: string;
  readonly #worker = new Worker(new URL("./judge-worker.ts", import.meta.url));
  readonly #waiting = new Map<number, { readonly object: string; readonly history: History }>();
  #next = 0;
  #isBroken = false;

  /** `folder`: where the history of an object that fails is put. */
  constructor(tally: Tally, folder: string) {
    this.#tally = tally;
    this.#folder = folder;
    this.#worker.on("message", (finding: Finding) => this.#found(finding));
    this.#worker.on("error", (error) => {
      this.#isBroken = true;
      const objects = [...this.#waiting.values()].map((each) => each.object);
      this.#keep([...this.#waiting.values()][0]);
      tally.violate(`the judge broke off over ${objects[0]}: ${error.stack ?? error}`);
      this.#waiting.clear();
    });
  }

  async judge(object: string, history: History): Promise<void> {
    while (this.#waiting.size >= waitingHistories) await pause(50);
    if (this.#isBroken) return;
    const number = this.#next++;
    this.#waiting.set(number, { object, history });
    this.#worker.postMessage({ number, history });
  }

  /** When all that waits is judged. */
  async stop(): Promise<void> {
    while (this.#waiting.size > 0) await pause(20);
    await this.#worker.terminate();
  }

  #found({ number, verdict, millis }: Finding): void {
    const waiting = this.#waiting.get(number);
    this.#waiting.delete(number);
    this.objects += verdict.objects;
    this.undecided += verdict.undecided;
    this.operations += verdict.operations;
    this.slowestMillis = Math.max(this.slowestMillis, millis);
    if (verdict.violations.length > 0 || verdict.undecided > 0) this.#keep(waiting);
    for (const each of verdict.violations) this.#tally.violate(each);
  }

  #keep(waiting: { readonly object: string; readonly history: History } | undefined): void {
    if (!waiting) return;
    const path = join(this.#folder, `history${waiting.object.replaceAll("/", "-")}.txt`);
    writeFileSync(path, formatHistory(waiting.history));
  }
}
