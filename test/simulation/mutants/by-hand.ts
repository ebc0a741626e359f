/**
 * Cases worked out by hand, for rules whose lack no simulation shows yet: a test that passes with its rule, and fails
 * without it.
 */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { root } from "./loader.ts";
import type { Mutant } from "./row.ts";

type Case = NonNullable<Mutant["byHand"]>;

/** Undefined: the test passes, and without the rule it fails. Otherwise why that is not so. */
export async function runByHand(mutant: string, test: Case): Promise<string | undefined> {
  const kept = await run(test, undefined);
  if (!/^ℹ pass [1-9]/m.test(kept) || !/^ℹ fail 0$/m.test(kept)) return `it does not pass as it is\n${kept}`;
  const lost = await run(test, mutant);
  if (!/^ℹ fail [1-9]/m.test(lost)) return `it does not fail\n${lost}`;
  return /AssertionError|InvariantError/.test(lost) ? undefined : `it fails of something else\n${lost}`;
}

async function run({ file, name }: Case, mutant: string | undefined): Promise<string> {
  const register = mutant === undefined ? [] : ["--import", join(import.meta.dirname, "register.ts")];
  const args = [...register, "--test-isolation=none", `--test-name-pattern=${name}`, "--test-reporter=spec", "--test"];
  // The runner that may run this says so in the environment, and another one would then not run.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const child = spawn(process.execPath, [...args, join(root, file)], {
    env: { ...env, ...(mutant === undefined ? {} : { QUORATE_MUTANT: mutant }) },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  }
  await new Promise((resolve) => child.once("close", resolve));
  return output;
}
