/** What an outcome costs to remember, and its hash: both from its content alone, the same on every replica. */
import type { Acl, ChildEntry, ChildrenResult, DataResult, Outcome, Result, Stat } from "@quorate/api";
import { errorCodes, unreachable } from "@quorate/api";
import type { Hasher } from "./digest.ts";

/** Rough bytes of an outcome or result without its strings and data. */
const fixedBytes = 256;

export function bytesOfOutcome(outcome: Outcome): number {
  return outcome.ok ? bytesOfResult(outcome.result) : fixedBytes + 2 * outcome.detail.length;
}

export function bytesOfResult(result: Result): number {
  switch (result.kind) {
    case "data":
      return fixedBytes + result.data.length;
    case "children": {
      let sum = fixedBytes;
      for (const child of result.children) sum += bytesOfChild(child);
      return sum;
    }
    case "acl":
      return fixedBytes + bytesOfAcl(result.acl);
    case "txn": {
      let sum = fixedBytes;
      for (const each of result.results) sum += bytesOfResult(each);
      return sum;
    }
    default:
      return fixedBytes;
  }
}

export function bytesOfAcl(acl: Acl): number {
  let sum = 0;
  for (const each of acl) sum += 64 + each.scheme.length + each.id.length;
  return sum;
}

/** An upper bound of what the child takes on the wire, and about what it takes in memory. */
export function bytesOfChild(child: ChildEntry): number {
  const name = 16 + 3 * child.name.length;
  return name + (child.stat === undefined ? 0 : 128) + (child.data === undefined ? 0 : child.data.length);
}

/** About what a long list of names takes on the wire. */
export function bytesOfNames({ children }: ChildrenResult): number {
  let sum = fixedBytes;
  for (const { name } of children) sum += 4 + name.length;
  return sum;
}

export function hashOutcome(outcome: Outcome, hasher: Hasher): void {
  hasher.long(outcome.zxid);
  hasher.int((outcome.ok ? 1 : 0) | (outcome.replayed === undefined ? 0 : outcome.replayed ? 4 : 2));
  if (outcome.ok) {
    hashResult(outcome.result, hasher);
    return;
  }
  hasher.int(errorCodes.indexOf(outcome.code));
  hasher.text(outcome.detail);
  if (outcome.path !== undefined) hasher.text(outcome.path);
  if (outcome.op === undefined) return;
  hasher.text(outcome.op.in);
  hasher.int(outcome.op.index);
}

function hashResult(result: Result, hasher: Hasher): void {
  switch (result.kind) {
    case "node":
      hasher.int(result.created ? 1 : 2);
      hasher.text(result.path);
      hashStat(result.stat, hasher);
      return;
    case "deleted":
      hasher.text(result.path);
      hasher.int(result.count);
      return;
    case "data":
      hashData(result, hasher);
      return;
    case "stat":
      hasher.text(result.path);
      hashStat(result.stat, hasher);
      return;
    case "children":
      hasher.text(result.path);
      hasher.long(result.at);
      hasher.int(result.more ? 3 : 4);
      for (const child of result.children) hashChild(child, hasher);
      hashStat(result.stat, hasher);
      return;
    case "acl":
      hasher.text(result.path);
      hashAcl(result.acl, hasher);
      hashStat(result.stat, hasher);
      return;
    case "checked":
      hasher.text(result.path);
      return;
    case "txn":
      hasher.int(result.branch === "then" ? 5 : 6);
      for (const each of result.results) hashResult(each, hasher);
      return;
    case "session":
      hasher.long(result.session);
      hasher.int(result.timeoutMillis);
      hasher.int(result.attachment);
      hasher.long(result.lastSequence);
      return;
    case "done":
      hasher.int(result.count);
      return;
    case "sessionInfo":
    case "sessionList":
    case "watched":
    case "treePage":
      // Answers of reads alone, which nobody remembers.
      hasher.text(result.kind);
      return;
    default:
      unreachable(result);
      return;
  }
}

function hashData({ path, data, nullData, stat }: DataResult, hasher: Hasher): void {
  if (nullData) hasher.int(-1);
  hasher.bytes(data);
  hasher.text(path);
  hashStat(stat, hasher);
}

function hashAcl(acl: Acl, hasher: Hasher): void {
  for (const each of acl) {
    hasher.text(each.scheme);
    hasher.text(each.id);
    hasher.int(each.perms);
  }
}

function hashChild(child: ChildEntry, hasher: Hasher): void {
  hasher.text(child.name);
  if (child.stat !== undefined) hashStat(child.stat, hasher);
  if (child.data !== undefined) hasher.bytes(child.data);
}

function hashStat(stat: Stat, hasher: Hasher): void {
  hasher.long(stat.czxid);
  hasher.long(stat.mzxid);
  hasher.long(stat.pzxid);
  hasher.long(stat.ctime);
  hasher.long(stat.mtime);
  hasher.int(stat.version);
  hasher.int(stat.cversion);
  hasher.int(stat.aversion);
  hasher.long(stat.ephemeralOwner);
  hasher.int(stat.dataLength);
  hasher.int(stat.numChildren);
  hasher.int(stat.kind.charCodeAt(0));
  hasher.long(stat.ttlMillis);
}
