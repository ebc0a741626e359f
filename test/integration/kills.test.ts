/**
 * `kill -9` under sixteen writing clients: of the leader, again and again; of a follower; of a gateway; of all three replicas at
 * once. Every acknowledged write is there, none twice; what had no effect had none; the gap in writes is printed.
 *
 * QUORATE_ROUNDS: how often the leader is killed (10).
 */
import assert from "node:assert/strict";
import { after, afterEach, before, type TestContext, test } from "node:test";
import { Ensemble, type Process, sleep, statusOf, until } from "./ensemble.ts";
import { inTime } from "./in-time.ts";
import { type AuditReport, audit } from "./write-audit.ts";
import { type Attempt, Writers } from "./writers.ts";

const rounds = Number(process.env["QUORATE_ROUNDS"] ?? 10);
const clients = 16;
/** The bound on the time without a write. */
const gapMillis = 2000;
/** The time limit of those who would rather wait than not know. */
const patientMillis = 20_000;
/** What a machine with nothing else to do takes at most to load two replicas' programs. */
const usualLoadMillis = 800;
/** Load on either side of a kill. */
const calmMillis = 300;

let ensemble: Ensemble;
/** Of a test that failed, too. */
const started: Writers[] = [];
before(async () => {
  ensemble = await Ensemble.start({ gateways: 2 });
});
afterEach(async () => {
  await Promise.all(started.splice(0).map((each) => each.stop()));
});
after(() => ensemble?.stop());

/** Six clients on each gateway, four on the replicas' own doors; some give up before a leader's end is over. */
async function startWriters(root: string): Promise<Writers> {
  const { gateways, replicas } = ensemble;
  const doors = Array.from({ length: clients }, (_, client) => {
    if (client < 12) return [(gateways[client % 2] as Process).base];
    return replicas.map((_, at) => (replicas[(client + at) % replicas.length] as Process).base);
  });
  const writers = new Writers({ root, doors, timeouts: [patientMillis, patientMillis, patientMillis, 300, 60] });
  started.push(writers);
  await writers.start();
  return writers;
}

/** The writers' gap around what `strike` does, until every replica serves again after `mend`. */
async function around(
  writers: Writers,
  strike: () => Promise<void>,
  mend: () => void,
): Promise<{ from: number; to: number; gap: number }> {
  await sleep(calmMillis);
  const from = performance.now();
  await strike();
  const struck = writers.acknowledged;
  await until(() => writers.acknowledged > struck + clients, 10_000, "writes go on");
  mend();
  await allServe();
  await sleep(calmMillis);
  const to = performance.now();
  return { from, to, gap: writers.longestGap(from, to) };
}

async function allServe(): Promise<void> {
  await until(
    async () => (await Promise.all(ensemble.replicas.map(statusOf))).every((each) => each.serving),
    15_000,
    "all replicas serve",
  );
}

function through(process: Process): (attempt: Attempt) => boolean {
  return (attempt) => attempt.door === process.base;
}

function throughGateway(attempt: Attempt): boolean {
  return ensemble.gateways.some((each) => through(each)(attempt));
}

/** Stops the writers and holds what they were told against what is there; the report goes to whoever reads the test's output. */
async function settle(t: TestContext, writers: Writers): Promise<AuditReport> {
  await writers.stop();
  await ensemble.settled();
  const report = await audit(writers, ensemble.gateway.base);
  const { acknowledged, noEffect, unknown, unknownDone } = report;
  t.diagnostic(`acknowledged ${acknowledged}; no effect ${JSON.stringify(noEffect)}`);
  t.diagnostic(`unknown ${JSON.stringify(unknown)}, of which ${unknownDone} creations and additions were done`);
  return report;
}

/** Of the kills half are over in time: a machine that stands still makes some of the gaps longer. */
function median(gaps: readonly number[]): number {
  return gaps.toSorted((a, b) => a - b)[gaps.length >> 1] ?? 0;
}

function print(gaps: readonly number[]): string {
  return gaps.map((each) => Math.round(each)).join(" ");
}

test(`the leader is killed ${rounds} times under ${clients} writers`, {
  timeout: 120_000 + rounds * 25_000,
}, async (t) => {
  const writers = await startWriters("/leader-kills");
  const gaps: number[] = [];
  const gatewayGaps: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const leader = ensemble.replica(await ensemble.leader());
    const { from, to, gap } = await around(
      writers,
      () => leader.kill(),
      () => leader.start(),
    );
    gaps.push(gap);
    for (const each of ensemble.gateways) gatewayGaps.push(writers.longestGap(from, to, through(each)));
  }
  await settle(t, writers);
  const given = writers.attempts.filter((each) => each.verdict === "unknown" && throughGateway(each));
  const lost = given.filter((each) => each.code !== "timeout" || each.answered - each.invoked > patientMillis / 2);
  assert.deepEqual(lost, [], "a gateway that lives finds out for whoever waits");
  t.diagnostic(`gaps in writes, ms: ${print(gaps)}; of each gateway: ${print(gatewayGaps)}`);
  for (const all of [gaps, gatewayGaps]) assert.ok(median(all) < gapMillis, `gaps of ${print(all)} ms`);
});

test("a follower is killed", { timeout: 240_000 }, async (t) => {
  const writers = await startWriters("/follower-kills");
  const gaps: number[] = [];
  // Where this machine stands still the leader may be another one for that.
  for (let round = 0; round < 6 && gaps.length < 2; round++) {
    const leader = await ensemble.leader();
    const follower = ensemble.replica(((leader + (round % 2)) % 3) + 1);
    const { gap } = await around(
      writers,
      () => follower.kill(),
      () => follower.start(),
    );
    if ((await ensemble.leader()) === leader) gaps.push(gap);
  }
  await settle(t, writers);
  t.diagnostic(`gaps in writes, ms: ${print(gaps)}`);
  assert.ok(gaps.length > 0, "a follower's end is no reason for another leader");
  assert.ok(Math.min(...gaps) < gapMillis, `gaps of ${print(gaps)} ms`);
});

test("a gateway is killed: the other's clients do not notice", { timeout: 240_000 }, async (t) => {
  const writers = await startWriters("/gateway-kills");
  const [victim, other] = ensemble.gateways as [Process, Process];
  await inTime(t, "gaps in writes of the other gateway's clients", gapMillis, async () => {
    const { from, to } = await around(
      writers,
      () => victim.kill(),
      () => victim.start(),
    );
    await ensemble.ready(victim);
    const back = performance.now();
    await until(
      () => writers.attempts.some((each) => each.verdict === "done" && each.invoked > back && through(victim)(each)),
      10_000,
      "its clients write again",
    );
    return [writers.longestGap(from, to, through(other))];
  });
  const cut = writers.attempts.filter((each) => through(victim)(each) && each.status === 0);
  await settle(t, writers);
  t.diagnostic(`cut off: ${cut.length}`);
  assert.ok(cut.length >= 1, "its clients notice");
});

test("all three replicas are killed at once and come back from their disks", { timeout: 240_000 }, async (t) => {
  const writers = await startWriters("/all-killed");
  // A machine that is so busy with other work that it loads programs slowly does all the rest as slowly.
  await inTime(t, "gaps in writes, as on a machine that loads two programs at once", gapMillis, async () => {
    let loaded = 0;
    const strike = async (): Promise<void> => {
      await Promise.all(ensemble.replicas.map((each) => each.kill()));
      const before = new Map(ensemble.replicas.map((each) => [each, each.output.length]));
      for (const each of ensemble.replicas) each.start();
      const hasLoaded = (each: Process): boolean => each.output.length > (before.get(each) ?? 0);
      await until(() => ensemble.replicas.filter(hasLoaded).length >= 2, 20_000, "two programs are loaded");
      loaded = performance.now();
    };
    const { from, to, gap } = await around(writers, strike, () => undefined);
    const rest = writers.longestGap(loaded, to);
    t.diagnostic(`gap in writes, ms: ${print([gap])}; once two programs were loaded: ${print([rest])}`);
    return [gap / Math.max(1, (loaded - from) / usualLoadMillis)];
  });
  const { noEffect } = await settle(t, writers);
  assert.ok((noEffect["503 noLeader"] ?? 0) > 0, "whoever would not wait was told so");
});
