/** The bytes of listings: both operations behind their tags, and the page behind its own. */
import type { ByteReader, ByteWriter } from "./bytes.ts";
import { limits } from "./limits.ts";
import type { TreeEntry, TreeOperation, TreePageOperation, TreePageResult } from "./listing.ts";
import { readPath, readStat, readZxid, writeStat } from "./node-codec.ts";

export function writeTree(w: ByteWriter, operation: TreeOperation): void {
  const { listing, path, depth, withData } = operation;
  w.f53(listing);
  w.string(path);
  w.u8((withData ? 1 : 0) | (depth === undefined ? 0 : 2));
  if (depth !== undefined) w.u32(depth);
}

export function readTree(r: ByteReader): TreeOperation {
  const listing = r.f53();
  const path = readPath(r);
  const flags = r.flags(3);
  const base = { kind: "tree", listing, path, withData: (flags & 1) !== 0 } as const;
  return flags & 2 ? { ...base, depth: r.u32() } : base;
}

export function writeTreePage(w: ByteWriter, operation: TreePageOperation): void {
  w.f53(operation.listing);
  w.f53(operation.at);
  w.f53(operation.page);
  w.bool(operation.end);
}

export function readTreePage(r: ByteReader): TreePageOperation {
  return { kind: "treePage", listing: r.f53(), at: readZxid(r), page: r.f53(), end: r.bool() };
}

export function writeTreePageResult(w: ByteWriter, result: TreePageResult): void {
  w.f53(result.at);
  w.bool(result.more);
  w.u32(result.entries.length);
  for (const { path, stat, data } of result.entries) {
    w.bool(data !== undefined);
    w.string(path);
    writeStat(w, stat);
    if (data !== undefined) w.bytes(data);
  }
}

export function readTreePageResult(r: ByteReader): TreePageResult {
  const at = readZxid(r);
  const more = r.bool();
  const entries: TreeEntry[] = [];
  const count = r.count(limits.pageNames, 6);
  for (let i = 0; i < count && !r.failed; i++) {
    const withData = r.bool();
    const entry = { path: readPath(r), stat: readStat(r) };
    entries.push(withData ? { ...entry, data: r.bytes(limits.dataBytes) } : entry);
  }
  return { kind: "treePage", at, entries, more };
}
