/** A program of another's make, run to its end or given up after a while. */
import { spawn } from "node:child_process";
import type { Program } from "../polyglot/make-ready.ts";

export interface RunOptions {
  readonly cwd?: string;
  /** What is typed. */
  readonly input?: string;
  readonly millis: number;
}

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
  const timer = setTimeout(() => child.kill("SIGKILL"), options.millis);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      resolve({ status: signal ?? code ?? "unknown", output, errors });
    });
  });
}
