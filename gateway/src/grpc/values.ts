/** The values that requests share, each named when it is wrong: paths, zxids, sessions, durations, ACLs, shapes, conditions. */

import {
  type Acl,
  type AclEntry,
  type Check,
  type Condition,
  isBadPath,
  limits,
  type NodeKind,
  type Path,
  parsePath,
  parsePerms,
  parseSequentialPrefix,
  type SessionId,
  type Shape,
  type Zxid,
} from "@quorate/api";
import type { v1 } from "@quorate/proto";
import { recipeLimits } from "../recipes/limits.ts";
import type { Fence } from "../recipes/recipes.ts";
import { show } from "../show.ts";
import { bad, GrpcFault } from "./faults.ts";

export function pathOf(text: string | undefined, field: string): Path {
  if (text === undefined || text === "") throw bad(field, "it is missing; give an absolute path");
  const path = parsePath(text);
  if (isBadPath(path)) throw bad(field, path.bad);
  return path;
}

/** Of a lock or an election. */
export function queueOf(text: string | undefined, field: string): Path {
  const path = pathOf(text, field);
  if (path.length === 1) throw bad(field, "the root is no lock's name; give it one");
  return path;
}

export function prefixOf(text: string | undefined, field: string): Path {
  if (text === undefined || text === "") throw bad(field, "it is missing; give an absolute path");
  const path = parseSequentialPrefix(text);
  if (isBadPath(path)) throw bad(field, path.bad);
  return path;
}

const empty = new Uint8Array(0);
const noFences: readonly Fence[] = [];

export function dataOf(data: Uint8Array | undefined, field: string): Uint8Array {
  if (data === undefined) return empty;
  if (data.length > limits.dataBytes) {
    throw new GrpcFault("tooLarge", `${field}: it is over ${limits.dataBytes} bytes, which is the most`, { field });
  }
  return data;
}

export function zxidOf(value: number, field: string): Zxid {
  if (!Number.isSafeInteger(value) || value < 0) throw bad(field, `${value} is no zxid; it is from 0 to 2^53 - 1`);
  return value as Zxid;
}

/** An int64 beyond the safe range never was a session: it is over, not rounded. Undefined: none was named. */
export function sessionOf(value: number | undefined, field: string): SessionId | undefined {
  if (value === undefined || value === 0) return undefined;
  if (value < 0) throw bad(field, `${value} is no session id; give what CreateSession answered`);
  if (!Number.isSafeInteger(value)) {
    throw new GrpcFault("sessionExpired", `${field}: there is no such session; open a new one`, { field });
  }
  return value as SessionId;
}

/** Milliseconds of a Duration, within least and most. */
export function millisOf(duration: v1.Duration, field: string, least: number, most: number): number {
  const { seconds = 0, nanos = 0 } = duration;
  if (nanos % 1e6 !== 0) throw bad(field, "it is no whole number of milliseconds");
  const millis = seconds * 1000 + nanos / 1e6;
  if (!(millis >= least && millis <= most)) throw bad(field, `${millis} ms is outside ${least} ms to ${most} ms`);
  return millis;
}

/** What an enum's value means; an unknown one arrives as its number. */
export function enumOf<Name extends string, Value>(
  value: Name | undefined,
  meanings: { readonly [name in Name]: Value },
  absent: Value,
  field: string,
): Value {
  if (value === undefined) return absent;
  if (typeof value === "string" && Object.hasOwn(meanings, value)) return meanings[value];
  throw bad(field, `${String(value)} is unknown; it is one of ${Object.keys(meanings).join(", ")}`);
}

export function aclOf({ entries = [] }: v1.Acl, field: string): Acl {
  if (entries.length > limits.aclEntries) {
    throw bad(field, `${entries.length} entries are more than the ${limits.aclEntries} that an ACL may have`);
  }
  return entries.map((each, index) => aclEntryOf(each, `${field}.entries[${index}]`));
}

function aclEntryOf({ scheme = "", id = "", perms = "" }: v1.AclEntry, field: string): AclEntry {
  if (scheme === "") throw bad(`${field}.scheme`, "it is missing; it is one of world, auth, digest, ip");
  const sum = parsePerms(perms);
  if (sum === undefined) throw bad(`${field}.perms`, `${show(perms)} is not letters of cdrwa, each once`);
  return { scheme, id, perms: sum };
}

const kinds: { readonly [name in v1.NodeKind]: NodeKind } = {
  NODE_KIND_UNSPECIFIED: "persistent",
  NODE_KIND_PERSISTENT: "persistent",
  NODE_KIND_EPHEMERAL: "ephemeral",
  NODE_KIND_CONTAINER: "container",
  NODE_KIND_TTL: "ttl",
};

/** Undefined: nothing was said. `acting`: there is a session for an ephemeral. */
export function shapeOf(shape: v1.Shape | undefined, field: string, acting: boolean): Shape | undefined {
  if (shape === undefined) return undefined;
  const { kind: name = "NODE_KIND_UNSPECIFIED", ttl, acl } = shape;
  const kind = enumOf(name, kinds, "persistent", `${field}.kind`);
  if (name === "NODE_KIND_UNSPECIFIED" && ttl === undefined && acl === undefined) return undefined;
  if (kind === "ephemeral" && !acting) {
    throw bad(
      `${field}.kind`,
      "an ephemeral needs a session: name it in options.session_id, with its secret as metadata",
    );
  }
  if (kind === "ttl" && ttl === undefined) throw bad(`${field}.ttl`, "it is missing; a znode of kind TTL has one");
  if (kind !== "ttl" && ttl !== undefined) throw bad(`${field}.ttl`, "it goes with kind NODE_KIND_TTL alone");
  const ttlMillis = ttl === undefined ? 0 : millisOf(ttl, `${field}.ttl`, 1, limits.ttlMaxMillis);
  return acl === undefined ? { kind, ttlMillis } : { kind, ttlMillis, acl: aclOf(acl, `${field}.acl`) };
}

export function conditionOf(condition: v1.Condition | undefined, field: string): Condition {
  if (condition === undefined) return {};
  const { exists, mzxids = [], version } = condition;
  return {
    ...(exists === undefined ? undefined : { exists }),
    ...(mzxids.length === 0
      ? undefined
      : { mzxids: mzxids.map((each, index) => zxidOf(each, `${field}.mzxids[${index}]`)) }),
    ...(version === undefined ? undefined : { version }),
  };
}

export function checkOf(check: v1.Check, field: string, acting: boolean): Check {
  const { exists, version, mzxid, czxid, ownerSelf = false } = check;
  const path = pathOf(check.path, `${field}.path`);
  if (ownerSelf && !acting) throw bad(`${field}.owner_self`, "it needs a session; name it in options.session_id");
  if (exists === undefined && version === undefined && mzxid === undefined && czxid === undefined && !ownerSelf) {
    throw bad(field, "it checks nothing; give one of exists, version, mzxid, czxid, owner_self");
  }
  return {
    path,
    ...(exists === undefined ? undefined : { exists }),
    ...(version === undefined ? undefined : { version }),
    ...(mzxid === undefined ? undefined : { mzxid: zxidOf(mzxid, `${field}.mzxid`) }),
    ...(czxid === undefined ? undefined : { czxid: zxidOf(czxid, `${field}.czxid`) }),
    ...(ownerSelf ? { ownerSelf } : undefined),
  };
}

/** What a writer shows that it holds. */
export function fencesOf(fenced: readonly v1.Fence[] | undefined, field: string): readonly Fence[] {
  if (fenced === undefined) return noFences;
  const { fences: most } = recipeLimits;
  if (fenced.length > most) throw bad(field, `${fenced.length} are more than the ${most} that a write may have`);
  return fenced.map(({ path, token = 0 }, index) => {
    if (token === 0) throw bad(`${field}[${index}].token`, "it is missing; give what Acquire or Campaign answered");
    return { path: queueOf(path, `${field}[${index}].path`), token: zxidOf(token, `${field}[${index}].token`) };
  });
}

/** 0: the default. */
export function pageSizeOf(size: number | undefined, field: string): number {
  if (size === undefined || size === 0) return limits.defaultPageNames;
  if (size < 1 || size > limits.pageNames) throw bad(field, `${size} is outside 1 to ${limits.pageNames}`);
  return size;
}
