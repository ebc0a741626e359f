/** Locks and elections of the TypeScript client: the same over both doors, with each other and with a real tree behind them. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type ElectionState, GrpcClient, type Quorate, QuorateError, RestClient, textOf } from "@quorate/client";
import { type Doors, startDoors } from "./client-doors.ts";
import { MemoryBackend } from "./memory-backend.ts";

let doors: Doors;
const backend = new MemoryBackend();
before(async () => {
  doors = await startDoors(backend);
});
after(() => doors.stop());

const rest = () => [`http://127.0.0.1:${doors.restPort}`];
const ways = {
  rest: () => new RestClient({ endpoints: rest() }),
  "rest by polls": () => new RestClient({ endpoints: rest(), watchBy: "poll" }),
  grpc: () => new GrpcClient({ endpoints: [`127.0.0.1:${doors.grpcPort}`] }),
} as const;

async function failureOf(call: Promise<unknown>): Promise<QuorateError> {
  try {
    await call;
  } catch (error) {
    assert.ok(error instanceof QuorateError, String(error));
    return error;
  }
  return assert.fail("it succeeded");
}

const codeOf = async (call: Promise<unknown>): Promise<string> => (await failureOf(call)).code;

function aborted(signal: AbortSignal): Promise<QuorateError> {
  return new Promise((resolve) => {
    const tell = (): void => resolve(signal.reason as QuorateError);
    if (signal.aborted) tell();
    else signal.addEventListener("abort", tell);
  });
}

async function until(found: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await found())) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** How many wait. */
async function waiting(client: Quorate, name: string): Promise<number> {
  return (await client.locks.get(name)).waiting;
}

for (const [way, open] of Object.entries(ways)) {
  const root = `/${way.replaceAll(" ", "-")}`;
  describe(`locks over ${way}`, () => {
    let client: Quorate;
    let other: Quorate;
    before(() => {
      client = open();
      // Whoever comes by the other door stands in the same queue.
      other = way === "grpc" ? ways.rest() : ways.grpc();
    });
    after(() => Promise.all([client.close(), other.close()]));

    it("are held by one after the other, in turn, with tokens that grow", () => inTurn(client, other, `${root}/turn`));
    it("are given up when the wait is over", () => waitOver(client, other, `${root}/wait`));
    it("let readers in together, and as many as there are permits", () => shared(client, other, `${root}/shared`));
    it("are what they were made", () => fixed(client, `${root}/fixed`));
    it("fence what is written, also on a session's stream", () => fences(client, `${root}/fenced`));
    it("are lost with their znode, and with their session", () => losses(client, `${root}/lost`));
    it("are given up each by itself, however late, also where they are led", () => late(client, `${root}/late`));
    it("are a session's that is given, which has one place", () => given(client, other, `${root}/given`));
  });
  describe(`elections over ${way}`, () => {
    let client: Quorate;
    before(() => {
      client = open();
    });
    after(() => client.close());

    it("have one leader, whom all can see, and who may proclaim", () => leads(client, `${root}-elects`));
    it("are observed through whatever happens", () => observed(client, `${root}-observed`));
  });
}

async function inTurn(client: Quorate, other: Quorate, name: string): Promise<void> {
  const first = await client.locks.acquire(name, { contender: "anna" });
  assert.deepEqual([first.mode, first.layout, first.held, first.permits], ["exclusive", "curator", true, undefined]);
  const order: string[] = [];
  const take = async (by: Quorate, contender: string): Promise<string> => {
    await using lock = await by.locks.acquire(name.slice(1), { contender });
    order.push(contender);
    return lock.token;
  };
  const bert = take(other, "bert");
  await until(async () => (await waiting(client, name)) === 1);
  const carl = take(client, "carl");
  await until(async () => (await waiting(client, name)) === 2);
  const state = await client.locks.get(name, { waiters: 1 });
  assert.deepEqual(
    [state.kind, state.layout, state.waiting, state.waiters.map(({ contender }) => contender)],
    ["mutex", "curator", 2, ["bert"]],
  );
  const [holder] = state.holders;
  assert.deepEqual(
    [holder?.contender, holder?.token, holder?.znode, holder?.mode],
    ["anna", first.token, first.znode, "exclusive"],
  );
  assert.equal(new Date(holder?.since ?? "").toISOString(), holder?.since);
  assert.equal(holder?.session, first.session.id);
  await first.release();
  assert.equal((await aborted(first.signal)).code, "fenced");
  const tokens = [first.token, await bert, await carl];
  assert.deepEqual(order, ["bert", "carl"]);
  assert.deepEqual(tokens, tokens.toSorted());
  assert.equal(new Set(tokens).size, 3);
  assert.equal(await codeOf(first.session.get("/")), "sessionExpired");
}

async function waitOver(client: Quorate, other: Quorate, name: string): Promise<void> {
  await using _ = await other.locks.acquire(name);
  for (const wait of [0, 150]) {
    const error = await failureOf(client.locks.acquire(name, { wait }));
    assert.deepEqual([error.code, error.certainty], ["timeout", "noEffect"]);
    assert.equal(await waiting(client, name), 0);
  }
  const stop = new AbortController();
  const acquiring = client.locks.acquire(name, { signal: stop.signal });
  await until(async () => (await waiting(client, name)) === 1);
  stop.abort();
  await assert.rejects(acquiring, { name: "AbortError" });
  assert.equal(await waiting(client, name), 0);
}

async function shared(client: Quorate, other: Quorate, name: string): Promise<void> {
  const one = await client.locks.acquire(`${name}/rw`, { mode: "read" });
  const two = await other.locks.acquire(`${name}/rw`, { mode: "read" });
  assert.equal(await codeOf(client.locks.acquire(`${name}/rw`, { mode: "write", wait: 0 })), "timeout");
  const writer = client.locks.acquire(`${name}/rw`, { mode: "write" });
  await until(async () => (await waiting(client, `${name}/rw`)) === 1);
  await one.release();
  await two.release();
  await using write = await writer;
  assert.equal(write.mode, "write");
  assert.equal((await client.locks.get(`${name}/rw`)).kind, "readWrite");

  const semaphore = `${name}/permits`;
  const permits = await Promise.all([0, 1].map(() => client.locks.acquire(semaphore, { permits: 2 })));
  assert.deepEqual(
    permits.map((each) => [each.mode, each.permits]),
    [
      ["permit", 2],
      ["permit", 2],
    ],
  );
  assert.equal(await codeOf(other.locks.acquire(semaphore, { permits: 2, wait: 0 })), "timeout");
  const state = await other.locks.get(semaphore);
  assert.deepEqual([state.kind, state.permits, state.holders.length], ["semaphore", 2, 2]);
  await permits[0]?.release();
  await using third = await other.locks.acquire(semaphore, { mode: "permit" });
  assert.equal(third.held, true);
  await permits[1]?.release();
}

async function fixed(client: Quorate, name: string): Promise<void> {
  await using lock = await client.locks.acquire(name, { layout: "kazoo" });
  assert.equal(lock.layout, "kazoo");
  for (const options of [{ layout: "curator" }, { permits: 2 }] as const) {
    assert.equal(await codeOf(client.locks.acquire(name, options)), "nodeExists");
  }
  assert.equal(await codeOf(client.elections.campaign(name, "me", { layout: "curator" })), "nodeExists");
  assert.equal(await codeOf(client.locks.get(`${name}-none`)), "noNode");
  await client.put(`${name}-data`, "of somebody");
  assert.equal(await codeOf(client.locks.acquire(`${name}-data`)), "nodeExists");
}

async function fences(client: Quorate, name: string): Promise<void> {
  const lock = await client.locks.acquire(name);
  const session = await client.session();
  await client.put(`${name}-state`, "1", { fenced: lock });
  const { token } = lock;
  for (const by of [client, session]) {
    await by.put(`${name}-state`, "2", { fenced: { name: name.slice(1), token } });
    const { branch, results } = await by.txn(
      {
        check: [{ path: `${name}-state`, version: 77 }],
        then: [{ op: "get", path: "/" }],
        else: [{ op: "set", path: `${name}-state`, data: "3" }],
      },
      { fenced: [lock] },
    );
    assert.deepEqual([branch, results.length, results[0]?.path], ["else", 1, `${name}-state`]);
  }
  await lock.release();
  for (const by of [client, session]) {
    const error = await failureOf(by.put(`${name}-state`, "4", { fenced: lock }));
    assert.deepEqual([error.code, error.certainty, error.path], ["fenced", "noEffect", name]);
    assert.equal(await codeOf(by.delete(`${name}-state`, { fenced: lock })), "fenced");
    const txn = { then: [{ op: "delete", path: `${name}-state` }] } as const;
    assert.equal(await codeOf(by.txn(txn, { fenced: lock })), "fenced");
    assert.equal(await codeOf(by.txn({ then: [{ op: "get", path: "/" }] }, { fenced: lock })), "badArguments");
    // What is behind it on a session's stream goes on.
    await by.put(`${name}-other`, "");
  }
  assert.equal(textOf((await client.get(`${name}-state`)).data), "3");
  await session.close();
}

async function losses(client: Quorate, name: string): Promise<void> {
  const lock = await client.locks.acquire(name);
  await client.delete(lock.znode);
  assert.equal((await aborted(lock.signal)).code, "fenced");
  assert.equal(lock.held, false);
  await lock.release();
  const next = await client.locks.acquire(name);
  await next.session.close();
  assert.equal((await aborted(next.signal)).code, "sessionExpired");
  await next.release();
  await using third = await client.locks.acquire(name, { wait: 0 });
  assert.equal(third.held, true);
}

/** Its keeper may have found out before: then it has nothing to give up. */
async function late(client: Quorate, name: string): Promise<void> {
  await using session = await client.session();
  const lock = await client.locks.acquire(name, { session });
  await client.delete(lock.znode);
  const next = await client.locks.acquire(name, { session });
  await lock.release();
  const { holders } = await client.locks.get(name);
  assert.deepEqual([holders.map(({ token }) => token), next.held], [[next.token], true]);
  await next[Symbol.asyncDispose]();
  const first = await client.elections.campaign(`${name}-elect`, "a", { session });
  await client.delete(first.znode);
  const second = await client.elections.campaign(`${name}-elect`, "b", { session });
  await first.resign();
  assert.equal((await client.elections.leader(`${name}-elect`)).leader?.token, second.token);
  await second.resign();
  assert.equal((await client.elections.leader(`${name}-elect`)).leader, undefined);
}

async function given(client: Quorate, other: Quorate, name: string): Promise<void> {
  await using session = await client.session({ sessionTimeoutMillis: 9000 });
  const lock = await client.locks.acquire(name, { session });
  assert.equal(lock.session, session);
  const again = await client.locks.acquire(name, { session, wait: 0 });
  assert.deepEqual([again.token, again.znode], [lock.token, lock.znode]);
  await lock.release();
  assert.equal((await aborted(again.signal)).code, "fenced");
  await using theirs = await other.locks.acquire(name, { wait: 0 });
  assert.equal(await codeOf(client.locks.acquire(name, { session, wait: 100 })), "timeout");
  assert.equal(await waiting(client, name), 0);
  assert.equal(theirs.held, true);
  assert.equal(session.lost.aborted, false);
  const foreign = { id: session.id, secret: session.secret } as typeof session;
  assert.equal(await codeOf(client.locks.acquire(name, { session: foreign })), "badArguments");
}

async function leads(client: Quorate, name: string): Promise<void> {
  assert.equal(await codeOf(client.elections.leader(name)), "noNode");
  const first = await client.elections.campaign(name, "http://a");
  const second = client.elections.campaign(name, "http://b");
  await until(async () => (await client.elections.leader(name)).candidates === 1);
  const { leader, layout } = await client.elections.leader(name);
  assert.deepEqual(
    [textOf(leader?.value), leader?.token, leader?.znode, layout],
    ["http://a", first.token, first.znode, "curator"],
  );
  await first.proclaim("http://a2");
  assert.equal(textOf((await client.elections.leader(name)).leader?.value), "http://a2");
  await client.put(`${name}-state`, "", { fenced: first });
  await first.resign();
  await assert.rejects(first.proclaim("late"), { code: "fenced" });
  const next = await second;
  assert.ok(next.token > first.token);
  assert.equal(textOf((await client.elections.leader(name)).leader?.value), "http://b");
  assert.equal(await codeOf(client.put(`${name}-state`, "", { fenced: first })), "fenced");
  await next.resign();
  assert.equal((await client.elections.leader(name)).leader, undefined);
}

async function observed(client: Quorate, name: string): Promise<void> {
  assert.equal(await codeOf(client.elections.observe(name)[Symbol.asyncIterator]().next()), "noNode");
  const first = await client.elections.campaign(name, "a");
  const seen: (string | undefined)[] = [];
  const valueIn = ({ leader }: ElectionState): string | undefined => leader && textOf(leader.value);
  for await (const state of client.elections.observe(name)) {
    const value = valueIn(state);
    seen.push(value);
    if (value === "a") await first.proclaim("a2");
    else if (value === "a2") await first.resign();
    else if (value === undefined) void client.elections.campaign(name, "b");
    else break;
  }
  assert.deepEqual(seen, ["a", "a2", undefined, "b"]);
  const stop = new AbortController();
  const waits = client.elections.observe(name, { signal: stop.signal })[Symbol.asyncIterator]();
  assert.equal(valueIn((await waits.next()).value as ElectionState), "b");
  const more = waits.next();
  stop.abort();
  await assert.rejects(more, { name: "AbortError" });
}
