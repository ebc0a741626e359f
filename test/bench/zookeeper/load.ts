/**
 * The load, in a process of its own for each ensemble: is told what to do over the channel to its parent, says when it measures
 * and what came of it. The same program for whatever speaks ZooKeeper's protocol.
 */
import { type Counts, LoadConnection, latencySteps, millisOf } from "./load-connection.ts";
import {
  createFrame,
  type Frames,
  framesOf,
  framesOnce,
  parentOf,
  prepared,
  syncFrame,
  type Work,
} from "./load-frames.ts";

export interface Job {
  /** Its own among those of one ensemble: names what is created. */
  readonly run: string;
  readonly work: Work;
  /** Client `i` is at server `i` modulo their number. */
  readonly ports: readonly number[];
  readonly clients: number;
  /** Requests of each that are under way. */
  readonly depth: number;
  readonly warmMillis: number;
  readonly millis: number;
}

export type FromLoad =
  | { readonly kind: "measuring" }
  | { readonly kind: "measured" }
  | { readonly kind: "failed"; readonly why: string }
  | { readonly kind: "result"; readonly result: Result };

export interface Result {
  readonly ops: number;
  readonly seconds: number;
  readonly p50Millis: number;
  readonly p99Millis: number;
  /** CPU seconds of the load itself. */
  readonly cpu: number;
}

function portOf(job: Job, client: number): number {
  return job.ports[client % job.ports.length] as number;
}

function newCounts(): Counts {
  return { ops: 0, latencies: new Uint32Array(latencySteps) };
}

function fail(why: string): never {
  process.send?.({ kind: "failed", why } satisfies FromLoad);
  throw new Error(why);
}

/** All of them at once. */
async function ask(port: number, frames: Frames): Promise<void> {
  const connection = new LoadConnection(port, frames, frames.count, newCounts(), fail);
  await connection.open();
  connection.begin();
  await connection.stop();
}

/** Creates what the work needs; what is there already from an earlier work is not created again. */
async function prepare(job: Job, known: Set<string>): Promise<void> {
  const all = Array.from({ length: job.clients }, (_, client) => prepared(job.work, parentOf(job.run, client)));
  const paths = [...new Set(all.flat())].filter((path) => !known.has(path));
  if (paths.length === 0) return;
  await ask(portOf(job, 0), framesOnce(paths.map((path, at) => createFrame(at + 1, path))));
  // What one server has answered, another may not have yet.
  for (const port of job.ports) await ask(port, framesOnce([syncFrame(1)]));
  for (const path of paths) known.add(path);
}

function percentile(latencies: Uint32Array, part: number): number {
  const all = latencies.reduce((sum, each) => sum + each, 0);
  let seen = 0;
  for (let step = 0; step < latencies.length; step++) {
    seen += latencies[step] as number;
    if (seen >= all * part) return millisOf(step);
  }
  return 0;
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000_000;
}

async function run(job: Job): Promise<void> {
  const counts = newCounts();
  const connections = Array.from({ length: job.clients }, (_, client) => {
    const frames = framesOf(job.work, client + 1, parentOf(job.run, client));
    return new LoadConnection(portOf(job, client), frames, job.depth, counts, fail);
  });
  await Promise.all(connections.map((each) => each.open()));
  for (const each of connections) each.begin();
  await sleep(job.warmMillis);
  process.send?.({ kind: "measuring" } satisfies FromLoad);
  const [cpu, began, before] = [cpuSeconds(), performance.now(), counts.ops];
  counts.latencies.fill(0);
  await sleep(job.millis);
  const seconds = (performance.now() - began) / 1000;
  process.send?.({ kind: "measured" } satisfies FromLoad);
  const result: Result = {
    ops: counts.ops - before,
    seconds,
    p50Millis: percentile(counts.latencies, 0.5),
    p99Millis: percentile(counts.latencies, 0.99),
    cpu: cpuSeconds() - cpu,
  };
  await Promise.all(connections.map((each) => each.stop()));
  process.send?.({ kind: "result", result } satisfies FromLoad);
}

function sleep(millis: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, millis));
}

/** What this process has created. */
const known = new Set<string>();

process.on("message", (job: Job) => {
  void prepare(job, known).then(() => run(job));
});
process.on("disconnect", () => process.exit(0));
