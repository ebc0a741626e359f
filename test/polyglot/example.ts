/** One of the examples, while it runs: the lines that it prints, and how it ends. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { until } from "../integration/ensemble.ts";
import type { Program } from "./make-ready.ts";

/** From its start to its first words, on a machine that is busy with four others. */
const startMillis = 90_000;

export class Example {
  /** Everything it printed. */
  output = "";
  readonly #child: ChildProcess;
  #printed = "";

  constructor({ command, args, env }: Program, further: readonly string[]) {
    const child = spawn(command, [...args, ...further], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...env },
    });
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      this.#printed += text;
      this.output += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.output += text;
    });
    this.#child = child;
  }

  get lines(): readonly string[] {
    return this.#printed.split("\n").slice(0, -1);
  }

  /** `changed 3 0x…`: type, version, zxid. */
  get changes(): readonly string[] {
    return this.lines.filter((line) => /^(created|changed|deleted) /.test(line));
  }

  get session(): string {
    return this.lines.find((line) => line.startsWith("session "))?.split(" ")[1] ?? "";
  }

  /** Exit code or signal; undefined while it runs. */
  get ended(): number | string | undefined {
    return this.#child.signalCode ?? this.#child.exitCode ?? undefined;
  }

  async has(word: string): Promise<void> {
    const there = (): boolean => this.lines.some((line) => line.startsWith(word));
    await until(
      () => there() || this.ended !== undefined,
      startMillis,
      () => `it prints "${word}"; it printed ${this.output}`,
    );
    if (!there()) throw new Error(`it ended (${this.ended}) without "${word}": ${this.output}`);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** By itself; what it printed and how it ended tell whether it did. */
  async waitForEnd(): Promise<void> {
    await until(() => this.ended !== undefined, 15_000, "it ends").catch(() => this.kill());
  }

  async kill(): Promise<void> {
    if (this.ended !== undefined) return;
    const gone = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await gone;
  }
}
