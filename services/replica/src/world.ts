/**
 * The ports through which a replica touches what is not pure: time, randomness and disk. `world-node.ts` is the real
 * one; the simulator brings its own.
 */

export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Monotonic milliseconds, with fractions. */
  now(): number;
  /** Milliseconds since 1970; may jump. */
  wall(): number;
  after(millis: number, run: () => void): Timer;
  every(millis: number, run: () => void): Timer;
  /** Runs soon, after what is already waiting for input and output has been looked at. */
  soon(run: () => void): void;
}

export interface Random {
  bytes(count: number): Uint8Array;
}

/** What a disk operation failed with. */
export class DiskError extends Error {
  override readonly name: string = "DiskError";
  readonly operation: string;
  readonly path: string;
  /** The system's code: ENOSPC, EIO, ENOENT, … */
  readonly code: string;

  constructor(operation: string, path: string, code: string) {
    super(`${operation} ${path}: ${code}`);
    this.operation = operation;
    this.path = path;
    this.code = code;
  }
}

/** Held while it is not released, at most by one living process. */
export interface DiskLock {
  release(): Promise<void>;
}

/** An open file. Errors are `DiskError`s: they name the path and the system's code. */
export interface DiskFile {
  readonly path: string;
  /** Writes all of `parts` at `offset`. Not durable before `sync`. */
  write(parts: readonly Uint8Array[], offset: number): Promise<void>;
  /** fdatasync. */
  sync(): Promise<void>;
  /** `write` and `sync` in one step: durable when it resolves, if all that was written before is. */
  writeDurably(parts: readonly Uint8Array[], offset: number): Promise<void>;
  truncate(length: number): Promise<void>;
  /** At most `length` bytes from `offset`; fewer at the end of the file. */
  read(offset: number, length: number): Promise<Uint8Array>;
  size(): Promise<number>;
  close(): Promise<void>;
}

/** Paths are absolute or relative to the process. Errors are `DiskError`s. */
export interface Disk {
  /** `create` makes the file (and fails if it exists); `write` opens it for reading and writing; `read` for reading. */
  open(path: string, mode: "create" | "write" | "read"): Promise<DiskFile>;
  exists(path: string): Promise<boolean>;
  list(folder: string): Promise<readonly string[]>;
  makeFolder(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** fsync of a folder: its entries are durable. */
  syncFolder(path: string): Promise<void>;
  /** Takes the lock file at `path`; undefined while a living process holds it. A dead holder's lock is taken over. */
  lock(path: string): Promise<DiskLock | undefined>;
  /** Bytes that can still be written in `folder`'s file system. */
  freeBytes(folder: string): Promise<number>;
}

export interface World {
  readonly clock: Clock;
  readonly random: Random;
  readonly disk: Disk;
}
