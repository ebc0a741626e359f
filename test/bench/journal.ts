/**
 * What the log costs: a lone append with its fdatasync, appends that group themselves, and the reading of a long log at
 * a restart. `node test/bench/journal.ts [folder]`; writes some hundred megabytes there and removes them.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assert, type Batch, composeZxid, type Zxid, zeroZxid } from "@quorate/api";
import { runningChecksum } from "../../services/replica/src/record.ts";
import { Storage } from "../../services/replica/src/storage.ts";
import { nodeClock, nodeDisk } from "../../services/replica/src/world-node.ts";

const folder = await mkdtemp(join(process.argv[2] ?? tmpdir(), "quorate-bench-"));
const create = { replicaId: 1, standing: "founding" } as const;
let last = zeroZxid;
let checksum = 0;
let counter = 0;

function nextBatch(bytes: number): Batch {
  counter += 1;
  const first = composeZxid(1, counter);
  const fields = { first, last: first, previous: last, stamp: counter, rules: 1, payload: new Uint8Array(bytes) };
  const commit = last;
  checksum = runningChecksum(checksum, fields);
  last = first;
  return { ...fields, commit, checksum };
}

/** `count` appends of `bytes`, `depth` of them under way at once; milliseconds of each. */
function appends(storage: Storage, count: number, depth: number, bytes: number): Promise<number[]> {
  const began = new Map<number, number>();
  const millis: number[] = [];
  let asked = 0;
  const ask = (): void => {
    asked += 1;
    began.set(asked, nodeClock.now());
    storage.append(asked, [nextBatch(bytes)], false);
  };
  return new Promise((resolve) => {
    storage.onWritten = (ticket) => {
      millis.push(nodeClock.now() - (began.get(ticket) ?? 0));
      began.delete(ticket);
      if (asked < count) ask();
      else if (began.size === 0) resolve(millis);
    };
    for (let index = 0; index < depth; index++) ask();
  });
}

function print(name: string, text: string): void {
  process.stdout.write(`${name.padEnd(34)} ${text}\n`);
}

function quantile(sorted: readonly number[], share: number): string {
  return (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(3);
}

try {
  const { storage } = await Storage.open({ folder, disk: nodeDisk, clock: nodeClock, create });
  storage.onFatal = (error) => {
    throw error;
  };
  await appends(storage, 200, 1, 180);
  for (const depth of [1, 8, 64, 512]) {
    const before = storage.stats();
    const start = nodeClock.now();
    const millis = await appends(storage, depth === 1 ? 2000 : depth * 500, depth, 180);
    const seconds = (nodeClock.now() - start) / 1000;
    const after = storage.stats();
    millis.sort((one, other) => one - other);
    const rate = Math.round(millis.length / seconds).toLocaleString();
    const perSync = ((after.batches - before.batches) / (after.writes - before.writes)).toFixed(1);
    const times = `p50 ${quantile(millis, 0.5)} ms  p99 ${quantile(millis, 0.99)} ms`;
    print(`append 180 B, ${depth} under way`, `${rate.padStart(9)} /s  ${times}  ${perSync} an fsync`);
  }
  await appends(storage, 4000, 8, 60_000);
  const { logBytes, segments } = storage.stats();
  await storage.close();
  const start = nodeClock.now();
  const again = await Storage.open({ folder, disk: nodeDisk, clock: nodeClock, create });
  const opened = nodeClock.now();
  let read = 0;
  const through = again.recovered.history.applied;
  for await (const batches of again.storage.replay(zeroZxid, through as Zxid)) read += batches.length;
  const replayed = nodeClock.now();
  assert(read >= counter - 1, "everything is read again");
  const megabytes = (logBytes / 2 ** 20).toFixed(0);
  print(
    `recovery of ${megabytes} MiB, ${segments} segments`,
    `${(opened - start).toFixed(0)} ms for ${counter} batches`,
  );
  print("replay of the same", `${(replayed - opened).toFixed(0)} ms`);
  await again.storage.close();
} finally {
  await rm(folder, { recursive: true });
}
