/**
 * `npm run simulate -- --seeds N --from S [--core] [--scenario NAME] [--trace]` runs seeds of the whole ensemble, or of
 * agreement alone (`--core`), and prints the verdict; a failing seed prints the command that replays it. `--mutant NAME` takes a rule out before (`mutants/table.ts`) and runs
 * until the first violation; `--mutants [--only NAME,…]` does so with each of them. `--json` prints one line of JSON.
 */
import { parseArgs } from "node:util";
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
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const counted = [...counts].map(([name, count]) => `${count} ${name}, `).join("");
  if (values.json) console.log(JSON.stringify({ seeds }));
  else console.log(`${seeds} seeds from ${from}: no violation; ${counted}${seconds} s`);
  return 0;
}

/** Patches apply while modules are loaded: so the simulator and all that it runs are imported only here. */
async function loadSimulator(mutant: Mutant | undefined): Promise<RunSeed> {
  const unpatched = loadPatched(mutant?.patches ?? []);
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
  console.log(`seed ${seed}: ${violation.message}`);
  const flags = [
    values.core ? " --core" : "",
    values.scenario === undefined ? "" : ` --scenario ${values.scenario}`,
    values.mutant === undefined ? "" : ` --mutant ${values.mutant}`,
  ];
  console.log(`replay: npm run simulate -- --from ${seed} --seeds 1 --trace${flags.join("")}`);
  return 1;
}

function wholeNumber(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,9}$/.test(text)) throw new Error(`--${flag} is a whole number, and not ${text}`);
  return Number(text);
}

process.exitCode = await main();
