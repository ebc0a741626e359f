/**
 * Cases worked out by hand (`services/zab/src/*.test.ts`) for rules whose lack shows only in rare coincidences: each
 * such test passes with its rule, and fails without it.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { root } from "./loader.ts";

const cases = [
  ["forgotten-promise-counts", "discovery.test.ts", "a promise that a wiped replica has forgotten makes no leader"],
  ["equal-epoch-counts", "discovery.test.ts", "one leader in an epoch, also when two offer the same"],
] as const;

function run(
  file: string,
  name: string,
  mutant: string | undefined,
): { readonly status: number; readonly output: string } {
  const register = mutant === undefined ? [] : ["--import", join(import.meta.dirname, "register.ts")];
  const path = join(root, "services/zab/src", file);
  const args = [...register, "--test-isolation=none", `--test-name-pattern=${name}`, "--test", path];
  // The runner that runs this test says so in the environment, and another one would then not run.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    env: { ...env, ...(mutant === undefined ? {} : { QUORATE_MUTANT: mutant }) },
    encoding: "utf8",
  });
  return { status: status ?? -1, output: stdout + stderr };
}

for (const [mutant, file, name] of cases) {
  test(`${mutant}: ${name}`, () => {
    const kept = run(file, name, undefined);
    assert.match(kept.output, /\bpass 1\b/, kept.output);
    assert.equal(kept.status, 0);
    const lost = run(file, name, mutant);
    assert.match(lost.output, /\bfail 1\b/, lost.output);
    assert.match(lost.output, /AssertionError|InvariantError/, lost.output);
    assert.notEqual(lost.status, 0);
  });
}
