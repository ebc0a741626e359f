/** The table through the REST door over a tree in memory. */
import assert from "node:assert/strict";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import { createNodeWorld, createRecipes, createRestServer, digestOf } from "@quorate/gateway";
import { cases, runCase } from "./cases.ts";
import { MemoryBackend } from "./memory-backend.ts";

describe("REST over a tree in memory", () => {
  const logged: string[] = [];
  const backend = new MemoryBackend();
  const world = createNodeWorld();
  const recipes = createRecipes({ backend, world });
  const { server, stop } = createRestServer({
    backend,
    recipes,
    world,
    superUserDigest: digestOf("root", "toor"),
    version: "test",
    readiness: () => ({ ready: true, leader: 1, checks: [{ name: "lane", ok: true, detail: "" }] }),
    metrics: () => "quorate_up 1\n",
    log: (line) => logged.push(line),
  });
  before(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)));
  after(async () => {
    await stop();
    recipes.close();
  });

  it("has at least 90 cases, each with a name of its own", () => {
    assert.ok(cases.length >= 90, String(cases.length));
    assert.equal(new Set(cases.map((each) => each.name)).size, cases.length);
  });
  for (const each of cases) {
    it(each.name, async () => {
      const { port } = server.address() as AddressInfo;
      await runCase(`http://127.0.0.1:${port}`, each, { superUser: "root:toor" });
      assert.deepEqual(logged, [], "a fault of our own was logged");
    });
  }
});
