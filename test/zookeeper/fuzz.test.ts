/** A short fuzz of the ZooKeeper port of a running gateway; a million frames are `npm run fuzz -- --zookeeper`. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { tryZookeeperPort } from "../fuzz/zookeeper-trial.ts";
import { Ensemble } from "../integration/ensemble.ts";

test("hostile frames: everybody is answered or let go, nobody else notices, and nothing is left", async (t) => {
  const ensemble = await Ensemble.start();
  try {
    const options = { frames: 15_000, seed: 1, memory: false, log: (line: string) => t.diagnostic(line) };
    const { tally, healthy, faults } = await tryZookeeperPort(ensemble, options);
    assert.deepEqual(faults, []);
    assert.ok(tally.frames >= options.frames && tally.answers > options.frames / 5, `${tally.answers} answers`);
    assert.equal(tally.conversations.size, 6, "some kind of conversation was never held");
    assert.ok(healthy.rounds > 0);
    t.diagnostic(
      `${tally.answers} answers; the healthy client's slowest round: ${Math.round(healthy.slowestMillis)} ms`,
    );
  } finally {
    await ensemble.stop();
  }
});
