/**
 * Reads a folder's log and snapshots as the state file names them, cuts what a crash tore, and writes the tail again:
 * after a failed fsync the page cache holds what the disk does not. Throws CorruptionError for what was durable once
 * and is not what was written.
 */
import { join } from "node:path";
import { formatZxid, type Zxid, zeroZxid } from "@quorate/api";
import type { RecoveredHistory } from "@quorate/zab";
import { logName, parseLogName, parseSnapshotName } from "./file-names.ts";
import { createSegment, type JournalPorts, type JournalStart, type SegmentInfo } from "./journal.ts";
import { LogScan } from "./log-scan.ts";
import {
  decodeSegmentHeader,
  isDurableBehind,
  readRecords,
  type SegmentEnd,
  type SegmentHeader,
  segmentHeaderBytes,
} from "./segment.ts";
import { type CheckedSnapshot, checkSnapshotFile } from "./snapshots.ts";
import type { StoredState } from "./state-file.ts";
import { CorruptionError } from "./storage-error.ts";
import type { DiskFile } from "./world.ts";

export interface RecoveredFiles {
  readonly history: RecoveredHistory;
  readonly journal: JournalStart;
  readonly snapshot: Zxid;
  /** The snapshots that read, newest first. */
  readonly snapshotFiles: readonly string[];
  /** Of the newest one. */
  readonly newest: CheckedSnapshot;
  /** For people: what was cut or left out. */
  readonly notes: readonly string[];
}

interface FoundSnapshot {
  readonly at: Zxid;
  readonly newest: CheckedSnapshot;
  readonly files: readonly string[];
}

interface Opened {
  readonly name: string;
  readonly path: string;
  readonly file: DiskFile;
  readonly size: number;
}

export async function recoverFiles(ports: JournalPorts, state: StoredState): Promise<RecoveredFiles> {
  const recovery = new Recovery(ports, state);
  try {
    return await recovery.run();
  } catch (error) {
    await recovery.release();
    throw error;
  }
}

class Recovery {
  readonly #ports: JournalPorts;
  readonly #state: StoredState;
  readonly #first: { readonly base: Zxid; readonly lineage: number };
  readonly #notes: string[] = [];
  readonly #segments: SegmentInfo[] = [];
  #scan: LogScan | undefined;
  readonly #open: Set<DiskFile> = new Set();
  /** The fence of the last good record in the segment that is read. */
  #fence = 0;

  constructor(ports: JournalPorts, state: StoredState) {
    this.#ports = ports;
    this.#state = state;
    const first = parseLogName(state.firstSegment);
    if (first === undefined) throw new CorruptionError(state.firstSegment, "is no name of a segment");
    this.#first = first;
  }

  /** Closes what a failure left open. */
  async release(): Promise<void> {
    for (const file of this.#open) await file.close();
  }

  async run(): Promise<RecoveredFiles> {
    const snapshot = await this.#snapshot();
    const names = await this.#segmentNames();
    let tail: Opened | undefined;
    for (const [index, name] of names.entries()) {
      const isLast = index === names.length - 1;
      const opened = await this.#openSegment(name, isLast);
      const kept = await this.#readSegment(opened, snapshot.at, isLast);
      if (isLast && kept) tail = opened;
      else await this.#close(opened.file);
    }
    const file = tail?.file ?? (await this.#reopenTail());
    const scan = this.#scan as LogScan;
    await this.#writeAgain(file);
    this.#checkSnapshotInLog(scan, snapshot);
    return {
      history: scan.history(),
      journal: {
        lineage: this.#first.lineage,
        segments: this.#segments,
        file,
        last: scan.last,
        checksum: scan.checksum,
      },
      snapshot: snapshot.at,
      snapshotFiles: snapshot.files,
      newest: snapshot.newest,
      notes: this.#notes,
    };
  }

  /** The newest snapshot that reads. An older one serves where the log reaches back to it. */
  async #snapshot(): Promise<FoundSnapshot> {
    const { snapshotFiles } = this.#state;
    for (const [index, name] of snapshotFiles.entries()) {
      const at = parseSnapshotName(name)?.at ?? zeroZxid;
      if (at < this.#first.base) break;
      const header = await this.#checkSnapshot(name, at);
      if (typeof header !== "string") return { at, newest: header, files: snapshotFiles.slice(index) };
      this.#notes.push(`${name} ${header}: left out`);
    }
    if (snapshotFiles.length === 0 || this.#first.base === 0)
      return { at: zeroZxid, newest: { checksum: 0, bytes: 0 }, files: [] };
    throw new CorruptionError(join(this.#ports.folder, snapshotFiles[0] as string), this.#notes.join("; "));
  }

  async #checkSnapshot(name: string, at: Zxid): Promise<CheckedSnapshot | string> {
    if (!(await this.#ports.disk.exists(join(this.#ports.folder, name)))) return "is missing";
    return await checkSnapshotFile(this.#ports, name, at);
  }

  #checkSnapshotInLog(scan: LogScan, snapshot: FoundSnapshot): void {
    const file = join(this.#ports.folder, (this.#segments.at(-1) as SegmentInfo).name);
    if (scan.snapshotChecksum === undefined) {
      throw new CorruptionError(
        file,
        `the log ends or steps over ${formatZxid(snapshot.at)}, where the snapshot stands`,
      );
    }
    if (scan.snapshotChecksum !== snapshot.newest.checksum) {
      throw new CorruptionError(file, `the log is another at ${formatZxid(snapshot.at)} than the snapshot says`);
    }
  }

  /** The segments that count, in order. A replica that has promised nothing yet may have died before it made its first. */
  async #segmentNames(): Promise<string[]> {
    const { disk, folder } = this.#ports;
    const { base, lineage } = this.#first;
    const parsed = (await disk.list(folder)).map(parseLogName).filter((name) => name !== undefined);
    const counting = parsed.filter((name) => name.lineage === lineage && name.base >= base);
    counting.sort((one, other) => one.base - other.base);
    if (counting[0]?.base === base) return counting.map(logName);
    if (counting.length > 0 || !isUnborn(this.#state)) {
      throw new CorruptionError(join(folder, this.#state.firstSegment), "is missing");
    }
    await (await createSegment(this.#ports, lineage, base, 0)).file.close();
    return [this.#state.firstSegment];
  }

  async #openSegment(name: string, isLast: boolean): Promise<Opened> {
    const path = join(this.#ports.folder, name);
    const file = await this.#ports.disk.open(path, isLast ? "write" : "read");
    this.#open.add(file);
    return { name, path, file, size: await file.size() };
  }

  async #close(file: DiskFile): Promise<void> {
    this.#open.delete(file);
    await file.close();
  }

  /** Reads one segment into the scan; false if it is the last and died before it held anything. */
  async #readSegment(opened: Opened, snapshot: Zxid, isLast: boolean): Promise<boolean> {
    const header = await this.#readHeader(opened, isLast);
    if (header === undefined) return false;
    this.#scan ??= new LogScan(header.base, header.checksum, snapshot);
    const scan = this.#scan;
    if (header.base !== scan.last || header.checksum !== scan.checksum) {
      throw new CorruptionError(opened.path, `begins behind ${formatZxid(header.base)}, not where the log stands`);
    }
    this.#fence = 0;
    const ended = await this.#readBatches(opened, scan);
    if (ended.bad !== undefined) await this.#cut(opened, ended, isLast);
    this.#segments.push({
      name: opened.name,
      base: header.base,
      checksum: header.checksum,
      bornMillis: this.#ports.clock.now(),
      bytes: ended.end,
      end: scan.last,
    });
    return true;
  }

  async #readHeader(opened: Opened, isLast: boolean): Promise<SegmentHeader | undefined> {
    const header = decodeSegmentHeader(await opened.file.read(0, segmentHeaderBytes));
    const name = parseLogName(opened.name);
    if (header !== undefined && header.base === name?.base && header.lineage === name.lineage) return header;
    const whole = await opened.file.read(0, opened.size);
    const isFirst = opened.name === this.#state.firstSegment;
    const torn = header === undefined && isLast && !isDurableBehind(whole, 0, 0);
    if (!torn || (isFirst && !isUnborn(this.#state))) throw new CorruptionError(opened.path, "has a wrong header");
    this.#notes.push(`${opened.name} was not finished: removed`);
    await this.#ports.disk.remove(opened.path);
    await this.#ports.disk.syncFolder(this.#ports.folder);
    return undefined;
  }

  async #readBatches(opened: Opened, scan: LogScan): Promise<SegmentEnd> {
    const pages = readRecords(opened.file, segmentHeaderBytes, opened.size, this.#ports.limits.readBytes);
    for (;;) {
      const step = await pages.next();
      if (step.done === true) return step.value;
      for (const record of step.value.records) {
        const wrong = scan.add(record);
        if (wrong !== undefined) throw new CorruptionError(opened.path, `${formatZxid(record.batch.first)} ${wrong}`);
        this.#fence = record.fence;
      }
    }
  }

  /**
   * The zeros that the file was grown by, and a torn write at the log's very end, go; anything else that does not read is
   * corruption. In a segment that is not the last there are zeros if the crash came between its last record and its closing;
   * that no record was lost before them is what the next one begins with.
   */
  async #cut(opened: Opened, ended: SegmentEnd, isLast: boolean): Promise<void> {
    const why = `has a record at ${ended.end} that does not read`;
    const rest = await opened.file.read(ended.end, opened.size - ended.end);
    if (ended.end >= this.#fence && isZero(rest)) {
      if (isLast) await opened.file.truncate(ended.end);
      return;
    }
    if (!isLast) throw new CorruptionError(opened.path, `${why}, and the log goes on in the next segment`);
    if (ended.end < this.#fence || isDurableBehind(rest, ended.end, ended.end)) {
      throw new CorruptionError(opened.path, `${why}, and good ones behind it`);
    }
    this.#notes.push(`${opened.name}: ${opened.size - ended.end} torn bytes cut at ${ended.end}`);
    await opened.file.truncate(ended.end);
  }

  /** When the last segment was removed, the one before it goes on; the very first is made anew. */
  async #reopenTail(): Promise<DiskFile> {
    const segment = this.#segments.at(-1);
    if (segment !== undefined) {
      this.#fence = segmentHeaderBytes;
      const file = await this.#ports.disk.open(join(this.#ports.folder, segment.name), "write");
      this.#open.add(file);
      return file;
    }
    const made = await createSegment(this.#ports, this.#first.lineage, this.#first.base, 0);
    this.#scan = new LogScan(this.#first.base, 0, zeroZxid);
    this.#segments.push(made.segment);
    return made.file;
  }

  /** What no later record proves to have been fsynced: the last group, or a header alone. */
  async #writeAgain(file: DiskFile): Promise<void> {
    const { bytes } = this.#segments.at(-1) as SegmentInfo;
    const { readBytes } = this.#ports.limits;
    for (let offset = this.#fence; offset < bytes; offset += readBytes) {
      const piece = await file.read(offset, Math.min(readBytes, bytes - offset));
      await file.write([piece], offset);
    }
    await file.sync();
    await this.#ports.disk.syncFolder(this.#ports.folder);
  }
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

/** Nothing was promised and nothing learned: the folder may have died while it was made. */
function isUnborn(state: StoredState): boolean {
  const { ensembleId, acceptedEpoch, currentEpoch } = state.protocol;
  return state.snapshot === 0 && ensembleId === "" && acceptedEpoch === 0 && currentEpoch === 0;
}
