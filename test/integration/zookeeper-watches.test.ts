/**
 * Watches of ZooKeeper's protocol over real processes: a recursive one that misses nothing however often its client is cut off;
 * one-shot ones, while their client is there and while it is away; thousands on one connection.
 *
 * QUORATE_ROUNDS: how often the client is cut off (8).
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { WireClient } from "../zookeeper/wire-client.ts";
import { createFlags, openAcl } from "../zookeeper/wire-records.ts";
import { Ensemble, sleep, until, type Variables } from "./ensemble.ts";
import { lineOf, ReturningWatcher } from "./zookeeper-watcher.ts";

const rounds = Number(process.env["QUORATE_ROUNDS"] ?? 8);
const timeoutMillis = 40_000;

let ensemble: Ensemble;
before(async () => {
  ensemble = await Ensemble.start({ gateways: 0 });
});
after(() => ensemble?.stop());

function create(path: string): Parameters<WireClient["send"]>[0] {
  return { op: "create", path, data: Buffer.from("x"), acl: openAcl, flags: createFlags.persistent };
}

async function done(client: WireClient, request: Parameters<WireClient["send"]>[0]): Promise<bigint> {
  const { error, zxid } = await client.send(request);
  assert.equal(error, 0, `${request.op} is answered ${error}`);
  return zxid;
}

/** Writes below a path one after the other until it is stopped; tells what each did. */
class Writer {
  /** As `lineOf`. */
  readonly wrote: string[] = [];
  readonly #client: WireClient;
  readonly #root: string;
  #stopped = false;
  #running: Promise<void> | undefined;

  constructor(client: WireClient, root: string) {
    this.#client = client;
    this.#root = root;
  }

  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    const there = new Set<string>();
    for (let i = 0; !this.#stopped; i++) {
      const path = `${this.#root}/${(i * 7) % 5}`;
      const below = `${path}/below`;
      if (!there.has(path)) {
        await this.#write(create(path), `created ${path}`);
        there.add(path);
      } else if (there.has(below)) {
        await this.#write({ op: "delete", path: below, version: -1 }, `deleted ${below}`);
        there.delete(below);
        await this.#write({ op: "delete", path, version: -1 }, `deleted ${path}`);
        there.delete(path);
      } else {
        await this.#write({ op: "setData", path, data: Buffer.from(`${i}`), version: -1 }, `changed ${path}`);
        if (i % 3 === 0) {
          await this.#write(create(below), `created ${below}`);
          there.add(below);
        }
      }
    }
  }

  async #write(request: Parameters<WireClient["send"]>[0], line: string): Promise<void> {
    this.wrote.push(`${await done(this.#client, request)} ${line}`);
    // As much as a few clients do: the ring is not to be the question.
    await sleep(1);
  }
}

test(`a recursive watch misses nothing while its client is cut off ${rounds} times and its replica killed`, {
  timeout: 240_000 + rounds * 10_000,
}, async (t) => {
  const leader = await ensemble.leader();
  // The writer stays with the leader, which is left alone: what it wrote is known to the last.
  const writing = await WireClient.connect(ensemble.replica(leader).zookeeperPort, { timeoutMillis });
  await done(writing, create("/watched"));
  const followers = ensemble.replicas.filter((each) => each !== ensemble.replica(leader));
  const serving = (): number[] => followers.filter((each) => each.running).map((each) => each.zookeeperPort);
  const watcher = new ReturningWatcher(serving, "/watched");
  await watcher.start();
  const writer = new Writer(writing, "/watched");
  writer.start();
  for (let round = 0; round < rounds; round++) {
    const written = writer.wrote.length;
    await until(() => writer.wrote.length > written + 20 && watcher.port > 0, 20_000, "writes go on");
    const home = followers.find((each) => each.running && each.zookeeperPort === watcher.port);
    if (round % 4 !== 3) {
      watcher.cut();
      continue;
    }
    await home?.kill();
    await until(() => watcher.port > 0, 20_000, "it has come back");
    home?.start();
    if (home) await ensemble.ready(home);
  }
  await writer.stop();
  await until(() => watcher.told.has(writer.wrote.at(-1) ?? ""), 20_000, "it is told the last write");
  await watcher.stop();
  await writing.close();
  const { told, visits } = watcher;
  const missing = writer.wrote.filter((line) => !told.has(line));
  assert.deepEqual(missing, [], "nothing is missing");
  const wrote = new Set(writer.wrote);
  assert.deepEqual(
    [...told].filter((line) => !wrote.has(line)),
    [],
    "nothing was told that was not so",
  );
  for (const each of visits) {
    const zxids = each.told.map((line) => BigInt(line.split(" ")[0] ?? ""));
    assert.ok(
      zxids.every((zxid, i) => i === 0 || zxid > (zxids[i - 1] as bigint)),
      "in order, and each once on one connection",
    );
  }
  const again = visits.reduce((sum, each) => sum + each.told.length, 0) - told.size;
  t.diagnostic(`${told.size} changes, ${visits.length} connections, ${again} told again`);
  assert.ok(visits.length > rounds);
});

test("one-shot watches while their client is there, in order with its own replies", async () => {
  const client = await WireClient.connect(ensemble.replica(1).zookeeperPort, { timeoutMillis });
  await client.send({ op: "exists", path: "/one", watch: true });
  const made = await done(client, create("/one"));
  await done(client, { op: "getData", path: "/one", watch: true });
  await done(client, { op: "getChildren", path: "/one", watch: true });
  const child = await done(client, create("/one/child"));
  await done(client, { op: "getChildren2", path: "/one", watch: true });
  await done(client, { op: "getChildren", path: "/", watch: true });
  const gone = await done(client, {
    op: "multi",
    operations: [
      { op: "delete", path: "/one/child", version: -1 },
      { op: "delete", path: "/one", version: -1 },
    ],
  });
  await done(client, create("/one"));
  const told = client.arrivals.map((each) => (each.kind === "event" ? lineOf(each.event) : each.request.op));
  assert.deepEqual(told, [
    "exists",
    `${made} created /one`,
    "create",
    "getData",
    "getChildren",
    `${child} childrenChanged /one`,
    "create",
    "getChildren2",
    "getChildren",
    `${gone} childrenChanged /one`,
    `${gone} deleted /one`,
    `${gone} childrenChanged /`,
    "multi",
    "create",
  ]);
  await client.close();
});

test("one-shot watches of a client that was away tell the first change that it missed", async () => {
  const [first, second] = [ensemble.replica(1).zookeeperPort, ensemble.replica(2).zookeeperPort];
  const other = await WireClient.connect(first, { timeoutMillis });
  await done(other, create("/away"));
  for (const name of ["lock", "data", "list", "quiet"]) await done(other, create(`/away/${name}`));
  const client = await WireClient.connect(first, { timeoutMillis });
  const data = ["/away/lock", "/away/data", "/away/quiet"];
  for (const path of data) await done(client, { op: "getData", path, watch: true });
  await client.send({ op: "exists", path: "/away/brief", watch: true });
  await done(client, { op: "getChildren", path: "/away/list", watch: true });
  const relativeZxid = client.lastZxid;
  client.cut();

  const deleted = await done(other, { op: "delete", path: "/away/lock", version: -1 });
  await done(other, create("/away/lock"));
  const changed = await done(other, { op: "setData", path: "/away/data", data: null, version: -1 });
  const brief = await done(other, create("/away/brief"));
  await done(other, { op: "delete", path: "/away/brief", version: -1 });
  const list = await done(other, create("/away/list/child"));

  const { session, password } = client;
  const back = await WireClient.connect(second, { timeoutMillis, session, password, lastZxidSeen: relativeZxid });
  assert.equal(back.session, session);
  const exist = ["/away/brief"];
  await done(back, { op: "setWatches", relativeZxid, data, exist, child: ["/away/list"] });
  const expected = [
    `${deleted} deleted /away/lock`,
    `${changed} changed /away/data`,
    `${brief} created /away/brief`,
    `${list} childrenChanged /away/list`,
  ];
  assert.deepEqual(back.events.map(lineOf), expected, "before the reply");
  for (const name of ["lock", "data", "brief"])
    await other.send({ op: "setData", path: `/away/${name}`, data: null, version: -1 });
  const late = await done(other, { op: "setData", path: "/away/quiet", data: null, version: -1 });
  await back.until(() => back.events.length > 4);
  assert.deepEqual(back.events.map(lineOf), [...expected, `${late} changed /away/quiet`], "the others are spent");
  await back.close();
  await other.close();
});

test("what the replicas have forgotten is compared as ZooKeeper does", { timeout: 240_000 }, async (t) => {
  const environmentOf = (): Variables => ({
    NODE_OPTIONS: `--import=${pathToFileURL(join(import.meta.dirname, "small-ring.ts")).href}`,
    NODE_DISABLE_COMPILE_CACHE: "1",
  });
  const small = await Ensemble.start({ replicas: 1, gateways: 0, environmentOf });
  t.after(() => small.stop());
  const port = small.replica(1).zookeeperPort;
  const other = await WireClient.connect(port, { timeoutMillis });
  const data = ["/changed", "/gone", "/same"];
  for (const path of [...data, "/list"]) await done(other, create(path));
  const client = await WireClient.connect(port, { timeoutMillis });
  for (const path of data) await done(client, { op: "getData", path, watch: true });
  await client.send({ op: "exists", path: "/made", watch: true });
  await done(client, { op: "getChildren", path: "/list", watch: true });
  const { session, password, lastZxid } = client;
  client.cut();
  await done(other, { op: "setData", path: "/changed", data: null, version: -1 });
  await done(other, { op: "delete", path: "/gone", version: -1 });
  await done(other, create("/made"));
  await done(other, create("/list/child"));
  await done(other, create("/busy"));
  const writes = Array.from({ length: 2000 }, () =>
    done(other, { op: "setData", path: "/busy", data: null, version: -1 }),
  );
  await Promise.all(writes);
  const back = await WireClient.connect(port, { timeoutMillis, session, password, lastZxidSeen: lastZxid });
  await done(back, {
    op: "setWatches2",
    relativeZxid: lastZxid,
    data,
    exist: ["/made"],
    child: ["/list"],
    persistent: ["/busy"],
    persistentRecursive: [],
  });
  const expected = ["changed /changed", "created /made", "deleted /gone", "childrenChanged /list"].map(
    (each) => `-1 ${each}`,
  );
  assert.deepEqual(back.events.map(lineOf).sort(), expected.sort(), "and nothing of what was persistent");
  const same = await done(other, { op: "setData", path: "/same", data: null, version: -1 });
  const busy = await done(other, { op: "setData", path: "/busy", data: null, version: -1 });
  await back.until(() => back.events.length > 5);
  assert.deepEqual(back.events.slice(4).map(lineOf), [`${same} changed /same`, `${busy} changed /busy`]);
  await back.close();
  await other.close();
});

test("five thousand watches on one connection, which breaks", { timeout: 300_000 }, async (t) => {
  const count = 5000;
  const port = ensemble.replica(3).zookeeperPort;
  const other = await WireClient.connect(port, { timeoutMillis });
  await done(other, create("/many"));
  const paths = Array.from({ length: count }, (_, i) => `/many/${i}-${"n".repeat(60)}`);
  const all = (requests: readonly Parameters<WireClient["send"]>[0][], by = other): Promise<unknown> =>
    Promise.all(requests.map((each) => done(by, each)));
  await all(paths.map(create));
  const sets = paths.map((path) => ({ op: "setData", path, data: null, version: -1 }) as const);

  let client = await WireClient.connect(port, { timeoutMillis });
  const begun = performance.now();
  await all(
    paths.map((path) => ({ op: "getData", path, watch: true })),
    client,
  );
  const set = performance.now() - begun;
  await all(sets);
  await client.until(() => client.events.length === count, 20_000);
  assert.deepEqual(new Set(client.events.map(({ path }) => path)), new Set(paths));
  await all(sets);
  await all(
    paths.map((path) => ({ op: "getData", path, watch: true })),
    client,
  );
  assert.equal(client.events.length, count, "each told once, and nothing while it was not set");

  const { session, password, lastZxid } = client;
  client.cut();
  await all(sets.slice(0, 100));
  client = await WireClient.connect(port, { timeoutMillis, session, password, lastZxidSeen: lastZxid });
  const returned = performance.now();
  // Clients split them at 128 KB.
  const requests = Array.from({ length: Math.ceil(count / 1500) }, (_, i) => paths.slice(i * 1500, (i + 1) * 1500));
  await all(
    requests.map((data) => ({ op: "setWatches", relativeZxid: lastZxid, data, exist: [], child: [] })),
    client,
  );
  const reset = performance.now() - returned;
  assert.deepEqual(new Set(client.events.map(({ path }) => path)), new Set(paths.slice(0, 100)));
  await all(sets);
  await client.until(() => client.events.length === count, 20_000);
  assert.deepEqual(new Set(client.events.map(({ path }) => path)), new Set(paths));
  t.diagnostic(`${count} watches set in ${Math.round(set)} ms, and again in ${Math.round(reset)} ms`);
  await client.close();
  await other.close();
});
