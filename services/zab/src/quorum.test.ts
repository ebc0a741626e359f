import assert from "node:assert/strict";
import { test } from "node:test";
import { quorumSize, quorumValue } from "./quorum.ts";

test("a quorum is more than half", () => {
  assert.deepEqual(
    [[1], [1, 2], [1, 2, 3], [1, 2, 3, 4], [1, 2, 3, 4, 5]].map((members) => quorumSize(members)),
    [1, 2, 2, 3, 3],
  );
});

test("what a quorum has reached is the median from above; who is not heard has nothing", () => {
  const reached = new Map([
    [1, 10],
    [2, 7],
    [3, 12],
  ]);
  assert.equal(
    quorumValue([1, 2, 3], (id) => reached.get(id), 0),
    10,
  );
  assert.equal(
    quorumValue([1, 2, 3, 4, 5], (id) => reached.get(id), 0),
    7,
  );
  assert.equal(
    quorumValue([3, 4, 5], (id) => reached.get(id), 0),
    0,
  );
  assert.equal(
    quorumValue([3], (id) => reached.get(id), 0),
    12,
  );
});
