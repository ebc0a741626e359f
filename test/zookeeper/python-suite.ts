/** A test suite of pytest's, run where it is installed, and how each of its tests went. */
import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import type { Program } from "../polyglot/make-ready.ts";
import { type RunEnd, runForeign } from "./foreign-run.ts";

export interface PythonTest {
  /** `kazoo/tests/test_lock.py::KazooLockTests::test_lock`. */
  readonly test: string;
  readonly outcome: "passed" | "failed" | "skipped";
  readonly seconds: number;
  readonly why: string;
}

export interface PythonRun {
  readonly tests: readonly PythonTest[];
  readonly end: RunEnd;
  /** Where the suite lies. */
  readonly folder: string;
}

export interface RepeatedRun extends PythonRun {
  /** Those that failed at first. */
  readonly again: readonly string[];
}

export interface SuiteOptions {
  /** Files and tests, from where the packages lie. */
  readonly tests: readonly string[];
  readonly without?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly flags?: readonly string[];
  readonly millis: number;
}

/** `python`: of an environment that has the suite and pytest. */
export async function runPythonSuite(python: Program, options: SuiteOptions): Promise<PythonRun> {
  const folder = sitePackages(python);
  const own = mkdtempSync(join(tmpdir(), "quorate-pytest-"));
  const report = join(own, "report.jsonl");
  const args = [
    ...["-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "quorate_report", "-c", "/dev/null", "--rootdir", "."],
    ...["-W", "ignore", "--color=no", "--tb=short", ...(options.flags ?? [])],
    ...(options.without ?? []).flatMap((test) => ["--deselect", test]),
    ...options.tests,
  ];
  const plugins = join(import.meta.dirname, "python");
  const env = {
    ...python.env,
    PYTHONPATH: [plugins, process.env["PYTHONPATH"] ?? ""].filter((each) => each !== "").join(delimiter),
    QUORATE_PYTEST_REPORT: report,
    TMPDIR: own,
    // Some suites do other things where it is set.
    CI: "",
    ...options.env,
  };
  try {
    const end = await runForeign(
      { ...python, args: [...python.args, ...args], env },
      { cwd: folder, millis: options.millis },
    );
    return { tests: readReport(report), end, folder };
  } finally {
    rmSync(own, { recursive: true, force: true });
  }
}

/** More than so many have failed for a reason. */
const mostAgain = 8;

/** Suites that go by the clock fail where a machine stands still: what failed is played again, by itself, twice at most. */
export async function playAgain(
  run: PythonRun,
  play: (tests: readonly string[]) => Promise<PythonRun>,
): Promise<RepeatedRun> {
  let all: RepeatedRun = { ...run, again: [] };
  for (let time = 0; time < 2; time++) {
    const failed = all.tests.filter(({ outcome }) => outcome === "failed").map(({ test }) => test);
    if (failed.length === 0 || failed.length > mostAgain) break;
    const second = await play(failed);
    const tests = all.tests.map((first) => second.tests.find(({ test }) => test === first.test) ?? first);
    all = { ...second, tests, again: [...all.again, ...failed] };
  }
  return all;
}

/** Where an environment's packages lie. */
function sitePackages(python: Program): string {
  const [found] = globSync("lib/python*/site-packages", { cwd: join(dirname(python.command), "..") });
  if (found === undefined) throw new Error(`${python.command} has no packages`);
  return join(dirname(python.command), "..", found);
}

function readReport(path: string): PythonTest[] {
  let text = "";
  try {
    text = readFileSync(path, "utf8");
  } catch {
    // Not one test was run.
  }
  return text.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as PythonTest]));
}
