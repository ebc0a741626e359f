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

/** An open file. Errors are thrown with the file's path and the system's code in their message. */
export interface DiskFile {
  readonly path: string;
  /** Writes all of `parts` at `offset`. Not durable before `sync`. */
  write(parts: readonly Uint8Array[], offset: number): Promise<void>;
  /** fdatasync. */
  sync(): Promise<void>;
  truncate(length: number): Promise<void>;
  /** At most `length` bytes from `offset`; fewer at the end of the file. */
  read(offset: number, length: number): Promise<Uint8Array>;
  size(): Promise<number>;
  close(): Promise<void>;
}

/** Paths are absolute or relative to the process. */
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
  /** Bytes that can still be written in `folder`'s file system. */
  freeBytes(folder: string): Promise<number>;
}

export interface World {
  readonly clock: Clock;
  readonly random: Random;
  readonly disk: Disk;
}
