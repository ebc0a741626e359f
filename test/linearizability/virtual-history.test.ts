/** Right histories pass, whatever was late, lost or refused; those of a service with a bug, and those with a lie in them, do not. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { SeededRandom } from "../simulation/random.ts";
import { checkHistory, type History } from "./index.ts";
import { mutated } from "./mutations.ts";
import {
  lockHistory,
  mixedHistory,
  registerHistory,
  sequenceHistory,
  type VirtualOptions,
  withoutHeaders,
} from "./virtual-history.ts";

const makers = { registerHistory, sequenceHistory, lockHistory };

for (const [name, make] of Object.entries(makers)) {
  test(`${name}: right histories pass`, () => {
    let undecided = 0;
    fc.assert(
      fc.property(fc.integer(), fc.constantFrom(0, 0.15, 0.25), (seed, unknown) => {
        const verdict = checkHistory(make({ seed, network: { unknown } }));
        assert.deepEqual(verdict.violations, []);
        assert.equal(verdict.objects, 1);
        assert.ok(verdict.operations >= 250);
        undecided += verdict.undecided;
      }),
      { numRuns: 25 },
    );
    assert.ok(undecided <= 4, `${undecided} undecided`);
  });
}

test("several objects at once are judged apart, their zxids together, in any order of recording", () => {
  for (let seed = 1; seed <= 10; seed++) {
    const history = mixedHistory({ seed, calls: 12 });
    const random = new SeededRandom(seed);
    const operations = [...history.operations].sort(() => random.below(3) - 1);
    const verdict = checkHistory({ ...history, operations });
    assert.deepEqual(verdict.violations, []);
    assert.equal(verdict.objects, 3);
  }
});

test("a search that may take few steps says undecided, and never that it passes", () => {
  const verdict = checkHistory(registerHistory({ seed: 1 }), 10);
  assert.deepEqual(verdict.violations, []);
  assert.equal(verdict.undecided, 1);
});

interface Find {
  readonly make: (options: VirtualOptions) => History;
  readonly options: Omit<VirtualOptions, "seed">;
  readonly rule: RegExp;
}

/** Each bug, and how it is called when it is found. */
const finds: Readonly<Record<string, Find>> = {
  "a stale read": { make: registerHistory, options: { bug: "staleRead" }, rule: /stale read/ },
  "a lost write": { make: registerHistory, options: { bug: "lostWrite" }, rule: /acknowledged write lost/ },
  "a compare-and-set that does not compare": {
    make: registerHistory,
    options: { bug: "blindCondition" },
    rule: /two compare-and-sets won on one mzxid|not linearizable/,
  },
  "a txn of which a part is forgotten": {
    make: registerHistory,
    options: { bug: "tornTxn" },
    rule: /txn|write lost|stale read|not linearizable/,
  },
  "a version that does not count": {
    make: registerHistory,
    options: { bug: "stuckVersion" },
    rule: /not linearizable|lost update/,
  },
  "a refused write that is done": {
    make: registerHistory,
    options: { network: { refusedButDone: 0.8 } },
    rule: /noEffect, but it took effect/,
  },
  "a write that is done again": {
    make: registerHistory,
    options: { network: { doneTwice: 0.1 } },
    rule: /one write, seen as two/,
  },
  "a number given twice": { make: sequenceHistory, options: { bug: "sameNumber" }, rule: /number given twice/ },
  "numbers that go back": { make: sequenceHistory, options: { bug: "numberBack" }, rule: /number went back/ },
  "a child that is not there": {
    make: sequenceHistory,
    options: { bug: "lostChild" },
    rule: /acknowledged creation lost/,
  },
  "a stale listing": { make: sequenceHistory, options: { bug: "staleList" }, rule: /stale listing|there and is gone/ },
  "a refused creation that is done": {
    make: sequenceHistory,
    options: { network: { refusedButDone: 0.8 } },
    rule: /noEffect, but it took effect/,
  },
  "a creation that is done again": {
    make: sequenceHistory,
    options: { network: { doneTwice: 0.1 } },
    rule: /one creation, two children/,
  },
  "two holders": { make: lockHistory, options: { bug: "secondHolder" }, rule: /lock held twice|gone early/ },
  "a lock that is lost": { make: lockHistory, options: { bug: "lostLock" }, rule: /gone early|lock held twice/ },
  "an ephemeral that stays": {
    make: lockHistory,
    options: { bug: "leftBehind", bugRate: 1, calls: 50 },
    rule: /left behind/,
  },
  "tokens that go back": {
    make: lockHistory,
    options: { bug: "tokenBack" },
    rule: /token went back|token given twice/,
  },
  "a session that ends early": {
    make: lockHistory,
    options: { bug: "expiredEarly" },
    rule: /gone early|expired early|lock held twice|not linearizable/,
  },
  "a stale look at the lock": {
    make: lockHistory,
    options: { bug: "staleRead" },
    rule: /gone early|left behind|not linear/,
  },
};

for (const [name, { make, options, rule }] of Object.entries(finds)) {
  test(`found: ${name}`, () => {
    let caught = 0;
    let named = 0;
    for (let seed = 1; seed <= 10; seed++) {
      // Without the headers: what finds it must be what clients can see.
      const { violations } = checkHistory(withoutHeaders(make({ seed, ...options })));
      if (violations.length > 0) caught++;
      if (violations.some((violation) => rule.test(violation))) named++;
    }
    assert.ok(caught >= 7, `only ${caught} of 10 histories`);
    assert.ok(named >= 6, `only ${named} of 10 by its name`);
  });
}

test("of lies told at random nearly all are found", () => {
  let told = 0;
  let found = 0;
  for (const make of Object.values(makers)) {
    for (let seed = 1; seed <= 18; seed++) {
      const history = withoutHeaders(make({ seed, calls: 15 }));
      const random = new SeededRandom(seed);
      for (let lie = 0; lie < 5; lie++) {
        const wrong = mutated(history, random);
        if (wrong === undefined) continue;
        told++;
        if (checkHistory(wrong).violations.length > 0) found++;
      }
    }
  }
  assert.ok(told > 60, String(told));
  // Some lies say what another right history says too: two readers at once may have been answered the other way round.
  assert.ok(found / told > 0.93, `${found} of ${told}`);
});
