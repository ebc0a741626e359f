/**
 * A fuzz of one ensemble's ZooKeeper port, whole: the healthy client beside it, and afterwards nothing is left of anybody. All that
 * was not as it should be is said.
 */
import { readdirSync } from "node:fs";
import { liveMemory } from "../bench/live-memory.ts";
import { type Ensemble, type Process, superUser, until } from "../integration/ensemble.ts";
import { talk } from "../integration/raw-socket.ts";
import { fuzzZookeeper, type ZookeeperTally } from "./zookeeper-fuzz.ts";
import { HealthyClient } from "./zookeeper-healthy.ts";

export interface TrialOptions {
  readonly frames: number;
  readonly seed: number;
  /** Whether the gateway's memory is compared, after a first part and at the end: that opens its inspector. */
  readonly memory: boolean;
  readonly log: (line: string) => void;
}

export interface Trial {
  readonly tally: ZookeeperTally;
  readonly healthy: HealthyClient;
  readonly faults: readonly string[];
}

const crowd = 16;
/** Of the frames, before memory is first looked at: what is made once is there then. */
const firstPart = 0.1;
/** More than this is not the noise of one look or the other. */
const leakBytes = 48 * 1_048_576;
/** Sockets may be closed a little later than their clients leave; sessions live some seconds on. */
const goneMillis = 60_000;

export async function tryZookeeperPort(ensemble: Ensemble, options: TrialOptions): Promise<Trial> {
  const { gateway } = ensemble;
  const { seed, log } = options;
  const port = gateway.zookeeperPort;
  const healthy = await HealthyClient.start(port, `${superUser.user}:${superUser.password}`);
  let own = await presence(gateway);
  const faults: string[] = [];
  const began = performance.now();
  const first = Math.floor(options.frames * firstPart);
  const part = async (frames: number, seed: number): Promise<ZookeeperTally> => {
    const onProgress = ({ frames: done }: ZookeeperTally): void =>
      log(`${done} frames, ${((performance.now() - began) / 1000).toFixed(0)} s`);
    const tally = await fuzzZookeeper({ port, frames, seed, crowd, onProgress });
    for (const { what, conversation, number } of tally.finds) {
      faults.push(`seed ${seed}, conversation ${number} (${conversation}): ${what}`);
    }
    await nothingLeft(gateway, own).catch((error: Error) => faults.push(error.message));
    return tally;
  };
  if (options.memory) await part(first, seed + 1_000_000);
  const before = options.memory ? (await liveMemory(gateway)).live : 0;
  // The inspector has files of its own.
  if (options.memory) own = { ...own, files: openFiles(gateway) };
  const tally = await part(options.frames, seed);
  if (options.memory) {
    const after = (await liveMemory(gateway)).live;
    log(`the gateway holds ${megabytes(after)} MB, and held ${megabytes(before)} MB after the first ${first} frames`);
    if (after - before > leakBytes) faults.push(`memory leaks: ${megabytes(before)} MB became ${megabytes(after)} MB`);
  }
  await healthy.stop();
  if (healthy.fault !== undefined) faults.push(healthy.fault);
  for (const each of [...ensemble.replicas, gateway]) {
    if (!each.running) faults.push(`${each.name} is gone: ${each.output.slice(-2_000)}`);
    const line = each.output.split("\n").find((text) => /for a fault of this gateway|uncaught|assert/i.test(text));
    if (line !== undefined) faults.push(`${each.name} says: ${line}`);
  }
  return { tally, healthy, faults };
}

interface Presence {
  readonly connections: number;
  readonly sessions: number;
  readonly files: number;
}

/** Who is there; the connection that asks it is among them. */
async function presence(gateway: Process): Promise<Presence> {
  const facts = (await talk(gateway.zookeeperPort, "mntr")).text;
  const of = (name: string): number => Number(new RegExp(`^${name}\\t(\\d+)`, "m").exec(facts)?.[1] ?? Number.NaN);
  const [connections, sessions] = [of("zk_num_alive_connections"), of("zk_global_sessions")];
  return { connections, sessions, files: openFiles(gateway) };
}

/** Only those who were there before. A replica's own door, asked for the first time, may have opened a session meanwhile. */
async function nothingLeft(gateway: Process, own: Presence): Promise<void> {
  let now: Presence | undefined;
  await until(
    async () => {
      now = await presence(gateway);
      return now.connections <= own.connections && now.sessions <= own.sessions + 1 && now.files <= own.files + 2;
    },
    goneMillis,
    () => `everybody else is gone: ${JSON.stringify(now)} where there was ${JSON.stringify(own)}`,
  );
}

function openFiles(process: Process): number {
  return readdirSync(`/proc/${process.pid}/fd`).length;
}

function megabytes(bytes: number): string {
  return (bytes / 1_048_576).toFixed(1);
}
