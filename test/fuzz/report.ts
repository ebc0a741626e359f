/** What a run reached, beside what the specification promises, and which of it nothing can reach, with why. */

import type { Tally } from "./rest-fuzz.ts";
import { type Operation, operations } from "./specification.ts";

/** Promised, and reached by no request here. */
export const unreached: Readonly<Record<string, string>> = {
  "openapi 500": "it is a text that is ready when the process starts",
  "docs 500": "it is a text that is ready when the process starts",
  "errorDocs 500": "it is a text that is ready when the process starts",
  "livez 500": "it asks nobody",
};

export function missing({ reached }: Tally): string[] {
  return operations.flatMap((each) =>
    [...each.responses.keys()]
      .map((status) => `${each.id} ${status}`)
      .filter((key) => !reached.has(key) && !Object.hasOwn(unreached, key)),
  );
}

export function summary(tally: Tally, millis: number): string {
  const share = ((100 * tally.successes) / tally.cases).toFixed(1);
  const lines = operations.map((each) => `  ${each.id.padEnd(14)} ${statuses(each, tally)}`);
  const rate = Math.round((1000 * tally.cases) / millis);
  const head = `${tally.cases} cases in ${(millis / 1000).toFixed(1)} s (${rate} a second), ${share} % answered 2xx, ${tally.finds.length} finds`;
  const slow = `  slowest: ${Math.round(tally.slowest.millis)} ms: ${tally.slowest.request}`;
  return [head, ...lines, slow].join("\n");
}

function statuses({ id, responses }: Operation, { reached }: Tally): string {
  const all = new Set([
    ...responses.keys(),
    ...[...reached.keys()].filter((key) => key.startsWith(`${id} `)).map((key) => Number(key.split(" ")[1])),
  ]);
  return [...all]
    .sort((a, b) => a - b)
    .map((status) => `${status}: ${reached.get(`${id} ${status}`) ?? "-"}`)
    .join(", ");
}
