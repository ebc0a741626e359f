/** The simulation of whole replicas and gateways: it can be repeated, and some seeds of it are part of every test run. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { outside } from "./microtasks.ts";
import { runSeed } from "./run-seed.ts";

function traceOf(seed: number): Promise<{ readonly hash: string; readonly lines: number }> {
  return outside(() => {
    const hash = createHash("sha256");
    let lines = 0;
    const { violation } = runSeed({
      seed,
      trace: (text) => {
        lines += 1;
        hash.update(`${text}\n`);
      },
    });
    assert.equal(violation, undefined);
    return { hash: hash.digest("hex"), lines };
  });
}

test("a seed is the same run each time", async () => {
  for (const seed of [7, 8]) {
    const first = await traceOf(seed);
    assert.ok(first.lines > 100, "the trace tells something");
    assert.deepEqual(await traceOf(seed), first);
  }
  assert.notEqual((await traceOf(9)).hash, (await traceOf(10)).hash);
});

test("sixty seeds keep every promise", async () => {
  let acknowledged = 0;
  let leaderships = 0;
  for (let seed = 1; seed <= 60; seed++) {
    const result = await outside(() => runSeed({ seed }));
    assert.equal(result.violation, undefined, `seed ${seed}: ${result.violation?.message}`);
    acknowledged += Number(result["writes and reads done"]);
    leaderships += Number(result["leaderships"]);
  }
  assert.ok(acknowledged > 12_000 && leaderships > 120, `${acknowledged} answers, ${leaderships} leaderships`);
});
