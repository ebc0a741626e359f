/**
 * A lock as a shell script takes it, over two gateways: one process holds it, another waits, the leader is killed in the
 * midst, the lock passes on, and what the first still writes with its token is refused.
 */
import assert from "node:assert/strict";
import { Agent } from "node:http";
import { after, before, test } from "node:test";
import { Ensemble, type Process, sleep, until } from "./ensemble.ts";
import { exchange, type Reply } from "./http-client.ts";

const agent = new Agent({ keepAlive: true });
let ensemble: Ensemble;
before(async () => {
  ensemble = await Ensemble.start({ gateways: 2 });
});
after(async () => {
  agent.destroy();
  await ensemble.stop();
});

interface Ask {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

// biome-ignore lint/suspicious/noExplicitAny: a body is whatever the door sent.
type Answer = Reply & { readonly json: any };

/** Asks until there is an answer that says something: a loop around curl, which goes by the status. */
async function ask(through: Process, { path, ...rest }: Ask): Promise<Answer> {
  const end = performance.now() + 90_000;
  for (;;) {
    const answer = await exchange(agent, through.base, path, rest).catch(() => undefined);
    const isSaid = answer !== undefined && answer.status < 500 && answer.status !== 429;
    if (isSaid) return { ...answer, json: answer.body.startsWith("{") ? JSON.parse(answer.body) : undefined };
    assert.ok(performance.now() < end, `${rest.method} ${path}: ${answer?.status} ${answer?.body}`);
    await sleep(100);
  }
}

async function session(through: Process): Promise<Readonly<Record<string, string>>> {
  const headers = { "Content-Type": "application/json" };
  const { json } = await ask(through, { method: "POST", path: "/v1/sessions", headers, body: '{"timeout":"60s"}' });
  return { "Quorate-Session": `${json.id}:${json.secret}` };
}

function gateways(): readonly [Process, Process] {
  const [one, two] = ensemble.gateways;
  assert.ok(one && two);
  return [one, two];
}

/** Polls until it is held; `polls`: how often it was told to wait. */
async function acquire(
  through: Process,
  headers: Readonly<Record<string, string>>,
  told: { polls: number } = { polls: 0 },
): Promise<Answer> {
  const path = "/v1/locks/app/migrate?wait=2s";
  for (;;) {
    const answer = await ask(through, { method: "POST", path, headers });
    assert.ok(answer.status === 200 || answer.status === 202, answer.body);
    if (answer.status === 200) return answer;
    told.polls++;
  }
}

const put = (value: string, token: string): Ask => ({
  method: "PUT",
  path: "/v1/znodes/app/state",
  headers: { "Quorate-Fenced": `app/migrate=${token}` },
  body: value,
});

test("a lock passes on over the death of the leader, and its former token writes nothing more", async () => {
  const [one, two] = gateways();
  const [ann, bob] = [await session(one), await session(two)];
  const held = await acquire(one, ann);
  assert.equal((await ask(one, put("ann's", held.json.token))).status, 201);
  // The other gateway does not know the token: it looks.
  assert.equal((await ask(two, put("ann's still", held.json.token))).status, 200);
  const told = { polls: 0 };
  const waiting = acquire(two, bob, told);
  await until(() => told.polls > 0, 60_000, "the other is told to wait");

  const leader = ensemble.replica(await ensemble.leader());
  await leader.kill();
  assert.equal((await ask(two, put("ann's to the end", held.json.token))).status, 200);
  const seen = await ask(one, { method: "GET", path: "/v1/locks/app/migrate" });
  assert.deepEqual([seen.json.holders.length, seen.json.waiting], [1, 1]);
  assert.equal(seen.json.holders[0].token, held.json.token);
  const released = await ask(two, { method: "DELETE", path: "/v1/locks/app/migrate", headers: ann });
  // Its first try may have been the one, whose answer went with the leader.
  assert.ok(released.status === 200 || released.status === 404, released.body);

  const next = await waiting;
  assert.ok(next.json.token > held.json.token, `${next.json.token} behind ${held.json.token}`);
  for (const gateway of [one, two]) {
    const late = await ask(gateway, put("ann's, too late", held.json.token));
    assert.deepEqual([late.status, late.json.code, late.json.certainty], [412, "fenced", "noEffect"]);
    const txn = { then: [{ op: "put", path: "/app/state", data: "too late" }] };
    const headers = { "Content-Type": "application/json", "Quorate-Fenced": `/app/migrate=${held.json.token}` };
    const refused = await ask(gateway, { method: "POST", path: "/v1/txn", headers, body: JSON.stringify(txn) });
    assert.deepEqual([refused.status, refused.json.code, refused.json.op], [412, "fenced", undefined]);
  }
  assert.equal((await ask(one, put("bob's", next.json.token))).status, 200);
  assert.equal((await ask(two, { method: "GET", path: "/v1/znodes/app/state" })).body, "bob's");
  leader.start();
  await ensemble.ready();
});

test("an election passes on when its leader's session ends, and both gateways tell it", async () => {
  const [one, two] = gateways();
  const [ann, bob] = [await session(one), await session(two)];
  const path = "/v1/elections/app/leader";
  const first = await ask(one, { method: "POST", path, headers: ann, body: "ann" });
  assert.deepEqual([first.status, first.json.leader], [200, true]);
  const stood = await ask(two, { method: "POST", path, headers: bob, body: "bob" });
  assert.deepEqual([stood.status, stood.json.ahead], [202, 1]);
  const tag = (await ask(two, { method: "GET", path })).headers.etag ?? "";
  const observed = ask(two, { method: "GET", path: `${path}?wait=60s`, headers: { "If-None-Match": tag } });
  const id = (ann["Quorate-Session"] ?? "").split(":")[0];
  await ask(one, { method: "DELETE", path: `/v1/sessions/${id}`, headers: ann });
  assert.equal((await observed).json.leader.value, "bob");
  const now = await ask(one, { method: "GET", path });
  assert.deepEqual([now.json.leader.value, now.json.candidates], ["bob", 0]);
  assert.ok(now.json.leader.token > first.json.token);
});
