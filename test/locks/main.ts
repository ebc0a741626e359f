/**
 * `npm run exclusion -- --minutes M [--seed S] [--contenders N] [--without-token]`: mutual exclusion while servers and clients suffer. Exit code
 * 1: a section was written into, or anything else went wrong. With `--without-token` nobody shows tokens and nobody looks at them: then
 * something must be found, and exit code 1 is that nothing was.
 */
import { parseArgs } from "node:util";
import { printFaults, printTable, runToEnd } from "../chaos/long-run.ts";
import { type ExclusionReport, ExclusionRun } from "./exclusion-run.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "5" },
    seed: { type: "string" },
    contenders: { type: "string", default: "7" },
    "without-token": { type: "boolean", default: false },
  },
});
const seed = values.seed === undefined ? Date.now() % 1_000_000 : Number(values.seed);
const minutes = Number(values.minutes);
const contenders = Number(values.contenders);
const withToken = !values["without-token"];
if (!Number.isSafeInteger(seed) || !(minutes > 0) || !Number.isSafeInteger(contenders) || contenders < 3) {
  console.error("--seed takes a whole number, --minutes a number above 0, --contenders 3 or more");
  process.exit(2);
}

function print(report: ExclusionReport): void {
  printFaults(report.faults);
  console.log("");
  printTable([
    ["seed", seed],
    ["minutes", (report.millis / 60_000).toFixed(1)],
    ["leader changes", report.leaderChanges],
    ["locks acquired", report.acquired],
    ["  of them behind others", report.waited],
    ["sections cut short: the lock was lost", report.lost],
    ["sessions", report.sessions],
    ["calls not answered, or without certainty", report.troubled],
    ["sections that wrote", report.sections],
    ["writes accepted", report.writes],
    ["writes refused by the resource outside", report.refusedOutside],
    ...(withToken
      ? [["from the last fault until everybody had had every lock, ms", Math.round(report.finishedMillis)] as const]
      : []),
    ["sections that were written into", report.interleavings.length],
    ...(withToken ? [] : [["  the first after, ms", Math.round(report.firstInterleavingMillis)] as const]),
    ["other violations", report.violations.length],
  ]);
  for (const each of [...report.interleavings, ...report.violations]) console.log(`\n${each}`);
}

console.log(`seed ${seed}, ${minutes} minutes, ${contenders} contenders${withToken ? "" : ", without tokens"}`);
const run = new ExclusionRun({
  seed,
  millis: minutes * 60_000,
  contenders,
  withToken,
  say: (line) => console.log(line),
});
const report = await runToEnd(run);
print(report);
const isWrong = withToken ? report.interleavings.length > 0 : report.interleavings.length === 0;
process.exitCode = isWrong || report.violations.length > 0 ? 1 : 0;
