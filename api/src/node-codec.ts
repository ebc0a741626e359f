/** The bytes of what operations and outcomes share: paths, ACLs, identities, stats. */
import type { ByteReader, ByteWriter } from "./bytes.ts";
import { limits } from "./limits.ts";
import {
  type Acl,
  type AclEntry,
  type AuthId,
  anyone,
  type Identity,
  type NodeKind,
  permissions,
  type Stat,
} from "./node.ts";
import { isBadPath, type Path, parsePath, parseSequentialPrefix, rootPath } from "./path.ts";
import { asciiText, readUtf8 } from "./utf8.ts";
import type { SessionId, Zxid } from "./zxid.ts";

/** Sizes that no table of the doors names but that bytes from outside must keep to. */
export const codecLimits = {
  /** Identities that one caller proves at once. */
  identityIds: 16,
  /** Bytes of a scheme's name. */
  schemeBytes: 64,
  /** Bytes of an ACL's or identity's id: less than all headers of a request. */
  idBytes: 4096,
  /** ETags in one condition. */
  conditionZxids: 1000,
  /** Bytes of a client's address. */
  addressBytes: 256,
  /** Bytes of an outcome's detail. */
  detailBytes: 65_536,
} as const;

const slash = 47;
const dot = 46;
/** In the order of their numbers: append only. */
const kinds: readonly NodeKind[] = ["persistent", "ephemeral", "container", "ttl"];

/** Any UTF-8 text, by the rules of paths in `path.ts`. */
function judge(bytes: Uint8Array, from: number, to: number, parse: typeof parsePath): Path | undefined {
  const text = readUtf8(bytes, from, to);
  if (text === undefined) return undefined;
  const path = parse(text);
  return isBadPath(path) ? undefined : path;
}

/**
 * One pass over the bytes finds what is plainly legal: printable ASCII, no `//`, no segment that begins with a dot.
 * `parsePath` judges the rest; `node-codec.test.ts` shows that both agree.
 */
function plainlyLegal(bytes: Uint8Array, from: number, to: number): boolean {
  if (from === to || bytes[from] !== slash) return false;
  let before = slash;
  for (let at = from + 1; at < to; at++) {
    const unit = bytes[at] as number;
    if (unit < 0x20 || unit > 0x7e || (before === slash && (unit === slash || unit === dot))) return false;
    before = unit;
  }
  return before !== slash || to - from === 1;
}

function pathOf(bytes: Uint8Array, from: number, to: number): Path | undefined {
  if (plainlyLegal(bytes, from, to)) return asciiText(bytes, from, to) as Path;
  return judge(bytes, from, to, parsePath);
}

function prefixOf(bytes: Uint8Array, from: number, to: number): Path | undefined {
  if (from < to && bytes[to - 1] === slash) return judge(bytes, from, to, parseSequentialPrefix);
  return pathOf(bytes, from, to);
}

export function readPath(r: ByteReader): Path {
  return r.text(limits.pathBytes, pathOf) ?? rootPath;
}

/** A path, or the prefix of a sequential name, which may end in `/`. */
export function readPrefix(r: ByteReader): Path {
  return r.text(limits.pathBytes, prefixOf) ?? rootPath;
}

/** A legal name of a child; empty when the reader failed. */
export function readName(r: ByteReader): string {
  return r.text(limits.pathBytes, nameOf) ?? "";
}

/** As with paths: plainly legal is ASCII without a slash that begins with no dot. */
function nameOf(bytes: Uint8Array, from: number, to: number): string | undefined {
  let at = from;
  if (bytes[at] !== dot && to - from < limits.pathBytes) {
    for (; at < to; at++) {
      const unit = bytes[at] as number;
      if (unit < 0x20 || unit > 0x7e || unit === slash) break;
    }
  }
  if (at === to) return from === to ? undefined : asciiText(bytes, from, to);
  const name = readUtf8(bytes, from, to);
  return name === undefined || name.includes("/") || isBadPath(parsePath(`/${name}`)) ? undefined : name;
}

export function readZxid(r: ByteReader): Zxid {
  return r.f53() as Zxid;
}

export function readSessionId(r: ByteReader): SessionId {
  return r.f53() as SessionId;
}

export function writeKind(w: ByteWriter, kind: NodeKind): void {
  w.u8(kinds.indexOf(kind));
}

export function readKind(r: ByteReader): NodeKind {
  const kind = kinds[r.u8()];
  if (kind === undefined) r.fail();
  return kind ?? "persistent";
}

export function writeAcl(w: ByteWriter, acl: Acl): void {
  w.u32(acl.length);
  for (const entry of acl) {
    w.string(entry.scheme);
    w.string(entry.id);
    w.u8(entry.perms);
  }
}

/** At most `limits.aclEntries`; permissions 0 to 31. Whether schemes and ids mean something is the tree's to say. */
export function readAcl(r: ByteReader): Acl {
  const count = r.count(limits.aclEntries, 9);
  const acl: AclEntry[] = [];
  for (let i = 0; i < count; i++) {
    const scheme = r.string(codecLimits.schemeBytes);
    const id = r.string(codecLimits.idBytes);
    const perms = r.u8();
    if (perms > permissions.all) r.fail();
    acl.push({ scheme, id, perms });
  }
  return acl;
}

export function writeAuthIds(w: ByteWriter, ids: readonly AuthId[]): void {
  w.u32(ids.length);
  for (const each of ids) {
    w.string(each.scheme);
    w.string(each.id);
  }
}

export function readAuthIds(r: ByteReader): readonly AuthId[] {
  const count = r.count(codecLimits.identityIds, 8);
  const ids: AuthId[] = [];
  for (let i = 0; i < count; i++) {
    ids.push({ scheme: r.string(codecLimits.schemeBytes), id: r.string(codecLimits.idBytes) });
  }
  return ids;
}

export function writeIdentity(w: ByteWriter, identity: Identity): void {
  w.bool(identity.superUser);
  writeAuthIds(w, identity.ids);
}

export function readIdentity(r: ByteReader): Identity {
  const superUser = r.bool();
  const ids = readAuthIds(r);
  return superUser || ids.length > 0 ? { ids, superUser } : anyone;
}

/** Stamps may have fractions of milliseconds; what clients see has none. */
export function writeTime(w: ByteWriter, millis: number): void {
  w.f53(Math.floor(millis));
}

export function writeStat(w: ByteWriter, stat: Stat): void {
  w.f53(stat.czxid);
  w.f53(stat.mzxid);
  w.f53(stat.pzxid);
  writeTime(w, stat.ctime);
  writeTime(w, stat.mtime);
  w.i32(stat.version);
  w.i32(stat.cversion);
  w.i32(stat.aversion);
  w.f53(stat.ephemeralOwner);
  w.u32(stat.dataLength);
  w.u32(stat.numChildren);
  writeKind(w, stat.kind);
  w.f53(stat.ttlMillis);
}

export function readStat(r: ByteReader): Stat {
  return {
    czxid: readZxid(r),
    mzxid: readZxid(r),
    pzxid: readZxid(r),
    ctime: r.f53(),
    mtime: r.f53(),
    version: r.i32(),
    cversion: r.i32(),
    aversion: r.i32(),
    ephemeralOwner: readSessionId(r),
    dataLength: r.u32(),
    numChildren: r.u32(),
    kind: readKind(r),
    ttlMillis: r.f53(),
  };
}
