/**
 * Locks and elections of the TypeScript client before two gateways whose connections break and freeze, and which stop: a place
 * in a queue is kept, nobody holds what another holds, and whoever cannot be sure of his lock is told so.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { parseSessionId, type SessionId } from "@quorate/api";
import { GrpcClient, type Lock, type Quorate, type QuorateError, RestClient, textOf } from "@quorate/client";
import { backend, disturb, gateways, proxies, sleep, startGateways, stopGateways, ways } from "./breaking-gateways.ts";
import { type Doors, startDoors } from "./client-doors.ts";

before(startGateways);
after(stopGateways);

async function until(found: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await found())) await sleep(10);
}

function aborted(signal: AbortSignal): Promise<QuorateError> {
  return new Promise((resolve) => {
    const tell = (): void => resolve(signal.reason as QuorateError);
    if (signal.aborted) tell();
    else signal.addEventListener("abort", tell);
  });
}

for (const way of ["rest", "grpc"] as const) {
  describe(`a lock of the client over ${way}, while connections break`, () => {
    let client: Quorate;
    let steady: Quorate;
    before(() => {
      client = ways[way]();
      steady = new RestClient({ endpoints: gateways.map(({ restPort }) => `http://127.0.0.1:${restPort}`) });
    });
    after(() => Promise.all([client.close(), steady.close()]));

    it("is held by one at a time, in the order in which they came", { timeout: 400_000 }, async (t) => {
      const name = `/${way}-lock`;
      const path = `/${way}-count`;
      await steady.put(path, "0");
      const first = await steady.locks.acquire(name);
      const order: number[] = [];
      const tokens: string[] = [];
      let holders = 0;
      const work = async (lock: Lock, me: number): Promise<void> => {
        assert.equal(++holders, 1);
        order.push(me);
        tokens.push(lock.token);
        // What a lock is for: to read, to think, to write.
        const value = Number(textOf((await client.get(path)).data));
        await sleep(20);
        await client.put(path, String(value + 1), { fenced: lock });
        holders--;
        await lock.release();
      };
      const working: Promise<void>[] = [];
      for (let me = 0; me < 8; me++) {
        working.push(client.locks.acquire(name, { sessionTimeoutMillis: 20_000 }).then((lock) => work(lock, me)));
        await until(async () => (await steady.locks.get(name)).waiting === me + 1);
      }
      let done = false;
      const disturbing = disturb(proxies[way], () => done);
      await sleep(400);
      assert.equal((await steady.locks.get(name)).waiting, 8, "whoever waits keeps his place");
      await first.release();
      await Promise.all(working);
      done = true;
      const breaks = await disturbing;
      assert.deepEqual(order, [0, 1, 2, 3, 4, 5, 6, 7]);
      assert.deepEqual(tokens, tokens.toSorted());
      assert.equal(textOf((await steady.get(path)).data), "8");
      assert.equal((await steady.locks.get(name)).holders.length, 0);
      t.diagnostic(`${breaks} times broken or frozen`);
    });

    it("is lost in time by whoever is cut off, and another holds it then", { timeout: 240_000 }, async () => {
      const name = `/${way}-cut`;
      const lock = await client.locks.acquire(name, { sessionTimeoutMillis: 4000 });
      const frozenAt = performance.now();
      for (const each of proxies[way]) each.freeze("both");
      try {
        const reason = await aborted(lock.signal);
        assert.equal(reason.code, "sessionExpired");
        assert.equal(lock.held, false);
        // It was renewed before that, but not after.
        assert.ok(performance.now() - frozenAt > 1000);
      } finally {
        for (const each of proxies[way]) {
          each.break();
          each.heal();
        }
      }
      // Nothing expires by itself in a tree without a leader.
      backend.expire(parseSessionId(lock.session.id) as SessionId);
      await using next = await steady.locks.acquire(name);
      assert.ok(next.token > lock.token);
      await assert.rejects(steady.put("/late", "", { fenced: lock }), { code: "fenced" });
    });

    it("when nobody answers any more, the error says that the place may still be there", {
      timeout: 240_000,
    }, async () => {
      const name = `/${way}-nobody`;
      await using _ = await steady.locks.acquire(name);
      const acquiring = client.locks.acquire(name, { wait: 4000, timeoutMillis: 5000 });
      const failed = assert.rejects(acquiring, { code: "timeout", certainty: "unknown" });
      await until(async () => (await steady.locks.get(name)).waiting === 1);
      for (const each of proxies[way]) each.freeze("both");
      try {
        await failed;
      } finally {
        for (const each of proxies[way]) {
          each.break();
          each.heal();
        }
      }
    });
  });
}

describe("a gateway that stops", () => {
  for (const way of ["rest", "grpc"] as const) {
    it(`costs nobody his place, his lock, or what he observes, over ${way}`, { timeout: 240_000 }, async () => {
      const name = `/stops-${way}`;
      const going = await startDoors(backend);
      const staying = gateways[0] as Doors;
      const rest = [going, staying].map(({ restPort }) => `http://127.0.0.1:${restPort}`);
      const grpc = [going, staying].map(({ grpcPort }) => `127.0.0.1:${grpcPort}`);
      await using client = way === "rest" ? new RestClient({ endpoints: rest }) : new GrpcClient({ endpoints: grpc });
      await using steady = new RestClient({ endpoints: rest.slice(1) });
      const lock = await client.locks.acquire(name);
      const leader = await client.elections.campaign(`${name}-election`, "me");
      const waiters = [0, 1, 2].map(() => client.locks.acquire(name));
      await until(async () => (await steady.locks.get(name)).waiting === 3);
      const states = client.elections.observe(`${name}-election`)[Symbol.asyncIterator]();
      assert.equal((await states.next()).value?.leader?.token, leader.token);
      const before = (await steady.locks.get(name)).waiters.map(({ znode }) => znode);
      await going.stop();
      assert.deepEqual(
        (await steady.locks.get(name)).waiters.map(({ znode }) => znode),
        before,
      );
      assert.deepEqual([lock.held, leader.held], [true, true]);
      const more = states.next();
      await leader.resign();
      assert.equal((await more).value?.leader, undefined);
      await states.return?.();
      await lock.release();
      const taken: string[] = [];
      await Promise.all(
        waiters.map(async (each) => {
          const next = await each;
          taken.push(next.znode);
          await next.release();
        }),
      );
      assert.deepEqual(taken, before);
    });
  }
});
