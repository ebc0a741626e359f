/**
 * `npm run simulate -- --seeds N --from S [--mutant NAME] [--mutants] [--trace]`: runs seeds, prints the verdict; a
 * failing seed prints the command that replays it.
 */
import { parseArgs } from "node:util";
import type { Mutant } from "@quorate/zab";
import type { HarnessMutant } from "./zab-cluster.ts";
import { findMutant, mutantSeeds, simulatedMutants } from "./zab-mutants.ts";
import { runSeed } from "./zab-run.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "200" },
    from: { type: "string", default: "1" },
    mutant: { type: "string" },
    mutants: { type: "boolean", default: false },
    trace: { type: "boolean", default: false },
  },
});

function main(): number {
  if (values.mutants) return printMutants();
  const from = Number(values.from);
  const count = Number(values.seeds);
  const mutants = new Set(values.mutant ? [values.mutant as Mutant | HarnessMutant] : []);
  const started = performance.now();
  let applied = 0;
  let leaderships = 0;
  for (let seed = from; seed < from + count; seed++) {
    const result = runSeed({ seed, mutants, ...(values.trace ? { trace: (text: string) => console.log(text) } : {}) });
    applied += result.applied;
    leaderships += result.leaderships;
    if (result.violation) {
      console.log(`seed ${seed}: ${result.violation.message}`);
      const mutant = values.mutant ? ` --mutant ${values.mutant}` : "";
      console.log(`replay: npm run simulate -- --from ${seed} --seeds 1 --trace${mutant}`);
      return 1;
    }
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(
    `${count} seeds from ${from}: no violation; ${applied} batches, ${leaderships} leaderships, ${seconds} s`,
  );
  return 0;
}

function printMutants(): number {
  let missed = 0;
  for (const mutant of simulatedMutants) {
    const found = findMutant(mutant, mutantSeeds);
    if (!found) missed++;
    const verdict = found ? `seed ${found.seed}: ${found.invariant}` : `not caught within ${mutantSeeds} seeds`;
    console.log(`${mutant.padEnd(32)} ${verdict}`);
  }
  return missed === 0 ? 0 : 1;
}

process.exitCode = main();
