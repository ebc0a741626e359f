/**
 * `npm run bench -- --locks [--rounds R] [--seconds N] [--only queue,free] [--shapes 2,32,1000] [--side quorate,zookeeper,etcd]`: locks of
 * Quorate over REST and gRPC, of kazoo on a real ZooKeeper and of etcd's lock service over gRPC and JSON, three servers each, in turn and never
 * two at a time, under the same program of contenders (load.py). Each round starts all anew; who comes first alternates.
 */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type Kit, makeReady, type Program } from "../../polyglot/make-ready.ts";
import { cpuSeconds } from "../cpu.ts";
import { type Client, type ClientName, type Operations, type Side, sideNames, startSide } from "./sides.ts";

export interface LockBenchOptions {
  readonly rounds: number;
  readonly seconds: number;
  /** Of each none: all. */
  readonly only: readonly string[];
  readonly shapes: readonly string[];
  readonly sides: readonly string[];
}

interface Cell {
  readonly work: "queue" | "free";
  readonly contenders: number;
}

interface Measured {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  /** For each acquisition. */
  readonly operations: Operations;
  /** CPU milliseconds for each: of the servers, and of the load. */
  readonly servers: number;
  readonly load: number;
}

interface Said {
  readonly count: number;
  readonly seconds: number;
  readonly p50: number;
  readonly p99: number;
  readonly cpu: number;
  readonly failures: readonly string[];
}

const cells: readonly Cell[] = [
  { work: "free", contenders: 1 },
  { work: "free", contenders: 2 },
  { work: "free", contenders: 32 },
  { work: "queue", contenders: 2 },
  { work: "queue", contenders: 32 },
  { work: "queue", contenders: 1000 },
];
const patienceMillis = 180_000;
const warmSeconds = 3;

function nameOf({ work, contenders }: Cell): string {
  return `${work} ${contenders}`;
}

async function measure(
  python: Program,
  side: Side,
  client: Client,
  cell: Cell,
  seconds: number,
): Promise<Measured | undefined> {
  const file = join(import.meta.dirname, "load.py");
  const args = [
    ...python.args,
    file,
    client.name,
    client.hosts.join(","),
    cell.work,
    `${cell.contenders}`,
    `${seconds}`,
  ];
  const child = spawn(python.command, args, { env: { ...process.env, ...python.env }, stdio: "pipe" });
  const timer = setTimeout(() => child.kill("SIGKILL"), patienceMillis);
  const ended = once(child, "exit");
  try {
    return await listen(child, side);
  } finally {
    clearTimeout(timer);
    child.kill("SIGKILL");
    await ended;
  }
}

async function listen(child: ChildProcessWithoutNullStreams, side: Side): Promise<Measured | undefined> {
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors = (errors + text).slice(-2000);
  });
  const before = { operations: await side.operations(), cpu: 0 };
  let after = before;
  const sample = async (): Promise<typeof before> => ({
    cpu: side.pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0),
    operations: await side.operations(),
  });
  let start = before;
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === "ready") {
      start = await sample();
      child.stdin.write("\n");
    } else if (line === "ended") after = await sample();
    else if (line.startsWith("{")) return measured(JSON.parse(line) as Said, start, after);
  }
  throw new Error(`${side.title}: the load has ended: ${errors}`);
}

/** Undefined: nothing was done in the time that there was. */
function measured(
  said: Said,
  before: { operations: Operations; cpu: number },
  after: { operations: Operations; cpu: number },
): Measured | undefined {
  const { count, seconds, p50, p99, cpu, failures } = said;
  if (failures.length > 0) throw new Error(`${count} done; ${failures.slice(0, 3).join("; ")}`);
  if (count === 0) return undefined;
  const each = (name: keyof Operations): number => (after.operations[name] - before.operations[name]) / count;
  return {
    perSecond: count / seconds,
    p50,
    p99,
    operations: { writes: each("writes"), reads: each("reads"), events: each("events") },
    servers: ((after.cpu - before.cpu) / count) * 1000,
    load: (cpu / count) * 1000,
  };
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? 0;
}

function lineOf(title: string, cell: string, all: readonly Measured[]): string {
  const of = (value: (one: Measured) => number, digits: number, width: number): string =>
    median(all.map(value)).toFixed(digits).padStart(width);
  return (
    `${cell.padEnd(11)} ${title.padEnd(13)} ${of((one) => one.perSecond, 0, 7)}/s  ` +
    `p50 ${of((one) => one.p50, 2, 8)} ms  p99 ${of((one) => one.p99, 2, 8)} ms  each: ` +
    `${of((one) => one.operations.writes, 1, 5)} writes ${of((one) => one.operations.reads, 1, 6)} reads ` +
    `${of((one) => one.operations.events, 1, 6)} events  CPU ms: servers ${of((one) => one.servers, 2, 6)}, load ${of((one) => one.load, 2, 6)}`
  );
}

type Table = Map<string, Map<ClientName, Measured[]>>;

const pairs: readonly (readonly [ClientName, ClientName])[] = [
  ["quorate-rest", "kazoo"],
  ["quorate-rest", "etcd-json"],
  ["quorate-rest", "etcd-grpc"],
  ["quorate-grpc", "kazoo"],
  ["quorate-grpc", "etcd-grpc"],
];

interface Verdict {
  readonly cell: string;
  readonly ours: ClientName;
  readonly theirs: ClientName;
  readonly p50: number;
  readonly p99: number;
  readonly rate: number;
}

/** How many times faster we are; of each round its own ratio. */
function verdicts(table: Table): Verdict[] {
  return [...table].flatMap(([cell, of]) =>
    pairs.flatMap(([ours, theirs]) => {
      const [we, they] = [of.get(ours) ?? [], of.get(theirs) ?? []];
      if (we.length === 0 || they.length === 0) return [];
      const ratio = (value: (one: Measured, other: Measured) => number): number =>
        median(we.flatMap((one, at) => (they[at] ? [value(one, they[at])] : [])));
      const p50 = ratio((one, other) => other.p50 / one.p50);
      const p99 = ratio((one, other) => other.p99 / one.p99);
      return [{ cell, ours, theirs, p50, p99, rate: ratio((one, other) => one.perSecond / other.perSecond) }];
    }),
  );
}

function print(table: Table): void {
  console.log(
    "\nmedians of all rounds; free: acquire and release of a lock that nobody else wants; queue: a hand-over,",
  );
  console.log("from when the release is called until the next has its answer");
  for (const [cell, of] of table) for (const [name, all] of of) console.log(lineOf(name, cell, all));
  console.log("\nhow many times faster Quorate is             p50     p99    a second");
  for (const { cell, ours, theirs, p50, p99, rate } of verdicts(table)) {
    const slower = p50 < 1 || rate < 1 ? "  SLOWER" : "";
    const numbers = `${p50.toFixed(2).padStart(5)} ${p99.toFixed(2).padStart(7)} ${rate.toFixed(2).padStart(8)}`;
    console.log(`${cell.padEnd(11)} ${ours.padEnd(12)} than ${theirs.padEnd(12)} ${numbers}${slower}`);
  }
}

/** kazoo and grpcio, in an environment of Python's own. */
const kit: Kit = {
  name: "locks of others",
  tools: ["python3"],
  folder: "bench-locks",
  sources: [join(import.meta.dirname, "requirements.txt"), import.meta.filename],
  steps: (into) => {
    const install = ["-m", "pip", "install", "-q", "-r", join(import.meta.dirname, "requirements.txt")];
    return [
      { command: "python3", args: ["-m", "venv", join(into, "venv")], fetches: true },
      { command: join(into, "venv/bin/python"), args: install, fetches: true },
    ];
  },
  program: (into) => ({ command: join(into, "venv/bin/python"), args: [], env: { PYTHONDONTWRITEBYTECODE: "1" } }),
};

async function measureSide(
  python: Program,
  side: Side,
  chosen: readonly Cell[],
  table: Table,
  options: LockBenchOptions,
): Promise<void> {
  for (const client of side.clients) {
    // What compiles while it runs has to have run before: the JVM and V8 alike.
    await measure(python, side, client, { work: "free", contenders: 32 }, 3 * warmSeconds);
    await measure(python, side, client, { work: "queue", contenders: 32 }, warmSeconds);
    for (const cell of chosen) {
      const one = await measure(python, side, client, cell, options.seconds);
      if (one === undefined) {
        console.log(`  ${nameOf(cell).padEnd(11)} ${client.name}: nothing was done in ${options.seconds} s`);
        continue;
      }
      const of = table.get(nameOf(cell)) ?? new Map<ClientName, Measured[]>();
      table.set(nameOf(cell), of.set(client.name, [...(of.get(client.name) ?? []), one]));
      console.log(`  ${lineOf(client.name, nameOf(cell), [one])}`);
    }
  }
}

export async function compareLocks(options: LockBenchOptions): Promise<void> {
  const python = await makeReady(kit);
  if ("skip" in python) throw new Error(python.skip);
  const isWanted = (name: string, among: readonly string[]): boolean => among.length === 0 || among.includes(name);
  const chosen = cells.filter(
    (each) => isWanted(each.work, options.only) && isWanted(`${each.contenders}`, options.shapes),
  );
  const sides = sideNames.filter((name) => isWanted(name, options.sides));
  const table: Table = new Map();
  const titles = new Set<string>();
  for (let round = 0; round < options.rounds; round++) {
    for (const name of round % 2 === 0 ? sides : sides.toReversed()) {
      const side = await startSide(name);
      console.log(`round ${round + 1} of ${options.rounds}: ${side.title}`);
      titles.add(side.title);
      try {
        await measureSide(python.program, side, chosen, table, options);
      } finally {
        await side.stop();
      }
    }
  }
  print(table);
  mkdirSync("bench-results", { recursive: true });
  const about = { cores: cpus().length, cpu: cpus()[0]?.model, node: process.version, date: new Date().toISOString() };
  const rows = [...table].map(([cell, of]) => ({ cell, clients: Object.fromEntries(of) }));
  const text = JSON.stringify({ about, sides: [...titles], rows, ratios: verdicts(table) }, undefined, 2);
  writeFileSync("bench-results/locks.json", `${text}\n`);
  console.log("written to bench-results/locks.json");
}
