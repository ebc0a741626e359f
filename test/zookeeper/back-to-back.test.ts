/**
 * Quorate beside a real ZooKeeper: the same random requests to both, and what is meant to differ. More of it:
 * `npm run back-to-back -- --operations 50000`.
 */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { assertEqual, playIn, useArena } from "./back-to-back/arena.test-support.ts";
import { playScene, scenes } from "./difference-scenes.ts";
import { documented, meantDifferences } from "./differences.ts";

suite("Quorate beside a real ZooKeeper", () => {
  const opened = useArena({ against: "quorate", spread: false });

  test("one request at a time, over four clients of one server", async (t) => {
    const arena = opened();
    if ("skip" in arena) return t.skip(arena.skip);
    const played = await playIn(arena, { seed: 1, operations: 3_000 });
    assertEqual(t, played, 3_000);
    assert.ok(
      played.tally.missedEvents[0] > 0 && played.tally.missedEvents[1] > 0,
      "nobody who came back was told anything",
    );
  });

  test("eight requests under way of each client", async (t) => {
    const arena = opened();
    if ("skip" in arena) return t.skip(arena.skip);
    assertEqual(t, await playIn(arena, { seed: 2, operations: 3_000, pipelined: 8 }), 3_000);
  });
});

/** On servers of their own: what they leave behind differs too. */
suite("the differences", () => {
  const opened = useArena({ against: "quorate", spread: false });

  test("what is meant to differ does", async (t) => {
    const arena = opened();
    if ("skip" in arena) return t.skip(arena.skip);
    for (const [place, scene] of scenes.entries()) {
      const { what, zookeeper } = scene;
      const theirs: string | undefined =
        zookeeper === undefined ? undefined : await playScene(scene, arena.a.port, place);
      const ours = await playScene(scene, arena.b.port, place);
      assert.deepEqual([theirs, ours], [zookeeper, scene.quorate], what);
    }
  });
});

suite("three servers of each, a client or two at each of them", () => {
  const opened = useArena({ against: "quorate", spread: true });

  test("each asks for a sync before it goes on behind another", async (t) => {
    const arena = opened();
    if ("skip" in arena) return t.skip(arena.skip);
    assertEqual(t, await playIn(arena, { seed: 3, operations: 1_500, spread: true }), 1_500);
  });
});

test("the document has every difference that is meant, and a scene shows what a row says", () => {
  const { text, wanted } = documented();
  assert.equal(text, wanted, "node test/zookeeper/differences.ts writes the table into docs/zookeeper.md");
  const rows = new Set(meantDifferences.map(({ what }) => what));
  assert.equal(rows.size, meantDifferences.length);
  for (const { what } of scenes) assert.ok(rows.has(what), `no row says ${what}`);
});
