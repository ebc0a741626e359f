/** Values of the public .proto files as the client shows them, and back. */
import { asZxid, formatZxid, parseZxid } from "@quorate/api";
import type { v1 } from "@quorate/proto";
import type { Settings } from "../ask.ts";
import { defined } from "../defined.ts";
import { durationText } from "../duration.ts";
import type { AclEntry, Child, Condition, Shape, Stat } from "../quorate.ts";
import { QuorateError } from "../quorate-error.ts";

export const noBytes: Uint8Array = new Uint8Array(0);

/** Of its own memory: what came is a part of a whole message, and a Buffer. */
export function bytesIn(data: Uint8Array | undefined): Uint8Array {
  return new Uint8Array(data ?? noBytes);
}

export function zxidText(value: number | undefined): string {
  return formatZxid(asZxid(value ?? 0));
}

export function zxidOf(text: string, field: string): number {
  const zxid = parseZxid(text);
  if (zxid === undefined) throw new QuorateError("badArguments", `${field}: ${text} is no zxid`);
  return zxid;
}

export function durationOf(millis: number): v1.Duration {
  const whole = Math.round(millis);
  return { seconds: Math.floor(whole / 1000), nanos: (whole % 1000) * 1_000_000 };
}

export function millisIn({ seconds = 0, nanos = 0 }: v1.Duration): number {
  return seconds * 1000 + nanos / 1_000_000;
}

export function timeText(time: v1.Timestamp | undefined): string {
  return new Date(Math.round(millisIn(time ?? {}))).toISOString();
}

const kinds = {
  NODE_KIND_UNSPECIFIED: "persistent",
  NODE_KIND_PERSISTENT: "persistent",
  NODE_KIND_EPHEMERAL: "ephemeral",
  NODE_KIND_CONTAINER: "container",
  NODE_KIND_TTL: "ttl",
} as const satisfies Record<v1.NodeKind, Stat["kind"]>;

export function statOf(stat: v1.Stat | undefined): Stat {
  const { kind = "NODE_KIND_UNSPECIFIED", ephemeralOwner, ttl } = stat ?? {};
  return defined({
    czxid: zxidText(stat?.czxid),
    mzxid: zxidText(stat?.mzxid),
    pzxid: zxidText(stat?.pzxid),
    ctime: timeText(stat?.ctime),
    mtime: timeText(stat?.mtime),
    version: stat?.version ?? 0,
    cversion: stat?.cversion ?? 0,
    aversion: stat?.aversion ?? 0,
    dataLength: stat?.dataLength ?? 0,
    numChildren: stat?.numChildren ?? 0,
    kind: kinds[kind],
    ephemeralOwner: ephemeralOwner ? zxidText(ephemeralOwner) : undefined,
    ttl: ttl && durationText(millisIn(ttl)),
  });
}

export function childOf({ name = "", stat, data }: v1.Child): Child {
  return defined({ name, stat: stat && statOf(stat), data: data && bytesIn(data) });
}

export function aclOf(entries: readonly AclEntry[]): v1.Acl {
  return { entries };
}

export function aclIn(acl: v1.Acl | undefined): AclEntry[] {
  return (acl?.entries ?? []).map(({ scheme = "", id = "", perms = "" }) => ({ scheme, id, perms }));
}

/** Undefined: nothing was said. */
export function shapeOf({ ephemeral, container, ttlMillis, acl }: Shape): v1.Shape | undefined {
  const said = [ephemeral === true, container === true, ttlMillis !== undefined].filter(Boolean).length;
  if (said > 1) throw new QuorateError("badArguments", "ephemeral, container and ttlMillis exclude each other");
  if (said === 0 && acl === undefined) return undefined;
  const made = { acl: acl && aclOf(acl) };
  if (ttlMillis !== undefined) return { kind: "NODE_KIND_TTL", ttl: durationOf(ttlMillis), ...made };
  const kind = ephemeral ? "NODE_KIND_EPHEMERAL" : container ? "NODE_KIND_CONTAINER" : "NODE_KIND_PERSISTENT";
  return { kind, ...made };
}

export function conditionOf({ exists, mzxid, version }: Condition & { readonly version?: number }): v1.Condition {
  return { exists, mzxids: mzxid === undefined ? [] : [zxidOf(mzxid, "mzxid")], version };
}

const consistencies = {
  linearizable: "CONSISTENCY_LINEARIZABLE",
  session: "CONSISTENCY_SESSION",
  stale: "CONSISTENCY_STALE",
} as const;

/** What of the settings stands in the request; the rest is the call's. */
export type Asking = Pick<Settings, "session" | "key" | "fences" | "consistency" | "minZxid" | "maxStaleMillis">;

export function readOptions({ session, consistency, minZxid, maxStaleMillis }: Asking): v1.ReadOptions {
  return {
    sessionId: session && zxidOf(session.id, "session"),
    consistency: consistency && consistencies[consistency],
    minZxid: minZxid === undefined ? undefined : zxidOf(minZxid, "minZxid"),
    maxStale: maxStaleMillis === undefined ? undefined : durationOf(maxStaleMillis),
  };
}

export function writeOptions({ session, key, fences }: Asking): v1.WriteOptions {
  const fenced = fences?.map(({ path, token }) => ({ path, token: zxidOf(token, "fenced.token") }));
  return { sessionId: session && zxidOf(session.id, "session"), idempotencyKey: key, fenced };
}
