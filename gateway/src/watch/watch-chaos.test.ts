/**
 * Watches over homes that move, streams and feeds that break, and rights that come and go, seeded: what each watcher was
 * told is held against the committed transactions. A failing seed is replayed with
 * `SEED=n node --test gateway/src/watch/watch-chaos.test.ts`.
 */
import assert from "node:assert/strict";
import { it } from "node:test";
import {
  type Acting,
  anyone,
  asZxid,
  composeZxid,
  type Identity,
  type Path,
  type SessionId,
  sessionIdOf,
  type WatchEvent,
  type WatchScopes,
  type Zxid,
} from "@quorate/api";
import type { Cursor, WatchEnd, Watching } from "../backend.ts";
import { type Fixture, setUp } from "../link-fixture.test-support.ts";
import { friend, type ModelTransaction, see, watchedPaths } from "../model-history.test-support.ts";

/** One reader, through all the watches that it opens one after the other at its cursor. */
class Follower {
  readonly scopes: WatchScopes;
  readonly identity: Identity;
  readonly acting: Acting | undefined;
  readonly told: WatchEvent[] = [];
  /** Where its first watch was opened. */
  start: Zxid | undefined;
  cursor: Cursor | undefined;
  watching: Watching | undefined;
  end: WatchEnd | undefined;
  resumed = 0;
  #opened = false;
  #more = false;

  constructor(scopes: WatchScopes, identity: Identity, session: SessionId | undefined) {
    this.scopes = scopes;
    this.identity = identity;
    this.acting = session === undefined ? undefined : { session, secretHash: new Uint8Array(32) };
  }

  open({ link, world }: Fixture): void {
    const { scopes, identity, acting, cursor } = this;
    const consistency = world.chance(0.2) ? "stale" : world.chance(0.5) ? "session" : "linearizable";
    const read = { consistency, minZxid: asZxid(0), maxStaleMillis: 1000 } as const;
    const behind = cursor ? { after: world.chance(0.8) ? cursor : { zxid: cursor.zxid } } : {};
    this.#opened = false;
    this.#more = cursor !== undefined;
    let returned = false;
    const watching = link.watch({ identity, scopes, ...(acting ? { acting } : {}), ...read, ...behind }, 2000, {
      opened: () => {
        assert.ok(returned && !this.#opened, "opened once, behind the return");
        this.#opened = true;
        this.start ??= watching.cursor.zxid;
      },
      events: (events, more) => {
        assert.ok(this.#opened, "opened before its events");
        assert.ok(events.length > 0 || more || this.#more, "nothing is told without need");
        this.#more = more;
        const before = this.told.at(-1)?.zxid ?? 0;
        assert.ok((events[0]?.zxid ?? before + 1) > before, "a transaction is told in one piece");
        this.told.push(...events);
        assert.ok((events.at(-1)?.zxid ?? 0) <= watching.cursor.zxid, "the cursor is behind what is told");
      },
      ended: (end) => {
        assert.ok(returned, "nothing before the return");
        this.watching = undefined;
        if (this.#opened || !["noLeader", "behind", "timeout"].includes(end.code)) this.end = end;
        if (this.#opened) this.cursor = watching.cursor;
      },
    });
    returned = true;
    this.watching = watching;
  }

  close(): void {
    if (this.#opened && this.watching) this.cursor = this.watching.cursor;
    this.watching?.close();
    this.watching = undefined;
    this.resumed += 1;
  }

  /** What it should have been told; `deniedAt`: the transaction that took its rights. */
  expected(transactions: readonly ModelTransaction[]): { readonly events: WatchEvent[]; readonly deniedAt?: Zxid } {
    const events: WatchEvent[] = [];
    for (const each of transactions) {
      if (this.start === undefined || each.zxid <= this.start) continue;
      const seen = see(each, this.scopes, this.identity);
      if (seen === "denied") return { events, deniedAt: each.zxid };
      events.push(...seen);
    }
    return { events };
  }

  #sessionOver(transactions: readonly ModelTransaction[]): boolean {
    const session = this.acting?.session;
    return session !== undefined && transactions.some(({ ended }) => ended.includes(session));
  }

  judge({ ensemble, world }: Fixture): string {
    const { start, end } = this;
    if (start === undefined) return "never opened";
    const cursor = this.watching?.cursor ?? this.cursor;
    assert.ok(cursor, "who was opened has a cursor");
    if (cursor.zxid > 0) assert.equal(cursor.history, "h", "its cursor names the history");
    const { events, deniedAt } = this.expected(ensemble.history.transactions);
    assert.ok(deniedAt === undefined || cursor.zxid < deniedAt, "told beyond what took its rights");
    assert.deepEqual(
      this.told,
      events.filter(({ zxid }) => zxid <= cursor.zxid),
      `at ${world.now()}`,
    );
    if (!end) {
      assert.equal(deniedAt, undefined, "goes on without its rights");
      const last = ensemble.history.transactions.at(-1)?.zxid ?? 0;
      if (!this.watching) return "closed";
      assert.equal(cursor.zxid, last, "a watcher is left behind");
      assert.equal(this.#more, false, "the rest was announced and never told");
      assert.ok(!this.#sessionOver(ensemble.history.transactions), "watches for a session that is over");
      return "watches";
    }
    if (end.code === "noAuth") assert.ok(deniedAt !== undefined, "denied without cause");
    if (end.code === "sessionExpired") {
      assert.ok(this.#sessionOver(ensemble.history.transactions), "its session lives");
    }
    return end.code;
  }
}

function misfortune({ world, ensemble }: Fixture): void {
  const id = 1 + world.below(3);
  switch (world.below(8)) {
    case 0:
      return ensemble.breakStream(id);
    case 1:
      return ensemble.breakStream(ensemble.leader?.id ?? id);
    case 2:
      return ensemble.elect(id, world.chance(0.5));
    case 3:
      ensemble.elect(0);
      return void world.after(world.below(400), () => ensemble.elect(id));
    case 4:
      return ensemble.pause(id, world.below(4000));
    case 5:
      return ensemble.leader?.watching.replaceState();
    case 6: {
      // There and back, faster than an answer.
      const former = ensemble.leader?.id ?? id;
      ensemble.elect(id);
      return void world.after(world.below(30) / 10, () => ensemble.elect(former));
    }
    default:
      ensemble.faults.behind = world.chance(0.5) ? 0 : 0.2;
      ensemble.faults.delayMillis = 1 + world.below(world.chance(0.3) ? 40 : 4);
  }
}

function follower({ world }: Fixture, sessions: readonly SessionId[]): Follower {
  const some = (most: number): Path[] => {
    const count = world.below(most + 1);
    return Array.from({ length: count }, () => watchedPaths[world.below(watchedPaths.length)] as Path);
  };
  const scopes = { node: some(2), children: some(2), subtree: some(1) };
  if (scopes.node.length + scopes.children.length === 0) scopes.subtree.push("/" as Path);
  const session = world.chance(0.3) ? sessions[world.below(sessions.length)] : undefined;
  return new Follower(scopes, world.chance(0.3) ? friend : anyone, session);
}

async function storm(seed: number, rounds: number): Promise<{ fixture: Fixture; followers: Follower[] }> {
  // One in four is embedded in a replica that mostly follows.
  const fixture = setUp(seed % 4 === 0 ? { home: "local" } : {}, seed);
  const { world, ensemble, link } = fixture;
  const sessions = Array.from({ length: 12 }, (_, each) => sessionIdOf(composeZxid(1, 1000 + each)));
  const private_ = seed % 2 === 0;
  const followers: Follower[] = [];
  let next = 100;
  for (let round = 0; round < rounds; round += 1) {
    const over = world.chance(0.01) ? [sessions[world.below(sessions.length)] as SessionId] : [];
    for (let each = world.below(4); each > 0; each -= 1) ensemble.change(over, private_ && world.chance(0.1));
    if (followers.length < 60) followers.push(follower(fixture, sessions));
    for (const each of followers) {
      if (each.watching && world.chance(0.005)) each.close();
      if (!each.watching && !each.end && world.chance(0.2)) each.open(fixture);
    }
    await world.run(1 + world.below(10));
    if (round * 6 > next) {
      world.after(world.below(1000) / 100, () => misfortune(fixture));
      next += world.below(200);
    }
  }
  Object.assign(ensemble.faults, { behind: 0, delayMillis: 1 });
  await world.run(1000);
  ensemble.elect(1);
  await world.run(12_000);
  for (const each of followers) if (!each.watching && !each.end) each.open(fixture);
  await world.run(1000);
  assert.equal(link.status.watchers, followers.filter(({ watching }) => watching).length);
  assert.equal(link.status.calls, 0, "a question is left");
  return { fixture, followers };
}

const given = process.env["SEED"];
const seeds = given === undefined ? Array.from({ length: 20 }, (_, each) => each + 1) : [Number(given)];

it("tells each watcher the committed changes, in twenty storms", { timeout: 400_000 }, async (test) => {
  const all = new Map<string, number>();
  let told = 0;
  let resumed = 0;
  for (const seed of seeds) {
    try {
      const { fixture, followers } = await storm(seed, 500);
      for (const each of followers) {
        const kind = each.judge(fixture);
        all.set(kind, (all.get(kind) ?? 0) + 1);
        told += each.told.length;
        resumed += each.resumed;
      }
    } catch (error) {
      throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error });
    }
  }
  test.diagnostic(JSON.stringify({ told, resumed, ...Object.fromEntries(all) }));
  if (given !== undefined) return;
  assert.ok(told > 10_000, "hardly anything was told");
  for (const kind of ["watches", "noAuth", "sessionExpired"])
    assert.ok((all.get(kind) ?? 0) > 20, `hardly any ${kind}`);
});
