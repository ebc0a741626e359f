/** A real etcd of three members on loopback (Debian's `etcd-server`, or whatever `etcd` is on the PATH), as it comes. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePorts, until } from "../../integration/ensemble.ts";

const members = 3;

export class RealEtcd {
  readonly version: string;
  /** Of clients, by member. */
  readonly ports: readonly number[];
  readonly #children: readonly ChildProcess[];
  readonly #folder: string;

  private constructor(version: string, ports: readonly number[], children: readonly ChildProcess[], folder: string) {
    this.version = version;
    this.ports = ports;
    this.#children = children;
    this.#folder = folder;
  }

  static async start(): Promise<RealEtcd> {
    const { stdout, status } = spawnSync("etcd", ["--version"], { encoding: "utf8" });
    if (status !== 0) throw new Error("there is no etcd on the PATH: apt-get install etcd-server");
    const version = /etcd Version: (\S+)/.exec(stdout)?.[1] ?? "of an unknown version";
    const folder = mkdtempSync(join(tmpdir(), "quorate-etcd-"));
    const ports = await freePorts(2 * members);
    const url = (at: number): string => `http://127.0.0.1:${ports[at]}`;
    const cluster = Array.from({ length: members }, (_, at) => `m${at}=${url(members + at)}`).join(",");
    const children = Array.from({ length: members }, (_, at) => {
      const client = ["--listen-client-urls", url(at), "--advertise-client-urls", url(at)];
      const peers = ["--listen-peer-urls", url(members + at), "--initial-advertise-peer-urls", url(members + at)];
      const args = ["--name", `m${at}`, "--data-dir", join(folder, `${at}`), "--initial-cluster", cluster];
      const quiet = ["--log-level", "error", "--logger", "zap"];
      return spawn("etcd", [...args, ...client, ...peers, ...quiet], { stdio: "ignore" });
    });
    const etcd = new RealEtcd(version, ports.slice(0, members), children, folder);
    try {
      await until(() => etcd.#isHealthy(), 30_000, "etcd serves");
      return etcd;
    } catch (error) {
      await etcd.stop();
      throw error;
    }
  }

  get pids(): readonly number[] {
    return this.#children.map((each) => each.pid ?? 0);
  }

  async #isHealthy(): Promise<boolean> {
    const answers = await Promise.all(this.ports.map((port) => fetch(`http://127.0.0.1:${port}/health`)));
    const texts = await Promise.all(answers.map((each) => each.text()));
    return texts.every((each) => each.includes("true"));
  }

  async stop(): Promise<void> {
    await Promise.all(
      this.#children.map(async (each) => {
        if (each.exitCode !== null || each.signalCode !== null) return;
        const gone = once(each, "exit");
        each.kill("SIGKILL");
        await gone;
      }),
    );
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
