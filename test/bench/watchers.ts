/**
 * `npm run bench -- --watchers 10000 [--rounds R] [--clients C]`: so many idle long-polls, then event streams, at one gateway of a
 * real ensemble; all on one path, then each on its own. Memory of each beside its socket's own (that of a bare `node:http`
 * server with as many idle connections), time from a PUT to the last byte at the last client, and the latency of other PUTs.
 */
import { type ChildProcess, fork, spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Poller } from "../conformance/watch-client.ts";
import { Ensemble, sleep, until } from "../integration/ensemble.ts";
import type { LoadOrder, LoadReport, WatchMode } from "./watch-load.ts";

export interface WatchersOptions {
  readonly watchers: number;
  readonly rounds: number;
  /** Processes that hold the connections. */
  readonly clients: number;
}

interface Memory {
  readonly live: number;
  readonly resident: number;
}

interface Spread {
  readonly median: number;
  readonly lowest: number;
  readonly highest: number;
}

interface Row {
  readonly what: string;
  /** Bytes for each beside its socket's own. */
  readonly live: number;
  readonly resident: number;
  /** From the sending of the PUT, and from its answer (it may come before the answer), to the last byte, ms. */
  readonly fromSending: Spread;
  readonly fromAnswer: Spread;
  readonly gatewayCpuMillis: Spread;
  readonly putBefore: Latency;
  readonly putBeside: Latency;
}

interface Latency {
  readonly p50: number;
  readonly p99: number;
}

const probe = `--import=${pathToFileURL(join(import.meta.dirname, "memory-probe.ts")).href}`;
const putsMeasured = 500;
const perTxn = 1000;

function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const median = sorted[sorted.length >> 1] ?? 0;
  return { median, lowest: sorted[0] ?? 0, highest: sorted.at(-1) ?? 0 };
}

/** Of a process with the probe. `output`: all that it has printed. */
async function memoryOf(pid: number, output: () => string): Promise<Memory> {
  const before = output().length;
  process.kill(pid, "SIGUSR2");
  let found: string | undefined;
  const look = (): boolean => {
    found = /memory (\{.*\})\n/.exec(output().slice(before))?.[1];
    return found !== undefined;
  };
  await until(look, 20_000, "it tells its memory");
  return JSON.parse(found ?? "") as Memory;
}

function cpuMillis(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** What was asked of it is done: it has used next to no CPU for a while. */
async function quiet(pid: number): Promise<void> {
  let calm = 0;
  await until(
    async () => {
      const before = cpuMillis(pid);
      await sleep(100);
      calm = cpuMillis(pid) - before <= 20 ? calm + 1 : 0;
      return calm >= 5;
    },
    60_000,
    "it has calmed down",
  );
}

/** The processes that hold the connections. */
class Load {
  readonly #children: readonly ChildProcess[];
  readonly #told: ((report: LoadReport) => void)[] = [];

  constructor(clients: number) {
    this.#children = Array.from({ length: clients }, () => fork(join(import.meta.dirname, "watch-load.ts")));
    for (const child of this.#children) {
      child.on("message", (message: LoadReport) => {
        if (message.kind === "failed") throw new Error(message.why);
        for (const each of this.#told) each(message);
      });
    }
  }

  async open(port: number, mode: WatchMode, paths: readonly string[], after: string): Promise<void> {
    const share = Math.ceil(paths.length / this.#children.length);
    const opened = this.#all("opened");
    for (const [i, child] of this.#children.entries()) {
      const own = paths.slice(i * share, (i + 1) * share);
      child.send({ kind: "open", port, mode, paths: own, after } satisfies LoadOrder);
    }
    await opened;
  }

  async order(order: Extract<LoadOrder, { kind: "arm" | "poll" }>): Promise<void> {
    const done = this.#all(order.kind === "arm" ? "armed" : "sent");
    for (const child of this.#children) child.send(order);
    await done;
  }

  /** Resolves when all were told. */
  async told(): Promise<{ first: number; last: number }> {
    const all = (await this.#all("told")) as Extract<LoadReport, { kind: "told" }>[];
    return { first: Math.min(...all.map((each) => each.first)), last: Math.max(...all.map((each) => each.last)) };
  }

  #all(kind: LoadReport["kind"]): Promise<LoadReport[]> {
    return new Promise((resolve) => {
      const all: LoadReport[] = [];
      const hear = (report: LoadReport): void => {
        if (report.kind !== kind) return;
        all.push(report);
        if (all.length < this.#children.length) return;
        this.#told.splice(this.#told.indexOf(hear), 1);
        resolve(all);
      };
      this.#told.push(hear);
    });
  }

  async close(): Promise<void> {
    await Promise.all(
      this.#children.map((child) => {
        const gone = new Promise((resolve) => child.once("exit", resolve));
        child.kill("SIGKILL");
        return gone;
      }),
    );
  }
}

/** Bytes of an idle connection at a server of `node:http` that does nothing else. */
async function bareConnection({ watchers, clients }: WatchersOptions): Promise<Memory> {
  const child = spawn(process.execPath, [probe, join(import.meta.dirname, "bare-server.ts")]);
  const load = new Load(clients);
  let output = "";
  child.stdout.on("data", (text: Buffer) => {
    output += text.toString();
  });
  try {
    await until(() => output.includes("port "), 10_000, "the bare server listens");
    const port = Number(/port (\d+)/.exec(output)?.[1]);
    const pid = child.pid ?? 0;
    const before = await memoryOf(pid, () => output);
    await load.open(
      port,
      "idle",
      Array.from({ length: watchers }, () => "/"),
      "",
    );
    await quiet(pid);
    return each(before, await memoryOf(pid, () => output), watchers);
  } finally {
    child.kill("SIGKILL");
    await load.close();
  }
}

function each(before: Memory, then: Memory, count: number): Memory {
  return { live: (then.live - before.live) / count, resident: (then.resident - before.resident) / count };
}

const now = (): number => performance.timeOrigin + performance.now();

class Scene {
  readonly #options: WatchersOptions;
  readonly #ensemble: Ensemble;
  readonly #client: Poller;

  constructor(options: WatchersOptions, ensemble: Ensemble) {
    this.#options = options;
    this.#ensemble = ensemble;
    this.#client = new Poller(ensemble.gateway.base);
  }

  close(): void {
    this.#client.close();
  }

  async #put(path: string): Promise<string> {
    const { status, text, headers } = await this.#client.send("PUT", `/v1/znodes${path}`, {}, "x".repeat(100));
    if (status !== 200 && status !== 201) throw new Error(`PUT ${path}: ${status} ${text}`);
    return String(headers["quorate-zxid"]);
  }

  /** Of one client's writes, one after the other, that nobody watches. */
  async #latency(): Promise<Latency> {
    const took: number[] = [];
    for (let i = 0; i < putsMeasured; i++) {
      const began = performance.now();
      await this.#put(`/unwatched-${i % 100}`);
      took.push(performance.now() - began);
    }
    took.sort((a, b) => a - b);
    return { p50: took[took.length >> 1] ?? 0, p99: took[Math.floor(took.length * 0.99)] ?? 0 };
  }

  /** Changes all of these; answers the last zxid. As few transactions as it takes, all at once. */
  async #change(paths: readonly string[]): Promise<string> {
    if (paths.length === 1) return await this.#put(paths[0] as string);
    const txns = Array.from({ length: Math.ceil(paths.length / perTxn) }, (_, i) =>
      paths.slice(i * perTxn, (i + 1) * perTxn).map((path) => ({ op: "put", path, data: "x" })),
    );
    const clients = txns.map(() => new Poller(this.#ensemble.gateway.base));
    const answers = await Promise.all(
      txns.map((then, i) => {
        const type = { "content-type": "application/json" };
        return (clients[i] as Poller).send("POST", "/v1/txn", type, JSON.stringify({ then }));
      }),
    );
    for (const client of clients) client.close();
    for (const { status, text } of answers) if (status !== 200) throw new Error(`txn: ${status} ${text}`);
    return (
      answers
        .map(({ headers }) => String(headers["quorate-zxid"]))
        .sort()
        .at(-1) ?? ""
    );
  }

  /** A new gateway process, so that none bears what the one before left. */
  async measure(mode: "stream" | "poll", own: boolean, bare: Memory): Promise<Row> {
    const { watchers, rounds, clients } = this.#options;
    const { gateway } = this.#ensemble;
    await gateway.kill();
    gateway.start();
    await this.#ensemble.ready();
    const changed = own ? Array.from({ length: watchers }, (_, i) => `/own-${i}`) : ["/hot"];
    const paths = own ? changed : Array.from({ length: watchers }, () => "/hot");
    await this.#latency();
    const putBefore = await this.#latency();
    let zxid = await this.#change(changed);
    const memory = (): Promise<Memory> => memoryOf(gateway.pid, () => gateway.output);
    const before = await memory();
    const load = new Load(clients);
    await load.open(gateway.restPort, mode, paths, zxid);
    await quiet(gateway.pid);
    const { live, resident } = each(before, await memory(), watchers);
    const putBeside = await this.#latency();
    const fromSending: number[] = [];
    const fromAnswer: number[] = [];
    const cpu: number[] = [];
    for (let round = 0; round < rounds; round++) {
      await load.order({ kind: "arm" });
      await quiet(gateway.pid);
      const told = load.told();
      const [used, sent] = [cpuMillis(gateway.pid), now()];
      zxid = await this.#change(changed);
      const answered = now();
      const { last } = await told;
      fromSending.push(last - sent);
      fromAnswer.push(last - answered);
      cpu.push(cpuMillis(gateway.pid) - used);
      if (mode === "poll") await load.order({ kind: "poll", after: zxid });
    }
    await load.close();
    return {
      what: `${mode === "poll" ? "long-polls" : "event streams"}, ${own ? "each its own path" : "one path"}`,
      live: live - bare.live,
      resident: resident - bare.resident,
      fromSending: spread(fromSending),
      fromAnswer: spread(fromAnswer),
      gatewayCpuMillis: spread(cpu),
      putBefore,
      putBeside,
    };
  }
}

function print(bare: Memory, rows: readonly Row[], { watchers, rounds, clients }: WatchersOptions): void {
  const kib = (bytes: number): string => `${(bytes / 1024).toFixed(1)} KiB`;
  const whole = ({ median, lowest, highest }: Spread): string =>
    `${Math.round(median)} (${Math.round(lowest)}–${Math.round(highest)})`;
  console.log(
    `${watchers} watchers at one gateway, held by ${clients} processes; medians of ${rounds} rounds (lowest–highest), ms`,
  );
  console.log(`an idle connection of a bare node:http server: ${kib(bare.live)} live, ${kib(bare.resident)} resident`);
  for (const row of rows) {
    const put = ({ p50, p99 }: Latency): string => `${p50.toFixed(1)}/${p99.toFixed(1)}`;
    console.log(
      `${row.what.padEnd(32)} each beside its socket ${kib(row.live)} live, ${kib(row.resident)} resident; ` +
        `all told ${whole(row.fromSending)} after the PUT was sent, ${whole(row.fromAnswer)} after its answer; ` +
        `gateway's CPU ${whole(row.gatewayCpuMillis)}; other PUTs p50/p99 ${put(row.putBefore)} without, ${put(row.putBeside)} with them`,
    );
  }
}

export async function measureWatchers(options: WatchersOptions): Promise<void> {
  console.log(
    `${cpus().length} cores (${cpus()[0]?.model.trim()}), Node ${process.version}, load ${loadavg()[0]?.toFixed(1)}`,
  );
  const bare = await bareConnection(options);
  const environment = { NODE_OPTIONS: [process.env["NODE_OPTIONS"] ?? "", probe].join(" ") };
  const ensemble = await Ensemble.start({ environmentOf: (name) => (name.startsWith("gateway") ? environment : {}) });
  const scene = new Scene(options, ensemble);
  const rows: Row[] = [];
  try {
    for (const own of [false, true]) {
      for (const mode of ["stream", "poll"] as const) rows.push(await scene.measure(mode, own, bare));
    }
  } finally {
    scene.close();
    await ensemble.stop();
  }
  print(bare, rows, options);
  mkdirSync("bench-results", { recursive: true });
  const about = { cores: cpus().length, cpu: cpus()[0]?.model, node: process.version, date: new Date().toISOString() };
  writeFileSync("bench-results/watchers.json", `${JSON.stringify({ about, options, bare, rows }, undefined, 2)}\n`);
  console.log("written to bench-results/watchers.json");
}
