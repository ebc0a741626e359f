/**
 * A rolling restart onto a program that knows a newer rules version, and what becomes of who is put back: nothing
 * changes before the last one has announced it, and nothing goes back afterwards.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { stripTypeScriptTypes } from "node:module";
import { join } from "node:path";
import { after, afterEach, before, describe, it } from "node:test";
import { rulesVersion } from "@quorate/tree";
import { nextRulesEnvironment, nextRulesPatches, raisedBy } from "../next-rules/next-rules.ts";
import { patched, root } from "../simulation/mutants/loader.ts";
import { Ensemble, type Process, sleep, statusOf, until } from "./ensemble.ts";
import { Ledger } from "./ledger.ts";

const ids = [1, 2, 3] as const;
const next = rulesVersion + 1;
/** What members say of themselves travels every half second, and with each new link. */
const announcedMillis = 1200;
const flags = ["--segment-bytes", "65536", "--snapshot-log-bytes", "131072"];

async function gauge(replica: Process, name: string): Promise<number> {
  const text = await (await fetch(`${replica.base}/metrics`)).text();
  const value = new RegExp(`^quorate_${name} (\\d+)$`, "m").exec(text)?.[1];
  assert.ok(value, `${replica.name} tells ${name}`);
  return Number(value);
}

/** How much two writes behind one another differ in version: which rules hold. */
class Probe {
  #version: number | undefined;

  async raise(door: Process): Promise<number> {
    await this.#put(door);
    const former = this.#version ?? 0;
    await this.#put(door);
    return (this.#version ?? 0) - former;
  }

  async #put(door: Process): Promise<void> {
    const response = await fetch(`${door.base}/v1/znodes/probe`, { method: "PUT", body: "x" });
    const { stat } = (await response.json()) as { stat?: { version: number } };
    assert.ok(stat, `the probe is written (${response.status})`);
    this.#version = stat.version;
  }
}

describe("a newer rules version", { timeout: 400_000 }, () => {
  let ensemble: Ensemble;
  const ledger = new Ledger("rules");
  /** The replicas that are started with the newer program. */
  const renewed = new Set<string>();
  const probe = new Probe();

  before(async () => {
    ensemble = await Ensemble.start({
      flags,
      environmentOf: (name) => (renewed.has(name) ? nextRulesEnvironment : {}),
    });
    await probe.raise(ensemble.gateway);
  });
  afterEach((context) => {
    if ("error" in context && context.error) console.log(ensemble.output());
  });
  after(() => ensemble.stop());

  function launch(id: number, program: "old" | "new"): Process {
    const replica = ensemble.replica(id);
    if (program === "new") renewed.add(replica.name);
    else renewed.delete(replica.name);
    replica.output = "";
    replica.start();
    return replica;
  }

  async function start(id: number, program: "old" | "new"): Promise<void> {
    const replica = launch(id, program);
    await until(async () => (await statusOf(replica)).serving, 15_000, `${replica.name} serves again`);
    assert.equal(await gauge(replica, "rules_known"), program === "new" ? next : rulesVersion);
  }

  async function restart(id: number, program: "old" | "new"): Promise<void> {
    await ensemble.replica(id).kill("SIGTERM");
    await start(id, program);
  }

  async function assertHeld(rules: number): Promise<void> {
    assert.equal(await probe.raise(ensemble.gateway), rules === next ? raisedBy.next : raisedBy.known);
    for (const id of ids) {
      const replica = ensemble.replica(id);
      const applied = async (): Promise<boolean> => (await gauge(replica, "rules_applied")) === rules;
      if (replica.running) await until(applied, 5000, `${replica.name} applies by rules ${rules}`);
    }
  }

  it("rises under load when the last replica has announced it, and until then can be taken back", async (t) => {
    let stopped = false;
    const writing = ledger.writeUntil(
      () => ensemble.gateway,
      () => stopped,
    );
    try {
      for (const [id, program] of [
        [1, "new"],
        [2, "new"],
        [1, "old"],
        [1, "new"],
      ] as const) {
        await restart(id, program);
        await sleep(announcedMillis);
        await assertHeld(rulesVersion);
      }
      await restart(3, "new");
      await until(async () => (await probe.raise(ensemble.gateway)) === raisedBy.next, 5000, "the next rules hold");
      await sleep(announcedMillis);
      await assertHeld(next);
    } finally {
      stopped = true;
    }
    const gap = await writing;
    // Every second the replicas compare digests: who applied a batch by other rules would have stopped.
    await ensemble.settled();
    const { acknowledged, unknownThere } = await ledger.verify(ensemble.gateway);
    t.diagnostic(
      `${acknowledged} acknowledged are there; ${unknownThere} of ${ledger.unknown.size} unknown; longest gap ${Math.round(gap)} ms`,
    );
    assert.ok(acknowledged > 300, `${acknowledged} writes`);
  });

  it("does not fall when a new leader has not heard of everybody", async () => {
    await Promise.all(ids.map((id) => ensemble.replica(id).kill("SIGKILL")));
    // Neither of the two has ever heard the third one's word.
    await Promise.all([start(1, "new"), start(2, "new")]);
    await assertHeld(next);
    const led = await ensemble.leader();
    await restart(led, "new");
    await assertHeld(next);
    await start(3, "new");
    await assertHeld(next);
    await ensemble.settled();
  });

  it("stops a replica that is put back to the older program, before it has met anybody", async () => {
    await ensemble.replica(3).kill("SIGTERM");
    const replica = launch(3, "old");
    assert.equal(await replica.waitForEnd(15_000), 1);
    const known = `this program knows those up to ${rulesVersion}: start the newer program`;
    const version = new RegExp(`(rules version is|made by rules version) ${next}; ${known}`);
    assert.match(replica.output, version);
    assert.doesNotMatch(replica.output, /peer port|linked with/);
  });

  it("stops a replica of the older program whose own disk does not know", async () => {
    await ledger.fillAll(ensemble.gateway, 1500, { bytes: 1000 });
    await rm(ensemble.dataOf(3), { recursive: true });
    const replica = launch(3, "old");
    assert.equal(await replica.waitForEnd(20_000), 1);
    assert.match(replica.output, new RegExp(`stops: .*version (is )?${next}; this program knows`));
    assert.doesNotMatch(replica.output, /digest/);
    await start(3, "new");
    await assertHeld(next);
    await ensemble.settled();
    await ledger.verify(ensemble.gateway);
  });
});

it("the next rules fit the source", () => {
  const files = new Map<string, string>();
  for (const patch of nextRulesPatches) {
    const source = files.get(patch.file) ?? readFileSync(join(root, patch.file), "utf8");
    files.set(patch.file, patched(source, patch));
  }
  for (const source of files.values()) assert.doesNotThrow(() => stripTypeScriptTypes(source));
});
