/** A program of another's make that is spoken with: a line is typed, and what it prints from then on is listened to. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { until } from "../integration/ensemble.ts";
import type { Program } from "../polyglot/make-ready.ts";

const patienceMillis = 60_000;

export class ForeignTalk {
  /** Everything it printed, on both streams. */
  output = "";
  readonly #child: ChildProcessWithoutNullStreams;
  /** Where what was not listened to begins. */
  #from = 0;

  constructor({ command, args, env }: Program) {
    this.#child = spawn(command, args, { env: { ...process.env, ...env }, stdio: "pipe" });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        this.output += text;
      });
    }
    this.#child.stdin.on("error", () => {});
  }

  get ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  type(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }

  /** The next that it prints of this, behind what was heard before. */
  async hears(pattern: RegExp): Promise<RegExpExecArray> {
    let found: RegExpExecArray | null = null;
    await until(
      () => {
        found = pattern.exec(this.output.slice(this.#from));
        if (found === null && this.ended) throw new Error("it has ended");
        return found !== null;
      },
      patienceMillis,
      () => `it says ${pattern}; it said ${this.output.slice(this.#from).slice(-4_000)}`,
    );
    const heard = found as unknown as RegExpExecArray;
    this.#from += heard.index + heard[0].length;
    return heard;
  }

  async says(line: string, pattern: RegExp): Promise<RegExpExecArray> {
    this.type(line);
    return await this.hears(pattern);
  }

  async waitForEnd(): Promise<number | string> {
    await until(
      () => this.ended,
      patienceMillis,
      () => `it ends; it said ${this.output.slice(-4_000)}`,
    );
    return this.#child.signalCode ?? this.#child.exitCode ?? "";
  }

  async kill(): Promise<void> {
    if (this.ended) return;
    const gone = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await gone;
  }
}
