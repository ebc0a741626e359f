/**
 * The real ensemble that is made to suffer: processes, links between them, one small disk; who runs by our will, who is
 * stopped, and who leads. A process that ends against our will is a violation.
 */
import { Agent } from "node:http";
import { join } from "node:path";
import {
  basicAuth,
  Ensemble,
  type MemberJson,
  type Process,
  superUser,
  type Variables,
} from "../integration/ensemble.ts";
import { exchange } from "../integration/http-client.ts";
import { pause } from "./hand.ts";
import { lockPrefix } from "./lock-object.ts";
import { Network, replicaName } from "./network.ts";
import { SmallDisk } from "./small-disk.ts";
import { steadyPorts } from "./steady-ports.ts";
import type { Tally } from "./tally.ts";

const illDisk = join(import.meta.dirname, "../integration/ill-disk.ts");
const watchMillis = 200;
/** A look at a process that does not answer ends so soon. */
const lookMillis = 600;

interface SessionJson {
  readonly name: string;
  readonly ephemeralCount: number;
}

export interface ArenaOptions {
  readonly members: number;
  readonly tally: Tally;
  /** What every process loads before the program, besides; file URLs or paths. */
  readonly imports?: (name: string) => readonly string[];
  /** Of every process. */
  readonly variables?: Variables;
}

export class Arena {
  readonly ensemble: Ensemble;
  readonly network: Network;
  /** Of the last replica. */
  readonly disk: SmallDisk | undefined;
  readonly tally: Tally;
  /** Replicas that are started as the next program. */
  readonly next: Set<string>;
  /** By name. */
  readonly grpcPorts: ReadonlyMap<string, number>;
  readonly zookeeperPorts: ReadonlyMap<string, number>;
  leader = 0;
  readonly #agent = new Agent({ keepAlive: true });
  /** By name: what we have ended, or what may end by itself. */
  readonly #mayBeDown = new Set<string>();
  readonly #stopped = new Set<string>();
  #watching = true;
  #watch: Promise<void> = Promise.resolve();

  private constructor(
    ensemble: Ensemble,
    network: Network,
    disk: SmallDisk | undefined,
    tally: Tally,
    next: Set<string>,
    grpcPorts: ReadonlyMap<string, number>,
    zookeeperPorts: ReadonlyMap<string, number>,
  ) {
    this.ensemble = ensemble;
    this.network = network;
    this.disk = disk;
    this.tally = tally;
    this.next = next;
    this.grpcPorts = grpcPorts;
    this.zookeeperPorts = zookeeperPorts;
  }

  static async start({ members, tally, imports, variables }: ArenaOptions): Promise<Arena> {
    const gateways = 2;
    const ports = await steadyPorts(4 * members + 3 * gateways);
    const peerPorts = ports.slice(0, members);
    const restPorts = ports.slice(members, 2 * members + gateways);
    const left = ports.slice(2 * members + gateways);
    const grpcPorts = new Map<string, number>();
    const zookeeperPorts = new Map<string, number>();
    const portOf = (all: Map<string, number>, name: string): string => {
      const port = all.get(name) ?? (left.shift() as number);
      all.set(name, port);
      return String(port);
    };
    const network = await Network.open(peerPorts, gateways);
    const disk = SmallDisk.mount();
    const next = new Set<string>();
    const environmentOf = (name: string): Variables => {
      const loaded = [...(name.startsWith("replica") ? [illDisk] : []), ...(imports?.(name) ?? [])];
      if (next.has(name)) loaded.push(join(import.meta.dirname, "next-program.ts"));
      // What is kept of compiled files is kept under their names, and patched ones are others.
      const more = { NODE_DISABLE_COMPILE_CACHE: "1", ...variables };
      const own = {
        QUORATE_GRPC_PORT: portOf(grpcPorts, name),
        QUORATE_ZOOKEEPER_PORT: portOf(zookeeperPorts, name),
      };
      if (loaded.length === 0) return own;
      return { ...own, NODE_OPTIONS: loaded.map((each) => `--import=${each}`).join(" "), ...more };
    };
    try {
      const ensemble = await Ensemble.start({
        replicas: members,
        gateways,
        peerPorts,
        restPorts,
        addressOf: (from, to) => network.addressOf(from, to),
        dataOf: (id) => (id === members ? disk?.data : undefined),
        environmentOf,
        // Small, so that segments, snapshots and pruning happen all the time.
        flags: ["--segment-bytes", "524288", "--snapshot-log-bytes", "4194304"],
      });
      const arena = new Arena(ensemble, network, disk, tally, next, grpcPorts, zookeeperPorts);
      arena.#watch = arena.#keepWatch();
      return arena;
    } catch (error) {
      await network.close();
      disk?.free();
      throw error;
    }
  }

  get ids(): readonly number[] {
    return this.ensemble.replicas.map((_, at) => at + 1);
  }

  get processes(): readonly Process[] {
    return [...this.ensemble.replicas, ...this.ensemble.gateways];
  }

  process(name: string): Process {
    const found = this.processes.find((each) => each.name === name);
    if (!found) throw new Error(`there is no ${name}`);
    return found;
  }

  dataOf(id: number): string {
    return id === this.ids.length && this.disk ? this.disk.data : this.ensemble.dataOf(id);
  }

  async kill(name: string, signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    this.#mayBeDown.add(name);
    this.#stopped.delete(name);
    await this.process(name).kill(signal);
  }

  /** From now on it may end by itself. */
  mayEnd(name: string): void {
    this.#mayBeDown.add(name);
  }

  start(name: string): void {
    // A fault that is still being taken back when the run is abandoned starts nobody.
    if (!this.#watching) return;
    const process = this.process(name);
    if (!process.running) process.start();
    this.#mayBeDown.delete(name);
  }

  stop(name: string): void {
    this.#stopped.add(name);
    this.process(name).signal("SIGSTOP");
  }

  goOn(name: string): void {
    this.#stopped.delete(name);
    this.process(name).signal("SIGCONT");
  }

  async handOver(to: number): Promise<number> {
    const door = this.leader > 0 ? this.ensemble.replica(this.leader) : this.ensemble.gateway;
    const headers = {
      Authorization: basicAuth(superUser.user, superUser.password),
      "Content-Type": "application/json",
      "Quorate-Timeout": "2s",
    };
    const options = { method: "POST", headers, body: JSON.stringify({ to }), patienceMillis: 3000 };
    try {
      return (await exchange(this.#agent, door.base, "/v1/cluster/leader", options)).status;
    } catch {
      return 0;
    }
  }

  /** What a replica says of itself; undefined when it says nothing. */
  async statusOf(id: number): Promise<MemberJson | undefined> {
    try {
      const options = { patienceMillis: lookMillis };
      const { status, body } = await exchange(this.#agent, this.ensemble.replica(id).base, "/v1/cluster", options);
      if (status !== 200) return undefined;
      return (JSON.parse(body) as { members: MemberJson[] }).members.find((each) => each.id === id);
    } catch {
      return undefined;
    }
  }

  async #isReady(process: Process): Promise<boolean> {
    try {
      const options = { patienceMillis: lookMillis };
      return (await exchange(this.#agent, process.base, "/readyz?require=leader", options)).status === 200;
    } catch {
      return false;
    }
  }

  /** Every member serves and every gateway knows a leader. False: not within `millis`; `why` then says who does not. */
  async serves(millis: number): Promise<string> {
    const end = performance.now() + millis;
    for (;;) {
      const states = await Promise.all(this.ids.map((id) => this.statusOf(id)));
      const ready = await Promise.all(this.ensemble.gateways.map((each) => this.#isReady(each)));
      const whole = states.every((each) => each?.serving && each.standing === "member");
      const led = states.filter((each) => each?.role === "leading").length === 1;
      if (whole && led && ready.every(Boolean)) return "";
      if (performance.now() > end) {
        const said = states.map(
          (each, at) => `${replicaName(at + 1)}: ${each ? `${each.role} ${each.reason}` : "silent"}`,
        );
        return [...said, ...ready.map((each, at) => `gateway ${at + 1}: ${each ? "ready" : "not ready"}`)].join("; ");
      }
      await pause(100);
    }
  }

  /** One digest at one zxid everywhere; answers what differs. */
  async isEqual(millis: number): Promise<string> {
    const end = performance.now() + millis;
    for (;;) {
      const states = await Promise.all(this.ids.map((id) => this.statusOf(id)));
      const [first] = states;
      const equal = states.every(
        (each) => first && each?.serving && each.applied === first.applied && each.digest === first.digest,
      );
      if (equal) return "";
      if (performance.now() > end) return states.map((each) => `${each?.applied}/${each?.digest}`).join(" ");
      await pause(200);
    }
  }

  /** Paths of ephemerals that are still there when `millis` are over: sessions of those who left. */
  async ephemeralsLeft(millis: number): Promise<string[]> {
    const end = performance.now() + millis;
    const headers = { Authorization: basicAuth(superUser.user, superUser.password) };
    for (;;) {
      const { status, body } = await exchange(this.#agent, this.ensemble.gateway.base, "/v1/sessions", { headers });
      const found = status === 200 ? (JSON.parse(body) as { sessions: SessionJson[] }).sessions : undefined;
      const holding = found?.filter((each) => each.ephemeralCount > 0 && each.name.startsWith(lockPrefix));
      if (holding?.length === 0) return [];
      if (performance.now() > end) return holding?.map((each) => each.name) ?? [`${status} ${body}`];
      await pause(200);
    }
  }

  /** Stops everything. */
  async close(): Promise<void> {
    this.#watching = false;
    await this.#watch;
    this.#agent.destroy();
    await this.ensemble.stop();
    await this.network.close();
    this.disk?.free();
  }

  async #keepWatch(): Promise<void> {
    while (this.#watching) {
      for (const process of this.processes) {
        if (process.running || this.#mayBeDown.has(process.name)) continue;
        this.#mayBeDown.add(process.name);
        this.tally.violate(`${process.name} ended by itself: ${process.ended}\n${process.output.slice(-2000)}`);
      }
      await Promise.all(this.ids.map((id) => this.#look(id)));
      await pause(watchMillis);
    }
  }

  async #look(id: number): Promise<void> {
    const name = replicaName(id);
    if (!this.process(name).running || this.#stopped.has(name)) return;
    const status = await this.statusOf(id);
    if (status?.role !== "leading" || !status.serving) return;
    this.tally.led(status.epoch, id);
    this.leader = this.tally.newestLeader;
  }
}
