/**
 * The bytes of a read, as a gateway sends it to a replica: u8 format, u8 tag, then the fields. Reads are not kept, but
 * share the operations' layout with commands.
 */
import { unreachable } from "./assert.ts";
import { ByteReader, ByteWriter } from "./bytes.ts";
import { operationFormat } from "./command-codec.ts";
import { limits } from "./limits.ts";
import type { ListingOperation } from "./listing.ts";
import { readTree, readTreePage, writeTree, writeTreePage } from "./listing-codec.ts";
import { readPath, readSessionId } from "./node-codec.ts";
import type { ListSessionsOperation, ReadOperation } from "./operation.ts";
import { operationTags, readTxn, readTxnRead, writeTxn, writeTxnOperation } from "./operation-codec.ts";
import { readWatch, writeWatch } from "./watch-codec.ts";

const writer = new ByteWriter();

/** The answer may share its memory with other reads (`ByteWriter.finish`). */
export function encodeRead(operation: ReadOperation | ListingOperation): Uint8Array {
  const w = writer;
  w.reset();
  w.u8(operationFormat);
  switch (operation.kind) {
    case "get":
    case "exists":
    case "children":
      writeTxnOperation(w, operation);
      break;
    case "txn":
      writeTxn(w, operation);
      break;
    case "getAcl":
      w.u8(operationTags.getAcl);
      w.string(operation.path);
      break;
    case "getSession":
      w.u8(operationTags.getSession);
      w.f53(operation.session);
      break;
    case "listSessions":
      writeListSessions(w, operation);
      break;
    case "sync":
      w.u8(operationTags.sync);
      break;
    case "tree":
      w.u8(operationTags.tree);
      writeTree(w, operation);
      break;
    case "treePage":
      w.u8(operationTags.treePage);
      writeTreePage(w, operation);
      break;
    case "watch":
      w.u8(operationTags.watch);
      writeWatch(w, operation);
      break;
    default:
      return unreachable(operation);
  }
  return w.finish();
}

/** Undefined for anything that `encodeRead` would not write; a txn may have nothing in it that writes. */
export function decodeRead(bytes: Uint8Array): ReadOperation | ListingOperation | undefined {
  const r = new ByteReader(bytes);
  if (r.u8() !== operationFormat) return undefined;
  const operation = readRead(r);
  return r.finished ? operation : undefined;
}

function readRead(r: ByteReader): ReadOperation | ListingOperation | undefined {
  const tag = r.u8();
  switch (tag) {
    case operationTags.txn:
      return readTxn(r, true);
    case operationTags.getAcl:
      return { kind: "getAcl", path: readPath(r) };
    case operationTags.getSession:
      return { kind: "getSession", session: readSessionId(r) };
    case operationTags.listSessions:
      return readListSessions(r);
    case operationTags.sync:
      return { kind: "sync" };
    case operationTags.tree:
      return readTree(r);
    case operationTags.treePage:
      return readTreePage(r);
    case operationTags.watch:
      return readWatch(r);
    default: {
      const operation = readTxnRead(r, tag);
      return operation?.kind === "check" ? undefined : operation;
    }
  }
}

function writeListSessions(w: ByteWriter, operation: ListSessionsOperation): void {
  w.u8(operationTags.listSessions);
  w.u32(operation.limit);
  w.bool(operation.after !== undefined);
  if (operation.after !== undefined) w.f53(operation.after);
}

function readListSessions(r: ByteReader): ListSessionsOperation {
  const limit = r.u32();
  if (limit < 1 || limit > limits.pageNames) r.fail();
  return r.bool() ? { kind: "listSessions", limit, after: readSessionId(r) } : { kind: "listSessions", limit };
}
