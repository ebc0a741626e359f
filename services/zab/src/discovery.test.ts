import assert from "node:assert/strict";
import { test } from "node:test";
import { TestEnsemble } from "./ensemble.test-support.ts";
import type { Mutant } from "./mutants.ts";

/** What those who hold a committed batch stop with, when a leader would cut it away. */
function forgottenPromise(mutants: readonly Mutant[]): string[] {
  const e = TestEnsemble.led(5, { mutants: new Set(mutants) });
  e.submit(5);
  e.settle();
  // 4 stands with 3 and 2; 3 has promised, the offer to 2 is under way.
  e.hold(({ from, to, message }) => message.kind === "newEpoch" && from === 4 && to === 2);
  e.cut([2, 3, 4], [5]);
  e.advance(100);
  assert.equal(e.at(4).status?.role, "leading");
  assert.equal(e.at(3).disk.state.acceptedEpoch, 2);
  // 3 loses its disk; 4 does not hear of it, nor that 2 has gone back to 5.
  e.crash(3, [4]);
  e.at(3).disk.wipe();
  e.start(3);
  e.cut([2], [4], [4]);
  e.connect(1, 2, 3, 5);
  e.advance(200);
  assert.deepEqual([e.at(3).disk.state.standing, e.at(3).disk.state.currentEpoch], ["member", 1]);
  // 5 commits with 1 and 3; 2 is away again, and promises 4 what 3 had promised before it was wiped.
  e.cut([2], [5]);
  e.submit(5);
  e.settle();
  const lost = e.at(5).applied;
  assert.equal(e.at(3).applied, lost);
  e.hold();
  e.cut([2], [4]);
  e.connect(2, 4);
  e.advance(20);
  assert.equal(e.at(2).disk.state.acceptedEpoch, 2);
  // 5 dies: whoever leads now has what was committed.
  e.crash(5);
  e.cut([3], [4]);
  e.connect(1, 2, 3, 4);
  e.advance(4000);
  return [1, 2, 3, 4].flatMap((id) => {
    const { stops, applied } = e.at(id);
    return applied >= lost ? stops : [...stops, `${id} lacks what was committed`];
  });
}

test("a promise that a wiped replica has forgotten makes no leader", () => {
  assert.deepEqual(forgottenPromise([]), []);
  assert.notDeepEqual(forgottenPromise(["forgottenPromiseCounts"]), []);
});
