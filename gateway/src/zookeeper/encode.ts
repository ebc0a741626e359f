/**
 * What the client port answers, as frames appended to a connection's writer. A reply that is larger than an unmodified client
 * takes (its `jute.maxbuffer`) would end its connection, again and again: an error stands in its place, and false says so.
 */
import { errors, type Stat, utf8Length, type Zxid } from "@quorate/api";
import type { JuteWriter } from "./jute.ts";
import { type ConnectResponse, codes, type Notification, opcodes, xids } from "./messages.ts";
import type { MultiResult, ReplyBody } from "./reply.ts";

/** The largest frame that clients read: 0xfffff. */
export const replyLimitBytes = 1_048_575;
/** Xid, zxid and err. */
const headerBytes = 16;
const statBytes = 68;
/** Type, done, err. */
const multiHeaderBytes = 9;
const protocolVersion = 0;
/** KeeperState SyncConnected, the only one that a server sends. */
const syncConnected = 3;

export function writeConnectResponse(writer: JuteWriter, response: ConnectResponse): void {
  const begun = writer.begin();
  writer.int(protocolVersion);
  writer.int(response.timeoutMillis);
  writer.long(response.session);
  writer.buffer(response.password);
  if (response.readOnly !== undefined) writer.bool(response.readOnly);
  writer.end(begun);
}

/** Of the transaction that is told of, as ZooKeeper has it since 3.9. */
export function writeNotification(writer: JuteWriter, { zxid, type, path }: Notification): void {
  const begun = writer.begin();
  header(writer, xids.notification, zxid, codes.ok);
  writer.int(type);
  writer.int(syncConnected);
  writer.string(path);
  writer.end(begun);
}

/**
 * `body` undefined: a header alone, for failures and for what has no record (delete, ping, auth, the calls of watches). False:
 * it is too large (`tooLarge` tells it before), and an error was written instead.
 */
export function writeReply(writer: JuteWriter, xid: number, zxid: Zxid, code: number, body?: ReplyBody): boolean {
  if (body === undefined) {
    writer.int(headerBytes);
    header(writer, xid, zxid, code);
    return true;
  }
  const begun = writer.begin();
  header(writer, xid, zxid, code);
  record(writer, body);
  if (writer.end(begun) <= replyLimitBytes) return true;
  writer.rewind(begun - 4);
  return !writeReply(writer, xid, zxid, errors.tooLarge.zookeeper);
}

/** Whether the reply with this body is larger than clients take. */
export function tooLarge(body: ReplyBody): boolean {
  return headerBytes + bytesOf(body) > replyLimitBytes;
}

function header(writer: JuteWriter, xid: number, zxid: Zxid, code: number): void {
  writer.int(xid);
  writer.long(zxid);
  writer.int(code);
}

function record(writer: JuteWriter, body: ReplyBody): void {
  switch (body.kind) {
    case "stat":
      return stat(writer, body.stat);
    case "data":
      writer.buffer(body.data);
      return stat(writer, body.stat);
    case "path":
      return writer.string(body.path);
    case "pathStat":
      writer.string(body.path);
      return stat(writer, body.stat);
    case "children":
      writer.int(body.children.length);
      for (const { name } of body.children) writer.string(name);
      return body.stat && stat(writer, body.stat);
    case "acl":
      writer.int(body.acl.length);
      for (const { scheme, id, perms } of body.acl) {
        writer.int(perms);
        writer.string(scheme);
        writer.string(id);
      }
      return stat(writer, body.stat);
    default:
      return seldomRecord(writer, body);
  }
}

function seldomRecord(
  writer: JuteWriter,
  body: Exclude<ReplyBody, { kind: "stat" | "data" | "path" | "pathStat" | "children" | "acl" }>,
): void {
  switch (body.kind) {
    case "paths":
      writer.int(body.paths.length);
      for (const each of body.paths) writer.string(each);
      return;
    case "count":
      return writer.int(body.count);
    case "error":
      return writer.int(body.code);
    case "identities":
      writer.int(body.ids.length);
      for (const { scheme, id } of body.ids) {
        writer.string(scheme);
        writer.string(id);
      }
      return;
    case "multi":
      for (const each of body.results) multiResult(writer, each);
      return multiHeader(writer, -1, true, -1);
  }
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

function multiHeader(writer: JuteWriter, type: number, done: boolean, code: number): void {
  writer.int(type);
  writer.bool(done);
  writer.int(code);
}

function multiResult(writer: JuteWriter, result: MultiResult): void {
  if ("error" in result) {
    multiHeader(writer, opcodes.error, false, result.error);
    return writer.int(result.error);
  }
  multiHeader(writer, result.type, false, codes.ok);
  if (result.body) record(writer, result.body);
}

function textBytes(text: string): number {
  return 4 + utf8Length(text);
}

/** Of the record, as `record` writes it. */
function bytesOf(body: ReplyBody): number {
  switch (body.kind) {
    case "stat":
      return statBytes;
    case "data":
      return 4 + (body.data?.length ?? 0) + statBytes;
    case "path":
      return textBytes(body.path);
    case "pathStat":
      return textBytes(body.path) + statBytes;
    case "children":
      return body.children.reduce((sum, { name }) => sum + textBytes(name), 4) + (body.stat ? statBytes : 0);
    case "acl":
      return body.acl.reduce((sum, { scheme, id }) => sum + 4 + textBytes(scheme) + textBytes(id), 4) + statBytes;
    case "paths":
      return body.paths.reduce((sum, path) => sum + textBytes(path), 4);
    case "count":
    case "error":
      return 4;
    case "identities":
      return body.ids.reduce((sum, { scheme, id }) => sum + textBytes(scheme) + textBytes(id), 4);
    case "multi":
      return body.results.reduce((sum, result) => sum + multiBytes(result), multiHeaderBytes);
  }
}

function multiBytes(result: MultiResult): number {
  if ("error" in result) return multiHeaderBytes + 4;
  return multiHeaderBytes + (result.body ? bytesOf(result.body) : 0);
}
