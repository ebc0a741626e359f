/** Judges a recorded history: `checkHistory`. */
import { defaultSteps } from "./checker.ts";
import { judge, type SearchVerdict } from "./explain.ts";
import { describe } from "./format.ts";
import {
  defaultSettings,
  type History,
  type LockOperation,
  type Operation,
  type RegisterOperation,
  type SequenceOperation,
  type SessionOperation,
  type Verdict,
} from "./history.ts";
import { lockProblem } from "./lock.ts";
import { lockRules } from "./lock-rules.ts";
import { recordingFaults } from "./recording.ts";
import { registerProblems } from "./register-group.ts";
import { registerRules } from "./register-rules.ts";
import { sightingsOf } from "./register-sightings.ts";
import { sequenceProblem } from "./sequence.ts";
import { sequenceRules } from "./sequence-rules.ts";
import { type SessionLife, sessionLives } from "./session-life.ts";
import { zxidRules } from "./zxid-order.ts";

export { describe } from "./format.ts";
export * from "./history.ts";
export { formatHistory, parseHistory } from "./history-text.ts";

/** Of one object and rule, no more than so many violations are told. */
const mostOfOneRule = 3;

/** Never throws because of what a server did; `steps` bounds each search (see `defaultSteps`). */
export function checkHistory(history: History, steps: number = defaultSteps): Verdict {
  const { operations, settings = defaultSettings } = history;
  const faults = recordingFaults(operations);
  const violations = [...few(faults), ...few(zxidRules(operations))];
  const sessions = operations.filter((operation) => operation.model === "session");
  const locks = operations.filter((operation) => operation.model === "lock");
  const lives = sessionLives(sessions, locks, settings);
  let undecided = 0;
  const objects = Map.groupBy(
    operations.filter((operation) => operation.model !== "session"),
    ({ object }) => object,
  );
  for (const [object, members] of objects) {
    const finding = checkObject(members, lives, steps, faults.length === 0);
    violations.push(...few(finding.violations).map((violation) => `${object}: ${violation}`));
    if (finding.undecided) undecided++;
  }
  return { violations, undecided, operations: operations.length, objects: objects.size };
}

type ObjectOperation = Exclude<Operation, SessionOperation>;

interface Finding {
  readonly violations: readonly string[];
  readonly undecided: boolean;
}

/** The search is for what the rules do not find; what they found would only be found again, and at length. */
function checkObject(
  operations: readonly ObjectOperation[],
  lives: ReadonlyMap<string, SessionLife>,
  steps: number,
  wellRecorded: boolean,
): Finding {
  const registers = operations.filter((operation): operation is RegisterOperation => operation.model === "registers");
  const sequence = operations.filter((operation): operation is SequenceOperation => operation.model === "sequence");
  const locks = operations.filter((operation): operation is LockOperation => operation.model === "lock");
  const sightings = sightingsOf(registers);
  const violations = [...registerRules(registers, sightings), ...sequenceRules(sequence), ...lockRules(locks, lives)];
  if (violations.length > 0 || !wellRecorded) return { violations, undecided: false };
  const verdicts: SearchVerdict[] = registerProblems(registers, sightings).map((problem) =>
    judge(problem, describe, steps),
  );
  if (sequence.length > 0) {
    verdicts.push(judge(sequenceProblem(sequence), ({ operation }) => describe(operation), steps));
  }
  if (locks.length > 0) {
    const problem = lockProblem(locks, lives);
    verdicts.push(
      judge(
        problem,
        (move) => (move.kind === "silence" ? `session ${move.session} expires` : describe(move.operation)),
        steps,
      ),
    );
  }
  return {
    violations: verdicts.flatMap((verdict) => (verdict?.kind === "violated" ? [verdict.text] : [])),
    undecided: verdicts.some((verdict) => verdict?.kind === "undecided"),
  };
}

function few(violations: readonly string[]): string[] {
  const byRule = Map.groupBy(violations, (violation) => violation.slice(0, violation.indexOf(":")));
  return [...byRule].flatMap(([rule, all]) => {
    const more = all.length - mostOfOneRule;
    return more <= 0 ? all : [...all.slice(0, mostOfOneRule), `${rule}: and ${more} more like these`];
  });
}
