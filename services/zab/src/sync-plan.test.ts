import assert from "node:assert/strict";
import { test } from "node:test";
import { composeZxid, epochOf, type Zxid } from "@quorate/api";
import fc from "fast-check";
import type { EpochEnd } from "./state.ts";
import { type LogShape, planSync } from "./sync-plan.ts";

const z = composeZxid;
const zero = 0 as Zxid;

function shape(base: Zxid, ...positions: readonly Zxid[]): LogShape {
  const epochs: EpochEnd[] = base === 0 ? [] : [{ epoch: epochOf(base), last: base }];
  for (const last of positions) {
    if (epochs.at(-1)?.epoch === epochOf(last)) epochs.pop();
    epochs.push({ epoch: epochOf(last), last });
  }
  return { base, epochs, last: positions.at(-1) ?? base };
}

test("equal logs need nothing, a shorter one the rest", () => {
  const leader = shape(zero, z(1, 5), z(2, 3));
  assert.deepEqual(planSync(leader, leader), { kind: "diff", common: z(2, 3) });
  assert.deepEqual(planSync(leader, shape(zero, z(1, 5))), { kind: "diff", common: z(1, 5) });
  assert.deepEqual(planSync(leader, shape(zero, z(1, 2))), { kind: "diff", common: z(1, 2) });
  assert.deepEqual(planSync(leader, shape(zero)), { kind: "diff", common: zero });
});

test("a stray tail is cut at the exact common prefix, also across an epoch that the leader never had", () => {
  const leader = shape(zero, z(5, 10), z(7, 1));
  assert.deepEqual(planSync(leader, shape(zero, z(5, 12))), { kind: "diff", common: z(5, 10) });
  assert.deepEqual(planSync(leader, shape(zero, z(5, 10), z(6, 1))), { kind: "diff", common: z(5, 10) });
  assert.deepEqual(planSync(leader, shape(zero, z(5, 8), z(6, 40))), { kind: "diff", common: z(5, 8) });
});

test("where the logs do not reach back to a common point, a snapshot", () => {
  assert.deepEqual(planSync(shape(z(5, 10), z(5, 20)), shape(zero, z(5, 9))), { kind: "snapshot" });
  assert.deepEqual(planSync(shape(z(5, 10), z(5, 20)), shape(zero, z(4, 9))), { kind: "snapshot" });
  assert.deepEqual(planSync(shape(z(5, 10), z(5, 20)), shape(zero)), { kind: "snapshot" });
  // An empty log behind a snapshot is a position, not nothing.
  assert.deepEqual(planSync(shape(z(5, 10), z(5, 20)), shape(z(5, 15))), { kind: "diff", common: z(5, 15) });
  assert.deepEqual(planSync(shape(z(5, 20)), shape(z(5, 20))), { kind: "diff", common: z(5, 20) });
});

/** Logs grow as leaders make them: each epoch goes on behind a prefix of an earlier log. */
const steps = fc.array(fc.tuple(fc.nat(5), fc.nat(20), fc.integer({ min: 1, max: 4 })), {
  minLength: 2,
  maxLength: 12,
});

test("the plan's cut is the common prefix of the two logs, batch for batch", () => {
  fc.assert(
    fc.property(steps, fc.nat(), fc.nat(), fc.nat(6), fc.nat(6), (moves, a, b, dropA, dropB) => {
      const logs: Zxid[][] = [[]];
      moves.forEach(([from, keep, count], index) => {
        const parent = logs[from % logs.length] ?? [];
        const log = parent.slice(0, keep);
        for (let n = 1; n <= count; n++) log.push(z(index + 1, n));
        logs.push(log);
        // Followers hold any part of what the leader of an epoch proposed.
        logs.push(log.slice(0, log.length - (keep % (count + 1))));
      });
      const mine = logs[a % logs.length] ?? [];
      const theirs = logs[b % logs.length] ?? [];
      let common = 0;
      while (common < mine.length && mine[common] === theirs[common]) common++;
      // A base is committed: it never lies behind the common prefix.
      const baseOf = (drop: number): number => Math.min(drop, common);
      const cut = (log: readonly Zxid[], drop: number): LogShape =>
        shape(log[baseOf(drop) - 1] ?? zero, ...log.slice(baseOf(drop)));
      const end = mine[common - 1] ?? zero;
      assert.deepEqual(planSync(cut(mine, dropA), cut(theirs, dropB)), { kind: "diff", common: end });
    }),
    { numRuns: 2000 },
  );
});
