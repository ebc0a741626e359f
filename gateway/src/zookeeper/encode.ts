/**
 * What the client port answers, as frames appended to a connection's writer. A reply that is larger than an unmodified client
 * takes (its `jute.maxbuffer`) would end its connection, again and again: an error stands in its place, and false says so.
 */
import { type Acl, type AuthId, errors, type SessionId, type Stat, type Zxid } from "@quorate/api";
import type { JuteWriter } from "./jute.ts";
import { type ConnectResponse, codes, type MultiResult, type Notification, opcodes, xids } from "./messages.ts";

/** The largest frame that clients read: 0xfffff. */
export const replyLimitBytes = 1_048_575;
/** Xid, zxid and err. */
const headerBytes = 16;
const statBytes = 68;
const protocolVersion = 0;
/** KeeperState SyncConnected, the only one that a server sends. */
const syncConnected = 3;

export function encodeConnectResponse(writer: JuteWriter, response: ConnectResponse): void {
  const begun = writer.begin();
  writer.int(protocolVersion);
  writer.int(response.timeoutMillis);
  writer.long(response.session as SessionId as number);
  writer.buffer(response.password);
  if (response.readOnly !== undefined) writer.bool(response.readOnly);
  writer.end(begun);
}

/** A header alone: a failure, or a success that has no record (delete, ping, auth, the watches' calls). */
export function encodeHeader(writer: JuteWriter, xid: number, zxid: Zxid, code: number): void {
  writer.int(headerBytes);
  header(writer, xid, zxid, code);
}

function header(writer: JuteWriter, xid: number, zxid: Zxid, code: number): void {
  writer.int(xid);
  writer.long(zxid);
  writer.int(code);
}

function begin(writer: JuteWriter, xid: number, zxid: Zxid): number {
  const begun = writer.begin();
  header(writer, xid, zxid, codes.ok);
  return begun;
}

/** Whether the reply fits. If not, an error stands in its place. */
function end(writer: JuteWriter, begun: number, xid: number, zxid: Zxid): boolean {
  if (writer.end(begun) <= replyLimitBytes) return true;
  writer.rewind(begun - 4);
  encodeHeader(writer, xid, zxid, errors.tooLarge.zookeeper);
  return false;
}

function stat(writer: JuteWriter, value: Stat): void {
  writer.long(value.czxid);
  writer.long(value.mzxid);
  writer.long(value.ctime);
  writer.long(value.mtime);
  writer.int(value.version);
  writer.int(value.cversion);
  writer.int(value.aversion);
  writer.long(value.ephemeralOwner);
  writer.int(value.dataLength);
  writer.int(value.numChildren);
  writer.long(value.pzxid);
}

function strings(writer: JuteWriter, values: readonly string[]): void {
  writer.int(values.length);
  for (const each of values) writer.string(each);
}

/** create; and sync, which answers the path that it was asked with. */
export function encodePath(writer: JuteWriter, xid: number, zxid: Zxid, path: string | undefined): boolean {
  const begun = begin(writer, xid, zxid);
  writer.string(path);
  return end(writer, begun, xid, zxid);
}

/** create2, createContainer, createTTL. */
export function encodePathAndStat(writer: JuteWriter, xid: number, zxid: Zxid, path: string, value: Stat): boolean {
  const begun = begin(writer, xid, zxid);
  writer.string(path);
  stat(writer, value);
  return end(writer, begun, xid, zxid);
}

/** exists, setData, setACL. */
export function encodeStat(writer: JuteWriter, xid: number, zxid: Zxid, value: Stat): void {
  writer.int(headerBytes + statBytes);
  header(writer, xid, zxid, codes.ok);
  stat(writer, value);
}

/** getData. Undefined: null. */
export function encodeData(
  writer: JuteWriter,
  xid: number,
  zxid: Zxid,
  data: Uint8Array | undefined,
  value: Stat,
): boolean {
  const begun = begin(writer, xid, zxid);
  writer.buffer(data);
  stat(writer, value);
  return end(writer, begun, xid, zxid);
}

export function encodeAcl(writer: JuteWriter, xid: number, zxid: Zxid, acl: Acl, value: Stat): boolean {
  const begun = begin(writer, xid, zxid);
  writer.int(acl.length);
  for (const { scheme, id, perms } of acl) {
    writer.int(perms);
    writer.string(scheme);
    writer.string(id);
  }
  stat(writer, value);
  return end(writer, begun, xid, zxid);
}

/** getChildren; getChildren2 with the stat. */
export function encodeChildren(
  writer: JuteWriter,
  xid: number,
  zxid: Zxid,
  children: readonly string[],
  value?: Stat,
): boolean {
  const begun = begin(writer, xid, zxid);
  strings(writer, children);
  if (value) stat(writer, value);
  return end(writer, begun, xid, zxid);
}

export function encodeEphemerals(writer: JuteWriter, xid: number, zxid: Zxid, paths: readonly string[]): boolean {
  const begun = begin(writer, xid, zxid);
  strings(writer, paths);
  return end(writer, begun, xid, zxid);
}

/** getAllChildrenNumber; and addWatch, whose record is an error code: 0. */
export function encodeNumber(writer: JuteWriter, xid: number, zxid: Zxid, value: number): void {
  writer.int(headerBytes + 4);
  header(writer, xid, zxid, codes.ok);
  writer.int(value);
}

export function encodeWhoAmI(writer: JuteWriter, xid: number, zxid: Zxid, ids: readonly AuthId[]): boolean {
  const begun = begin(writer, xid, zxid);
  writer.int(ids.length);
  for (const { scheme, id } of ids) {
    writer.string(scheme);
    writer.string(id);
  }
  return end(writer, begun, xid, zxid);
}

/** multi and multiRead: also of a multi that failed the header says 0. */
export function encodeMulti(writer: JuteWriter, xid: number, zxid: Zxid, results: readonly MultiResult[]): boolean {
  const begun = begin(writer, xid, zxid);
  for (const each of results) multiResult(writer, each);
  multiHeader(writer, -1, true, -1);
  return end(writer, begun, xid, zxid);
}

function multiHeader(writer: JuteWriter, type: number, done: boolean, code: number): void {
  writer.int(type);
  writer.bool(done);
  writer.int(code);
}

function multiResult(writer: JuteWriter, result: MultiResult): void {
  multiHeader(writer, opcodes[result.op], false, result.op === "error" ? result.code : codes.ok);
  switch (result.op) {
    case "create":
      return writer.string(result.path);
    case "create2":
      writer.string(result.path);
      return stat(writer, result.stat);
    case "setData":
      return stat(writer, result.stat);
    case "getChildren":
      return strings(writer, result.children);
    case "getData":
      writer.buffer(result.data);
      return stat(writer, result.stat);
    case "error":
      return writer.int(result.code);
    case "delete":
    case "check":
      return;
  }
}

/** Of the transaction that is told of, as ZooKeeper has it since 3.9. */
export function encodeNotification(writer: JuteWriter, { zxid, type, path }: Notification): void {
  const begun = writer.begin();
  header(writer, xids.notification, zxid, codes.ok);
  writer.int(type);
  writer.int(syncConnected);
  writer.string(path);
  writer.end(begun);
}
