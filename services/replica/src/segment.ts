/**
 * One segment of the log: a header that says where it begins, then records. Reading only; `journal.ts` writes.
 * The header, 32 bytes little-endian: magic with version 4, lineage 4, base zxid 8, running checksum at the base 4,
 * zeros 8, CRC32 of the bytes before it 4.
 */
import { crc32 } from "node:zlib";
import { asZxid, type Batch, counterLimit, type Zxid } from "@quorate/api";
import { type Decoded, decodeRecord, recordHeaderBytes, recordLength, recordMagic } from "./record.ts";
import type { DiskFile } from "./world.ts";

export const segmentHeaderBytes = 32;
/** "QSG1": the last character is the version. */
const segmentMagic = 0x31475351;

export interface SegmentHeader {
  readonly lineage: number;
  readonly base: Zxid;
  /** Running checksum of the log at `base`. */
  readonly checksum: number;
}

export function encodeSegmentHeader(header: SegmentHeader): Uint8Array {
  const bytes = new Uint8Array(segmentHeaderBytes);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, segmentMagic, true);
  view.setUint32(4, header.lineage, true);
  view.setUint32(8, header.base % counterLimit, true);
  view.setUint32(12, Math.floor(header.base / counterLimit), true);
  view.setUint32(16, header.checksum, true);
  view.setUint32(28, crc32(bytes.subarray(0, 28)), true);
  return bytes;
}

/** Undefined when the bytes are no header. */
export function decodeSegmentHeader(bytes: Uint8Array): SegmentHeader | undefined {
  if (bytes.length < segmentHeaderBytes) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0, true) !== segmentMagic) return undefined;
  if (view.getUint32(28, true) !== crc32(bytes.subarray(0, 28))) return undefined;
  const base = view.getUint32(12, true) * counterLimit + view.getUint32(8, true);
  if (!Number.isSafeInteger(base)) return undefined;
  return {
    lineage: view.getUint32(4, true),
    base: asZxid(base),
    checksum: view.getUint32(16, true),
  };
}

/** What one read yields: whole records, in order. */
export interface RecordPage {
  readonly records: readonly Decoded[];
  /** Offset in the file of the page's first byte: `next` of a record counts from there. */
  readonly offset: number;
}

/** How the reading of a segment ended: `bad` undefined when its records fill the file to `end`. */
export interface SegmentEnd {
  readonly end: number;
  readonly bad: "torn" | "corrupt" | undefined;
}

/**
 * The records from offset `from` to `size`, a page at a time; ends at the first that is not whole. Payloads are views of
 * the page's memory, so that nothing is copied and a page lives as long as a batch of it does.
 */
export async function* readRecords(
  file: DiskFile,
  from: number,
  size: number,
  pageBytes: number,
): AsyncGenerator<RecordPage, SegmentEnd> {
  let offset = from;
  let wanted = pageBytes;
  while (offset < size) {
    const bytes = await file.read(offset, Math.min(wanted, size - offset));
    const page = decodePage(bytes);
    if (page.records.length > 0) yield { records: page.records, offset };
    offset += page.end;
    if (page.stop === undefined) {
      wanted = pageBytes;
      continue;
    }
    const whole = offset - page.end + bytes.length >= size;
    if (page.stop === "corrupt" || whole || bytes.length === 0) return { end: offset, bad: page.stop };
    wanted = Math.max(pageBytes, page.needed);
  }
  return { end: offset, bad: undefined };
}

interface DecodedPage {
  readonly records: readonly Decoded[];
  readonly end: number;
  readonly stop: "torn" | "corrupt" | undefined;
  /** Bytes that the record at `end` needs, when that is known. */
  readonly needed: number;
}

function decodePage(bytes: Uint8Array): DecodedPage {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const records: Decoded[] = [];
  let at = 0;
  while (at < bytes.length) {
    const decoded = decodeRecord(bytes, view, at);
    if (typeof decoded === "string") {
      const length = recordLength(bytes, view, at);
      return {
        records,
        end: at,
        stop: decoded,
        needed: typeof length === "number" ? length : recordHeaderBytes,
      };
    }
    records.push(decoded);
    at = decoded.next;
  }
  return { records, end: at, stop: undefined, needed: 0 };
}

/** The batches of a page that lie in (after, through]. */
export function batchesWithin(page: RecordPage, after: Zxid, through: Zxid): Batch[] {
  const batches: Batch[] = [];
  for (const { batch } of page.records) {
    if (batch.last > after && batch.first <= through) batches.push(batch);
  }
  return batches;
}

/**
 * Whether behind the bad record at `bad` lies a good one that was written after the bad one had been fsynced (its fence
 * lies behind it). Then the bad one was durable once and this is corruption; otherwise it is a torn write.
 * A bad payload behind a good header is stepped over, so that no client's bytes are taken for a record.
 */
export function isDurableBehind(bytes: Uint8Array, bytesOffset: number, bad: number): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const haystack = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const needle = Buffer.from(Uint8Array.of(recordMagic, recordMagic >> 8, recordMagic >> 16, recordMagic >>> 24));
  const skipped = recordLength(bytes, view, bad - bytesOffset);
  let at = bad - bytesOffset + (typeof skipped === "number" ? skipped : 1);
  while (at < bytes.length) {
    at = haystack.indexOf(needle, at);
    if (at < 0) return false;
    const decoded = decodeRecord(bytes, view, at);
    if (typeof decoded === "string") at += 1;
    else if (decoded.fence > bad && decoded.fence <= bytesOffset + at) return true;
    else at = decoded.next;
  }
  return false;
}
