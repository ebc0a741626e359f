/**
 * Sessions that follow paths over homes that move, streams and feeds that break, and rings that forget, seeded: what a lane's
 * read has shown is where each path's changes begin, and each of them is told once, before any answer that shows it. A
 * failing seed is replayed with `SEED=n node --test gateway/src/follow-chaos.test.ts`.
 */
import assert from "node:assert/strict";
import { it } from "node:test";
import { anyone, asZxid, type Path, persistentShape, type SessionId, type WatchScopes, type Zxid } from "@quorate/api";
import type { Answer, ReadRequest, SessionLane } from "./backend.ts";
import { type Counts, Followed } from "./followed.test-support.ts";
import { type Fixture, setUp } from "./link-fixture.test-support.ts";
import { meets, watchedPaths } from "./model-history.test-support.ts";

class Client {
  readonly #fixture: Fixture;
  readonly #counts: Counts;
  readonly #number: number;
  #session: SessionId | undefined;
  #lane: SessionLane | undefined;
  #open = false;
  #turn = 0;
  #sequence = 0;
  #writing = false;
  #followed: Followed | undefined;
  #seen = 0 as Zxid;
  unanswered = 0;

  constructor(fixture: Fixture, counts: Counts, number: number) {
    this.#fixture = fixture;
    this.#counts = counts;
    this.#number = number;
  }

  #count(kind: string): void {
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1);
  }

  async start(): Promise<void> {
    const secretHash = new Uint8Array(32);
    const client = { role: "client", timeoutMillis: 9000, name: "", address: "" } as const;
    const operation = { kind: "createSession", secretHash, ...client } as const;
    const answer = await this.#fixture.link.write({ identity: anyone, operation }, 2000);
    const result = answer.kind === "outcome" && answer.outcome.ok ? answer.outcome.result : undefined;
    if (result?.kind !== "session") return void this.#fixture.world.after(50, () => void this.start());
    this.#session = result.session;
    this.#sequence = 0;
    this.#attach();
  }

  get session(): SessionId | undefined {
    return this.#session;
  }

  #attach(): void {
    const session = this.#session as SessionId;
    const { link, world } = this.#fixture;
    const turn = ++this.#turn;
    this.#open = false;
    this.#writing = false;
    this.unanswered = 0;
    if (this.#followed && !this.#followed.over) this.#followed.close();
    this.#followed = undefined;
    this.#lane = link.attach({ session, secretHash: new Uint8Array(32) }, anyone, 1500, {
      opened: ({ lastSequence, zxid }) => {
        if (turn !== this.#turn) return;
        assert.ok(zxid >= this.#seen, "nothing that was seen is newer than the attachment");
        this.#open = true;
        this.#sequence = lastSequence;
      },
      ended: ({ code }) => {
        if (turn !== this.#turn) return;
        this.#open = false;
        if (code === "sessionExpired") void this.start();
        else world.after(world.below(30), () => turn === this.#turn && this.#attach());
      },
      drained: () => {},
    });
  }

  act(): void {
    const { world } = this.#fixture;
    if (!this.#open) return;
    if (world.chance(0.01)) {
      if (world.chance(0.5)) this.#lane?.close();
      return this.#attach();
    }
    if (!this.#followed || this.#followed.over) this.#follow();
    if (world.chance(0.3)) this.#followed?.remove();
    for (let each = world.below(4); each > 0; each -= 1) this.#read(world.chance(0.5));
    if (world.chance(0.2)) this.#catchUp();
    if (world.chance(0.3) && !this.#writing) this.#write();
  }

  #follow(): void {
    this.#followed = new Followed(this.#fixture, this.#session as SessionId, this.#counts, (code) => {
      this.#count(`ended ${code}`);
    });
  }

  /** Whoever hears an answer of the present attachment. */
  #heard<T>(hear: (answer: T) => void): (answer: T) => void {
    const turn = this.#turn;
    this.unanswered += 1;
    return (answer) => {
      if (turn !== this.#turn) return;
      this.unanswered -= 1;
      hear(answer);
    };
  }

  #saw(answer: Answer): Zxid | undefined {
    if (answer.kind !== "outcome") return void this.#count(`answered ${answer.code}`);
    const { zxid } = answer.outcome;
    this.#followed?.shown(zxid);
    if (zxid > this.#seen) this.#seen = zxid;
    return zxid;
  }

  #ask(operation: ReadRequest["operation"], hear: (answer: Answer) => void): void {
    const consistency = this.#fixture.world.chance(0.8) ? "session" : "linearizable";
    const read = { identity: anyone, operation, consistency, minZxid: asZxid(0), maxStaleMillis: 0 } as const;
    this.#lane?.read(read, 1000, this.#heard(hear));
  }

  read(): void {
    if (this.#open) this.#read(false);
  }

  /** `adds`: it is followed behind what the read shows. */
  #read(adds: boolean): void {
    const followed = this.#followed;
    const entry = adds ? followed?.add() : undefined;
    this.#ask({ kind: "exists", path: "/a" as Path }, (answer) => {
      const zxid = this.#saw(answer);
      if (zxid !== undefined && entry && entry.armed === undefined) entry.armed = zxid;
    });
  }

  #write(): void {
    const sequence = this.#sequence + 1;
    const path = `/c${this.#number}/${this.#session}/${sequence}` as Path;
    const data = new Uint8Array(3);
    const rest = { data, shape: persistentShape, sequential: false, parents: false } as const;
    this.#writing = true;
    const write = {
      sequence,
      answeredUpTo: sequence - 1,
      identity: anyone,
      operation: { kind: "create", path, ...rest },
    };
    this.#lane?.write(
      write as Parameters<SessionLane["write"]>[0],
      this.#heard(({ answer, decided }) => {
        this.#writing = false;
        if (decided) this.#sequence = sequence;
        this.#saw(answer);
      }),
    );
  }

  /** As after a break: what happened to these paths behind what was seen. */
  #catchUp(after: Zxid = this.#seen, known: readonly Path[] = []): void {
    const { world, ensemble } = this.#fixture;
    const paths = known.length > 0 ? known : [watchedPaths[world.below(watchedPaths.length)] as Path];
    const scopes: WatchScopes = { node: paths, children: paths, subtree: [] };
    this.#ask({ kind: "watch", scopes, after, raw: true }, (answer) => {
      this.#saw(answer);
      if (answer.kind !== "outcome") return;
      const { outcome } = answer;
      if (!outcome.ok) return void this.#count(`raw ${outcome.code}`);
      assert.ok(outcome.result.kind === "watched");
      const { changes = [], through, more } = outcome.result;
      assert.ok(more ? through < outcome.zxid : through === outcome.zxid);
      const missed = ensemble.history.transactions.filter(({ zxid }) => zxid > after && zxid <= through);
      const expected = missed.flatMap((each) => each.changes.filter((change) => meets(change, scopes)));
      assert.deepEqual(
        changes.map(({ zxid, type, path }) => [zxid, type, path]),
        expected.map(({ zxid, type, path }) => [zxid, type, path]),
      );
      this.#count(more ? "raw more" : "raw");
      if (more && this.#open) this.#catchUp(through, paths);
    });
  }

  /** All that was promised is told. */
  settled(): void {
    assert.equal(this.unanswered, 0, "a request is never answered");
    const last = this.#fixture.ensemble.history.transactions.at(-1)?.zxid ?? (0 as Zxid);
    if (this.#followed && !this.#followed.over && this.#followed.entries.size > 0) {
      assert.ok(this.#followed.following.cursor >= last, "it is left behind");
      this.#followed.shown(last);
      this.#count("settled");
    }
  }

  stop(): void {
    this.#turn += 1;
    if (this.#followed && !this.#followed.over) this.#followed.close();
    this.#lane?.close();
  }
}

function misfortune({ world, ensemble }: Fixture, clients: readonly Client[]): void {
  const id = 1 + world.below(3);
  switch (world.below(8)) {
    case 0:
      return ensemble.breakStream(ensemble.leader?.id ?? id);
    case 1:
      return ensemble.elect(id, world.chance(0.5));
    case 2:
      ensemble.elect(0);
      return void world.after(world.below(400), () => ensemble.elect(id));
    case 3:
      return ensemble.pause(id, world.below(4000));
    case 4:
      return ensemble.leader?.watching.replaceState();
    case 5: {
      // There and back, faster than an answer.
      const former = ensemble.leader?.id ?? id;
      ensemble.elect(id);
      return void world.after(world.below(30) / 10, () => ensemble.elect(former));
    }
    case 6: {
      const session = world.chance(0.3) ? clients[world.below(clients.length)]?.session : undefined;
      if (session === undefined || !ensemble.leader) return;
      ensemble.state.lanes.delete(session);
      return ensemble.change([session]);
    }
    default:
      ensemble.faults.behind = world.chance(0.5) ? 0 : 0.2;
      ensemble.faults.delayMillis = 1 + world.below(world.chance(0.3) ? 40 : 4);
      ensemble.history.ring = world.chance(0.5) ? 1000 : 3 + world.below(20);
  }
}

async function storm(seed: number, counts: Counts): Promise<void> {
  const fixture = setUp({}, seed);
  fixture.ensemble.faults.near = seed % 2 === 0;
  const { world, ensemble, link } = fixture;
  const clients = Array.from({ length: 8 }, (_, each) => new Client(fixture, counts, each));
  for (const each of clients) void each.start();
  for (let round = 0; round < 700; round += 1) {
    for (let each = world.below(4); each > 0; each -= 1) ensemble.change();
    for (const each of clients) if (world.chance(0.4)) each.act();
    await world.run(1 + world.below(8));
    if (world.chance(0.03)) world.after(world.below(100) / 10, () => misfortune(fixture, clients));
  }
  Object.assign(ensemble.faults, { behind: 0, delayMillis: 1 });
  ensemble.history.ring = 1000;
  await world.run(1000);
  ensemble.elect(1);
  await world.run(12_000);
  for (const each of clients) each.act();
  await world.run(500);
  ensemble.change();
  for (const each of clients) each.read();
  await world.run(500);
  for (const each of clients) each.settled();
  for (const each of clients) each.stop();
  const { followers, followedPaths } = link.status;
  assert.deepEqual([followers, followedPaths], [0, 0], "nothing is left of those who stopped");
}

const given = process.env["SEED"];
const seeds = given === undefined ? Array.from({ length: 20 }, (_, each) => each + 1) : [Number(given)];

it("tells each session what it follows, before it is shown, in twenty storms", { timeout: 500_000 }, async (test) => {
  const counts: Counts = new Map();
  for (const seed of seeds) {
    await storm(seed, counts).catch((error: unknown) => {
      throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error });
    });
  }
  test.diagnostic(JSON.stringify(Object.fromEntries([...counts].sort())));
  if (given !== undefined) return;
  for (const [kind, least] of [
    ["promised", 10_000],
    ["settled", 100],
    ["raw", 1000],
    ["raw more", 100],
    ["ended cursorTooOld", 3],
    ["ended sessionExpired", 3],
  ] as const) {
    assert.ok((counts.get(kind) ?? 0) >= least, `hardly any ${kind}: ${counts.get(kind)}`);
  }
});
