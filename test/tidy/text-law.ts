/** Words that do not belong: a promise without an issue, and the paths of somebody's machine. */
import type { Source, Violation } from "./sources.ts";

// Put together, so that this file keeps the law.
const words = ["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"].join("|");
const promise = new RegExp(`\\b(${words})\\b(?!\\(#\\d+\\))`);
const machinePath = /(?<![\w.~-])\/(home|Users|root|work)\/[\w.-]+|\b[A-Z]:\\\\?Users\\/;

export function textLaw(sources: readonly Source[]): Violation[] {
  const violations: Violation[] = [];
  for (const { path, text } of sources) {
    text.split("\n").forEach((written, index) => {
      const line = index + 1;
      const open = promise.exec(written);
      if (open) violations.push({ path, line, what: `${open[1]} needs its issue: ${open[1]}(#12)` });
      const machine = machinePath.exec(written);
      if (machine) violations.push({ path, line, what: `${machine[0]} is a path of one machine` });
    });
  }
  return violations;
}
