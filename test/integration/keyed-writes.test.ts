/**
 * Idempotency keys while processes are killed: the first answer again, 422 for another request under the same key, and two at
 * once.
 */
import assert from "node:assert/strict";
import { Agent } from "node:http";
import { after, before, test } from "node:test";
import { limits } from "@quorate/api";
import { Ensemble, type Process, sleep, until } from "./ensemble.ts";
import { exchange, type Reply } from "./http-client.ts";
import { anotherOf, codeIn, gist, isReplay, KeyedClient, type KeyedRequest } from "./keyed-client.ts";

/** What fifty checks may take, on a machine that stands still meanwhile. */
const marginMillis = 8000;

let ensemble: Ensemble;
let client: KeyedClient;
const agent = new Agent({ keepAlive: true });

before(async () => {
  ensemble = await Ensemble.start({ gateways: 2 });
  client = new KeyedClient(
    [...ensemble.gateways, ...ensemble.replicas].map((each) => each.base),
    agent,
  );
});
after(async () => {
  agent.destroy();
  await ensemble?.stop();
});

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

test("a keyed write has one effect across kills, and its first answer comes again", { timeout: 240_000 }, async (t) => {
  await make("/keyed/queue");
  const began = performance.now();
  const clients = 8;
  const told: { request: KeyedRequest; reply: Reply }[] = [];
  let [running, repeated, replayed] = [true, 0, 0];
  const loops = Array.from({ length: clients }, async (_, number) => {
    for (let turn = 0; running || turn % 5 !== 0; turn++) {
      const request = requestOf(number, turn);
      const { reply, tries } = await client.insist(request, number + turn);
      told.push({ request, reply });
      if (tries > 1) repeated += 1;
      if (isReplay(reply)) replayed += 1;
      await sleep(5);
    }
  });
  try {
    for (const pick of ["leader", "gateway", "leader"] as const) {
      // In the midst of the work, however fast it goes.
      const enough = told.length + 3 * clients;
      await until(() => told.length >= enough, 15_000, "the clients write");
      await killAndRestart(pick === "leader" ? ensemble.replica(await ensemble.leader()) : ensemble.gateway);
    }
  } finally {
    running = false;
  }
  await Promise.all(loops);
  for (const { request, reply } of told) {
    const expected = [201, -1, 412, 200, 200][Number(request.key.split("-")[2]) % 5];
    if (expected !== -1) assert.equal(reply.status, expected, `${request.key}: ${reply.body}`);
    else assert.ok(reply.status === 200 || reply.status === 201, reply.body);
  }
  for (let at = 0; at < told.length; at += 50) {
    // The first keys' minute, which is of stamped time.
    if (performance.now() - began > limits.keyMillis / 1.1 - marginMillis) {
      t.diagnostic(
        `this machine is too slow: of ${told.length} answers ${at} were asked for again within their minute`,
      );
      break;
    }
    await Promise.all(
      told.slice(at, at + 50).map(async ({ request, reply }, i) => {
        const again = await client.send(i, request);
        assert.ok(isReplay(again), `${request.key}: ${again.status} ${again.body}`);
        assert.deepEqual(gist(again), gist(reply), request.key);
        const other = await client.send(i + 1, anotherOf(request));
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
  timeout: 240_000,
}, async (t) => {
  await make("/pairs/queue");
  const pairs = 150;
  let [replays, refusals] = [0, 0];
  const leader = ensemble.replica(await ensemble.leader());
  let answered = 0;
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
    const answers = await Promise.all([
      client.insist(request, at),
      client.insist(differs ? anotherOf(request) : request, at + 1),
    ]);
    answered += 1;
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
  await until(() => answered >= pairs / 3, 15_000, "a third of them is answered");
  await killAndRestart(leader);
  await Promise.all(all);
  const queue = (await readQueue("/pairs/queue")).map((each) => each.trim());
  assert.equal(queue.length, pairs);
  assert.equal(new Set(queue).size, pairs);
  t.diagnostic(`${replays} pairs with one answer, ${refusals} with 422`);
});
