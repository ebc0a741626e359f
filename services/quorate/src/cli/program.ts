/**
 * A program that is run while something is held, or for something that has happened: signals go on to it, and it is stopped, with
 * all that it started, when that is lost.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readdirSync, readFileSync } from "node:fs";
import { CommandError, signalNumber } from "./failures.ts";
import type { Signals } from "./signals.ts";

export interface ProgramOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly signals: Signals;
  /** Aborted when it must stop. */
  readonly lost: AbortSignal;
  /** From SIGTERM to SIGKILL. */
  readonly graceMillis: number;
  /** On its standard input; undefined: it has that of this process. */
  readonly input?: string;
  /** A signal came, which is told to the program too. */
  readonly came?: (signal: NodeJS.Signals) => void;
}

export interface ProgramEnd {
  readonly exit: number;
  /** It was stopped because what it needs was lost. */
  readonly stopped: boolean;
}

const lookMillis = 50;
/** What is killed ends when the system comes to it. */
const killedMillis = 2000;

export async function runProgram(
  [name = "", ...args]: readonly string[],
  options: ProgramOptions,
): Promise<ProgramEnd> {
  const { signals, lost, env, input, came } = options;
  if (lost.aborted) return { exit: 0, stopped: true };
  const child = spawn(name, args, { stdio: [input === undefined ? "inherit" : "pipe", "inherit", "inherit"], env });
  // It need not read it.
  child.stdin?.on("error", () => undefined).end(input);
  const ended = endOf(child, name);
  // A terminal sends these to all of its foreground processes by itself.
  const shared = hasTerminal();
  signals.forwardTo((signal) => {
    if (!(shared && (signal === "SIGINT" || signal === "SIGQUIT"))) child.kill(signal);
    came?.(signal);
  });
  let stopping: Promise<void> | undefined;
  const stop = (): void => {
    stopping ??= stopAll(child.pid ?? 0, options.graceMillis);
  };
  lost.addEventListener("abort", stop, { once: true });
  try {
    const exit = await ended;
    const stopped = stopping !== undefined;
    await stopping;
    return { exit, stopped };
  } finally {
    lost.removeEventListener("abort", stop);
    signals.forwardTo(undefined);
  }
}

function endOf(child: ChildProcess, name: string): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") reject(new CommandError("noProgram", `there is no program ${JSON.stringify(name)}`));
      else reject(new CommandError("notExecutable", `${name} cannot be run: ${error.message}`));
    });
    child.once("exit", (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : signalNumber(signal))));
  });
}

function hasTerminal(): boolean {
  try {
    closeSync(openSync("/dev/tty", "r"));
    return true;
  } catch {
    return false;
  }
}

/** Asks it and all below it to end, and makes them when the time is over. */
async function stopAll(root: number, graceMillis: number): Promise<void> {
  const all = new Set(withDescendants([root]));
  for (const pid of all) send(pid, "SIGTERM");
  await gone(all, graceMillis);
  const left = withDescendants([...all].filter(isAlive));
  for (const pid of left) send(pid, "SIGKILL");
  await gone(left, killedMillis);
}

async function gone(pids: Iterable<number>, millis: number): Promise<void> {
  const end = performance.now() + millis;
  while (performance.now() < end && [...pids].some(isAlive))
    await new Promise((resolve) => setTimeout(resolve, lookMillis));
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended.
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // Of one that has ended, and that nobody has asked for yet, only its number is left.
    return stateOf(pid)?.state !== "Z";
  } catch {
    return false;
  }
}

function withDescendants(roots: readonly number[]): readonly number[] {
  const childrenOf = new Map<number, number[]>();
  for (const { pid, parent } of processes()) {
    const siblings = childrenOf.get(parent) ?? [];
    siblings.push(pid);
    childrenOf.set(parent, siblings);
  }
  const found = new Set(roots);
  // A set goes on to what is added while it is gone through.
  for (const pid of found) for (const child of childrenOf.get(pid) ?? []) found.add(child);
  return [...found];
}

/** Of Linux; elsewhere only the program itself is known. */
function processes(): readonly { readonly pid: number; readonly parent: number }[] {
  try {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .flatMap((name) => {
        const state = stateOf(Number(name));
        return state === undefined ? [] : [{ pid: Number(name), parent: state.parent }];
      });
  } catch {
    return [];
  }
}

function stateOf(pid: number): { readonly state: string; readonly parent: number } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The name stands in brackets, and may have brackets and spaces.
    const [state = "", parent = ""] = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return { state, parent: Number(parent) };
  } catch {
    return undefined;
  }
}
