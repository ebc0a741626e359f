/** `/v1/watch` as a poll, over a tree in memory. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { until } from "../integration/ensemble.ts";
import type { Polled, Poller } from "./watch-client.ts";
import { WatchDoor } from "./watch-door.ts";

const door = new WatchDoor();
let client: Poller;
before(async () => {
  await door.listen();
  client = door.poller();
});
after(async () => {
  await door.stop();
  assert.deepEqual(door.logged, [], "a fault of our own was logged");
});

async function put(path: string, body: string, headers: Readonly<Record<string, string>> = {}): Promise<string> {
  const { status, headers: got, text } = await client.send("PUT", `/v1/znodes${path}`, headers, body);
  assert.ok(status === 200 || status === 201, text);
  return got["quorate-zxid"] as string;
}

async function expect(status: number, path: string, headers: Readonly<Record<string, string>> = {}): Promise<Polled> {
  const got = await client.get(path, headers);
  assert.equal(got.status, status, `${path}: ${got.text}`);
  return got;
}

const cursorPattern = /^0x[0-9a-f]{16}\.[0-9a-f]{16}$/;

describe("what a watch takes", () => {
  const refused: readonly (readonly [query: string, why: RegExp])[] = [
    ["", /nothing to watch/],
    ["after=0x1", /nothing to watch/],
    ["node=app", /node: /],
    ["subtree=/a/", /subtree: /],
    ["node=/a&depth=1", /depth.*not known.*node, children, subtree/],
    ["node=/a&after=0x1&after=0x2", /after is given twice/],
    ["node=/a&after=0x1&wait=30", /wait: .*(no unit|duration|5m)/],
    ["node=/a&after=0x1&wait=6m", /wait: .*to 5m$/],
    ["node=/a&after=0x1&encoding=base64", /encoding: it goes with include=data/],
    ["node=/a&after=0xffffffffffffffff", /after: .*beyond what a zxid can be/],
    ["node=/a&wait=1s", /wait: it goes with after/],
    ["node=/a&after=yesterday", /after: "yesterday" is no cursor; send one as it was given, or the zxid of an answer$/],
    ["node=/a&after=0x1.4a91", /after: .*(16 hex digits|cursor|4a91)/],
    ["node=/a&include=stat", /include: .*not data/],
    ["node=/a&encoding=utf-8", /encoding: /],
    [Array.from({ length: 101 }, (_, i) => `node=/n${i}`).join("&"), /101 paths.*100/],
  ];
  for (const [query, why] of refused) {
    it(`not ${query.slice(0, 40) || "nothing"}`, async () => {
      const { body } = await expect(400, `/v1/watch?${query}`);
      assert.equal(body.code, "badArguments");
      assert.match(body.detail, why);
    });
  }

  it("100 paths of three scopes, and one of them twice", async () => {
    const nodes = Array.from({ length: 98 }, (_, i) => `node=/n${i}`).join("&");
    const { body } = await expect(200, `/v1/watch?${nodes}&children=/&subtree=/`);
    assert.equal(body.states.length, 99);
    const twice = await expect(200, "/v1/watch?node=/n&node=/n");
    assert.equal(twice.body.states.length, 1);
  });

  it("an encoding with a state, though no data was asked for", async () => {
    await expect(200, "/v1/watch?node=/a&encoding=base64");
  });

  it("neither another type, nor HEAD, nor Last-Event-ID elsewhere", async () => {
    await expect(406, "/v1/watch?node=/a", { accept: "text/html" });
    for (const method of ["HEAD", "OPTIONS"]) {
      const { status, headers } = await client.send(method, "/v1/watch?node=/a");
      assert.deepEqual([status, headers["allow"]], [405, "GET"], method);
    }
    await expect(400, "/v1/znodes/", { "last-event-id": "0x1" });
    const { body } = await expect(400, "/v1/watch?node=/a", { "last-event-id": "x" });
    assert.match(body.detail, /Last-Event-ID/);
  });
});

describe("a poll", () => {
  it("without a cursor answers the state and one", async () => {
    await put("/state", "hi");
    const zxid = await put("/state/b", "");
    await put("/state/a", "");
    const { body, headers } = await expect(200, "/v1/watch?node=/state&node=/nowhere&children=/state&children=/no");
    assert.match(body.cursor, cursorPattern);
    assert.equal(body.zxid, body.cursor.slice(0, 18));
    assert.equal(headers["quorate-zxid"], body.zxid);
    assert.ok(body.zxid > zxid);
    assert.equal(headers["quorate-consistency"], "linearizable");
    assert.deepEqual(
      [headers["quorate-served-by"], headers["cache-control"], headers.vary],
      ["1", "no-store", "Accept"],
    );
    const [node, nowhere, children, no] = body.states;
    assert.deepEqual(
      [node.scope, node.path, node.exists, node.data, node.encoding],
      ["node", "/state", true, "hi", "utf-8"],
    );
    assert.equal(node.stat.numChildren, 2);
    assert.deepEqual(nowhere, { scope: "node", path: "/nowhere", exists: false });
    assert.deepEqual([children.scope, children.exists, children.children], ["children", true, ["a", "b"]]);
    assert.deepEqual([no.exists, no.children], [false, []]);
    const forced = await expect(200, "/v1/watch?node=/state&encoding=base64");
    assert.deepEqual([forced.body.states[0].data, forced.body.states[0].encoding], ["aGk=", "base64"]);
    const none = await expect(200, "/v1/watch?subtree=/");
    assert.deepEqual(none.body.states, []);
  });

  it("answers what happened behind a cursor, at once and in order", async () => {
    const after = await put("/past", "");
    const made = await put("/past/a", "1");
    await put("/past/a", "2");
    await client.send("DELETE", "/v1/znodes/past/a");
    const { body, headers, millis } = await expect(200, `/v1/watch?subtree=/past&after=${after}&wait=60s`);
    assert.deepEqual(
      body.events.map((each: { type: string; path: string; version: number }) => [each.type, each.path, each.version]),
      [
        ["created", "/past/a", 0],
        ["changed", "/past/a", 1],
        ["deleted", "/past/a", 1],
      ],
    );
    const [first] = body.events;
    assert.deepEqual(Object.keys(first), ["zxid", "type", "path", "version", "czxid", "time"]);
    assert.deepEqual([first.zxid, first.czxid], [made, made]);
    assert.match(first.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.equal(body.more, false);
    assert.equal(body.cursor.slice(0, 18), body.events[2].zxid);
    assert.equal(headers["quorate-zxid"], body.events[2].zxid);
    assert.equal(headers["quorate-consistency"], undefined);
    assert.ok(millis < 50_000);
    const children = await expect(200, `/v1/watch?children=/past&after=${after}&wait=0s`);
    assert.deepEqual(
      children.body.events.map((each: { type: string }) => each.type),
      ["created", "deleted"],
    );
  });

  it("waits for what happens, and is woken", async () => {
    const after = await put("/awake", "0");
    const waiting = expect(200, `/v1/watch?node=/awake&after=${after}&wait=60s`);
    await until(() => door.memory.watches.size === 1, 30_000, "it watches");
    await put("/other", "");
    const zxid = await put("/awake", "1");
    const { body, millis } = await waiting;
    assert.deepEqual([body.events.length, body.events[0].zxid, body.more], [1, zxid, false]);
    assert.ok(millis < 50_000);
    assert.equal(door.memory.watches.size, 0, "nobody watches any more");
  });

  it("answers with a newer cursor when nothing came", async () => {
    const after = await put("/quiet", "");
    const newer = await put("/loud", "");
    const { body, headers, millis } = await expect(200, `/v1/watch?node=/quiet&after=${after}&wait=300ms`);
    assert.deepEqual([body.events, body.more], [[], false]);
    assert.ok(body.cursor.slice(0, 18) >= newer, body.cursor);
    assert.match(body.cursor, cursorPattern);
    assert.equal(headers["quorate-zxid"], body.cursor.slice(0, 18));
    assert.ok(millis >= 260, `it waited ${millis} ms`);
    const at = await expect(200, `/v1/watch?node=/quiet&after=${body.cursor}&wait=0s`);
    assert.ok(at.millis < 30_000);
  });

  it("misses nothing and repeats nothing from cursor to cursor", async () => {
    let { cursor } = (await expect(200, "/v1/watch?subtree=/chain")).body;
    const seen: string[] = [];
    let last = "";
    const writing = (async () => {
      for (let i = 0; i < 60; i++) last = await put(`/chain${i % 3 === 0 ? "" : "/x"}?parents=true`, String(i));
    })();
    const committed: string[] = [];
    const polls = door.poller();
    // Until the last write's event has come: how long writes take on this machine is not the matter.
    for (let whole = false; !whole; ) {
      const { status, body } = await polls.get(`/v1/watch?subtree=/chain&after=${cursor}&wait=1s`);
      assert.equal(status, 200);
      for (const each of body.events) seen.push(`${each.zxid} ${each.type} ${each.path}`);
      cursor = body.cursor;
      whole = last !== "" && seen.length >= 60 && seen.at(-1)?.startsWith(last) === true;
    }
    await writing;
    const all = await expect(200, `/v1/watch?subtree=/chain&after=0x0000000100000001&wait=0s`);
    for (const each of all.body.events) committed.push(`${each.zxid} ${each.type} ${each.path}`);
    assert.deepEqual(seen, committed);
    assert.ok(seen.length >= 60, String(seen.length));
  });

  it("beats after with Last-Event-ID", async () => {
    const first = await put("/ids", "0");
    const second = await put("/ids", "1");
    const { body } = await expect(200, `/v1/watch?node=/ids&after=${first}&wait=0s`, { "last-event-id": second });
    assert.deepEqual(body.events, []);
  });

  it("says when a cursor is of another history, and refuses what may not be read", async () => {
    const { body } = await expect(410, "/v1/watch?node=/a&after=0x0000000100000002.0123456789abcdef&wait=5s");
    assert.equal(body.code, "cursorOfAnotherHistory");
    const { zxid } = (await expect(200, "/v1/watch?node=/a")).body;
    assert.equal(body.zxid, zxid, "of the state that was judged");
    const authorization = `Basic ${Buffer.from("ann:1").toString("base64")}`;
    const made = await client.send("PUT", "/v1/znodes/mine?acl=auth::cdrwa", { authorization }, "x");
    assert.equal(made.status, 201);
    const closed = await expect(403, "/v1/watch?node=/mine");
    assert.deepEqual([closed.body.code, closed.body.path], ["noAuth", "/mine"]);
    assert.deepEqual([closed.headers["quorate-zxid"], closed.headers["quorate-served-by"]], [closed.body.zxid, "1"]);
    const nothing = await expect(400, "/v1/watch?node=/mine&wait=soon");
    assert.deepEqual([nothing.headers["quorate-zxid"], nothing.body.zxid], [undefined, undefined], "of no state");
    assert.equal((await expect(403, "/v1/watch?subtree=/mine&after=0x1&wait=5s")).body.code, "noAuth");
    await expect(200, "/v1/watch?node=/mine", { authorization });
    const below = await expect(200, `/v1/watch?subtree=/&after=0x0000000100000001&wait=0s`);
    assert.ok(below.body.events.every((each: { path: string }) => each.path !== "/mine"));
  });

  it("ends with 403 when the right to read is taken", async () => {
    const after = await put("/taken", "");
    const waiting = client.get(`/v1/watch?node=/taken&after=${after}&wait=60s`);
    await until(() => door.memory.watches.size === 1, 30_000, "it watches");
    const acl = JSON.stringify({ acl: [{ scheme: "digest", id: "x:y", perms: "r" }] });
    const set = await client.send("PUT", "/v1/acl/taken", { "content-type": "application/json" }, acl);
    assert.equal(set.status, 200, set.text);
    const { status, body, headers } = await waiting;
    const { zxid } = JSON.parse(set.text);
    assert.deepEqual([status, body.code, body.path, body.zxid], [403, "noAuth", "/taken", zxid]);
    assert.equal(headers["quorate-zxid"], zxid);
  });

  it("is let go when its client goes", async () => {
    const gone = door.poller();
    const waiting = gone.get("/v1/watch?node=/nobody&after=0x0000000100000001&wait=60s");
    await until(() => door.memory.watches.size === 1, 30_000, "it watches");
    gone.close();
    await assert.rejects(waiting);
    await until(() => door.memory.watches.size === 0, 30_000, "nobody watches");
  });
});

describe("include=data", () => {
  it("brings what still stands, and says what does not", async () => {
    const after = await put("/data", "");
    await put("/data/a", "old");
    await put("/data/a", "new");
    await put("/data/b", "gone");
    await client.send("DELETE", "/v1/znodes/data/b");
    const { body } = await expect(200, `/v1/watch?subtree=/data&after=${after}&wait=0s&include=data`);
    assert.deepEqual(
      body.events.map((each: { type: string; data?: string; encoding?: string; superseded?: boolean }) => [
        each.type,
        each.data,
        each.encoding,
        each.superseded,
      ]),
      [
        ["created", undefined, undefined, true],
        ["changed", "new", "utf-8", undefined],
        ["created", undefined, undefined, true],
        ["deleted", undefined, undefined, undefined],
      ],
    );
    const forced = await expect(200, `/v1/watch?node=/data/a&after=${after}&wait=0s&include=data&encoding=base64`);
    assert.deepEqual([forced.body.events[1].data, forced.body.events[1].encoding], ["bmV3", "base64"]);
  });

  it("ends an answer that grows too large behind a whole transaction", async () => {
    const after = await put("/large", "");
    const part = "x".repeat(300_000);
    for (let i = 0; i < 6; i++) await put(`/large/${i}`, part);
    let cursor = after;
    const sizes: number[] = [];
    for (let more = true; more; ) {
      const { body } = await expect(200, `/v1/watch?children=/large&after=${cursor}&wait=0s&include=data`);
      for (const each of body.events) assert.equal(each.data.length, 300_000);
      sizes.push(body.events.length);
      cursor = body.cursor;
      more = body.more;
    }
    assert.deepEqual(sizes, [4, 2]);
  });
});
