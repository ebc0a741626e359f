import assert from "node:assert/strict";
import { test } from "node:test";
import type { Tree } from "@quorate/tree";
import { EphemeralCount } from "./figures.ts";

test("ephemerals are counted anew for each who asks; of many sessions, once a second", () => {
  let walks = 0;
  const treeOf = (sessionCount: number): Tree => {
    const sessions = function* () {
      walks += 1;
      yield { ephemeralCount: 3 };
      yield { ephemeralCount: walks };
    };
    return { sessionCount, sessions } as unknown as Tree;
  };
  const count = new EphemeralCount();
  const few = treeOf(2);
  assert.deepEqual([count.of(few, 0), count.of(few, 0)], [4, 5]);
  const many = treeOf(100_000);
  assert.deepEqual([count.of(many, 999), count.of(many, 1000), count.of(many, 1999)], [5, 6, 6]);
  assert.equal(walks, 3);
});
