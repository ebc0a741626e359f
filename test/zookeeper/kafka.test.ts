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

/** What Kafka wrote, read over REST; undefined: it is not there. */
async function found(ensemble: Ensemble, path: string): Promise<Found | undefined> {
  for (const replica of ensemble.replicas) {
    if (!replica.running) continue;
    const read = await fetch(`${replica.base}/v1/znodes/kafka/${path}?format=json`).catch(() => undefined);
    if (read?.status === 404) return undefined;
    if (read?.status !== 200) continue;
    const { data, stat } = (await read.json()) as { data: string; stat: { czxid: string } };
    return { json: JSON.parse(data) as Record<string, unknown>, czxid: stat.czxid };
  }
  throw new Error(`nobody answers what ${path} is\n${ensemble.output()}`);
}

async function startBroker(
  program: Program,
  id: number,
  port: number,
  folder: string,
  servers: string,
): Promise<Server> {
  const settings = {
    "broker.id": id,
    listeners: `PLAINTEXT://127.0.0.1:${port}`,
    "log.dirs": join(folder, `data-${id}`),
    "zookeeper.connect": `${servers}/kafka`,
    "zookeeper.session.timeout.ms": sessionMillis,
    "offsets.topic.replication.factor": 2,
    "offsets.topic.num.partitions": 3,
    "group.initial.rebalance.delay.ms": 0,
    "num.network.threads": 2,
    "num.io.threads": 2,
  };
  const file = join(folder, `broker-${id}.properties`);
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
  await writeFile(file, `${lines.join("\n")}\n`);
  return run(program, ["kafka.Kafka", file]);
}

test("a Kafka cluster runs on three replicas, while each of them is killed, and then its controller", async (t) => {
  const ready = await makeReady(kafka);
  if ("skip" in ready) return t.skip(ready.skip);
  const { program } = ready;
  const folder = await mkdtemp(join(tmpdir(), "quorate-kafka-"));
  cleanings.push(() => rm(folder, { recursive: true, force: true }));
  const [first = 0, second = 0, ...zookeeper] = await freePorts(5);
  const ports = [first, second];
  const ensemble = await Ensemble.start({
    gateways: 0,
    environmentOf: (name) => ({ QUORATE_ZOOKEEPER_PORT: String(zookeeper[Number(name.split(" ")[1]) - 1]) }),
  });
  cleanings.push(() => ensemble.stop());
  const servers = zookeeper.map((port) => `127.0.0.1:${port}`).join(",");
  const start = (id: number): Promise<Server> => startBroker(program, id, ports[id - 1] ?? 0, folder, servers);
  const brokers = new Map([
    [1, await start(1)],
    [2, await start(2)],
  ]);
  const registered = async (id: number): Promise<boolean> => (await found(ensemble, `brokers/ids/${id}`)) !== undefined;
  const said = (): string => [...brokers].map(([id, each]) => `--- broker ${id}\n${each.said()}`).join("\n");
  for (const id of [1, 2])
    await until(
      () => registered(id),
      patienceMillis,
      () => `broker ${id} is registered\n${said()}`,
    );

  const work = new Work(program, ports.map((port) => `127.0.0.1:${port}`).join(","));
  await work.ask("topic records");
  await work.ask("start records");
  await work.goesOn("at first");
  const before = await Promise.all([1, 2].map((id) => found(ensemble, `brokers/ids/${id}`)));
  const controller = await found(ensemble, "controller");
  const leader = await ensemble.leader();
  for (const { name } of ensemble.replicas) {
    const replica = ensemble.replicas.find((each) => each.name === name);
    await replica?.kill();
    await work.goesOn(`without ${name}`);
    replica?.start();
    await ensemble.settled();
  }
  const behind = await Promise.all([1, 2].map((id) => found(ensemble, `brokers/ids/${id}`)));
  assert.deepEqual(
    behind.map((each) => each?.czxid),
    before.map((each) => each?.czxid),
    "no broker's session was lost with a replica",
  );
  assert.deepEqual(await found(ensemble, "controller"), controller, "the controller is the same");

  const deposed = Number(controller?.json["brokerid"]);
  const other = deposed === 1 ? 2 : 1;
  const killedAt = performance.now();
  await kill((brokers.get(deposed) as Server).child);
  const elected = async (): Promise<boolean> => (await found(ensemble, "controller"))?.json["brokerid"] === other;
  await until(elected, patienceMillis, () => `broker ${other} is the controller\n${said()}`);
  t.diagnostic(`the other broker was the controller ${Math.round(performance.now() - killedAt)} ms after the kill`);
  await work.goesOn("without the controller");
  brokers.set(deposed, await start(deposed));
  await until(
    () => registered(deposed),
    patienceMillis,
    () => `broker ${deposed} is back\n${said()}`,
  );
  await work.ask("topic more");
  assert.ok((await found(ensemble, "brokers/topics/more")) !== undefined, "a topic that the new controller made");
  const end = await work.ask("end");
  assert.match(end, / missing 0 /, "all that was acknowledged was read");
  t.diagnostic(`${end}; replica ${leader} led at first`);
});
