/** A client of the ZooKeeper port that behaves, and must be served whatever others do there. */
import { sleep } from "../integration/ensemble.ts";
import { WireClient } from "../zookeeper/wire-client.ts";
import { openAcl } from "../zookeeper/wire-records.ts";
import { largeNode } from "./zookeeper-frames.ts";

const path = "/fuzz-healthy";
/** Between two rounds. */
const restMillis = 20;
/** Of one round, however busy the machine is. */
const patienceMillis = 20_000;

export class HealthyClient {
  readonly #client: WireClient;
  readonly #done: Promise<void>;
  #stopped = false;
  rounds = 0;
  slowestMillis = 0;
  /** What was not as it should be. */
  fault: string | undefined;

  private constructor(client: WireClient) {
    this.#client = client;
    this.#done = this.#run();
  }

  /** It also makes what deaf clients ask for. Its znodes can be read by all, and changed by the superuser alone. */
  static async start(port: number, superUser: string): Promise<HealthyClient> {
    const client = await WireClient.connect(port, { timeoutMillis: 30_000 });
    await client.send({ op: "auth", scheme: "digest", auth: Buffer.from(superUser) });
    const acl = [{ permissions: 1, scheme: "world", id: "anyone" }];
    const large = Buffer.alloc(largeNode.bytes);
    await client.send({ op: "create", path: largeNode.path, data: large, acl: openAcl, flags: 0 });
    await client.send({ op: "setAcl", path: largeNode.path, acl, version: -1 });
    const { error } = await client.send({ op: "create", path, data: null, acl, flags: 0 });
    if (error !== 0) throw new Error(`the healthy client is refused: ${error}`);
    return new HealthyClient(client);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#done;
    await this.#client.close();
  }

  async #run(): Promise<void> {
    try {
      while (!this.#stopped) {
        const began = performance.now();
        const late = setTimeout(() => this.#client.cut(), patienceMillis);
        await this.#round();
        clearTimeout(late);
        this.slowestMillis = Math.max(this.slowestMillis, performance.now() - began);
        this.rounds += 1;
        await sleep(restMillis);
      }
    } catch (error) {
      this.fault = `the healthy client, in round ${this.rounds}: ${error instanceof Error ? error.message : error}`;
    }
  }

  /** It reads what it wrote, and is told of it. */
  async #round(): Promise<void> {
    const client = this.#client;
    const data = Buffer.from(`round ${this.rounds}`);
    await client.send({ op: "exists", path, watch: true });
    const before = client.events.length;
    const set = await client.send({ op: "setData", path, data, version: this.rounds });
    if (set.error !== 0) throw new Error(`its write is answered ${set.error}`);
    const told = client.events.slice(before);
    if (told.length !== 1 || told[0]?.path !== path || told[0].type !== 3)
      throw new Error("it is not told of its write");
    const got = await client.send({ op: "getData", path, watch: false });
    if (got.result?.data?.equals(data) !== true) throw new Error("it does not read what it wrote");
  }
}
