/** `/v1/watch` as server-sent events and as lines of JSON, over a tree in memory. */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, describe, it } from "node:test";
import { until } from "../integration/ensemble.ts";
import { isChange, named, type Poller, type StreamType } from "./watch-client.ts";
import { WatchDoor } from "./watch-door.ts";

const door = new WatchDoor({
  watchBeatMillis: 200,
  watchUnsentBytes: 200_000,
  watchSoftBytes: 50_000,
  watchLingerMillis: 3000,
});
let client: Poller;
before(async () => {
  await door.listen();
  client = door.poller();
});
after(async () => {
  await door.stop();
  assert.deepEqual(door.logged, [], "a fault of our own was logged");
});

async function put(path: string, body: string): Promise<string> {
  const { status, headers, text } = await client.send("PUT", `/v1/znodes${path}`, {}, body);
  assert.ok(status === 200 || status === 201, text);
  return headers["quorate-zxid"] as string;
}

async function txn(...then: readonly object[]): Promise<string> {
  const headers = { "content-type": "application/json" };
  const { status, body, text } = await client.send("POST", "/v1/txn", headers, JSON.stringify({ then }));
  assert.equal(status, 200, text);
  return body.zxid;
}

const types: readonly StreamType[] = ["text/event-stream", "application/x-ndjson"];

for (const type of types) {
  describe(type, () => {
    const root = type === "text/event-stream" ? "/sse" : "/lines";

    it("begins with the state, goes on with events", async () => {
      await put(root, "0");
      const stream = door.stream(`node=${root}&children=${root}`, type);
      const { status, headers } = await stream.opened;
      assert.equal(status, 200);
      assert.equal(headers["cache-control"], "no-store, no-transform");
      assert.equal(headers["x-accel-buffering"], "no");
      assert.equal(headers["quorate-consistency"], "linearizable");
      assert.equal(headers["quorate-served-by"], "1");
      assert.equal(headers["content-encoding"], undefined);
      const node = await stream.next(named("state"));
      const children = await stream.next(named("state"));
      assert.deepEqual([node.data.path, node.data.exists, node.data.data, node.id], [root, true, "0", undefined]);
      assert.deepEqual([children.data.scope, children.data.children], ["children", []]);
      assert.equal(children.id?.slice(0, 18), headers["quorate-zxid"]);
      const changed = await put(root, "1");
      const made = await put(`${root}/a`, "");
      const first = await stream.next();
      assert.deepEqual(
        [first.name, first.data.path, first.data.zxid, first.data.version],
        ["changed", root, changed, 1],
      );
      assert.equal(first.id?.slice(0, 18), changed);
      const second = await stream.next();
      assert.deepEqual([second.name, second.data.path, second.data.type], ["created", `${root}/a`, "created"]);
      assert.equal(second.id?.slice(0, 18), made);
      stream.close();
      await until(() => door.memory.watches.size === 0, 30_000, "nobody watches");
    });

    it("has a cursor now and then that grows though nothing matches", async () => {
      const stream = door.stream(`subtree=${root}/quiet`, type);
      const first = await stream.next(named("cursor"));
      assert.equal(first.id, first.data.cursor);
      const zxid = await put(`${root}-other`, "");
      const later = await stream.next((event) => event.name === "cursor" && (event.id ?? "").slice(0, 18) >= zxid);
      assert.match(later.id ?? "", /^0x[0-9a-f]{16}\.[0-9a-f]{16}$/);
      stream.close();
    });

    it("marks the end of a transaction alone as a place to go on from", async () => {
      const after = await put(`${root}/txn?parents=true`, "");
      const stream = door.stream(`subtree=${root}/txn&after=${after}`, type);
      await stream.opened;
      const op = (name: string): object => ({ op: "create", path: `${root}/txn/${name}`, data: "" });
      const zxid = await txn(op("a"), op("b"), op("c"));
      const ids = [await stream.next(), await stream.next(), await stream.next()].map((each) => each.id?.slice(0, 18));
      assert.deepEqual(ids, [undefined, undefined, zxid]);
      const again = door.stream(`subtree=${root}/txn&after=${after}`, type, { "last-event-id": stream.cursor });
      await again.opened;
      const next = await put(`${root}/txn/d`, "");
      assert.equal((await again.next()).data.zxid, next);
      stream.close();
      again.close();
    });

    it("brings data in order, and what is superseded by name", async () => {
      await put(`${root}/data?parents=true`, "");
      const stream = door.stream(`children=${root}/data&subtree=${root}/data&include=data`, type);
      await stream.next(named("state"));
      const writes = Array.from({ length: 40 }, (_, i) => put(`${root}/data/${i % 4}`, String(i)));
      await Promise.all(writes);
      let last = "";
      const newest = new Map<string, string>();
      for (let i = 0; i < 40; i++) {
        const { data } = await stream.next();
        assert.ok(data.zxid > last, "in order");
        last = data.zxid;
        if (data.superseded === true) assert.equal(data.data, undefined);
        else newest.set(data.path, data.data);
      }
      for (const [path, value] of newest) assert.equal((await client.get(`/v1/znodes${path}`)).text, value);
      assert.equal(newest.size, 4);
      stream.close();
    });

    it("is refused as any request before it begins, and ends with a reason after", async () => {
      const refused = await door.stream(`node=/a&after=0x1.0000000000000000`, type).opened;
      assert.deepEqual([refused.status, refused.body.code], [410, "cursorOfAnotherHistory"]);
      assert.equal((await door.stream("node=/a&wait=1s", type).opened).status, 400);
      await put(`${root}/taken?parents=true`, "");
      const stream = door.stream(`node=${root}/taken`, type);
      await stream.next(named("state"));
      const acl = JSON.stringify({ acl: [{ scheme: "digest", id: "x:y", perms: "r" }] });
      await client.send("PUT", `/v1/acl${root}/taken`, { "content-type": "application/json" }, acl);
      const { data, id } = await stream.next(named("end"));
      assert.deepEqual([data.code, data.cursor], ["noAuth", id]);
      assert.match(data.detail, /READ/);
      await until(() => stream.closed, 30_000, "the stream is closed");
    });

    it("ends with its session, and is no sign of life", async () => {
      const { body } = await client.send("POST", "/v1/sessions");
      const header = { "quorate-session": `${body.id}:${body.secret}` };
      const stream = door.stream(`node=${root}`, type, header);
      await stream.next(named("state"));
      door.memory.expire(Number(body.id) as never);
      assert.equal((await stream.next(named("end"))).data.code, "sessionExpired");
      assert.equal((await door.stream(`node=${root}`, type, header).opened).status, 410);
    });

    it("catches up with much more than may be unsent, at its reader's pace", async () => {
      const after = await put(`${root}/much?parents=true`, "");
      const count = 3000;
      const long = "long-name-".repeat(20);
      for (let i = 0; i < count; i += 500) {
        await txn(
          ...Array.from({ length: 500 }, (_, at) => ({
            op: "create",
            path: `${root}/much/${long}${i + at}`,
            data: "",
          })),
        );
      }
      const stream = door.stream(`children=${root}/much&after=${after}`, type);
      await stream.opened;
      for (let i = 0; i < count; i++) {
        const { data } = await stream.next();
        assert.equal(data.path, `${root}/much/${long}${i}`);
      }
      assert.equal(stream.events.filter(isChange).length, count);
      const live = await put(`${root}/much/live`, "");
      assert.equal((await stream.next()).data.zxid, live);
      stream.close();
      await until(() => door.memory.watches.size === 0, 30_000, "nobody watches");
    });
  });
}

describe("a stream's reader", () => {
  it("that does not read is cut off, and nothing is skipped", async () => {
    await put("/slow", "");
    const stream = door.stream("children=/slow");
    await stream.next(named("state"));
    stream.pause();
    const long = "long-name-".repeat(20);
    let made = 0;
    await until(
      async () => {
        const ops = Array.from({ length: 500 }, () => ({ op: "create", path: `/slow/${long}${made++}`, data: "" }));
        await txn(...ops);
        return door.observed.includes("watch 200") && door.memory.watches.size === 0;
      },
      30_000,
      "the stream is cut off",
    );
    stream.resume();
    const end = await stream.next(named("end"));
    const seen = stream.events.filter(isChange).map((each) => each.data.path);
    assert.ok(seen.length <= made);
    await txn({ op: "create", path: `/slow/${long}${made++}`, data: "" });
    assert.deepEqual(
      seen,
      Array.from(seen, (_, i) => `/slow/${long}${i}`),
    );
    assert.deepEqual([end.data.code, end.id, end.data.cursor], ["throttled", stream.cursor, stream.cursor]);
    await until(() => stream.closed, 30_000, "the stream is closed");
    const again = door.stream("children=/slow", "application/x-ndjson", { "last-event-id": stream.cursor });
    const { data } = await again.next();
    assert.equal(data.path, `/slow/${long}${seen.length}`);
    again.close();
  });

  it("may speak HTTP/1.0, as proxies do, and have no chunks", async () => {
    await put("/plain", "");
    const { port, hostname } = new URL(door.base);
    const socket = connect(Number(port), hostname);
    let text = "";
    socket.setEncoding("utf8").on("data", (part: string) => {
      text += part;
    });
    socket.write("GET /v1/watch?node=/plain HTTP/1.0\r\nAccept: application/x-ndjson\r\n\r\n");
    await until(() => text.includes('"type":"state"'), 30_000, "the state");
    await put("/plain", "1");
    await until(() => text.includes('"type":"changed"'), 30_000, "the event");
    const [head = "", body = ""] = text.split("\r\n\r\n");
    assert.ok(!/transfer-encoding/i.test(head), head);
    for (const line of body.trim().split("\n")) JSON.parse(line);
    socket.destroy();
    await until(() => door.memory.watches.size === 0, 30_000, "nobody watches");
  });

  it("may have asked for two on one connection", async () => {
    await put("/two", "");
    const { port, hostname } = new URL(door.base);
    const socket = connect(Number(port), hostname);
    let text = "";
    socket.setEncoding("utf8").on("data", (part: string) => {
      text += part;
    });
    const ask = (query: string, accept: string): string =>
      `GET /v1/watch?${query} HTTP/1.1\r\nHost: x\r\nAccept: ${accept}\r\n\r\n`;
    const { body } = await client.get("/v1/watch?subtree=/two");
    socket.write(ask(`node=/two&after=${body.cursor}&wait=60s`, "*/*") + ask("node=/two", "application/x-ndjson"));
    await until(() => door.memory.watches.size === 2, 30_000, "both watch");
    await put("/two", "1");
    await until(() => text.includes('"events":[{') && text.includes('"type":"changed"'), 30_000, "both are told");
    assert.ok(text.indexOf('"events":[{') < text.indexOf('"type":"state"'), "in order");
    await put("/two", "2");
    await until(() => text.includes('"version":2'), 30_000, "the stream goes on");
    socket.destroy();
    await until(() => door.memory.watches.size === 0, 30_000, "nobody watches");
  });
});
