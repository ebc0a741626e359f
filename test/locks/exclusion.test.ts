/**
 * A short run of mutual exclusion among real processes: with the token nobody writes into another's section; without it somebody does,
 * which shows that the run would notice.
 */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type ExclusionOptions, type ExclusionReport, ExclusionRun } from "./exclusion-run.ts";

async function contend(t: TestContext, options: ExclusionOptions): Promise<ExclusionReport> {
  const lines: string[] = [];
  const run = new ExclusionRun({ ...options, onlyFirst: true, say: (line) => void lines.push(line) });
  t.signal.addEventListener("abort", () => void run.abandon());
  const report = await run.run();
  for (const each of lines) t.diagnostic(each.slice(0, 500));
  const { violations, interleavings, faults, ...numbers } = report;
  t.diagnostic(JSON.stringify({ ...numbers, faults: Object.fromEntries(faults) }));
  return report;
}

test("with the token no two sections interleave, whoever is paused, cut off, expired or killed", {
  timeout: 400_000,
}, async (t) => {
  const first = ["kill leader", "stop gateway", "isolate leader"];
  const goals = { acquired: 60, lost: 2 };
  const report = await contend(t, { seed: 6, millis: 12_000, contenders: 6, withToken: true, first, goals });
  assert.deepEqual(report.interleavings, []);
  assert.deepEqual(report.violations, []);
  assert.ok(report.leaderChanges >= 1, `${report.leaderChanges} leader changes`);
  assert.ok(report.acquired >= goals.acquired, `${report.acquired} acquired`);
  assert.ok(report.writes > report.acquired, `${report.writes} writes`);
  assert.ok(report.lost >= goals.lost, `${report.lost} lost in the midst of a section`);
  assert.ok((report.faults.get("stopped in the midst of a section") ?? 0) > 0);
});

test("without the token the same run finds them", { timeout: 300_000 }, async (t) => {
  const report = await contend(t, { seed: 7, millis: 180_000, contenders: 6, withToken: false, first: [] });
  assert.ok(report.interleavings.length > 0, "nobody wrote into another's section");
  assert.deepEqual(report.violations, []);
});
