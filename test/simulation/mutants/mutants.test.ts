/**
 * Some of the mutants that show themselves soon: that taking a rule out works, and that both simulators notice. All of
 * them: `npm run simulate -- --mutants`.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { judgeMutant } from "./run.ts";
import { mutantNamed } from "./table.ts";

const seeds = 60;
const soon = [
  "minority-commits",
  "stale-ticket-ignored",
  "read-joins-round-in-flight",
  "initial-history-not-committed",
  "joiner-counts",
  "accepted-epoch-not-durable",
  "hung-leader-stays",
  "key-forgotten",
  "home-renews-by-itself",
  "ephemerals-left-behind",
  "confirmed-index-not-awaited",
  "reply-before-feed",
];

for (const name of soon) {
  test(`without the rule of ${name}, a violation within ${seeds} seeds`, async (t) => {
    const { caught, text } = await judgeMutant(mutantNamed(name), seeds);
    assert.ok(caught, text);
    t.diagnostic(text);
  });
}
