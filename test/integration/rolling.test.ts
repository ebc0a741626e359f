/** All three replicas restarted one after the other while clients write: nothing acknowledged is lost. */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { Ensemble, sleep, statusOf, until } from "./ensemble.ts";
import { Ledger } from "./ledger.ts";

const laps = Number(process.env["QUORATE_ROUNDS"] ?? 1);

describe("a rolling restart", { timeout: 60_000 + laps * 30_000 }, () => {
  let ensemble: Ensemble;

  before(async () => {
    ensemble = await Ensemble.start({ flags: ["--segment-bytes", "262144", "--snapshot-log-bytes", "1048576"] });
  });
  afterEach((context) => {
    if ("error" in context && context.error) console.log(ensemble.output());
  });
  after(() => ensemble.stop());

  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    it(`one after the other with ${signal}, under load`, async (t) => {
      const ledger = new Ledger(signal.toLowerCase());
      let stopped = false;
      const writing = ledger.writeUntil(
        () => ensemble.gateway,
        () => stopped,
      );
      try {
        for (let i = 0; i < 3 * laps; i++) {
          const replica = ensemble.replica((i % 3) + 1);
          const led = (await ensemble.leader()) === (i % 3) + 1;
          const began = performance.now();
          await replica.kill(signal);
          if (signal === "SIGTERM") assert.equal(replica.ended, 0, "it ends in peace");
          const ended = performance.now();
          replica.start();
          await until(async () => (await statusOf(replica)).serving, 15_000, `${replica.name} serves again`);
          const times = [ended - began, performance.now() - ended].map(Math.round);
          t.diagnostic(
            `${replica.name}${led ? ", the leader" : ""}: ended in ${times[0]} ms, served after ${times[1]} ms`,
          );
          await sleep(300);
        }
      } finally {
        stopped = true;
      }
      const gap = await writing;
      await ensemble.settled();
      const { acknowledged, unknownThere } = await ledger.verify(ensemble.gateway);
      const { unknown, refused } = ledger;
      t.diagnostic(
        `${acknowledged} acknowledged are there; ${unknownThere} of ${unknown.size} unknown; ${refused.size} refused; longest gap ${Math.round(gap)} ms`,
      );
      assert.ok(acknowledged > 300, `${acknowledged} writes`);
      assert.ok(gap < 2000, `the longest gap in writes was ${Math.round(gap)} ms`);
    });
  }
});
