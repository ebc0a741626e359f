/**
 * The TypeScript client before two gateways whose connections break and freeze: every write is done once, every event told
 * once, the session kept. Both gateways are doors of one tree in this process.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type Operations, type Quorate, textOf, type Watch } from "@quorate/client";
import { disturb, proxies, sleep, startGateways, stopGateways, ways } from "./breaking-gateways.ts";

before(startGateways);
after(stopGateways);

/** Reads what it holds and sets one more, `times` times; answers how often somebody else was faster. */
async function count(client: Operations, path: string, times: number): Promise<number> {
  let lost = 0;
  for (let done = 0; done < times; ) {
    await sleep(10);
    const { data, stat } = await client.get(path);
    try {
      await client.put(path, String(Number(textOf(data)) + 1), { mzxid: stat.mzxid });
      done++;
    } catch (error) {
      assert.equal((error as { code?: string }).code, "badVersion", String(error));
      lost++;
    }
  }
  return lost;
}

/** The values that a watch has told, up to the last. */
async function valuesOf(watch: Watch, last: number): Promise<string[]> {
  const values: string[] = [];
  for await (const item of watch) {
    if (item.type !== "changed") continue;
    values.push(`${item.version}`);
    if (item.version === last) break;
  }
  return values;
}

/** Requests of their own take longer to find their way than a stream does. */
const roundsOf = { rest: 5, grpc: 15 } as const;

for (const way of ["rest", "grpc"] as const) {
  describe(`the client over ${way}, while connections break`, () => {
    let client: Quorate;
    before(() => {
      client = ways[way]();
    });
    after(() => client.close());

    it("counts without a gap and without doing anything twice, and tells each event once", async (t) => {
      const path = `/${way}-count`;
      await client.put(path, "0");
      const session = await client.session({ sessionTimeoutMillis: 20_000 });
      await session.put(`/${way}-me`, "", { ephemeral: true });
      const watches = [client, session].map((each) => each.watch({ node: path, after: client.seen }));
      const reading = Promise.all(watches.map((watch) => valuesOf(watch, 60)));
      let counted = false;
      const disturbing = disturb(proxies[way], () => counted);
      const counting = Promise.all([count(client, path, 30), count(session, path, 30)]).finally(() => {
        counted = true;
      });
      const lost = await counting;
      const breaks = await disturbing;
      assert.equal(textOf((await client.get(path)).data), "60");
      const expected = Array.from({ length: 60 }, (_, i) => String(i + 1));
      for (const values of await reading) assert.deepEqual(values, expected);
      assert.equal(session.lost.aborted, false);
      assert.equal((await client.exists(`/${way}-me`))?.ephemeralOwner, session.id);
      t.diagnostic(`${breaks} times broken or frozen, ${lost.join(" and ")} lost compare-and-sets`);
      await session.close();
    });

    it("does what a session asks in order, and once", async (t) => {
      const session = await client.session({ sessionTimeoutMillis: 20_000 });
      await client.put(`/${way}-queue`, "");
      const rounds = roundsOf[way];
      let made = false;
      const disturbing = disturb(proxies[way], () => made);
      const paths: string[] = [];
      // Many at a time, so that a break finds some sent and some not.
      for (let round = 0; round < rounds; round++) {
        const some = Array.from({ length: 20 }, (_, i) =>
          session.create(`/${way}-queue/item-`, `${round}.${i}`, { sequential: true, ephemeral: true }),
        );
        paths.push(...(await Promise.all(some)).map(({ path }) => path));
        await sleep(50);
      }
      made = true;
      const breaks = await disturbing;
      assert.equal(new Set(paths).size, 20 * rounds);
      const names: string[] = [];
      const values: string[] = [];
      for await (const { name, data } of client.children(`/${way}-queue`, { data: true })) {
        names.push(`/${way}-queue/${name}`);
        values.push(textOf(data));
      }
      assert.deepEqual(names, [...paths].sort());
      assert.equal(new Set(values).size, 20 * rounds);
      // A stream keeps the order in which they were asked for; requests that go together have none.
      if (way === "grpc") assert.deepEqual(names, paths);
      t.diagnostic(`${breaks} times broken or frozen`);
      await session.close();
      assert.equal((await client.exists(`/${way}-queue`))?.numChildren, 0);
    });
  });
}
