/**
 * The bytes of a command: encoded once by the gateway, kept in the log for years, decoded at apply. `decodeCommand` is
 * total and decides from the bytes alone, so that every replica comes to the same verdict.
 *
 *   u8 format = 1 · u8 flags (1 lane, 2 acting, 4 key)
 *   lane:     f53 session · u32 attachment · f53 sequence · f53 answeredUpTo    (28 bytes, at offset 2)
 *   identity: u8 super user · u32 count · (string scheme · string id)*
 *   acting:   f53 session · 32 bytes secretHash
 *   key:      string key · 16 bytes requestHash
 *   u8 tag of the operation · its fields (`operation-codec.ts`)
 *
 * A change of layout takes a new format number; the old one is read as long as logs have it.
 */
import { assert, unreachable } from "./assert.ts";
import { ByteReader, ByteWriter } from "./bytes.ts";
import { limits } from "./limits.ts";
import { codecLimits, readIdentity, readPath, readSessionId, readZxid, writeIdentity } from "./node-codec.ts";
import type {
  Acting,
  Command,
  CreateSessionOperation,
  IdempotencyKey,
  Lane,
  SweepOperation,
  WriteOperation,
} from "./operation.ts";
import { operationTags, readTxn, readZnodeWrite, writeTxn, writeTxnOperation } from "./operation-codec.ts";
import type { Path } from "./path.ts";
import type { Zxid } from "./zxid.ts";

/** The first byte of every command and read. */
export const operationFormat = 1;
const hasLane = 1;
const hasActing = 2;
const hasKey = 4;
/** Bytes of a SHA-256. */
export const secretHashBytes = 32;
export const requestHashBytes = 16;

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

/** One writer for all: encoding never yields in its midst. */
const writer = new ByteWriter();

/**
 * Numbers out of their ranges and hashes of a wrong length are broken invariants: doors check what clients send. The
 * answer may share its memory with other commands (`ByteWriter.finish`), as suits what is soon joined to a batch.
 */
export function encodeCommand(command: Command): Uint8Array {
  const w = writer;
  const { lane, acting, key } = command;
  w.reset();
  w.u8(operationFormat);
  w.u8((lane === undefined ? 0 : hasLane) | (acting === undefined ? 0 : hasActing) | (key === undefined ? 0 : hasKey));
  if (lane !== undefined) {
    w.f53(lane.session);
    w.u32(lane.attachment);
    w.f53(lane.sequence);
    w.f53(lane.answeredUpTo);
  }
  writeIdentity(w, command.identity);
  if (acting !== undefined) {
    assert(acting.secretHash.length === secretHashBytes, "a secret's hash has 32 bytes");
    w.f53(acting.session);
    w.raw(acting.secretHash);
  }
  if (key !== undefined) {
    assert(key.requestHash.length === requestHashBytes, "a request's hash has 16 bytes");
    w.string(key.key);
    w.raw(key.requestHash);
  }
  writeWrite(w, command.operation);
  return w.finish();
}

/**
 * Undefined for anything that `encodeCommand` would not write, or that breaks a limit. The byte fields are views of
 * `bytes`: who keeps them copies them.
 */
export function decodeCommand(bytes: Uint8Array): Command | undefined {
  const r = new ByteReader(bytes);
  if (r.u8() !== operationFormat) return undefined;
  const flags = r.flags(hasLane | hasActing | hasKey);
  const lane = flags & hasLane ? readLane(r) : undefined;
  const identity = readIdentity(r);
  const acting = flags & hasActing ? readActing(r) : undefined;
  const key = flags & hasKey ? readKey(r) : undefined;
  if (r.failed) return undefined;
  const operation = readWrite(r);
  if (operation === undefined || !r.finished) return undefined;
  const command: Writable<Command> = { identity, operation };
  if (lane !== undefined) command.lane = lane;
  if (acting !== undefined) command.acting = acting;
  if (key !== undefined) command.key = key;
  return command;
}

/** The lane of an encoded command, also of one that does not decode further; undefined if it has none. */
export function peekLane(bytes: Uint8Array): Lane | undefined {
  const r = new ByteReader(bytes);
  if (r.u8() !== operationFormat || (r.flags(hasLane | hasActing | hasKey) & hasLane) === 0) return undefined;
  const lane = readLane(r);
  return r.failed ? undefined : lane;
}

function readLane(r: ByteReader): Lane {
  return { session: readSessionId(r), attachment: r.u32(), sequence: r.f53(), answeredUpTo: r.f53() };
}

function readActing(r: ByteReader): Acting {
  return { session: readSessionId(r), secretHash: r.raw(secretHashBytes) };
}

function readKey(r: ByteReader): IdempotencyKey {
  const key = r.string(limits.keyCharacters);
  if (!/^[!-~]+$/.test(key)) r.fail();
  return { key, requestHash: r.raw(requestHashBytes) };
}

function writeWrite(w: ByteWriter, operation: WriteOperation): void {
  switch (operation.kind) {
    case "create":
    case "put":
    case "set":
    case "delete":
    case "setAcl":
      writeTxnOperation(w, operation);
      break;
    case "txn":
      writeTxn(w, operation);
      break;
    case "createSession":
      writeCreateSession(w, operation);
      break;
    case "closeSession":
    case "attach":
    case "expireSession":
      w.u8(operationTags[operation.kind]);
      w.f53(operation.session);
      break;
    case "sweep":
      writeSweep(w, operation);
      break;
    default:
      unreachable(operation);
  }
}

function readWrite(r: ByteReader): WriteOperation | undefined {
  const tag = r.u8();
  switch (tag) {
    case operationTags.txn:
      return readTxn(r, false);
    case operationTags.createSession:
      return readCreateSession(r);
    case operationTags.closeSession:
      return { kind: "closeSession", session: readSessionId(r) };
    case operationTags.attach:
      return { kind: "attach", session: readSessionId(r) };
    case operationTags.expireSession:
      return { kind: "expireSession", session: readSessionId(r) };
    case operationTags.sweep:
      return readSweep(r);
    default:
      return readZnodeWrite(r, tag);
  }
}

function writeCreateSession(w: ByteWriter, operation: CreateSessionOperation): void {
  assert(operation.secretHash.length === secretHashBytes, "a secret's hash has 32 bytes");
  w.u8(operationTags.createSession);
  w.bool(operation.role === "gateway");
  w.u32(operation.timeoutMillis);
  w.raw(operation.secretHash);
  w.string(operation.name);
  w.string(operation.address);
}

function readCreateSession(r: ByteReader): CreateSessionOperation {
  const role = r.bool() ? "gateway" : "client";
  const timeoutMillis = r.u32();
  if (timeoutMillis < limits.sessionTimeoutMinMillis || timeoutMillis > limits.sessionTimeoutMaxMillis) r.fail();
  const secretHash = r.raw(secretHashBytes);
  const name = r.string(limits.sessionNameBytes);
  const address = r.string(codecLimits.addressBytes);
  return { kind: "createSession", role, timeoutMillis, secretHash, name, address };
}

function writeSweep(w: ByteWriter, operation: SweepOperation): void {
  w.u8(operationTags.sweep);
  w.u32(operation.candidates.length);
  for (const each of operation.candidates) {
    w.string(each.path);
    w.f53(each.mzxid);
    w.f53(each.pzxid);
  }
}

function readSweep(r: ByteReader): SweepOperation {
  const candidates: { path: Path; mzxid: Zxid; pzxid: Zxid }[] = [];
  const count = r.count(limits.txnZnodes, 21);
  for (let i = 0; i < count && !r.failed; i++) {
    candidates.push({ path: readPath(r), mzxid: readZxid(r), pzxid: readZxid(r) });
  }
  return { kind: "sweep", candidates };
}

/** A batch's payload: each command behind its length. */
export function joinCommands(commands: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const each of commands) length += 4 + each.length;
  const payload = new Uint8Array(length);
  let at = 0;
  for (const each of commands) {
    const size = each.length;
    payload[at] = size;
    payload[at + 1] = size >>> 8;
    payload[at + 2] = size >>> 16;
    payload[at + 3] = size >>> 24;
    payload.set(each, at + 4);
    at += 4 + size;
  }
  return payload;
}

/** The commands of a payload, as views of it; undefined unless it is made of exactly `expectedCount`. */
export function splitCommands(payload: Uint8Array, expectedCount: number): Uint8Array[] | undefined {
  const commands: Uint8Array[] = [];
  const r = new ByteReader(payload);
  // Each takes four bytes at least, so a count that lies ends at the payload's end and reserves nothing.
  for (let i = 0; i < expectedCount && !r.failed; i++) commands.push(r.bytes(payload.length));
  return r.finished ? commands : undefined;
}
