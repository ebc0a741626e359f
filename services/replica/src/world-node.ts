/**
 * The real world: clock, randomness and disk of the machine. The only room that touches `node:fs`, timers and
 * randomness; what it refuses to know is what the files mean. Callbacks instead of `node:fs/promises`: a write and an
 * fdatasync lie on the path of every transaction, and a FileHandle costs twice as much.
 */
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { resolve } from "node:path";
import {
  type Clock,
  type Disk,
  DiskError,
  type DiskFile,
  type DiskLock,
  type Random,
  type Timer,
  type World,
} from "./world.ts";

export const nodeClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after: (millis: number, run: () => void): Timer => {
    const timer = setTimeout(run, millis);
    return { cancel: () => clearTimeout(timer) };
  },
  every: (millis: number, run: () => void): Timer => {
    const timer = setInterval(run, millis);
    return { cancel: () => clearInterval(timer) };
  },
  soon: (run: () => void): void => {
    setImmediate(run);
  },
};

export const nodeRandom: Random = { bytes: (count: number): Uint8Array => new Uint8Array(randomBytes(count)) };

type Failure = NodeJS.ErrnoException | null;
type Settle<T> = (failure: Failure, value?: T) => void;

/** Runs one callback-style call and names operation, path and code in what it throws. */
function call<T>(operation: string, path: string, start: (settle: Settle<T>) => void): Promise<T> {
  return new Promise((fulfil, reject) => {
    start((failure, value) => {
      if (failure) reject(new DiskError(operation, path, failure.code ?? failure.message));
      else fulfil(value as T);
    });
  });
}

class NodeFile implements DiskFile {
  readonly path: string;
  readonly #descriptor: number;
  /** For `writeDurably`, once that was asked for. */
  #durable: number | undefined;

  constructor(path: string, descriptor: number) {
    this.path = path;
    this.#descriptor = descriptor;
  }

  write(parts: readonly Uint8Array[], offset: number): Promise<void> {
    return call("write", this.path, (settle) => writeAll(this.#descriptor, parts, offset, settle));
  }

  sync(): Promise<void> {
    return call("fdatasync", this.path, (settle) => fs.fdatasync(this.#descriptor, settle));
  }

  async writeDurably(parts: readonly Uint8Array[], offset: number): Promise<void> {
    const descriptor = await this.#openDurable();
    if (descriptor !== undefined)
      return call("write", this.path, (settle) => writeAll(descriptor, parts, offset, settle));
    await this.write(parts, offset);
    await this.sync();
  }

  /**
   * A second descriptor on which a write returns when it is durable (O_DSYNC): one way through the thread pool and one
   * system call where write and fdatasync take two of each. Undefined where the system has no such thing.
   */
  async #openDurable(): Promise<number | undefined> {
    const { O_DSYNC, O_WRONLY } = fs.constants;
    if (this.#durable === undefined && O_DSYNC !== undefined) {
      this.#durable = await call<number>("open", this.path, (settle) => fs.open(this.path, O_WRONLY | O_DSYNC, settle));
    }
    return this.#durable;
  }

  truncate(length: number): Promise<void> {
    return call("ftruncate", this.path, (settle) => fs.ftruncate(this.#descriptor, length, settle));
  }

  read(offset: number, length: number): Promise<Uint8Array> {
    const bytes = Buffer.allocUnsafeSlow(length);
    return call("read", this.path, (settle) => readAll(this.#descriptor, bytes, 0, offset, settle));
  }

  async size(): Promise<number> {
    const stats = await call<fs.Stats>("fstat", this.path, (settle) => fs.fstat(this.#descriptor, settle));
    return stats.size;
  }

  async close(): Promise<void> {
    const durable = this.#durable;
    this.#durable = undefined;
    if (durable !== undefined) await call("close", this.path, (settle) => fs.close(durable, settle));
    return call("close", this.path, (settle) => fs.close(this.#descriptor, settle));
  }
}

/** A write may be short (a signal, a nearly full disk): goes on until all is written or the system says why not. */
function writeAll(descriptor: number, parts: readonly Uint8Array[], offset: number, settle: Settle<void>): void {
  fs.writev(descriptor, parts as Uint8Array[], offset, (failure, written) => {
    if (failure) return settle(failure);
    const rest = behind(parts, written);
    if (rest.length === 0) return settle(null);
    if (written === 0) return settle(Object.assign(new Error("nothing written"), { code: "EIO" }));
    writeAll(descriptor, rest, offset + written, settle);
  });
}

/** What of `parts` lies behind the first `count` bytes. */
function behind(parts: readonly Uint8Array[], count: number): readonly Uint8Array[] {
  let left = count;
  for (let index = 0; index < parts.length; index++) {
    const part = parts[index] as Uint8Array;
    if (left < part.length) return [part.subarray(left), ...parts.slice(index + 1)];
    left -= part.length;
  }
  return [];
}

function readAll(descriptor: number, bytes: Buffer, filled: number, offset: number, settle: Settle<Uint8Array>): void {
  fs.read(descriptor, bytes, filled, bytes.length - filled, offset + filled, (failure, count) => {
    if (failure) return settle(failure);
    const total = filled + count;
    if (count === 0 || total === bytes.length) return settle(null, bytes.subarray(0, total));
    readAll(descriptor, bytes, total, offset, settle);
  });
}

/** Who holds a lock: pid and, where the system tells it, the start of the process, so that a reused pid is not it. */
interface Holder {
  readonly pid: number;
  readonly started: string;
}

/** Locks of this process: a pid alone cannot tell two openings in one process apart. */
const held = new Set<string>();

/** The fields of /proc/PID/stat behind the program's name: state first, the number of threads at 17, the start at 19. */
function statOf(pid: number): string[] {
  const stat = fs.readFileSync(`/proc/${pid}/stat`, "utf8");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

/**
 * Ended, but nobody has asked how yet: whoever should (the first process of a container, say) may never do so. While it
 * has threads, one of them may still be in the midst of a write.
 */
function isZombie(pid: number): boolean {
  try {
    const fields = statOf(pid);
    return (fields[0] === "Z" || fields[0] === "X") && Number(fields[17]) <= 1;
  } catch {
    return false;
  }
}

/** The start of a process in clock ticks since boot, with the boot's id; empty where /proc does not exist. */
function startOf(pid: number): string {
  try {
    const ticks = statOf(pid)[19] ?? "";
    return `${ticks}@${fs.readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()}`;
  } catch {
    return "";
  }
}

function parseHolder(text: string): Holder | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return undefined;
    const { pid, started } = value as Partial<Holder>;
    return Number.isInteger(pid) && typeof started === "string" ? { pid: pid as number, started } : undefined;
  } catch {
    return undefined;
  }
}

function isAlive(holder: Holder): boolean {
  if (holder.pid === process.pid) return false; // An earlier process of this number: this one asks `held`.
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
  }
  if (isZombie(holder.pid)) return false;
  const started = startOf(holder.pid);
  return started === "" || holder.started === "" || started === holder.started;
}

/** Makes the lock file as a whole (link fails if it exists), so that nobody reads a half of it. */
function createLock(path: string): boolean {
  const draft = `${path}.${process.pid}`;
  try {
    fs.writeFileSync(draft, `${JSON.stringify({ pid: process.pid, started: startOf(process.pid) })}\n`);
    fs.linkSync(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  } finally {
    fs.rmSync(draft, { force: true });
  }
}

/**
 * Takes over the lock of a dead process. The stale file is moved away first, and only one of two that race can move it;
 * whoever finds that it moved another file than the one it had read puts that back.
 */
function takeOver(path: string, stale: string): boolean {
  const aside = `${path}.stale.${process.pid}`;
  try {
    fs.renameSync(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return createLock(path);
    throw error;
  }
  const same = fs.readFileSync(aside, "utf8") === stale;
  if (!same) fs.linkSync(aside, path);
  fs.unlinkSync(aside);
  return same && createLock(path);
}

function tryLock(path: string): boolean {
  if (held.has(path)) return false;
  if (createLock(path)) return true;
  const text = fs.readFileSync(path, "utf8");
  const holder = parseHolder(text);
  return holder !== undefined && isAlive(holder) ? false : takeOver(path, text);
}

async function lockFile(given: string): Promise<DiskLock | undefined> {
  const path = resolve(given);
  try {
    if (!tryLock(path)) return undefined;
  } catch (error) {
    throw new DiskError("lock", path, (error as NodeJS.ErrnoException).code ?? String(error));
  }
  held.add(path);
  return {
    release: async () => {
      if (held.delete(path)) await nodeDisk.remove(path);
    },
  };
}

const flags = {
  create: fs.constants.O_RDWR | fs.constants.O_CREAT | fs.constants.O_EXCL,
  write: fs.constants.O_RDWR,
  read: fs.constants.O_RDONLY,
};

export const nodeDisk: Disk = {
  async open(path: string, mode: "create" | "write" | "read"): Promise<DiskFile> {
    const descriptor = await call<number>("open", path, (settle) => fs.open(path, flags[mode], 0o640, settle));
    return new NodeFile(path, descriptor);
  },
  exists(path: string): Promise<boolean> {
    return new Promise((settle, reject) => {
      fs.stat(path, (failure) => {
        if (!failure || failure.code === "ENOENT" || failure.code === "ENOTDIR") settle(!failure);
        else reject(new DiskError("stat", path, failure.code ?? failure.message));
      });
    });
  },
  list: (folder: string): Promise<readonly string[]> =>
    call("readdir", folder, (settle) => fs.readdir(folder, (failure, names) => settle(failure, names))),
  makeFolder: async (path: string): Promise<void> => {
    await call("mkdir", path, (settle) =>
      fs.mkdir(path, { recursive: true, mode: 0o750 }, (failure) => settle(failure)),
    );
  },
  rename: (from: string, to: string): Promise<void> =>
    call("rename", from, (settle) => fs.rename(from, to, (failure) => settle(failure))),
  remove: (path: string): Promise<void> =>
    call("unlink", path, (settle) => fs.unlink(path, (failure) => settle(failure))),
  async syncFolder(path: string): Promise<void> {
    const descriptor = await call<number>("open", path, (settle) => fs.open(path, "r", settle));
    try {
      await call("fsync", path, (settle: Settle<void>) => fs.fsync(descriptor, settle));
    } finally {
      await call("close", path, (settle: Settle<void>) => fs.close(descriptor, settle));
    }
  },
  lock: (path: string): Promise<DiskLock | undefined> => lockFile(path),
  async freeBytes(folder: string): Promise<number> {
    const stats = await call<fs.StatsFs>("statfs", folder, (settle) => fs.statfs(folder, settle));
    return stats.bavail * stats.bsize;
  },
};

export const nodeWorld: World = { clock: nodeClock, random: nodeRandom, disk: nodeDisk };
