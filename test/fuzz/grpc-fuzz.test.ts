/** A short run of the gRPC fuzz over a tree in memory; the long one is `npm run fuzz`. */
import assert from "node:assert/strict";
import { after, before, it } from "node:test";
import { digestOf } from "@quorate/gateway";
import { type Doors, startDoors } from "../conformance/client-doors.ts";
import { MemoryBackend } from "../conformance/memory-backend.ts";
import { fuzzGrpc, grpcSummary, unansweredMethods } from "./grpc-fuzz.ts";

const memory = new MemoryBackend();
let doors: Doors;
before(async () => {
  doors = await startDoors(memory, { superUserDigest: digestOf("root", "toor") });
});
after(async () => {
  await doors.stop();
  memory.watches.stop();
});

it("random messages are answered by the table, by every method", async (t) => {
  const began = performance.now();
  const tally = await fuzzGrpc({ port: doors.grpcPort, superUser: "root:toor", cases: 1500, seed: 1 });
  t.diagnostic(grpcSummary(tally, performance.now() - began));
  assert.deepEqual(tally.finds, []);
  assert.deepEqual(unansweredMethods(tally), []);
  assert.ok(tally.successes >= tally.cases / 3, `${tally.successes} of ${tally.cases} succeeded`);
});
