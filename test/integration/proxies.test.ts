/** nginx and HAProxy before two gateways, configured as README.md tells: what passes through them, and the loss of a gateway. */
import assert from "node:assert/strict";
import { Agent } from "node:http";
import { after, before, describe, it } from "node:test";
import { CallError, Caller } from "../conformance/grpc-client.ts";
import { Poller, WatchStream } from "../conformance/watch-client.ts";
import { ask, show } from "./door-client.ts";
import { Ensemble, freePorts, type Process, sleep, until } from "./ensemble.ts";
import { exchange } from "./http-client.ts";
import { inTime } from "./in-time.ts";
import { lacks, type ProxyName, ProxyProcess } from "./proxy-process.ts";
import { pollOn, streamOn } from "./watchers.ts";

/** Up to a tenth is taken off what is asked for. */
const pollSeconds = 34;
/** Until an event is there, from the sending of the write. */
const eventMillis = 1000;

let ensemble: Ensemble;
let gatewayPorts: readonly { readonly rest: number; readonly grpc: number }[];

before(async () => {
  const free = await freePorts(2);
  ensemble = await Ensemble.start({
    gateways: 2,
    environmentOf: (name) =>
      name.startsWith("gateway") ? { QUORATE_GRPC_PORT: String(free[Number(name.slice(-1)) - 1]) } : {},
  });
  gatewayPorts = ensemble.gateways.map(({ restPort }, i) => ({ rest: restPort, grpc: free[i] ?? 0 }));
  await ensemble.ready(ensemble.gateways[1]);
  await startProxies();
});
after(async () => {
  for (const { proxy, poller } of fronted.values()) {
    poller.close();
    await proxy.stop();
  }
  await ensemble?.stop();
});

/** Which gateway is killed before which proxy: each has seen the other one well all the time. */
const victims: Readonly<Record<ProxyName, number>> = { nginx: 0, HAProxy: 1 };

/** A proxy under test, and the poll of 30 s through it, which waits while all else is tried. */
interface Fronted {
  readonly proxy: ProxyProcess;
  readonly poller: Poller;
  readonly longPoll: ReturnType<Poller["get"]>;
}

const names = (["nginx", "HAProxy"] as const).map((name) => ({ name, skip: lacks(name) ?? false }));
const fronted = new Map<ProxyName, Fronted>();

async function startProxies(): Promise<void> {
  for (const { name, skip } of names) {
    if (skip !== false) continue;
    const [rest = 0, grpc = 0] = await freePorts(2);
    const proxy = new ProxyProcess(name, { rest, grpc }, gatewayPorts);
    const poller = new Poller(proxy.base);
    fronted.set(name, { proxy, poller, longPoll: proxy.ready().then(() => startPoll(poller, `/quiet-${name}`)) });
  }
  for (const { proxy, longPoll } of fronted.values()) {
    longPoll.catch(() => {});
    await proxy.ready();
  }
}

async function startPoll(poller: Poller, path: string): ReturnType<Poller["get"]> {
  await poller.send("PUT", `/v1/znodes${path}`);
  const { cursor } = (await poller.get(`/v1/watch?node=${path}`)).body as { readonly cursor: string };
  return poller.get(`/v1/watch?node=${path}&after=${cursor}&wait=${pollSeconds}s`);
}

function frontedBy(name: ProxyName): Fronted {
  const found = fronted.get(name);
  assert.ok(found);
  return found;
}

async function put(
  base: string,
  path: string,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<string> {
  // A proxy that has seen its gateways stand still says so itself, and has asked nobody.
  let written = await ask(base, "PUT", `/v1/znodes${path}`, { body, headers });
  for (let tries = 1; written.status === 503 && written.code === "" && tries < 60; tries++) {
    await sleep(500);
    written = await ask(base, "PUT", `/v1/znodes${path}`, { body, headers });
  }
  assert.ok(written.status === 200 || written.status === 201, show(written));
  return written.zxid;
}

for (const { name, skip } of names) {
  describe(name, { skip, timeout: 300_000 }, () => {
    it("brings an event within a second, as it happens", async (t) => {
      const { proxy } = frontedBy(name);
      await put(proxy.base, "/sse", "0");
      for (const type of ["text/event-stream", "application/x-ndjson"] as const) {
        const stream = new WatchStream(proxy.base, "node=/sse", type);
        assert.equal((await stream.opened).status, 200);
        await stream.next(({ name }) => name === "state");
        await inTime(t, `${name}: ${type} after the write was sent`, eventMillis, async (number) => {
          const began = performance.now();
          const zxid = await put(proxy.base, "/sse", `${type} ${number}`);
          const event = await stream.next();
          assert.equal(event.data.zxid, zxid);
          return [performance.now() - began];
        });
        stream.close();
      }
    });

    it("compresses JSON, and its weakened ETag is as good as ours", async () => {
      const { proxy } = frontedBy(name);
      const mzxid = await put(proxy.base, "/tagged", "x".repeat(3000));
      const path = "/v1/znodes/tagged?format=json";
      const read = await ask(proxy.base, "GET", path, { headers: { "accept-encoding": "gzip" } });
      assert.deepEqual([read.status, read.headers.get("content-encoding"), read.etag], [200, "gzip", `W/"${mzxid}"`]);
      const unchanged = await ask(proxy.base, "GET", path, { headers: { "if-none-match": read.etag } });
      assert.equal(unchanged.status, 304);
      await put(proxy.base, "/tagged", "y", { "if-match": read.etag });
      const late = await ask(proxy.base, "PUT", "/v1/znodes/tagged", { body: "z", headers: { "if-match": read.etag } });
      assert.deepEqual([late.status, late.code], [412, "badVersion"]);
      const plain = await ask(proxy.base, "GET", "/v1/znodes/tagged", { headers: { "accept-encoding": "identity" } });
      assert.deepEqual([plain.text, plain.headers.get("content-encoding")], ["y", null]);
      assert.match(plain.etag, /^"0x[0-9a-f]{16}"$/, "what is not compressed keeps the strong one");
    });

    it("leaves %2F in paths alone, and large data whole", async () => {
      const { proxy } = frontedBy(name);
      await put(proxy.base, "/deep", "");
      await put(proxy.base, "/deep%2Fer", "below");
      assert.equal((await ask(proxy.base, "GET", "/v1/znodes/deep/er")).text, "below");
      const listed = await ask(proxy.base, "GET", "/v1/children/deep");
      assert.deepEqual(
        (JSON.parse(listed.text) as { readonly children: readonly { readonly name: string }[] }).children.map(
          (each) => each.name,
        ),
        ["er"],
      );
      const large = "ab".repeat(500_000);
      await put(proxy.base, "/large", large);
      assert.equal((await ask(proxy.base, "GET", "/v1/znodes/large")).text, large);
    });

    it("passes gRPC: calls, errors with their details, a watch", async (t) => {
      const { proxy } = frontedBy(name);
      const caller = new Caller(proxy.ports.grpc);
      try {
        await caller.call("Put", { path: "/grpc", data: Buffer.from("0") });
        const failed = await caller.call("Get", { path: "/grpc/none" }).catch((error: unknown) => error);
        assert.ok(failed instanceof CallError);
        assert.deepEqual([failed.code, failed.reason], [5, "NO_NODE"]);
        const inbox = caller.stream("Watch", { nodes: ["/grpc"] });
        assert.equal((await inbox.next()).states?.length, 1);
        await inTime(t, `${name}: an event of gRPC after the write was sent`, eventMillis, async (number) => {
          const began = performance.now();
          const { header } = await caller.call("Put", { path: "/grpc", data: Buffer.from(String(number)) });
          const { events = [] } = await inbox.next();
          assert.deepEqual([events.length, events[0]?.zxid], [1, header?.zxid]);
          return [performance.now() - began];
        });
        inbox.cancel();
      } finally {
        caller.close();
      }
    });
  });
}

for (const { name, skip } of names) {
  describe(`${name}, slowly`, { skip, timeout: 300_000 }, () => {
    it("lets a poll of 30 s come to its end", async (t) => {
      const { status, body, millis } = await frontedBy(name).longPoll;
      assert.deepEqual([status, body.events], [200, []]);
      assert.ok(millis >= 30_000, `${millis} ms`);
      t.diagnostic(`${name}: answered after ${(millis / 1000).toFixed(1)} s`);
    });
  });
}

for (const { name, skip } of names) {
  describe(`${name}, and the loss of a gateway`, { skip, timeout: 240_000 }, () => {
    it("goes on, and nothing is done twice", async (t) => {
      const { proxy } = frontedBy(name);
      const root = `/counts-${name}`;
      const base = await put(proxy.base, root, "");
      const query = `children=${root}&subtree=${root}`;
      const watchers = [
        streamOn("stream", () => proxy.base, query, "text/event-stream", base),
        pollOn("poll", () => proxy.base, query, base),
      ];
      const counters = Array.from({ length: 16 }, (_, i) => new Counter(proxy.base, `${root}/${i}`));
      const stop = (): void => {
        for (const each of counters) each.stopped = true;
      };
      const running = Promise.all(counters.map((each) => each.run())).finally(stop);
      running.catch(() => {});
      const victim = ensemble.gateways[victims[name]] as Process;
      let last: string;
      try {
        await sleep(1000);
        // What it had under way stays so until it dies.
        victim.signal("SIGSTOP");
        await sleep(200);
        await victim.kill();
        await sleep(2000);
        stop();
        await running;
        last = await put(proxy.base, `${root}/last`, "");
        const toldLast = (): boolean => watchers.every(({ told }) => told.at(-1)?.startsWith(last) === true);
        await until(toldLast, 15_000, "both are told the last").catch(() => {});
      } finally {
        stop();
        for (const each of watchers) await each.stop();
        if (!victim.running) victim.start();
      }
      await ensemble.ready(victim);
      const written = counters.flatMap((each) => each.written).sort();
      for (const { name, told } of watchers) assert.deepEqual(told, [...written, `${last} created ${root}/last`], name);
      const sum = (of: (each: Counter) => number): number => counters.reduce((before, each) => before + of(each), 0);
      t.diagnostic(
        `${name}: ${written.length} writes, ${sum((each) => each.repeats)} repeated by their clients, ` +
          `${sum((each) => each.replayed)} answered from the memory of their key; ` +
          watchers.map((each) => `${each.name} broken ${each.breaks} times`).join(", "),
      );
    });
  });
}

/** Adds one to its znode, again and again, if it is what it was; each step has a key, with which it may be sent twice. */
class Counter {
  stopped = false;
  /** `zxid type path`. */
  readonly written: string[] = [];
  repeats = 0;
  replayed = 0;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #base: string;
  readonly #path: string;

  constructor(base: string, path: string) {
    this.#base = base;
    this.#path = path;
  }

  async run(): Promise<void> {
    let tag: string | undefined;
    for (let count = 0; !this.stopped; count++) {
      const condition = tag === undefined ? { "if-none-match": "*" } : { "if-match": `"${tag}"` };
      tag = await this.#step(count, { ...condition, "idempotency-key": `${this.#path}-${count}` });
    }
    this.#agent.destroy();
  }

  async #step(count: number, headers: Readonly<Record<string, string>>): Promise<string> {
    for (let tries = 0; tries < 600; tries++) {
      const path = `/v1/znodes${this.#path}`;
      const body = String(count);
      const reply = await exchange(this.#agent, this.#base, path, { method: "PUT", headers, body }).catch(
        () => undefined,
      );
      if (reply !== undefined && (reply.status === 200 || reply.status === 201)) {
        const { stat } = JSON.parse(reply.body) as {
          readonly stat: { readonly version: number; readonly mzxid: string };
        };
        assert.equal(stat.version, count, `${this.#path}: done once`);
        if (reply.headers["quorate-replayed"] === "true") this.replayed++;
        this.written.push(`${stat.mzxid} ${reply.status === 201 ? "created" : "changed"} ${this.#path}`);
        return stat.mzxid;
      }
      // A condition that fails now has met its own success.
      assert.ok(reply === undefined || reply.status >= 500, `${this.#path}: ${reply?.status} ${reply?.body}`);
      this.repeats++;
      await sleep(50);
    }
    throw new Error(`${this.#path}: no answer`);
  }
}
