/** Snapshot files: written, read and checked. Which of them count is the state file's to say (`storage.ts`). */
import { join } from "node:path";
import { assert, type Zxid } from "@quorate/api";
import { partialSuffix } from "./file-names.ts";
import type { StorageLimits } from "./limits.ts";
import {
  encodeSnapshotHeader,
  SnapshotFormatError,
  type SnapshotHeader,
  SnapshotParser,
  SnapshotTally,
} from "./snapshot-format.ts";
import { removeIfThere } from "./state-file.ts";
import { asStorageError, CorruptionError, StorageError } from "./storage-error.ts";
import type { Disk, DiskFile } from "./world.ts";

export interface SnapshotFile {
  readonly at: Zxid;
  /**
   * Appends content; the bytes are the file's from then on. Resolves when there is room for more. A failure leaves the
   * log alone: the shell aborts and tries again later.
   */
  write(chunk: Uint8Array): Promise<void>;
  /** Durable and named in the state file; false if a leader's snapshot was installed meanwhile and this one is void. */
  commit(): Promise<boolean>;
  /** Throws the file away, also when a commit has failed; harmless after one. */
  abort(): Promise<void>;
}

export interface SnapshotPorts {
  readonly folder: string;
  readonly disk: Disk;
  readonly limits: StorageLimits;
}

/** Names a finished file in the state file; false: it is not wanted any more. */
export type NameSnapshot = (bytes: number) => Promise<boolean>;

export class SnapshotWriter implements SnapshotFile {
  readonly at: Zxid;
  readonly #ports: SnapshotPorts;
  readonly #name: string;
  readonly #file: DiskFile;
  readonly #named: NameSnapshot;
  readonly #ended: () => void;
  readonly #tally = new SnapshotTally();
  #parts: Uint8Array[] = [];
  #partBytes = 0;
  #offset = 0;
  #synced = 0;
  /** `closed`: the file, whose names may be half changed. */
  #state: "open" | "closed" | "ended" = "open";

  private constructor(
    ports: SnapshotPorts,
    name: string,
    file: DiskFile,
    at: Zxid,
    named: NameSnapshot,
    ended: () => void,
  ) {
    this.at = at;
    this.#ports = ports;
    this.#name = name;
    this.#file = file;
    this.#named = named;
    this.#ended = ended;
  }

  /** `ended` is called once, when the file is committed or gone. */
  static async create(
    ports: SnapshotPorts,
    name: string,
    header: SnapshotHeader,
    named: NameSnapshot,
    ended: () => void,
  ): Promise<SnapshotWriter> {
    const path = join(ports.folder, name + partialSuffix);
    await removeIfThere(ports.disk, path);
    const file = await ports.disk.open(path, "create");
    const writer = new SnapshotWriter(ports, name, file, header.at, named, ended);
    writer.#add(encodeSnapshotHeader(header));
    return writer;
  }

  async write(chunk: Uint8Array): Promise<void> {
    assert(this.#state === "open", "a snapshot is written before it is committed or aborted");
    if (chunk.length === 0) return;
    this.#add(this.#tally.piece(chunk));
    this.#add(chunk);
    if (this.#partBytes >= this.#ports.limits.snapshotWriteBytes) await this.#flush();
  }

  async commit(): Promise<boolean> {
    assert(this.#state === "open", "a snapshot is committed once");
    const { disk, folder } = this.#ports;
    try {
      this.#add(this.#tally.end());
      await this.#flush();
      await this.#file.sync();
      this.#state = "closed";
      await this.#file.close();
      await disk.rename(this.#file.path, join(folder, this.#name));
      await disk.syncFolder(folder);
    } catch (error) {
      throw asStorageError(error);
    }
    const named = await this.#named(this.#offset);
    if (!named) await removeIfThere(disk, join(folder, this.#name));
    this.#end();
    return named;
  }

  async abort(): Promise<void> {
    if (this.#state === "ended") return;
    try {
      if (this.#state === "open") await this.#file.close();
      await removeIfThere(this.#ports.disk, this.#file.path);
    } finally {
      this.#end();
    }
  }

  #end(): void {
    this.#state = "ended";
    this.#ended();
  }

  #add(bytes: Uint8Array): void {
    this.#parts.push(bytes);
    this.#partBytes += bytes.length;
  }

  async #flush(): Promise<void> {
    const parts = this.#parts;
    const bytes = this.#partBytes;
    const offset = this.#offset;
    this.#parts = [];
    this.#partBytes = 0;
    this.#offset += bytes;
    try {
      await this.#file.write(parts, offset);
      if (this.#offset - this.#synced < this.#ports.limits.snapshotSyncBytes) return;
      this.#synced = this.#offset;
      await this.#file.sync();
    } catch (error) {
      throw asStorageError(error);
    }
  }
}

/** The content of a snapshot file, piece by piece, checked; throws CorruptionError. */
export async function* readSnapshotFile(
  ports: SnapshotPorts,
  name: string,
  expected: (header: SnapshotHeader) => string | undefined,
): AsyncGenerator<Uint8Array, void> {
  const path = join(ports.folder, name);
  const parser = new SnapshotParser();
  try {
    for await (const bytes of readWhole(ports, path)) {
      const pieces = parser.push(bytes);
      const wrong = parser.header && expected(parser.header);
      if (wrong !== undefined) throw new CorruptionError(path, wrong);
      yield* pieces;
    }
    parser.finish();
  } catch (error) {
    if (error instanceof SnapshotFormatError) throw new CorruptionError(path, error.message);
    throw asStorageError(error);
  }
}

export interface CheckedSnapshot {
  readonly checksum: number;
  readonly bytes: number;
}

/** Reads a file to its end and says whether it is a whole snapshot at `at`: what it is, or what is wrong. */
export async function checkSnapshotFile(
  ports: SnapshotPorts,
  name: string,
  at: Zxid,
): Promise<CheckedSnapshot | string> {
  const path = join(ports.folder, name);
  const parser = new SnapshotParser();
  try {
    let total = 0;
    for await (const bytes of readWhole(ports, path)) {
      parser.push(bytes);
      total += bytes.length;
    }
    const header = parser.finish();
    return header.at === at ? { checksum: header.checksum, bytes: total } : "is a snapshot of another zxid";
  } catch (error) {
    if (error instanceof SnapshotFormatError) return error.message;
    throw error;
  }
}

/** A file's bytes as they lie, in pieces. */
export async function* readWhole(ports: SnapshotPorts, path: string): AsyncGenerator<Uint8Array, void> {
  const file = await ports.disk.open(path, "read");
  try {
    const size = await file.size();
    for (let offset = 0; offset < size; ) {
      const bytes = await file.read(offset, Math.min(ports.limits.readBytes, size - offset));
      if (bytes.length === 0) throw new StorageError(path, "became shorter while it was read");
      yield bytes;
      offset += bytes.length;
    }
  } finally {
    await file.close();
  }
}
