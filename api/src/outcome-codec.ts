/**
 * The bytes of outcomes, on the streams to gateways and in the replicated memory of lanes and keys: flags, the zxid,
 * then the result (a tag and its fields) or the failure.
 */
import { assert, unreachable } from "./assert.ts";
import { ByteReader, ByteWriter } from "./bytes.ts";
import { type ErrorCode, errorCodes } from "./errors.ts";
import { limits } from "./limits.ts";
import { readTreePageResult, writeTreePageResult } from "./listing-codec.ts";
import {
  codecLimits,
  readAcl,
  readAuthIds,
  readName,
  readPath,
  readPrefix,
  readSessionId,
  readStat,
  readZxid,
  writeAcl,
  writeAuthIds,
  writeStat,
  writeTime,
} from "./node-codec.ts";
import type {
  ChildEntry,
  ChildrenResult,
  Failure,
  Outcome,
  Result,
  SessionInfo,
  SessionResult,
  TxnResult,
} from "./outcome.ts";
import type { Path } from "./path.ts";
import { readWatched, writeWatched } from "./watch-codec.ts";

/** Append only, never reused. 15 is `nullDataTag`. */
const resultTags = {
  node: 1,
  deleted: 2,
  data: 3,
  stat: 4,
  children: 5,
  acl: 6,
  checked: 7,
  txn: 8,
  session: 9,
  sessionInfo: 10,
  sessionList: 11,
  done: 12,
  watched: 13,
  treePage: 14,
} as const;
/** A `data` result whose data is ZooKeeper's null: its path and stat alone. */
const nullDataTag = 15;
const noData = new Uint8Array(0);
/** In the order of their numbers. */
const places = ["check", "then", "else"] as const;
const isOk = 1;
const hasReplayed = 2;
const isReplayed = 4;
const hasPath = 8;
const hasOp = 16;
const sessionInfoBytes = 37;

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

const numbers: ReadonlyMap<ErrorCode, number> = new Map(errorCodes.map((code, number) => [code, number]));

export function writeErrorCode(w: ByteWriter, code: ErrorCode): void {
  const number = numbers.get(code);
  assert(number !== undefined, "every error code has a number");
  w.u8(number);
}

export function readErrorCode(r: ByteReader): ErrorCode {
  const code = errorCodes[r.u8()];
  if (code === undefined) r.fail();
  return code ?? "internal";
}

const writer = new ByteWriter();

/** The bytes own their memory, since the replicated memory keeps some; to send only, use `writeOutcome`. */
export function encodeOutcome(outcome: Outcome): Uint8Array {
  writer.reset();
  writeOutcome(writer, outcome);
  return writer.finishOwn();
}

/** Undefined for anything that `encodeOutcome` would not write. Byte fields are views of `bytes`. */
export function decodeOutcome(bytes: Uint8Array): Outcome | undefined {
  const r = new ByteReader(bytes);
  const outcome = readOutcome(r);
  return r.finished ? outcome : undefined;
}

export function writeOutcome(w: ByteWriter, outcome: Outcome): void {
  const { replayed } = outcome;
  const flags = replayed === undefined ? 0 : replayed ? hasReplayed | isReplayed : hasReplayed;
  if (outcome.ok) {
    w.u8(flags | isOk);
    w.f53(outcome.zxid);
    writeResult(w, outcome.result);
    return;
  }
  const { path, op } = outcome;
  w.u8(flags | (path === undefined ? 0 : hasPath) | (op === undefined ? 0 : hasOp));
  w.f53(outcome.zxid);
  writeErrorCode(w, outcome.code);
  w.string(outcome.detail);
  if (path !== undefined) w.string(path);
  if (op === undefined) return;
  w.u8(places.indexOf(op.in));
  w.u32(op.index);
}

/** What it answers is good only if the reader has not failed. */
export function readOutcome(r: ByteReader): Outcome {
  const flags = r.flags(isOk | hasReplayed | isReplayed | hasPath | hasOp);
  if ((flags & (hasReplayed | isReplayed)) === isReplayed) r.fail();
  if ((flags & isOk) === 0) return readFailure(r, flags);
  if (flags & (hasPath | hasOp)) r.fail();
  const zxid = readZxid(r);
  const result = readResult(r, true);
  if ((flags & hasReplayed) === 0) return { ok: true, zxid, result };
  return { ok: true, zxid, result, replayed: (flags & isReplayed) !== 0 };
}

function readFailure(r: ByteReader, flags: number): Failure {
  const zxid = readZxid(r);
  const code = readErrorCode(r);
  const failure: Writable<Failure> = { ok: false, zxid, code, detail: r.string(codecLimits.detailBytes) };
  // The path of a failed creation may be a sequential prefix.
  if (flags & hasPath) failure.path = readPrefix(r);
  if (flags & hasOp) {
    const place = places[r.u8()];
    if (place === undefined) r.fail();
    failure.op = { in: place ?? "check", index: r.u32() };
  }
  if (flags & hasReplayed) failure.replayed = (flags & isReplayed) !== 0;
  return failure;
}

function writeResult(w: ByteWriter, result: Result): void {
  w.u8(result.kind === "data" && result.nullData ? nullDataTag : resultTags[result.kind]);
  switch (result.kind) {
    case "node":
      w.bool(result.created);
      w.string(result.path);
      writeStat(w, result.stat);
      break;
    case "deleted":
      w.string(result.path);
      w.u32(result.count);
      break;
    case "data":
      w.string(result.path);
      if (!result.nullData) w.bytes(result.data);
      writeStat(w, result.stat);
      break;
    case "stat":
      w.string(result.path);
      writeStat(w, result.stat);
      break;
    case "children":
      writeChildren(w, result);
      break;
    case "acl":
      w.string(result.path);
      writeAcl(w, result.acl);
      writeStat(w, result.stat);
      break;
    case "checked":
      w.string(result.path);
      break;
    case "txn":
      writeTxn(w, result);
      break;
    case "session":
      writeSession(w, result);
      break;
    case "sessionInfo":
      writeSessionInfo(w, result.info);
      writePaths(w, result.ephemerals);
      break;
    case "sessionList":
      w.bool(result.more);
      w.u32(result.sessions.length);
      for (const each of result.sessions) writeSessionInfo(w, each);
      break;
    case "watched":
      writeWatched(w, result);
      break;
    case "done":
      w.u32(result.count);
      break;
    case "treePage":
      writeTreePageResult(w, result);
      break;
    default:
      unreachable(result);
  }
}

function writeTxn(w: ByteWriter, result: TxnResult): void {
  w.bool(result.branch === "else");
  w.u32(result.results.length);
  for (const each of result.results) {
    assert(each.kind !== "txn", "a txn has no other in it");
    writeResult(w, each);
  }
}

function writeSession(w: ByteWriter, result: SessionResult): void {
  w.f53(result.session);
  w.u32(result.timeoutMillis);
  w.u32(result.attachment);
  w.f53(result.lastSequence);
}

function writePaths(w: ByteWriter, paths: readonly Path[]): void {
  w.u32(paths.length);
  for (const each of paths) w.string(each);
}

const failed: Result = { kind: "done", count: 0 };

function readResult(r: ByteReader, mayBeTxn: boolean): Result {
  const tag = r.u8();
  switch (tag) {
    case resultTags.node: {
      const created = r.bool();
      return { kind: "node", path: readPath(r), created, stat: readStat(r) };
    }
    case resultTags.deleted:
      return { kind: "deleted", path: readPath(r), count: r.u32() };
    case resultTags.data:
      return { kind: "data", path: readPath(r), data: r.bytes(limits.dataBytes), stat: readStat(r) };
    case nullDataTag:
      return { kind: "data", path: readPath(r), data: noData, nullData: true, stat: readStat(r) };
    case resultTags.stat:
      return { kind: "stat", path: readPath(r), stat: readStat(r) };
    case resultTags.children:
      return readChildren(r);
    case resultTags.acl:
      return { kind: "acl", path: readPath(r), acl: readAcl(r), stat: readStat(r) };
    case resultTags.checked:
      return { kind: "checked", path: readPath(r) };
    case resultTags.session:
      return {
        kind: "session",
        session: readSessionId(r),
        timeoutMillis: r.u32(),
        attachment: r.u32(),
        lastSequence: r.f53(),
      };
    case resultTags.done:
      return { kind: "done", count: r.u32() };
    default:
      if (mayBeTxn) return readLargeResult(r, tag);
      r.fail();
      return failed;
  }
}

/** Those that stand in no txn. */
function readLargeResult(r: ByteReader, tag: number): Result {
  switch (tag) {
    case resultTags.txn: {
      const branch = r.bool() ? "else" : "then";
      const results: Result[] = [];
      const count = r.count(limits.multiOperations, 5);
      for (let i = 0; i < count && !r.failed; i++) results.push(readResult(r, false));
      return { kind: "txn", branch, results };
    }
    case resultTags.sessionInfo: {
      const info = readSessionInfo(r);
      const ephemerals: Path[] = [];
      const count = r.count(limits.sessionEphemerals, 5);
      for (let i = 0; i < count && !r.failed; i++) ephemerals.push(readPath(r));
      return { kind: "sessionInfo", info, ephemerals };
    }
    case resultTags.sessionList: {
      const more = r.bool();
      const sessions: SessionInfo[] = [];
      const count = r.count(limits.pageNames, sessionInfoBytes);
      for (let i = 0; i < count && !r.failed; i++) sessions.push(readSessionInfo(r));
      return { kind: "sessionList", sessions, more };
    }
    case resultTags.treePage:
      return readTreePageResult(r);
    case resultTags.watched:
      return readWatched(r);
    default:
      r.fail();
      return failed;
  }
}

function writeChildren(w: ByteWriter, result: ChildrenResult): void {
  w.string(result.path);
  writeStat(w, result.stat);
  w.f53(result.at);
  w.bool(result.more);
  w.u32(result.children.length);
  for (const { name, stat, data } of result.children) {
    w.u8((stat === undefined ? 0 : 1) | (data === undefined ? 0 : 2));
    w.string(name);
    if (stat !== undefined) writeStat(w, stat);
    if (data !== undefined) w.bytes(data);
  }
}

function readChildren(r: ByteReader): ChildrenResult {
  const path = readPath(r);
  const stat = readStat(r);
  const at = readZxid(r);
  const more = r.bool();
  const children: ChildEntry[] = [];
  const count = r.count(limits.listedNames, 6);
  for (let i = 0; i < count && !r.failed; i++) {
    const flags = r.flags(3);
    const child: Writable<ChildEntry> = { name: readName(r) };
    if (flags & 1) child.stat = readStat(r);
    if (flags & 2) child.data = r.bytes(limits.dataBytes);
    children.push(child);
  }
  return { kind: "children", path, stat, at, children, more };
}

function writeSessionInfo(w: ByteWriter, info: SessionInfo): void {
  w.f53(info.session);
  w.string(info.name);
  w.string(info.address);
  w.u32(info.timeoutMillis);
  writeAuthIds(w, info.identity);
  writeTime(w, info.createdAt);
  w.u32(info.ephemeralCount);
  w.bool(info.idleMillis !== undefined);
  if (info.idleMillis !== undefined) w.millis(info.idleMillis);
}

function readSessionInfo(r: ByteReader): SessionInfo {
  const info = {
    session: readSessionId(r),
    name: r.string(limits.sessionNameBytes),
    address: r.string(codecLimits.addressBytes),
    timeoutMillis: r.u32(),
    identity: readAuthIds(r),
    createdAt: r.f53(),
    ephemeralCount: r.u32(),
  };
  return r.bool() ? { ...info, idleMillis: r.f53() } : info;
}
