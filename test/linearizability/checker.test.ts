/** The search against the plainest one there is, which tries every order; and what it says when it gives up or fails. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SeededRandom } from "../simulation/random.ts";
import { type Entry, failsAt, type Model, prefixUntil, search } from "./checker.ts";
import type { Problem } from "./explain.ts";
import type { History, LockOperation, RegisterOperation, SequenceOperation, SessionOperation } from "./history.ts";
import { lockProblem } from "./lock.ts";
import { mutated } from "./mutations.ts";
import { registerProblems } from "./register-group.ts";
import { sightingsOf } from "./register-sightings.ts";
import { sequenceProblem } from "./sequence.ts";
import { sessionLives } from "./session-life.ts";
import { lockHistory, registerHistory, sequenceHistory, type VirtualOptions } from "./virtual-history.ts";

/** Every order, with every choice of optional moves; no memory, no rules. */
function bruteForce<State, Move>(model: Model<State, Move>, entries: readonly Entry<Move>[], state: State): boolean {
  const required = entries.filter((entry) => entry.required);
  if (required.length === 0) return true;
  const bound = Math.min(...required.map((entry) => entry.answered));
  const next = Math.min(...required.map((entry) => entry.order ?? Number.POSITIVE_INFINITY));
  return entries.some((entry) => {
    if (entry.invoked > bound || (entry.required && (entry.order ?? next) > next)) return false;
    const after = model.apply(state, entry.move);
    if (after === undefined) return false;
    return bruteForce(
      model,
      entries.filter((other) => other !== entry),
      after,
    );
  });
}

type AnyProblem = Problem<unknown, unknown>;

function problemsOf({ operations, settings }: History): AnyProblem[] {
  const of = <Of>(model: string): Of[] => operations.filter((operation) => operation.model === model) as Of[];
  const registers = of<RegisterOperation>("registers");
  const sequence = of<SequenceOperation>("sequence");
  const locks = of<LockOperation>("lock");
  const lives = sessionLives(of<SessionOperation>("session"), locks, settings ?? { sessionEndBoundMillis: 0 });
  return [
    ...registerProblems(registers, sightingsOf(registers)),
    ...(sequence.length > 0 ? [sequenceProblem(sequence)] : []),
    ...(locks.length > 0 ? [lockProblem(locks, lives)] : []),
  ] as AnyProblem[];
}

const small: Partial<VirtualOptions> = { clients: 4, calls: 3, network: { unknown: 0.35, noEffect: 0 }, bugRate: 0.15 };
const makers = [
  (seed: number) => registerHistory({ ...small, seed }),
  (seed: number) => registerHistory({ ...small, seed, bug: "blindCondition" }),
  (seed: number) => registerHistory({ ...small, seed, bug: "stuckVersion" }),
  (seed: number) => registerHistory({ ...small, seed, bug: "lostWrite" }),
  (seed: number) => sequenceHistory({ ...small, seed }),
  (seed: number) => sequenceHistory({ ...small, seed, bug: "staleList" }),
  (seed: number) => lockHistory({ ...small, clients: 3, seed }),
  (seed: number) => lockHistory({ ...small, clients: 3, seed, bug: "secondHolder", bugRate: 0.5 }),
];

for (const ordered of [true, false]) {
  test(`the search finds an order exactly where there is one${ordered ? ", that of the zxids" : ""}`, () => {
    const counts = { linearizable: 0, violated: 0, optional: 0 };
    for (let seed = 1; seed <= 250; seed++) {
      const random = new SeededRandom(seed);
      for (const make of makers) {
        const history = make(seed * 31);
        const told = random.chance(0.4) ? (mutated(history, random) ?? history) : history;
        for (const { model, entries } of problemsOf(told)) {
          if (entries.length > 11) continue;
          const judged = ordered ? entries : entries.map(({ order: _, ...entry }) => entry);
          const expected = bruteForce(model, judged, model.initial) ? "linearizable" : "violated";
          assert.equal(search(model, judged).kind, expected, `seed ${seed}`);
          counts[expected]++;
          if (judged.some((entry) => !entry.required)) counts.optional++;
        }
      }
    }
    for (const count of Object.values(counts)) assert.ok(count > 100, JSON.stringify(counts));
  });
}

/** A register that is set once. */
const once: Model<number, number> = {
  initial: 0,
  apply: (state, move) => (move < 0 ? (state === -move ? state : undefined) : state === 0 ? move : undefined),
  key: String,
};

function entry(move: number, invoked: number, answered: number): Entry<number> {
  return { move, invoked, answered, required: true };
}

test("a search that is given too few steps says that it is undecided", () => {
  const entries = [entry(1, 0, 10), entry(-1, 0, 10)];
  assert.equal(search(once, entries, 1).kind, "undecided");
  assert.equal(search(once, entries).kind, "linearizable");
});

test("an order keeps to real time", () => {
  assert.equal(search(once, [entry(1, 0, 2), entry(-1, 3, 4)]).kind, "linearizable");
  assert.equal(search(once, [entry(-1, 0, 2), entry(1, 3, 4)]).kind, "violated");
  assert.equal(search(once, [entry(-1, 0, 3), entry(1, 3, 4)]).kind, "linearizable");
});

test("an optional move may be left out, and stands in if it must", () => {
  const maybe = { ...entry(7, 0, Number.POSITIVE_INFINITY), required: false };
  assert.equal(search(once, [maybe, entry(1, 1, 2)]).kind, "linearizable");
  assert.equal(search(once, [maybe, entry(-7, 1, 2)]).kind, "linearizable");
  assert.equal(search(once, [{ ...maybe, invoked: 3 }, entry(-7, 1, 2)]).kind, "violated");
});

test("the moment from which a history is wrong is found", () => {
  const entries = [entry(1, 0, 1), entry(-1, 2, 3), entry(-2, 4, 5), entry(-1, 6, 7)];
  assert.equal(failsAt(once, entries), 5);
  assert.deepEqual(
    prefixUntil(entries, 4).map(({ move, required }) => [move, required]),
    [
      [1, true],
      [-1, true],
      [-2, false],
    ],
  );
});
