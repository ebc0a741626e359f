import assert from "node:assert/strict";
import { test } from "node:test";
import { Elections } from "./elections.ts";

test("elections are timed from the loss of a leader to the next one, outages until it serves again", () => {
  const elections = new Elections(100);
  const looking = { role: "looking", serving: false } as const;
  elections.changed(looking, 110);
  elections.changed({ role: "following", serving: false }, 150);
  assert.deepEqual([elections.looked, elections.times.count, elections.outages.count], [1, 1, 0]);
  elections.changed({ role: "following", serving: true }, 170);
  // Its reason alone has changed.
  elections.changed({ role: "following", serving: true }, 500);
  elections.changed(looking, 1000);
  elections.changed(looking, 1010);
  elections.changed({ role: "leading", serving: false }, 1020);
  elections.changed({ role: "leading", serving: true }, 1025);
  const { times, outages } = elections;
  assert.deepEqual([elections.looked, times.count, times.sum, times.min, times.max], [2, 2, 70, 20, 50]);
  assert.deepEqual([outages.count, outages.sum, outages.min, outages.max, outages.last], [2, 95, 25, 70, 25]);
});
