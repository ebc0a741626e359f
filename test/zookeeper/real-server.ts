/**
 * A real ZooKeeper on loopback, one server or an ensemble, for comparison: free ports, data in a temporary folder, everything
 * stopped by its process id. Its features that Quorate always has are on: TTL nodes, hard quotas.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePorts, superUser, until } from "../integration/ensemble.ts";
import { talk } from "../integration/raw-socket.ts";
import { findRealJars } from "./real-jars.ts";

export interface RealOptions {
  /** 1 (standalone) or more. */
  readonly servers?: number;
  /** Milliseconds; sessions live between 2 and 20 of them. */
  readonly tickMillis?: number;
  /** Whether a write is forced to disk before it is answered, as it should be. Comparisons of answers go without. */
  readonly force?: boolean;
  /** Further lines of zoo.cfg. */
  readonly settings?: readonly string[];
  /** Further flags of the Java machine. */
  readonly javaFlags?: readonly string[];
}

export class RealServer {
  readonly port: number;
  readonly #folder: string;
  readonly #command: readonly string[];
  #child: ChildProcess | undefined;

  constructor(port: number, folder: string, command: readonly string[]) {
    this.port = port;
    this.#folder = folder;
    this.#command = command;
  }

  get running(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** What it printed. */
  get output(): string {
    return readFileSync(this.#log, "utf8");
  }

  start(): void {
    if (this.running) throw new Error(`the ZooKeeper on port ${this.port} runs already`);
    const log = openSync(this.#log, "a");
    this.#child = spawn("java", this.#command, { cwd: this.#folder, stdio: ["ignore", log, log] });
    closeSync(log);
  }

  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    if (!this.running || !this.#child) return;
    const gone = once(this.#child, "exit");
    this.#child.kill(signal);
    await gone;
  }

  killNow(): void {
    this.#child?.kill("SIGKILL");
  }

  /** A four-letter word's answer. */
  async ask(word: string): Promise<string> {
    return (await talk(this.port, word)).text;
  }

  get #log(): string {
    return join(this.#folder, "server.log");
  }
}

export class RealZooKeeper {
  readonly version: string;
  readonly servers: readonly RealServer[];
  readonly #folder: string;
  readonly #onExit = (): void => {
    for (const each of this.servers) each.killNow();
  };

  private constructor(version: string, servers: readonly RealServer[], folder: string) {
    this.version = version;
    this.servers = servers;
    this.#folder = folder;
    process.once("exit", this.#onExit);
  }

  /** Resolves once every server takes requests. `skip`: why there is none on this machine. */
  static async start(options: RealOptions = {}): Promise<RealZooKeeper | { readonly skip: string }> {
    const jars = await findRealJars();
    if ("skip" in jars) return jars;
    const folder = await mkdtemp(join(tmpdir(), "quorate-real-zookeeper-"));
    const count = options.servers ?? 1;
    const ports = await freePorts(3 * count);
    const servers = Array.from({ length: count }, (_, at) => {
      const own = join(folder, String(at + 1));
      mkdirSync(join(own, "data"), { recursive: true });
      writeFileSync(join(own, "data/myid"), `${at + 1}\n`);
      writeFileSync(join(own, "zoo.cfg"), configuration(options, own, ports, at));
      return new RealServer(ports[at] ?? 0, own, command(options, jars.classPath, own));
    });
    const ensemble = new RealZooKeeper(jars.version, servers, folder);
    for (const each of servers) each.start();
    try {
      await ensemble.ready();
    } catch (error) {
      const said = servers.map((each) => each.output.slice(-2_000)).join("\n");
      await ensemble.stop();
      throw new Error(`${error instanceof Error ? error.message : error}\n${said}`);
    }
    return ensemble;
  }

  /** Of the first server. */
  get port(): number {
    return this.servers[0]?.port ?? 0;
  }

  get ports(): readonly number[] {
    return this.servers.map((each) => each.port);
  }

  async ready(millis = 60_000): Promise<void> {
    const serves = async (server: RealServer): Promise<void> => {
      await until(
        async () => {
          if (!server.running) throw new Error("it has ended");
          return (await server.ask("srvr")).includes("Mode:");
        },
        millis,
        `the ZooKeeper on port ${server.port} serves`,
      );
    };
    await Promise.all(this.servers.map(serves));
  }

  async stop(): Promise<void> {
    await Promise.all(this.servers.map((each) => each.kill()));
    process.removeListener("exit", this.#onExit);
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** zoo.cfg of the server at a place. The ports are first the clients', then two for each server among themselves. */
function configuration(options: RealOptions, folder: string, ports: readonly number[], at: number): string {
  const count = options.servers ?? 1;
  const members = Array.from({ length: count }, (_, i) => {
    return `server.${i + 1}=127.0.0.1:${ports[count + 2 * i]}:${ports[count + 2 * i + 1]}`;
  });
  const lines = [
    `tickTime=${options.tickMillis ?? 2_000}`,
    "initLimit=10",
    "syncLimit=5",
    `dataDir=${join(folder, "data")}`,
    `clientPort=${ports[at]}`,
    "clientPortAddress=127.0.0.1",
    "maxClientCnxns=0",
    "admin.enableServer=false",
    "4lw.commands.whitelist=*",
    ...(count > 1 ? members : []),
    ...(options.settings ?? []),
  ];
  return `${lines.join("\n")}\n`;
}

function command(options: RealOptions, classPath: string, folder: string): string[] {
  return [
    "-Xmx1g",
    "-XX:-UsePerfData",
    `-Djava.io.tmpdir=${folder}`,
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dzookeeper.extendedTypesEnabled=true",
    "-Dzookeeper.enforceQuota=true",
    `-Dzookeeper.DigestAuthenticationProvider.superDigest=${superUser.digest}`,
    ...(options.force === false ? ["-Dzookeeper.forceSync=no", "-Dzookeeper.preAllocSize=1024"] : []),
    ...(options.javaFlags ?? []),
    "-cp",
    classPath,
    "org.apache.zookeeper.server.quorum.QuorumPeerMain",
    join(folder, "zoo.cfg"),
  ];
}
