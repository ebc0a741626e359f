/**
 * A replica that is cut off from the others, with clients of the ZooKeeper port on it: those who know other servers take their
 * sessions there in time; those who know no other have lost their connection before their session is over for the rest, however
 * busy they were with what a replica can answer by itself.
 */
import assert from "node:assert/strict";
import { after, afterEach, before, it, type TestContext } from "node:test";
import { createFlags, openAcl } from "../zookeeper/wire-records.ts";
import { ask, watchGone } from "./door-client.ts";
import { Ensemble, freePorts, sleep, statusOf, until } from "./ensemble.ts";
import { inTime } from "./in-time.ts";
import { TestProxy } from "./test-proxy.ts";
import { ZookeeperClient } from "./zookeeper-client.ts";

const lonelyMillis = 4000;
const timeoutMillis = 8000;
const graceMillis = 1000;

let ensemble: Ensemble;
let ports: readonly number[] = [];
/** By `1-2`: from the replica that dials, the one with the smaller id, to the other. */
const links = new Map<string, TestProxy>();
const clients: ZookeeperClient[] = [];

before(async () => {
  const peerPorts = await freePorts(3);
  for (const [from, to] of [
    [1, 2],
    [1, 3],
    [2, 3],
  ] as const) {
    links.set(`${from}-${to}`, await TestProxy.start(peerPorts[to - 1] ?? 0));
  }
  const names = ["replica 1", "replica 2", "replica 3", "gateway 1"];
  ports = await freePorts(names.length);
  ensemble = await Ensemble.start({
    peerPorts,
    addressOf: (from, to) => links.get(`${from.replace("replica ", "")}-${to}`)?.address,
    environmentOf: (name) => ({ QUORATE_ZOOKEEPER_PORT: String(ports[names.indexOf(name)]) }),
  });
});
afterEach((context) => {
  if ("error" in context && context.error) console.log(ensemble.output());
});
after(async () => {
  for (const each of clients) each.kill();
  await ensemble?.stop();
  await Promise.all([...links.values()].map((each) => each.stop()));
});

interface Held {
  readonly client: ZookeeperClient;
  readonly path: string;
  readonly zxid: bigint;
}

/** A client of these servers with an ephemeral; a busy one reads it without end. */
async function hold(name: string, hosts: readonly number[], millis: number, busy: boolean): Promise<Held> {
  const client = await ZookeeperClient.open({ ports: hosts, timeoutMillis: millis });
  clients.push(client);
  const path = `/${name}`;
  const made = await client.call({ op: "create", path, data: null, acl: openAcl, flags: createFlags.ephemeral });
  assert.equal(made.error, 0);
  if (busy) void read(client, path);
  return { client, path, zxid: made.zxid };
}

async function read(client: ZookeeperClient, path: string): Promise<void> {
  while (!client.over) {
    await client.call({ op: "getData", path, watch: false }).catch(() => undefined);
    await sleep(20);
  }
}

interface Last {
  /** How long before it was missed its client had lost its connection. */
  readonly lead: number;
  /** How long it was seen behind the last renewal's end. */
  readonly behind: number;
}

async function lastOf({ client, path, zxid }: Held): Promise<Last> {
  let leftAt = 0;
  const leaving = until(
    () => {
      if (client.port === 0) leftAt ||= performance.now();
      return leftAt > 0;
    },
    lonelyMillis * 3,
    `${path} is left`,
  );
  const from = performance.now();
  const hex = `0x${zxid.toString(16).padStart(16, "0")}`;
  const window = { from: from + lonelyMillis / 3, until: from + lonelyMillis + 60_000 };
  const gone = await watchGone([ensemble.gateway.base], path, hex, window);
  await leaving;
  return { lead: gone.firstGoneAt - leftAt, behind: gone.lastSeenAt - from - lonelyMillis };
}

it("nobody believes in a session that is over elsewhere", { timeout: 300_000 }, async (t) => {
  await inTime(t, "seen behind the end of the last renewal", graceMillis, (number) => scene(t, number));
});

/** Answers how long those that were alone were seen behind their time. */
async function scene(t: TestContext, number: number): Promise<number[]> {
  const leader = await ensemble.leader();
  const struck = (leader % 3) + 1;
  const own = ports[struck - 1] as number;
  const all = [own, ...ports.slice(0, 3).filter((port) => port !== own)];
  const lonely = [
    await hold(`lonely-busy-${number}`, [own], lonelyMillis, true),
    await hold(`lonely-idle-${number}`, [own], lonelyMillis, false),
  ];
  const others = await Promise.all(
    [true, false, true, false].map((busy, i) => hold(`other-${i}-${number}`, all, timeoutMillis, busy)),
  );
  // Long enough for renewals of every phase.
  await sleep(lonelyMillis / 2);
  const cut = [...links].filter(([name]) => name.split("-").includes(String(struck))).map(([, link]) => link);
  for (const each of cut) each.freeze();
  const lasts = await Promise.all(lonely.map(lastOf));
  const leads = lasts.map(({ lead }) => lead);
  t.diagnostic(`connections were lost ${leads.map(Math.round).join(" and ")} ms before the ephemerals were missed`);
  for (const each of leads)
    assert.ok(each > 0, `it was connected ${Math.round(-each)} ms longer than it had its session`);
  await until(
    () => others.every(({ client }) => client.port !== own && client.port > 0),
    timeoutMillis,
    "all have left",
  );
  for (const each of cut) each.heal();
  await until(async () => (await statusOf(ensemble.replica(struck))).serving, 60_000, "it serves again");
  await until(() => lonely.every(({ client }) => client.expired), 20_000, "they learn that their session is over");
  for (const { client, path } of others) {
    assert.deepEqual([client.expired, client.faults], [false, []], path);
    const { result } = await client.insist({ op: "exists", path, watch: false });
    assert.equal(result?.stat.ephemeralOwner, client.session, path);
    await client.close();
  }
  const left = (await ask(ensemble.gateway.base, "GET", "/v1/children/")).text;
  assert.doesNotMatch(left, /other-|lonely-/);
  return lasts.map(({ behind }) => behind);
}
