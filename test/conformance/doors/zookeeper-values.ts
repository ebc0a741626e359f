/** The neutral requests and answers as ZooKeeper's records, and back. What these have no words for is `NotAskable`. */
import assert from "node:assert/strict";
import { type ErrorCode, errors } from "@quorate/api";
import type { WireClient, WireReply } from "../../zookeeper/wire-client.ts";
import {
  createFlags,
  permissions,
  type WireAcl,
  type WireCreate,
  type WireRequest,
  type WireResults,
  type WireStat,
} from "../../zookeeper/wire-records.ts";
import { type AclEntry, type Bad, bytesOf, type Condition, type Good, hex, type Stat, type TxnStep } from "./door.ts";

/** ZooKeeper's protocol has no request, or no field, for this. */
export class NotAskable extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = "NotAskable";
  }
}

const letters = [
  ["r", permissions.read],
  ["w", permissions.write],
  ["c", permissions.create],
  ["d", permissions.delete],
  ["a", permissions.admin],
] as const;
const anyone: readonly AclEntry[] = [{ scheme: "world", id: "anyone", perms: "cdrwa" }];

export function wireAcl(acl: readonly AclEntry[] = anyone): WireAcl[] {
  return acl.map(({ scheme, id, perms }) => {
    const known = letters.filter(([letter]) => perms.includes(letter));
    if (known.length < perms.length) throw new NotAskable("rights are bits of a number");
    return { permissions: known.reduce((sum, [, bit]) => sum + bit, 0), scheme, id };
  });
}

export function aclOf(acl: readonly WireAcl[]): AclEntry[] {
  return acl.map(({ permissions: bits, scheme, id }) => {
    const perms = letters.filter(([, bit]) => (bits & bit) !== 0).map(([letter]) => letter);
    return { scheme: scheme ?? "", id: id ?? "", perms: inOrder(perms.join("")) };
  });
}

/** As the other doors write them. */
function inOrder(perms: string): string {
  return [..."cdrwa"].filter((letter) => perms.includes(letter)).join("");
}

export function hexOf(zxid: bigint): string {
  return hex(Number(zxid));
}

/** Containers and znodes with a TTL look like persistent ones. */
export function statOf(stat: WireStat): Stat {
  const { czxid, mzxid, pzxid, ctime, mtime, ephemeralOwner: owner, ...counts } = stat;
  const { version, cversion, aversion, dataLength, numChildren } = counts;
  return {
    ...{ czxid: hexOf(czxid), mzxid: hexOf(mzxid), pzxid: hexOf(pzxid), ctime: Number(ctime), mtime: Number(mtime) },
    ...{ version, cversion, aversion, dataLength, numChildren },
    ...(owner === 0n ? { kind: "persistent" as const } : { kind: "ephemeral" as const, owner: hexOf(owner) }),
  };
}

/** One that answers the Stat too. */
type StatingCreate = WireCreate & { readonly op: Exclude<WireCreate["op"], "create"> };

export function createOf(step: Extract<TxnStep, { readonly op: "create" }>): StatingCreate {
  const { path, data, kind, ttlMillis, acl, sequential = false } = step;
  const common = { path, data: bytesOf(data), acl: wireAcl(acl) };
  if (ttlMillis !== undefined) {
    const flags = sequential ? createFlags.persistentSequentialTtl : createFlags.persistentTtl;
    return { op: "createTtl", ...common, flags, ttl: BigInt(ttlMillis) };
  }
  if (kind === "container") {
    if (sequential) throw new NotAskable("no container is numbered");
    return { op: "createContainer", ...common, flags: createFlags.container };
  }
  const flags =
    (kind === "ephemeral" ? createFlags.ephemeral : 0) + (sequential ? createFlags.persistentSequential : 0);
  return { op: "create2", ...common, flags };
}

export function versionOf(condition: Condition | undefined): number {
  if (condition?.mzxids !== undefined) throw new NotAskable("no condition but one version");
  return condition?.version ?? -1;
}

/** Codes of the one table that this door says by this number, the likeliest first. */
function codesOf(number: number): ErrorCode[] {
  const all = Object.entries(errors).filter(([, { zookeeper }]) => zookeeper === number);
  return all.map(([code]) => code as ErrorCode);
}

export function badOf(number: number, what: string, path?: string, op?: Bad["op"]): Bad {
  const [code, ...alike] = codesOf(number);
  assert.ok(code, `${what} was answered ${number}, which no row of the table has`);
  const isUnknown = [code, ...alike].some((each) => errors[each].certainty === "unknown");
  return {
    ok: false,
    code,
    alike,
    certainty: isUnknown ? "unknown" : "noEffect",
    detail: `${what} was answered ${number}`,
    replayed: false,
    ...(path === undefined ? {} : { path }),
    ...(op === undefined ? {} : { op }),
  };
}

/** An error, where nothing else was to come. */
export class Answered extends Error {
  readonly bad: Bad;

  constructor(bad: Bad) {
    super(bad.detail);
    this.bad = bad;
  }
}

export async function send<R extends WireRequest>(
  client: WireClient,
  request: R,
): Promise<WireReply<WireResults[R["op"]]> & { readonly result: WireResults[R["op"]] }> {
  const reply = await client.send(request);
  const path = "path" in request && typeof request.path === "string" ? request.path : undefined;
  if (reply.result === undefined) throw new Answered(badOf(reply.error, request.op, path));
  return { ...reply, result: reply.result };
}

export function good(zxid: bigint): Good {
  return { ok: true, zxid: hexOf(zxid), replayed: false };
}
