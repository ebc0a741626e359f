/**
 * The live log: a chain of segments, appended to with one write and one fsync for each group, cut, pruned and read.
 * Knows nothing of tickets, order among effects or the state file: `storage.ts` calls one thing at a time.
 *
 * The last segment's file is longer than its records: a write that goes beyond the file's end puts zeros behind them, and those
 * that follow lie in what is there already. So an fsync need not wait for the file system's own log, which all that is written on
 * that disk shares. A closed segment ends with its last record.
 */
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { assert, type Batch, formatZxid, type Zxid } from "@quorate/api";
import { logName } from "./file-names.ts";
import type { StorageLimits } from "./limits.ts";
import { chainChecksum, recordHeaderBytes, writeBatchHeader } from "./record.ts";
import { batchesWithin, encodeSegmentHeader, type RecordPage, readRecords, segmentHeaderBytes } from "./segment.ts";
import type { Spread } from "./spread.ts";
import { CorruptionError, StorageError } from "./storage-error.ts";
import type { Clock, Disk, DiskFile } from "./world.ts";

export interface SegmentInfo {
  readonly name: string;
  /** The position that it begins behind, and the running checksum there. */
  readonly base: Zxid;
  readonly checksum: number;
  readonly bornMillis: number;
  /** Durable bytes, the header among them. */
  bytes: number;
  /** Position of its last durable batch; `base` while it is empty. */
  end: Zxid;
}

export interface JournalCounters {
  writes: number;
  batches: number;
  bytes: number;
  /** Milliseconds that each fsync took. */
  readonly syncs: Spread;
}

export interface JournalPorts {
  readonly folder: string;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly limits: StorageLimits;
  readonly counters: JournalCounters;
}

/** Where a recovered log goes on. */
export interface JournalStart {
  readonly lineage: number;
  readonly segments: readonly SegmentInfo[];
  readonly file: DiskFile;
  readonly last: Zxid;
  readonly checksum: number;
}

export class Journal {
  readonly lineage: number;
  readonly #ports: JournalPorts;
  #segments: SegmentInfo[];
  /** Of the last segment. */
  #file: DiskFile;
  #last: Zxid;
  #checksum: number;
  /** Size of its file, as far as it is known: zeros lie behind the last record. */
  #fileBytes: number;
  /** Raised when something that a reader may be reading goes away. */
  #cuts = 0;

  constructor(ports: JournalPorts, start: JournalStart) {
    assert(start.segments.length > 0, "a log has a segment");
    this.lineage = start.lineage;
    this.#ports = ports;
    this.#segments = [...start.segments];
    this.#file = start.file;
    this.#last = start.last;
    this.#checksum = start.checksum;
    this.#fileBytes = this.#tail.bytes;
  }

  /** A new log behind `base`: its first segment is durable when this resolves. */
  static async create(ports: JournalPorts, lineage: number, base: Zxid, checksum: number): Promise<Journal> {
    const { segment, file } = await createSegment(ports, lineage, base, checksum);
    return new Journal(ports, { lineage, segments: [segment], file, last: base, checksum });
  }

  get base(): Zxid {
    return this.#first.base;
  }

  /** Position of the last durable batch. */
  get last(): Zxid {
    return this.#last;
  }

  get checksum(): number {
    return this.#checksum;
  }

  get segments(): readonly SegmentInfo[] {
    return this.#segments;
  }

  get #first(): SegmentInfo {
    return this.#segments[0] as SegmentInfo;
  }

  get #tail(): SegmentInfo {
    return this.#segments.at(-1) as SegmentInfo;
  }

  /** Durable when it resolves: one write and one fsync for all of them. */
  async append(batches: readonly Batch[]): Promise<void> {
    if (batches.length === 0) return;
    if (this.#isFull()) await this.#beginSegment();
    const segment = this.#tail;
    const { parts, bytes } = this.#encode(batches, segment.bytes);
    const { counters, clock } = this.#ports;
    const fileBytes = this.#grow(parts, segment.bytes + bytes);
    const began = clock.now();
    await this.#file.writeDurably(parts, segment.bytes);
    const millis = clock.now() - began;
    counters.writes += 1;
    counters.batches += batches.length;
    counters.bytes += bytes;
    counters.syncs.observe(millis);
    segment.bytes += bytes;
    segment.end = this.#last;
    this.#fileBytes = fileBytes;
  }

  /** What the file has behind a write up to `end`; zeros are added to the write where it makes the file longer. */
  #grow(parts: Uint8Array[], end: number): number {
    if (end <= this.#fileBytes) return this.#fileBytes;
    const { growBytes, reserveBytes, segmentBytes } = this.#ports.limits;
    // Zeros may not be what a nearly full disk has no room for.
    const step = Math.max(1, Math.min(growBytes, reserveBytes));
    const wanted = Math.ceil(end / step) * step;
    const fileBytes = Math.max(end, Math.min(wanted, segmentBytes));
    if (fileBytes > end) parts.push(new Uint8Array(fileBytes - end));
    return fileBytes;
  }

  /** Headers and payloads in the order of the file; moves the log's end. */
  #encode(batches: readonly Batch[], fence: number): { parts: Uint8Array[]; bytes: number } {
    const headers = new Uint8Array(batches.length * recordHeaderBytes);
    const view = new DataView(headers.buffer);
    const parts: Uint8Array[] = [];
    let at = 0;
    let bytes = headers.length;
    for (const batch of batches) {
      const payloadCrc = crc32(batch.payload);
      assert(batch.previous === this.#last, `batch ${formatZxid(batch.first)} follows the log's end`);
      const checksum = chainChecksum(this.#checksum, batch, payloadCrc);
      assert(checksum === batch.checksum, `batch ${formatZxid(batch.first)} continues the running checksum`);
      writeBatchHeader(headers, view, at, batch, payloadCrc, fence);
      parts.push(headers.subarray(at, at + recordHeaderBytes));
      if (batch.payload.length > 0) parts.push(batch.payload);
      at += recordHeaderBytes;
      bytes += batch.payload.length;
      this.#last = batch.last;
      this.#checksum = checksum;
    }
    return { parts, bytes };
  }

  #isFull(): boolean {
    const { limits, clock } = this.#ports;
    if (this.#tail.end === this.#tail.base) return false;
    return this.#tail.bytes >= limits.segmentBytes || clock.now() - this.#tail.bornMillis >= limits.segmentMillis;
  }

  /** The one before is durable as a whole: only so does a record in the new one prove that it was. */
  async #beginSegment(): Promise<void> {
    const { segment, file } = await createSegment(this.#ports, this.lineage, this.#last, this.#checksum);
    if (this.#fileBytes > this.#tail.bytes) await this.#file.truncate(this.#tail.bytes);
    await this.#file.close();
    this.#file = file;
    this.#segments.push(segment);
    this.#fileBytes = segment.bytes;
  }

  /**
   * Cuts the log behind `to`, durably. Whole segments go newest first, each with its folder entry, so that a crash in
   * between leaves a log without a gap.
   */
  async truncate(to: Zxid): Promise<void> {
    assert(to >= this.base, "the log is not cut before its beginning");
    if (to >= this.#last) return;
    this.#cuts += 1;
    const { disk, folder } = this.#ports;
    while (this.#segments.length > 1 && this.#tail.base >= to) {
      const path = join(folder, this.#tail.name);
      await this.#file.close();
      await disk.remove(path);
      await disk.syncFolder(folder);
      this.#segments.pop();
      this.#file = await disk.open(join(folder, this.#tail.name), "write");
    }
    const segment = this.#tail;
    const end = await this.#find(segment, to);
    await this.#file.truncate(end.offset);
    await this.#file.sync();
    segment.bytes = end.offset;
    segment.end = to;
    this.#fileBytes = end.offset;
    this.#last = to;
    this.#checksum = end.checksum;
  }

  /** Offset behind the batch that ends at `to`, and the running checksum there. */
  async #find(segment: SegmentInfo, to: Zxid): Promise<{ offset: number; checksum: number }> {
    if (to === segment.base) return { offset: segmentHeaderBytes, checksum: segment.checksum };
    const pages = readRecords(this.#file, segmentHeaderBytes, segment.bytes, this.#ports.limits.readBytes);
    for await (const page of pages) {
      for (const { batch, next } of page.records) {
        if (batch.last === to) return { offset: page.offset + next, checksum: batch.checksum };
      }
    }
    throw new StorageError(this.#file.path, `has no batch that ends at ${formatZxid(to)}`);
  }

  /**
   * The batches in (after, through], from the files, checked. Both are batch ends that are durable. Fails when what it
   * reads is cut meanwhile; what is pruned is the caller's to hold back.
   */
  async *read(after: Zxid, through: Zxid): AsyncGenerator<readonly Batch[], void> {
    const cuts = this.#cuts;
    let last: Zxid | undefined;
    for (const segment of this.#segments.filter((each) => each.end > after && each.base < through)) {
      // Also what lies before `after` is checked: a batch that reads well may not be the one that was agreed on.
      if (last !== undefined && last !== segment.base) break;
      last = segment.base;
      let { checksum } = segment;
      for await (const page of this.#readSegment(segment, through)) {
        if (cuts !== this.#cuts) throw new StorageError(segment.name, "was cut while it was read");
        for (const { batch, payloadCrc } of page.records) {
          if (last >= through) break;
          const next = chainChecksum(checksum, batch, payloadCrc);
          if (batch.previous !== last || next !== batch.checksum) {
            throw new CorruptionError(segment.name, `has a batch that does not follow ${formatZxid(last)}`);
          }
          last = batch.last;
          checksum = next;
        }
        const batches = batchesWithin(page, after, through);
        if (batches.length > 0) yield batches;
      }
    }
    if ((last ?? after) === through) return;
    const why = `has no batches up to ${formatZxid(through)} that read`;
    throw cuts === this.#cuts ? new CorruptionError(this.#tail.name, why) : new StorageError(this.#tail.name, why);
  }

  async *#readSegment(segment: SegmentInfo, through: Zxid): AsyncGenerator<RecordPage, void> {
    const { disk, folder, limits } = this.#ports;
    const end = segment.bytes;
    const file = await disk.open(join(folder, segment.name), "read");
    try {
      for await (const page of readRecords(file, segmentHeaderBytes, end, limits.readBytes)) {
        yield page;
        if ((page.records.at(-1)?.batch.last ?? 0) >= through) return;
      }
    } finally {
      await file.close();
    }
  }

  /** The first segment that has to stay when the log after `floor` is kept. */
  firstAfter(floor: Zxid): SegmentInfo {
    let index = 0;
    while (index + 1 < this.#segments.length && (this.#segments[index + 1] as SegmentInfo).base <= floor) index += 1;
    return this.#segments[index] as SegmentInfo;
  }

  /** Removes the segments before `first`: the state file does not name them any more. */
  async dropBefore(first: SegmentInfo): Promise<void> {
    while (this.#first !== first) {
      const gone = this.#segments.shift() as SegmentInfo;
      await this.#ports.disk.remove(join(this.#ports.folder, gone.name));
    }
  }

  /** About how many bytes of log lie behind `zxid`. */
  bytesAfter(zxid: Zxid): number {
    let total = 0;
    for (const { base, end, bytes } of this.#segments) {
      if (end <= zxid) continue;
      const share = zxid <= base ? 1 : (end - zxid) / (end - base);
      total += Math.ceil((bytes - segmentHeaderBytes) * share);
    }
    return total;
  }

  /** Stops using the files. */
  async close(): Promise<void> {
    this.#cuts += 1;
    await this.#file.close();
  }
}

/** Header and folder entry are durable before anything in it can be acknowledged. */
export async function createSegment(
  ports: JournalPorts,
  lineage: number,
  base: Zxid,
  checksum: number,
): Promise<{ segment: SegmentInfo; file: DiskFile }> {
  const name = logName({ base, lineage });
  const file = await ports.disk.open(join(ports.folder, name), "create");
  await file.write([encodeSegmentHeader({ lineage, base, checksum })], 0);
  await file.sync();
  await ports.disk.syncFolder(ports.folder);
  const bornMillis = ports.clock.now();
  return {
    segment: { name, base, checksum, bornMillis, bytes: segmentHeaderBytes, end: base },
    file,
  };
}
