/**
 * How a program in another language is made ready: which tools it takes, whence its libraries come. What is made lies in a
 * folder that git ignores, so that a second run is quick. What cannot be had is a reason to skip, never a failure.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const root = join(import.meta.dirname, "../..");
const cache = join(root, "node_modules/.cache/quorate-polyglot");
/** All that is fetched and made for one kit, on a machine that has nothing yet; the runner's limit for a file is longer. */
const readyMillis = 140_000;
/** The same where it is done beforehand, by itself. */
const beforehandMillis = 400_000;

export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** What a program in another language is made of. */
export interface Kit {
  readonly name: string;
  /** Programs that must be on the PATH. */
  readonly tools: readonly string[];
  /** Its own folder in the cache. */
  readonly folder: string;
  /** Files and folders that it is made of: when one has changed, it is made anew. */
  readonly sources: readonly string[];
  /** Further reasons why it cannot be made here. */
  readonly unfit?: () => string | undefined;
  /** In order; `into` is its folder in the cache. */
  readonly steps: (into: string) => readonly Step[];
  readonly program: (into: string) => Program;
}

export interface Step extends Program {
  /** It asks a registry: that it fails says nothing about the program. */
  readonly fetches?: boolean;
  /** Its output when it failed for want of a registry. */
  readonly unreached?: RegExp;
}

/** Of Maven, where a library or plugin could not be had. */
export const mavenUnreached: RegExp =
  /Could not (transfer|resolve|find)|Unable to resolve|could not be resolved|cached in the local repository/;

/** A program that can be started, or why there is none. */
export type Ready = { readonly program: Program; readonly seconds: number } | { readonly skip: string };

/** Throws when its tools refuse what is here: stubs that cannot be made, a program that does not compile. */
export async function makeReady(kit: Kit, millis = readyMillis): Promise<Ready> {
  const missing = kit.tools.find((tool) => !onPath(tool));
  if (missing !== undefined) return { skip: `no ${missing} on the PATH` };
  const unfit = kit.unfit?.();
  if (unfit !== undefined) return { skip: unfit };
  const into = join(cache, kit.folder);
  const program = kit.program(into);
  const began = performance.now();
  const seconds = (): number => (performance.now() - began) / 1000;
  const made = stampOf(kit);
  const stamp = join(into, "made-of");
  if (read(stamp) === made) return { program, seconds: seconds() };
  const release = await claim(into);
  try {
    const skip = read(stamp) === made ? undefined : await make(kit, into, () => millis - seconds() * 1000);
    if (skip !== undefined) return { skip };
    writeFileSync(stamp, made);
    return { program, seconds: seconds() };
  } finally {
    release();
  }
}

/** Two test files may want the same kit at once: one makes it, the other waits. Answers how to let it go. */
async function claim(into: string): Promise<() => void> {
  const path = `${into}.pid`;
  mkdirSync(cache, { recursive: true });
  for (;;) {
    try {
      writeFileSync(path, `${process.pid}`, { flag: "wx" });
      return () => rmSync(path, { force: true });
    } catch {
      const owner = Number(read(path) ?? 0);
      if (owner !== 0 && !isAlive(owner)) rmSync(path, { force: true });
      else await sleep(100);
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Why it cannot be had, or undefined once it is made. */
async function make(kit: Kit, into: string, left: () => number): Promise<string | undefined> {
  rmSync(into, { recursive: true, force: true });
  mkdirSync(join(into, "tmp"), { recursive: true });
  for (const step of kit.steps(into)) {
    const { status, output, timedOut } = await run(step, into, left());
    if (timedOut) return `${basename(step.command)} was not done in the time that there is`;
    if (status === 0) continue;
    const told = `${basename(step.command)}: ${status}\n${output}`;
    if (step.fetches === true || step.unreached?.test(output) === true) {
      return `what it needs cannot be fetched: ${told.replace(/\s+/g, " ").slice(0, 300)}`;
    }
    throw new Error(told);
  }
  rmSync(join(into, "tmp"), { recursive: true, force: true });
  return undefined;
}

function onPath(tool: string): boolean {
  return (process.env["PATH"] ?? "").split(delimiter).some((folder) => {
    const found = statSync(join(folder, tool), { throwIfNoEntry: false });
    return found?.isFile() === true && (found.mode & 0o111) !== 0;
  });
}

/** Of all that it is made of. */
function stampOf(kit: Kit): string {
  const hash = createHash("sha256");
  const add = (path: string): void => {
    if (statSync(path).isDirectory()) for (const name of readdirSync(path).sort()) add(join(path, name));
    else hash.update(basename(path)).update(readFileSync(path));
  };
  for (const source of [...kit.sources, import.meta.filename]) add(source);
  return hash.digest("hex");
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

interface Ended {
  readonly status: number | string;
  readonly output: string;
  readonly timedOut: boolean;
}

/** Temporary files lie in `into` too, so that one that is cut off leaves none elsewhere. */
function run(step: Step, into: string, millis: number): Promise<Ended> {
  const env = { ...process.env, TMPDIR: join(into, "tmp"), ...step.env };
  const child = spawn(step.command, step.args, { cwd: into, env, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  let timedOut = false;
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output = (output + text).slice(-20_000);
    });
  }
  const timer = setTimeout(() => {
    timedOut = true;
    child.kill("SIGTERM");
  }, millis);
  return new Promise((resolve) => {
    child.on("error", (error) => {
      output += error.message;
    });
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      resolve({ status: signal ?? code ?? "unknown", output, timedOut });
    });
  });
}

/** For a machine that has nothing yet: all of them, before any test waits for one. */
export async function makeReadyBeforehand(kits: readonly Kit[]): Promise<void> {
  const all = kits.map(async (kit) => {
    const made = await makeReady(kit, beforehandMillis);
    console.log(`${kit.name}: ${"skip" in made ? made.skip : `ready after ${made.seconds.toFixed(1)} s`}`);
  });
  await Promise.all(all);
}
