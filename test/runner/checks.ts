/** Checks that are programs: the compiler over each workspace, the formatter and linters over all. */
import { root } from "./discover.ts";
import { runInGroup } from "./process-group.ts";
import type { Report } from "./report.ts";

export interface Check {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
}

const checkMillis = 120_000;

export async function runChecks(checks: readonly Check[], parallel: number, report: Report): Promise<void> {
  const waiting = [...checks];
  const worker = async (): Promise<void> => {
    for (let check = waiting.shift(); check !== undefined; check = waiting.shift()) {
      const { status, seconds, output, timedOut } = await runInGroup(check.command, check.args, {
        cwd: root,
        millis: checkMillis,
      });
      const shown = timedOut ? `${output}\nit did not end within ${checkMillis / 1000} s` : output;
      if (status === 0) report.pass(check.name, seconds);
      else report.fail(check.name, output === "" ? `${check.command}: ${status}` : shown, seconds);
    }
  };
  await Promise.all(Array.from({ length: parallel }, worker));
}
