/**
 * `npm run bench -- --peer zookeeper`: a real ZooKeeper ensemble of three and a Quorate ensemble of three, in turn and never both,
 * under the same load. Each round starts both anew, so that what one run leaves behind, and where its leader stands, is no
 * advantage of the next; who comes first alternates.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { cpuSeconds } from "../cpu.ts";
import type { FromLoad, Job, Result } from "./load.ts";
import { type Work, works } from "./load-frames.ts";
import { type Side, startQuorate, startZooKeeper } from "./sides.ts";

export interface PeerOptions {
  readonly rounds: number;
  readonly seconds: number;
  /** Works and shapes that are measured; none: all. */
  readonly only: readonly string[];
  readonly shapes: readonly string[];
  /** Only one side is measured; undefined: both. */
  readonly side?: string;
}

interface Measured extends Result {
  /** CPU seconds of each server for 1,000 operations; the leader's is the last. */
  readonly servers: readonly number[];
}

const shapes = [
  { shape: "1", clients: 1, depth: 1 },
  { shape: "32", clients: 32, depth: 1 },
  { shape: "16x64", clients: 16, depth: 64 },
] as const;

/** What is to be reached: Quorate's operations a second for each of ZooKeeper's. */
function aimOf(cell: Cell): number {
  if (cell.depth === 1) return 1;
  return cell.work === "set" ? 3 : cell.work === "get" ? 2 : 1;
}

interface Cell {
  readonly work: Work;
  readonly shape: string;
  readonly clients: number;
  readonly depth: number;
}

function keyOf({ work, shape }: Cell): string {
  return `${work} ${shape}`;
}

/** One process of load, over all works of an ensemble. */
class Load {
  readonly #child = fork(join(import.meta.dirname, "load.ts"));
  readonly #side: Side;
  #runs = 0;

  constructor(side: Side) {
    this.#side = side;
  }

  async measure(cell: Cell, warmMillis: number, millis: number): Promise<Measured> {
    const run = `${++this.#runs}`;
    this.#child.send({ run, ...cell, ports: this.#side.ports, warmMillis, millis } satisfies Job);
    let before: number[] = [];
    let after: number[] = [];
    for (;;) {
      const [message] = (await once(this.#child, "message")) as [FromLoad];
      if (message.kind === "failed") throw new Error(`${this.#side.name}, ${keyOf(cell)}: ${message.why}`);
      const now = this.#side.pids.map(cpuSeconds);
      if (message.kind === "measuring") before = now;
      else if (message.kind === "measured") after = now;
      else {
        const { result } = message;
        const servers = after.map((cpu, at) => ((cpu - (before[at] ?? 0)) / Math.max(1, result.ops)) * 1000);
        return { ...result, servers };
      }
    }
  }

  stop(): void {
    this.#child.kill("SIGKILL");
  }
}

type Table = Map<string, { readonly cell: Cell; readonly sides: Map<string, Measured[]> }>;

async function measureSide(side: Side, cells: readonly Cell[], options: PeerOptions, table: Table): Promise<void> {
  const load = new Load(side);
  try {
    // What compiles while it runs has to have run before: the JVM and V8 alike.
    for (const work of new Set(cells.map((each) => each.work)))
      await load.measure({ work, ...shapes[2] }, 0, Math.max(1000, options.seconds * 1000));
    for (const cell of cells) {
      const measured = await load.measure(cell, 500, options.seconds * 1000);
      const entry = table.get(keyOf(cell)) ?? { cell, sides: new Map<string, Measured[]>() };
      table.set(keyOf(cell), entry);
      entry.sides.set(side.name, [...(entry.sides.get(side.name) ?? []), measured]);
      console.log(`  ${side.name.padEnd(16)} ${lineOf(keyOf(cell), [measured])}`);
    }
  } finally {
    load.stop();
  }
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

function perSecond({ ops, seconds }: Result): number {
  return ops / seconds;
}

function lineOf(name: string, measured: readonly Measured[]): string {
  const rate = Math.round(median(measured.map(perSecond)));
  const p50 = median(measured.map((each) => each.p50Millis));
  const p99 = median(measured.map((each) => each.p99Millis));
  const cpu = median(measured.map((each) => each.servers.reduce((sum, one) => sum + one, 0)));
  const load = median(measured.map((each) => (each.cpu / Math.max(1, each.ops)) * 1000));
  return (
    `${name.padEnd(14)} ${rate.toLocaleString("en").padStart(8)}/s  p50 ${p50.toFixed(2).padStart(6)} ms  ` +
    `p99 ${p99.toFixed(2).padStart(7)} ms  CPU s per 1,000: servers ${cpu.toFixed(3)}, load ${load.toFixed(3)}`
  );
}

interface Verdict {
  readonly cell: string;
  readonly ratio: number;
  readonly lowest: number;
  readonly highest: number;
  readonly aim: number;
}

/** Of each round its own ratio: what else the machine does concerns both sides of a round alike, more or less. */
function judge(table: Table, peer: string): Verdict[] {
  return [...table].flatMap(([key, { cell, sides }]) => {
    const [ours, theirs] = [sides.get("Quorate") ?? [], sides.get(peer) ?? []];
    const ratios = ours.flatMap((each, at) => (theirs[at] ? [perSecond(each) / perSecond(theirs[at])] : []));
    if (ratios.length === 0) return [];
    const spread = { ratio: median(ratios), lowest: Math.min(...ratios), highest: Math.max(...ratios) };
    return [{ cell: key, ...spread, aim: aimOf(cell) }];
  });
}

function print(table: Table, verdicts: readonly Verdict[]): void {
  console.log("\nmedians of all rounds");
  for (const [key, { sides }] of table) {
    for (const [name, measured] of sides) console.log(`  ${name.padEnd(16)} ${lineOf(key, measured)}`);
  }
  if (verdicts.length === 0) return;
  console.log("\nQuorate : ZooKeeper   ratio  (of the rounds)   aim");
  for (const { cell, ratio, lowest, highest, aim } of verdicts) {
    const spread = `(${lowest.toFixed(2)}–${highest.toFixed(2)})`;
    const met = ratio >= aim ? "met" : "NOT MET";
    console.log(`${cell.padEnd(20)} ${ratio.toFixed(2).padStart(6)}  ${spread.padEnd(15)} ≥ ${aim.toFixed(1)}  ${met}`);
  }
}

export async function measureBesideZooKeeper(options: PeerOptions): Promise<void> {
  const isWanted = (name: string, among: readonly string[]): boolean => among.length === 0 || among.includes(name);
  const cells = shapes.flatMap((shape) => works.map((work) => ({ work, ...shape })));
  const chosen = cells.filter(({ work, shape }) => isWanted(work, options.only) && isWanted(shape, options.shapes));
  const table: Table = new Map();
  let peer = "";
  const starts = [startZooKeeper, startQuorate];
  const wanted = starts.filter((_, at) => options.side === undefined || options.side === ["zookeeper", "quorate"][at]);
  for (let round = 0; round < options.rounds; round++) {
    console.log(`round ${round + 1} of ${options.rounds}`);
    for (const start of round % 2 === 0 ? wanted : wanted.toReversed()) {
      const side = await start();
      if (side.name !== "Quorate") peer = side.name;
      try {
        await measureSide(side, chosen, options, table);
      } finally {
        await side.stop();
      }
    }
  }
  const verdicts = judge(table, peer);
  print(table, verdicts);
  mkdirSync("bench-results", { recursive: true });
  const about = {
    cores: cpus().length,
    cpu: cpus()[0]?.model,
    node: process.version,
    peer,
    date: new Date().toISOString(),
  };
  const rows = [...table].map(([cell, { sides }]) => ({ cell, sides: Object.fromEntries(sides) }));
  writeFileSync("bench-results/zookeeper.json", `${JSON.stringify({ about, rows, verdicts }, undefined, 2)}\n`);
  console.log("written to bench-results/zookeeper.json");
}
