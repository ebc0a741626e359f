/**
 * The bytes of a snapshot: frames (uint32 length, body), so that a reader may be given any pieces.
 *
 *   first frame:  u8 0 · u8 format · f53 zxid · f53 stamp · f53 next ACL number · u32 rules version (format 1: none)
 *                 format 2: no data is null, and all that is remembered is as then
 *   then:         records, each u8 table · its fields; any number of them in a frame, in no order
 *   last frame:   u8 255 · the count of each table's records · the digest's sum
 *
 * A change of layout takes a new format number. What is derived from records (children, ephemerals, uses) is not here.
 */
import {
  type AuthId,
  type ByteReader,
  type ByteWriter,
  codecLimits,
  limits,
  noSession,
  type Path,
  readAcl,
  readAuthIds,
  readOutcome,
  readUtf8,
  type SessionId,
  writeAcl,
  writeAuthIds,
  writeOutcome,
} from "@quorate/api";
import { AclRecord } from "./acls.ts";
import { type CompactData, compact, flatten, hashData, isNull, lend, nullData } from "./compact-data.ts";
import { hashText } from "./digest.ts";
import { KeyRecord } from "./keys.ts";
import { zookeeperRules } from "./known.ts";
import { type LaneRecord, OutcomeRecord } from "./lanes.ts";
import { SessionRecord } from "./sessions.ts";
import { SortedNames } from "./sorted-names.ts";
import { containerNature, Family, type Moment, type Nature, natureKinds, persistentNature, ZNode } from "./znode.ts";

export const snapshotFormat = 3;
export const headerTag = 0;
export const trailerTag = 255;
/** Of the tables, as records bear them: append only. */
export const tableTags = { znode: 1, session: 2, lane: 3, outcome: 4, key: 5, acl: 6 } as const;
export const tableCount = 6;

/** The layout in which a state by these rules is written: one that all members of then can read. */
export function formatOf(rules: number): number {
  return rules < zookeeperRules ? 2 : snapshotFormat;
}

const kindMask = 3;
/** From format 3 on. */
const hasNullData = 4;
const hasFamily = 8;

export function writeZNode(w: ByteWriter, node: ZNode): void {
  const { nature, family } = node;
  const empty = isNull(node.data) ? hasNullData : 0;
  w.u8(natureKinds.indexOf(nature.kind) | empty | (family === undefined ? 0 : hasFamily));
  w.string(node.path);
  w.bytes(lend(node.data));
  w.u32(node.acl);
  w.i32(node.version);
  w.i32(node.aversion);
  writeSplit(w, node.czxidHigh, node.czxidLow);
  writeSplit(w, node.ctimeHigh, node.ctimeLow);
  writeSplit(w, node.mzxidHigh, node.mzxidLow);
  writeSplit(w, node.mtimeHigh, node.mtimeLow);
  if (nature.kind === "ephemeral") w.f53(nature.owner);
  if (nature.kind === "ttl") w.f53(nature.ttlMillis);
  if (family === undefined) return;
  writeSplit(w, family.pzxidHigh, family.pzxidLow);
  w.i32(family.created);
  w.u32(family.count);
}

function writeSplit(w: ByteWriter, high: number, low: number): void {
  w.i32(low);
  w.i32(high);
}

/** `natureOf`: the shared nature of a session's ephemerals. */
export function readZNode(r: ByteReader, format: number, natureOf: (session: SessionId) => Nature): ZNode {
  const flags = r.flags(kindMask | hasFamily | (format > 2 ? hasNullData : 0));
  const path = (r.text(limits.pathBytes, flatText) ?? "/") as Path;
  const text = r.text<CompactData>(limits.dataBytes, readData) ?? "";
  if (flags & hasNullData && text.length > 0) r.fail();
  const data = flags & hasNullData ? nullData : text;
  const acl = r.u32();
  const version = r.i32();
  const aversion = r.i32();
  const created = readMoment(r);
  const modified = readMoment(r);
  const nature = readNature(r, flags & kindMask, natureOf);
  const family = flags & hasFamily ? readFamily(r) : undefined;
  return new ZNode(
    path,
    hashText(path),
    data,
    hashData(data),
    nature,
    family,
    acl,
    version,
    aversion,
    created,
    modified,
  );
}

function readMoment(r: ByteReader): Moment {
  return { zxidLow: r.i32(), zxidHigh: r.i32(), timeLow: r.i32(), timeHigh: r.i32() };
}

function readNature(r: ByteReader, kind: number, natureOf: (session: SessionId) => Nature): Nature {
  switch (natureKinds[kind]) {
    case "ephemeral":
      return natureOf(r.f53() as SessionId);
    case "ttl":
      return { kind: "ttl", owner: noSession, ttlMillis: r.f53() };
    case "container":
      return containerNature;
    default:
      return persistentNature;
  }
}

function readFamily(r: ByteReader): Family {
  const low = r.i32();
  const high = r.i32();
  return new Family(high, low, r.i32(), r.u32(), new SortedNames());
}

const decodeUnits: number[] = [];

/** One flat string; paths are mostly ASCII. */
function flatText(bytes: Uint8Array, from: number, to: number): string | undefined {
  decodeUnits.length = to - from;
  for (let at = from; at < to; at++) {
    const unit = bytes[at] as number;
    if (unit >= 0x80) {
      const text = readUtf8(bytes, from, to);
      return text === undefined ? undefined : flatten(text);
    }
    decodeUnits[at - from] = unit;
  }
  return String.fromCharCode.apply(undefined, decodeUnits);
}

function readData(bytes: Uint8Array, from: number, to: number): CompactData {
  return compact(bytes, from, to);
}

export function writeSession(w: ByteWriter, record: SessionRecord): void {
  w.f53(record.id);
  w.bool(record.role === "gateway");
  w.u32(record.timeoutMillis);
  w.bytes(lend(record.secret));
  w.string(record.name);
  w.string(record.address);
  writeAuthIds(w, record.identity);
  w.f53(record.createdAt);
}

export function readSession(r: ByteReader): SessionRecord {
  const id = r.f53() as SessionId;
  const role = r.bool() ? "gateway" : "client";
  const timeoutMillis = r.u32();
  const secret = compact(r.bytes(64)) as string;
  const name = r.string(limits.sessionNameBytes);
  const address = r.string(codecLimits.addressBytes);
  const identity: readonly AuthId[] = readAuthIds(r);
  return new SessionRecord({ id, role, timeoutMillis, secret, name, address, identity, createdAt: r.f53() });
}

export function writeLane(w: ByteWriter, record: LaneRecord): void {
  w.f53(record.session);
  w.u32(record.attachment);
  w.f53(record.lastSequence);
  w.f53(record.answeredUpTo);
}

export function writeRemembered(w: ByteWriter, record: OutcomeRecord): void {
  w.f53(record.session);
  w.f53(record.sequence);
  writeOutcome(w, record.outcome);
}

/** Into the memory that `memoryOf` gives, which the lane gets too, whichever comes first. */
export function readRemembered(
  r: ByteReader,
  memoryOf: (session: SessionId) => Map<number, OutcomeRecord>,
): OutcomeRecord {
  const session = r.f53() as SessionId;
  const sequence = r.f53();
  return new OutcomeRecord(session, sequence, readOutcome(r), memoryOf(session));
}

export function writeKey(w: ByteWriter, record: KeyRecord): void {
  w.string(record.name);
  w.bytes(lend(record.requestHash));
  w.f53(record.stamp);
  writeOutcome(w, record.outcome);
}

/** An identity's name and a key: up to 16 ids. */
const keyNameBytes = 131_072;

export function readKey(r: ByteReader): KeyRecord {
  const name = r.string(keyNameBytes);
  const requestHash = compact(r.bytes(64)) as string;
  const stamp = r.f53();
  return new KeyRecord(name, requestHash, readOutcome(r), stamp);
}

export function writeAclRecord(w: ByteWriter, record: AclRecord): void {
  w.u32(record.reference);
  writeAcl(w, record.acl);
}

export function readAclRecord(r: ByteReader): AclRecord {
  return new AclRecord(r.u32(), readAcl(r));
}
