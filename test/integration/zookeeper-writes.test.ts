/**
 * Writes of the ZooKeeper port that are under way when a connection, a replica, the leader or a gateway goes: pipelined creates, half
 * of them numbered by the server. Whoever is told ConnectionLoss finds each done once or not at all, as soon as he is back, and it
 * stays so; what was acknowledged is there.
 *
 * QUORATE_ROUNDS: how often each is done (1).
 */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it, type TestContext } from "node:test";
import { createFlags, openAcl, type WireCreate } from "../zookeeper/wire-records.ts";
import { ask } from "./door-client.ts";
import { Ensemble, freePorts, type Process, sleep, statusOf, until } from "./ensemble.ts";
import { ZookeeperClient } from "./zookeeper-client.ts";
import { ZookeeperLedger } from "./zookeeper-ledger.ts";

const rounds = Number(process.env["QUORATE_ROUNDS"] ?? 1);
const depth = 96;
const cuts = 12;
const timeoutMillis = 8000;

let ensemble: Ensemble;
/** Three replicas' and the gateway's. */
let ports: readonly number[] = [];
let scenes = 0;
let ledgers: ZookeeperLedger[] = [];

before(async () => {
  const names = ["replica 1", "replica 2", "replica 3", "gateway 1"];
  ports = await freePorts(names.length);
  const environmentOf = (name: string) => ({ QUORATE_ZOOKEEPER_PORT: String(ports[names.indexOf(name)]) });
  ensemble = await Ensemble.start({ environmentOf });
});
afterEach((context) => {
  if ("error" in context && context.error) console.log(ensemble.output());
  for (const { client } of ledgers.splice(0)) client.kill();
});
after(() => ensemble?.stop());

/** A writer for each of these connect strings. */
async function begin(hosts: readonly (readonly number[])[]): Promise<void> {
  const root = `/writes-${scenes++}`;
  const [any] = ensemble.gateways;
  const made = await ask(any?.base ?? "", "PUT", `/v1/znodes${root}`);
  assert.equal(made.status, 201, made.text);
  ledgers = await Promise.all(
    hosts.map(async (each, i) => {
      const client = await ZookeeperClient.open({ ports: each, timeoutMillis });
      return new ZookeeperLedger(client, `${root}/${i}`, { depth });
    }),
  );
  await Promise.all(ledgers.map((each) => each.start()));
  await goOn();
}

/** Each has had a whole pipeline answered since. */
async function goOn(): Promise<void> {
  const counts = ledgers.map((each) => each.acknowledged);
  const all = (): boolean => ledgers.every((each, i) => each.acknowledged >= (counts[i] ?? 0) + depth);
  await until(all, 30_000, () => `writes go on: ${ledgers.map(({ client }) => JSON.stringify(client.stays.at(-1)))}`);
}

async function settle(t: TestContext): Promise<void> {
  await goOn();
  await Promise.all(ledgers.map((each) => each.stop()));
  const sum = { acknowledged: 0, lost: 0, lostAndDone: 0, connections: 0 };
  for (const ledger of ledgers) {
    const { client } = ledger;
    assert.equal(client.expired, false, "its session is over");
    const { acknowledged, lost, lostAndDone } = await ledger.verify(ensemble.gateway.base);
    assert.deepEqual([...ledger.faults, ...client.faults], []);
    sum.acknowledged += acknowledged;
    sum.lost += lost;
    sum.lostAndDone += lostAndDone;
    sum.connections += client.stays.length;
  }
  t.diagnostic(
    `${sum.acknowledged} acknowledged on ${sum.connections} connections, ${sum.lost} lost, of which ${sum.lostAndDone} done`,
  );
  assert.ok(sum.lost > 0, "nothing was under way");
  await Promise.all(ledgers.map(({ client }) => client.close()));
}

function fromEach(count: number): number[][] {
  return Array.from({ length: count }, (_, i) => [...ports.slice(i % 4), ...ports.slice(0, i % 4)]);
}

/** Connect strings of the replicas that begin with this one, and then with either of the others. */
function replicasFrom(replica: Process, count: number): number[][] {
  const at = ensemble.replicas.indexOf(replica);
  return Array.from({ length: count }, (_, i) =>
    (i % 2 === 0 ? [0, 1, 2] : [0, 2, 1]).map((k) => ports[(at + k) % 3] as number),
  );
}

function manyBelow(prefix: string): WireCreate[] {
  return Array.from({ length: depth }, (_, i) => ({
    ...({ op: "create", data: null, acl: openAcl, flags: createFlags.persistent } as const),
    path: `${prefix}-${i}`,
  }));
}

async function comeBack(struck: Process): Promise<void> {
  struck.start();
  await until(async () => (await statusOf(struck)).serving, 60_000, `${struck.name} serves`);
}

async function aFollower(): Promise<Process> {
  return ensemble.replica(((await ensemble.leader()) % 3) + 1);
}

describe("writes under way", { timeout: 200_000 + rounds * 200_000 }, () => {
  for (let round = 1; round <= rounds; round++) {
    it(`when connections break (${round})`, async (t) => {
      await begin(fromEach(4));
      for (let cut = 0; cut < cuts; cut++) {
        // At any moment of a pipeline's way.
        await sleep(40 + ((cut * 37) % 80));
        ledgers[cut % ledgers.length]?.client.cut();
        if (cut % 4 === 3) await goOn();
      }
      await settle(t);
    });

    for (const which of ["replica", "leader"] as const) {
      it(`when their ${which} is killed (${round})`, async (t) => {
        const struck = which === "leader" ? ensemble.replica(await ensemble.leader()) : await aFollower();
        await begin(replicasFrom(struck, 3));
        await struck.kill();
        await goOn();
        await comeBack(struck);
        await settle(t);
      });
    }

    it(`when their gateway is killed (${round})`, async (t) => {
      await begin([ports.toReversed(), ports.toReversed(), ports]);
      await ensemble.gateway.kill();
      await goOn();
      ensemble.gateway.start();
      await ensemble.ready();
      await settle(t);
    });

    it(`when their replica stands still, and reads them when they have left it (${round})`, async (t) => {
      const struck = await aFollower();
      await begin(replicasFrom(struck, 3));
      struck.signal("SIGSTOP");
      const late = ledgers.map(({ client, root }) => client.pipeline(manyBelow(`${root}-late`)));
      try {
        await sleep(timeoutMillis * 0.8);
        await goOn();
      } finally {
        struck.signal("SIGCONT");
      }
      for (const { replies } of await Promise.all(late)) assert.ok(replies.every((each) => each === undefined));
      await until(async () => (await statusOf(struck)).serving, 60_000, `${struck.name} serves`);
      await goOn();
      await settle(t);
      for (const { root } of ledgers) {
        const there = await ask(ensemble.gateway.base, "GET", `/v1/znodes${root}-late-0`);
        assert.equal(there.status, 404, "nobody was attached there any more");
      }
    });
  }
});
