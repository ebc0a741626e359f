/** node-zookeeper-client, a client written in JavaScript alone, against an ensemble of real processes. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import {
  ACL,
  type Client,
  CreateMode,
  createClient,
  type Event,
  Exception,
  Id,
  Permission,
  type Stat,
  State,
} from "node-zookeeper-client";
import { until } from "../integration/ensemble.ts";
import { type ForeignServers, startForeignServers } from "./foreign-servers.ts";

let servers: ForeignServers | undefined;
let skip: string | undefined;
const opened: Client[] = [];

/** Resolves with what a callback is given behind its error. */
function called<Given extends readonly unknown[]>(
  call: (callback: (error: Error | Exception | null, ...given: Given) => void) => void,
): Promise<Given> {
  return new Promise((resolve, reject) => {
    call((error, ...given) => (error === null || error === undefined ? resolve(given) : reject(error as Error)));
  });
}

async function fails(code: number, promise: Promise<unknown>): Promise<void> {
  await assert.rejects(promise, (error: Exception) => {
    assert.equal(error.code, code, String(error));
    return true;
  });
}

/** Connected to the servers at these places. */
async function connect(places: readonly number[]): Promise<Client> {
  const hosts = places.map((place) => servers?.hosts[place]).join(",");
  const client = createClient(hosts, { sessionTimeout: 10_000, spinDelay: 100, retries: 5 });
  opened.push(client);
  const connected = new Promise<void>((resolve) => client.once("connected", resolve));
  client.connect();
  await connected;
  return client;
}

async function create(client: Client, path: string, data = "", mode: number = CreateMode.PERSISTENT): Promise<string> {
  const [made] = await called<[string]>((done) => client.create(path, Buffer.from(data), mode, done));
  return made;
}

function set(client: Client, path: string, data: string, version = -1): Promise<[Stat]> {
  return called<[Stat]>((done) => client.setData(path, Buffer.from(data), version, done));
}

describe("node-zookeeper-client", { timeout: 400_000 }, () => {
  before(async () => {
    const started = await startForeignServers();
    if ("skip" in started) skip = started.skip;
    else servers = started;
  });
  after(async () => {
    for (const each of opened) each.close();
    await servers?.stop();
  });

  it("reads and writes", async (t) => {
    if (skip !== undefined) return t.skip(skip);
    const client = await connect([0]);
    assert.equal(client.getSessionTimeout(), 10_000);
    assert.equal(await create(client, "/n", "one"), "/n");
    const [data, stat] = await called<[Buffer, Stat]>((done) => client.getData("/n", done));
    assert.deepEqual([data.toString(), stat.version, stat.dataLength], ["one", 0, 3]);
    const [changed] = await set(client, "/n", "other", 0);
    assert.equal(changed.version, 1);
    assert.ok(changed.mzxid.compare(changed.czxid) > 0);
    await fails(Exception.BAD_VERSION, set(client, "/n", "late", 0));
    await fails(Exception.NODE_EXISTS, create(client, "/n"));
    await fails(Exception.NO_NODE, create(client, "/none/n"));
    assert.equal(await create(client, "/n/s-", "", CreateMode.PERSISTENT_SEQUENTIAL), "/n/s-0000000000");
    assert.equal(await create(client, "/n/e-", "", CreateMode.EPHEMERAL_SEQUENTIAL), "/n/e-0000000001");
    const [names] = await called<[string[], Stat]>((done) => client.getChildren("/n", done));
    assert.deepEqual([...names].sort(), ["e-0000000001", "s-0000000000"]);
    await fails(
      Exception.NOT_EMPTY,
      called<[]>((done) => client.remove("/n", done)),
    );
    await called<[]>((done) => client.remove("/n/s-0000000000", 0, done));
    const [gone] = await called<[Stat | null]>((done) => client.exists("/n/s-0000000000", done));
    assert.equal(gone, null);
    await called<[string]>((done) => client.mkdirp("/deep/er/est", done));
    assert.equal(await create(client, "/deep/er/est/of/all".replace("/of/all", "/x")), "/deep/er/est/x");
  });

  it("watches", async (t) => {
    if (skip !== undefined) return t.skip(skip);
    const [client, other] = [await connect([0]), await connect([1])];
    const told: string[] = [];
    const watcher = (event: Event): void => {
      told.push(`${event.name} ${event.path}`);
    };
    await called<[Stat | null]>((done) => client.exists("/w", watcher, done));
    await create(other, "/w");
    await until(() => told.length === 1, 10_000, "the creation is told");
    await called<[Buffer, Stat]>((done) => client.getData("/w", watcher, done));
    await called<[string[], Stat]>((done) => client.getChildren("/w", watcher, done));
    await set(other, "/w", "1");
    await set(other, "/w", "2");
    await create(other, "/w/child");
    await until(() => told.length === 3, 10_000, "the changes are told");
    assert.deepEqual(told, ["NODE_CREATED /w", "NODE_DATA_CHANGED /w", "NODE_CHILDREN_CHANGED /w"]);
  });

  it("transactions", async (t) => {
    if (skip !== undefined) return t.skip(skip);
    const client = await connect([0]);
    const good = client
      .transaction()
      .create("/t", Buffer.from("1"))
      .check("/t", 0)
      .setData("/t", Buffer.from("2"), 0)
      .create("/t/e", CreateMode.EPHEMERAL)
      .remove("/t/e", 0);
    const [results] = await called<[readonly { readonly type: number }[]]>((done) => good.commit(done));
    assert.deepEqual(
      results.map(({ type }) => type),
      [1, 13, 5, 1, 2],
    );
    const bad = client.transaction().setData("/t", Buffer.from("3")).remove("/none").create("/t/x");
    let told: readonly { readonly type: number; readonly err: number }[] = [];
    const failed = new Promise<Error | Exception | null>((resolve) => {
      bad.commit((error, each: typeof told) => {
        told = each;
        resolve(error);
      });
    });
    assert.equal(((await failed) as Exception).code, Exception.NO_NODE);
    assert.deepEqual(
      told.map(({ err }) => err),
      [0, Exception.NO_NODE, Exception.RUNTIME_INCONSISTENCY],
    );
    const [data] = await called<[Buffer, Stat]>((done) => client.getData("/t", done));
    assert.equal(data.toString(), "2");
  });

  it("ACLs", async (t) => {
    if (skip !== undefined) return t.skip(skip);
    const [client, other] = [await connect([0]), await connect([0])];
    client.addAuthInfo("digest", Buffer.from("ann:secret"));
    const own = [new ACL(Permission.ALL, new Id("auth", ""))];
    await called<[string]>((done) => client.create("/a", Buffer.from("hers"), own, CreateMode.PERSISTENT, done));
    await fails(
      Exception.NO_AUTH,
      called<[Buffer, Stat]>((done) => other.getData("/a", done)),
    );
    other.addAuthInfo("digest", Buffer.from("ann:secret"));
    await called<[Buffer, Stat]>((done) => other.getData("/a", done));
    const open = [new ACL(Permission.READ, new Id("world", "anyone"))];
    const [stat] = await called<[Stat]>((done) => other.setACL("/a", open, 0, done));
    assert.equal(stat.aversion, 1);
    const [acl] = await called<[ACL[], Stat]>((done) => client.getACL("/a", done));
    assert.deepEqual([acl.length, acl[0]?.id.scheme, acl[0]?.id.id], [1, "world", "anyone"]);
  });

  it("its session and its ephemerals survive its server, and end with it", async (t) => {
    if (skip !== undefined || servers === undefined) return t.skip(skip);
    const states: State[] = [];
    const client = await connect([1]);
    client.on("state", (state) => states.push(state));
    await create(client, "/held", "", CreateMode.EPHEMERAL);
    const session = client.getSessionId().toString("hex");
    await servers.command("kill 1");
    await until(() => states.includes(State.DISCONNECTED), 10_000, "it has lost its server");
    await servers.command("start 1");
    await until(() => states.includes(State.SYNC_CONNECTED), 20_000, "it is back");
    assert.equal(client.getSessionId().toString("hex"), session);
    const [stat] = await called<[Stat]>((done) => client.exists("/held", done));
    assert.equal(stat.ephemeralOwner.toString("hex"), session);
    assert.ok(!states.includes(State.EXPIRED));
    client.close();
    const other = await connect([0]);
    await until(
      async () => (await called<[Stat | null]>((done) => other.exists("/held", done)))[0] === null,
      10_000,
      "its ephemeral is gone",
    );
  });
});
