/**
 * Idempotency keys while processes are killed: the first answer again, 422 for another request under the same key, two at once,
 * and no room.
 */
import assert from "node:assert/strict";
import { Agent } from "node:http";
import { after, before, test } from "node:test";
import { limits } from "@quorate/api";
import { Ensemble, type Process, sleep } from "./ensemble.ts";
import { exchange, type Reply } from "./http-client.ts";
import { pipeline } from "./pipeline.ts";

interface KeyedRequest {
  readonly key: string;
  readonly method: "PUT" | "POST" | "DELETE";
  readonly target: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

let ensemble: Ensemble;
let doors: readonly string[];
const agent = new Agent({ keepAlive: true });

before(async () => {
  ensemble = await Ensemble.start({ gateways: 2 });
  doors = [...ensemble.gateways, ...ensemble.replicas].map((each) => each.base);
});
after(async () => {
  agent.destroy();
  await ensemble?.stop();
});

function send(door: string, { key, method, target, body, headers }: KeyedRequest): Promise<Reply> {
  const all = { ...headers, "Idempotency-Key": key };
  return exchange(agent, door, target, { method, headers: all, ...(body === undefined ? undefined : { body }) });
}

/** What a client does that must know: the same again, door after door, until somebody can tell. */
async function insist(request: KeyedRequest, from: number): Promise<{ reply: Reply; tries: number }> {
  for (let tries = 1; ; tries++) {
    try {
      const reply = await send(doors[(from + tries - 1) % doors.length] as string, request);
      if (reply.status < 500) return { reply, tries };
    } catch {
      await sleep(10);
    }
    if (tries > 1000) throw new Error(`no answer to ${JSON.stringify(request)}`);
  }
}

function isReplay(reply: Reply): boolean {
  return reply.headers["quorate-replayed"] === "true";
}

/** All that an answer says of the write itself, a failure's problem included; not who said it. */
function gist({ status, body, headers }: Reply): unknown {
  return { status, body, etag: headers.etag, location: headers.location, zxid: headers["quorate-zxid"] };
}

/** The request number `turn` of a client: every kind of write, one in five bound to fail. */
function requestOf(client: number, turn: number): KeyedRequest {
  const key = `k-${client}-${turn}`;
  switch (turn % 5) {
    case 0:
      return { key, method: "POST", target: "/v1/znodes/keyed/queue?prefix=k-", body: key };
    case 1:
      return { key, method: "PUT", target: `/v1/znodes/keyed/own-${client}`, body: key };
    case 2:
      return {
        key,
        method: "PUT",
        target: `/v1/znodes/keyed/own-${client}`,
        body: "never",
        headers: { "If-None-Match": "*" },
      };
    case 3:
      return {
        key,
        method: "POST",
        target: "/v1/txn",
        body: JSON.stringify({
          then: [
            { op: "create", path: `/keyed/queue/${key}`, data: key },
            { op: "put", path: `/keyed/own-${client}`, data: key },
          ],
        }),
        headers: { "Content-Type": "application/json" },
      };
    default:
      return { key, method: "DELETE", target: `/v1/znodes/keyed/queue/k-${client}-${turn - 1}` };
  }
}

/** Not the same request, but under the same key. */
function anotherOf(request: KeyedRequest): KeyedRequest {
  if (request.body === undefined) return { ...request, target: `${request.target}x` };
  return { ...request, body: `${request.body} ` };
}

function codeIn({ body }: Reply): string {
  return (JSON.parse(body) as { code: string }).code;
}

/** Data of all children. */
async function readQueue(path: string): Promise<string[]> {
  const { status, body } = await exchange(agent, ensemble.gateway.base, `/v1/children${path}?data=true&limit=10000`);
  assert.equal(status, 200, body);
  const page = JSON.parse(body) as { children: { data: string }[]; continue?: string };
  assert.equal(page.continue, undefined);
  return page.children.map((each) => each.data);
}

async function make(path: string): Promise<void> {
  const made = await exchange(agent, ensemble.gateway.base, `/v1/znodes${path}?parents=true`, {
    method: "PUT",
    body: "",
  });
  assert.equal(made.status, 201, made.body);
}

async function killAndRestart(victim: Process): Promise<void> {
  await victim.kill();
  victim.start();
  await ensemble.ready(victim);
}

test("a keyed write has one effect across kills, and its first answer comes again", { timeout: 60_000 }, async (t) => {
  await make("/keyed/queue");
  const clients = 8;
  const told: { request: KeyedRequest; reply: Reply }[] = [];
  let [running, repeated, replayed] = [true, 0, 0];
  const loops = Array.from({ length: clients }, async (_, client) => {
    for (let turn = 0; running || turn % 5 !== 0; turn++) {
      const request = requestOf(client, turn);
      const { reply, tries } = await insist(request, client + turn);
      told.push({ request, reply });
      if (tries > 1) repeated += 1;
      if (isReplay(reply)) replayed += 1;
      await sleep(5);
    }
  });
  for (const pick of ["leader", "gateway", "leader"] as const) {
    await sleep(300);
    await killAndRestart(pick === "leader" ? ensemble.replica(await ensemble.leader()) : ensemble.gateway);
  }
  running = false;
  await Promise.all(loops);
  for (const { request, reply } of told) {
    const expected = [201, -1, 412, 200, 200][Number(request.key.split("-")[2]) % 5];
    if (expected !== -1) assert.equal(reply.status, expected, `${request.key}: ${reply.body}`);
    else assert.ok(reply.status === 200 || reply.status === 201, reply.body);
  }
  for (let at = 0; at < told.length; at += 50) {
    await Promise.all(
      told.slice(at, at + 50).map(async ({ request, reply }, i) => {
        const again = await send(doors[i % doors.length] as string, request);
        assert.ok(isReplay(again), `${request.key}: ${again.status} ${again.body}`);
        assert.deepEqual(gist(again), gist(reply), request.key);
        const other = await send(doors[(i + 1) % doors.length] as string, anotherOf(request));
        assert.deepEqual([other.status, codeIn(other)], [422, "keyReused"], request.key);
      }),
    );
  }
  const queue = await readQueue("/keyed/queue");
  const made = told
    .filter(({ request }) => Number(request.key.split("-")[2]) % 5 === 0)
    .map(({ request }) => request.key);
  assert.deepEqual(queue.sort(), made.sort(), "one child for each keyed creation, none of those that were deleted");
  t.diagnostic(
    `${told.length} keyed writes; ${repeated} were sent more than once, ${replayed} of these had been done already`,
  );
});

test("two at once under one key: one effect, one answer; of two requests under one key one is refused", {
  timeout: 60_000,
}, async (t) => {
  await make("/pairs/queue");
  const pairs = 150;
  let [replays, refusals] = [0, 0];
  const leader = ensemble.replica(await ensemble.leader());
  const all = Array.from({ length: pairs }, async (_, at) => {
    // Spread over about a second, in the midst of which the leader is killed.
    await sleep(at * 7);
    const request = {
      key: `pair-${at}`,
      method: "POST",
      target: "/v1/znodes/pairs/queue?prefix=p-",
      body: `pair-${at}`,
    } as const;
    const differs = at % 3 === 0;
    const answers = await Promise.all([insist(request, at), insist(differs ? anotherOf(request) : request, at + 1)]);
    const [one, two] = answers.map((each) => each.reply) as [Reply, Reply];
    if (differs) {
      assert.deepEqual([one.status, two.status].sort(), [201, 422], `${one.body} ${two.body}`);
      refusals += 1;
    } else {
      assert.deepEqual(gist(one), gist(two));
      assert.ok(isReplay(one) || isReplay(two), "one of the two is the repeat");
      if (answers.every((each) => each.tries === 1)) assert.ok(!(isReplay(one) && isReplay(two)), "the other is not");
      replays += 1;
    }
  });
  await sleep(400);
  await killAndRestart(leader);
  await Promise.all(all);
  const queue = (await readQueue("/pairs/queue")).map((each) => each.trim());
  assert.equal(queue.length, pairs);
  assert.equal(new Set(queue).size, pairs);
  t.diagnostic(`${replays} pairs with one answer, ${refusals} with 422`);
});

test("no room for keys: 429 without effect, the known ones answer on, also from the next leader", {
  timeout: 120_000,
}, async (t) => {
  await make("/full");
  const began = performance.now();
  let [sent, taken, throttled] = [0, 0, 0];
  const next = (): string | undefined => {
    if (throttled > 0 || sent > 2 * limits.keyCount) return undefined;
    sent += 1;
    return `PUT /v1/znodes/full HTTP/1.1\r\nHost: q\r\nIdempotency-Key: f${sent}\r\nContent-Length: 1\r\n\r\nx`;
  };
  const answered = (status: number): void => {
    if (status === 429) throttled += 1;
    else if (status === 200) taken += 1;
    else assert.fail(`a keyed write was answered ${status}`);
  };
  const ports = ensemble.gateways.flatMap((each) => [each.restPort, each.restPort]);
  await Promise.all(ports.map((port) => pipeline({ port, window: 200, next, answered })));
  t.diagnostic(`${taken} keys in ${Math.round(performance.now() - began)} ms, then ${throttled} times 429`);
  assert.ok(throttled > 0, `${taken} keys were taken, and none was refused`);
  // Keys live for a minute: a machine that needs longer for so many has seen the first of them go.
  if (performance.now() - began < limits.keyMillis) assert.ok(taken <= limits.keyCount, `${taken} were taken`);
  const first = { key: "f1", method: "PUT", target: "/v1/znodes/full", body: "x" } as const;
  const late = { key: "late", method: "PUT", target: "/v1/znodes/full/late", body: "x" } as const;
  for (const round of ["before", "after"]) {
    const { reply: refused } = await insist(late, 0);
    assert.deepEqual([refused.status, codeIn(refused)], [429, "throttled"], round);
    assert.ok(Number(refused.headers["retry-after"]) >= 1);
    assert.equal((JSON.parse(refused.body) as { certainty: string }).certainty, "noEffect");
    assert.equal((await exchange(agent, ensemble.gateway.base, "/v1/znodes/full/late")).status, 404);
    assert.ok(isReplay((await insist(first, 1)).reply), `a key that is known answers on, ${round} the leader's end`);
    const unkeyed = await exchange(agent, ensemble.gateway.base, "/v1/znodes/full", { method: "PUT", body: "y" });
    assert.equal(unkeyed.status, 200, "a write without a key needs no room");
    if (round === "before") await killAndRestart(ensemble.replica(await ensemble.leader()));
  }
  await ensemble.settled();
});
