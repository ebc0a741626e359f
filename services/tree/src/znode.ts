/**
 * A znode's record. Zxids and times are kept as two small integers each: V8 boxes a double in a field of its own (24
 * bytes), a small integer costs 8. Fields are set in one constructor, so that there is one shape.
 */
import type { NodeKind, Path, SessionId, Stat, Zxid } from "@quorate/api";
import { noSession } from "@quorate/api";
import { type CompactData, hashData } from "./compact-data.ts";
import { type Hasher, hashText } from "./digest.ts";
import type { SortedNames } from "./sorted-names.ts";
import type { Stored } from "./store.ts";

const low32 = 0x1_0000_0000;

export function highOf(value: number): number {
  return Math.floor(value / low32);
}

export function joinLong(high: number, low: number): number {
  return high * low32 + (low >>> 0);
}

/** What kind of znode it is, with what belongs to the kind; shared among znodes where it is the same. */
export interface Nature {
  readonly kind: NodeKind;
  readonly owner: SessionId;
  readonly ttlMillis: number;
}

export const persistentNature: Nature = { kind: "persistent", owner: noSession, ttlMillis: 0 };
export const containerNature: Nature = { kind: "container", owner: noSession, ttlMillis: 0 };
export const natureKinds: readonly NodeKind[] = ["persistent", "ephemeral", "container", "ttl"];

/** What only a znode has that has or had children. */
export class Family {
  readonly pzxidHigh: number;
  readonly pzxidLow: number;
  /** Children ever created: int32, wraps. ZooKeeper's stored cversion. */
  readonly created: number;
  readonly count: number;
  /** Shared by successive records of the znode: an index, not part of the record's value. */
  readonly index: SortedNames;

  constructor(pzxidHigh: number, pzxidLow: number, created: number, count: number, index: SortedNames) {
    this.pzxidHigh = pzxidHigh;
    this.pzxidLow = pzxidLow;
    this.created = created;
    this.count = count;
    this.index = index;
  }
}

/** A zxid and a time, split. */
export interface Moment {
  readonly zxidHigh: number;
  readonly zxidLow: number;
  readonly timeHigh: number;
  readonly timeLow: number;
}

/** Before all transactions. */
export const beginning: Moment = { zxidHigh: 0, zxidLow: 0, timeHigh: 0, timeLow: 0 };

export class ZNode implements Stored {
  mark: number;
  readonly path: Path;
  readonly pathHash: number;
  readonly data: CompactData;
  readonly dataHash: number;
  readonly nature: Nature;
  /** Undefined: never had a child; its pzxid is its czxid. */
  readonly family: Family | undefined;
  /** Reference into the ACL table. */
  readonly acl: number;
  readonly version: number;
  readonly aversion: number;
  readonly czxidHigh: number;
  readonly czxidLow: number;
  readonly ctimeHigh: number;
  readonly ctimeLow: number;
  readonly mzxidHigh: number;
  readonly mzxidLow: number;
  readonly mtimeHigh: number;
  readonly mtimeLow: number;

  constructor(
    path: Path,
    pathHash: number,
    data: CompactData,
    dataHash: number,
    nature: Nature,
    family: Family | undefined,
    acl: number,
    version: number,
    aversion: number,
    created: Moment | ZNode,
    modified: Moment | ZNode,
  ) {
    this.mark = 0;
    this.path = path;
    this.pathHash = pathHash;
    this.data = data;
    this.dataHash = dataHash;
    this.nature = nature;
    this.family = family;
    this.acl = acl;
    this.version = version;
    this.aversion = aversion;
    if (created instanceof ZNode) {
      this.czxidHigh = created.czxidHigh;
      this.czxidLow = created.czxidLow;
      this.ctimeHigh = created.ctimeHigh;
      this.ctimeLow = created.ctimeLow;
    } else {
      this.czxidHigh = created.zxidHigh;
      this.czxidLow = created.zxidLow;
      this.ctimeHigh = created.timeHigh;
      this.ctimeLow = created.timeLow;
    }
    if (modified instanceof ZNode) {
      this.mzxidHigh = modified.mzxidHigh;
      this.mzxidLow = modified.mzxidLow;
      this.mtimeHigh = modified.mtimeHigh;
      this.mtimeLow = modified.mtimeLow;
    } else {
      this.mzxidHigh = modified.zxidHigh;
      this.mzxidLow = modified.zxidLow;
      this.mtimeHigh = modified.timeHigh;
      this.mtimeLow = modified.timeLow;
    }
  }

  static fresh(path: Path, data: CompactData, nature: Nature, acl: number, at: Moment): ZNode {
    return new ZNode(path, hashText(path), data, hashData(data), nature, undefined, acl, 0, 0, at, at);
  }

  withData(data: CompactData, nature: Nature, at: Moment): ZNode {
    const { path, pathHash, family, acl, aversion } = this;
    const version = nextVersion(this.version);
    return new ZNode(path, pathHash, data, hashData(data), nature, family, acl, version, aversion, this, at);
  }

  withAcl(acl: number, aversion: number = nextVersion(this.aversion)): ZNode {
    const { path, pathHash, data, dataHash, nature, family, version } = this;
    return new ZNode(path, pathHash, data, dataHash, nature, family, acl, version, aversion, this, this);
  }

  withNature(nature: Nature): ZNode {
    const { path, pathHash, data, dataHash, family, acl, version, aversion } = this;
    return new ZNode(path, pathHash, data, dataHash, nature, family, acl, version, aversion, this, this);
  }

  /** Other data without a write: neither version nor times tell of it. */
  withText(data: CompactData): ZNode {
    const { path, pathHash, nature, family, acl, version, aversion } = this;
    return new ZNode(path, pathHash, data, hashData(data), nature, family, acl, version, aversion, this, this);
  }

  withFamily(family: Family | undefined): ZNode {
    const { path, pathHash, data, dataHash, nature, acl, version, aversion } = this;
    return new ZNode(path, pathHash, data, dataHash, nature, family, acl, version, aversion, this, this);
  }

  get czxid(): Zxid {
    return joinLong(this.czxidHigh, this.czxidLow) as Zxid;
  }

  get mzxid(): Zxid {
    return joinLong(this.mzxidHigh, this.mzxidLow) as Zxid;
  }

  get pzxid(): Zxid {
    const family = this.family;
    return family === undefined ? this.czxid : (joinLong(family.pzxidHigh, family.pzxidLow) as Zxid);
  }

  get mtime(): number {
    return joinLong(this.mtimeHigh, this.mtimeLow);
  }

  get numChildren(): number {
    return this.family === undefined ? 0 : this.family.count;
  }

  /** Children ever created: what the next sequential name takes. */
  get childrenCreated(): number {
    return this.family === undefined ? 0 : this.family.created;
  }
}

/** Versions are int32; -1 is skipped, for it means "any" (ZOOKEEPER-4743). */
export function nextVersion(version: number): number {
  const next = (version + 1) | 0;
  return next === -1 ? 0 : next;
}

export function statOf(node: ZNode): Stat {
  const { nature, family } = node;
  const created = family === undefined ? 0 : family.created;
  const numChildren = family === undefined ? 0 : family.count;
  return {
    czxid: node.czxid,
    mzxid: node.mzxid,
    pzxid: node.pzxid,
    ctime: joinLong(node.ctimeHigh, node.ctimeLow),
    mtime: node.mtime,
    version: node.version,
    // Stored are the creations; shown are creations and deletions, of which there were created - numChildren.
    cversion: (2 * created - numChildren) | 0,
    aversion: node.aversion,
    ephemeralOwner: nature.owner,
    dataLength: node.data.length,
    numChildren,
    kind: nature.kind,
    ttlMillis: nature.ttlMillis,
  };
}

export function hashZNode(node: ZNode, hasher: Hasher, fresh: boolean): void {
  const { nature, family } = node;
  hasher.int(fresh ? hashText(node.path) : node.pathHash);
  hasher.int(fresh ? hashData(node.data) : node.dataHash);
  hasher.int(node.data.length);
  hasher.int(node.acl);
  hasher.int(node.version);
  hasher.int(node.aversion);
  hasher.int(node.czxidHigh);
  hasher.int(node.czxidLow);
  hasher.int(node.ctimeHigh);
  hasher.int(node.ctimeLow);
  hasher.int(node.mzxidHigh);
  hasher.int(node.mzxidLow);
  hasher.int(node.mtimeHigh);
  hasher.int(node.mtimeLow);
  if (nature !== persistentNature) {
    hasher.int(natureKinds.indexOf(nature.kind) + 1);
    hasher.long(nature.owner);
    hasher.long(nature.ttlMillis);
  }
  if (family !== undefined) {
    hasher.int(family.pzxidHigh);
    hasher.int(family.pzxidLow);
    hasher.int(family.created);
    hasher.int(family.count);
  }
}
