/**
 * Whether two plain values are alike. A field that is undefined is as one that is not there. What is compared most often,
 * stats and changes, is compared field by field.
 */
import type { Change, Outcome, Stat } from "@quorate/api";

export function sameValue(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (a instanceof Uint8Array || b instanceof Uint8Array) return sameBytes(a, b);
  if (Array.isArray(a) || Array.isArray(b)) return sameItems(a, b);
  if ("czxid" in a && "czxid" in b) {
    if ("numChildren" in a && "numChildren" in b) return sameStat(a as Stat, b as Stat);
    if ("parentAcl" in a && "parentAcl" in b) return sameChange(a as Change, b as Change);
  }
  const left = a as Record<string, unknown>;
  const right = b as Record<string, unknown>;
  for (const key of Object.keys(left)) if (!sameValue(left[key], right[key])) return false;
  for (const key of Object.keys(right)) if (right[key] !== undefined && left[key] === undefined) return false;
  return true;
}

function sameBytes(a: object, b: object): boolean {
  if (!(a instanceof Uint8Array && b instanceof Uint8Array) || a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

function sameItems(a: object, b: object): boolean {
  if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (!sameValue(a[i], b[i])) return false;
  return true;
}

export function sameStat(a: Stat, b: Stat): boolean {
  return (
    a.czxid === b.czxid &&
    a.mzxid === b.mzxid &&
    a.pzxid === b.pzxid &&
    a.ctime === b.ctime &&
    a.mtime === b.mtime &&
    a.version === b.version &&
    a.cversion === b.cversion &&
    a.aversion === b.aversion &&
    a.ephemeralOwner === b.ephemeralOwner &&
    a.dataLength === b.dataLength &&
    a.numChildren === b.numChildren &&
    a.kind === b.kind &&
    a.ttlMillis === b.ttlMillis
  );
}

export function sameChange(a: Change, b: Change): boolean {
  return (
    a.zxid === b.zxid &&
    a.type === b.type &&
    a.path === b.path &&
    a.version === b.version &&
    a.czxid === b.czxid &&
    a.time === b.time &&
    a.acl === b.acl &&
    a.parentAcl === b.parentAcl &&
    a.kind === b.kind
  );
}

/** Apart from whether it was told from the memory of an idempotency key. */
export function sameOutcome(a: Outcome, b: Outcome): boolean {
  if (a.zxid !== b.zxid) return false;
  if (a.ok && b.ok) return sameValue(a.result, b.result);
  if (a.ok || b.ok) return false;
  return a.code === b.code && a.detail === b.detail && a.path === b.path && sameValue(a.op, b.op);
}
