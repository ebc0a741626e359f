/** The plan against logs that are really there: every log is a path in the tree of all that leaders ever proposed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { composeZxid, epochOf, type Zxid, zeroZxid } from "@quorate/api";
import fc from "fast-check";
import type { EpochEnd } from "./state.ts";
import { type LogShape, planSync } from "./sync-plan.ts";

/** Each epoch's leader begins with a prefix of some log of an earlier epoch, and proposes in one order. */
function grow(steps: readonly { readonly parent: number; readonly kept: number; readonly count: number }[]): Zxid[][] {
  const logs: Zxid[][] = [[]];
  steps.forEach(({ parent, kept, count }, index) => {
    const from = logs[parent % logs.length] ?? [];
    const prefix = from.slice(0, from.length === 0 ? 0 : kept % (from.length + 1));
    const own = Array.from({ length: count }, (_, counter) => composeZxid(index + 1, counter + 1));
    logs.push([...prefix, ...own]);
  });
  return logs;
}

/** As a peer keeps it, of a log whose first `snapshotted` batches are only in a snapshot. */
function shapeOf(log: readonly Zxid[], snapshotted: number): LogShape {
  const base = log[snapshotted - 1] ?? zeroZxid;
  const epochs: EpochEnd[] = base === zeroZxid ? [] : [{ epoch: epochOf(base), last: base }];
  for (const last of log.slice(snapshotted)) {
    if (epochs.at(-1)?.epoch === epochOf(last)) epochs.pop();
    epochs.push({ epoch: epochOf(last), last });
  }
  return { base, epochs, last: log.at(-1) ?? zeroZxid };
}

function prefixEnd(a: readonly Zxid[], b: readonly Zxid[]): Zxid {
  let end = zeroZxid;
  for (let at = 0; at < a.length && a[at] === b[at]; at++) end = a[at] ?? end;
  return end;
}

const step = fc.record({ parent: fc.nat(20), kept: fc.nat(20), count: fc.nat(4) });
const trees = fc.array(step, { minLength: 1, maxLength: 8 });

test("whole logs are cut at the exact end of their common prefix", () => {
  fc.assert(
    fc.property(trees, fc.nat(20), fc.nat(20), (steps, first, second) => {
      const logs = grow(steps);
      const [a = [], b = []] = [logs[first % logs.length], logs[second % logs.length]];
      assert.deepEqual(planSync(shapeOf(a, 0), shapeOf(b, 0)), { kind: "diff", common: prefixEnd(a, b) });
    }),
    { numRuns: 2000 },
  );
});

test("logs that begin behind a snapshot are cut in a common prefix that both still have, or get a snapshot", () => {
  let diffs = 0;
  fc.assert(
    fc.property(trees, fc.nat(20), fc.nat(20), fc.nat(20), fc.nat(20), (steps, first, second, cutA, cutB) => {
      const logs = grow(steps);
      const [a = [], b = []] = [logs[first % logs.length], logs[second % logs.length]];
      const [leader, follower] = [shapeOf(a, cutA % (a.length + 1)), shapeOf(b, cutB % (b.length + 1))];
      const plan = planSync(leader, follower);
      if (plan.kind === "snapshot") return;
      diffs++;
      assert.equal(plan.common, prefixEnd(a, b), "more or less than what both hold");
      assert.ok(plan.common >= leader.base, "the leader has no longer what follows");
      assert.ok(plan.common >= follower.base, "the follower cannot cut its snapshot");
    }),
    { numRuns: 3000 },
  );
  assert.ok(diffs > 300);
});

test("a follower that has nothing, of a leader that begins with a snapshot, gets the snapshot", () => {
  const log = [composeZxid(1, 1), composeZxid(1, 2), composeZxid(1, 3)];
  assert.deepEqual(planSync(shapeOf(log, 2), shapeOf([], 0)), { kind: "snapshot" });
  assert.deepEqual(planSync(shapeOf(log, 2), shapeOf(log.slice(0, 1), 0)), { kind: "snapshot" });
  assert.deepEqual(planSync(shapeOf(log, 2), shapeOf(log.slice(0, 2), 0)), { kind: "diff", common: composeZxid(1, 2) });
});

const z = composeZxid;

/** A log of one batch for each position. */
function shape(base: Zxid, ...positions: readonly Zxid[]): LogShape {
  return base === zeroZxid ? shapeOf(positions, 0) : shapeOf([base, ...positions], 1);
}

test("equal logs need nothing, a shorter one the rest", () => {
  const leader = shape(zeroZxid, z(1, 5), z(2, 3));
  assert.deepEqual(planSync(leader, leader), { kind: "diff", common: z(2, 3) });
  assert.deepEqual(planSync(leader, shape(zeroZxid, z(1, 5))), { kind: "diff", common: z(1, 5) });
  assert.deepEqual(planSync(leader, shape(zeroZxid, z(1, 2))), { kind: "diff", common: z(1, 2) });
  assert.deepEqual(planSync(leader, shape(zeroZxid)), { kind: "diff", common: zeroZxid });
});

test("a stray tail is cut at the exact common prefix, also across an epoch that the leader never had", () => {
  const leader = shape(zeroZxid, z(5, 10), z(7, 1));
  assert.deepEqual(planSync(leader, shape(zeroZxid, z(5, 12))), { kind: "diff", common: z(5, 10) });
  assert.deepEqual(planSync(leader, shape(zeroZxid, z(5, 10), z(6, 1))), { kind: "diff", common: z(5, 10) });
  assert.deepEqual(planSync(leader, shape(zeroZxid, z(5, 8), z(6, 40))), { kind: "diff", common: z(5, 8) });
});

test("where the logs do not reach back to a common point, a snapshot", () => {
  assert.deepEqual(planSync(shape(z(5, 10), z(5, 20)), shape(zeroZxid, z(5, 9))), { kind: "snapshot" });
  assert.deepEqual(planSync(shape(z(5, 10), z(5, 20)), shape(zeroZxid, z(4, 9))), { kind: "snapshot" });
  assert.deepEqual(planSync(shape(z(5, 10), z(5, 20)), shape(zeroZxid)), { kind: "snapshot" });
  // An empty log behind a snapshot is a position, not nothing.
  assert.deepEqual(planSync(shape(z(5, 10), z(5, 20)), shape(z(5, 15))), { kind: "diff", common: z(5, 15) });
  assert.deepEqual(planSync(shape(z(5, 20)), shape(z(5, 20))), { kind: "diff", common: z(5, 20) });
});
