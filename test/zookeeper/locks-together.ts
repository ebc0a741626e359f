/**
 * Locks and elections taken over REST and by a client of ZooKeeper's on the same paths, in that client's layout: what must be so with
 * each of them. The client is a program that is spoken with (java's LockTalk, python's lock_talk.py).
 */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { Ensemble, freePorts, until } from "../integration/ensemble.ts";
import { acquire, call, openSession, type Place, queueOf, release, show } from "../locks/rest-locks.ts";
import type { Program, Ready } from "../polyglot/make-ready.ts";
import { ForeignTalk } from "./foreign-talk.ts";

export interface ForeignLocks {
  /** As people call it. */
  readonly name: string;
  readonly layout: "curator" | "kazoo";
  readonly otherLayout: "curator" | "kazoo";
  readonly ready: () => Promise<Ready>;
  /** Behind the program's own arguments, before the servers and the timeout. */
  readonly args: readonly string[];
}

const timeoutMillis = 9000;
const restMillis = 300_000;
const patienceMillis = 90_000;

/** Somebody in a queue, over REST or in the other program. */
interface Party {
  readonly id: string;
  /** Resolves when it has the lock. */
  readonly held: Promise<unknown>;
  release(): Promise<void>;
}

class Stage {
  readonly ensemble: Ensemble;
  readonly talk: ForeignTalk;
  readonly layout: "curator" | "kazoo";
  readonly #sessions = new Map<string, string>();

  constructor(ensemble: Ensemble, talk: ForeignTalk, layout: "curator" | "kazoo") {
    this.ensemble = ensemble;
    this.talk = talk;
    this.layout = layout;
  }

  get base(): string {
    return this.ensemble.gateway.base;
  }

  async session(id: string): Promise<string> {
    const known = this.#sessions.get(id) ?? (await openSession(this.base, restMillis, id));
    assert.ok(known !== undefined);
    this.#sessions.set(id, known);
    return known;
  }

  /** Joins the queue over REST, and is there when this resolves. */
  async rest(id: string, name: string, mode: "exclusive" | "read" | "write" = "exclusive"): Promise<Party> {
    const session = await this.session(id);
    const options = { session, mode, contender: id, layout: this.layout };
    const joined = await acquire(this.base, name, options);
    assert.ok(joined.status === 200 || joined.status === 202, show(joined));
    const wait = async (): Promise<Place> => {
      for (;;) {
        const answer = await acquire(this.base, name, { ...options, waitMillis: 30_000 });
        if (answer.status === 200) return answer.json as Place;
        assert.equal(answer.status, 202, show(answer));
      }
    };
    const held = joined.status === 200 ? Promise.resolve(joined.json as Place) : wait();
    const give = async (): Promise<void> => {
      const answer = await release(this.base, name, session);
      assert.equal(answer.status, 200, show(answer));
    };
    return { id, held, release: give };
  }

  /** Joins the queue in the other program, and is there when this resolves. */
  async foreign(id: string, name: string, verb: "mutex" | "reader" | "writer" = "mutex"): Promise<Party> {
    const before = await this.#length(name);
    this.talk.type(`${verb} ${id} /${name}`);
    await until(
      async () => (await this.#length(name)) > before,
      patienceMillis,
      () => `${id} joins: ${this.talk.output}`,
    );
    const held = until(
      () => this.holds(id),
      90_000,
      () => `${id} has it: ${this.talk.output.slice(-500)}`,
    );
    held.catch(() => {});
    const give = async (): Promise<void> => {
      this.talk.type(`release ${id}`);
      await this.says(`released ${id}`);
    };
    return { id, held, release: give };
  }

  holds(id: string): boolean {
    return this.talk.output.includes(`held ${id}\n`);
  }

  says(line: string): Promise<void> {
    return until(
      () => this.talk.output.includes(`${line}\n`),
      patienceMillis,
      () => `it says ${line}: ${this.talk.output.slice(-500)}`,
    );
  }

  async #length(name: string): Promise<number> {
    const queue = await queueOf(this.base, name).catch(() => undefined);
    return queue === undefined ? 0 : queue.holders.length + queue.waiting;
  }

  /** `[holding, waiting]`. */
  async counts(name: string): Promise<[number, number]> {
    const queue = await queueOf(this.base, name);
    return [queue?.holders.length ?? 0, queue?.waiting ?? 0];
  }
}

function isSettled(party: Party): Promise<boolean> {
  const now = new Promise<boolean>((resolve) => setImmediate(() => resolve(false)));
  return Promise.race([party.held.then(() => true), now]);
}

/** One after the other, each behind all that came before it. */
async function inTurn(stage: Stage, name: string, parties: readonly Party[]): Promise<void> {
  for (const [at, party] of parties.entries()) {
    await party.held;
    assert.deepEqual(await stage.counts(name), [1, parties.length - 1 - at], `${party.id} holds it alone`);
    for (const later of parties.slice(at + 1)) assert.equal(await isSettled(later), false, `${later.id} is behind`);
    await party.release();
  }
}

async function readersAndWriters(stage: Stage): Promise<void> {
  const name = "together/read-write";
  const one = await stage.rest("rw-rest-reader", name, "read");
  const two = await stage.foreign("rw-reader", name, "reader");
  await Promise.all([one.held, two.held]);
  assert.deepEqual(await stage.counts(name), [2, 0], "readers share");
  const writer = await stage.foreign("rw-writer", name, "writer");
  const late = await stage.rest("rw-rest-late", name, "read");
  const restWriter = await stage.rest("rw-rest-writer", name, "write");
  const last = await stage.foreign("rw-last", name, "reader");
  assert.deepEqual(await stage.counts(name), [2, 4], "nobody overtakes a writer that waits");
  await one.release();
  assert.deepEqual(await stage.counts(name), [1, 4]);
  await two.release();
  await writer.held;
  assert.deepEqual(await stage.counts(name), [1, 3]);
  await writer.release();
  await late.held;
  assert.deepEqual(await stage.counts(name), [1, 2]);
  assert.equal(stage.holds("rw-last"), false);
  await late.release();
  await restWriter.held;
  await restWriter.release();
  await last.held;
  await last.release();
  assert.deepEqual(await stage.counts(name), [0, 0]);
}

interface ElectionJson {
  readonly leader: { readonly value: string } | null;
  readonly candidates: number;
  readonly layout: string;
}

async function electionOf(stage: Stage, name: string): Promise<ElectionJson> {
  const answer = await call(stage.base, "GET", `/v1/elections/${name}`);
  assert.equal(answer.status, 200, show(answer));
  return answer.json as ElectionJson;
}

async function elections(stage: Stage): Promise<void> {
  const name = "together/election";
  const target = `/v1/elections/${name}?layout=${stage.layout}`;
  const headers = { "Quorate-Session": await stage.session("candidate") };
  const first = await call(stage.base, "POST", target, { headers, body: "http://rest:1" });
  assert.equal(first.status, 200, show(first));
  stage.talk.type(`latch other /${name}`);
  await until(async () => (await electionOf(stage, name)).candidates === 1, patienceMillis, "it stands for election");
  stage.talk.type("leader other");
  await stage.says("leader other http://rest:1");
  assert.ok(!stage.talk.output.includes("leads other"));
  const proclaimed = await call(stage.base, "PUT", `/v1/elections/${name}`, { headers, body: "http://rest:2" });
  assert.equal(proclaimed.status, 200, show(proclaimed));
  assert.equal((await electionOf(stage, name)).leader?.value, "http://rest:2");
  // A LeaderLatch bears no change of the znode before it, so there it is not made.
  if (stage.layout === "kazoo") {
    stage.talk.type("leader other");
    await stage.says("leader other http://rest:2");
  }
  assert.equal((await call(stage.base, "DELETE", `/v1/elections/${name}`, { headers })).status, 200);
  await stage.says("leads other");
  assert.equal((await electionOf(stage, name)).leader?.value, "other");
  const behind = await call(stage.base, "POST", target, { headers, body: "http://rest:3" });
  assert.deepEqual([behind.status, behind.json.ahead], [202, 1]);
  const leads = call(stage.base, "POST", `${target}&wait=60s`, { headers, patienceMillis });
  stage.talk.type("close other");
  await stage.says("closed other");
  const led = await leads;
  assert.deepEqual([led.status, led.json.leader], [200, true], show(led));
  const seen = await electionOf(stage, name);
  assert.deepEqual([seen.leader?.value, seen.candidates, seen.layout], ["http://rest:3", 0, stage.layout]);
}

async function layoutIsFixed(stage: Stage, other: "curator" | "kazoo"): Promise<void> {
  const theirs = "together/theirs-first";
  const party = await stage.foreign("fixes", theirs);
  await party.held;
  const wrong = await acquire(stage.base, theirs, { session: await stage.session("fixed"), layout: other });
  assert.deepEqual([wrong.status, wrong.code], [409, "nodeExists"], show(wrong));
  assert.match(wrong.json.detail, new RegExp(stage.layout));
  assert.match(wrong.json.detail, new RegExp(other));
  const unsaid = await acquire(stage.base, theirs, { session: await stage.session("fixed") });
  assert.deepEqual([unsaid.status, unsaid.json.layout, unsaid.json.ahead], [202, stage.layout, 1], show(unsaid));
  await party.release();
  const again = await acquire(stage.base, theirs, { session: await stage.session("fixed"), layout: other });
  assert.deepEqual([again.status, again.code], [409, "nodeExists"], "though nobody of theirs is left");
  const ours = "together/ours-first";
  const session = await stage.session("fixed");
  assert.equal((await acquire(stage.base, ours, { session, layout: stage.layout })).status, 200);
  const second = await acquire(stage.base, ours, { session: await stage.session("second"), layout: other });
  assert.deepEqual([second.status, second.code], [409, "nodeExists"], show(second));
}

async function startEnsemble(): Promise<Ensemble> {
  const ports = await freePorts(3);
  const portOf = (name: string): string => String(ports[Number(name.split(" ")[1]) - 1]);
  return Ensemble.start({
    environmentOf: (name) => ({ QUORATE_ZOOKEEPER_PORT: name.startsWith("replica") ? portOf(name) : "0" }),
  });
}

function begin(program: Program, args: readonly string[], { replicas }: Ensemble): ForeignTalk {
  const hosts = replicas.map((each) => `127.0.0.1:${each.zookeeperPort}`).join(",");
  return new ForeignTalk({ ...program, args: [...program.args, ...args, hosts, `${timeoutMillis}`] });
}

/** The whole of it, for one client. */
export function describeTogether(client: ForeignLocks): void {
  let ensemble: Ensemble | undefined;
  let stage: Stage | undefined;
  let skip: string | undefined;

  describe(`locks over REST and ${client.name}'s`, { timeout: 480_000 }, () => {
    before(async () => {
      const ready = await client.ready();
      if ("skip" in ready) {
        skip = ready.skip;
        return;
      }
      ensemble = await startEnsemble();
      stage = new Stage(ensemble, begin(ready.program, client.args, ensemble), client.layout);
      await stage.says("connected");
    });
    afterEach((context) => {
      if ("error" in context && context.error) console.log(ensemble?.output(), stage?.talk.output.slice(-4000));
    });
    after(async () => {
      await stage?.talk.kill();
      await ensemble?.stop();
    });

    const play = (what: string, scenario: (stage: Stage) => Promise<void>): void => {
      it(what, async (t) => {
        if (skip !== undefined || stage === undefined) return t.skip(skip);
        await scenario(stage);
      });
    };

    play("exclude each other, both ways round", async (on) => {
      const name = "together/both-ways";
      await inTurn(on, name, [await on.rest("one", name), await on.foreign("two", name)]);
      await inTurn(on, name, [await on.foreign("three", name), await on.rest("four", name)]);
    });
    play("stand in one queue, and have their turns in its order", async (on) => {
      const name = "together/mixed";
      const parties: Party[] = [];
      for (const turn of [1, 2, 3])
        parties.push(await on.rest(`mixed-rest-${turn}`, name), await on.foreign(`mixed-${turn}`, name));
      await inTurn(on, name, parties);
    });
    play("share as readers, and exclude as writers", readersAndWriters);
    play("elect one leader, whose value all see", elections);
    play("have the layout of whoever came first", (on) => layoutIsFixed(on, client.otherLayout));
    play("pass to REST when the other's process dies", async (on) => {
      const name = "together/dies";
      const dying = await on.foreign("dying", name);
      await dying.held;
      const waiting = await on.rest("heir", name);
      await on.talk.kill();
      const place = (await waiting.held) as Place;
      assert.equal(place.held, true);
      assert.deepEqual(await on.counts(name), [1, 0]);
    });
  });
}
