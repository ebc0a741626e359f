/** Idempotency keys when there is no room for more: nothing is forgotten early, and nobody is told what is not so. */
import assert from "node:assert/strict";
import { Agent } from "node:http";
import { after, before, test } from "node:test";
import { limits } from "@quorate/api";
import { Ensemble } from "./ensemble.ts";
import { exchange } from "./http-client.ts";
import { codeIn, isReplay, KeyedClient } from "./keyed-client.ts";
import { pipeline } from "./pipeline.ts";

/** What the checks may take, once the keys are there. */
const marginMillis = 10_000;

let ensemble: Ensemble;
let client: KeyedClient;
const agent = new Agent({ keepAlive: true });

before(async () => {
  ensemble = await Ensemble.start({ gateways: 2 });
  client = new KeyedClient(
    ensemble.gateways.map((each) => each.base),
    agent,
  );
});
after(async () => {
  agent.destroy();
  await ensemble?.stop();
});

test("no room for keys: 429 without effect, the known ones answer on, also from the next leader", {
  timeout: 300_000,
}, async (t) => {
  const made = await exchange(agent, ensemble.gateway.base, "/v1/znodes/full", { method: "PUT", body: "" });
  assert.equal(made.status, 201, made.body);
  const began = performance.now();
  let [sent, taken, throttled] = [0, 0, 0];
  const next = (): string | undefined => {
    if (throttled > 0 || sent > 2 * limits.keyCount) return undefined;
    sent += 1;
    return `PUT /v1/znodes/full HTTP/1.1\r\nHost: q\r\nIdempotency-Key: f${sent}\r\nContent-Length: 1\r\n\r\nx`;
  };
  const answered = (status: number): void => {
    if (status === 429) throttled += 1;
    else if (status === 200) taken += 1;
    else assert.fail(`a keyed write was answered ${status}`);
  };
  const ports = ensemble.gateways.flatMap((each) => [each.restPort, each.restPort]);
  await Promise.all(ports.map((port) => pipeline({ port, window: 200, next, answered })));
  t.diagnostic(`${taken} keys in ${Math.round(performance.now() - began)} ms, then ${throttled} times 429`);
  /** The first keys' minute, which is of stamped time. */
  const isOver = (marginMillis: number): boolean => performance.now() - began > limits.keyMillis / 1.1 - marginMillis;
  const tooSlow = "this machine is too slow: the first keys' minute is over before the last checks are made";
  if (isOver(marginMillis)) return t.skip(tooSlow);
  assert.ok(throttled > 0 && taken === limits.keyCount, `${taken} keys were taken, ${throttled} were not`);
  const known = { key: `f${limits.keyCount / 2}`, method: "PUT", target: "/v1/znodes/full", body: "x" } as const;
  const late = { key: "late", method: "PUT", target: "/v1/znodes/full/late", body: "x" } as const;
  for (const round of ["before", "after"]) {
    const { reply: refused } = await client.insist(late, 0);
    if (isOver(0)) return t.skip(tooSlow);
    assert.deepEqual([refused.status, codeIn(refused)], [429, "throttled"], round);
    assert.ok(Number(refused.headers["retry-after"]) >= 1);
    assert.equal((JSON.parse(refused.body) as { certainty: string }).certainty, "noEffect");
    assert.equal((await exchange(agent, ensemble.gateway.base, "/v1/znodes/full/late")).status, 404);
    assert.ok(
      isReplay((await client.insist(known, 1)).reply),
      `a key that is known answers on, ${round} the leader's end`,
    );
    const unkeyed = await exchange(agent, ensemble.gateway.base, "/v1/znodes/full", { method: "PUT", body: "y" });
    assert.equal(unkeyed.status, 200, "a write without a key needs no room");
    if (round === "after") continue;
    await ensemble.replica(await ensemble.leader()).kill();
    await ensemble.ready();
  }
});
