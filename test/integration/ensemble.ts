/**
 * A real ensemble for tests: replicas and gateways as processes of their own on free ports of this machine, with data in
 * a temporary folder. Everything that is started is stopped by `stop`, by its process id.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const main = join(import.meta.dirname, "../../services/quorate/src/main.ts");

/** `super:secret` may do everything. */
export const superUser = { user: "super", password: "secret", digest: "super:lK75jTNcA+U9vtVEw5vB51mj/w4=" } as const;

/** Of an environment. */
export type Variables = Readonly<Record<string, string>>;

export interface EnsembleOptions {
  readonly replicas?: number;
  readonly gateways?: number;
  /** Further flags for every replica, such as `["--segment-bytes", "65536"]`. */
  readonly flags?: readonly string[];
  /** The data folder of one replica, where it is not the usual one. */
  readonly dataOf?: (id: number) => string | undefined;
  /** Peer port of each replica, by its place, where a test has chosen them: to put proxies before them. */
  readonly peerPorts?: readonly number[];
  /** Ports for the rest: a REST port for each replica, then for each gateway. Free ones are taken where there are none. */
  readonly restPorts?: readonly number[];
  /** Further variables of a process's environment, asked for at each of its starts. */
  readonly environmentOf?: (name: string) => Variables;
  /** How many files each process may open, where it is not what this machine allows. */
  readonly openFiles?: number;
  /** Where `from` (`replica 1`, `gateway 1`) reaches the peer port of another replica, where it is not the port itself. */
  readonly addressOf?: (from: string, to: number) => string | undefined;
}

/** One process, restartable on the same ports and data. */
export class Process {
  readonly name: string;
  readonly restPort: number;
  readonly base: string;
  /** Everything it printed. */
  output = "";
  readonly #args: () => readonly string[];
  readonly #env: Variables | (() => Variables);
  readonly #openFiles: number | undefined;
  #child: ChildProcess | undefined;
  #closed = true;

  constructor(
    name: string,
    restPort: number,
    args: () => readonly string[],
    env: Variables | (() => Variables) = {},
    openFiles?: number,
  ) {
    this.name = name;
    this.restPort = restPort;
    this.base = `http://127.0.0.1:${restPort}`;
    this.#args = args;
    this.#env = env;
    this.#openFiles = openFiles;
  }

  get running(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** How it ended: its exit code, or the signal's name; undefined while it runs. */
  get ended(): number | string | undefined {
    return this.#child?.signalCode ?? this.#child?.exitCode ?? undefined;
  }

  /** Where it listens for ZooKeeper's clients, as it last said; another one after a start unless `environmentOf` says which. */
  get zookeeperPort(): number {
    const said = [...this.output.matchAll(/: ZooKeeper on \S+:(\d+)\n/g)].at(-1)?.[1];
    if (said === undefined) throw new Error(`${this.name} has not said its ZooKeeper port`);
    return Number(said);
  }

  start(): void {
    if (this.running) throw new Error(`${this.name} runs already`);
    const command = [process.execPath, main, ...this.#args()];
    const [program = "", ...args] =
      this.#openFiles === undefined
        ? command
        : ["sh", "-c", `ulimit -n ${this.#openFiles} && exec "$@"`, "sh", ...command];
    const child = spawn(program, args, {
      stdio: ["ignore", "pipe", "pipe"],
      // Any free port, where nobody needs a known one.
      env: {
        ...cleanEnvironment(),
        QUORATE_GRPC_PORT: "0",
        QUORATE_ZOOKEEPER_PORT: "0",
        ...(typeof this.#env === "function" ? this.#env() : this.#env),
      },
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        this.output += text;
      });
    }
    this.#child = child;
    this.#closed = false;
    child.once("close", () => {
      this.#closed = this.#child === child;
    });
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** Ends it and waits until it is gone. One that is stopped does not run once more: SIGKILL needs no SIGCONT. */
  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    if (!this.running || !this.#child) return;
    // All that it said has been read by then.
    const gone = once(this.#child, "close");
    this.#child.kill(signal);
    await gone;
  }

  /** Resolves with how it ended, once it has ended by itself, and all that it said has been read. */
  async waitForEnd(millis: number): Promise<number | string> {
    await until(() => !this.running && this.#closed, millis, `${this.name} ends`);
    return this.ended ?? "";
  }
}

export class Ensemble {
  readonly folder: string;
  readonly replicas: readonly Process[];
  readonly gateways: readonly Process[];
  /** Peer port of each replica, by its place. */
  readonly peerPorts: readonly number[];
  /** Whether `--initial` is given: set to false to start a wiped replica as an operator would who forgot it. */
  initial = true;

  private constructor(folder: string, ports: readonly number[], options: EnsembleOptions) {
    this.folder = folder;
    const replicas = options.replicas ?? 3;
    const gateways = options.gateways ?? 1;
    this.peerPorts = options.peerPorts ?? ports.slice(0, replicas);
    const address = (from: string, to: number): string =>
      options.addressOf?.(from, to) ?? `127.0.0.1:${this.peerPorts[to - 1]}`;
    const common = ["--superuser", superUser.digest];
    const variables = (name: string) => (): Variables => options.environmentOf?.(name) ?? {};
    const { openFiles } = options;
    this.replicas = this.peerPorts.map((_, i) => {
      const restPort = options.restPorts?.[i] ?? ports[replicas + i] ?? 0;
      const data = options.dataOf?.(i + 1) ?? join(folder, String(i + 1));
      const name = `replica ${i + 1}`;
      const members = this.peerPorts
        .map((port, at) => `${at + 1}=${at === i ? `127.0.0.1:${port}` : address(name, at + 1)}`)
        .join(",");
      const own = [
        "serve",
        "--id",
        String(i + 1),
        "--members",
        members,
        "--data",
        data,
        "--rest-port",
        String(restPort),
      ];
      const args = () => [...own, ...common, ...(this.initial ? ["--initial"] : []), ...(options.flags ?? [])];
      return new Process(name, restPort, args, variables(name), openFiles);
    });
    this.gateways = Array.from({ length: gateways }, (_, i) => {
      const restPort = options.restPorts?.[replicas + i] ?? ports[2 * replicas + i] ?? 0;
      const all = this.peerPorts.map((_, at) => address(`gateway ${i + 1}`, at + 1)).join(",");
      const args = [
        "gateway",
        "--replicas",
        all,
        "--rest-port",
        String(restPort),
        "--name",
        `gateway ${i + 1}`,
        ...common,
      ];
      return new Process(`gateway ${i + 1}`, restPort, () => args, variables(`gateway ${i + 1}`), openFiles);
    });
  }

  /** Starts everything and waits until it takes writes. */
  static async start(options: EnsembleOptions = {}): Promise<Ensemble> {
    const folder = await mkdtemp(join(tmpdir(), "quorate-test-"));
    const count = 2 * (options.replicas ?? 3) + (options.gateways ?? 1);
    const ensemble = new Ensemble(folder, await freePorts(count), options);
    for (const each of [...ensemble.replicas, ...ensemble.gateways]) each.start();
    try {
      await ensemble.ready();
    } catch (error) {
      await ensemble.stop();
      throw new Error(`${error instanceof Error ? error.message : error}\n${ensemble.output()}`);
    }
    return ensemble;
  }

  dataOf(id: number): string {
    return join(this.folder, String(id));
  }

  replica(id: number): Process {
    const replica = this.replicas[id - 1];
    if (!replica) throw new Error(`there is no replica ${id}`);
    return replica;
  }

  get gateway(): Process {
    const gateway = this.gateways[0];
    if (!gateway) throw new Error("there is no gateway");
    return gateway;
  }

  /** A gateway (or a replica's own door) knows a leader and takes writes. */
  async ready(through: Process = this.gateways[0] ?? this.replica(1), millis = 60_000): Promise<void> {
    await until(
      async () => (await fetch(`${through.base}/readyz?require=leader`)).ok,
      millis,
      `${through.name} is ready`,
    );
  }

  /** The leader's id as `through` sees it; waits for one. */
  async leader(through: Process = this.gateways[0] ?? this.replica(1), millis = 60_000): Promise<number> {
    let leader = 0;
    await until(
      async () => {
        const view = (await (await fetch(`${through.base}/v1/cluster`)).json()) as { leader: number };
        leader = view.leader;
        return leader > 0 && this.replica(leader).running;
      },
      millis,
      "there is a leader",
    );
    return leader;
  }

  /**
   * Every replica serves, stands at one zxid and has one digest; answers it. What a replica says of itself may be half a
   * second old: it counts when it is not older than a linearizable read made now.
   */
  async settled(millis = 30_000): Promise<string> {
    let seen = "";
    let floor = "";
    await until(
      async () => {
        if (floor === "") {
          const read = await fetch(`${this.replica(1).base}/v1/znodes/`);
          floor = (read.ok && read.headers.get("quorate-zxid")) || "";
          if (floor === "") return false;
        }
        const states = await Promise.all(this.replicas.map((each) => statusOf(each)));
        seen = states
          .map((each) => `${each.id}:${each.applied}/${each.digest}/${each.serving}/${each.reason}`)
          .join(" ");
        const [first] = states;
        const equal = states.every((each) => each.applied === first?.applied && each.digest === first.digest);
        return equal && states.every((each) => each.serving && each.applied >= floor);
      },
      millis,
      () => `all replicas are equal: ${seen}`,
    );
    return seen;
  }

  /** What everybody printed, for the report of a failure. */
  output(): string {
    return [...this.replicas, ...this.gateways]
      .map((each) => `--- ${each.name}\n${each.output.slice(-4000)}`)
      .join("\n");
  }

  async stop(): Promise<void> {
    await Promise.all([...this.replicas, ...this.gateways].map((each) => each.kill("SIGKILL")));
    await rm(this.folder, { recursive: true, force: true });
  }
}

export interface MemberJson {
  readonly id: number;
  readonly standing: string;
  readonly role: string;
  readonly serving: boolean;
  readonly reason: string;
  readonly leader: number;
  readonly epoch: number;
  readonly applied: string;
  readonly committed: string;
  readonly logged: string;
  readonly digest: string;
  readonly historyId: string;
}

/** What a replica says of itself, at its own door. */
export async function statusOf(replica: Process): Promise<MemberJson> {
  const id = Number(replica.name.split(" ")[1]);
  const view = (await (await fetch(`${replica.base}/v1/cluster`)).json()) as { members: MemberJson[] };
  const own = view.members.find((each) => each.id === id);
  if (!own) throw new Error(`${replica.name} does not know itself`);
  return own;
}

/** So long is waited for anything at least: machines stand still, and some are slow. Who is content waits no longer for it. */
const leastPatienceMillis = 60_000;

/** Polls until `check` holds; a check that throws does not hold yet. */
export async function until(
  check: () => boolean | Promise<boolean>,
  millis: number,
  what: string | (() => string),
): Promise<void> {
  const patience = Math.max(millis, leastPatienceMillis);
  const end = performance.now() + patience;
  let last: unknown;
  for (;;) {
    try {
      if (await check()) return;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (performance.now() > end) {
      const why = last instanceof Error ? ` (${last.message})` : "";
      throw new Error(`not within ${patience} ms: ${typeof what === "string" ? what : what()}${why}`);
    }
    await sleep(25);
  }
}

export function sleep(millis: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, millis));
}

/** From where the system takes ports for connections that go out: none of these is safe from being taken by one. */
function firstOutgoingPort(): number {
  try {
    return Number(readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8").split(/\s/)[0]);
  } catch {
    return 32_768;
  }
}

/** So many test files may run at a time. */
const portShares = 4;

/** Of a test file that runs beside others, which must not take a port whose process is just being started again. */
function ownShare(): number {
  return Number(process.env["TEST_PORT_SHARE"] ?? 0) % portShares;
}

/** Ports that nobody listens on at this moment, and that no outgoing connection takes before they are listened on. */
export async function freePorts(count: number): Promise<number[]> {
  const first = 10_000;
  const share = (Math.max(firstOutgoingPort(), first + 8_000) - first) / portShares;
  const lowest = first + Math.floor(ownShare() * share);
  const end = Math.floor(lowest + share);
  const ports = new Set<number>();
  for (let tries = 0; ports.size < count; tries++) {
    if (tries > 1_000) throw new Error("no free ports were found");
    const port = lowest + Math.floor(Math.random() * (end - lowest));
    if (!ports.has(port) && (await isFree(port))) ports.add(port);
  }
  return [...ports];
}

export async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    const listening = once(server, "listening");
    server.listen(port, "127.0.0.1");
    await listening;
  } catch {
    return false;
  }
  await new Promise((resolve) => server.close(resolve));
  return true;
}

/** This process's environment without the settings that a replica or gateway would take from it. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("QUORATE_")));
}

export function basicAuth(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
}
