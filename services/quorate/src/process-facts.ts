/** What ZooKeeper's four-letter words tell of the process and its machine. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { cpus, freemem, hostname, release, totalmem, type } from "node:os";
import { join } from "node:path";
import type { ProcessFacts } from "@quorate/gateway";

export const processFacts: ProcessFacts = {
  wallMillis: () => Date.now(),
  files: filesOf,
  environment,
};

/** Open files, and how many there may be (the soft limit); -1 where the system does not say. */
export function filesOf(): { readonly open: number; readonly most: number } {
  try {
    const [, most = "-1"] = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8")) ?? [];
    return { open: readdirSync("/proc/self/fd").length, most: Number(most) };
  } catch {
    return { open: -1, most: -1 };
  }
}

function environment(): readonly (readonly [name: string, value: string])[] {
  const { heapUsed, heapTotal } = process.memoryUsage();
  const megabytes = (bytes: number): string => `${Math.round(bytes / 1_048_576)}MB`;
  return [
    ["host.name", hostname()],
    ["node.version", process.version],
    ["os.name", type()],
    ["os.arch", process.arch],
    ["os.version", release()],
    ["user.dir", process.cwd()],
    ["os.processors", String(cpus().length)],
    ["os.memory.free", megabytes(freemem())],
    ["os.memory.total", megabytes(totalmem())],
    ["process.heap.used", megabytes(heapUsed)],
    ["process.heap.total", megabytes(heapTotal)],
  ];
}

/** What the files of a data folder take; its own log is written meanwhile, so that one may be gone. */
export function bytesOf(folder: string): number {
  let bytes = 0;
  // A folder in it may be gone by the time that it is read.
  let names: readonly string[] = [];
  try {
    names = readdirSync(folder, { recursive: true, encoding: "utf8" });
  } catch {
    return -1;
  }
  for (const name of names) {
    const found = statSync(join(folder, name), { throwIfNoEntry: false });
    if (found?.isFile()) bytes += found.size;
  }
  return bytes;
}
