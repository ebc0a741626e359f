/**
 * Members that are cut off from each other by links that are silent, silent one way, late, or broken, while clients reach
 * every door: no door answers an old value, the cut-off side answers 503 within its limits, the other goes on.
 */
import assert from "node:assert/strict";
import { after, before, type TestContext, test } from "node:test";
import { ask, type Reply, show, spread } from "./door-client.ts";
import { Ensemble, freePorts, type Process, sleep, statusOf, until } from "./ensemble.ts";
import { FreshnessChecker } from "./freshness-checker.ts";
import { inTime } from "./in-time.ts";
import { TestProxy } from "./test-proxy.ts";

const cutMillis = Number(process.env["QUORATE_CUT_MILLIS"] ?? 2500);
const maxStaleMillis = 1500;
let ensemble: Ensemble;
const checkers: FreshnessChecker[] = [];
/** By `1-2`: from the replica that dials, the one with the smaller id, to the other. */
const links = new Map<string, TestProxy>();
/** By replica: how the first gateway reaches it; the second has no proxies. */
const gatewayLinks = new Map<number, TestProxy>();

before(async () => {
  const peerPorts = await freePorts(3);
  for (const [from, to] of [
    [1, 2],
    [1, 3],
    [2, 3],
  ] as const) {
    links.set(`${from}-${to}`, await TestProxy.start(peerPorts[to - 1] ?? 0));
  }
  for (const id of [1, 2, 3]) gatewayLinks.set(id, await TestProxy.start(peerPorts[id - 1] ?? 0));
  const addressOf = (from: string, to: number): string | undefined => {
    if (from === "gateway 1") return gatewayLinks.get(to)?.address;
    return links.get(`${from.replace("replica ", "")}-${to}`)?.address;
  };
  ensemble = await Ensemble.start({ gateways: 2, peerPorts, addressOf });
});
after(async () => {
  // Of a test that failed.
  const stopping = checkers.map((each) => each.stop());
  await ensemble?.stop();
  await Promise.allSettled(stopping);
  await Promise.all([...links.values(), ...gatewayLinks.values()].map((each) => each.stop()));
});

function doors(): Map<string, string> {
  return new Map([...ensemble.gateways, ...ensemble.replicas].map((each) => [each.name, each.base]));
}

function link(one: number, other: number): TestProxy {
  const found = links.get(`${Math.min(one, other)}-${Math.max(one, other)}`);
  if (!found) throw new Error(`there is no link between ${one} and ${other}`);
  return found;
}

function linksOf(id: number): TestProxy[] {
  return [1, 2, 3].filter((each) => each !== id).map((each) => link(id, each));
}

function healAll(): void {
  for (const each of [...links.values(), ...gatewayLinks.values()]) each.heal();
}

interface Cut {
  readonly name: string;
  /** Who is cut off, and what is done to the links. */
  readonly cut: (leader: number) => void;
  /** Whether the leader is another one by the end of it, for certain. */
  readonly deposes: boolean;
}

/** Silences what `id` says, or what it hears: the smaller id has dialled. */
function silence(id: number, says: boolean): void {
  for (const other of [1, 2, 3]) {
    if (other === id) continue;
    link(id, other).freeze(id < other === says ? "there" : "back");
  }
}

const leaderCuts: readonly Cut[] = [
  {
    name: "the leader's links are silent",
    cut: (leader) => linksOf(leader).map((each) => each.freeze()),
    deposes: true,
  },
  { name: "the leader's links are broken", cut: (leader) => linksOf(leader).map((each) => each.cut()), deposes: true },
  { name: "nobody hears the leader", cut: (leader) => silence(leader, true), deposes: true },
  { name: "the leader hears nobody", cut: (leader) => silence(leader, false), deposes: true },
  {
    name: "a follower's link to the leader is silent",
    cut: (leader) => link(leader, (leader % 3) + 1).freeze(),
    deposes: false,
  },
];

const limitMillis = 600;
/** How often a cut-off replica said that it is too far behind for what was asked. */
let saidBehind = 0;

/** Asks the cut-off replica's own door while it is cut off; answers how long each took behind its time limit. */
async function askTheCutOff(cutOff: Process, since: number, zxidAhead: string): Promise<number[]> {
  const path = "/v1/znodes/known";
  const limit = { "quorate-timeout": `${limitMillis}ms` };
  const behind: number[] = [];
  const ends = (reply: Reply, statuses: readonly number[], what: string): void => {
    assert.ok(statuses.includes(reply.status), `${what}: ${show(reply)}`);
    behind.push(reply.receivedAt - reply.sentAt - limitMillis);
  };
  await sleep(Math.max(0, since + maxStaleMillis + 300 - performance.now()));
  const seen = async (): Promise<number> =>
    (JSON.parse((await ask(cutOff.base, "GET", "/v1/cluster")).text) as { leader: number }).leader;
  await until(async () => (await seen()) === 0, 15_000, "the cut-off side knows no leader");
  const [write, linearizable, session, ahead, stale, young, ready, strict, cluster] = await Promise.all([
    ask(cutOff.base, "PUT", "/v1/znodes/from-the-cut-off", { headers: limit, body: "x" }),
    ask(cutOff.base, "GET", path, { headers: limit }),
    ask(cutOff.base, "GET", path, {
      headers: { ...limit, "quorate-consistency": "session", "quorate-min-zxid": "0x1" },
    }),
    ask(cutOff.base, "GET", path, {
      headers: { ...limit, "quorate-consistency": "session", "quorate-min-zxid": zxidAhead },
    }),
    ask(cutOff.base, "GET", path, { headers: { "quorate-consistency": "stale", "quorate-max-stale": "1m" } }),
    ask(cutOff.base, "GET", path, { headers: { ...limit, "quorate-consistency": "stale", "quorate-max-stale": "1s" } }),
    ask(cutOff.base, "GET", "/readyz?verbose=true"),
    ask(cutOff.base, "GET", "/readyz?require=leader"),
    ask(cutOff.base, "GET", "/v1/cluster"),
  ]);
  ends(write, [503, 504], "a write");
  ends(linearizable, [503], "a linearizable read");
  ends(session, [200, 503], "a session read of what is there");
  ends(ahead, [503], "a session read of what is not there yet");
  ends(stale, [200], "a stale read with a long bound");
  ends(young, [503], "a stale read with a short bound");
  // Where this machine stands still at the end of the limit, the door may not have heard what the replica lacks.
  if (young.code === "behind") saidBehind++;
  else assert.equal(young.code, "noLeader", show(young));
  assert.ok(ready.status === 200 || ready.status === 503, show(ready));
  assert.equal(strict.status, 503, show(strict));
  assert.equal(cluster.status, 200, show(cluster));
  assert.equal(JSON.parse(cluster.text).leader, 0, "the cut-off side knows no leader");
  return behind;
}

async function known(): Promise<void> {
  await until(
    async () => (await ask(ensemble.gateway.base, "PUT", "/v1/znodes/known", { body: "x" })).status < 300,
    5000,
    "a write",
  );
}

async function heal(): Promise<void> {
  healAll();
  await ensemble.ready();
  await until(
    async () => (await Promise.all(ensemble.replicas.map((each) => statusOf(each)))).every((each) => each.serving),
    15_000,
    "every replica serves again",
  );
}

/** Answers the longest gap in writes; `behind` is told how late the cut-off side answered. */
async function leaderCut(
  t: TestContext,
  { name, cut, deposes }: Cut,
  checker: FreshnessChecker,
  behind: number[],
): Promise<number> {
  const old = await ensemble.leader();
  await known();
  await sleep(300);
  const since = performance.now();
  cut(old);
  const zxidAhead = "0x00000fffffffffff";
  if (deposes) behind.push(...(await askTheCutOff(ensemble.replica(old), since, zxidAhead)));
  await sleep(Math.max(0, since + cutMillis - performance.now()));
  if (deposes) {
    const led = async (): Promise<number> => await ensemble.leader(ensemble.gateways[1]);
    await until(async () => (await led()) !== old, 10_000, `${name}: another one leads`);
  }
  const written = (): number => checker.acknowledged.filter(({ at }) => at > since).length;
  await until(() => written() > 0, 10_000, `${name}: something is written`);
  const millis = performance.now() - since;
  const gap = checker.longestGap(since);
  await heal();
  t.diagnostic(
    `${name}: longest gap in writes ${Math.round(gap)} ms, ${written()} written, cut for ${Math.round(millis)} ms`,
  );
  return gap;
}

test("the leader is cut off, in five ways: no door answers an old value", async (t) => {
  await ensemble.settled();
  const checker = new FreshnessChecker({
    writers: ensemble.gateways.map((each) => each.base),
    readers: doors(),
    maxStaleMillis,
    readLimit: "500ms",
  });
  checkers.push(checker);
  await checker.start();
  const gaps: number[] = [];
  await inTime(t, "answers of the cut-off side behind their time limit", 1000, async () => {
    const behind: number[] = [];
    for (const each of leaderCuts) gaps.push(await leaderCut(t, each, checker, behind));
    return behind;
  });
  assert.ok(saidBehind > 0, "no cut-off replica said that it is behind");
  await sleep(500);
  await checker.stop();
  assert.deepEqual(
    checker.violations.slice(0, 10),
    [],
    `${checker.violations.length} reads were wrong; ${checker.summary()}`,
  );
  for (const door of doors().keys()) {
    for (const each of ["linearizable", "session", "stale"] as const) {
      assert.ok(checker.count(door, each, 200) >= 5, `${checker.count(door, each, 200)} ${each} reads at ${door}`);
    }
  }
  await ensemble.settled();
  t.diagnostic(checker.summary());
  t.diagnostic(`gaps in writes: ${spread(gaps)}`);
});

test("a follower is cut off from all: writes go on, its door keeps its bounds", async (t) => {
  const checker = new FreshnessChecker({
    writers: [ensemble.gateways[1]?.base ?? ""],
    readers: doors(),
    path: "/counter-2",
    maxStaleMillis,
    readLimit: "500ms",
  });
  checkers.push(checker);
  await checker.start();
  await inTime(t, "the longest gap in writes", 2000, async () => {
    await known();
    await sleep(300);
    const follower = ((await ensemble.leader()) % 3) + 1;
    const since = performance.now();
    for (const each of linksOf(follower)) each.freeze();
    gatewayLinks.get(follower)?.freeze();
    await askTheCutOff(ensemble.replica(follower), since, "0x00000fffffffffff");
    const gap = checker.longestGap(since);
    await heal();
    return [gap];
  });
  await sleep(300);
  await checker.stop();
  assert.deepEqual(checker.violations.slice(0, 10), [], checker.summary());
  await ensemble.settled();
  t.diagnostic(checker.summary());
});

test("a gateway is cut off from the leader: it answers within its limits, and goes on", async (t) => {
  const leader = await ensemble.leader();
  const { base } = ensemble.gateway;
  gatewayLinks.get(leader)?.freeze();
  const hasNoLeader = async (): Promise<boolean> => (await ask(base, "GET", "/readyz?require=leader")).status === 503;
  const asked = await Promise.all(
    [0, 1, 2, 3].map(async (place) => {
      await sleep(1200 * place);
      if (place === 3) await until(hasNoLeader, 10_000, "the gateway has given its leader up");
      const headers = { "quorate-timeout": "1s" };
      const write = ask(base, "PUT", `/v1/znodes/through-frozen-${place}`, { headers, body: "x" });
      const stale = ask(base, "GET", "/v1/znodes/known", { headers: { ...headers, "quorate-consistency": "stale" } });
      return { write: await write, stale: await stale, place };
    }),
  );
  const took = asked.map(({ write }) => write.receivedAt - write.sentAt);
  assert.ok(Math.min(...took) < 2000, `writes end at their time limit of a second: ${spread(took)}`);
  for (const { write, stale } of asked) {
    assert.ok([503, 504].includes(write.status), show(write));
    assert.ok([200, 503].includes(stale.status), show(stale));
  }
  assert.equal(asked.at(-1)?.stale.status, 200, "another replica answers what may be stale");
  assert.equal(asked.at(-1)?.write.status, 503, "nothing leaves a gateway that has lost its leader");
  gatewayLinks.get(leader)?.heal();
  await until(
    async () => (await ask(base, "PUT", "/v1/znodes/known", { body: "y" })).status === 200,
    8000,
    "it writes again",
  );
  const outcomes = await Promise.all(
    asked.map(async ({ write, place }) => {
      const there = await ask(base, "GET", `/v1/znodes/through-frozen-${place}`);
      if (write.status === 503) assert.equal(there.status, 404, `it was said to have no effect: ${show(write)}`);
      else assert.equal(there.status, 200, "the lane sends it again until it is decided");
      return `${write.status} then ${there.status}`;
    }),
  );
  t.diagnostic(outcomes.join(", "));
});
