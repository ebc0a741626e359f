/**
 * A client that sends again what it has no answer to, with its idempotency key (REST) or its number in its session's lane (gRPC),
 * never does a thing twice, whatever is killed: sequential creations and increments by compare-and-set, through leaders' ends.
 * Clients hang up of themselves besides, so that much of what they send again has been done.
 *
 * QUORATE_KILLS: how often the leader is killed (3).
 */
import assert from "node:assert/strict";
import { Agent } from "node:http";
import { after, before, test } from "node:test";
import { Ensemble, freePorts, sleep, statusOf, until } from "./ensemble.ts";
import { exchange } from "./http-client.ts";
import { LaneClient } from "./lane-client.ts";

const kills = Number(process.env["QUORATE_KILLS"] ?? 3);
const clientsOfEach = 4;
const counters = ["/twice/count-0", "/twice/count-1"] as const;
const queue = "/twice/queue";

let ensemble: Ensemble;
let grpcPorts: readonly number[] = [];
const lanes: LaneClient[] = [];
const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });

before(async () => {
  const names = ["gateway 1", "gateway 2", "replica 1", "replica 2", "replica 3"];
  grpcPorts = await freePorts(names.length);
  ensemble = await Ensemble.start({
    gateways: 2,
    environmentOf: (name) => ({ QUORATE_GRPC_PORT: String(grpcPorts[names.indexOf(name)]) }),
  });
});
after(async () => {
  // Of a test that failed.
  await Promise.allSettled(lanes.map((each) => each.close()));
  agent.destroy();
  await ensemble?.stop();
});

/** What all clients were told of their writes. */
class Record {
  /** Names of children by the token that they bear. */
  readonly made = new Map<string, string>();
  /** By counter: the versions that somebody's increment gave it. */
  readonly versions = new Map<string, number[]>(counters.map((each) => [each, []]));
  lost = 0;
  /** Requests that were sent again, and those of them that had been done. */
  again = 0;
  replayed = 0;

  counted(counter: string, version: number): void {
    this.versions.get(counter)?.push(version);
  }

  get size(): number {
    return this.made.size + [...this.versions.values()].reduce((sum, each) => sum + each.length, 0);
  }
}

interface Znode {
  readonly value: number;
  readonly version: number;
  readonly mzxid: string;
}

/** A read, of whoever answers. */
async function read(path: string, turn: number): Promise<Znode> {
  const doors = [...ensemble.gateways, ...ensemble.replicas];
  for (let at = turn; ; at++) {
    try {
      const { status, body } = await exchange(
        agent,
        doors[at % doors.length]?.base ?? "",
        `/v1/znodes${path}?format=json`,
      );
      const { data, stat } = JSON.parse(body);
      if (status === 200) return { value: Number(data), version: stat.version, mzxid: stat.mzxid };
    } catch {
      // The next door.
    }
    await sleep(20);
  }
}

/** One write until its fate is told; every fourth time it hangs up soon, and asks elsewhere. */
async function insist(
  record: Record,
  key: string,
  turn: number,
  method: "PUT" | "POST",
  target: string,
  body: string,
  condition: { readonly [name: string]: string } = {},
): Promise<{ status: number; body: string }> {
  const doors = [...ensemble.gateways, ...ensemble.replicas];
  for (let tries = 0; tries < 2000; tries++) {
    if (tries > 0) record.again += 1;
    const base = doors[(turn + tries) % doors.length]?.base ?? "";
    const headers = { "Idempotency-Key": key, "Quorate-Timeout": "5s", ...condition };
    const patienceMillis = tries === 0 && turn % 4 === 0 ? 2 + (turn % 16) : 20_000;
    try {
      const reply = await exchange(agent, base, target, { method, body, headers, patienceMillis });
      if (reply.status >= 500) continue;
      if (reply.headers["quorate-replayed"] === "true") record.replayed += 1;
      return reply;
    } catch {
      await sleep(10);
    }
  }
  throw new Error(`nobody tells of ${key}`);
}

async function restClient(client: number, record: Record, going: () => boolean): Promise<void> {
  for (let turn = client; going(); turn++) {
    const token = `rest-${client}-${turn}`;
    const made = await insist(record, token, turn, "POST", `/v1/znodes${queue}?prefix=q-`, token);
    assert.equal(made.status, 201, made.body);
    record.made.set(token, JSON.parse(made.body).path);
    const counter = counters[turn % 2] as string;
    const { value, mzxid } = await read(counter, turn);
    const target = `/v1/znodes${counter}`;
    const condition = { "If-Match": `"${mzxid}"` };
    const said = await insist(record, `${token}-count`, turn + 1, "PUT", target, String(value + 1), condition);
    if (said.status === 412) record.lost += 1;
    else {
      assert.equal(said.status, 200, said.body);
      record.counted(counter, JSON.parse(said.body).stat.version);
    }
  }
}

async function laneClient(client: number, record: Record, going: () => boolean): Promise<void> {
  const lane = await LaneClient.open(grpcPorts, client);
  lanes.push(lane);
  for (let turn = client; going(); turn++) {
    const tokens = [0, 1, 2, 3].map((i) => `lane-${client}-${turn}-${i}`);
    const create = (token: string): Promise<unknown> =>
      lane
        .write({ create: { path: `${queue}/q-`, sequential: true, data: Buffer.from(token) } })
        .then(({ create: made, error }) => {
          assert.ok(made?.path, `${token}: ${JSON.stringify(error)}`);
          record.made.set(token, made.path);
        });
    const creations = tokens.map(create);
    if (turn % 5 === 0) lane.breakOff();
    const counter = counters[turn % 2] as string;
    const { value, version } = await read(counter, turn);
    const { set, error } = await lane.write({
      set: { path: counter, data: Buffer.from(String(value + 1)), condition: { version } },
    });
    if (set?.stat?.version !== undefined) record.counted(counter, set.stat.version);
    else {
      assert.equal(error?.reason, "BAD_VERSION", JSON.stringify(error));
      record.lost += 1;
    }
    await Promise.all(creations);
  }
  await lane.close();
  record.again += lane.reopened;
  record.replayed += lane.repeated;
}

async function hold(record: Record): Promise<void> {
  for (const [counter, versions] of record.versions) {
    const { value, version } = await read(counter, 0);
    assert.equal(value, versions.length, `${counter}: its value is the number of its acknowledged increments`);
    assert.equal(version, versions.length);
    const all = Array.from({ length: version }, (_, i) => i + 1);
    assert.deepEqual(
      versions.toSorted((a, b) => a - b),
      all,
      `${counter}: each of its versions is one client's`,
    );
  }
  const found = new Map<string, string>();
  for (let token: string | undefined = ""; token !== undefined; ) {
    const page = token === "" ? "" : `&continue=${encodeURIComponent(token)}`;
    const { body } = await exchange(agent, ensemble.gateway.base, `/v1/children${queue}?data=true&limit=10000${page}`);
    const { children, continue: more } = JSON.parse(body) as {
      children: { name: string; data: string }[];
      continue?: string;
    };
    for (const { name, data } of children) {
      assert.equal(found.get(data), undefined, `${data} was made twice`);
      found.set(data, `${queue}/${name}`);
    }
    token = more;
  }
  assert.deepEqual([...found].toSorted(), [...record.made].toSorted());
}

test(`nothing that is sent again is done twice, while the leader is killed ${kills} times`, {
  timeout: 120_000 + kills * 80_000,
}, async (t) => {
  for (const path of [queue, ...counters]) {
    const made = await exchange(agent, ensemble.gateway.base, `/v1/znodes${path}?parents=true`, {
      method: "PUT",
      body: "0",
    });
    assert.equal(made.status, 201, made.body);
  }
  const record = new Record();
  let running = true;
  const going = (): boolean => running;
  const loops = Array.from({ length: clientsOfEach }, (_, i) => [
    restClient(i, record, going),
    laneClient(i, record, going),
  ]).flat();
  const failed = Promise.all(loops);
  const killing = async (): Promise<void> => {
    for (let kill = 0; kill < kills; kill++) {
      const goal = record.size + 40;
      await until(() => record.size >= goal, 60_000, "the clients write");
      const leader = ensemble.replica(await ensemble.leader());
      await leader.kill();
      const goesOn = record.size + 20;
      await until(() => record.size >= goesOn, 60_000, "they go on without it");
      leader.start();
      await until(async () => (await statusOf(leader)).serving, 30_000, "it is back");
    }
  };
  await Promise.race([killing(), failed]).finally(() => {
    running = false;
  });
  await failed;
  await ensemble.settled();
  await hold(record);
  const increments = [...record.versions.values()].flat().length;
  assert.ok(record.replayed > 0, "something that was sent again had been done");
  t.diagnostic(
    `${kills} leaders killed; ${record.made.size} creations, ${increments} increments, ${record.lost} lost their comparison; ` +
      `sent again ${record.again} times, ${record.replayed} of it had been done`,
  );
});
