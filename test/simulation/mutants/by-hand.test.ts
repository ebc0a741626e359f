/** The mutants that a case worked out by hand notices; and one of the simulated ones, whose case shows that it is rare. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { runByHand } from "./by-hand.ts";
import { mutants } from "./table.ts";

for (const { name, byHand } of mutants) {
  if (!byHand) continue;
  test(`${name}: ${byHand.name}`, async () => assert.equal(await runByHand(name, byHand), undefined));
}

const discovery = "services/zab/src/discovery.test.ts";

test("an epoch that is offered twice", async () => {
  const twice = { file: discovery, name: "one leader in an epoch, also when two offer the same" };
  assert.equal(await runByHand("equal-epoch-counts", twice), undefined);
});

test("a test that holds without the rule proves nothing", async () => {
  const other = { file: discovery, name: "an ensemble is founded by all of its members" };
  assert.match((await runByHand("equal-epoch-counts", other)) ?? "", /^it does not fail/);
});
