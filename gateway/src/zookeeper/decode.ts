/**
 * Frames of the client port as values: a connection's first one is a ConnectRequest, every further one a header and its
 * record. What stands behind a record is not looked at, as in ZooKeeper. Nothing here throws, whatever the bytes are.
 */
import { type Acl, type AclEntry, openAcl } from "@quorate/api";
import { JuteReader } from "./jute.ts";
import {
  type ConnectRequest,
  type CreateRequest,
  type MultiOperation,
  type MultiReadOperation,
  opcodes,
  type Request,
  type RequestBody,
  type SetWatchesRequest,
} from "./messages.ts";

const nothing = new Uint8Array(0);
/** The least that an ACL's entry and a text take. */
const aclEntryBytes = 12;
const textBytes = 4;
/** CreateMode's flags are 0 to this. */
const lastFlag = 6;

/** One for all: a frame is decoded at a stretch. */
const reader = new JuteReader();

/** Undefined: it is none, and the connection is closed without an answer. */
export function decodeConnect(bytes: Uint8Array, from: number, to: number): ConnectRequest | undefined {
  reader.reset(bytes, from, to);
  const request = {
    protocolVersion: reader.int(),
    lastZxidSeen: reader.zxid(),
    timeoutMillis: reader.int(),
    session: reader.session(),
    password: reader.buffer() ?? nothing,
    readOnly: reader.remaining > 0 ? reader.bool() : undefined,
  };
  return reader.failed ? undefined : request;
}

/** Undefined: there is no header, or half a packet of an authentication; the connection is closed, as ZooKeeper does. */
export function decodeRequest(bytes: Uint8Array, from: number, to: number): Request | undefined {
  reader.reset(bytes, from, to);
  const xid = reader.int();
  const type = reader.int();
  if (reader.failed) return undefined;
  const body = bodyOf(type);
  if (!reader.failed) return { xid, body };
  if (type === opcodes.auth || type === opcodes.sasl) return undefined;
  return { xid, body: malformed(type, to - from) };
}

function malformed(type: number, length: number): RequestBody {
  return {
    op: "malformed",
    type,
    fault: `the record of opcode ${type}, in a frame of ${length} bytes, does not fit it`,
  };
}

function bodyOf(type: number): RequestBody {
  switch (type) {
    case opcodes.getData:
      return { op: "getData", path: reader.text(), watch: reader.bool() };
    case opcodes.setData:
      return { op: "setData", path: anyText(), data: reader.buffer(), version: reader.int() };
    case opcodes.exists:
      return { op: "exists", path: reader.text(), watch: reader.bool() };
    case opcodes.create:
    case opcodes.create2:
    case opcodes.createContainer:
    case opcodes.createTtl:
      return create(type);
    case opcodes.delete:
      return { op: "delete", path: reader.text(), version: reader.int() };
    case opcodes.getChildren:
      return { op: "getChildren", path: reader.text(), watch: reader.bool() };
    case opcodes.getChildren2:
      return { op: "getChildren2", path: reader.text(), watch: reader.bool() };
    case opcodes.ping:
      return { op: "ping" };
    case opcodes.multi:
      return { op: "multi", operations: multi(multiOperation) };
    default:
      return seldomBodyOf(type);
  }
}

function seldomBodyOf(type: number): RequestBody {
  switch (type) {
    case opcodes.getAcl:
      return { op: "getAcl", path: reader.text() };
    case opcodes.setAcl:
      return { op: "setAcl", path: anyText(), acl: acl(), version: reader.int() };
    case opcodes.sync:
      return { op: "sync", path: reader.string() };
    case opcodes.multiRead:
      return { op: "multiRead", operations: multi(multiReadOperation) };
    case opcodes.reconfig:
      return reconfig();
    case opcodes.checkWatches:
      return { op: "checkWatches", path: anyText(), watcherType: reader.int() };
    case opcodes.removeWatches:
      return { op: "removeWatches", path: anyText(), watcherType: reader.int() };
    case opcodes.auth:
      return auth();
    case opcodes.setWatches:
    case opcodes.setWatches2:
      return setWatches(type);
    case opcodes.sasl:
      return sasl();
    case opcodes.getEphemerals:
      return { op: "getEphemerals", path: anyText() };
    case opcodes.getAllChildrenNumber:
      return { op: "getAllChildrenNumber", path: reader.text() };
    case opcodes.addWatch:
      return { op: "addWatch", path: anyText(), mode: reader.int() };
    case opcodes.whoAmI:
      return { op: "whoAmI" };
    case opcodes.closeSession:
      return { op: "closeSession" };
    default:
      return { op: "unknown", type };
  }
}

function create(type: 1 | 15 | 19 | 21): CreateRequest {
  return {
    op: "create",
    type,
    path: reader.text(),
    data: reader.buffer(),
    acl: acl(),
    flags: reader.int(),
    ttlMillis: type === opcodes.createTtl ? reader.long() : 0,
  };
}

/** ZooKeeper stumbles over a path that is null (`reader.text`), but where it judges it first, or takes it for one that nothing has. */
function anyText(): string {
  return reader.string() ?? "";
}

/** OPEN_ACL_UNSAFE, which nearly every create brings: one entry, world:anyone with all rights. */
const openAclBytes: Uint8Array = Uint8Array.from([
  ...[0, 0, 0, 1, 0, 0, 0, 31],
  ...[0, 0, 0, 5, 119, 111, 114, 108, 100],
  ...[0, 0, 0, 6, 97, 110, 121, 111, 110, 101],
]);

/** Schemes by which ZooKeeper looks at an entry's id, and stumbles over a null one. */
const lookedAt: ReadonlySet<string> = new Set(["world", "ip", "digest"]);

function acl(): Acl {
  if (reader.passed(openAclBytes)) return openAcl;
  const count = reader.count(aclEntryBytes);
  const entries: AclEntry[] = [];
  for (let i = 0; i < count && !reader.failed; i++) {
    const perms = reader.int();
    const scheme = reader.string() ?? "";
    // kazoo's `auth` entries have a null id.
    entries.push({ scheme, id: lookedAt.has(scheme) ? reader.text() : anyText(), perms });
  }
  return entries;
}

/** Its fields are looked at by nobody: it is refused whatever they say. */
function reconfig(): RequestBody {
  reader.string();
  reader.string();
  reader.string();
  reader.long();
  return { op: "reconfig" };
}

function sasl(): RequestBody {
  const token = reader.buffer();
  if (token === undefined) reader.fail();
  return { op: "sasl", token: token ?? nothing };
}

function auth(): RequestBody {
  reader.int();
  return { op: "auth", scheme: reader.string() ?? "", auth: reader.buffer() ?? nothing };
}

function setWatches(type: number): SetWatchesRequest {
  const both = type === opcodes.setWatches2;
  return {
    op: "setWatches",
    relativeZxid: reader.zxid(),
    data: texts(),
    exist: texts(),
    child: texts(),
    persistent: both ? texts() : [],
    persistentRecursive: both ? texts() : [],
  };
}

function texts(): string[] {
  const count = reader.count(textBytes);
  if (count < 0) reader.fail();
  const all: string[] = [];
  for (let i = 0; i < count && !reader.failed; i++) all.push(reader.text());
  return all;
}

/** Operations, each behind a header of its own (type, done, err), until a header that says done. */
function multi<Operation>(operationOf: (type: number) => Operation | undefined): Operation[] {
  const operations: Operation[] = [];
  while (!reader.failed) {
    const type = reader.int();
    const done = reader.bool();
    reader.int();
    if (done) break;
    const operation = operationOf(type);
    if (operation === undefined) reader.fail();
    else operations.push(operation);
  }
  return operations;
}

function multiOperation(type: number): MultiOperation | undefined {
  switch (type) {
    case opcodes.create:
    case opcodes.create2:
    case opcodes.createContainer: {
      const request = create(type);
      return request.flags >= 0 && request.flags <= lastFlag ? request : undefined;
    }
    case opcodes.createTtl:
      return create(type);
    case opcodes.delete:
      return { op: "delete", path: reader.text(), version: reader.int() };
    case opcodes.setData:
      return { op: "setData", path: reader.text(), data: reader.buffer(), version: reader.int() };
    case opcodes.check:
      return { op: "check", path: reader.text(), version: reader.int() };
    default:
      return undefined;
  }
}

/** The watch that each record has room for is not set. */
function multiReadOperation(type: number): MultiReadOperation | undefined {
  if (type !== opcodes.getData && type !== opcodes.getChildren) return undefined;
  const path = reader.text();
  reader.bool();
  return { op: type === opcodes.getData ? "getData" : "getChildren", path };
}
