/**
 * A disk in memory that fails as disks do: what was not fsynced is lost, kept or torn when the power goes; an fsync
 * fails (and the page cache lies afterwards), hangs or only pretends; the disk fills up; bits flip. Deterministic: what
 * happens is decided by the caller's `fault` and one seeded generator.
 */
import { dirname } from "node:path";
import { type Disk, DiskError, type DiskFile, type DiskLock } from "../../services/replica/src/world.ts";
import type { SeededRandom } from "./random.ts";

export type DiskOperation =
  | "open"
  | "write"
  | "sync"
  | "truncate"
  | "read"
  | "rename"
  | "remove"
  | "makeFolder"
  | "syncFolder";

/** One thing that the disk is about to do; `number` counts those that change something, from 1. */
export interface DiskStep {
  readonly number: number;
  readonly operation: DiskOperation;
  readonly path: string;
}

/**
 * `crash`: the power goes before the step, and nothing more is heard of it. `lie`: a sync that says yes and does
 * nothing. A string: the system's code with which it fails.
 */
export type Fault = "none" | "crash" | "hang" | "lie" | "EIO" | "ENOSPC";

/** What becomes of what was not fsynced. `torn`: some of the pages, in any order; some of the names, in theirs. */
export type PowerLoss = "lost" | "kept" | "torn";

const pageBytes = 4096;

type Change =
  | { readonly kind: "write"; readonly offset: number; readonly bytes: Uint8Array }
  | { readonly kind: "truncate"; readonly length: number };

class Inode {
  durable: Uint8Array = new Uint8Array(0);
  cached: Uint8Array = new Uint8Array(0);
  dirty: Change[] = [];

  change(change: Change): void {
    this.cached = applied(this.cached, change);
    this.dirty.push(change);
  }

  sync(): void {
    for (const change of this.dirty) this.durable = applied(this.durable, change);
    this.dirty = [];
  }
}

type NameChange =
  | { readonly kind: "set"; readonly path: string; readonly inode: Inode }
  | { readonly kind: "remove"; readonly path: string }
  | { readonly kind: "rename"; readonly from: string; readonly to: string };

export class FaultyDisk implements Disk {
  readonly random: SeededRandom;
  /** Asked before every step. */
  fault: (step: DiskStep) => Fault = () => "none";
  /** How long a step takes; settles when it is time. */
  wait: (operation: DiskOperation) => Promise<void> = () => Promise.resolve();
  /** Bytes that all files together may hold. */
  capacity: number = Number.POSITIVE_INFINITY;
  /** Steps so far. */
  steps: number = 0;
  crashed: boolean = false;
  #names: Map<string, Inode> = new Map();
  #durableNames: Map<string, Inode> = new Map();
  #dirtyNames: NameChange[] = [];
  readonly #folders: Set<string> = new Set();
  #locks: Set<string> = new Set();
  /** Which life of the machine: what an earlier one began never ends. */
  #life = 0;
  #hung: (() => void)[] = [];

  constructor(random: SeededRandom) {
    this.random = random;
  }

  /** The process dies, the machine lives: what was written is still in the page cache. */
  killProcess(): void {
    this.#life += 1;
    this.#locks = new Set();
    this.#hung = [];
    this.crashed = false;
  }

  /** The power goes and comes back. */
  losePower(loss: PowerLoss): void {
    this.killProcess();
    const kept =
      loss === "kept" ? this.#dirtyNames.length : loss === "torn" ? this.random.below(this.#dirtyNames.length + 1) : 0;
    for (const change of this.#dirtyNames.slice(0, kept)) rename(this.#durableNames, change);
    this.#dirtyNames = [];
    for (const inode of new Set([...this.#names.values(), ...this.#durableNames.values()])) this.#settle(inode, loss);
    this.#names = new Map(this.#durableNames);
  }

  /** Lets what hangs go on. */
  resume(): void {
    const hung = this.#hung;
    this.#hung = [];
    for (const each of hung) each();
  }

  /** Changes one bit of a file, on the disk and in the cache. */
  flipBit(path: string, offset: number, bit: number = 0): void {
    const inode = this.#inode("flip", path);
    for (const bytes of [inode.durable, inode.cached]) {
      if (offset < bytes.length) bytes[offset] = (bytes[offset] as number) ^ (1 << bit);
    }
  }

  /** A new disk: nothing is left. Of a machine without power. */
  wipe(): void {
    this.#names = new Map();
    this.#durableNames = new Map();
    this.#dirtyNames = [];
    this.#folders.clear();
  }

  /** Bytes that all files together hold. */
  get used(): number {
    return this.#used();
  }

  /** As a process would read it; not to be changed. */
  peek(path: string): Uint8Array {
    return this.#inode("peek", path).cached;
  }

  fileSize(path: string): number {
    return this.#inode("size", path).cached.length;
  }

  paths(): readonly string[] {
    return [...this.#names.keys()].sort();
  }

  async open(path: string, mode: "create" | "write" | "read"): Promise<DiskFile> {
    if (mode === "create") {
      await this.#step("open", path);
      if (this.#names.has(path)) throw new DiskError("open", path, "EEXIST");
      if (!this.#folders.has(dirname(path))) throw new DiskError("open", path, "ENOENT");
      this.#rename({ kind: "set", path, inode: new Inode() });
    }
    return this.#file(path, this.#inode("open", path), mode !== "read");
  }

  #file(path: string, inode: Inode, writable: boolean): DiskFile {
    const mine = this.#life;
    let open = true;
    const check = async (operation: string): Promise<void> => {
      if (mine !== this.#life) return await never();
      if (!open) throw new DiskError(operation, path, "EBADF");
    };
    const change = async (operation: DiskOperation): Promise<Fault> => {
      await check(operation);
      if (!writable) throw new DiskError(operation, path, "EBADF");
      return await this.#step(operation, path);
    };
    const file: DiskFile = {
      path,
      writeDurably: async (parts, offset) => {
        await file.write(parts, offset);
        await file.sync();
      },
      write: async (parts, offset) => {
        await change("write");
        const bytes = new Uint8Array(Buffer.concat(parts));
        const room = this.capacity - this.#used() + Math.max(0, inode.cached.length - offset);
        const fitting = bytes.subarray(0, Math.max(0, Math.min(bytes.length, room)));
        inode.change({ kind: "write", offset, bytes: fitting });
        if (fitting.length < bytes.length) throw new DiskError("write", path, "ENOSPC");
      },
      sync: async () => {
        await check("sync");
        if ((await this.#syncing("sync", path, inode)) === "none") inode.sync();
      },
      truncate: async (length) => {
        await change("truncate");
        inode.change({ kind: "truncate", length });
      },
      read: async (offset, length) => {
        await check("read");
        return inode.cached.slice(offset, offset + length);
      },
      size: async () => {
        await check("size");
        return inode.cached.length;
      },
      close: async () => {
        await check("close");
        open = false;
      },
    };
    return file;
  }

  /** A failed sync leaves the pages clean: the cache shows them, and no later sync writes them. */
  async #syncing(operation: "sync" | "syncFolder", path: string, inode: Inode | undefined): Promise<Fault> {
    try {
      return await this.#step(operation, path);
    } catch (error) {
      if (inode) inode.dirty = [];
      throw error;
    }
  }

  exists(path: string): Promise<boolean> {
    return Promise.resolve(this.#names.has(path) || this.#folders.has(path));
  }

  list(folder: string): Promise<readonly string[]> {
    const names = [...this.#names.keys(), ...this.#folders].filter(
      (path) => dirname(path) === folder && path !== folder,
    );
    return Promise.resolve(names.map((path) => path.slice(folder.length + 1)).sort());
  }

  async makeFolder(path: string): Promise<void> {
    await this.#step("makeFolder", path);
    this.#folders.add(path);
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#step("rename", from);
    this.#inode("rename", from);
    this.#rename({ kind: "rename", from, to });
  }

  async remove(path: string): Promise<void> {
    await this.#step("remove", path);
    this.#inode("remove", path);
    this.#rename({ kind: "remove", path });
  }

  async syncFolder(path: string): Promise<void> {
    if ((await this.#syncing("syncFolder", path, undefined)) === "lie") return;
    // As a journal does: whoever commits one name commits all that were changed before it.
    for (const change of this.#dirtyNames) rename(this.#durableNames, change);
    this.#dirtyNames = [];
  }

  async lock(path: string): Promise<DiskLock | undefined> {
    if (this.#locks.has(path)) return undefined;
    const locks = this.#locks;
    locks.add(path);
    return { release: async () => void locks.delete(path) };
  }

  async freeBytes(): Promise<number> {
    return Math.max(0, Math.min(this.capacity - this.#used(), 2 ** 50));
  }

  #used(): number {
    let used = 0;
    for (const inode of this.#names.values()) used += inode.cached.length;
    return used;
  }

  #inode(operation: string, path: string): Inode {
    const inode = this.#names.get(path);
    if (inode === undefined) throw new DiskError(operation, path, "ENOENT");
    return inode;
  }

  #rename(change: NameChange): void {
    rename(this.#names, change);
    this.#dirtyNames.push(change);
  }

  async #step(operation: DiskOperation, path: string): Promise<Fault> {
    const life = this.#life;
    await this.wait(operation);
    if (this.crashed || life !== this.#life) return await never();
    this.steps += 1;
    const fault = this.fault({ number: this.steps, operation, path });
    if (fault === "crash") {
      this.crashed = true;
      return await never();
    }
    if (fault === "hang") {
      await new Promise<void>((resolve) => this.#hung.push(resolve));
      return life === this.#life ? "none" : await never();
    }
    if (fault === "EIO" || fault === "ENOSPC") throw new DiskError(operation, path, fault);
    return fault;
  }

  #settle(inode: Inode, loss: PowerLoss): void {
    if (loss === "kept") inode.sync();
    if (loss === "torn") {
      const whole = this.random.below(inode.dirty.length + 1);
      for (const change of inode.dirty.slice(0, whole)) inode.durable = applied(inode.durable, change);
      for (const change of inode.dirty.slice(whole)) this.#tear(inode, change);
    }
    inode.dirty = [];
    inode.cached = inode.durable.slice();
  }

  /** Some of the pages that a write touches reach the disk, and one of them perhaps only in part. */
  #tear(inode: Inode, change: Change): void {
    if (change.kind === "truncate") return;
    const { offset, bytes } = change;
    for (let at = 0; at < bytes.length; ) {
      const end = Math.min(bytes.length, (Math.floor((offset + at) / pageBytes) + 1) * pageBytes - offset);
      const cut = this.random.chance(0.3) ? at + this.random.below(end - at + 1) : end;
      if (this.random.chance(0.5)) {
        const piece: Change = { kind: "write", offset: offset + at, bytes: bytes.subarray(at, cut) };
        inode.durable = applied(inode.durable, piece);
      }
      at = end;
    }
  }
}

/** The bytes after a change; holes are zeros. */
function applied(bytes: Uint8Array, change: Change): Uint8Array {
  if (change.kind === "truncate") {
    const cut = new Uint8Array(change.length);
    cut.set(bytes.subarray(0, change.length));
    return cut;
  }
  if (change.bytes.length === 0) return bytes;
  const result = new Uint8Array(Math.max(bytes.length, change.offset + change.bytes.length));
  result.set(bytes);
  result.set(change.bytes, change.offset);
  return result;
}

function rename(names: Map<string, Inode>, change: NameChange): void {
  if (change.kind === "set") names.set(change.path, change.inode);
  else if (change.kind === "remove") names.delete(change.path);
  else {
    const inode = names.get(change.from);
    names.delete(change.from);
    if (inode) names.set(change.to, inode);
  }
}

/** What a machine without power answers. */
function never<T>(): Promise<T> {
  return new Promise<T>(() => {});
}
