/**
 * The bytes of operations on znodes, as commands and reads both carry them: a tag, then the fields in the order of
 * `operation.ts`. Optional fields are announced by a byte of flags; bits that mean nothing must be 0, so that a value
 * has one form only.
 */
import { unreachable } from "./assert.ts";
import type { ByteReader, ByteWriter } from "./bytes.ts";
import { limits } from "./limits.ts";
import type { Acl } from "./node.ts";
import {
  codecLimits,
  readAcl,
  readKind,
  readName,
  readPath,
  readPrefix,
  readZxid,
  writeAcl,
  writeKind,
} from "./node-codec.ts";
import {
  type Check,
  type CheckOperation,
  type ChildrenOperation,
  type Condition,
  type CreateOperation,
  type DeleteOperation,
  type PutOperation,
  persistentShape,
  type SetAclOperation,
  type SetOperation,
  type Shape,
  type TxnOperation,
  type TxnOperationSet,
} from "./operation.ts";
import type { Zxid } from "./zxid.ts";

/** Numbers of all operations, of znodes or not: append only, never reused. */
export const operationTags = {
  create: 1,
  put: 2,
  set: 3,
  delete: 4,
  setAcl: 5,
  check: 6,
  get: 7,
  exists: 8,
  children: 9,
  txn: 10,
  createSession: 11,
  closeSession: 12,
  attach: 13,
  expireSession: 14,
  sweep: 15,
  getAcl: 16,
  getSession: 17,
  listSessions: 18,
  sync: 19,
  watch: 20,
  tree: 21,
  treePage: 22,
} as const;

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

/** What most writes ask: nothing. */
const noCondition: Condition = {};

const conditionFlags = 15;

/** `more`: further bits of its flags. */
function writeCondition(w: ByteWriter, condition: Condition, more = 0): void {
  const { exists, mzxids, version } = condition;
  const existence = exists === undefined ? 0 : exists ? 3 : 1;
  w.u8(more | existence | (mzxids === undefined ? 0 : 4) | (version === undefined ? 0 : 8));
  if (mzxids !== undefined) {
    w.u32(mzxids.length);
    for (const each of mzxids) w.f53(each);
  }
  if (version !== undefined) w.i32(version);
}

function readCondition(r: ByteReader): Condition {
  return readConditionOf(r, r.flags(conditionFlags));
}

function readConditionOf(r: ByteReader, flags: number): Condition {
  if (flags === 0) return noCondition;
  const condition: Writable<Condition> = {};
  readExists(r, flags, condition);
  if (flags & 4) {
    const mzxids: Zxid[] = [];
    const count = r.count(codecLimits.conditionZxids, 8);
    for (let i = 0; i < count; i++) mzxids.push(readZxid(r));
    condition.mzxids = mzxids;
  }
  if (flags & 8) condition.version = r.i32();
  return condition;
}

/** Bit 0: `exists` is given; bit 1: it is true. */
function readExists(r: ByteReader, flags: number, into: { exists?: boolean }): void {
  if (flags & 1) into.exists = (flags & 2) !== 0;
  else if (flags & 2) r.fail();
}

function writeShape(w: ByteWriter, shape: Shape): void {
  w.bool(shape.acl !== undefined);
  writeKind(w, shape.kind);
  if (shape.kind === "ttl") w.f53(shape.ttlMillis);
  if (shape.acl !== undefined) writeAcl(w, shape.acl);
}

function readShape(r: ByteReader): Shape {
  const hasAcl = r.bool();
  const kind = readKind(r);
  const ttlMillis = kind === "ttl" ? r.f53() : 0;
  if (kind === "ttl" && (ttlMillis < 1 || ttlMillis > limits.ttlMaxMillis)) r.fail();
  if (hasAcl) return { kind, ttlMillis, acl: readAcl(r) };
  return kind === "persistent" ? persistentShape : { kind, ttlMillis };
}

function writeCreate(w: ByteWriter, operation: CreateOperation): void {
  w.u8((operation.sequential ? 1 : 0) | (operation.parents ? 2 : 0) | (operation.nullData ? 4 : 0));
  w.string(operation.path);
  w.bytes(operation.data);
  writeShape(w, operation.shape);
}

function readCreate(r: ByteReader): CreateOperation {
  const flags = r.flags(7);
  const sequential = (flags & 1) !== 0;
  const path = sequential ? readPrefix(r) : readPath(r);
  const data = r.bytes(limits.dataBytes);
  const shape = readShape(r);
  const operation: CreateOperation = { kind: "create", path, data, shape, sequential, parents: (flags & 2) !== 0 };
  return flags & 4 ? withNullData(r, operation) : operation;
}

function writePut(w: ByteWriter, operation: PutOperation): void {
  w.u8((operation.parents ? 1 : 0) | (operation.shape === undefined ? 0 : 2));
  w.string(operation.path);
  w.bytes(operation.data);
  if (operation.shape !== undefined) writeShape(w, operation.shape);
  writeCondition(w, operation.condition);
}

function readPut(r: ByteReader): PutOperation {
  const flags = r.flags(3);
  const parents = (flags & 1) !== 0;
  const path = readPath(r);
  const data = r.bytes(limits.dataBytes);
  if ((flags & 2) === 0) return { kind: "put", path, data, parents, condition: readCondition(r) };
  const shape = readShape(r);
  return { kind: "put", path, data, shape, parents, condition: readCondition(r) };
}

/** Null has no bytes. */
function withNullData<T extends CreateOperation | SetOperation>(r: ByteReader, operation: T): T {
  if (operation.data.length > 0) r.fail();
  return { ...operation, nullData: true };
}

/** As the condition's: the fields begin with no flags of their own. */
const setsNull = 16;

function writeSet(w: ByteWriter, operation: SetOperation): void {
  w.string(operation.path);
  w.bytes(operation.data);
  writeCondition(w, operation.condition, operation.nullData ? setsNull : 0);
}

function readSet(r: ByteReader): SetOperation {
  const path = readPath(r);
  const data = r.bytes(limits.dataBytes);
  const flags = r.flags(conditionFlags | setsNull);
  const operation: SetOperation = { kind: "set", path, data, condition: readConditionOf(r, flags & conditionFlags) };
  return flags & setsNull ? withNullData(r, operation) : operation;
}

function readDelete(r: ByteReader): DeleteOperation {
  return { kind: "delete", path: readPath(r), condition: readCondition(r), recursive: r.bool() };
}

function writeSetAcl(w: ByteWriter, operation: SetAclOperation): void {
  w.string(operation.path);
  writeAcl(w, operation.acl);
  w.i32(operation.aversion);
  w.bool(operation.czxid !== undefined);
  if (operation.czxid !== undefined) w.f53(operation.czxid);
}

function readSetAcl(r: ByteReader): SetAclOperation {
  const path = readPath(r);
  const acl: Acl = readAcl(r);
  const aversion = r.i32();
  if (!r.bool()) return { kind: "setAcl", path, acl, aversion };
  return { kind: "setAcl", path, acl, aversion, czxid: readZxid(r) };
}

function writeCheck(w: ByteWriter, check: Check): void {
  const { exists, version, mzxid, czxid, ownerSelf } = check;
  w.u8(
    (exists === undefined ? 0 : exists ? 3 : 1) |
      (version === undefined ? 0 : 4) |
      (mzxid === undefined ? 0 : 8) |
      (czxid === undefined ? 0 : 16) |
      (ownerSelf === undefined ? 0 : ownerSelf ? 96 : 32),
  );
  w.string(check.path);
  if (version !== undefined) w.i32(version);
  if (mzxid !== undefined) w.f53(mzxid);
  if (czxid !== undefined) w.f53(czxid);
}

function readCheckInto(r: ByteReader, check: Writable<Check>, flags: number): void {
  readExists(r, flags, check);
  if (flags & 4) check.version = r.i32();
  if (flags & 8) check.mzxid = readZxid(r);
  if (flags & 16) check.czxid = readZxid(r);
  if (flags & 32) check.ownerSelf = (flags & 64) !== 0;
  else if (flags & 64) r.fail();
}

function readCheck(r: ByteReader): Check {
  const flags = r.flags(127);
  const check = { path: readPath(r) };
  readCheckInto(r, check, flags);
  return check;
}

function readCheckOperation(r: ByteReader): CheckOperation {
  const flags = r.flags(127);
  const check = { kind: "check", path: readPath(r) } as const;
  readCheckInto(r, check, flags);
  return check;
}

function writeChildren(w: ByteWriter, operation: ChildrenOperation): void {
  const { after, at } = operation;
  w.u8((operation.withData ? 1 : 0) | (after === undefined ? 0 : 2) | (at === undefined ? 0 : 4));
  w.string(operation.path);
  w.u32(operation.limit);
  if (after !== undefined) w.string(after);
  if (at !== undefined) w.f53(at);
}

function readChildren(r: ByteReader): ChildrenOperation {
  const flags = r.flags(7);
  const path = readPath(r);
  const limit = r.u32();
  if (limit < 1 || limit > limits.listedNames) r.fail();
  const operation: Writable<ChildrenOperation> = { kind: "children", path, limit, withData: (flags & 1) !== 0 };
  if (flags & 2) operation.after = readName(r);
  if (flags & 4) operation.at = readZxid(r);
  return operation;
}

/** The tag and the fields of one operation that a txn may have in it. */
export function writeTxnOperation(w: ByteWriter, operation: TxnOperation): void {
  w.u8(operationTags[operation.kind]);
  switch (operation.kind) {
    case "create":
      writeCreate(w, operation);
      break;
    case "put":
      writePut(w, operation);
      break;
    case "set":
      writeSet(w, operation);
      break;
    case "delete":
      w.string(operation.path);
      writeCondition(w, operation.condition);
      w.bool(operation.recursive);
      break;
    case "setAcl":
      writeSetAcl(w, operation);
      break;
    case "check":
      writeCheck(w, operation);
      break;
    case "get":
    case "exists":
      w.string(operation.path);
      break;
    case "children":
      writeChildren(w, operation);
      break;
    default:
      unreachable(operation);
  }
}

/** A write that needs no txn around it. */
export type ZnodeWrite = CreateOperation | PutOperation | SetOperation | DeleteOperation | SetAclOperation;

/** The fields of the write of this tag; undefined (and nothing read) for other tags. */
export function readZnodeWrite(r: ByteReader, tag: number): ZnodeWrite | undefined {
  switch (tag) {
    case operationTags.create:
      return readCreate(r);
    case operationTags.put:
      return readPut(r);
    case operationTags.set:
      return readSet(r);
    case operationTags.delete:
      return readDelete(r);
    case operationTags.setAcl:
      return readSetAcl(r);
    default:
      return undefined;
  }
}

/** What reads as reads in a txn, or guards it; undefined (and nothing read) for other tags. */
export function readTxnRead(r: ByteReader, tag: number): Exclude<TxnOperation, ZnodeWrite> | undefined {
  switch (tag) {
    case operationTags.check:
      return readCheckOperation(r);
    case operationTags.get:
      return { kind: "get", path: readPath(r) };
    case operationTags.exists:
      return { kind: "exists", path: readPath(r) };
    case operationTags.children:
      return readChildren(r);
    default:
      return undefined;
  }
}

/** The tag of a txn and its fields: whether there is an `else`, then the lists. */
export function writeTxn(w: ByteWriter, txn: TxnOperationSet): void {
  w.u8(operationTags.txn);
  w.bool(txn.else !== undefined);
  w.u32(txn.check.length);
  for (const check of txn.check) writeCheck(w, check);
  writeTxnOperations(w, txn.then);
  if (txn.else !== undefined) writeTxnOperations(w, txn.else);
}

function writeTxnOperations(w: ByteWriter, operations: readonly TxnOperation[]): void {
  w.u32(operations.length);
  for (const operation of operations) writeTxnOperation(w, operation);
}

/**
 * The fields of a txn, which never has another in it; each list has at most `limits.multiOperations`. `readOnly`: none
 * of its operations may write.
 */
export function readTxn(r: ByteReader, readOnly: boolean): TxnOperationSet {
  const hasElse = r.bool();
  const check: Check[] = [];
  const count = r.count(limits.multiOperations, 6);
  for (let i = 0; i < count && !r.failed; i++) check.push(readCheck(r));
  const then = readTxnOperations(r, readOnly);
  if (!hasElse) return { kind: "txn", check, then };
  return { kind: "txn", check, then, else: readTxnOperations(r, readOnly) };
}

function readTxnOperations(r: ByteReader, readOnly: boolean): TxnOperation[] {
  const operations: TxnOperation[] = [];
  const count = r.count(limits.multiOperations, 6);
  for (let i = 0; i < count && !r.failed; i++) {
    const tag = r.u8();
    const operation = readTxnRead(r, tag) ?? (readOnly ? undefined : readZnodeWrite(r, tag));
    if (operation === undefined) r.fail();
    else operations.push(operation);
  }
  return operations;
}
