/**
 * How a batch lies on disk and on the wire: a header of fixed size, then the payload as it is. Pure; knows no files.
 *
 * Little-endian: magic with version 4, payload length 4, first 8, last 8, previous 8, commit 8, stamp 8 (float64),
 * rules 4, running checksum 4, CRC32 of the payload 4, fence 4, CRC32 of all header bytes before it 4.
 *
 * The fence is the disk's alone (0 on the wire): how many bytes of the segment were already fsynced when the record was
 * written. It makes the end of a log decidable after a crash: what lies behind the last good record's fence may have
 * been lost by a failed fsync and is written again; a bad record with a good one behind it is corruption if that one's
 * fence lies behind the bad one (it had been durable), and a torn write if both belong to the same one.
 */
import { crc32 } from "node:zlib";
import { assert, type Batch, epochOf, type Zxid } from "@quorate/api";
import { recordPayloadBytes } from "./limits.ts";

export const recordHeaderBytes = 68;
/** "QRB1": the last character is the version. */
export const recordMagic = 0x31425251;

const two32 = 2 ** 32;
const highLimit = 2 ** 21;

export interface Decoded {
  readonly batch: Batch;
  /** Where the next record begins. */
  readonly next: number;
  readonly fence: number;
  /** CRC32 of the payload, verified: spares the running checksum a second pass over it. */
  readonly payloadCrc: number;
}

/** The header alone; the payload follows it as it is. */
export function encodeBatchHeader(batch: Batch): Uint8Array {
  const bytes = new Uint8Array(recordHeaderBytes);
  writeBatchHeader(bytes, new DataView(bytes.buffer), 0, batch, crc32(batch.payload), 0);
  return bytes;
}

/** Writes the header at `offset` of `bytes` (`view` is the same memory): for groups, which share one piece. */
export function writeBatchHeader(
  bytes: Uint8Array,
  view: DataView,
  offset: number,
  batch: Batch,
  payloadCrc: number,
  fence: number,
): void {
  assert(batch.payload.length <= recordPayloadBytes, "a batch's payload is below its limit");
  assert(isSound(batch.first, batch.last, batch.previous, batch.commit), "a batch's zxids are in order");
  view.setUint32(offset, recordMagic, true);
  view.setUint32(offset + 4, batch.payload.length, true);
  putZxid(view, offset + 8, batch.first);
  putZxid(view, offset + 16, batch.last);
  putZxid(view, offset + 24, batch.previous);
  putZxid(view, offset + 32, batch.commit);
  view.setFloat64(offset + 40, batch.stamp, true);
  view.setUint32(offset + 48, batch.rules, true);
  view.setUint32(offset + 52, batch.checksum, true);
  view.setUint32(offset + 56, payloadCrc, true);
  view.setUint32(offset + 60, fence, true);
  view.setUint32(offset + 64, crc32(bytes.subarray(offset, offset + 64)), true);
}

/**
 * Reads the record at `offset`. "torn": the bytes end before the record does. "corrupt": these bytes are no record.
 * The payload is a view of `bytes`.
 */
export function decodeBatch(bytes: Uint8Array, offset: number): Decoded | "torn" | "corrupt" {
  return decodeRecord(bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset);
}

/** `decodeBatch` for loops: the view is made once. */
export function decodeRecord(bytes: Uint8Array, view: DataView, offset: number): Decoded | "torn" | "corrupt" {
  const length = recordLength(bytes, view, offset);
  if (typeof length === "string") return length;
  const first = getZxid(view, offset + 8);
  const last = getZxid(view, offset + 16);
  const previous = getZxid(view, offset + 24);
  const commit = getZxid(view, offset + 32);
  const stamp = view.getFloat64(offset + 40, true);
  if (first === undefined || last === undefined || previous === undefined || commit === undefined) return "corrupt";
  if (!isSound(first, last, previous, commit) || !Number.isFinite(stamp)) return "corrupt";
  const next = offset + length;
  if (next > bytes.length) return "torn";
  const payload = bytes.subarray(offset + recordHeaderBytes, next);
  const payloadCrc = crc32(payload);
  if (payloadCrc !== view.getUint32(offset + 56, true)) return "corrupt";
  const rules = view.getUint32(offset + 48, true);
  const checksum = view.getUint32(offset + 52, true);
  const batch = { first, last, previous, commit, stamp, rules, checksum, payload };
  return { batch, next, fence: view.getUint32(offset + 60, true), payloadCrc };
}

/** Bytes of the record whose header stands at `offset`, judged by the header alone. */
export function recordLength(bytes: Uint8Array, view: DataView, offset: number): number | "torn" | "corrupt" {
  if (offset + 4 <= bytes.length && view.getUint32(offset, true) !== recordMagic) return "corrupt";
  if (offset + recordHeaderBytes > bytes.length) return "torn";
  if (crc32(bytes.subarray(offset, offset + 64)) !== view.getUint32(offset + 64, true)) return "corrupt";
  const length = view.getUint32(offset + 4, true);
  return length > recordPayloadBytes ? "corrupt" : recordHeaderBytes + length;
}

/** What the running checksum covers: all that every replica has the same of (so neither commit index nor fence). */
export type ChecksumFields = Pick<Batch, "first" | "last" | "previous" | "stamp" | "rules" | "payload">;

/** The running checksum of the log up to and with a batch; 0 before the first of all. */
export function runningChecksum(previousChecksum: number, fields: ChecksumFields): number {
  return chainChecksum(previousChecksum, fields, crc32(fields.payload));
}

const link = new Uint8Array(44);
const linkView = new DataView(link.buffer);

/** `runningChecksum` where the payload's CRC32 is known. */
export function chainChecksum(previousChecksum: number, fields: ChecksumFields, payloadCrc: number): number {
  linkView.setUint32(0, previousChecksum, true);
  putZxid(linkView, 4, fields.first);
  putZxid(linkView, 12, fields.last);
  putZxid(linkView, 20, fields.previous);
  linkView.setFloat64(28, fields.stamp, true);
  linkView.setUint32(36, fields.rules, true);
  linkView.setUint32(40, payloadCrc, true);
  return crc32(link);
}

function isSound(first: Zxid, last: Zxid, previous: Zxid, commit: Zxid): boolean {
  return first > 0 && first <= last && previous < first && commit < first && epochOf(first) === epochOf(last);
}

function putZxid(view: DataView, offset: number, zxid: number): void {
  const high = Math.floor(zxid / two32);
  view.setUint32(offset, zxid - high * two32, true);
  view.setUint32(offset + 4, high, true);
}

function getZxid(view: DataView, offset: number): Zxid | undefined {
  const high = view.getUint32(offset + 4, true);
  return high < highLimit ? ((high * two32 + view.getUint32(offset, true)) as Zxid) : undefined;
}
