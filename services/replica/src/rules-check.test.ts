import assert from "node:assert/strict";
import { test } from "node:test";
import type { Batch, Zxid } from "@quorate/api";
import { rulesVersion } from "@quorate/tree";
import { checkRules, heldFault } from "./rules-check.ts";

function made(...rules: number[]): Batch[] {
  return rules.map((each, at) => ({ last: (2 ** 32 + at + 1) as Zxid, rules: each }) as Batch);
}

test("what follows a state is known and never falls, or the process does not begin", () => {
  checkRules(made(), 1);
  checkRules(made(rulesVersion, rulesVersion), 1);
  const newer = made(rulesVersion, rulesVersion + 1);
  const known = `this program knows those up to ${rulesVersion}`;
  const why = `made by rules version ${rulesVersion + 1}; ${known}: start the newer program again`;
  assert.throws(
    () => checkRules(newer, 1),
    (error: Error) => error.message.startsWith("the batch at 0x0000000100000002 is") && error.message.includes(why),
  );
  assert.throws(() => checkRules(made(1), 2), /by rules version 1, one before it by 2: rules never go back/);
  assert.throws(() => checkRules(made(1, 0), 1), /by rules version 0, one before it by 1/);
});

test("who applies by rules that are not known is nobody to take part with", () => {
  for (const held of [undefined, 0, rulesVersion]) {
    assert.equal(heldFault(held === undefined ? { name: "replica 2" } : { name: "replica 2", held }), undefined);
  }
  const fault = heldFault({ name: "replica 2", held: rulesVersion + 1 }) ?? "";
  assert.match(fault, /^replica 2 applies by rules version \d+; this program knows .* start the newer program again/);
});
