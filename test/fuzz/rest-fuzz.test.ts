/** A short run of the fuzz over a tree in memory; the long one is `npm run fuzz`. */
import assert from "node:assert/strict";
import { after, before, it } from "node:test";
import { digestOf } from "@quorate/gateway";
import { type Doors, startDoors } from "../conformance/client-doors.ts";
import { MemoryBackend } from "../conformance/memory-backend.ts";
import { missing, summary, unreached } from "./report.ts";
import { fuzzRest } from "./rest-fuzz.ts";
import { playScenes } from "./rest-scenes.ts";

const memory = new MemoryBackend();
let doors: Doors;
before(async () => {
  doors = await startDoors(memory, { superUserDigest: digestOf("root", "toor") });
});
after(async () => {
  await doors.stop();
  memory.watches.stop();
});

it("every answer is by the specification, and every promised one is reached", async (t) => {
  const began = performance.now();
  const base = `http://127.0.0.1:${doors.restPort}`;
  const tally = await fuzzRest({ base, superUser: "root:toor", cases: 3600, seed: 1 });
  t.diagnostic(summary(tally, performance.now() - began));
  assert.deepEqual(tally.finds, []);
  assert.ok(tally.successes >= tally.cases / 3, `${tally.successes} of ${tally.cases} succeeded`);
  await playScenes(tally);
  assert.deepEqual(missing(tally), []);
  assert.deepEqual(
    Object.keys(unreached).filter((key) => tally.reached.has(key)),
    [],
    "reached after all",
  );
});
