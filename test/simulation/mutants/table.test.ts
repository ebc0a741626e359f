/** Each row fits the source as it is: its patches apply exactly once, and what comes out is still a program. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { join } from "node:path";
import { describe, test } from "node:test";
import { patched, root } from "./loader.ts";
import { mutantNamed, mutants } from "./table.ts";

describe("each mutant fits the source", () => {
  for (const mutant of mutants) {
    test(mutant.name, () => {
      assert.ok(mutant.patches.length > 0);
      const patches = [...mutant.patches, ...(mutant.setting ?? [])];
      for (const file of new Set(patches.map((each) => each.file))) {
        const source = readFileSync(join(root, file), "utf8");
        let changed = source;
        for (const patch of patches) if (patch.file === file) changed = patched(changed, patch);
        assert.notEqual(changed, source);
        // A syntax error throws.
        assert.doesNotThrow(() => stripTypeScriptTypes(changed), file);
      }
    });
  }
});

test("no two rows have the same name, rule or patches", () => {
  for (const of of [
    (each: (typeof mutants)[number]) => each.name,
    (each: (typeof mutants)[number]) => each.rule,
    (each: (typeof mutants)[number]) => JSON.stringify(each.patches),
  ]) {
    assert.equal(new Set(mutants.map(of)).size, mutants.length);
  }
  assert.throws(() => mutantNamed("no-such-mutant"), /there is no mutant/);
});

test("a patch that does not fit, or fits twice, is refused", () => {
  const patch = { file: "some.ts", find: "a", replace: "b" };
  assert.equal(patched("xay", patch), "xby");
  assert.throws(() => patched("xy", patch), /does not fit/);
  assert.throws(() => patched("aa", patch), /more than once/);
});
