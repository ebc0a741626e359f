/** A million znodes of 100 bytes in a real ensemble: live memory of a replica, and how long a restart takes. */
import { Ensemble, until } from "../integration/ensemble.ts";
import { liveMemory } from "./live-memory.ts";

export interface MillionResult {
  readonly znodes: number;
  readonly loadSeconds: number;
  /** Heap and buffers of a follower after a full collection. */
  readonly liveMegabytes: number;
  readonly residentMegabytes: number;
  /** From the start of the process until it serves again. */
  readonly restartSeconds: number;
}

const count = 1_000_000;
const perTxn = 500;

/** Creates /m/<group>/<n> by transactions, some at once. */
async function load(base: string): Promise<void> {
  await put(base, "/m");
  let next = 0;
  const data = "x".repeat(100);
  const worker = async (): Promise<void> => {
    while (next < count) {
      const from = next;
      next += perTxn;
      const group = `/m/${Math.floor(from / 10_000)}`;
      if (from % 10_000 === 0) await put(base, group);
      else await until(async () => (await fetch(`${base}/v1/znodes${group}`, { method: "HEAD" })).ok, 30_000, group);
      const then = Array.from({ length: perTxn }, (_, i) => ({
        op: "create",
        path: `${group}/znode-${from + i}`,
        data,
      }));
      const answer = await fetch(`${base}/v1/txn`, {
        method: "POST",
        headers: { "content-type": "application/json", "quorate-timeout": "60s" },
        body: JSON.stringify({ then }),
      });
      if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
      await answer.arrayBuffer();
    }
  };
  await Promise.all(Array.from({ length: 8 }, worker));
}

async function put(base: string, path: string): Promise<void> {
  const answer = await fetch(`${base}/v1/znodes${path}`, { method: "PUT", body: "" });
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
}

async function gauge(base: string, name: string): Promise<number> {
  const text = await (await fetch(`${base}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1] ?? Number.NaN);
}

export async function measureMillion(): Promise<MillionResult> {
  const ensemble = await Ensemble.start();
  try {
    const started = performance.now();
    await load(ensemble.gateway.base);
    const loadSeconds = (performance.now() - started) / 1000;
    await ensemble.settled(120_000);
    const leader = await ensemble.leader();
    const follower = ensemble.replica(leader === 1 ? 2 : 1);
    const { live, resident } = await liveMemory(follower);
    await follower.kill();
    const restarted = performance.now();
    follower.start();
    await until(async () => (await gauge(follower.base, "quorate_replica_serving")) === 1, 60_000, "it serves again");
    const result = {
      znodes: await gauge(follower.base, "quorate_znodes"),
      loadSeconds: round(loadSeconds),
      liveMegabytes: round(live / 1e6),
      residentMegabytes: round(resident / 1e6),
      restartSeconds: round((performance.now() - restarted) / 1000),
    };
    console.log(
      `${result.znodes} znodes: loaded in ${result.loadSeconds} s; live memory of a follower ${result.liveMegabytes} MB ` +
        `(resident ${result.residentMegabytes} MB); restart until it serves ${result.restartSeconds} s`,
    );
    return result;
  } finally {
    await ensemble.stop();
  }
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
