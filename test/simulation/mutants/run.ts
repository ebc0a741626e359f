/** Runs every mutant in a process of its own, some at a time, and prints the table as it comes. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import type { Mutant } from "./row.ts";
import { mutantNamed, mutants } from "./table.ts";

/** As many as the smallest machine that this has to run on has cores. */
const parallel = 2;
/** A mutant may run round in circles: that shows a hole in the simulator, too. */
const limitMillis = 20 * 60_000;
/** Of what a child prints, only the end is kept. */
const outputCharacters = 20_000;

export interface Verdict {
  /** Undefined: no violation came. */
  readonly invariant?: string;
  readonly message?: string;
  readonly seed?: number;
  /** How many seeds were run. */
  readonly seeds: number;
}

export interface MutantsOptions {
  /** Names; all without. */
  readonly only: readonly string[] | undefined;
  /** Instead of each row's own number. */
  readonly seeds: number | undefined;
}

/** Prints the table; 1 when one was missed. */
export async function runMutants(options: MutantsOptions): Promise<number> {
  const chosen = options.only ? options.only.map(mutantNamed) : mutants;
  const waiting = [...chosen];
  let missed = 0;
  const worker = async (): Promise<void> => {
    for (let mutant = waiting.shift(); mutant; mutant = waiting.shift()) {
      const line = await judge(mutant, options.seeds ?? mutant.within);
      if (!line.caught) missed++;
      console.log(`${mutant.name.padEnd(36)} ${line.text}`);
    }
  };
  await Promise.all(Array.from({ length: parallel }, worker));
  console.log(`${chosen.length} rules taken out, ${chosen.length - missed} noticed, ${missed} missed`);
  return missed === 0 ? 0 : 1;
}

async function judge(mutant: Mutant, seeds: number): Promise<{ readonly caught: boolean; readonly text: string }> {
  const started = performance.now();
  const verdict = await runMutant(mutant.name, seeds);
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  if (typeof verdict === "string") return { caught: false, text: `FAILED: ${verdict}` };
  if (verdict.invariant === undefined) {
    return { caught: false, text: `MISSED in ${verdict.seeds} seeds, ${seconds} s: ${mutant.rule}` };
  }
  const where = `seed ${verdict.seed} of ${mutant.within}`;
  return { caught: true, text: `${verdict.invariant.padEnd(28)} ${where}, ${seconds} s: ${mutant.rule}` };
}

/** Runs one mutant until its first violation; a text: why there is no verdict. */
export async function runMutant(name: string, seeds: number): Promise<Verdict | string> {
  const main = join(import.meta.dirname, "../main.ts");
  const child = spawn(process.execPath, [main, "--mutant", name, "--seeds", String(seeds), "--json"], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let printed = "";
  let complained = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (printed = (printed + text).slice(-outputCharacters)));
  child.stderr
    .setEncoding("utf8")
    .on("data", (text: string) => (complained = (complained + text).slice(-outputCharacters)));
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill("SIGKILL");
  }, limitMillis);
  const stop = (): void => void child.kill("SIGKILL");
  process.once("exit", stop);
  await new Promise((resolve) => child.once("close", resolve));
  process.removeListener("exit", stop);
  clearTimeout(timer);
  if (late) return `no verdict within ${limitMillis / 60_000} min`;
  const line = printed.trim().split("\n").at(-1) ?? "";
  if (!line.startsWith("{")) return complained.trim() || "it printed nothing";
  return JSON.parse(line) as Verdict;
}
