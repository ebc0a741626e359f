/**
 * `npm run chaos -- --minutes M --seed S [--members 5]`: a real ensemble under load while faults of all kinds befall it. Exit
 * code 1 is a violation; logs and histories then lie in the folder that the last lines name.
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type ChaosReport, ChaosRun } from "./chaos-run.ts";
import { byCount, printFaults, printTable, runToEnd } from "./long-run.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "5" },
    seed: { type: "string" },
    members: { type: "string", default: "3" },
    /** Faults by name, with commas between: they come first. */
    first: { type: "string" },
    /** No others. */
    only: { type: "boolean", default: false },
    /** A program without that rule, of `npm run simulate -- --mutants`: something should be found. */
    mutant: { type: "string" },
  },
});
const withoutRule = join(import.meta.dirname, "mutant-program.ts");
const seed = values.seed === undefined ? Date.now() % 1_000_000 : Number(values.seed);
const minutes = Number(values.minutes);
const members = Number(values.members);
if (!Number.isSafeInteger(seed) || !(minutes > 0) || ![3, 5, 7].includes(members)) {
  console.error("--seed takes a whole number, --minutes a number above 0, --members 3, 5 or 7");
  process.exit(2);
}

function print(report: ChaosReport): void {
  printFaults(report.faults);
  console.log("\nanswers without effect or certainty");
  printTable(byCount(report.troubles));
  console.log("");
  const { verdicts } = report;
  printTable([
    ["seed", seed],
    ["minutes", (report.millis / 60_000).toFixed(1)],
    ["leader changes", report.leaderChanges],
    ["operations", report.operations],
    ["  ok", verdicts["ok"] ?? 0],
    ["  failed by their condition", verdicts["failed"] ?? 0],
    ["  without effect", verdicts["noEffect"] ?? 0],
    ["  unknown", verdicts["unknown"] ?? 0],
    ["tries of them over gRPC", report.overGrpc],
    ["tries of them at the ZooKeeper port", report.overZookeeper],
    ["objects judged", report.objects],
    ["  undecided", report.undecided],
    ["  slowest judgement, ms", Math.round(report.slowestJudgementMillis)],
    ["written once, acknowledged, there", report.acknowledgedOnce],
    ["told by watches", report.watched.told],
    ["  gone on from a cursor", report.watched.resumed],
    ["  begun anew, the cursor too old", report.watched.renewed],
    ["longest gap in writes with a majority, ms", Math.round(report.longestGapMillis)],
    ["violations", report.violations.length],
  ]);
  for (const each of report.violations) console.log(`\nVIOLATION: ${each}`);
  if (report.violations.length > 0 || report.undecided > 0) console.log(`\nlogs and histories: ${report.folder}`);
}

console.log(`seed ${seed}, ${minutes} minutes, ${members} members`);
const run = new ChaosRun({
  seed,
  members,
  millis: minutes * 60_000,
  say: (line) => console.log(line),
  ...(values.first === undefined ? {} : { first: values.first.split(",") }),
  onlyFirst: values.only,
  ...(values.mutant === undefined ? {} : { imports: () => [withoutRule], variables: { CHAOS_MUTANT: values.mutant } }),
});
const report = await runToEnd(run);
print(report);
// What could not be judged is no success.
process.exitCode = report.violations.length === 0 && report.undecided === 0 ? 0 : 1;
