/**
 * Kafka's brokers keep their metadata, elect their controller and see each other's death in ZooKeeper: here in three Quorate
 * replicas, by nothing but `zookeeper.connect`. A producer and a consumer group work all the time, while each replica is killed
 * and started again, and then the broker that is the controller.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import { Ensemble, freePorts, until } from "../integration/ensemble.ts";
import { makeReady, type Program } from "../polyglot/make-ready.ts";
import { kafka } from "./foreign-kits.ts";

const patienceMillis = 90_000;
const sessionMillis = 12_000;

interface Server {
  readonly child: ChildProcess;
  readonly said: () => string;
}

const cleanings: (() => Promise<unknown>)[] = [];
after(async () => {
  for (const clean of cleanings.reverse()) await clean();
});

function run({ command, args }: Program, more: readonly string[]): Server {
  const level = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn";
  const child = spawn(command, [...args, "-Xmx384m", level, ...more], { stdio: "pipe" });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(-8000);
  });
  cleanings.push(() => kill(child));
  return { child, said: () => said };
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
}

/** The program that writes and reads: one line for each. */
class Work {
  readonly #server: Server;
  readonly #lines: AsyncIterator<string>;

  constructor(program: Program, brokers: string) {
    this.#server = run(program, ["work.Work", brokers]);
    const { stdout } = this.#server.child;
    assert.ok(stdout !== null);
    this.#lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  }

  async ask(line: string): Promise<string> {
    this.#server.child.stdin?.write(`${line}\n`);
    const { value, done } = await this.#lines.next();
    assert.ok(done !== true, `it ended at ${line}: ${this.#server.said()}`);
    assert.ok(!value.startsWith("failed"), `${line}: ${value}\n${this.#server.said()}`);
    return value;
  }

  async acknowledged(): Promise<number> {
    return Number((await this.ask("progress")).split(" ")[1]);
  }

  /** So many more than now. */
  async goesOn(what: string, records = 200): Promise<void> {
    const least = (await this.acknowledged()) + records;
    await until(async () => (await this.acknowledged()) >= least, patienceMillis, `records are acknowledged ${what}`);
  }
}

interface Found {
  readonly json: Record<string, unknown>;
  readonly czxid: string;
}

const ids = [1, 2] as const;
type BrokerId = (typeof ids)[number];

/** Two brokers, and the replicas that they keep their state in. */
class Cluster {
  readonly ensemble: Ensemble;
  readonly ports: readonly number[];
  readonly #program: Program;
  readonly #folder: string;
  readonly #servers: string;
  readonly #brokers = new Map<BrokerId, Server>();

  private constructor(program: Program, folder: string, ensemble: Ensemble, ports: readonly number[], servers: string) {
    this.#program = program;
    this.#folder = folder;
    this.ensemble = ensemble;
    this.ports = ports;
    this.#servers = servers;
  }

  static async start(program: Program): Promise<Cluster> {
    const folder = await mkdtemp(join(tmpdir(), "quorate-kafka-"));
    cleanings.push(() => rm(folder, { recursive: true, force: true }));
    const [first = 0, second = 0, ...zookeeper] = await freePorts(5);
    const ensemble = await Ensemble.start({
      gateways: 0,
      environmentOf: (name) => ({ QUORATE_ZOOKEEPER_PORT: String(zookeeper[Number(name.split(" ")[1]) - 1]) }),
    });
    cleanings.push(() => ensemble.stop());
    const servers = zookeeper.map((port) => `127.0.0.1:${port}`).join(",");
    const cluster = new Cluster(program, folder, ensemble, [first, second], servers);
    for (const id of ids) await cluster.startBroker(id);
    for (const id of ids) await cluster.registers(id);
    return cluster;
  }

  async startBroker(id: BrokerId): Promise<void> {
    const settings = {
      "broker.id": id,
      listeners: `PLAINTEXT://127.0.0.1:${this.ports[id - 1]}`,
      "log.dirs": join(this.#folder, `data-${id}`),
      "zookeeper.connect": `${this.#servers}/kafka`,
      "zookeeper.session.timeout.ms": sessionMillis,
      "offsets.topic.replication.factor": 2,
      "offsets.topic.num.partitions": 3,
      "group.initial.rebalance.delay.ms": 0,
      "num.network.threads": 2,
      "num.io.threads": 2,
    };
    const file = join(this.#folder, `broker-${id}.properties`);
    const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
    await writeFile(file, `${lines.join("\n")}\n`);
    this.#brokers.set(id, run(this.#program, ["kafka.Kafka", file]));
  }

  async killBroker(id: BrokerId): Promise<void> {
    const broker = this.#brokers.get(id);
    if (broker !== undefined) await kill(broker.child);
  }

  registers(id: BrokerId): Promise<void> {
    const isThere = async (): Promise<boolean> => (await this.found(`brokers/ids/${id}`)) !== undefined;
    return until(isThere, patienceMillis, () => `broker ${id} is registered\n${this.said()}`);
  }

  /** What the brokers' sessions have made: it is another one after an expiry. */
  async registrations(): Promise<readonly unknown[]> {
    const found = await Promise.all(ids.map((id) => this.found(`brokers/ids/${id}`)));
    return found.map((each) => each?.czxid);
  }

  /** What Kafka wrote, read over REST; undefined: it is not there. */
  async found(path: string): Promise<Found | undefined> {
    for (const replica of this.ensemble.replicas) {
      if (!replica.running) continue;
      const read = await fetch(`${replica.base}/v1/znodes/kafka/${path}?format=json`).catch(() => undefined);
      if (read?.status === 404) return undefined;
      if (read?.status !== 200) continue;
      const { data, stat } = (await read.json()) as { data: string; stat: { czxid: string } };
      return { json: JSON.parse(data) as Record<string, unknown>, czxid: stat.czxid };
    }
    throw new Error(`nobody answers what ${path} is\n${this.said()}`);
  }

  said(): string {
    const brokers = [...this.#brokers].map(([id, each]) => `--- broker ${id}\n${each.said()}`);
    return [...brokers, this.ensemble.output()].join("\n");
  }
}

async function restartEachReplica({ ensemble }: Cluster, work: Work): Promise<void> {
  for (const replica of ensemble.replicas) {
    await replica.kill();
    await work.goesOn(`without ${replica.name}`);
    replica.start();
    await ensemble.settled();
  }
}

/** Answers after how many ms the other one was the controller. */
async function killController(cluster: Cluster, work: Work): Promise<number> {
  const deposed = (await cluster.found("controller"))?.json["brokerid"] as BrokerId;
  const other = deposed === 1 ? 2 : 1;
  const killedAt = performance.now();
  await cluster.killBroker(deposed);
  const isElected = async (): Promise<boolean> => (await cluster.found("controller"))?.json["brokerid"] === other;
  await until(isElected, patienceMillis, () => `broker ${other} is the controller\n${cluster.said()}`);
  const millis = performance.now() - killedAt;
  await work.goesOn("without the former controller");
  await cluster.startBroker(deposed);
  await cluster.registers(deposed);
  await work.ask("topic more");
  assert.ok((await cluster.found("brokers/topics/more")) !== undefined, "a topic that the new controller made");
  return Math.round(millis);
}

test("Kafka runs on three replicas, while each of them is killed, and then its controller", async (t) => {
  const ready = await makeReady(kafka);
  if ("skip" in ready) return t.skip(ready.skip);
  const cluster = await Cluster.start(ready.program);
  const work = new Work(ready.program, cluster.ports.map((port) => `127.0.0.1:${port}`).join(","));
  await work.ask("topic records");
  await work.ask("start records");
  await work.goesOn("at first");
  const [registrations, controller] = [await cluster.registrations(), await cluster.found("controller")];
  await restartEachReplica(cluster, work);
  assert.deepEqual(await cluster.registrations(), registrations, "no broker's session was lost with a replica");
  assert.deepEqual(await cluster.found("controller"), controller, "the controller is the same");
  t.diagnostic(`the other broker was the controller ${await killController(cluster, work)} ms after the kill`);
  const end = await work.ask("end");
  assert.match(end, / missing 0 /, "all that was acknowledged was read");
  t.diagnostic(end);
});
