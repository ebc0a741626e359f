import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { quorumSize, quorumValue } from "./quorum.ts";

test("any two quorums share a member", () => {
  for (let count = 1; count <= 9; count++) {
    const members = Array.from({ length: count }, (_, index) => index + 1);
    assert.ok(2 * quorumSize(members) > count);
    assert.ok(2 * (quorumSize(members) - 1) <= count, "it is no larger than it must be");
  }
});

test("the quorum's value is the largest that a quorum has reached", () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.nat(9), { nil: undefined }), { minLength: 1, maxLength: 9 }), (values) => {
      const members = values.map((_, index) => index + 1);
      const found = quorumValue(members, (member) => values[member - 1], 0);
      const reached = (value: number): number => values.filter((each) => (each ?? 0) >= value).length;
      assert.ok(reached(found) >= quorumSize(members));
      assert.ok(reached(found + 1) < quorumSize(members));
    }),
  );
});
