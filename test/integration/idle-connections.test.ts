/** Ten thousand connections that say nothing, on the REST port and on the peer port: others are served within a second. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, before, describe, it, type TestContext } from "node:test";
import { Ensemble, sleep, statusOf, until } from "./ensemble.ts";
import { normalClient, servedMillis, serveMeanwhile, watchOver } from "./onlookers.ts";
import { IdleCrowd } from "./raw-socket.ts";

const idle = Number(process.env["QUORATE_IDLE"] ?? 10_000);
let ensemble: Ensemble;
let assertAllLive: () => void;

before(async () => {
  ensemble = await Ensemble.start();
  assertAllLive = watchOver(ensemble);
  await normalClient(ensemble.gateway);
});
after(() => ensemble.stop());

/** What this process and its children may open. */
function crowdSize(t: TestContext): number {
  const limit = execFileSync("sh", ["-c", "ulimit -Hn"], { encoding: "utf8" }).trim();
  const most = limit === "unlimited" ? idle : Math.min(idle, Number(limit) - 1000);
  if (most < idle) t.diagnostic(`only ${most} connections: the machine allows ${limit} files`);
  return most;
}

describe("idle connections", () => {
  it("10,000 of them on a gateway's REST port", async (t) => {
    const crowd = new IdleCrowd();
    t.after(() => crowd.closeAll());
    const count = crowdSize(t);
    let standing = 0;
    const work = crowd.open(ensemble.gateway.restPort, count).then(async () => {
      standing = crowd.standing;
      await sleep(500);
    });
    const slowest = await serveMeanwhile([ensemble.gateway, ensemble.replica(1)], work);
    t.diagnostic(
      `${standing} stood at once, ${crowd.refused} were refused; the slowest good answer: ${Math.round(slowest)} ms`,
    );
    assert.equal(crowd.refused, 0);
    assert.ok(standing > count * 0.95, `${standing} of ${count} stood`);
    assert.ok(slowest < servedMillis, `a good request took ${slowest} ms`);
    assertAllLive();
  });

  it("10,000 of them on a peer port", async (t) => {
    const crowd = new IdleCrowd();
    t.after(() => crowd.closeAll());
    // Where this machine stands still the leader may be lost for that.
    for (let round = 1; ; round++) {
      const leader = await ensemble.leader();
      const { epoch } = await statusOf(ensemble.replica(leader));
      const work = crowd
        .open(ensemble.peerPorts[leader - 1] ?? 0, crowdSize(t))
        .then(() => until(() => crowd.standing <= 200, 10_000, "those that do not prove themselves are not kept"));
      const slowest = await serveMeanwhile([ensemble.gateway, ensemble.replica((leader % 3) + 1)], work);
      t.diagnostic(`${crowd.standing} stand; the slowest good answer: ${Math.round(slowest)} ms`);
      assert.ok(slowest < servedMillis, `a good request took ${slowest} ms`);
      assertAllLive();
      crowd.closeAll();
      if ((await statusOf(ensemble.replica(leader))).epoch === epoch) break;
      assert.ok(round < 3, "the leader was lost, for the third time");
    }
  });
});
