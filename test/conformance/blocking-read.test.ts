/** `GET …?wait` with `If-None-Match`, sessions kept by polls alone, and the end of watchers at a shutdown. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Backend, RenewAnswer } from "@quorate/gateway";
import { until } from "../integration/ensemble.ts";
import type { MemoryBackend } from "./memory-backend.ts";
import { named, type Polled, type Poller } from "./watch-client.ts";
import { WatchDoor } from "./watch-door.ts";

/** What the next renewals are answered, instead of the truth. */
let scripted: RenewAnswer | undefined;
let renewals = 0;
/** Runs before a read is done. */
let beforeRead: (() => void) | undefined;

function scriptedBackend(memory: MemoryBackend): Backend {
  return {
    write: (request) => memory.write(request),
    read: (request) => {
      beforeRead?.();
      return memory.read(request);
    },
    renew: (session, hash) => {
      renewals++;
      return scripted === undefined ? memory.renew(session, hash) : Promise.resolve(scripted);
    },
    handOver: (target) => memory.handOver(target),
    listTree: (request) => memory.listTree(request),
    watch: (request, deadline, listener) => memory.watch(request, deadline, listener),
    follow: (acting, listener) => memory.follow(acting, listener),
    attach: () => {
      throw new Error("no lanes here");
    },
    cluster: () => memory.cluster(),
  };
}

const door = new WatchDoor({ watchers: 8 }, scriptedBackend);
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
  return headers.etag as string;
}

async function watched(count = 1): Promise<void> {
  await until(() => door.memory.watches.size === count, 30_000, `${count} watch`);
}

function block(path: string, etag: string, headers: Readonly<Record<string, string>> = {}): Promise<Polled> {
  return client.get(`/v1/znodes${path}`, { "if-none-match": etag, ...headers });
}

async function openSession(timeout: string): Promise<Readonly<Record<string, string>> & { readonly id: string }> {
  const headers = { "content-type": "application/json" };
  const { body } = await client.send("POST", "/v1/sessions", headers, JSON.stringify({ timeout }));
  return { id: body.id, "quorate-session": `${body.id}:${body.secret}` };
}

describe("a blocking read", () => {
  it("takes a tag and a duration", async () => {
    await put("/b", "0");
    const bare = await client.get("/v1/znodes/b?wait=1s");
    assert.equal(bare.status, 400);
    assert.match(bare.body.detail, /wait: it goes with If-None-Match/);
    assert.equal((await block("/b?wait=5", '"0x1"')).status, 400);
    assert.equal((await block("/b?wait=301s", '"0x1"')).status, 400);
    assert.equal((await client.send("HEAD", "/v1/znodes/b?wait=1s", { "if-none-match": '"0x1"' })).status, 400);
  });

  it("answers at once what the client does not have", async () => {
    const etag = await put("/b", "1");
    const other = await block("/b?wait=60s", '"0x1"');
    assert.deepEqual([other.status, other.text, other.headers.etag], [200, "1", etag]);
    assert.equal((await block("/nowhere?wait=60s", '"0x1"')).status, 404);
  });

  it("waits for other data, in either form", async () => {
    const etag = await put("/b", "2");
    const raw = block("/b?wait=60s", etag);
    const json = client.get("/v1/znodes/b?wait=60s&format=json", { "if-none-match": etag });
    await watched(2);
    await put("/c", "");
    const changed = await put("/b", "3");
    const [one, two] = [await raw, await json];
    assert.deepEqual([one.status, one.text, one.headers.etag], [200, "3", changed]);
    assert.deepEqual([two.status, two.body.data, two.headers.etag], [200, "3", changed]);
    assert.equal(one.headers["quorate-consistency"], "linearizable");
    assert.ok((one.headers["quorate-zxid"] as string) >= changed.slice(1, -1));
    await watched(0);
  });

  it("answers 404 when it is deleted, 403 when the right to read is lost", async () => {
    const etag = await put("/d", "");
    const waiting = block("/d?wait=60s", etag);
    await watched();
    await client.send("DELETE", "/v1/znodes/d");
    assert.equal((await waiting).status, 404);
    const again = await put("/d", "");
    const forbidden = block("/d?wait=60s", again);
    await watched();
    const acl = JSON.stringify({ acl: [{ scheme: "digest", id: "x:y", perms: "r" }] });
    await client.send("PUT", "/v1/acl/d", { "content-type": "application/json" }, acl);
    assert.equal((await forbidden).status, 403);
  });

  it("answers 304 when the wait is over, as of the newest zxid", async () => {
    const etag = await put("/e", "");
    const waiting = block("/e?wait=400ms", etag);
    await watched();
    const newer = await put("/f", "");
    const { status, headers, millis, text } = await waiting;
    assert.deepEqual([status, headers.etag, text], [304, etag, ""]);
    assert.ok((headers["quorate-zxid"] as string) >= newer.slice(1, -1), headers["quorate-zxid"] as string);
    assert.ok(millis >= 350, String(millis));
    assert.ok((await block("/e?wait=0s", etag)).millis < 30_000);
  });

  it("misses no change between its read and its watch", async () => {
    const etag = await put("/g", "0");
    // The change is committed right behind the read, before the watch is there.
    const watching = door.memory.watch.bind(door.memory);
    door.memory.watch = (request, deadline, listener) => {
      door.memory.watch = watching;
      void door.memory.write({
        identity: { ids: [], superUser: false },
        operation: { kind: "set", path: "/g" as never, data: Buffer.from("1"), condition: {} },
      });
      return watching(request, deadline, listener);
    };
    const { status, text, millis } = await block("/g?wait=60s", etag);
    assert.deepEqual([status, text], [200, "1"]);
    assert.ok(millis < 50_000);
  });

  it("reads again where its zxid is not known any more", async () => {
    const etag = await put("/h", "0");
    const watching = door.memory.watch.bind(door.memory);
    let refused = 0;
    door.memory.watch = (request, deadline, listener) => {
      if (refused++ === 3) door.memory.watch = watching;
      const after = { zxid: request.after?.zxid as never, history: "0123456789abcdef" };
      return watching(refused === 4 ? request : { ...request, after }, deadline, listener);
    };
    const waiting = block("/h?wait=60s", etag);
    await until(() => refused === 4, 30_000, "it asked again");
    await put("/h", "1");
    assert.equal((await waiting).text, "1");
  });

  it("is let go when its client goes, in its reading too", async () => {
    const etag = await put("/i", "");
    const gone = door.poller();
    const waiting = gone.get("/v1/znodes/i?wait=60s", { "if-none-match": etag });
    await watched();
    gone.close();
    await assert.rejects(waiting);
    await watched(0);
    const reading = door.poller();
    beforeRead = () => {
      beforeRead = undefined;
      reading.close();
    };
    const read = reading.get("/v1/znodes/i?wait=60s", { "if-none-match": etag });
    await assert.rejects(read);
    await put("/i", "1");
    await watched(0);
  });
});

describe("a session", () => {
  it("is renewed by each poll, which is answered within a third of its time", async () => {
    const { id, ...header } = await openSession("1500ms");
    const { body } = await client.get("/v1/watch?subtree=/none");
    const before = renewals;
    const poll = await client.get(`/v1/watch?subtree=/none&after=${body.cursor}`, header);
    assert.equal(poll.status, 200, poll.text);
    assert.ok(poll.millis >= 400 && poll.millis < 20_000, `${id}: ${poll.millis} ms`);
    const etag = await put("/kept", "");
    const read = await block("/kept?wait=60s", etag, header);
    assert.equal(read.status, 304);
    assert.ok(read.millis >= 400 && read.millis < 20_000, String(read.millis));
    assert.equal(renewals, before + 2);
    await client.get("/v1/watch?subtree=/none", header);
    const stream = door.stream("subtree=/none", "text/event-stream", header);
    await stream.next(named("cursor"));
    stream.close();
    assert.equal(renewals, before + 2, "neither a state nor a stream is a sign of life");
    await watched(0);
  });

  it("that ends is told at once", async () => {
    const { id, ...header } = await openSession("60s");
    const { body } = await client.get("/v1/watch?subtree=/none");
    const etag = await put("/kept", "1");
    const waiting = [
      client.get(`/v1/watch?subtree=/none&after=${body.cursor}&wait=60s`, header),
      block("/kept?wait=60s", etag, header),
    ];
    await watched(2);
    door.memory.expire(Number(id) as never);
    for (const each of waiting) {
      const { status, body, millis } = await each;
      assert.deepEqual([status, body.code], [410, "sessionExpired"]);
      assert.ok(millis < 50_000);
    }
  });

  it("that is over, unknown or shown wrongly is no session to poll with", async () => {
    const { id } = await openSession("60s");
    const path = "/v1/watch?subtree=/none&after=0x0000000100000001&wait=60s";
    const wrong = await client.get(path, { "quorate-session": `${id}:${"0".repeat(32)}` });
    assert.deepEqual([wrong.status, wrong.body.code], [401, "authFailed"]);
    assert.match(wrong.headers["www-authenticate"] as string, /Quorate-Session/);
    const over = await client.get(path, { "quorate-session": `0x00000001ffffffff:${"0".repeat(32)}` });
    assert.ok(over.status === 410 || over.status === 503, over.text);
  });

  it("is not said to be kept before its renewal is answered", async () => {
    const { id: _, ...header } = await openSession("60s");
    const etag = await put("/kept", "2");
    scripted = {
      kind: "unavailable",
      code: "noLeader",
      detail: "scripted",
      certainty: "noEffect",
      retryAfterMillis: 1000,
    };
    const poll = await client.get("/v1/watch?subtree=/&after=0x0000000100000001&wait=60s", header);
    assert.deepEqual([poll.status, poll.body.code, poll.headers["retry-after"]], [503, "noLeader", "1"]);
    assert.equal((await block("/kept?wait=60s", etag, header)).status, 503);
    assert.equal((await block("/kept?wait=60s", '"0x1"', header)).status, 503);
    scripted = undefined;
    await watched(0);
  });
});

describe("watchers", () => {
  it("have a limit of their own", async () => {
    const { body } = await client.get("/v1/watch?subtree=/none");
    const path = `/v1/watch?subtree=/none&after=${body.cursor}&wait=60s`;
    const crowd = Array.from({ length: 8 }, () => door.poller());
    const waiting = crowd.map((each) => each.get(path).catch(() => undefined));
    await watched(8);
    const refused = await client.get(path);
    assert.deepEqual([refused.status, refused.body.code], [429, "throttled"]);
    assert.equal((await client.get("/v1/znodes/")).status, 200);
    for (const each of crowd) each.close();
    await Promise.all(waiting);
    await watched(0);
    assert.equal((await client.get(`${path}&wait=0s`.replace("&wait=60s", ""))).status, 200);
  });

  it("are answered when the gateway stops, with where to go on from", async () => {
    const { body } = await client.get("/v1/watch?subtree=/none");
    const etag = await put("/last", "");
    const polls = door.poller();
    const poll = polls.get(`/v1/watch?subtree=/none&after=${body.cursor}&wait=60s`);
    const read = polls.get("/v1/znodes/last?wait=60s", { "if-none-match": etag });
    const stream = door.stream("node=/last");
    const lines = door.stream("subtree=/last&include=data", "application/x-ndjson");
    await stream.next(named("state"));
    await lines.next(named("cursor"));
    await watched(4);
    const began = performance.now();
    const stopped = door.stopServer();
    const empty = await poll;
    assert.deepEqual([empty.status, empty.body.events, empty.headers.connection], [200, [], "close"]);
    assert.ok(empty.body.cursor >= body.cursor);
    assert.deepEqual([(await read).status, (await read).headers.etag], [304, etag]);
    for (const each of [stream, lines]) {
      const { data } = await each.next(named("end"));
      assert.equal(data.code, undefined);
      assert.equal(data.cursor, empty.body.cursor);
    }
    client.close();
    await stopped;
    assert.ok(performance.now() - began < 30_000, "it did not wait for its watchers");
  });
});
