/**
 * The bytes of a snapshot file, which are also what a leader sends: header, pieces, end. Pure; knows no files and not
 * what the pieces mean.
 *
 * Header, 32 bytes: magic with version 4, zxid 8, running checksum of the log there 4, zeros 12, CRC32 4. A piece: its
 * length 4 (not 0), its CRC32 4, its bytes. The end: 0 in place of a length, then the number of pieces 4, the bytes of
 * content 8, the CRC32 over the pieces' CRC32s in order 4, and the CRC32 of these 4.
 */
import { crc32 } from "node:zlib";
import { assert, asZxid, counterLimit, type Zxid } from "@quorate/api";
import { snapshotPieceBytes } from "./limits.ts";

export const snapshotHeaderBytes = 32;
const pieceHeaderBytes = 8;
const endBytes = 24;
/** "QSN1": the last character is the version. */
const snapshotMagic = 0x314e5351;

export interface SnapshotHeader {
  readonly at: Zxid;
  readonly checksum: number;
}

export function encodeSnapshotHeader(header: SnapshotHeader): Uint8Array {
  const bytes = new Uint8Array(snapshotHeaderBytes);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, snapshotMagic, true);
  putLong(view, 4, header.at);
  view.setUint32(12, header.checksum, true);
  view.setUint32(28, crc32(bytes.subarray(0, 28)), true);
  return bytes;
}

/** Counts what goes into a file, for its end. */
export class SnapshotTally {
  pieces: number = 0;
  bytes: number = 0;
  chain: number = 0;
  readonly #scratch: Uint8Array = new Uint8Array(4);

  add(crc: number, length: number): void {
    this.pieces += 1;
    this.bytes += length;
    new DataView(this.#scratch.buffer).setUint32(0, crc, true);
    this.chain = crc32(this.#scratch, this.chain);
  }

  /** The header of the next piece, counted. */
  piece(content: Uint8Array): Uint8Array {
    assert(content.length > 0 && content.length <= snapshotPieceBytes, "a snapshot's piece is within its limit");
    const header = new Uint8Array(pieceHeaderBytes);
    const view = new DataView(header.buffer);
    const crc = crc32(content);
    view.setUint32(0, content.length, true);
    view.setUint32(4, crc, true);
    this.add(crc, content.length);
    return header;
  }

  end(): Uint8Array {
    const bytes = new Uint8Array(endBytes);
    const view = new DataView(bytes.buffer);
    view.setUint32(4, this.pieces, true);
    putLong(view, 8, this.bytes);
    view.setUint32(16, this.chain, true);
    view.setUint32(20, crc32(bytes.subarray(0, 20)), true);
    return bytes;
  }
}

/** What is wrong with a snapshot's bytes. */
export class SnapshotFormatError extends Error {
  override readonly name: string = "SnapshotFormatError";
}

/** Takes a snapshot's bytes in pieces of any size and gives its content back, checked. Throws SnapshotFormatError. */
export class SnapshotParser {
  #header: SnapshotHeader | undefined;
  #finished = false;
  /** Bytes that do not make a whole piece yet. */
  #rest: Uint8Array[] = [];
  #restBytes = 0;
  /** How many bytes are needed to go on. */
  #needed = snapshotHeaderBytes;
  readonly #tally = new SnapshotTally();

  get header(): SnapshotHeader | undefined {
    return this.#header;
  }

  /** The end was seen, and all that it says is true. */
  get finished(): boolean {
    return this.#finished;
  }

  /** The pieces of content that these bytes complete: views of `bytes` where they lie in it whole. */
  push(bytes: Uint8Array): Uint8Array[] {
    this.#rest.push(bytes);
    this.#restBytes += bytes.length;
    if (this.#restBytes < this.#needed) return [];
    const whole = this.#rest.length === 1 ? bytes : new Uint8Array(Buffer.concat(this.#rest, this.#restBytes));
    const pieces: Uint8Array[] = [];
    const used = this.#consume(whole, pieces);
    this.#rest = used < whole.length ? [whole.subarray(used)] : [];
    this.#restBytes = whole.length - used;
    return pieces;
  }

  /** After the last byte. */
  finish(): SnapshotHeader {
    if (!this.#finished || this.#header === undefined) throw new SnapshotFormatError("ends before its end");
    return this.#header;
  }

  #consume(bytes: Uint8Array, pieces: Uint8Array[]): number {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let at = 0;
    if (this.#header === undefined) {
      this.#header = decodeHeader(bytes, view);
      at = snapshotHeaderBytes;
      this.#needed = pieceHeaderBytes;
    }
    while (at < bytes.length) {
      if (this.#finished) throw new SnapshotFormatError("goes on behind its end");
      const used = this.#consumePiece(bytes, view, at, pieces);
      if (used === 0) break;
      at += used;
    }
    return at;
  }

  /** Bytes used by the piece (or end) at `at`; 0 when it is not whole yet. */
  #consumePiece(bytes: Uint8Array, view: DataView, at: number, pieces: Uint8Array[]): number {
    this.#needed = pieceHeaderBytes;
    if (at + pieceHeaderBytes > bytes.length) return 0;
    const length = view.getUint32(at, true);
    if (length > snapshotPieceBytes) throw new SnapshotFormatError(`has a piece of ${length} bytes`);
    this.#needed = length === 0 ? endBytes : pieceHeaderBytes + length;
    if (at + this.#needed > bytes.length) return 0;
    if (length === 0) {
      const end = this.#tally.end();
      if (Buffer.compare(end, bytes.subarray(at, at + endBytes)) !== 0)
        throw new SnapshotFormatError("has a wrong end");
      this.#finished = true;
      this.#needed = 1;
      return endBytes;
    }
    const content = bytes.subarray(at + pieceHeaderBytes, at + pieceHeaderBytes + length);
    const crc = view.getUint32(at + 4, true);
    if (crc32(content) !== crc)
      throw new SnapshotFormatError(`has a wrong checksum in piece ${this.#tally.pieces + 1}`);
    this.#tally.add(crc, length);
    pieces.push(content);
    const used = this.#needed;
    this.#needed = pieceHeaderBytes;
    return used;
  }
}

function decodeHeader(bytes: Uint8Array, view: DataView): SnapshotHeader {
  if (view.getUint32(0, true) !== snapshotMagic) throw new SnapshotFormatError("is no snapshot of this format");
  if (view.getUint32(28, true) !== crc32(bytes.subarray(0, 28))) throw new SnapshotFormatError("has a wrong header");
  const at = view.getUint32(8, true) * counterLimit + view.getUint32(4, true);
  if (!Number.isSafeInteger(at)) throw new SnapshotFormatError("has a wrong header");
  return { at: asZxid(at), checksum: view.getUint32(12, true) };
}

function putLong(view: DataView, offset: number, value: number): void {
  view.setUint32(offset, value % counterLimit, true);
  view.setUint32(offset + 4, Math.floor(value / counterLimit), true);
}
