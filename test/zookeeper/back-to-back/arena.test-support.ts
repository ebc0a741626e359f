/** An arena for the tests of a suite, and what they ask of a play. */
import assert from "node:assert/strict";
import { after, before, type TestContext } from "node:test";
import { type Arena, type ArenaOptions, openArena } from "./arena.ts";
import { type Played, type PlayOptions, play } from "./player.ts";
import { report } from "./report.ts";

const clients = 4;

/** One arena for the tests of a suite, or why there is none. */
export function useArena(options: Omit<ArenaOptions, "clients">): () => Arena | { readonly skip: string } {
  let opened: Arena | { readonly skip: string } = { skip: "it was not opened" };
  before(async () => {
    opened = await openArena({ ...options, clients });
  });
  after(async () => {
    if (!("skip" in opened)) await opened.stop();
  });
  return () => opened;
}

export async function playIn(arena: Arena, options: Partial<PlayOptions>): Promise<Played> {
  const whole = { seed: 1, operations: 1_000, pipelined: 1, spread: false, expiries: false, ...options };
  return play(arena.a, arena.b, arena.witness ? { ...whole, witness: arena.witness } : whole);
}

export function assertEqual(context: TestContext, { tally, finding }: Played, least: number): void {
  assert.equal(finding, undefined, finding && report(finding));
  assert.ok(tally.operations >= least, `${tally.operations} operations`);
  assert.ok(tally.events > 0, "nobody was told anything");
  context.diagnostic(tally.summary());
}
