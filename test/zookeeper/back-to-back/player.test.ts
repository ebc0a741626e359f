/** The player itself: between two real ZooKeepers it finds nothing, and of what one of them is made to say wrongly, everything. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { assertEqual, playIn, useArena } from "./arena.test-support.ts";
import { tamperings } from "./tampering.ts";

suite("a real ZooKeeper beside another one", () => {
  const opened = useArena({ against: "zookeeper", spread: false });

  test("no difference is found where there is none", async (t) => {
    const arena = opened();
    if ("skip" in arena) return t.skip(arena.skip);
    assertEqual(t, await playIn(arena, { seed: 71, operations: 800 }), 800);
    assertEqual(t, await playIn(arena, { seed: 72, operations: 1_200, pipelined: 8 }), 1_200);
  });

  test("whatever one is told wrongly is found", async (t) => {
    const arena = opened();
    if ("skip" in arena) return t.skip(arena.skip);
    for (const [what, tamper] of Object.entries(tamperings)) {
      await arena.renew();
      arena.b.tamper = tamper();
      const { finding, tally } = await playIn(arena, { seed: 73, operations: 2_000 });
      assert.ok(finding, `${what} was not found in ${tally.operations} operations`);
      t.diagnostic(`${what}: found at operation ${finding.operation}: ${finding.why}`);
    }
  });
});
