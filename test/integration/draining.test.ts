/** A gateway that is told to stop: nobody who asks through it has a request cut off, and who waits is told where to go on. */
import assert from "node:assert/strict";
import { Agent, request as httpRequest } from "node:http";
import { after, before, describe, it } from "node:test";
import { WatchStream } from "../conformance/watch-client.ts";
import { Ensemble, until } from "./ensemble.ts";

interface Answer {
  readonly status: number;
  readonly connection: string;
  readonly body: string;
}

function ask(base: string, method: string, path: string, agent: Agent | false = false, body = ""): Promise<Answer> {
  const { hostname, port } = new URL(base);
  return new Promise((resolve, reject) => {
    const request = httpRequest({ hostname, port, method, path, agent }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.on("error", reject);
      response.on("end", () => {
        const connection = response.headers.connection ?? "";
        resolve({ status: response.statusCode ?? 0, connection, body: text });
      });
    });
    request.on("error", reject);
    request.end(body);
  });
}

/** Asks one thing after the other on a connection that it keeps while it may, until it is sent elsewhere. */
class Worker {
  done = 0;
  /** As who balances loads does, once the gateway says that it is not ready: no new connection is begun when it stops listening. */
  leaves = false;
  readonly faults: string[] = [];
  readonly ended: Promise<void>;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  constructor(base: string, name: string) {
    this.ended = this.#work(base, `/v1/znodes/${name}`);
  }

  async #work(base: string, path: string): Promise<void> {
    while (!this.leaves) {
      const write = this.done % 2 === 0;
      try {
        const { status } = await ask(base, write ? "PUT" : "GET", path, this.#agent, write ? String(this.done) : "");
        if (status !== 200 && status !== 201) this.faults.push(`${path} ${this.done}: ${status}`);
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        this.faults.push(`${path} ${this.done}: ${code} ${message}`);
        break;
      }
      this.done++;
    }
    this.#agent.destroy();
  }
}

describe("a gateway that gets TERM", () => {
  let ensemble: Ensemble;
  before(async () => {
    const environmentOf = (name: string): Record<string, string> =>
      name.startsWith("gateway") ? { QUORATE_DRAIN: "8000" } : {};
    ensemble = await Ensemble.start({ replicas: 1, environmentOf });
  });
  after(() => ensemble?.stop());

  it("is not ready at once, serves on for its grace, and cuts nobody off", async () => {
    const { gateway } = ensemble;
    const { base } = gateway;
    const workers = Array.from({ length: 8 }, (_, i) => new Worker(base, `w${i}`));
    const stream = new WatchStream(base, "node=/quiet", "text/event-stream");
    assert.equal((await stream.opened).status, 200);
    await until(() => stream.cursor !== "", 10_000, "the stream has its state");
    const poll = ask(base, "GET", `/v1/watch?node=/quiet&wait=5m&after=${stream.cursor}`);
    await until(() => workers.every((each) => each.done > 20), 60_000, "everybody works");
    gateway.signal("SIGTERM");
    await until(async () => (await ask(base, "GET", "/readyz")).status === 503, 3000, "it is not ready");
    const notReady = await ask(base, "GET", "/readyz?verbose");
    assert.match(notReady.body, /draining/);
    assert.equal(notReady.connection, "close");
    assert.equal((await ask(base, "GET", "/livez")).status, 200);
    const late = await ask(base, "PUT", "/v1/znodes/late", false, "late");
    assert.deepEqual([late.status, late.connection], [201, "close"]);
    const served = workers.map((each) => each.done);
    await until(
      () => workers.every((each, i) => each.done > (served[i] as number)),
      3000,
      "all are served while it drains",
    );
    for (const each of workers) each.leaves = true;
    await Promise.all(workers.map((each) => each.ended));
    assert.equal(stream.closed, false, "who waits is not sent away to come back here");
    await gateway.waitForEnd(20_000);
    assert.equal(gateway.ended, 0, gateway.output);
    assert.deepEqual(
      workers.flatMap((each) => each.faults),
      [],
    );
    const polled = await poll;
    assert.equal(polled.status, 200);
    const { events, cursor } = JSON.parse(polled.body) as { events: unknown[]; cursor: string };
    assert.deepEqual(events, []);
    assert.ok(cursor >= stream.cursor.slice(0, 18));
    const last = stream.events.at(-1);
    assert.equal(last?.name, "end");
    assert.match(last.id ?? "", /^0x[0-9a-f]{16}\./);
  });
});
