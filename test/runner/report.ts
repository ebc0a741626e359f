/** What the run prints: a line for each check and file, details of what failed, reasons of what was skipped, the sum. */
import type { TestEvent } from "./test-event.ts";

/** How much of a program's output is shown when it fails. */
const shownLines = 60;

export class Report {
  passed = 0;
  failed = 0;
  skipped = 0;
  readonly #failures: string[] = [];
  readonly #started = performance.now();

  get isEmpty(): boolean {
    return this.passed + this.failed + this.skipped === 0;
  }

  /** A check, or what befell a file as a whole. */
  pass(name: string, seconds: number): void {
    this.passed++;
    this.#line("ok", name, seconds, "");
  }

  fail(name: string, details: string, seconds?: number): void {
    this.failed++;
    this.#failures.push(name);
    this.#line("FAILED", name, seconds, "");
    if (details.trim() !== "") console.log(indent(lastLines(details)));
  }

  skip(name: string, reason: string): void {
    this.skipped++;
    console.log(`  skipped: ${name}: ${reason}`);
  }

  /** A file's tests; `trouble`: what went wrong outside of them. */
  file(name: string, seconds: number, events: readonly TestEvent[], trouble: string, output: string): void {
    const failures = events.filter((event) => event.kind === "fail");
    const passed = events.filter((event) => event.kind === "pass").length;
    this.passed += passed;
    const failed = failures.length > 0 || trouble !== "";
    this.#line(failed ? "FAILED" : "ok", name, seconds, `${passed} passed`);
    for (const event of events) {
      if (event.kind === "skip") this.skip(event.name, event.reason);
      else if (event.kind === "note") console.log(indent(event.text));
    }
    for (const event of failures) {
      this.failed++;
      this.#failures.push(`${name}: ${event.name}`);
      console.log(`  FAILED ${event.name}`);
      console.log(indent(lastLines(event.details)));
    }
    if (trouble !== "") {
      this.failed++;
      this.#failures.push(`${name}: ${trouble}`);
      console.log(`  FAILED ${trouble}`);
    }
    if (failed && output.trim() !== "") console.log(indent(`it printed:\n${lastLines(output)}`));
  }

  finish(): void {
    console.log(`\n${((performance.now() - this.#started) / 1000).toFixed(1)} s in all`);
    for (const failure of this.#failures) console.log(`failed: ${failure}`);
    console.log(`${this.passed} passed, ${this.failed} failed, ${this.skipped} skipped`);
  }

  #line(verdict: string, name: string, seconds: number | undefined, more: string): void {
    const time = seconds === undefined ? "" : `${seconds.toFixed(1)} s`;
    console.log(`${verdict.padEnd(6)} ${time.padStart(7)}  ${name}${more === "" ? "" : ` (${more})`}`);
  }
}

function lastLines(text: string): string {
  const lines = text.trimEnd().split("\n");
  if (lines.length <= shownLines) return lines.join("\n");
  return [`(${lines.length - shownLines} lines before)`, ...lines.slice(-shownLines)].join("\n");
}

function indent(text: string): string {
  return text.replace(/^/gm, "    ");
}
