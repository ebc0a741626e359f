/**
 * A rolling upgrade from a release of older rules while clients use what only the newer ones know: that is refused by itself, nothing
 * else waits for it, and it is done as soon as the last member is upgraded. A member that is put back afterwards says so and stops.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { stripTypeScriptTypes } from "node:module";
import { join } from "node:path";
import { after, afterEach, before, describe, it } from "node:test";
import { newestForms } from "@quorate/api";
import { rulesVersion } from "@quorate/tree";
import { formerRulesEnvironment, formerRulesPatches } from "../next-rules/former-rules.ts";
import { patched, root } from "../simulation/mutants/loader.ts";
import { openAcl, type WireCreate } from "../zookeeper/wire-records.ts";
import { Ensemble, type Process, statusOf, superUser, until } from "./ensemble.ts";
import { ZookeeperClient } from "./zookeeper-client.ts";

const unimplemented = -6;
let count = 0;

function create(data: Uint8Array | null): WireCreate {
  count += 1;
  return { op: "create", path: `/n${count}`, data, acl: openAcl, flags: 0 };
}

const plain = (): WireCreate => create(Buffer.from("x"));

async function rulesApplied(replica: Process): Promise<number> {
  const text = await (await fetch(`${replica.base}/metrics`)).text();
  return Number(/^quorate_rules_applied (\d+)$/m.exec(text)?.[1]);
}

describe("an upgrade from older rules", { timeout: 400_000, skip: rulesVersion !== newestForms }, () => {
  let ensemble: Ensemble;
  const renewed = new Set<string>();

  before(async () => {
    const environmentOf = (name: string) => (renewed.has(name) ? {} : formerRulesEnvironment);
    ensemble = await Ensemble.start({ environmentOf });
  });
  afterEach((context) => {
    if ("error" in context && context.error) console.log(ensemble.output());
  });
  after(() => ensemble?.stop());

  async function restart(process: Process, program: "former" | "new" = "new"): Promise<void> {
    await process.kill("SIGTERM");
    if (program === "new") renewed.add(process.name);
    else renewed.delete(process.name);
    process.output = "";
    process.start();
    await ensemble.ready(process);
    if (process.name.startsWith("replica")) {
      await until(async () => (await statusOf(process)).serving, 60_000, `${process.name} serves`);
    }
  }

  /** The replica of this id does not lead. */
  async function unseat(id: number): Promise<void> {
    const basic = Buffer.from(`${superUser.user}:${superUser.password}`).toString("base64");
    const headers = { "content-type": "application/json", authorization: `Basic ${basic}` };
    const body = JSON.stringify({ to: (id % 3) + 1 });
    while ((await ensemble.leader(ensemble.replica(id))) === id) {
      await fetch(`${ensemble.replica(id).base}/v1/cluster/leader`, { method: "POST", headers, body });
    }
  }

  /** Through one connection, one behind the other without waiting: their errors. */
  async function errorsOf(port: number, ...requests: readonly WireCreate[]): Promise<(number | undefined)[]> {
    const client = await ZookeeperClient.open({ ports: [port] });
    try {
      const { replies } = await client.pipeline(requests);
      return replies.map((each) => each?.error);
    } finally {
      await client.close();
    }
  }

  it("refuses what a member cannot read, at a new replica behind an old leader, and does all else", async () => {
    const first = ensemble.replica(1);
    await restart(first);
    await unseat(1);
    const errors = await errorsOf(first.zookeeperPort, plain(), create(null), plain(), create(null), plain());
    assert.deepEqual(errors, [0, unimplemented, 0, unimplemented, 0]);
  });

  it("the same at a gateway that was upgraded before the replicas, whoever leads, and across a change of the leader", async () => {
    await restart(ensemble.gateway);
    const client = await ZookeeperClient.open({ ports: [ensemble.gateway.zookeeperPort] });
    const requests = (): WireCreate[] => [plain(), create(null), plain()];
    for (let change = 0; change < 3; change++) {
      const { replies } = await client.pipeline(requests());
      assert.deepEqual(
        replies.map((each) => each?.error),
        [0, unimplemented, 0],
      );
      const led = await ensemble.leader();
      const killed = ensemble.replica(led).kill("SIGKILL");
      const { replies: meanwhile } = await client.pipeline(requests());
      const [, refused] = meanwhile.map((each) => each?.error);
      assert.ok(refused === undefined || refused === unimplemented, `${refused}`);
      await killed;
      ensemble.replica(led).start();
      await ensemble.ready(ensemble.replica(led));
    }
    assert.deepEqual(client.expired, false);
    await client.close();
  });

  it("a member may be put back until the last one is upgraded; then the rules rise without a write, and all is done", async () => {
    await restart(ensemble.replica(2));
    await restart(ensemble.replica(1), "former");
    await restart(ensemble.replica(1));
    assert.equal(await rulesApplied(ensemble.replica(1)), rulesVersion - 1);
    await restart(ensemble.replica(3));
    for (const each of ensemble.replicas) {
      const risen = async (): Promise<boolean> => (await rulesApplied(each)) === rulesVersion;
      await until(risen, 60_000, `${each.name} applies by the newer rules`);
      assert.deepEqual(await errorsOf(each.zookeeperPort, plain(), create(null), plain()), [0, 0, 0]);
    }
    const { zookeeperPort } = ensemble.gateway;
    const done = async (): Promise<boolean> => (await errorsOf(zookeeperPort, create(null)))[0] === 0;
    await until(done, 60_000, "the gateway has heard of it");
    await ensemble.settled();
  });

  it("a member that is put back afterwards stops before it takes part, though its disk knows nothing", async () => {
    const third = ensemble.replica(3);
    await third.kill("SIGTERM");
    await rm(ensemble.dataOf(3), { recursive: true });
    renewed.delete(third.name);
    third.output = "";
    third.start();
    assert.equal(await third.waitForEnd(60_000), 1);
    const known = `this program knows those up to ${rulesVersion - 1}: start the newer program again`;
    assert.match(third.output, new RegExp(`stops: replica \\d applies by rules version ${rulesVersion}; ${known}`));
    assert.doesNotMatch(third.output, /linked with|loaded/);
  });
});

it("the former rules fit the source", () => {
  for (const patch of formerRulesPatches) {
    const source = patched(readFileSync(join(root, patch.file), "utf8"), patch);
    assert.doesNotThrow(() => stripTypeScriptTypes(source));
  }
});
