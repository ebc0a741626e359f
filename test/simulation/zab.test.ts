/**
 * Five peers in virtual time under loss, delay, broken links, crashes, hung disks and wiped ones: agreement and no lost
 * acknowledgement at each step, then healing and progress. `npm run simulate` is its longer form.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { runSeed } from "./zab-run.ts";

const seeds = 200;
const limitSeconds = 60;

test(`${seeds} seeds hold every invariant, in under a minute`, (t) => {
  const started = performance.now();
  let applied = 0;
  let leaderships = 0;
  for (let seed = 1; seed <= seeds; seed++) {
    const result = runSeed({ seed });
    applied += result.applied;
    leaderships += result.leaderships;
    const { violation } = result;
    assert.equal(
      violation,
      undefined,
      `seed ${seed}: ${violation?.message}\nreplay: npm run simulate -- --from ${seed} --seeds 1 --trace`,
    );
  }
  const seconds = (performance.now() - started) / 1000;
  t.diagnostic(`${seeds} seeds: ${applied} batches applied, ${leaderships} leaderships, ${seconds.toFixed(1)} s`);
  assert.ok(seconds < limitSeconds, `${seconds} s`);
  // A simulation in which nothing happens holds every invariant.
  assert.ok(applied > seeds * 50, `only ${applied} batches`);
  assert.ok(leaderships > seeds * 2, `only ${leaderships} leaderships`);
});

test("a seed always runs the same", () => {
  for (const seed of [3, 77]) assert.deepEqual(trace(seed), trace(seed));
});

function trace(seed: number): string[] {
  const lines: string[] = [];
  runSeed({ seed, faultMillis: 3000, trace: (line) => void lines.push(line) });
  assert.ok(lines.length > 20);
  return lines;
}
