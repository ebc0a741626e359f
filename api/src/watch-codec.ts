/**
 * The bytes of watches: what is asked (a read), what is answered (a result), and the changes of a feed. An event and a
 * feed's change begin alike; the feed is the hot one.
 */
import type { ByteReader, ByteWriter } from "./bytes.ts";
import { limits } from "./limits.ts";
import type { Acl } from "./node.ts";
import {
  readAcl,
  readKind,
  readName,
  readPath,
  readStat,
  readZxid,
  writeAcl,
  writeKind,
  writeStat,
  writeTime,
} from "./node-codec.ts";
import type { Path } from "./path.ts";
import type {
  ChangeType,
  FeedChange,
  WatchEvent,
  WatchedResult,
  WatchOperation,
  WatchScopes,
  WatchState,
} from "./watch.ts";

export const watchCodecLimits = {
  /** Characters of a history's id, or of its beginning. */
  historyBytes: 64,
  /** Events of one answer: the most that it is filled to, and a whole transaction behind. */
  events: 2 * limits.txnZnodes,
  /** Paths of one raw watch, all scopes together, each behind its length; beyond it watch the root's subtree. */
  rawPathBytes: 1_048_576,
} as const;

/** In the order of their numbers: append only. An event is one of the first three. */
const changeTypes: readonly FeedChange["type"][] = ["created", "changed", "deleted", "acl"];
const eventTypes: readonly ChangeType[] = ["created", "changed", "deleted"];
/** Bytes of an event whose path is the root. */
const eventBytes = 34;
/** Bytes of a feed's change whose path is the root. */
export const feedChangeBytes: number = eventBytes + 5;

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

function writePaths(w: ByteWriter, paths: readonly Path[]): void {
  w.u32(paths.length);
  for (const each of paths) w.string(each);
}

/** At most `most`, and `end` bytes remain behind them. */
function readPaths(r: ByteReader, most: number, end: number): readonly Path[] {
  const paths: Path[] = [];
  const count = r.count(most, 5);
  for (let i = 0; i < count && !r.failed; i++) {
    paths.push(readPath(r));
    if (r.remaining < end) r.fail();
  }
  return paths;
}

/** `limits.watchPaths` hold for all scopes together; a gateway's own watches are bounded by their bytes. */
function readScopes(r: ByteReader, raw: boolean): WatchScopes {
  const most = raw ? watchCodecLimits.rawPathBytes : limits.watchPaths;
  const end = r.remaining - 3 * 4 - watchCodecLimits.rawPathBytes;
  const node = readPaths(r, most, end);
  const children = readPaths(r, most - node.length, end);
  return { node, children, subtree: readPaths(r, most - node.length - children.length, end) };
}

export function writeWatch(w: ByteWriter, { scopes, after, history, raw }: WatchOperation): void {
  w.u8((after === undefined ? 0 : 1) | (history === undefined ? 0 : 2) | (raw ? 4 : 0));
  writePaths(w, scopes.node);
  writePaths(w, scopes.children);
  writePaths(w, scopes.subtree);
  if (after !== undefined) w.f53(after);
  if (history !== undefined) w.string(history);
}

export function readWatch(r: ByteReader): WatchOperation {
  const flags = r.flags(7);
  const raw = (flags & 4) !== 0;
  const operation: Writable<WatchOperation> = { kind: "watch", scopes: readScopes(r, raw) };
  if (raw) operation.raw = true;
  if (flags & 1) operation.after = readZxid(r);
  if (flags & 2) operation.history = r.string(watchCodecLimits.historyBytes);
  return operation;
}

export function writeWatched(w: ByteWriter, result: WatchedResult): void {
  const { changes, acls } = result;
  const raw = changes !== undefined;
  w.u8((result.more ? 1 : 0) | (raw ? 2 : 0));
  w.f53(result.through);
  w.u32(result.sessionTimeoutMillis);
  w.u32(result.states.length);
  for (const each of result.states) writeState(w, each);
  w.u32(result.events.length);
  for (const each of result.events) {
    w.u8(eventTypes.indexOf(each.type));
    writeFields(w, each);
  }
  if (!raw) return;
  w.u32(acls?.length ?? 0);
  for (const each of acls ?? []) writeAcl(w, each);
  w.u32(changes.length);
  for (const each of changes) writeFeedChange(w, each, (at) => at);
}

export function readWatched(r: ByteReader): WatchedResult {
  const flags = r.flags(3);
  const more = (flags & 1) !== 0;
  const through = readZxid(r);
  const sessionTimeoutMillis = r.u32();
  const states: WatchState[] = [];
  const stateCount = r.count(limits.watchPaths, 6);
  for (let i = 0; i < stateCount && !r.failed; i++) states.push(readState(r));
  const events: WatchEvent[] = [];
  const eventCount = r.count(watchCodecLimits.events, eventBytes);
  for (let i = 0; i < eventCount && !r.failed; i++) events.push(readEvent(r));
  const result: WatchedResult = { kind: "watched", states, events, through, more, sessionTimeoutMillis };
  return flags & 2 ? { ...result, ...readChanges(r) } : result;
}

/** Of a raw watch. */
function readChanges(r: ByteReader): { readonly acls: readonly Acl[]; readonly changes: readonly FeedChange[] } {
  const acls: Acl[] = [];
  const aclCount = r.count(2 * watchCodecLimits.events, 4);
  for (let i = 0; i < aclCount && !r.failed; i++) acls.push(readAcl(r));
  const changes: FeedChange[] = [];
  const count = r.count(watchCodecLimits.events, feedChangeBytes);
  for (let i = 0; i < count && !r.failed; i++) changes.push(readFeedChange(r, acls.length));
  return { acls, changes };
}

/** Flags: 1 of children, else of a node; 2 there is a stat; 4 there are data. */
function writeState(w: ByteWriter, state: WatchState): void {
  const { path, stat } = state;
  const data = state.scope === "node" ? state.data : undefined;
  w.u8((state.scope === "children" ? 1 : 0) | (stat === undefined ? 0 : 2) | (data === undefined ? 0 : 4));
  w.string(path);
  if (stat !== undefined) writeStat(w, stat);
  if (data !== undefined) w.bytes(data);
  if (state.scope !== "children") return;
  w.u32(state.children.length);
  for (const each of state.children) w.string(each);
}

function readState(r: ByteReader): WatchState {
  const flags = r.flags(7);
  const path = readPath(r);
  if ((flags & 1) === 0) {
    const state: Writable<Extract<WatchState, { scope: "node" }>> = { scope: "node", path };
    if (flags & 2) state.stat = readStat(r);
    if (flags & 4) state.data = r.bytes(limits.dataBytes);
    return state;
  }
  if (flags & 4) r.fail();
  const stat = flags & 2 ? readStat(r) : undefined;
  const children: string[] = [];
  const count = r.count(limits.watchAnswerBytes, 5);
  for (let i = 0; i < count && !r.failed; i++) children.push(readName(r));
  return stat === undefined ? { scope: "children", path, children } : { scope: "children", path, stat, children };
}

function writeFields(w: ByteWriter, each: Omit<WatchEvent, "type">): void {
  w.f53(each.zxid);
  w.f53(each.czxid);
  writeTime(w, each.time);
  w.i32(each.version);
  w.string(each.path);
}

function readEvent(r: ByteReader): WatchEvent {
  const type = eventTypes[r.u8()];
  if (type === undefined) r.fail();
  const zxid = readZxid(r);
  const czxid = readZxid(r);
  const time = r.f53();
  const version = r.i32();
  return { zxid, type: type ?? "changed", path: readPath(r), version, czxid, time };
}

/** `place`: where in the feed's list of ACLs the one that the change refers to stands. */
export function writeFeedChange(w: ByteWriter, change: FeedChange, place: (reference: number) => number): void {
  w.u8(changeTypes.indexOf(change.type));
  writeKind(w, change.kind);
  w.u16(place(change.acl));
  w.u16(place(change.parentAcl));
  writeFields(w, change);
}

/** `acls`: how many stand in the feed's list. */
export function readFeedChange(r: ByteReader, acls: number): FeedChange {
  const type = changeTypes[r.u8()];
  const kind = readKind(r);
  const acl = r.u16();
  const parentAcl = r.u16();
  if (type === undefined || acl >= acls || parentAcl >= acls) r.fail();
  const zxid = readZxid(r);
  const czxid = readZxid(r);
  const time = r.f53();
  const version = r.i32();
  return { zxid, type: type ?? "changed", path: readPath(r), version, czxid, time, kind, acl, parentAcl };
}
