/** All three replicas restarted one after the other while clients write: nothing acknowledged is lost. */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it, type TestContext } from "node:test";
import { Ensemble, sleep, statusOf, until } from "./ensemble.ts";
import { inTime } from "./in-time.ts";
import { Ledger } from "./ledger.ts";

const laps = Number(process.env["QUORATE_ROUNDS"] ?? 1);

describe("a rolling restart", { timeout: 240_000 + laps * 60_000 }, () => {
  let ensemble: Ensemble;

  before(async () => {
    ensemble = await Ensemble.start({ flags: ["--segment-bytes", "262144", "--snapshot-log-bytes", "1048576"] });
  });
  afterEach((context) => {
    if ("error" in context && context.error) console.log(ensemble.output());
  });
  after(() => ensemble.stop());

  async function restart(t: TestContext, id: number, signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    const replica = ensemble.replica(id);
    const led = (await ensemble.leader()) === id;
    const began = performance.now();
    await replica.kill(signal);
    if (signal === "SIGTERM") assert.equal(replica.ended, 0, "it ends in peace");
    const ended = performance.now();
    replica.start();
    await until(async () => (await statusOf(replica)).serving, 15_000, `${replica.name} serves again`);
    const times = [ended - began, performance.now() - ended].map(Math.round);
    t.diagnostic(`${replica.name}${led ? ", the leader" : ""}: ended in ${times[0]} ms, served after ${times[1]} ms`);
    await sleep(300);
  }

  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    it(`one after the other with ${signal}, under load`, async (t) => {
      const ledger = new Ledger(signal.toLowerCase());
      const lap = async (): Promise<number[]> => {
        let stopped = false;
        const writing = ledger.writeUntil(
          () => ensemble.gateway,
          () => stopped,
        );
        try {
          for (let i = 0; i < 3 * laps; i++) await restart(t, (i % 3) + 1, signal);
        } finally {
          stopped = true;
        }
        return [await writing];
      };
      await inTime(t, "the longest gap in writes", 2000, lap);
      await ensemble.settled();
      const { acknowledged, unknownThere } = await ledger.verify(ensemble.gateway);
      const { unknown, refused } = ledger;
      t.diagnostic(
        `${acknowledged} acknowledged are there; ${unknownThere} of ${unknown.size} unknown; ${refused.size} refused`,
      );
      assert.ok(acknowledged > 300, `${acknowledged} writes`);
    });
  }
});
