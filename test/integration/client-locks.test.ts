/**
 * Locks and elections of the TypeScript client against real processes: leaders and gateways are killed while clients over both
 * doors hold one lock in turn, count under it, and watch who leads. Nobody holds it beside another, and nobody loses his place.
 *
 * QUORATE_ROUNDS: how often a leader and a gateway are killed (1).
 */
import assert from "node:assert/strict";
import { after, before, type TestContext, test } from "node:test";
import { type Quorate, QuorateError, textOf } from "@quorate/client";
import { ClientEnsemble } from "./client-ensemble.ts";
import { sleep, until } from "./ensemble.ts";

const rounds = Number(process.env["QUORATE_ROUNDS"] ?? 1);
const sessionTimeoutMillis = 30_000;

let ensemble: ClientEnsemble;
before(async () => {
  ensemble = await ClientEnsemble.start();
});
after(() => ensemble?.stop());

const lockName = "/shared/lock";
const counterPath = "/shared/count";

/** Who counts under the lock, in turn with others. */
class Worker {
  readonly name: string;
  readonly #client: Quorate;
  readonly #shared: Shared;
  turns = 0;

  constructor(name: string, client: Quorate, shared: Shared) {
    this.name = name;
    this.#client = client;
    this.#shared = shared;
  }

  /** Reads, and writes one more, without comparing: only the lock keeps others away. */
  async run(): Promise<void> {
    const shared = this.#shared;
    while (!shared.stopping) {
      await using lock = await this.#client.locks.acquire(lockName, { sessionTimeoutMillis, contender: this.name });
      assert.equal(shared.holder, undefined, `${this.name} holds what ${shared.holder} holds`);
      shared.holder = this.name;
      assert.ok(lock.token > shared.token, `${lock.token} behind ${shared.token}`);
      shared.token = lock.token;
      const { data } = await this.#client.get(counterPath);
      await sleep(5);
      await this.#client.put(counterPath, String(Number(textOf(data)) + 1), { fenced: lock });
      assert.equal(lock.held, true);
      shared.count++;
      this.turns++;
      shared.holder = undefined;
    }
  }
}

interface Shared {
  stopping: boolean;
  holder: string | undefined;
  token: string;
  count: number;
}

async function killAround(workers: readonly Worker[], t: TestContext): Promise<void> {
  const goesOn = async (what: string): Promise<void> => {
    const goals = workers.map(({ turns }) => turns + 3);
    const reached = (): boolean => workers.every(({ turns }, i) => turns >= (goals[i] ?? 0));
    await until(reached, 90_000, () => `all have turns ${what}: ${workers.map(({ turns }) => turns).join()}`);
  };
  await ensemble.killAround(rounds, goesOn);
  t.diagnostic(`${rounds} leaders and ${rounds} gateways killed`);
}

test("one lock goes from hand to hand through kills, and who leads is seen", { timeout: 440_000 }, async (t) => {
  const clients = { rest: ensemble.rest(), grpc: ensemble.grpc() };
  await clients.rest.put(counterPath, "0", { parents: true });
  const shared: Shared = { stopping: false, holder: undefined, token: "", count: 0 };
  const workers = Object.entries(clients).flatMap(([way, client]) =>
    [1, 2].map((number) => new Worker(`${way} ${number}`, client, shared)),
  );
  const leadership = await clients.grpc.elections.campaign("/shared/leader", "grpc", { sessionTimeoutMillis });
  const successor = clients.rest.elections.campaign("/shared/leader", "rest", { sessionTimeoutMillis });
  const seen = Object.values(clients).map(async (client) => {
    const values: string[] = [];
    for await (const { leader } of client.elections.observe("/shared/leader")) {
      values.push(leader ? textOf(leader.value) : "nobody");
      if (values.at(-1) === "rest") return values;
    }
    return values;
  });
  const working = Promise.all(workers.map((each) => each.run()));
  working.catch(() => undefined);
  await Promise.race([killAround(workers, t), working]).finally(() => {
    shared.stopping = true;
  });
  await working;
  assert.equal(textOf((await clients.grpc.get(counterPath)).data), String(shared.count));
  assert.deepEqual([leadership.held, leadership.signal.aborted], [true, false], "a leader leads on");
  await leadership.resign();
  const next = await successor;
  assert.ok(next.token > leadership.token);
  for (const values of await Promise.all(seen)) {
    assert.deepEqual(
      values.filter((each) => each !== "nobody"),
      ["grpc", "rest"],
    );
  }
  // A lock that nobody uses goes after a while.
  const left = await clients.rest.locks.get(lockName).catch((error: unknown) => {
    if (error instanceof QuorateError && error.code === "noNode") return { holders: [], waiting: 0 };
    throw error;
  });
  assert.deepEqual([left.holders.length, left.waiting], [0, 0], "nobody has left a place behind");
  t.diagnostic(`${shared.count} turns: ${workers.map(({ name, turns }) => `${name} ${turns}`).join(", ")}`);
  await Promise.all(Object.values(clients).map((each) => each.close()));
});
