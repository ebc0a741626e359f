/** Watches, blocking reads and a session that is kept by polls alone, through real processes and the loss of leaders. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { after, afterEach, before, describe, it, type TestContext } from "node:test";
import { pathToFileURL } from "node:url";
import { named, Poller, WatchStream } from "../conformance/watch-client.ts";
import { ClientSession } from "./door-client.ts";
import { Ensemble, sleep, until } from "./ensemble.ts";
import { inTime } from "./in-time.ts";
import { pollOn, streamOn, type Watcher } from "./watchers.ts";

/** How long the client without threads holds its session. */
const keptSeconds = Number(process.env["QUORATE_POLL_SECONDS"] ?? 20);
const smallRing = {
  NODE_OPTIONS: `--import=${pathToFileURL(join(import.meta.dirname, "small-ring.ts")).href}`,
  NODE_DISABLE_COMPILE_CACHE: "1",
};

let ensemble: Ensemble;
let client: Poller;

/** An ensemble of their own, with a gateway and a client of it, for the tests beside this. */
function around(ofReplicas: Record<string, string>): void {
  before(async () => {
    ensemble = await Ensemble.start({ environmentOf: (name) => (name.startsWith("replica") ? ofReplicas : {}) });
    client = new Poller(ensemble.gateway.base);
  });
  afterEach((context) => {
    if ("error" in context && context.error) console.log(ensemble.output());
  });
  after(async () => {
    client.close();
    await ensemble.stop();
  });
}

async function put(path: string, body: string): Promise<string> {
  const { status, headers, text } = await client.send("PUT", `/v1/znodes${path}`, {}, body);
  assert.ok(status === 200 || status === 201, text);
  return headers["quorate-zxid"] as string;
}

/** What it cannot go on from is the reason, where it is told no more. */
async function untilTold({ name, told, over }: Watcher, last: string): Promise<void> {
  const isTold = (): boolean => told.at(-1)?.startsWith(last) === true;
  await Promise.race([until(isTold, 20_000, () => `${name} is told the last: ${last}, not ${told.at(-1)}`), over]);
}

describe("watches", { timeout: 300_000 + keptSeconds * 1000 }, () => {
  around({});

  it("tell every change once, in order, through the loss of leaders", async (t) => {
    const base = await put("/told", "");
    const query = "subtree=/told";
    const through = ensemble.gateway.base;
    // One of them at the door of the leader itself, which is going to die, then wherever somebody lives.
    const leader = await ensemble.leader();
    const alive = (): string => (ensemble.replica(leader).running ? ensemble.replica(leader) : ensemble.gateway).base;
    const watchers: readonly Watcher[] = [
      pollOn("poll", () => through, query, base),
      streamOn("server-sent events", () => through, query, "text/event-stream", base),
      streamOn("lines", () => through, `${query}&include=data`, "application/x-ndjson", base),
      streamOn("lines at the leader", alive, query, "application/x-ndjson", base),
      pollOn("poll at any door", alive, query, base),
    ];
    let done = false;
    const committed: string[] = [];
    const write = async (writer: number): Promise<void> => {
      for (let i = 0; !done; i++) {
        const path = `/told/${writer}-${i % 20}`;
        const { status, headers } = await client.send("PUT", `/v1/znodes${path}`, {}, String(i)).catch(() => ({
          status: 0,
          headers: {} as Record<string, string>,
        }));
        const type = status === 201 ? "created" : "changed";
        if (status === 200 || status === 201) committed.push(`${headers["quorate-zxid"]} ${type} ${path}`);
      }
    };
    const writing = [write(1), write(2), write(3)];
    try {
      for (let kill = 0; kill < 2; kill++) {
        await sleep(700);
        const led = await ensemble.leader();
        await ensemble.replica(led).kill();
        await ensemble.ready();
        await sleep(700);
        ensemble.replica(led).start();
        await until(async () => (await fetch(`${ensemble.replica(led).base}/readyz`)).ok, 20_000, "it is back");
      }
    } finally {
      done = true;
      await Promise.all(writing);
    }
    const last = await put("/told/last", "");
    for (const each of watchers) {
      await untilTold(each, last);
      await each.stop();
    }
    committed.push(`${last} created /told/last`);
    const [first] = watchers;
    for (const { name, told, breaks } of watchers) {
      assert.deepEqual(told, first?.told, `${name} differs`);
      t.diagnostic(`${name}: ${told.length} changes, went on from a cursor ${breaks} times`);
    }
    const told = new Set(first?.told);
    assert.equal(told.size, first?.told.length, "nothing twice");
    for (const each of committed) assert.ok(told.has(each), `${each} was acknowledged and not told`);
    assert.ok(committed.length > 100, String(committed.length));
    for (const each of watchers.slice(1, 3)) assert.equal(each.breaks, 0, `${each.name} was broken off`);
  });

  it("block a read until there is something else, through the loss of a leader", async () => {
    await put("/blocked", "0");
    const tag = (await client.get("/v1/znodes/blocked")).headers.etag as string;
    const others = new Poller(ensemble.gateway.base);
    const waiting = others.get("/v1/znodes/blocked?wait=60s&format=json", { "if-none-match": tag });
    await sleep(200);
    const leader = await ensemble.leader();
    await ensemble.replica(leader).kill();
    await ensemble.ready();
    await put("/blocked", "1");
    const { status, body } = await waiting;
    assert.deepEqual([status, body.data], [200, "1"]);
    const over = await others.get("/v1/znodes/blocked?wait=300ms", { "if-none-match": `"${body.stat.mzxid}"` });
    assert.equal(over.status, 304);
    others.close();
    ensemble.replica(leader).start();
    await ensemble.ready();
  });

  it("end when the right to read is taken", async () => {
    await put("/ours", "");
    const streams = (["text/event-stream", "application/x-ndjson"] as const).map(
      (type) => new WatchStream(ensemble.gateway.base, "node=/ours", type),
    );
    for (const each of streams) await each.next(named("state"));
    const others = new Poller(ensemble.gateway.base);
    const poll = others.get(`/v1/watch?node=/ours&after=${streams[0]?.cursor}&wait=60s`);
    await sleep(200);
    const acl = JSON.stringify({ acl: [{ scheme: "digest", id: "x:y", perms: "cdrwa" }] });
    const set = await client.send("PUT", "/v1/acl/ours", { "content-type": "application/json" }, acl);
    assert.equal(set.status, 200, set.text);
    const { status, body } = await poll;
    assert.deepEqual([status, body.code], [403, "noAuth"]);
    for (const each of streams) assert.equal((await each.next(named("end"))).data.code, "noAuth");
    others.close();
  });

  it(`hold a session of 6 s for ${keptSeconds} s by polls alone; killed, its ephemeral is gone within 7 s`, async (t) => {
    await inTime(t, "gone after its client was killed", 7000, async (number) => [
      await holdByPolls(t, `/kept-${number}`, number === 1 ? keptSeconds : 3),
    ]);
  });

  async function holdByPolls(t: TestContext, path: string, seconds: number): Promise<number> {
    const session = await ClientSession.open(ensemble.gateway.base, 6000);
    const made = await session.put(ensemble.gateway.base, path);
    assert.equal(made.status, 201);
    // A client without threads: it knows nothing but to poll again.
    const url = `${ensemble.gateway.base}/v1/watch?node=${path}&after=${made.zxid}&wait=30s`;
    const loop = `while curl -sf -o /dev/null -H 'Quorate-Session: ${session.header}' '${url}'; do echo polled; done`;
    const shell = spawn("sh", ["-c", loop], { detached: true, stdio: ["ignore", "pipe", "ignore"] });
    let polls = 0;
    shell.stdout.on("data", (text: Buffer) => {
      polls += text.toString().split("polled").length - 1;
    });
    await sleep(seconds * 1000);
    const still = await client.get(`/v1/znodes${path}`);
    assert.equal(still.status, 200, "the session was held");
    assert.equal(shell.exitCode, null, "no poll failed");
    const gone = once(shell, "exit");
    process.kill(-(shell.pid ?? 0), "SIGKILL");
    await gone;
    const killed = performance.now();
    const tag = { "if-none-match": still.headers.etag as string };
    const last = await client.get(`/v1/znodes${path}?wait=60s`, tag);
    const millis = performance.now() - killed;
    assert.equal(last.status, 404, last.text);
    assert.ok(polls >= Math.floor(seconds / 6) && polls <= seconds, `${polls} polls`);
    t.diagnostic(`${polls} polls`);
    return millis;
  }
});

describe("watches of what is quiet, where the ring is soon round", { timeout: 300_000 }, () => {
  around(smallRing);

  it("never grow too old, while the ring moves on", async (t) => {
    await put("/quiet", "");
    const stream = new WatchStream(ensemble.gateway.base, "node=/quiet", "text/event-stream");
    const { id: first = "" } = await stream.next(named("state"));
    const polled = (await client.get("/v1/watch?node=/quiet")).body.cursor as string;
    let writes = 0;
    const tooOld = async (): Promise<boolean> => {
      await Promise.all(Array.from({ length: 100 }, () => put(`/loud-${writes++ % 50}`, "")));
      return (await client.get(`/v1/watch?node=/quiet&after=${first}&wait=0s`)).status === 410;
    };
    let cursor = polled;
    await until(
      async () => {
        // A loop of polls is given newer cursors, too.
        const { status, body } = await client.get(`/v1/watch?node=/quiet&after=${cursor}&wait=0s`);
        assert.deepEqual([status, body.events], [200, []]);
        cursor = body.cursor;
        return tooOld();
      },
      40_000,
      "the ring has left the first cursor behind",
    );
    const old = await client.get(`/v1/watch?node=/quiet&after=${first}&wait=0s`);
    assert.equal(old.body.code, "cursorTooOld");
    const at = cursor;
    await stream.next((event) => event.name === "cursor" && (event.id ?? "") >= at, 20_000);
    stream.close();
    const again = new WatchStream(ensemble.gateway.base, "node=/quiet", "text/event-stream", {
      "last-event-id": stream.cursor,
    });
    assert.equal((await again.opened).status, 200);
    const zxid = await put("/quiet", "1");
    assert.equal((await again.next()).data.zxid, zxid);
    again.close();
    t.diagnostic(`${writes} writes elsewhere`);
  });
});
