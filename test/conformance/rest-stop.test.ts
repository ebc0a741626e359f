/** A REST door that stops waits for what is under way, and for nobody who has asked nothing. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect } from "node:net";
import { it } from "node:test";
import { createNodeWorld, createRecipes, createRestServer } from "@quorate/gateway";
import { MemoryBackend } from "./memory-backend.ts";

it("a connection on which nothing was ever asked does not keep the door", async () => {
  const backend = new MemoryBackend();
  const world = createNodeWorld();
  const { server, stop } = createRestServer({
    backend,
    recipes: createRecipes({ backend, world }),
    world,
    version: "test",
    readiness: () => ({ ready: true, leader: 1, checks: [] }),
    metrics: () => "",
    log: (line) => assert.fail(line),
    // Never, as far as this test goes.
    limits: { graceMillis: 0, drainMillis: 3_600_000, headersMillis: 3_600_000, requestMillis: 3_600_000 },
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const taken = once(server, "connection");
  const silent = connect(port, "127.0.0.1");
  await taken;
  const closed = once(silent, "close");
  await stop();
  await closed;
});
