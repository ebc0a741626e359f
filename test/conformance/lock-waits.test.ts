/** Waiting at the REST door: for a lock, for who leads, and as a stream; and how each wait ends. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { until } from "../integration/ensemble.ts";
import { named, type Polled, type Poller } from "./watch-client.ts";
import { WatchDoor } from "./watch-door.ts";

const door = new WatchDoor({ watchers: 8, watchBeatMillis: 300 });
let client: Poller;
before(async () => {
  await door.listen();
  client = door.poller();
});
after(async () => {
  await door.stop();
  assert.deepEqual(door.logged, [], "a fault of our own was logged");
});

interface Shown {
  readonly id: string;
  readonly header: Readonly<Record<string, string>>;
}

async function session(timeout = "60s"): Promise<Shown> {
  const headers = { "content-type": "application/json" };
  const { body } = await client.send("POST", "/v1/sessions", headers, JSON.stringify({ timeout }));
  return { id: body.id, header: { "quorate-session": `${body.id}:${body.secret}` } };
}

function take(name: string, { header }: Shown, query = "", by: Poller = client): Promise<Polled> {
  return by.send("POST", `/v1/locks/${name}?wait=60s${query}`, header);
}
function release(name: string, { header }: Shown): Promise<Polled> {
  return client.send("DELETE", `/v1/locks/${name}`, header);
}
async function waiting(name: string, count: number): Promise<void> {
  const seen = async (): Promise<boolean> => (await client.get(`/v1/locks/${name}`)).body.waiting === count;
  await until(seen, 30_000, `${count} wait for ${name}`);
}

describe("who waits for a lock", () => {
  it("has it when it is released, one at a time, in order", async () => {
    const [a, b, c] = [await session(), await session(), await session()];
    const first = await take("turn", a);
    assert.deepEqual([first.status, first.body.held], [200, true]);
    const second = take("turn", b);
    await waiting("turn", 1);
    const third: Polled[] = [];
    const last = take("turn", c).then((answer) => third.push(answer));
    await waiting("turn", 2);
    await release("turn", a);
    const turned = await second;
    assert.deepEqual([turned.status, turned.body.held, turned.body.ahead], [200, true, 0]);
    assert.ok(turned.body.token > first.body.token && turned.millis < 30_000);
    assert.equal(third.length, 0, "nobody else is woken");
    await release("turn", b);
    await last;
    assert.ok(third[0]?.body.token > turned.body.token);
    assert.ok(door.observed.includes("acquireLock 200"));
  });

  it("is told 202 when the wait is over", async () => {
    const [a, b] = [await session(), await session()];
    await take("over", a);
    const answer = await client.send("POST", "/v1/locks/over?wait=200ms", b.header);
    assert.deepEqual([answer.status, answer.body.held, answer.body.ahead], [202, false, 1]);
    assert.ok(answer.millis >= 150, String(answer.millis));
  });

  it("waits a third of its session's time at most", async () => {
    const [a, b] = [await session(), await session("1500ms")];
    await take("third", a);
    const answer = await take("third", b);
    assert.equal(answer.status, 202);
    assert.ok(answer.millis >= 300 && answer.millis < 20_000, String(answer.millis));
  });

  it("keeps its place when its connection breaks", async () => {
    const [a, b, c] = [await session(), await session(), await session()];
    await take("broken", a);
    const gone = door.poller();
    const cut = take("broken", b, "", gone);
    await waiting("broken", 1);
    gone.close();
    await assert.rejects(cut);
    const behind = take("broken", c);
    await waiting("broken", 2);
    const again = take("broken", b);
    await release("broken", a);
    assert.equal((await again).status, 200);
    await release("broken", b);
    assert.equal((await behind).status, 200);
  });

  it("is told at once that its session is over", async () => {
    const [a, b] = [await session(), await session()];
    await take("expired", a);
    const waits = take("expired", b);
    await waiting("expired", 1);
    door.memory.expire(Number(b.id) as never);
    const answer = await waits;
    assert.deepEqual([answer.status, answer.body.code], [410, "sessionExpired"]);
    assert.ok(answer.millis < 30_000);
  });

  it("is told at once that what it holds is lost", async () => {
    const a = await session();
    const { body } = await take("lost", a);
    const holds = take("lost", a, `&token=${body.token}`);
    let isTold = false;
    void holds.then(() => {
      isTold = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(isTold, false);
    await client.send("DELETE", `/v1/znodes${body.znode}`);
    const answer = await holds;
    assert.deepEqual([answer.status, answer.body.code], [412, "fenced"]);
    assert.ok(answer.millis < 30_000);
  });

  it("is one of so many watchers, and no request under way", async () => {
    const holder = await session();
    await take("crowd", holder);
    const crowd = Array.from({ length: 8 }, () => door.poller());
    const waits = await Promise.all(
      crowd.map(async (each) => ({ poll: take("crowd", await session(), "", each).catch(() => undefined) })),
    );
    await waiting("crowd", 8);
    const refused = await take("crowd", await session());
    assert.deepEqual([refused.status, refused.body.code], [429, "throttled"]);
    for (const each of crowd) each.close();
    await Promise.all(waits.map(({ poll }) => poll));
    await until(async () => (await take("room", holder)).status === 200, 30_000, "there is room again");
  });
});

const path = "/v1/elections/chair";

async function stand(value: string): Promise<Shown> {
  const shown = await session();
  const { status, text } = await client.send("POST", path, shown.header, value);
  assert.ok(status === 200 || status === 202, text);
  return shown;
}

async function clear(...all: readonly Shown[]): Promise<void> {
  for (const { header } of all) await client.send("DELETE", path, header);
}

describe("who waits for another leader", () => {
  const poll = (etag: unknown, headers = {}): Promise<Polled> =>
    client.get(`${path}?wait=60s`, { "if-none-match": etag as string, ...headers });
  const watched = (count: number): Promise<void> =>
    until(() => door.observed.length >= 0 && door.memory.watches.size >= count, 30_000, "it watches");

  it("hears of what is proclaimed, and of who leads then, or that nobody does", async () => {
    const [ann, bob] = [await stand("ann"), await stand("bob")];
    const first = await client.get(path);
    const proclaimed = poll(first.headers.etag);
    await watched(2);
    await client.send("PUT", path, ann.header, "anna");
    const second = await proclaimed;
    assert.deepEqual([second.status, second.body.leader.value], [200, "anna"]);
    assert.equal(second.headers["quorate-zxid"], second.body.zxid);
    const passed = poll(second.headers.etag);
    await client.send("DELETE", path, ann.header);
    const third = await passed;
    assert.deepEqual([third.status, third.body.leader.value, third.body.candidates], [200, "bob", 0]);
    assert.ok(third.body.leader.token > second.body.leader.token);
    const vacated = poll(third.headers.etag);
    await client.send("DELETE", path, bob.header);
    const last = await vacated;
    assert.deepEqual([last.status, last.body.leader], [200, null]);
  });

  it("is told 304 when the wait is over, and within a third of its session's time", async () => {
    const ann = await stand("ann");
    const { headers } = await client.get(path);
    const answer = await client.get(`${path}?wait=300ms`, { "if-none-match": headers.etag as string });
    assert.deepEqual([answer.status, answer.text, answer.headers.etag], [304, "", headers.etag]);
    assert.ok(answer.millis >= 250);
    const { header } = await session("1500ms");
    const kept = await poll(headers.etag, header);
    assert.equal(kept.status, 304);
    assert.ok(kept.millis >= 300 && kept.millis < 20_000, String(kept.millis));
    await clear(ann);
  });

  it("is told at once that its session is over", async () => {
    const ann = await stand("ann");
    const { headers } = await client.get(path);
    const { id, header } = await session();
    const waits = poll(headers.etag, header);
    await watched(3);
    door.memory.expire(Number(id) as never);
    const answer = await waits;
    assert.deepEqual([answer.status, answer.body.code], [410, "sessionExpired"]);
    await clear(ann);
  });
});

describe("a stream of who leads", () => {
  for (const type of ["text/event-stream", "application/x-ndjson"] as const) {
    it(`begins with what is, and tells each change (${type})`, async () => {
      const [ann, bob] = [await stand("ann"), await stand("bob")];
      const stream = door.stream(path, type);
      const { status, headers } = await stream.opened;
      assert.deepEqual([status, headers["content-type"], headers["x-accel-buffering"]], [200, type, "no"]);
      assert.match(headers["quorate-zxid"] as string, /^0x[0-9a-f]{16}$/);
      const leads = named("leader");
      const first = await stream.next(leads);
      assert.deepEqual([first.data.leader.value, first.data.candidates, first.data.name], ["ann", 1, "chair"]);
      if (type === "text/event-stream") assert.equal(first.id, first.data.zxid);
      await client.send("PUT", path, ann.header, "anna");
      assert.equal((await stream.next(leads)).data.leader.value, "anna");
      await client.send("DELETE", path, ann.header);
      assert.equal((await stream.next(leads)).data.leader.value, "bob");
      assert.match((await stream.next(named("alive"))).data.zxid, /^0x/);
      await client.send("DELETE", path, bob.header);
      const last = await stream.next(leads);
      assert.equal(last.data.leader, null);
      const back = door.stream(path, type, { "last-event-id": last.data.zxid });
      assert.equal((await back.next(leads)).data.leader, null);
      for (const each of [stream, back]) each.close();
    });
  }

  it("ends with its session", async () => {
    const ann = await stand("ann");
    const { id, header } = await session();
    const stream = door.stream(path, "text/event-stream", header);
    await stream.next(named("leader"));
    door.memory.expire(Number(id) as never);
    const end = await stream.next(named("end"));
    assert.equal(end.data.code, "sessionExpired");
    await until(() => stream.closed, 30_000, "it is closed");
    await clear(ann);
  });
});

describe("when the gateway stops", () => {
  it("those who wait are answered, their places stay, and streams end", async () => {
    const [a, b] = [await session(), await session()];
    await take("stop", a);
    const ann = await stand("ann");
    const { headers } = await client.get(path);
    const waits = take("stop", b, "", door.poller());
    await waiting("stop", 1);
    const reads = door.poller().get(`${path}?wait=60s`, { "if-none-match": headers.etag as string });
    const stream = door.stream(path);
    await stream.next(named("leader"));
    await until(() => door.memory.watches.size >= 2, 30_000, "all wait");
    await door.stopServer();
    const answer = await waits;
    assert.deepEqual([answer.status, answer.body.held, answer.body.ahead], [202, false, 1]);
    assert.ok(answer.millis < 30_000);
    assert.equal((await reads).status, 304);
    const end = await stream.next(named("end"));
    assert.deepEqual([end.data.code, typeof end.data.detail], [undefined, "string"]);
    assert.ok(ann.id);
  });
});
