/**
 * Sessions of ZooKeeper's protocol survive what happens to servers: a replica that is killed, the leader, all of them restarted one
 * after the other, one that stands still. Their ephemerals stay, their watches miss nothing, their writes are done once; and
 * those whose client is gone go after their timeout.
 *
 * QUORATE_ROUNDS: how often each is done (1).
 */
import assert from "node:assert/strict";
import { after, afterEach, before, describe, it, type TestContext } from "node:test";
import { createFlags, openAcl } from "../zookeeper/wire-records.ts";
import { ask, spread, watchGone } from "./door-client.ts";
import { Ensemble, freePorts, type Process, sleep, statusOf, until } from "./ensemble.ts";
import { type ClientOptions, ZookeeperClient } from "./zookeeper-client.ts";
import { faultsOf } from "./zookeeper-client-watches.ts";
import { ZookeeperLedger } from "./zookeeper-ledger.ts";
import { News, NewsReader } from "./zookeeper-news.ts";

const rounds = Number(process.env["QUORATE_ROUNDS"] ?? 1);
const timeoutMillis = 6000;
/** Theirs is waited for to the end. */
const doomedMillis = 2000;
const graceMillis = 1000;
/** Load on either side of what is done to the servers. */
const calmMillis = 250;
const patienceMillis = 60_000;

/** How long behind the latest that it may be each was still seen whose client was gone. */
const behind: number[] = [];

let ensemble: Ensemble;
let ports: readonly number[] = [];
let scenes = 0;
/** Of the scene that is played. */
const clients: ZookeeperClient[] = [];
const writers: News[] = [];

before(async () => {
  const names = ["replica 1", "replica 2", "replica 3", "gateway 1", "gateway 2"];
  ports = await freePorts(names.length);
  const environmentOf = (name: string) => ({
    QUORATE_ZOOKEEPER_PORT: String(ports[names.indexOf(name)]),
    QUORATE_ZOOKEEPER_MIN_SESSION_TIMEOUT: String(doomedMillis),
    // No balancer has to notice that a replica stops.
    QUORATE_DRAIN: "100",
  });
  ensemble = await Ensemble.start({ gateways: 2, environmentOf });
  for (const each of ensemble.gateways) await ensemble.ready(each);
});
afterEach((context) => {
  if ("error" in context && context.error) console.log(ensemble.output());
  for (const each of clients.splice(0)) each.kill();
  for (const each of writers.splice(0)) each.abandon();
});
after(() => ensemble?.stop());

/** REST, which nothing is done to. */
function base(): string {
  return (ensemble.gateways[1] as Process).base;
}

/** One client: with an ephemeral, watches, and writes under way. */
interface Life {
  readonly client: ZookeeperClient;
  readonly held: string;
  readonly reader: NewsReader;
  readonly ledger: ZookeeperLedger;
}

class Scene {
  readonly news: News;
  readonly lives: Life[] = [];
  readonly #t: TestContext;
  readonly #root: string;
  readonly #doomed: Promise<number>[] = [];

  private constructor(t: TestContext) {
    this.#t = t;
    this.#root = `/scene-${scenes++}`;
    this.news = new News(base(), `${this.#root}/news`);
    writers.push(this.news);
  }

  /** A client for each of these connect strings. */
  static async start(t: TestContext, all: readonly (readonly number[])[]): Promise<Scene> {
    const scene = new Scene(t);
    // One before it may have been left in the middle.
    for (const each of ensemble.replicas) await comeBack(each);
    for (const path of ["", "/held", "/ledger"]) await put(`${scene.#root}${path}`);
    await scene.news.start();
    await Promise.all(all.map((each, i) => scene.#begin(each, i)));
    await sleep(calmMillis);
    return scene;
  }

  async #begin(hosts: readonly number[], i: number): Promise<void> {
    const { news } = this;
    const client = await open({ ports: hosts, timeoutMillis, recursive: news.root });
    assert.equal(client.timeoutMillis, timeoutMillis);
    const held = `${this.#root}/held/${i}`;
    await makeEphemeral(client, held);
    const reader = new NewsReader(client, news.root);
    await reader.start();
    const ledger = new ZookeeperLedger(client, `${this.#root}/ledger/${i}`, { depth: 6, pauseMillis: 40 });
    await ledger.start();
    this.lives.push({ client, held, reader, ledger });
  }

  /** A client that does nothing but ping, and will be gone. `late`: what may come on top of its timeout. */
  async doom(hosts: readonly number[], end: (client: ZookeeperClient) => void, late = 0): Promise<void> {
    const client = await open({ ports: hosts, timeoutMillis: doomedMillis });
    const path = `${this.#root}/held/doomed-${client.session}`;
    const { zxid } = await makeEphemeral(client, path);
    const { heldUntil } = client;
    await until(() => client.heldUntil > heldUntil, patienceMillis, "it has pinged");
    const gone = async (): Promise<number> => {
      end(client);
      const [earliest, latest] = [client.heldUntil, client.sentAt + doomedMillis + late + graceMillis];
      const hex = `0x${zxid.toString(16).padStart(16, "0")}`;
      const seen = await watchGone([base()], path, hex, { from: earliest - 200, until: latest + patienceMillis });
      client.kill();
      const early = Math.round(earliest - seen.firstGoneAt);
      assert.ok(early <= 0, `${path} was gone ${early} ms before its time`);
      behind.push(seen.lastSeenAt - latest);
      return seen.firstGoneAt - earliest;
    };
    const judged = gone();
    judged.catch(() => {});
    this.#doomed.push(judged);
  }

  /** All of them have written since, and were told of what was written. */
  async goOn(): Promise<void> {
    const counts = this.lives.map(({ ledger }) => ledger.acknowledged);
    await until(
      () => this.lives.every(({ ledger, client }, i) => client.expired || ledger.acknowledged > (counts[i] ?? 0) + 12),
      patienceMillis,
      () => `everybody writes: ${this.lives.map(({ client }) => JSON.stringify(client.stays.at(-1)))}`,
    );
  }

  /** Stops the work, waits until all is told, and holds it against what there is. */
  async settle(): Promise<void> {
    const { lives, news } = this;
    await sleep(calmMillis);
    await this.goOn();
    const late = await Promise.all(this.#doomed);
    if (late.length > 0) this.#t.diagnostic(`those whose client was gone went after their time: ${spread(late)}`);
    await news.stop();
    await Promise.all(lives.map(({ ledger }) => ledger.stop()));
    for (const { client, held } of lives) {
      const who = `${held} (${client.stays.map(({ end }) => end).join("; ")})`;
      assert.equal(client.expired, false, `${who}: its session is over; its longest lag was ${client.longestLag} ms`);
    }
    const all = (): string[] => lives.flatMap(({ client }) => faultsOf(client.watches, news.written));
    // What is not told yet may be under way.
    await until(() => all().length === 0, 60_000, "all is told").catch(() => undefined);
    assert.deepEqual(all().slice(0, 10), []);
    await Promise.all(lives.map(({ reader }) => reader.stop()));
    let [acknowledged, lost, lostAndDone] = [0, 0, 0];
    for (const { client, ledger, held } of lives) {
      const who = `${held} (${client.stays.map(({ end }) => end).join("; ")})`;
      assert.deepEqual(client.faults, [], who);
      const { result } = await client.insist({ op: "exists", path: held, watch: false });
      assert.deepEqual([result?.stat.ephemeralOwner, result?.stat.version], [client.session, 0], who);
      assert.equal(result?.stat.czxid, result?.stat.mzxid);
      const report = await ledger.verify(base());
      assert.deepEqual(ledger.faults, [], who);
      acknowledged += report.acknowledged;
      lost += report.lost;
      lostAndDone += report.lostAndDone;
    }
    const fired = lives.reduce((sum, { client }) => sum + client.fired.length, 0);
    const gap = Math.max(...lives.map(({ ledger }) => ledger.longestGap));
    this.#t.diagnostic(
      `${lives.length} clients, ${acknowledged} creates acknowledged, ${lost} lost of which ${lostAndDone} done; ` +
        `${fired} one-shot watches fired by ${news.written.length} changes; longest gap ${Math.round(gap)} ms`,
    );
    await Promise.all(lives.map(({ client }) => client.close()));
    assert.equal((await ask(base(), "GET", `/v1/children${this.#root}/held`)).text.includes('"name"'), false);
  }

  /**
   * Who had to move did, and nobody else lost the connection; unless writes stood still for so long, on a machine that does too
   * much else, that clients and gateways had reason to leave.
   */
  movedFrom(port: number): void {
    const stood = this.lives.filter(({ client }) => client.stays[0]?.port !== port);
    const gap = Math.max(...stood.map(({ ledger }) => ledger.longestGap));
    for (const { client } of this.lives) {
      const [first, ...others] = client.stays;
      if (first?.port === port) assert.ok(others.length > 0, "it has left");
      else if (gap < timeoutMillis / 3) assert.equal(first?.end, "", `nobody else; writes stood still for ${gap} ms`);
    }
  }
}

async function open(options: ClientOptions): Promise<ZookeeperClient> {
  const client = await ZookeeperClient.open(options);
  clients.push(client);
  return client;
}

async function put(path: string): Promise<void> {
  assert.equal((await ask(base(), "PUT", `/v1/znodes${path}`)).status, 201, path);
}

async function makeEphemeral(client: ZookeeperClient, path: string): Promise<{ readonly zxid: bigint }> {
  const made = await client.call({ op: "create", path, data: null, acl: openAcl, flags: createFlags.ephemeral });
  assert.equal(made.error, 0, path);
  return made;
}

/** The replicas' ports in turn, beginning with each of them, so many times over. */
function everywhere(times: number): number[][] {
  return Array.from({ length: 3 * times }, (_, i) => [...ports.slice(i % 3, 3), ...ports.slice(0, i % 3)]);
}

function portOf(replica: Process): number {
  return ports[ensemble.replicas.indexOf(replica)] as number;
}

async function comeBack(replica: Process): Promise<void> {
  if (!replica.running) replica.start();
  await until(async () => (await statusOf(replica)).serving, 60_000, `${replica.name} serves`);
}

async function aFollower(): Promise<Process> {
  return ensemble.replica(((await ensemble.leader()) % 3) + 1);
}

async function strike(scene: Scene, struck: Process): Promise<void> {
  await struck.kill();
  await scene.news.setQuiet();
  await scene.goOn();
}

/** Some of them at least: where this machine stands still others are late, or have a new leader's timeout again. */
function someWereInTime(t: TestContext): void {
  t.diagnostic(`behind the latest that they may be they were seen for ${spread(behind)}`);
  assert.ok(Math.min(...behind) <= 0, spread(behind));
}

describe("sessions of the ZooKeeper port", { timeout: 240_000 + rounds * 200_000 }, () => {
  for (let round = 1; round <= rounds; round++) {
    it(`the replica of some is killed (${round})`, async (t) => {
      const scene = await Scene.start(t, everywhere(3));
      const struck = await aFollower();
      const safe = ensemble.replicas.find((each) => each !== struck) as Process;
      await Promise.all([
        scene.doom([portOf(safe)], (client) => client.kill()),
        scene.doom([portOf(safe)], (client) => client.hang()),
        scene.doom([portOf(struck)], (client) => client.kill()),
      ]);
      await strike(scene, struck);
      scene.movedFrom(portOf(struck));
      await comeBack(struck);
      await scene.settle();
    });

    it(`the leader is killed (${round})`, async (t) => {
      const scene = await Scene.start(t, everywhere(3));
      const struck = ensemble.replica(await ensemble.leader());
      // A new leader gives everybody the whole timeout again.
      await scene.doom([portOf(await aFollower())], (client) => client.kill(), doomedMillis);
      await strike(scene, struck);
      scene.movedFrom(portOf(struck));
      await comeBack(struck);
      await scene.settle();
    });

    it(`all are restarted, one after the other (${round})`, async (t) => {
      const scene = await Scene.start(t, everywhere(3));
      for (const each of ensemble.replicas) {
        await each.kill("SIGTERM");
        assert.equal(each.ended, 0, "it ends in peace");
        await scene.news.setQuiet();
        await comeBack(each);
        await scene.goOn();
      }
      for (const { client } of scene.lives) assert.ok(client.stays.length > 1, "everybody had to move");
      await scene.settle();
    });

    it(`all are killed at once, and come back from their disks (${round})`, async (t) => {
      const scene = await Scene.start(t, everywhere(2));
      await Promise.all(ensemble.replicas.map((each) => each.kill()));
      for (const each of ensemble.replicas) each.start();
      await Promise.all(ensemble.replicas.map(comeBack));
      for (const { client } of scene.lives) await client.insist({ op: "sync", path: "/" });
      await scene.news.setQuiet();
      await scene.settle();
    });

    it(`one stands still for longer than clients wait: a follower, then the leader (${round})`, async (t) => {
      const scene = await Scene.start(t, everywhere(2));
      for (const which of ["follower", "leader"]) {
        const struck = which === "leader" ? ensemble.replica(await ensemble.leader()) : await aFollower();
        const there = scene.lives.filter(({ client }) => client.port === portOf(struck));
        struck.signal("SIGSTOP");
        try {
          await scene.news.setQuiet();
          const left = () => there.every(({ client }) => ![0, portOf(struck)].includes(client.port));
          await until(left, patienceMillis, "its clients go elsewhere");
          await scene.goOn();
        } finally {
          struck.signal("SIGCONT");
        }
        for (const { client } of there) assert.match(client.stays.at(-2)?.end ?? "", /^silent for/);
        await comeBack(struck);
      }
      await scene.settle();
    });

    it(`gateways stand in front while leaders die, and one of themselves (${round})`, async (t) => {
      const [gateway] = ensemble.gateways;
      assert.ok(gateway);
      const scene = await Scene.start(t, Array<readonly number[]>(6).fill(ports.slice(3)));
      for (let kills = 0; kills < 2; kills++) {
        const struck = ensemble.replica(await ensemble.leader());
        await strike(scene, struck);
        await comeBack(struck);
      }
      // To them nothing has happened.
      scene.movedFrom(0);
      await strike(scene, gateway);
      scene.movedFrom(ports[3] ?? 0);
      gateway.start();
      await ensemble.ready(gateway);
      await scene.settle();
    });
  }

  it("those whose client is gone go in time", (t) => someWereInTime(t));
});
