/**
 * All that was ever committed in a run, although replicas prune their logs and lose them: every segment gets a second name while
 * it is there, so that its content stays. Read at the end, by a program of its own that knows the next rules version too.
 */
import { fork } from "node:child_process";
import { linkSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { CommittedChange } from "../integration/committed.ts";

/** A segment that lives shorter than this is one whose replica was wiped at once. */
const linkMillis = 250;

export interface ReadOrder {
  readonly folder: string;
  /** Data folder of a replica that stands where all stand; its process has ended. */
  readonly head: string;
}

export type ReadAnswer = { readonly changes: readonly CommittedChange[] } | { readonly fault: string };

export class LogArchive {
  readonly #folder: string;
  readonly #data: readonly string[];
  readonly #timer: NodeJS.Timeout;

  /** `data`: folders of one file system with `folder`; of all replicas but one, so that each quorum is met. */
  constructor(folder: string, data: readonly string[]) {
    this.#folder = folder;
    this.#data = data;
    mkdirSync(folder);
    this.#timer = setInterval(() => this.link(), linkMillis);
  }

  link(): void {
    for (const data of this.#data) {
      try {
        for (const name of readdirSync(data)) {
          if (name.startsWith("log.")) this.#linkOne(join(data, name), name);
        }
      } catch {
        // The folder is wiped, or not made yet.
      }
    }
  }

  #linkOne(path: string, name: string): void {
    try {
      // A name may come again after a truncation, its file does not.
      linkSync(path, join(this.#folder, `${name}.${statSync(path).ino}`));
    } catch {
      // It is there already, or gone.
    }
  }

  /** The replicas must have ended, and be equal. */
  async read(head: string): Promise<readonly CommittedChange[]> {
    this.link();
    const reader = fork(join(import.meta.dirname, "log-reader.ts"), {
      execArgv: [`--import=${join(import.meta.dirname, "next-program.ts")}`],
      env: { ...process.env, NODE_DISABLE_COMPILE_CACHE: "1" },
      serialization: "advanced",
    });
    try {
      const answer = await new Promise<ReadAnswer>((resolve) => {
        reader.once("message", (message) => resolve(message as ReadAnswer));
        reader.once("exit", (code) => resolve({ fault: `the reader of the logs ended: ${code}` }));
        reader.send({ folder: this.#folder, head } satisfies ReadOrder);
      });
      if ("fault" in answer) throw new Error(answer.fault);
      return answer.changes;
    } finally {
      reader.kill("SIGKILL");
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
