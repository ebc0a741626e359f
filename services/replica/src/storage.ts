/**
 * What a replica keeps: state file, log, snapshots. Performs the core's disk effects in order and says when each is
 * durable; reads files for replay, for followers and for the tree. Knows nothing of roles, links or the tree.
 */
import { join } from "node:path";
import { assert, type Batch, formatZxid, type Zxid, zeroZxid } from "@quorate/api";
import type { DurableState, WriteTicket } from "@quorate/zab";
import { type Create, openFolder } from "./data-folder.ts";
import { DiskSpace } from "./disk-space.ts";
import { lockName, parseSnapshotName, snapshotName } from "./file-names.ts";
import { Journal, type JournalPorts, type SegmentInfo } from "./journal.ts";
import { checkStorageLimits, type StorageLimits, storageLimits } from "./limits.ts";
import { Pins } from "./pins.ts";
import { readSnapshotFile, readWhole, type SnapshotFile, SnapshotWriter } from "./snapshots.ts";
import { Spread } from "./spread.ts";
import { Staging } from "./staging.ts";
import { removeIfThere, type StoredState, saveState } from "./state-file.ts";
import { asStorageError, StorageError } from "./storage-error.ts";
import type { Recovered, SnapshotSource, StorageStats } from "./storage-types.ts";
import type { Clock, Disk, DiskLock } from "./world.ts";
import { WriteQueue } from "./write-queue.ts";

export type { Recovered, SnapshotSource, StorageStats } from "./storage-types.ts";

export interface StorageOptions {
  readonly folder: string;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly limits?: Partial<StorageLimits>;
  /** What a folder without a state file becomes; without it such a folder is refused. */
  readonly create?: Create;
}

interface SnapshotInfo {
  readonly name: string;
  readonly at: Zxid;
  readonly checksum: number;
  readonly bytes: number;
}

/** What may change in the state file beside the protocol's part and the names of files. */
export type Amendment = Partial<Pick<StoredState, "historyId" | "generation" | "announcedRules" | "divergences">>;

export class Storage {
  /** Set before use. Called in the order of the tickets. */
  onWritten: (ticket: WriteTicket) => void = () => {};
  /** Set before use. Called once; nothing is written after it. */
  onFatal: (error: Error) => void = () => {};
  /** What a leader sent as a snapshot is none: its link has to go. Called before the ticket completes. */
  onBadStage: (why: string) => void = () => {};

  readonly #ports: JournalPorts;
  readonly #lock: DiskLock;
  readonly #queue: WriteQueue;
  readonly #space: DiskSpace;
  readonly #pins = new Pins();
  #state: StoredState;
  #journal: Journal;
  #newest: SnapshotInfo | undefined;
  #staging: Staging | undefined;
  #committed: Zxid;
  #writing: SnapshotWriter | undefined;
  #beginning = false;
  #stateWrites = 0;
  #closed = false;

  private constructor(ports: JournalPorts, lock: DiskLock, start: OpenStart) {
    this.#ports = ports;
    this.#lock = lock;
    this.#state = start.state;
    this.#journal = start.journal;
    this.#newest = start.newest;
    this.#committed = start.applied;
    this.#space = new DiskSpace(ports, start.freeBytes);
    this.#queue = new WriteQueue({
      clock: ports.clock,
      limits: ports.limits,
      append: (batches, staged) => this.#append(batches, staged),
      onWritten: (ticket) => this.onWritten(ticket),
      onFatal: (error) => this.onFatal(error),
    });
  }

  static async open(options: StorageOptions): Promise<{ storage: Storage; recovered: Recovered }> {
    const { folder, disk, clock } = options;
    const limits = { ...storageLimits, ...options.limits };
    checkStorageLimits(limits);
    const counters = { writes: 0, batches: 0, bytes: 0, syncs: new Spread() };
    const ports: JournalPorts = { folder, disk, clock, limits, counters };
    let lock: DiskLock | undefined;
    try {
      if (options.create !== undefined) await disk.makeFolder(folder);
      else if (!(await disk.exists(folder))) throw new StorageError(folder, "there is no such folder");
      lock = await disk.lock(join(folder, lockName));
      if (lock === undefined) throw new StorageError(folder, "another process uses this data folder");
      return await openLocked(ports, options.create, (start) => new Storage(ports, lock as DiskLock, start));
    } catch (error) {
      await lock?.release();
      throw asStorageError(error);
    }
  }

  get state(): StoredState {
    return this.#state;
  }

  /** Appends to the log (`staged`: behind the snapshot that is staged). */
  append(ticket: WriteTicket, batches: readonly Batch[], staged: boolean): void {
    this.#queue.append(ticket, batches, staged);
  }

  async #append(batches: readonly Batch[], staged: boolean): Promise<void> {
    if (!staged) return await this.#journal.append(batches);
    assert(this.#staging !== undefined, "a staged append follows a staged snapshot");
    await this.#staging.append(batches);
  }

  truncate(ticket: WriteTicket, to: Zxid): void {
    this.#queue.work(ticket, 0, () => {
      assert(to >= this.#state.snapshot, "the log is not cut before the snapshot that it stands on");
      return this.#journal.truncate(to);
    });
  }

  writeState(ticket: WriteTicket, state: DurableState, install: Zxid | undefined): void {
    this.#queue.work(ticket, 0, async () => {
      const born = this.#state.historyId === "" ? { historyId: state.ensembleId } : {};
      const next = { ...this.#state, ...born, protocol: state };
      if (install === undefined) await this.#save(next);
      else await this.#install(next, install);
    });
  }

  /** Replaces the rest of the state file: the history's identity, or the rules that this replica has announced. */
  amend(amendment: Amendment): Promise<void> {
    return this.#queue.run(() => this.#save({ ...this.#state, ...amendment }));
  }

  async #save(next: StoredState): Promise<void> {
    await saveState(this.#ports.disk, this.#ports.folder, next);
    this.#state = next;
    this.#stateWrites += 1;
  }

  /** One replacement of the state file makes what is staged the history; what was the history is rubbish then. */
  async #install(next: StoredState, at: Zxid): Promise<void> {
    const staging = this.#staging;
    const staged = staging?.ready;
    if (staged === undefined || staged.at !== at) {
      throw new StorageError(
        this.#ports.folder,
        `no whole snapshot at ${formatZxid(at)}: ${staging?.wrong ?? "none staged"}`,
      );
    }
    const firstSegment = (staged.journal.segments[0] as SegmentInfo).name;
    const former = this.#journal;
    const formerSnapshots = this.#state.snapshotFiles;
    await this.#save({ ...next, snapshot: at, snapshotFiles: [staged.snapshotFile], firstSegment });
    this.#journal = staged.journal;
    this.#newest = { name: staged.snapshotFile, at, checksum: staged.checksum, bytes: staged.bytes };
    this.#committed = Math.max(this.#committed, at) as Zxid;
    this.#staging = undefined;
    await former.close();
    const names = [...former.segments.map((segment) => segment.name), ...formerSnapshots];
    for (const name of names) await this.#remove(name);
  }

  /** A piece of a snapshot that a leader sends; see `onBadStage`. */
  stage(ticket: WriteTicket, at: Zxid, checksum: number, offset: number, chunk: Uint8Array, done: boolean): void {
    this.#queue.work(ticket, chunk.length, async () => {
      let staging = this.#staging;
      if (offset === 0 || staging?.at !== at) {
        await this.#unstage();
        staging = await Staging.begin(this.#ports, { at, checksum }, this.#journal.lineage + 1);
        this.#staging = staging;
      }
      const before = staging.wrong;
      await staging.add({ at, checksum, offset, chunk, done });
      const { wrong } = staging;
      if (before === undefined && wrong !== undefined) this.onBadStage(`the snapshot at ${formatZxid(at)}: ${wrong}`);
    });
  }

  unstage(ticket: WriteTicket): void {
    this.#queue.work(ticket, 0, () => this.#unstage());
  }

  async #unstage(): Promise<void> {
    await this.#staging?.discard();
    this.#staging = undefined;
  }

  async #remove(name: string): Promise<void> {
    await removeIfThere(this.#ports.disk, join(this.#ports.folder, name));
  }

  /** The content of a snapshot that the state file names, checked; throws StorageError. */
  readSnapshot(at: Zxid): AsyncIterable<Uint8Array> {
    const name = this.#state.snapshotFiles.find((each) => parseSnapshotName(each)?.at === at);
    if (name === undefined) throw new StorageError(this.#ports.folder, `there is no snapshot at ${formatZxid(at)}`);
    return readSnapshotFile(this.#ports, name, (header) => (header.at === at ? undefined : "is of another zxid"));
  }

  /** The batches in (after, through], checked: for the tree, at start. */
  replay(after: Zxid, through: Zxid): AsyncIterable<readonly Batch[]> {
    return this.sendHistory(after, through);
  }

  /** The batches in (after, through] from the files, which are not pruned before the iteration ends. */
  sendHistory(after: Zxid, through: Zxid): AsyncIterable<readonly Batch[]> {
    return this.#pins.during(after, this.#history(after, through));
  }

  async *#history(after: Zxid, through: Zxid): AsyncGenerator<readonly Batch[], void> {
    try {
      if (through > this.#journal.last) await this.#queue.barrier();
      if (after < this.#journal.base) {
        throw new StorageError(this.#ports.folder, `the log after ${formatZxid(after)} is gone`);
      }
      yield* this.#journal.read(after, through);
    } catch (error) {
      throw asStorageError(error);
    }
  }

  newestSnapshot(): { readonly at: Zxid; readonly checksum: number; readonly bytes: number } | undefined {
    return this.#newest;
  }

  /** The newest snapshot file for a follower; throws when there is none. The log behind it stays until `release`. */
  sendSnapshot(): SnapshotSource {
    const newest = this.#newest;
    if (newest === undefined) throw new StorageError(this.#ports.folder, "there is no snapshot to send");
    const pin = this.#pins.hold(newest.at, newest.name);
    const { folder } = this.#ports;
    return {
      at: newest.at,
      checksum: newest.checksum,
      chunks: readWhole(this.#ports, join(folder, newest.name)),
      release: () => pin.release(),
    };
  }

  /** Begins a snapshot of our own tree at `at`; one at a time. `checksum`: the log's running checksum there. */
  async beginSnapshot(at: Zxid, checksum: number): Promise<SnapshotFile> {
    assert(this.#writing === undefined && !this.#beginning, "one snapshot is written at a time");
    assert(at > this.#state.snapshot, "a snapshot is newer than the one before it");
    this.#beginning = true;
    const journal = this.#journal;
    const name = snapshotName({ at, lineage: journal.lineage });
    const ended = (): void => {
      this.#writing = undefined;
    };
    const named = (bytes: number): Promise<boolean> =>
      this.#queue.run(async () => {
        if (this.#journal !== journal || at <= this.#state.snapshot) return false;
        await this.#nameSnapshot({ name, at, checksum, bytes });
        return true;
      });
    try {
      this.#writing = await SnapshotWriter.create(this.#ports, name, { at, checksum }, named, ended);
      return this.#writing;
    } catch (error) {
      throw asStorageError(error);
    } finally {
      this.#beginning = false;
    }
  }

  async #nameSnapshot(info: SnapshotInfo): Promise<void> {
    const all = [info.name, ...this.#state.snapshotFiles];
    const kept = all.filter((name, index) => index < this.#ports.limits.keptSnapshots || this.#pins.holds(name));
    await this.#save({ ...this.#state, snapshot: info.at, snapshotFiles: kept });
    this.#newest = info;
    for (const name of all) if (!kept.includes(name)) await this.#remove(name);
  }

  /**
   * Lets log before `floor` go, as far as nobody needs it: the oldest snapshot that is kept, a transfer under way and
   * what is not committed hold it back. Returns where the log begins now.
   */
  prune(floor: Zxid): Promise<Zxid> {
    return this.#queue.run(async () => {
      const oldest = this.#state.snapshotFiles.at(-1);
      const snapshot = oldest === undefined ? zeroZxid : (parseSnapshotName(oldest)?.at ?? zeroZxid);
      const needed = Math.min(floor, snapshot, this.#committed, this.#pins.floor()) as Zxid;
      const first = this.#journal.firstAfter(needed);
      if (first.name !== this.#state.firstSegment) {
        await this.#save({ ...this.#state, firstSegment: first.name });
        await this.#journal.dropBefore(first);
      }
      return this.#journal.base;
    });
  }

  /** Resolves when everything that was asked for until now is written; rejects when the disk has failed. */
  barrier(): Promise<void> {
    return this.#queue.barrier();
  }

  /** The commit index: a segment is closed for good only when it has passed its end. */
  committed(index: Zxid): void {
    if (index > this.#committed) this.#committed = index;
  }

  logBytesAfter(zxid: Zxid): number {
    return this.#journal.bytesAfter(zxid);
  }

  /** Age of the oldest write that is not durable: what a disk that hangs shows. */
  oldestWriteMillis(): number {
    return this.#queue.oldestMillis();
  }

  /** The disk is behind: no more is to be taken in before it is through with what waits. */
  congested(): boolean {
    return this.#queue.waitingBytes >= this.#ports.limits.queueSoftBytes;
  }

  freeBytes(): Promise<number> {
    return this.#space.measure();
  }

  diskReserveReached(): boolean {
    return this.#space.isLow();
  }

  stats(): StorageStats {
    const { segments } = this.#journal;
    let logBytes = 0;
    for (const segment of segments) logBytes += segment.bytes;
    return {
      ...this.#ports.counters,
      segments: segments.length,
      sealedSegments: segments.slice(0, -1).filter((segment) => segment.end <= this.#committed).length,
      logBytes,
      waitingWrites: this.#queue.waiting,
      waitingBytes: this.#queue.waitingBytes,
      oldestWriteMillis: this.#queue.oldestMillis(),
      stateWrites: this.#stateWrites,
      freeBytes: this.#space.last,
    };
  }

  /** Waits for what was asked for, then lets the files and the lock go. After a failure it only lets go. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#queue.barrier().catch(() => undefined);
    this.#queue.stop(new StorageError(this.#ports.folder, "the storage is closed"));
    await this.#writing?.abort().catch(() => undefined);
    await this.#staging?.close().catch(() => undefined);
    await this.#journal.close().catch(() => undefined);
    await this.#lock.release();
  }
}

interface OpenStart {
  readonly state: StoredState;
  readonly journal: Journal;
  readonly newest: SnapshotInfo | undefined;
  readonly applied: Zxid;
  readonly freeBytes: number;
}

async function openLocked(
  ports: JournalPorts,
  create: Create | undefined,
  make: (start: OpenStart) => Storage,
): Promise<{ storage: Storage; recovered: Recovered }> {
  const { state, files, setAside, notes } = await openFolder(ports, create);
  const { history, snapshot } = files;
  const journal = new Journal(ports, files.journal);
  const [name] = state.snapshotFiles;
  const newest = name === undefined ? undefined : { name, at: snapshot, ...files.newest };
  const freeBytes = await ports.disk.freeBytes(ports.folder);
  const storage = make({ state, journal, newest, applied: history.applied, freeBytes });
  return { storage, recovered: { state, history, snapshot, setAside, notes } };
}
