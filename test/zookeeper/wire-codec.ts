/** The bytes of `wire-records.ts`, request and reply, exactly: a byte too many or too few is a fault. */
import { JuteReader, JuteWriter } from "./wire-jute.ts";
import {
  type WireAcl,
  type WireMultiOperation,
  type WireMultiResult,
  type WireRaw,
  type WireRequest,
  type WireResults,
  type WireStat,
  wireOpcodes,
} from "./wire-records.ts";

export function opcodeOf(request: WireRequest): number {
  return request.op === "raw" ? request.type : wireOpcodes[request.op];
}

export function encodeRequest(xid: number, request: WireRequest): Buffer {
  const writer = new JuteWriter().int(xid).int(opcodeOf(request));
  writeBody(writer, request);
  return writer.done();
}

function writeBody(to: JuteWriter, request: WireRequest): void {
  switch (request.op) {
    case "create":
    case "create2":
    case "createContainer":
    case "createTtl":
      to.string(request.path).buffer(request.data);
      writeAcl(to, request.acl);
      to.int(request.flags);
      if (request.op === "createTtl") to.long(request.ttl ?? 0n);
      return;
    case "delete":
    case "check":
      to.string(request.path).int(request.version);
      return;
    case "setData":
      to.string(request.path).buffer(request.data).int(request.version);
      return;
    case "exists":
    case "getData":
    case "getChildren":
    case "getChildren2":
      to.string(request.path).bool(request.watch);
      return;
    case "getAcl":
    case "sync":
    case "getAllChildrenNumber":
      to.string(request.path);
      return;
    case "setAcl":
      to.string(request.path);
      writeAcl(to, request.acl);
      to.int(request.version);
      return;
    case "multi":
    case "multiRead":
      for (const each of request.operations) {
        to.int(opcodeOf(each)).bool(false).int(-1);
        writeBody(to, each);
      }
      to.int(-1).bool(true).int(-1);
      return;
    default:
      writeRare(to, request);
  }
}

type RareRequest = Exclude<WireRequest, WireMultiOperation | { readonly op: "getAcl" | "sync" | "setAcl" | "multi" }>;

function writeRare(to: JuteWriter, request: RareRequest | WireRaw): void {
  switch (request.op) {
    case "setWatches":
    case "setWatches2":
      to.long(request.relativeZxid).strings(request.data).strings(request.exist).strings(request.child);
      if (request.op === "setWatches2") {
        to.strings(request.persistent ?? []).strings(request.persistentRecursive ?? []);
      }
      return;
    case "reconfig":
      to.string(request.joining).string(request.leaving).string(request.newMembers).long(request.configId);
      return;
    case "checkWatches":
    case "removeWatches":
      to.string(request.path).int(request.type);
      return;
    case "addWatch":
      to.string(request.path).int(request.mode);
      return;
    case "deleteContainer":
      to.buffer(request.path);
      return;
    case "auth":
      to.int(0).string(request.scheme).buffer(request.auth);
      return;
    case "sasl":
      to.buffer(request.token);
      return;
    case "getEphemerals":
      to.string(request.prefix);
      return;
    case "raw":
      to.bytes(request.body);
      return;
    default:
  }
}

function writeAcl(to: JuteWriter, acl: readonly WireAcl[] | null): void {
  to.vector(acl, (each) => to.int(each.permissions).string(each.scheme).string(each.id));
}

/** `bytes` is all that stands behind the reply's header. */
export function decodeResult<Op extends WireRequest["op"]>(op: Op, bytes: Buffer): WireResults[Op] {
  const from = new JuteReader(bytes);
  const result = readResult(op, from);
  from.end();
  // Each arm of `readResult` is the record of its opcode.
  return result as WireResults[Op];
}

function readResult(op: WireRequest["op"], from: JuteReader): object {
  switch (op) {
    case "create":
      return { path: from.string() };
    case "sync":
      return { path: from.nullableString() };
    case "create2":
    case "createContainer":
    case "createTtl":
      return { path: from.string(), stat: readStat(from) };
    case "setData":
    case "setAcl":
    case "exists":
      return { stat: readStat(from) };
    case "getData":
    case "reconfig":
      return { data: from.buffer(), stat: readStat(from) };
    case "getAcl":
      return { acl: from.vector(() => readAcl(from)), stat: readStat(from) };
    case "getChildren":
      return { children: from.strings() };
    case "getChildren2":
      return { children: from.strings(), stat: readStat(from) };
    case "multi":
    case "multiRead":
      return { results: readMulti(from) };
    case "getEphemerals":
      return { ephemerals: from.strings() };
    case "getAllChildrenNumber":
      return { total: from.int() };
    case "addWatch":
      return { error: from.int() };
    case "sasl":
      return { token: from.buffer() };
    case "whoAmI":
      return { clients: from.vector(() => ({ scheme: from.string(), user: from.string() })) };
    case "raw":
      return { bytes: from.rest() };
    default:
      return {};
  }
}

function readAcl(from: JuteReader): WireAcl {
  return { permissions: from.int(), scheme: from.string(), id: from.string() };
}

function readStat(from: JuteReader): WireStat {
  return {
    czxid: from.long(),
    mzxid: from.long(),
    ctime: from.long(),
    mtime: from.long(),
    version: from.int(),
    cversion: from.int(),
    aversion: from.int(),
    ephemeralOwner: from.long(),
    dataLength: from.int(),
    numChildren: from.int(),
    pzxid: from.long(),
  };
}

function readMulti(from: JuteReader): WireMultiResult[] {
  const results: WireMultiResult[] = [];
  for (;;) {
    const type = from.int();
    const done = from.bool();
    const error = from.int();
    if (done) {
      if (type !== -1 || error !== -1) throw new Error(`a multi ends with type ${type} and error ${error}`);
      return results;
    }
    results.push(readMultiResult(type, error, from));
  }
}

function readMultiResult(type: number, headerError: number, from: JuteReader): WireMultiResult {
  if (type === -1) return { op: "error", code: from.int(), headerError };
  if (headerError !== 0) throw new Error(`a multi's result of type ${type} has the error ${headerError}`);
  switch (type) {
    case wireOpcodes.create:
      return { op: "create", path: from.string() };
    case wireOpcodes.create2:
      return { op: "create2", path: from.string(), stat: readStat(from) };
    case wireOpcodes.setData:
      return { op: "setData", stat: readStat(from) };
    case wireOpcodes.delete:
      return { op: "delete" };
    case wireOpcodes.check:
      return { op: "check" };
    case wireOpcodes.getData:
      return { op: "getData", data: from.buffer(), stat: readStat(from) };
    case wireOpcodes.getChildren:
      return { op: "getChildren", children: from.strings() };
    default:
      throw new Error(`a multi answers type ${type}`);
  }
}
