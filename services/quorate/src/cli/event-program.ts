/**
 * What `watch` runs for each event: one program after the other, in the order of the events, which wait meanwhile. It finds the
 * event in its environment and, as JSON, on its standard input; whatever its exit code is, the watch goes on.
 */
import type { WatchItem } from "@quorate/client";
import type { Context } from "./context.ts";
import { UsageError } from "./failures.ts";
import { runProgram } from "./program.ts";

export type WatchedEvent = Extract<WatchItem, { readonly zxid: string }>;

export const eventVariables: readonly string[] = ["QUORATE_PATH", "QUORATE_TYPE", "QUORATE_ZXID"];

/** From a signal that does not end it to SIGTERM, and from there to SIGKILL. */
const graceMillis = 5000;

/** A line of the shell, or what stands behind `--`; undefined: neither was given. */
export function programOf({ values }: Context): readonly string[] | undefined {
  const line = values.text("exec");
  if (line === undefined) return values.program.length === 0 ? undefined : values.program;
  if (values.program.length > 0) throw new UsageError("--exec and -- COMMAND: give one of them");
  if (line.trim() === "") throw new UsageError("--exec is empty");
  return ["sh", "-c", line];
}

/** `shown`: the event as JSON has it. Rejects only when there is no such program, or when a signal came meanwhile. */
export async function runFor(
  program: readonly string[],
  { type, path, zxid }: WatchedEvent,
  shown: object,
  { env, out, signals }: Context,
): Promise<void> {
  const stopping = new AbortController();
  let came: NodeJS.Signals | undefined;
  let timer: NodeJS.Timeout | undefined;
  const { exit } = await runProgram(program, {
    env: { ...env, QUORATE_PATH: path, QUORATE_TYPE: type, QUORATE_ZXID: zxid },
    input: `${JSON.stringify(shown)}\n`,
    signals,
    lost: stopping.signal,
    graceMillis,
    came: (signal) => {
      // Who asks twice has waited long enough.
      if (came !== undefined) stopping.abort();
      came ??= signal;
      timer ??= setTimeout(() => stopping.abort(), graceMillis);
    },
  }).finally(() => clearTimeout(timer));
  const line = `${type} ${path} at ${zxid}: COMMAND ended with exit code ${exit}`;
  if (exit === 0) out.note(line);
  else out.warn(`quorate: ${line}`);
  if (out.json) await out.record({ ...shown, exit });
  if (came === undefined) return;
  signals.end(came);
  signals.signal.throwIfAborted();
}
