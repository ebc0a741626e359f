/**
 * Punctuality on machines that stand still for seconds now and then, or are slow for a while: what is in time can be seen there,
 * but not every time. What must never happen early, twice or not at all is no matter of this.
 */
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { spread } from "./door-client.ts";

/** A round in which half of what it measures is within `millis` is looked for, three times. */
export async function inTime(
  t: TestContext,
  what: string,
  millis: number,
  round: (number: number) => Promise<number[]>,
): Promise<void> {
  for (let number = 1; ; number++) {
    const late = (await round(number)).toSorted((a, b) => a - b);
    t.diagnostic(`${what}: ${spread(late)}`);
    if ((late[late.length >> 1] ?? 0) <= millis) return;
    assert.ok(number < 3, `${what}, for the third time: ${spread(late)}`);
  }
}
