/** A program in a process group of its own, so that nothing that it started outlives it. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

export interface Ended {
  /** Exit code, or the name of the signal that ended it. */
  readonly status: number | string;
  readonly seconds: number;
  /** What it printed, both streams; of very much only the end. */
  readonly output: string;
  readonly timedOut: boolean;
  /** Processes of its group were still there after it had ended; they were killed. */
  readonly leftProcesses: boolean;
}

export interface GroupOptions {
  readonly cwd: string;
  readonly millis: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** The most output that is kept of one program. */
const outputCharacters = 200_000;
/** How long what is left of a group may take to end by itself. */
const graceMillis = 1000;

const running = new Set<number>();

export async function runInGroup(command: string, args: readonly string[], options: GroupOptions): Promise<Ended> {
  const started = performance.now();
  const child = spawn(command, args, {
    cwd: options.cwd,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...options.env },
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output = (output + text).slice(-outputCharacters);
    });
  }
  const group = child.pid;
  if (group === undefined) {
    const [error] = (await once(child, "error")) as [Error];
    return { status: error.message, seconds: 0, output, timedOut: false, leftProcesses: false };
  }
  running.add(group);
  const closed = once(child, "close");
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    signalGroup(group, "SIGKILL");
  }, options.millis);
  const [code, signal] = (await once(child, "exit")) as [number | null, string | null];
  clearTimeout(timer);
  const leftProcesses = !timedOut && (await outlives(group));
  signalGroup(group, "SIGKILL");
  running.delete(group);
  // What was printed may still be in the pipe; whoever held its other end is gone.
  await Promise.race([closed, sleep(graceMillis)]);
  const seconds = (performance.now() - started) / 1000;
  return { status: signal ?? code ?? "unknown", seconds, output, timedOut, leftProcesses };
}

/** When the run itself is interrupted. */
export function stopProcessGroups(): void {
  for (const group of running) signalGroup(group, "SIGKILL");
}

async function outlives(group: number): Promise<boolean> {
  for (let waited = 0; waited < graceMillis; waited += 50) {
    if (!signalGroup(group, 0)) return false;
    await sleep(50);
  }
  return hasLiving(group);
}

/** Orphans that have ended wait for the machine's first process to ask for their end: they count as gone. */
function hasLiving(group: number): boolean {
  if (process.platform !== "linux") return signalGroup(group, 0);
  return readdirSync("/proc").some((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      const [state, , ofGroup] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return Number(ofGroup) === group && state !== "Z" && state !== "X";
    } catch {
      return false;
    }
  });
}

/** False: nobody is there. */
function signalGroup(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-group, signal);
    return true;
  } catch {
    return false;
  }
}
