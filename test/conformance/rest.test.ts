/** The table through the REST door over a tree in memory. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { digestOf } from "@quorate/gateway";
import { cases, runCase } from "./cases.ts";
import { MemoryBackend } from "./memory-backend.ts";
import { restDoor } from "./rest-door.ts";

describe("REST over a tree in memory", () => {
  const logged: string[] = [];
  const door = restDoor(new MemoryBackend(), {
    superUserDigest: digestOf("root", "toor"),
    readiness: () => ({ ready: true, leader: 1, checks: [{ name: "lane", ok: true, detail: "" }] }),
    metrics: () => "quorate_up 1\n",
    log: (line) => logged.push(line),
  });
  before(() => door.listen());
  after(() => door.stop());

  it("has at least 90 cases, each with a name of its own", () => {
    assert.ok(cases.length >= 90, String(cases.length));
    assert.equal(new Set(cases.map((each) => each.name)).size, cases.length);
  });
  for (const each of cases) {
    it(each.name, async () => {
      await runCase(door.base, each, { superUser: "root:toor" });
      assert.deepEqual(logged, [], "a fault of our own was logged");
    });
  }
});
