/**
 * `npm run bench [-- --seconds N --rounds R --million]`: REST through one gateway and three replicas on this machine,
 * with wrk (Debian's) as the load; prints a table and writes bench-results/rest.json. With `--million` also the memory
 * of a million znodes and a restart with them; with `--watchers 10000` only what so many watchers cost; with `--peer zookeeper
 * [--only get,set,create,mixed] [--shapes 1,32,16x64] [--side quorate|zookeeper]` only a real ZooKeeper and Quorate under one load (zookeeper/peer.ts); with `--locks` only
 * locks, beside kazoo's on a real ZooKeeper and a real etcd's (locks/compare.ts). A program, not a test: these machines are shared,
 * so each row is the median of some rounds, with the spread.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { Ensemble } from "../integration/ensemble.ts";
import { cpuSeconds } from "./cpu.ts";
import { compareLocks } from "./locks/compare.ts";
import { measureMillion } from "./million.ts";
import { measureWatchers } from "./watchers.ts";
import { type LoadResult, runWrk, wrkVersion } from "./wrk.ts";
import { measureBesideZooKeeper } from "./zookeeper/peer.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "4" },
    rounds: { type: "string", default: "3" },
    million: { type: "boolean", default: false },
    watchers: { type: "string" },
    clients: { type: "string", default: "1" },
    peer: { type: "string" },
    only: { type: "string" },
    shapes: { type: "string" },
    side: { type: "string" },
    locks: { type: "boolean", default: false },
  },
});

interface Work {
  readonly name: string;
  readonly method: "PUT" | "GET";
  readonly headers: Readonly<Record<string, string>>;
}

interface Row {
  readonly work: string;
  readonly connections: number;
  readonly perSecond: number;
  readonly lowest: number;
  readonly highest: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly failed: number;
  /** CPU seconds for 1,000 operations, by process. */
  readonly cpu: Readonly<Record<string, number>>;
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

async function measure(ensemble: Ensemble, work: Work, connections: number): Promise<Row> {
  const processes = [ensemble.gateway, ...ensemble.replicas];
  const leader = await ensemble.leader();
  const results: (LoadResult & { cpu: number[] })[] = [];
  for (let round = 0; round < rounds; round++) {
    const before = processes.map((each) => cpuSeconds(each.pid));
    const result = await runWrk({
      url: ensemble.gateway.base,
      method: work.method,
      headers: work.headers,
      connections,
      seconds,
    });
    const cpu = processes.map((each, i) => ((cpuSeconds(each.pid) - (before[i] ?? 0)) / result.requests) * 1000);
    results.push({ ...result, cpu });
  }
  const names = processes.map((each) => (each === ensemble.replica(leader) ? "leader" : each.name));
  const rates = results.map((each) => each.perSecond);
  return {
    work: work.name,
    connections,
    perSecond: Math.round(median(rates)),
    lowest: Math.round(Math.min(...rates)),
    highest: Math.round(Math.max(...rates)),
    p50: median(results.map((each) => each.p50Millis)),
    p99: median(results.map((each) => each.p99Millis)),
    p999: median(results.map((each) => each.p999Millis)),
    failed: results.reduce((sum, each) => sum + each.failed, 0),
    cpu: Object.fromEntries(
      names.map((name, i) => [name, Number(median(results.map((each) => each.cpu[i] ?? 0)).toFixed(3))]),
    ),
  };
}

function print(rows: readonly Row[]): void {
  console.log(
    "work               conns    ops/s  (low–high)         p50 ms   p99 ms p99.9 ms  failed  CPU s per 1,000 ops",
  );
  for (const row of rows) {
    const spread = `(${row.lowest}–${row.highest})`;
    const cpu = Object.entries(row.cpu).map(([name, seconds]) => `${name} ${seconds}`);
    console.log(
      `${row.work.padEnd(18)} ${String(row.connections).padStart(5)} ${String(row.perSecond).padStart(8)}  ${spread.padEnd(17)} ` +
        `${row.p50.toFixed(2).padStart(7)} ${row.p99.toFixed(2).padStart(8)} ${row.p999.toFixed(2).padStart(8)} ` +
        `${String(row.failed).padStart(7)}  ${cpu.join(", ")}`,
    );
  }
}

async function main(): Promise<void> {
  console.log(`${cpus().length} cores (${cpus()[0]?.model.trim()}), Node ${process.version}, ${await wrkVersion()}`);
  const ensemble = await Ensemble.start();
  const rows: Row[] = [];
  let zxid = "";
  try {
    for (let i = 0; i < 1000; i++) {
      const answer = await fetch(`${ensemble.gateway.base}/v1/znodes/bench-${i}`, {
        method: "PUT",
        body: "x".repeat(100),
      });
      zxid = answer.headers.get("quorate-zxid") ?? "";
      await answer.arrayBuffer();
    }
    const works: readonly Work[] = [
      { name: "PUT", method: "PUT", headers: {} },
      { name: "GET linearizable", method: "GET", headers: {} },
      { name: "GET session", method: "GET", headers: { "Quorate-Consistency": "session", "Quorate-Min-Zxid": zxid } },
    ];
    for (const connections of [1, 32, 256]) {
      for (const work of works) rows.push(await measure(ensemble, work, connections));
    }
  } finally {
    await ensemble.stop();
  }
  print(rows);
  const million = values.million ? await measureMillion() : undefined;
  mkdirSync("bench-results", { recursive: true });
  const about = { cores: cpus().length, cpu: cpus()[0]?.model, node: process.version, date: new Date().toISOString() };
  writeFileSync("bench-results/rest.json", `${JSON.stringify({ about, rows, million }, undefined, 2)}\n`);
  console.log("written to bench-results/rest.json");
}

const [rounds, seconds] = [Number(values.rounds), Number(values.seconds)];
if (values.locks) {
  const list = (text: string | undefined): readonly string[] => text?.split(",") ?? [];
  const sides = list(values.side);
  await compareLocks({ rounds, seconds, only: list(values.only), shapes: list(values.shapes), sides });
} else if (values.peer !== undefined) {
  if (values.peer !== "zookeeper") throw new Error(`--peer ${values.peer}: there is none but zookeeper`);
  const [only, shapes] = [values.only?.split(",") ?? [], values.shapes?.split(",") ?? []];
  await measureBesideZooKeeper({ rounds, seconds, only, shapes, ...(values.side ? { side: values.side } : {}) });
} else if (values.watchers === undefined) await main();
else await measureWatchers({ watchers: Number(values.watchers), rounds, clients: Number(values.clients) });
