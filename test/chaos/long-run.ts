/** What the programs have in common that let faults befall real processes for minutes: an end in order, and their tables. */

interface LongRun<Report> {
  run(): Promise<Report>;
  /** Ends all that it has started. */
  abandon(): Promise<void>;
}

/** To its end, or to that of this process: then nothing that it started is left. */
export function runToEnd<Report>(run: LongRun<Report>): Promise<Report> {
  const leave = (code: number): void => void run.abandon().finally(() => process.exit(code));
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.once(signal, () => {
      console.log(`${signal}: everything is ended`);
      leave(130);
    });
  }
  process.once("uncaughtException", (error) => {
    console.error(error);
    leave(1);
  });
  return run.run();
}

export function printTable(rows: readonly (readonly [string, string | number])[]): void {
  const width = Math.max(...rows.map(([name]) => name.length));
  for (const [name, value] of rows) console.log(`  ${name.padEnd(width)}  ${value}`);
}

/** The most frequent first. */
export function byCount(counts: ReadonlyMap<string, number>): readonly (readonly [string, number])[] {
  return [...counts].toSorted(([, one], [, other]) => other - one);
}

export function printFaults(faults: ReadonlyMap<string, number>): void {
  console.log("\nfaults");
  printTable([...byCount(faults), ["together", [...faults.values()].reduce((sum, each) => sum + each, 0)]]);
}
