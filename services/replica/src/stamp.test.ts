import assert from "node:assert/strict";
import { test } from "node:test";
import { Stamper } from "./stamp.ts";
import type { Clock } from "./world.ts";

/** A clock that a test sets: monotonic and wall, ms. */
function setClock(): { now: number; wall: number; readonly stamper: Stamper } {
  const set = { now: 0, wall: 1_000_000 };
  const clock = { now: () => set.now, wall: () => set.wall } as Clock;
  return Object.assign(set, { stamper: new Stamper(clock) });
}

test("an empty history takes the wall's time", () => {
  const set = setClock();
  set.now = 500;
  set.stamper.begin(0, 0);
  assert.equal(set.stamper.next(), 1_000_000);
});

test("the time since the last stamp counts, also that before the leadership", () => {
  const set = setClock();
  set.now = 60_000;
  set.wall = 1_060_000;
  set.stamper.begin(1_000_000, 0);
  assert.equal(set.stamper.next(), 1_060_000);
});

test("a wall clock that jumps moves the stamps by a tenth of the time at most, and never back", () => {
  const set = setClock();
  set.stamper.begin(1_000_000, 0);
  set.now = 1000;
  set.wall = 9_000_000;
  assert.equal(set.stamper.next(), 1_001_100);
  set.now = 2000;
  set.wall = 5;
  assert.equal(set.stamper.next(), 1_002_000);
});
