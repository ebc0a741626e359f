/**
 * A leader's snapshot on its way in, and the log behind it. Nothing of it counts before the state file names it; its
 * names are of the next lineage, so that they never meet those of the history that still counts.
 */
import { join } from "node:path";
import { assert, type Batch, type Zxid } from "@quorate/api";
import { partialSuffix, snapshotName } from "./file-names.ts";
import { Journal, type JournalPorts } from "./journal.ts";
import { SnapshotFormatError, type SnapshotHeader, SnapshotParser } from "./snapshot-format.ts";
import { removeIfThere } from "./state-file.ts";
import type { DiskFile } from "./world.ts";

export interface StagePiece {
  readonly at: Zxid;
  readonly checksum: number;
  readonly offset: number;
  readonly chunk: Uint8Array;
  readonly done: boolean;
}

/** What an installation takes over. */
export interface Staged {
  readonly at: Zxid;
  readonly checksum: number;
  readonly snapshotFile: string;
  readonly bytes: number;
  readonly journal: Journal;
}

export class Staging {
  readonly at: Zxid;
  readonly #ports: JournalPorts;
  readonly #header: SnapshotHeader;
  readonly #lineage: number;
  readonly #name: string;
  readonly #parser = new SnapshotParser();
  #file: DiskFile | undefined;
  #bytes = 0;
  /** Written and not fsynced. */
  #unsynced = 0;
  #journal: Journal | undefined;
  #wrong: string | undefined;

  private constructor(ports: JournalPorts, header: SnapshotHeader, lineage: number, file: DiskFile) {
    this.at = header.at;
    this.#ports = ports;
    this.#header = header;
    this.#lineage = lineage;
    this.#name = snapshotName({ at: header.at, lineage });
    this.#file = file;
  }

  static async begin(ports: JournalPorts, header: SnapshotHeader, lineage: number): Promise<Staging> {
    const path = join(ports.folder, snapshotName({ at: header.at, lineage }) + partialSuffix);
    const file = await ports.disk.open(path, "create");
    return new Staging(ports, header, lineage, file);
  }

  /** What is wrong with what the leader sent: it can never be installed. */
  get wrong(): string | undefined {
    return this.#wrong;
  }

  /** Written when it resolves; with `done` the whole is checked and durable, and so is the empty log behind it. */
  async add(piece: StagePiece): Promise<void> {
    if (this.#wrong !== undefined) return;
    if (piece.offset !== this.#bytes || this.#file === undefined) {
      this.#wrong = `a piece at ${piece.offset}, ${this.#bytes} bytes are here`;
      return;
    }
    this.#check(piece);
    if (this.#wrong !== undefined) return;
    if (piece.chunk.length > 0) await this.#write(this.#file, piece.chunk);
    if (piece.done) await this.#complete();
  }

  /** Fsynced now and then: else the page cache would take all of it at once, and the end would wait for it. */
  async #write(file: DiskFile, chunk: Uint8Array): Promise<void> {
    await file.write([chunk], this.#bytes);
    this.#bytes += chunk.length;
    this.#unsynced += chunk.length;
    if (this.#unsynced < this.#ports.limits.snapshotSyncBytes) return;
    this.#unsynced = 0;
    await file.sync();
  }

  #check(piece: StagePiece): void {
    try {
      this.#parser.push(piece.chunk);
      const header = piece.done ? this.#parser.finish() : this.#parser.header;
      if (header === undefined) return;
      if (header.at !== this.#header.at || header.checksum !== this.#header.checksum) this.#wrong = "of another zxid";
    } catch (error) {
      if (!(error instanceof SnapshotFormatError)) throw error;
      this.#wrong = error.message;
    }
  }

  async #complete(): Promise<void> {
    const { disk, folder } = this.#ports;
    const file = this.#file as DiskFile;
    await file.sync();
    await file.close();
    this.#file = undefined;
    await disk.rename(file.path, join(folder, this.#name));
    // The new segment's fsync of the folder makes both names durable.
    this.#journal = await Journal.create(this.#ports, this.#lineage, this.at, this.#header.checksum);
  }

  /** Durable when it resolves. Behind a snapshot that is wrong nothing is kept: it is never installed. */
  async append(batches: readonly Batch[]): Promise<void> {
    if (this.#wrong !== undefined) return;
    assert(this.#journal !== undefined, "a staged log stands behind a whole snapshot");
    await this.#journal.append(batches);
  }

  /** What is ready to be installed; undefined while it is not. */
  get ready(): Staged | undefined {
    if (this.#journal === undefined || this.#wrong !== undefined) return undefined;
    return {
      at: this.at,
      checksum: this.#header.checksum,
      snapshotFile: this.#name,
      bytes: this.#bytes,
      journal: this.#journal,
    };
  }

  /** Throws all of it away. */
  async discard(): Promise<void> {
    const { disk, folder } = this.#ports;
    await this.#file?.close();
    this.#file = undefined;
    await this.#journal?.close();
    await removeIfThere(disk, join(folder, this.#name + partialSuffix));
    await removeIfThere(disk, join(folder, this.#name));
    for (const segment of this.#journal?.segments ?? []) await removeIfThere(disk, join(folder, segment.name));
    this.#journal = undefined;
  }

  /** Closes what is open, keeping the files: at the end of the process. */
  async close(): Promise<void> {
    await this.#file?.close();
    await this.#journal?.close();
    this.#file = undefined;
  }
}
