/** A program of another's make, run to its end or given up after a while. */
import { spawn } from "node:child_process";
import type { Program } from "../polyglot/make-ready.ts";

export interface RunOptions {
  readonly cwd?: string;
  /** What is typed. */
  readonly input?: string;
  /** Then it is interrupted, so that it stops what it has started; and killed if it takes no notice. */
  readonly millis: number;
}

const graceMillis = 10_000;

export interface RunEnd {
  /** Exit code, or the signal that ended it. */
  readonly status: number | string;
  readonly output: string;
  readonly errors: string;
}

export function runForeign({ command, args, env }: Program, options: RunOptions): Promise<RunEnd> {
  const child = spawn(command, args, {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: { ...process.env, ...env },
    stdio: "pipe",
  });
  let output = "";
  let errors = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  // One that ends early does not read all.
  child.stdin.on("error", () => {});
  child.stdin.end(options.input ?? "");
  const timers = [
    setTimeout(() => child.kill("SIGINT"), options.millis),
    setTimeout(() => child.kill("SIGKILL"), options.millis + graceMillis),
  ];
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      for (const timer of timers) clearTimeout(timer);
      resolve({ status: signal ?? code ?? "unknown", output, errors });
    });
  });
}
