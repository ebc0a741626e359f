/** Runs test files, each in a process and with a folder for temporary files of its own; both must be left clean. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "./discover.ts";
import { type Ended, runInGroup } from "./process-group.ts";
import type { Report } from "./report.ts";
import type { TestEvent } from "./test-event.ts";

/** The longest that one file may take: none takes a third of it here, and a machine may be several times as slow. */
const fileMillis = 600_000;
/** npm's own, where a test calls npm. */
const notOurs: ReadonlySet<string> = new Set(["node-compile-cache"]);
const reporter = join(import.meta.dirname, "reporter.ts");

export async function runTestFiles(files: readonly string[], parallel: number, report: Report): Promise<void> {
  const waiting = [...files];
  const worker = async (place: number): Promise<void> => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) await runTestFile(file, place, report);
  };
  await Promise.all(Array.from({ length: parallel }, (_, place) => worker(place)));
}

/** `place`: among those that run at a time. Each takes its ports of its own share, so that nobody takes one that is free for a moment. */
async function runTestFile(file: string, place: number, report: Report): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "quorate-run-"));
  try {
    const events = join(folder, "events.jsonl");
    const temporary = mkdtempSync(join(folder, "t"));
    const args = [`--test-reporter=${reporter}`, `--test-reporter-destination=${events}`, file];
    const ended = await runInGroup(process.execPath, args, {
      cwd: root,
      millis: fileMillis,
      env: { TMPDIR: temporary, TEST_PORT_SHARE: String(place) },
    });
    const told = readEvents(events);
    const left = readdirSync(temporary).filter((name) => !notOurs.has(name));
    report.file(file, ended.seconds, told, troubleOf(ended, told, left), ended.output);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function readEvents(path: string): TestEvent[] {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return [];
  }
  // A process that was killed may have left half a line.
  const lines = text.slice(0, text.lastIndexOf("\n") + 1).split("\n");
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as TestEvent);
}

/** What no single test says: the process hung, crashed, left something behind, or held no test. */
function troubleOf(ended: Ended, events: readonly TestEvent[], leftFiles: readonly string[]): string {
  if (ended.timedOut) return `it did not end within ${fileMillis / 1000} s`;
  if (events.at(-1)?.kind !== "end") return `its process ended (${ended.status}) before its tests did`;
  const failed = events.some((event) => event.kind === "fail");
  if (ended.status !== 0 && !failed) return `its process ended with ${ended.status} although no test failed`;
  if (failed) return "";
  if (events.every((event) => event.kind === "end" || event.kind === "note")) return "it holds no test";
  if (ended.leftProcesses) return "it left processes behind";
  return leftFiles.length > 0 ? `it left temporary files behind: ${leftFiles.join(" ")}` : "";
}
