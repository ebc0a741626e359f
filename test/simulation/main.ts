/**
 * `npm run simulate -- --seeds N --from S [--core] [--scenario NAME] [--trace]` runs seeds of the whole ensemble, or of
 * agreement alone (`--core`), and prints the verdict; a failing seed prints the command that replays it. `--mutant NAME`
 * takes a rule out before (`mutants/table.ts`) and runs until the first violation (`--kept`: with its rule, as it is set
 * for that); `--mutants [--only NAME,…]` does so with each of them. `--json` prints one line of JSON.
 */
import { parseArgs } from "node:util";
import { pieceSeeds, runFleet } from "./fleet.ts";
import { outside } from "./microtasks.ts";
import { loadPatched } from "./mutants/loader.ts";
import type { Mutant } from "./mutants/row.ts";
import { runMutants } from "./mutants/run.ts";
import { mutantNamed } from "./mutants/table.ts";
import type { RunResult, RunSeed } from "./simulator.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string" },
    from: { type: "string", default: "1" },
    core: { type: "boolean", default: false },
    scenario: { type: "string" },
    mutant: { type: "string" },
    kept: { type: "boolean", default: false },
    mutants: { type: "boolean", default: false },
    only: { type: "string" },
    json: { type: "boolean", default: false },
    trace: { type: "boolean", default: false },
  },
});

async function main(): Promise<number> {
  if (values.mutants) return runMutants({ only: values.only?.split(","), seeds: wholeNumber("seeds", values.seeds) });
  const mutant = values.mutant === undefined ? undefined : mutantNamed(values.mutant);
  const from = wholeNumber("from", values.from) ?? 1;
  const seeds = wholeNumber("seeds", values.seeds) ?? mutant?.within ?? 200;
  const scenario = values.scenario ?? mutant?.scenario;
  const plain = !mutant && !values.trace && !values.json;
  if (plain && seeds > pieceSeeds) return runMany(from, seeds);
  const runSeed = await loadSimulator(mutant);
  const trace = values.trace ? (text: string) => console.log(text) : undefined;
  const started = performance.now();
  const counts = new Map<string, number>();
  for (let seed = from; seed < from + seeds; seed++) {
    const options = { seed, ...(trace ? { trace } : {}), ...(scenario === undefined ? {} : { scenario }) };
    const result = await outside(() => runSeed(options));
    for (const [name, count] of Object.entries(result)) {
      if (typeof count === "number") counts.set(name, (counts.get(name) ?? 0) + count);
    }
    const { violation } = result;
    if (violation && (mutant?.by ?? violation.invariant) === violation.invariant)
      return reportViolation(seed, seed - from + 1, result);
  }
  if (values.json) console.log(JSON.stringify({ seeds, counts: Object.fromEntries(counts) }));
  else printClean(from, seeds, counts, started);
  return 0;
}

async function runMany(from: number, seeds: number): Promise<number> {
  const started = performance.now();
  const flags = [values.core ? ["--core"] : [], values.scenario === undefined ? [] : ["--scenario", values.scenario]];
  let told = started;
  const { violation, counts } = await runFleet(
    { from, seeds, command: [import.meta.filename, ...flags.flat()] },
    (done) => {
      if (performance.now() - told < 30_000) return;
      told = performance.now();
      console.log(`${done} of ${seeds} seeds, ${((told - started) / 1000).toFixed(0)} s`);
    },
  );
  if (violation) {
    printViolation(violation.seed, violation.message);
    return 1;
  }
  printClean(from, seeds, counts, started);
  return 0;
}

function printClean(from: number, seeds: number, counts: ReadonlyMap<string, number>, started: number): void {
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const rows = [...counts].map(([name, count]) => `  ${name} ${count.toLocaleString("en")}`);
  console.log(`${seeds} seeds from ${from}: no violation, in ${seconds} s\n${rows.join("\n")}`);
}

/** Patches apply while modules are loaded: so the simulator and all that it runs are imported only here. */
async function loadSimulator(mutant: Mutant | undefined): Promise<RunSeed> {
  const patches = values.kept ? [] : (mutant?.patches ?? []);
  const unpatched = loadPatched([...patches, ...(mutant?.setting ?? [])]);
  const core = values.core || mutant?.simulator === "core";
  const { runSeed } = await (core ? import("./zab-run.ts") : import("./run-seed.ts"));
  for (const file of unpatched()) throw new Error(`${file} is not part of this simulation: the rule is still there`);
  return runSeed;
}

function reportViolation(seed: number, seeds: number, result: RunResult): number {
  const { violation } = result;
  if (!violation) return 0;
  if (values.json) {
    console.log(JSON.stringify({ seeds, seed, invariant: violation.invariant, message: violation.message }));
    return 1;
  }
  printViolation(seed, violation.message);
  return 1;
}

function printViolation(seed: number, message: string): void {
  console.log(`seed ${seed}: ${message}`);
  const flags = [
    values.core ? " --core" : "",
    values.scenario === undefined ? "" : ` --scenario ${values.scenario}`,
    values.mutant === undefined ? "" : ` --mutant ${values.mutant}`,
    values.kept ? " --kept" : "",
  ];
  console.log(`replay: npm run simulate -- --from ${seed} --seeds 1 --trace${flags.join("")}`);
}

function wholeNumber(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,9}$/.test(text)) throw new Error(`--${flag} is a whole number, and not ${text}`);
  return Number(text);
}

process.exitCode = await main();
