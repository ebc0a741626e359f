/** A difference, for whoever has to understand it. */
import type { Finding } from "./player.ts";

const stepsShown = 20;

export function report({ operation, why, steps, a, b }: Finding): string {
  return [
    `DIFFERENCE at operation ${operation}: ${why}`,
    "the last steps:",
    ...indented(steps.slice(-stepsShown)),
    "the client was told by the first:",
    ...indented(a),
    "and by the second:",
    ...indented(b),
  ].join("\n");
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}
