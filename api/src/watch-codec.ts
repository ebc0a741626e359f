/**
 * The bytes of watches: what is asked (a read), what is answered (a result), and the changes of a feed. An event and a
 * feed's change begin alike; the feed is the hot one.
 */
import type { ByteReader, ByteWriter } from "./bytes.ts";
import { limits } from "./limits.ts";
import { readKind, readName, readPath, readStat, readZxid, writeKind, writeStat, writeTime } from "./node-codec.ts";
import type { Path } from "./path.ts";
import type { ChangeType, FeedChange, WatchEvent, WatchedResult, WatchOperation, WatchState } from "./watch.ts";

export const watchCodecLimits = {
  /** Characters of a history's id, or of its beginning. */
  historyBytes: 64,
  /** Events of one answer: the most that it is filled to, and a whole transaction behind. */
  events: 2 * limits.txnZnodes,
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

/** `limits.watchPaths` hold for all scopes together: `had` are those of the scopes before. */
function readPaths(r: ByteReader, had: number): readonly Path[] {
  const paths: Path[] = [];
  const count = r.count(limits.watchPaths - had, 5);
  for (let i = 0; i < count && !r.failed; i++) paths.push(readPath(r));
  return paths;
}

export function writeWatch(w: ByteWriter, { scopes, after, history }: WatchOperation): void {
  w.u8((after === undefined ? 0 : 1) | (history === undefined ? 0 : 2));
  writePaths(w, scopes.node);
  writePaths(w, scopes.children);
  writePaths(w, scopes.subtree);
  if (after !== undefined) w.f53(after);
  if (history !== undefined) w.string(history);
}

export function readWatch(r: ByteReader): WatchOperation {
  const flags = r.flags(3);
  const node = readPaths(r, 0);
  const children = readPaths(r, node.length);
  const subtree = readPaths(r, node.length + children.length);
  const operation: Writable<WatchOperation> = { kind: "watch", scopes: { node, children, subtree } };
  if (flags & 1) operation.after = readZxid(r);
  if (flags & 2) operation.history = r.string(watchCodecLimits.historyBytes);
  return operation;
}

export function writeWatched(w: ByteWriter, result: WatchedResult): void {
  w.bool(result.more);
  w.f53(result.through);
  w.u32(result.sessionTimeoutMillis);
  w.u32(result.states.length);
  for (const each of result.states) writeState(w, each);
  w.u32(result.events.length);
  for (const each of result.events) {
    w.u8(eventTypes.indexOf(each.type));
    writeFields(w, each);
  }
}

export function readWatched(r: ByteReader): WatchedResult {
  const more = r.bool();
  const through = readZxid(r);
  const sessionTimeoutMillis = r.u32();
  const states: WatchState[] = [];
  const stateCount = r.count(limits.watchPaths, 6);
  for (let i = 0; i < stateCount && !r.failed; i++) states.push(readState(r));
  const events: WatchEvent[] = [];
  const eventCount = r.count(watchCodecLimits.events, eventBytes);
  for (let i = 0; i < eventCount && !r.failed; i++) events.push(readEvent(r));
  return { kind: "watched", states, events, through, more, sessionTimeoutMillis };
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
