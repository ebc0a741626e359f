/**
 * A lock's queue among real processes: first come, first served, at a cost that does not grow with the queue; and what keeps a place in
 * it, what gives it up, and what must not make two of it.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { after, afterEach, before, describe, it } from "node:test";
import { Ensemble, statusOf, until } from "../integration/ensemble.ts";
import { TestProxy } from "../integration/test-proxy.ts";
import { type Cost, CrowdedQueue, costAtRest, costOf, costSoFar } from "./crowded-queue.ts";
import {
  type AcquireOptions,
  type Answer,
  acquire,
  call,
  fenceOf,
  openSession,
  type Place,
  queueOf,
  release,
  show,
} from "./rest-locks.ts";

const longMillis = 60_000;
let ensemble: Ensemble;
let proxy: TestProxy;
let proxied = "";
const queues: CrowdedQueue[] = [];
const children: ChildProcess[] = [];

before(async () => {
  ensemble = await Ensemble.start();
  proxy = await TestProxy.start(ensemble.replica(1).restPort);
  proxied = `http://${proxy.address}`;
});
afterEach((context) => {
  for (const each of queues.splice(0)) each.close();
  proxy.heal();
  if ("error" in context && context.error) console.log(ensemble.output());
});
after(async () => {
  for (const each of children) {
    if (each.exitCode !== null || each.signalCode !== null) continue;
    const gone = once(each, "exit");
    each.kill("SIGKILL");
    await gone;
  }
  await proxy?.stop();
  await ensemble?.stop();
});

/** A crowd of so many, and what a hand-over in front of it costs and takes. */
async function measure(waiting: number, round: number): Promise<{ queue: CrowdedQueue; cost: Cost; millis: number[] }> {
  const queue = new CrowdedQueue(ensemble, `locks/crowd-${waiting}-${round}`);
  queues.push(queue);
  await queue.fill(waiting);
  const order = queue.numbers;
  const count = 8;
  const before = await costAtRest(ensemble);
  const millis: number[] = [];
  for (let i = 0; i < count; i++) millis.push(await queue.handOver());
  const cost = costOf(before, await costSoFar(ensemble), count);
  assert.deepEqual(queue.told, order.slice(1, 1 + count), "each was told in its turn, and nobody else");
  return { queue, cost, millis };
}

function told(cost: Cost): string {
  return Object.entries(cost)
    .map(([name, value]) => `${(value as number).toFixed(1)} ${name}`)
    .join(", ");
}

describe("a thousand that wait for one lock", { timeout: 400_000 }, () => {
  it("are served as they came, and a hand-over costs no more than among ten", async (t) => {
    const doors = ensemble.replicas.length + ensemble.gateways.length;
    for (const waiting of [10, 100, 1000]) {
      for (let round = 1; ; round++) {
        const { epoch } = await statusOf(ensemble.replica(1));
        const { queue, cost, millis } = await measure(waiting, round);
        const sorted = millis.toSorted((a, b) => a - b);
        t.diagnostic(`${waiting} wait: a hand-over is ${told(cost)}; median ${sorted[4]?.toFixed(1)} ms`);
        // A change of the leader, where this machine stands still, has a cost of its own.
        const isOver = (await statusOf(ensemble.replica(1))).epoch === epoch;
        if (isOver) judge(waiting, cost, doors);
        if (isOver && waiting === 1000) await drain(t, queue);
        queue.close();
        if (isOver) break;
        assert.ok(round < 3, "the leader was lost, for the third time");
      }
    }
  });
});

function judge(waiting: number, cost: Cost, doors: number): void {
  const what = `${waiting} wait: ${told(cost)}`;
  // The release and nothing else is written, and nobody reads. Each door is told of it once.
  assert.ok(cost.writes >= 1 && cost.writes <= 1.25, what);
  assert.ok(cost.reads <= 0.5, what);
  assert.ok(cost.changes <= doors + 0.5, what);
  // The release, and the answer of the one that has it now.
  assert.ok(cost.requests >= 2 && cost.requests <= 2.25, what);
}

/** All that are left, one after the other. */
async function drain(t: { diagnostic(text: string): void }, queue: CrowdedQueue): Promise<void> {
  const began = performance.now();
  const left = queue.numbers.slice(1);
  const already = queue.told.length;
  const millis: number[] = [];
  for (let i = 0; i < left.length; i++) millis.push(await queue.handOver());
  assert.deepEqual(queue.told.slice(already), left, "first come, first served");
  millis.sort((a, b) => a - b);
  const [p50, p99] = [millis[millis.length >> 1], millis[Math.floor(millis.length * 0.99)]];
  const seconds = (performance.now() - began) / 1000;
  t.diagnostic(
    `${left.length} hand-overs in ${seconds.toFixed(1)} s, p50 ${p50?.toFixed(1)} ms, p99 ${p99?.toFixed(1)} ms`,
  );
}

/** As it is answered to one that has a place. */
function placeOf(answer: Answer, status: 200 | 202): Place {
  assert.equal(answer.status, status, show(answer));
  return answer.json as Place;
}

async function session(timeoutMillis = longMillis): Promise<string> {
  const opened = await openSession(ensemble.gateway.base, timeoutMillis, "a test");
  assert.ok(opened !== undefined);
  return opened;
}

/** Held by a session of its own. */
async function hold(name: string): Promise<{ holder: string; place: Place }> {
  const holder = await session();
  return { holder, place: placeOf(await acquire(ensemble.gateway.base, name, { session: holder }), 200) };
}

async function znodesIn(name: string): Promise<string[]> {
  const queue = await queueOf(ensemble.gateway.base, name);
  return [...(queue?.holders ?? []), ...(queue?.waiters ?? [])].map((each) => each.znode);
}

/** Asks for a place whose answer never comes; answers the place's znode. */
async function loseAnswer(name: string, options: AcquireOptions): Promise<string> {
  proxy.freeze("back");
  const lost = acquire(proxied, name, options);
  await until(async () => (await znodesIn(name)).length === 2, 15_000, "it has its place");
  proxy.break();
  proxy.heal();
  assert.equal((await lost).status, 0);
  return (await znodesIn(name))[1] ?? "";
}

describe("a place in a queue", { timeout: 400_000 }, () => {
  it("is kept by a waiter whose connection breaks, and whose door is killed", async () => {
    const name = "locks/comes-back";
    const { holder } = await hold(name);
    const waiter = await session();
    const behind = await session();
    const first = placeOf(await acquire(proxied, name, { session: waiter }), 202);
    const other = placeOf(await acquire(ensemble.gateway.base, name, { session: behind }), 202);
    const polled = acquire(proxied, name, { session: waiter, waitMillis: 60_000 });
    await until(() => proxy.connections > 0, 5000, "it is connected");
    proxy.break();
    assert.equal((await polled).status, 0);
    const again = placeOf(await acquire(ensemble.replica(2).base, name, { session: waiter }), 202);
    assert.deepEqual([again.znode, again.ahead, other.ahead], [first.znode, 1, 2]);
    const gateway = acquire(ensemble.gateway.base, name, { session: waiter, waitMillis: 60_000 });
    await ensemble.gateway.kill();
    assert.equal((await gateway).status, 0);
    const waiting = acquire(ensemble.replica(2).base, name, { session: waiter, waitMillis: 60_000 });
    await release(ensemble.replica(3).base, name, holder);
    const held = placeOf(await waiting, 200);
    assert.equal(held.znode, first.znode);
    ensemble.gateway.start();
    await ensemble.ready();
    assert.equal(placeOf(await acquire(ensemble.gateway.base, name, { session: behind }), 202).ahead, 1);
  });

  it("is given up by a process that dies, when its session is over", async () => {
    const name = "locks/dies";
    const { holder } = await hold(name);
    const file = join(import.meta.dirname, "waiting-process.ts");
    const child = spawn(process.execPath, [file, ensemble.gateway.base, name, "9000"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    children.push(child);
    const [line] = (await once(child.stdout.setEncoding("utf8"), "data")) as [string];
    const behind = await session();
    assert.equal(placeOf(await acquire(ensemble.gateway.base, name, { session: behind }), 202).ahead, 2);
    assert.ok((await znodesIn(name)).includes(line.split("\n")[0] ?? ""), line);
    child.kill("SIGKILL");
    await until(async () => (await znodesIn(name)).length === 2, 15_000, "its place is gone");
    const waiting = acquire(ensemble.gateway.base, name, { session: behind, waitMillis: 60_000 });
    await release(ensemble.gateway.base, name, holder);
    assert.equal(placeOf(await waiting, 200).ahead, 0);
  });

  it("passes on when a holder dies", async () => {
    const name = "locks/holder-dies";
    const brief = await session(3000);
    const dead = placeOf(await acquire(ensemble.gateway.base, name, { session: brief }), 200);
    const waiter = await session();
    const held = placeOf(await acquire(ensemble.gateway.base, name, { session: waiter, waitMillis: 60_000 }), 200);
    assert.ok((held.token ?? "") > (dead.token ?? ""), `${held.token} behind ${dead.token}`);
    assert.equal((await acquire(ensemble.gateway.base, name, { session: brief, token: dead.token })).status, 410);
  });

  for (const what of ["with a key", "without a key"]) {
    it(`is one when its answer was lost and it is asked again ${what}`, async () => {
      const name = `locks/lost-${what.replaceAll(" ", "-")}`;
      await hold(name);
      const options = { session: await session(), key: what === "with a key" ? "lost-and-asked-again" : undefined };
      const znode = await loseAnswer(name, options);
      const again = placeOf(await acquire(ensemble.replica(2).base, name, options), 202);
      assert.equal(again.znode, znode);
      assert.deepEqual((await znodesIn(name)).length, 2);
    });
  }

  it("whose session was to be opened by the lock, and whose answer was lost, goes when that session is over", async () => {
    const name = "locks/lost-without-a-session";
    await hold(name);
    const znode = await loseAnswer(name, { timeoutMillis: 4000 });
    const again = placeOf(await acquire(ensemble.replica(2).base, name, {}), 202);
    await until(async () => (await znodesIn(name)).length === 2, 15_000, "one place is left");
    assert.deepEqual([(await znodesIn(name))[1], again.znode === znode], [again.znode, false]);
    const { id, secret } = again.session;
    const shown = `${id}:${secret}`;
    assert.equal((await release(ensemble.gateway.base, name, shown)).status, 200);
    assert.equal((await acquire(ensemble.gateway.base, name, { session: shown })).status, 410, "it is closed with it");
  });

  it("is one when several tries of it are under way at a time, at several doors", async () => {
    const name = "locks/crossed";
    await hold(name);
    const doors = [...ensemble.replicas, ...ensemble.gateways].map((each) => each.base);
    for (let round = 0; round < 10; round++) {
      const waiter = await session();
      const answers = await Promise.all(doors.map((door) => acquire(door, name, { session: waiter })));
      for (const each of answers) placeOf(each, 202);
      const settled = placeOf(await acquire(ensemble.gateway.base, name, { session: waiter }), 202);
      await until(async () => (await znodesIn(name)).length === 2, 5000, "one place is left");
      assert.equal((await znodesIn(name))[1], settled.znode);
      assert.equal((await release(ensemble.gateway.base, name, waiter)).status, 200);
      assert.equal((await znodesIn(name)).length, 1);
    }
  });

  it("is a token for writes while it is held, neither before nor after", async () => {
    const name = "locks/token";
    const { holder } = await hold(name);
    const waiter = await session();
    const { znode } = placeOf(await acquire(ensemble.gateway.base, name, { session: waiter }), 202);
    const read = await call(ensemble.gateway.base, "GET", `/v1/znodes${znode}?format=json`);
    const token: string = read.json.stat.czxid;
    const write = (): Promise<Answer> => {
      const headers = { "Quorate-Fenced": fenceOf(name, token) };
      return call(ensemble.replica(1).base, "PUT", "/v1/znodes/guarded", { headers, body: "x" });
    };
    const early = await write();
    assert.deepEqual([early.status, early.code], [412, "fenced"]);
    await release(ensemble.gateway.base, name, holder);
    const held = placeOf(await acquire(ensemble.gateway.base, name, { session: waiter, waitMillis: 60_000 }), 200);
    assert.equal(held.token, token);
    assert.equal((await write()).status, 201);
    await release(ensemble.gateway.base, name, waiter);
    const late = await write();
    assert.deepEqual([late.status, late.code], [412, "fenced"]);
  });
});
