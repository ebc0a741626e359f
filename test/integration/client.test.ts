/**
 * The TypeScript client against real processes: leaders and gateways are killed while both classes count, queue, watch and hold a
 * session. Nothing is done twice, no event is lost or told twice, and no session ends.
 *
 * QUORATE_ROUNDS: how often a leader and a gateway are killed (2).
 */
import assert from "node:assert/strict";
import { after, before, type TestContext, test } from "node:test";
import { type Operations, type Quorate, QuorateError, textOf, type Watch } from "@quorate/client";
import { ClientEnsemble } from "./client-ensemble.ts";
import { sleep, until } from "./ensemble.ts";

const rounds = Number(process.env["QUORATE_ROUNDS"] ?? 2);
const sessionTimeoutMillis = 20_000;

let ensemble: ClientEnsemble;
before(async () => {
  ensemble = await ClientEnsemble.start();
});
after(() => ensemble?.stop());

const ways = {
  rest: () => ensemble.rest(),
  polls: () => ensemble.rest({ watchBy: "poll" }),
  grpc: () => ensemble.grpc(),
} as const;

/** What one client does meanwhile, and what it was told. */
class Work {
  readonly root: string;
  readonly client: Quorate;
  /** Acknowledged increments, and items as they were named. */
  counted = 0;
  readonly items = new Map<string, string>();
  stopping = false;

  constructor(root: string, client: Quorate) {
    this.root = root;
    this.client = client;
  }

  async count(through: Operations): Promise<void> {
    while (!this.stopping) {
      const { data, stat } = await through.get(`${this.root}/count`);
      try {
        await through.put(`${this.root}/count`, String(Number(textOf(data)) + 1), { mzxid: stat.mzxid });
        this.counted++;
      } catch (error) {
        // Somebody was faster. No other failure is a client's business here, least of all a doubt.
        if (!(error instanceof QuorateError && error.code === "badVersion" && error.certainty === "noEffect"))
          throw error;
      }
      await sleep(5);
    }
  }

  async queue(through: Operations): Promise<void> {
    for (let next = 0; !this.stopping; next++) {
      const names = [0, 1, 2].map((i) => `${through === this.client ? "client" : "session"}.${next}.${i}`);
      const made = await Promise.all(
        names.map((name) => through.create(`${this.root}/queue/item-`, name, { sequential: true })),
      );
      for (const [i, { path }] of made.entries()) this.items.set(path, names[i] ?? "");
      await sleep(20);
    }
  }
}

/** Follows from the beginning until `last` says so; answers what was told. */
async function follow(watch: Watch, last: () => string | undefined): Promise<string[]> {
  const told: string[] = [];
  for await (const item of watch) {
    if (item.type === "restarted" || item.type === "state") continue;
    told.push(item.type === "changed" ? `${item.path} ${item.version}` : `${item.type} ${item.path}`);
    if (told.at(-1) === last()) break;
  }
  return told;
}

async function killAround(works: readonly Work[], t: TestContext): Promise<void> {
  const progress = (): number => Math.min(...works.map(({ counted, items }) => Math.min(counted, items.size)));
  const goesOn = async (what: string): Promise<void> => {
    const goals = works.map(({ counted, items }) => [counted + 10, items.size + 10] as const);
    const reached = (): boolean =>
      works.every(({ counted, items }, i) => counted >= (goals[i]?.[0] ?? 0) && items.size >= (goals[i]?.[1] ?? 0));
    await until(reached, 60_000, () => `all go on ${what}, the slowest is at ${progress()}`);
  };
  await ensemble.killAround(rounds, goesOn);
  t.diagnostic(
    `${rounds} leaders and ${rounds} gateways killed; ${works.map((each) => `${each.root} ${each.counted} increments and ${each.items.size} items`).join(", ")}`,
  );
}

/** One for each way, with what it works at. */
async function works(): Promise<readonly Work[]> {
  const made = Object.entries(ways).map(([way, open]) => new Work(`/${way}`, open()));
  for (const { client, root } of made) {
    await client.put(`${root}/count`, "0", { parents: true });
    await client.put(`${root}/queue`, "");
  }
  return made;
}

test("calls, sessions and watches go on through kills, and do nothing twice", async (t) => {
  const all = await works();
  const ends: (() => Promise<void>)[] = [];
  const working = all.map(async (work) => {
    const { client, root } = work;
    const session = await client.session({ sessionTimeoutMillis });
    const me = await session.put(`${root}/me`, way(work), { ephemeral: true });
    let lastCount: string | undefined;
    let lastItem: string | undefined;
    const { zxid } = await client.get(`${root}/queue`);
    const counts = [client, session].map((each) =>
      follow(each.watch({ node: `${root}/count`, after: zxid }), () => lastCount),
    );
    const items = [client, session].map((each) =>
      follow(each.watch({ children: `${root}/queue`, after: zxid }), () => lastItem),
    );
    const doing = [client, session].flatMap((each) => [work.count(each), work.queue(each)]);
    ends.push(async () => {
      await Promise.all(doing);
      // The last of each, so that the watches know their end.
      const { data, stat } = await client.get(`${root}/count`);
      assert.equal(Number(textOf(data)), work.counted, `${root}: as often as it was acknowledged`);
      assert.equal(stat.version, work.counted);
      lastCount = `${root}/count ${stat.version + 1}`;
      await client.put(`${root}/count`, "end");
      const found = new Map<string, string>();
      for await (const { name, data: own } of client.children(`${root}/queue`, { data: true }))
        found.set(`${root}/queue/${name}`, textOf(own));
      assert.deepEqual(
        [...found].sort(),
        [...work.items].sort(),
        `${root}: what was acknowledged is there, and nothing else`,
      );
      lastItem = `created ${root}/queue/last`;
      await client.put(`${root}/queue/last`, "");
      const expected = Array.from({ length: stat.version + 1 }, (_, i) => `${root}/count ${i + 1}`);
      for (const told of await Promise.all(counts)) assert.deepEqual(told, expected);
      const created = [...found.keys(), `${root}/queue/last`].map((path) => `created ${path}`);
      for (const told of await Promise.all(items)) assert.deepEqual(told, created);
      assert.equal(session.lost.aborted, false);
      const still = await client.exists(`${root}/me`);
      assert.deepEqual([still?.czxid, still?.ephemeralOwner], [me.stat.czxid, session.id]);
      await session.close();
      assert.equal(await client.exists(`${root}/me`), undefined);
    });
    await Promise.all(doing);
  });
  const failed = Promise.all(working);
  failed.catch(() => undefined);
  await Promise.race([killAround(all, t), failed]).finally(() => {
    for (const work of all) work.stopping = true;
  });
  await failed;
  await Promise.all(ends.map((end) => end()));
  await Promise.all(all.map(({ client }) => client.close()));
});

function way(work: Work): string {
  return work.root.slice(1);
}
