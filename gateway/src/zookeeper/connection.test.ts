import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { SessionId } from "@quorate/api";
import type { WireRequest } from "../../../test/zookeeper/wire-records.ts";
import { ConnectionScene } from "./connection-scene.test-support.ts";

const open = [{ permissions: 31, scheme: "world", id: "anyone" }] as const;
const create = (path: string, flags = 0): WireRequest => ({
  op: "create",
  path,
  data: Buffer.from("x"),
  acl: open,
  flags,
});
const get = (path: string, watch = false): WireRequest => ({ op: "getData", path, watch });
const set = (path: string, data = "y"): WireRequest => ({
  op: "setData",
  path,
  data: Buffer.from(data),
  version: -1,
});

describe("connection", () => {
  it("answers what is pipelined in order, with one write for a turn", async () => {
    const scene = new ConnectionScene();
    const client = await scene.connect();
    client.writes.length = 0;
    client.ask(create("/a"), set("/a"), get("/a"), { op: "getData", path: "no path", watch: false }, get("/b"), {
      op: "whoAmI",
    });
    await scene.settle();
    const { data } = client.bodyOf<{ data: Buffer }>(3);
    assert.equal(data.toString(), "y");
    assert.deepEqual(client.bodyOf(6), { clients: [{ scheme: "ip", user: "127.0.0.1" }] });
    assert.deepEqual(client.take(), ["1", "2", "3", "4: -101", "5: -101", "6"]);
    assert.equal(client.writes.length, 1);
  });

  it("takes frames as they come, byte by byte or all at once", async () => {
    const scene = new ConnectionScene();
    const whole = await scene.connect();
    whole.ask(create("/a"));
    await scene.settle();
    const sink = scene.bare();
    const said: Buffer[] = [];
    sink.connection.received = (bytes: Uint8Array) => void said.push(Buffer.from(bytes));
    sink.ask(get("/a"), get("/b"), get("/a"));
    const pieces = await scene.connect();
    for (const byte of Buffer.concat(said)) pieces.connection.received(Buffer.of(byte));
    await scene.settle();
    assert.deepEqual(
      pieces.told.map(({ xid, code }) => [xid, code]),
      [
        [1, 0],
        [2, -101],
        [3, 0],
      ],
    );
  });

  it("tells an event before any reply that shows what it is about", async () => {
    const scene = new ConnectionScene();
    const [watcher, writer] = [await scene.connect(), await scene.connect()];
    writer.ask(create("/a"));
    await scene.settle();
    watcher.ask(get("/a", true));
    await scene.settle();
    assert.deepEqual(watcher.take(), ["1"]);
    writer.ask(set("/a"), set("/a"));
    watcher.ask(get("/a"), get("/a"));
    await scene.settle();
    assert.deepEqual(watcher.take(), ["event 3 /a", "2", "3"]);
  });

  it("lays a multi out as ZooKeeper does, whoever refuses", async () => {
    const scene = new ConnectionScene();
    const client = await scene.connect();
    const all = (...operations: readonly WireRequest[]) => ({ op: "multi", operations }) as WireRequest;
    const check = (path: string, version: number): WireRequest => ({ op: "check", path, version });
    const [good = 0, bad = 0, both = 0, none = 0] = client.ask(
      all(create("/m"), set("/m"), check("/m", 1), { op: "create2", path: "/m/c", data: null, acl: open, flags: 2 }),
      all(create("/n"), create("no path"), set("/m")),
      all(create("/m"), create("no path"), set("/m")),
      all(),
      get("/n"),
    );
    await scene.settle();
    type Results = { results: readonly { op: string; code?: number; path?: string }[] };
    const resultsOf = (xid: number) => client.bodyOf<Results>(xid).results.map((each) => each.code ?? each.op);
    assert.deepEqual(resultsOf(good), ["create", "setData", "check", "create2"]);
    assert.equal(client.bodyOf<Results>(good).results[3]?.path, "/m/c0000000000");
    assert.deepEqual(resultsOf(bad), [0, -8, -2], "one that the door refuses");
    assert.deepEqual(resultsOf(both), [-110, -2, -2], "one before it failed already");
    assert.deepEqual(resultsOf(none), []);
    assert.equal(client.take().at(-1), "5: -101", "nothing was done");
  });

  it("reads many, each with an answer of its own", async () => {
    const scene = new ConnectionScene();
    const client = await scene.connect();
    const children: WireRequest = { op: "getChildren", path: "/zookeeper", watch: false };
    const many = (...operations: readonly WireRequest[]) => ({ op: "multiRead", operations }) as WireRequest;
    const [good = 0, bad = 0] = client.ask(
      many(get("/zookeeper/quota"), children),
      many(get("/none"), children, get("no path")),
      get("/zookeeper"),
    );
    await scene.settle();
    type Results = { results: readonly { op: string; code?: number; children?: readonly string[] }[] };
    assert.deepEqual(
      client.bodyOf<Results>(good).results.map(({ op }) => op),
      ["getData", "getChildren"],
    );
    const { results } = client.bodyOf<Results>(bad);
    assert.deepEqual(
      results.map((each) => each.code ?? each.children),
      [-101, ["config", "quota"], -101],
    );
    assert.deepEqual(client.take(), ["1", "2", "3"]);
  });

  it("refuses what nobody may, by the proper code", async () => {
    const scene = new ConnectionScene();
    const client = await scene.connect();
    const acl = (scheme: string, id: string) => [{ permissions: 31, scheme, id }];
    const make = (flags: number, more: object = {}) => ({ ...create("/x", flags), ...more }) as WireRequest;
    const refused: readonly (readonly [WireRequest, number])[] = [
      [make(7), -8],
      [make(-1), -8],
      [make(5), -8],
      [make(5, { op: "createTtl", ttl: 0n }), -8],
      [make(0, { op: "createTtl", ttl: 5n }), -8],
      [make(6, { op: "createTtl", ttl: 1n << 40n }), -8],
      [make(0, { path: "x" }), -8],
      [make(0, { path: "/x/" }), -8],
      [make(0, { path: "/none/x" }), -101],
      [make(0, { acl: [] }), -114],
      [make(0, { acl: acl("x509", "CN=me") }), -114],
      [make(0, { acl: acl("auth", "") }), -114],
      [make(0, { acl: Array.from({ length: 200 }, () => acl("world", "anyone")[0]) }), -114],
      [{ op: "reconfig", joining: null, leaving: null, newMembers: null, configId: -1n }, -123],
      [{ op: "delete", path: "/", version: -1 }, -8],
      [{ op: "delete", path: "nowhere", version: -1 }, -8],
      [{ op: "setData", path: "/none", data: null, version: -1 }, -101],
      [{ op: "raw", type: 4, body: Buffer.from("ffff", "hex") }, -5],
    ];
    const xids = client.ask(...refused.map(([request]) => request));
    await scene.settle();
    assert.deepEqual(
      client.take(),
      refused.map(([, code], at) => `${xids[at]}: ${code}`),
    );
    assert.ok(!client.closed);
  });

  it("makes znodes of each kind, and null data stays null", async () => {
    const scene = new ConnectionScene();
    const client = await scene.connect();
    const made = (op: "create2" | "createContainer" | "createTtl", path: string, flags: number): WireRequest => ({
      op,
      path,
      data: null,
      acl: open,
      flags,
      ttl: 1000n,
    });
    const xids = client.ask(
      made("create2", "/p", 0),
      made("create2", "/e", 1),
      made("createContainer", "/c", 4),
      made("createTtl", "/t", 5),
      made("createTtl", "/s", 6),
      { ...create("/container-by-create", 4) } as WireRequest,
      get("/p"),
      create("/c/child"),
    );
    await scene.settle();
    type Made = { path: string; stat: { ephemeralOwner: bigint } };
    const owners = xids.slice(0, 5).map((xid) => client.bodyOf<Made>(xid).stat.ephemeralOwner);
    assert.deepEqual(owners, [0n, client.welcome?.session, 0n, 0n, 0n]);
    assert.match(client.bodyOf<Made>(5).path, /^\/s\d{10}$/);
    assert.equal(client.bodyOf<{ data: null }>(7).data, null);
    const kinds = ["/p", "/e", "/c", "/t", "/container-by-create"].map((path) => {
      const outcome = scene.memory.tree.read({ kind: "exists", path: path as never }, { ids: [], superUser: false });
      return outcome.ok && outcome.result.kind === "stat" ? outcome.result.stat.kind : outcome;
    });
    assert.deepEqual(kinds, ["persistent", "ephemeral", "container", "ttl", "persistent"]);
  });

  it("knows its client better after each auth packet, and no other's", async () => {
    const scene = new ConnectionScene();
    const [ann, other] = [await scene.connect(), await scene.connect()];
    const own = [{ permissions: 31, scheme: "auth", id: "" }];
    const auth = (scheme: string, text: string): WireRequest => ({ op: "auth", scheme, auth: Buffer.from(text) });
    ann.ask(auth("digest", "ann:secret"), auth("ip", ""), { ...create("/ann"), acl: own } as WireRequest, {
      op: "whoAmI",
    });
    await scene.settle();
    assert.deepEqual(ann.bodyOf(2), {
      clients: [
        { scheme: "ip", user: "127.0.0.1" },
        { scheme: "digest", user: "ann" },
      ],
    });
    assert.deepEqual(ann.take().sort(), ["-4", "-4", "1", "2"]);
    other.ask(get("/ann"), auth("digest", "ann:wrong"), get("/ann"), auth("digest", "ann:secret"), get("/ann"));
    await scene.settle();
    assert.deepEqual(other.take(), ["-4", "-4", "1: -102", "2: -102", "3"]);
    for (const scheme of ["world", "sasl", "x509", "auth", ""]) {
      const refused = await scene.connect();
      refused.ask(auth(scheme, "anyone"));
      await scene.settle();
      assert.deepEqual(refused.take(), ["-4: -115"]);
      assert.ok(refused.ended, scheme);
    }
    assert.equal(scene.door.failedAuths, 5);
  });

  it("closes a session with its ephemerals, answers, and then closes the connection", async () => {
    const scene = new ConnectionScene();
    const [client, other] = [await scene.connect(), await scene.connect()];
    client.ask(create("/e", 1), get("/e", true));
    await scene.settle();
    client.take();
    client.ask({ op: "closeSession" }, get("/e"));
    await scene.settle();
    assert.deepEqual(client.take(), ["3"], "nothing behind it is begun");
    assert.ok(client.ended && !client.destroyed);
    other.ask(get("/e"));
    await scene.settle();
    assert.deepEqual(other.take(), ["1: -101"]);
    assert.equal(scene.memory.tree.session(Number(client.welcome?.session) as SessionId), undefined);
    assert.equal(scene.door.connections.size, 1);
    assert.deepEqual(scene.logged, []);
  });

  it("answers an unknown opcode, and closes as ZooKeeper does", async () => {
    const scene = new ConnectionScene();
    for (const type of [10, 13, 20, 999, -10]) {
      const client = await scene.connect();
      client.ask(get("/zookeeper"), { op: "raw", type, body: Buffer.alloc(64) }, get("/zookeeper"));
      await scene.settle();
      assert.deepEqual(client.take(), ["1", "2: -6"]);
      assert.ok(client.ended, `${type}`);
    }
  });

  it("a length that lies closes the connection and nothing else", async () => {
    const scene = new ConnectionScene();
    for (const length of ["ffffffff", "80000000", "00100000", "7fffffff"]) {
      const client = await scene.connect();
      client.connection.received(Buffer.from(length, "hex"));
      assert.ok(client.destroyed);
    }
    const short = await scene.connect();
    short.say(Buffer.alloc(7));
    assert.ok(short.destroyed, "no header");
    assert.equal(scene.logged.length, 1, "one line for all of that second");
    assert.match(scene.logged[0] ?? "", /the length -1 of a frame is outside 0 to 1048575/);
  });
});
