/**
 * A client of ZooKeeper's protocol that watches for as long as it is let: when its connection ends it comes back, to whichever
 * replica is next, takes its session over and sets its watches again behind what it has seen, as clients do.
 */
import { type PlacedEvent, WireClient } from "../zookeeper/wire-client.ts";
import { sleep } from "./ensemble.ts";

const eventNames = ["none", "created", "deleted", "changed", "childrenChanged"];

/** `12 created /a`. */
export function lineOf({ zxid, type, path }: Pick<PlacedEvent, "zxid" | "type" | "path">): string {
  return `${zxid} ${eventNames[type] ?? type} ${path}`;
}

/** What one connection told. */
export interface Visit {
  readonly port: number;
  readonly told: readonly string[];
}

export class ReturningWatcher {
  readonly visits: Visit[] = [];
  readonly #ports: () => readonly number[];
  readonly #recursive: string;
  #client: WireClient | undefined;
  #session = 0n;
  #password: Uint8Array = Buffer.alloc(16);
  /** Of replies alone, as the Java client's: events do not raise it. */
  #seen = 0n;
  #next = 0;
  #stopped = false;
  #running: Promise<void> | undefined;

  /** Watches `recursive` and all below; `ports`: of the replicas that it may try. */
  constructor(ports: () => readonly number[], recursive: string) {
    this.#ports = ports;
    this.#recursive = recursive;
  }

  /** It watches, and goes on until `stop`. */
  async start(): Promise<void> {
    const client = await this.#connect();
    const { error, zxid } = await client.send({ op: "addWatch", path: this.#recursive, mode: 1 });
    if (error !== 0) throw new Error(`addWatch was answered ${error}`);
    this.#seen = zxid;
    this.#running = this.#goOn(client);
  }

  /** Where it is at home; 0: on its way. */
  get port(): number {
    return this.#client?.open === true ? (this.visits.at(-1)?.port ?? 0) : 0;
  }

  /** All that it was told, of all connections. */
  get told(): ReadonlySet<string> {
    return new Set(this.visits.flatMap(({ told }) => told));
  }

  /** Its connection breaks; it does not know. */
  cut(): void {
    this.#client?.reset();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
    await this.#client?.close();
  }

  async #goOn(first: WireClient): Promise<void> {
    for (let client = first; ; ) {
      await Promise.race([client.closed, this.#whenStopped()]);
      if (this.#stopped) return;
      client = await this.#comeBack();
    }
  }

  async #whenStopped(): Promise<void> {
    while (!this.#stopped) await sleep(20);
  }

  async #comeBack(): Promise<WireClient> {
    for (;;) {
      try {
        const client = await this.#connect();
        const none = { data: [], exist: [], child: [], persistent: [] };
        const persistentRecursive = [this.#recursive];
        const relativeZxid = this.#seen;
        const { error, zxid } = await client.send({ op: "setWatches2", relativeZxid, ...none, persistentRecursive });
        if (error !== 0) throw new Error(`setWatches2 was answered ${error}`);
        if (zxid > this.#seen) this.#seen = zxid;
        return client;
      } catch (error) {
        if (this.#stopped || (error instanceof Error && error.message.includes("over"))) throw error;
        await sleep(20);
      }
    }
  }

  async #connect(): Promise<WireClient> {
    const ports = this.#ports();
    const port = ports[this.#next++ % ports.length] as number;
    const client = await WireClient.connect(port, {
      lastZxidSeen: this.#seen,
      timeoutMillis: 40_000,
      session: this.#session,
      password: this.#password,
      patienceMillis: 5_000,
    });
    if (!client.accepted) throw new Error("its session is over");
    const told: string[] = [];
    client.onArrival = (arrival) => {
      if (arrival.kind === "event") told.push(lineOf(arrival.event));
    };
    // Events may have come with the answer to the handshake.
    told.push(...client.events.map(lineOf));
    this.#client = client;
    this.#session = client.session;
    this.#password = client.password;
    this.visits.push({ port, told });
    return client;
  }
}
