/**
 * The one test runner, behind `npm test`: types, lint, then every `*.test.ts`. `npm test -- PATTERN…` runs only what has
 * one of the words in its name. Its last line is `N passed, N failed, N skipped`, and its exit code says the same.
 */
import { delimiter, join } from "node:path";
import { runChecks } from "./runner/checks.ts";
import { findChecks, findTestFiles, root } from "./runner/discover.ts";
import { runTestFiles } from "./runner/files.ts";
import { stopProcessGroups } from "./runner/process-group.ts";
import { Report } from "./runner/report.ts";

/** As many as the smallest machine that this has to run on has cores. */
const parallel = 2;

/** What measures how long something takes, needs all of the machine, or takes ports as they come. */
const timed =
  /^test\/integration\/(cut-off|idle-connections|key-room|keyed-writes|kills|pauses|proxies|rolling|sessions|start|watchers)\./;

async function main(): Promise<number> {
  const patterns = process.argv.slice(2);
  const chosen = (name: string): boolean => patterns.length === 0 || patterns.some((each) => name.includes(each));
  const report = new Report();
  const files = findTestFiles().filter(chosen);
  const alone = files.filter((file) => /^test\/(chaos|locks)\//.test(file) || timed.test(file));
  const beside = files.filter((file) => file.startsWith("test/integration/") && !alone.includes(file));
  const foreign = files.filter((file) => /^test\/(polyglot|zookeeper)\//.test(file));
  const simulated = files.filter((file) => file.startsWith("test/simulation/"));
  const others = files.filter((file) => ![alone, beside, foreign, simulated].some((each) => each.includes(file)));
  await runChecks(
    findChecks().filter((check) => chosen(check.name)),
    parallel,
    report,
  );
  // The longest first, last to first: the mutants take half a minute, while the rest runs beside them.
  await runTestFiles([...simulated.reverse(), ...others], parallel, report);
  // Programs in other languages, and other clients' own suites: they wait most of the time, and are patient.
  await runTestFiles(foreign, parallel, report);
  // Real processes, which are waited for.
  await runTestFiles(beside, parallel, report);
  // Real processes with timed promises: one file at a time, so that none measures another's load.
  await runTestFiles(alone, 1, report);
  if (report.isEmpty) report.fail(`nothing has ${patterns.join(" or ")} in its name`, "");
  report.finish();
  return report.failed === 0 ? 0 : 1;
}

// The compiler and the linters, for the checks and for tests that call them.
process.env["PATH"] = [join(root, "node_modules/.bin"), process.env["PATH"]].join(delimiter);
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.once(signal, () => {
    stopProcessGroups();
    process.exit(130);
  });
}
process.exitCode = await main();
