/**
 * Whether this program can apply what the log holds. A rise of the rules version needs the word of every member, so only
 * a program that was put back to an older one meets a version that it does not know.
 */
import { type Batch, formatZxid } from "@quorate/api";
import type { Hello } from "@quorate/proto";
import { rulesVersion } from "@quorate/tree";

/** Why `batch` cannot be applied behind a state by the rules `before`; undefined: it can. */
export function rulesFault(batch: Pick<Batch, "last" | "rules">, before: number): string | undefined {
  const { last, rules } = batch;
  if (rules > rulesVersion) {
    const known = `this program knows those up to ${rulesVersion}`;
    return `the batch at ${formatZxid(last)} is made by rules version ${rules}; ${known}: start the newer program again, for rules never go back`;
  }
  if (rules >= before) return undefined;
  return `the batch at ${formatZxid(last)} is made by rules version ${rules}, one before it by ${before}: rules never go back`;
}

/** Throws when one of the batches that follow a state by the rules `before` cannot be applied. */
export function checkRules(batches: readonly Batch[], before: number): void {
  let highest = before;
  for (const batch of batches) {
    const fault = rulesFault(batch, highest);
    if (fault !== undefined) throw new Error(fault);
    highest = batch.rules;
  }
}

/** Why this program cannot take part with a member of that hello; undefined: it can. Asked once that has proven itself. */
export function heldFault({ name, held = 0 }: Pick<Hello, "name" | "held">): string | undefined {
  if (held <= rulesVersion) return undefined;
  const known = `this program knows those up to ${rulesVersion}`;
  return `${name} applies by rules version ${held}; ${known}: start the newer program again, for rules never go back`;
}
