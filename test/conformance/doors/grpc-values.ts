/** gRPC's messages from the doors' common form, and as it. */
import type { v1 } from "@quorate/proto";
import {
  type AclEntry,
  bytesOf,
  type Check,
  type Child,
  type Condition,
  type Event,
  hex,
  type Part,
  type SessionShown,
  type Stat,
  type State,
  shown,
  type TxnStep,
} from "./door.ts";

/** An id beyond the safe range stays beyond it. */
export function idOf(text: string): number {
  return Number(BigInt(text));
}

export function durationMessage(millis: number): v1.Duration {
  const seconds = Math.trunc(millis / 1000);
  return { seconds, nanos: (millis - seconds * 1000) * 1e6 };
}

export function millisOf({ seconds = 0, nanos = 0 }: v1.Duration = {}): number {
  return seconds * 1000 + nanos / 1e6;
}

export function aclMessage(acl: readonly AclEntry[]): v1.Acl {
  return { entries: acl };
}

const kinds = {
  persistent: "NODE_KIND_PERSISTENT",
  ephemeral: "NODE_KIND_EPHEMERAL",
  container: "NODE_KIND_CONTAINER",
  ttl: "NODE_KIND_TTL",
} as const;

/** A ttl means the kind, as it does in REST. */
export function shapeMessage(asked: {
  readonly kind?: "ephemeral" | "container" | "ttl";
  readonly ttlMillis?: number;
  readonly acl?: readonly AclEntry[];
}): { readonly shape?: v1.Shape } {
  const { kind, ttlMillis, acl } = asked;
  if (kind === undefined && ttlMillis === undefined && acl === undefined) return {};
  const name = kind ?? (ttlMillis === undefined ? undefined : "ttl");
  return {
    shape: {
      ...(name === undefined ? {} : { kind: kinds[name] }),
      ...(ttlMillis === undefined ? {} : { ttl: durationMessage(ttlMillis) }),
      ...(acl === undefined ? {} : { acl: aclMessage(acl) }),
    },
  };
}

export function conditionMessage(condition: Condition | undefined): { readonly condition?: v1.Condition } {
  if (condition === undefined) return {};
  const { exists, version, mzxids = [] } = condition;
  return { condition: { exists, version, mzxids: mzxids.map(Number) } };
}

export function checkMessage({ path, exists, version, mzxid, czxid, ownerSelf }: Check): v1.Check {
  return {
    path,
    exists,
    version,
    mzxid: mzxid === undefined ? undefined : Number(mzxid),
    czxid: czxid === undefined ? undefined : Number(czxid),
    ownerSelf,
  };
}

export function stepMessage(step: TxnStep): v1.TxnOperation {
  switch (step.op) {
    case "create": {
      const { path, sequential = false, parents = false } = step;
      return { create: { path, data: bytesOf(step.data), ...shapeMessage(step), sequential, parents } };
    }
    case "put": {
      const { path, parents = false } = step;
      const condition = conditionMessage(step.condition);
      return { put: { path, data: bytesOf(step.data), ...shapeMessage(step), ...condition, parents } };
    }
    case "set":
      return { set: { path: step.path, data: bytesOf(step.data), ...conditionMessage(step.condition) } };
    case "delete":
      return {
        delete: { path: step.path, recursive: step.recursive ?? false, ...conditionMessage(step.condition) },
      };
    case "setAcl":
      return { setAcl: { path: step.path, acl: aclMessage(step.acl), aversion: step.aversion } };
    case "check":
      return { check: checkMessage(step) };
    case "get":
      return { get: { path: step.path } };
    case "exists":
      return { exists: { path: step.path } };
    case "children":
      return { listChildren: { path: step.path, pageSize: step.limit, withData: step.withData } };
  }
}

function millisSince({ seconds = 0, nanos = 0 }: v1.Timestamp = {}): number {
  return seconds * 1000 + nanos / 1e6;
}

export function statOf(stat: v1.Stat): Stat {
  const kind = Object.entries(kinds).find(([, name]) => name === stat.kind)?.[0] as Stat["kind"];
  const { ephemeralOwner = 0, ttl } = stat;
  return {
    czxid: hex(stat.czxid ?? 0),
    mzxid: hex(stat.mzxid ?? 0),
    pzxid: hex(stat.pzxid ?? 0),
    ctime: millisSince(stat.ctime),
    mtime: millisSince(stat.mtime),
    version: stat.version ?? 0,
    cversion: stat.cversion ?? 0,
    aversion: stat.aversion ?? 0,
    dataLength: stat.dataLength ?? 0,
    numChildren: stat.numChildren ?? 0,
    kind,
    ...(ephemeralOwner === 0 ? {} : { owner: hex(ephemeralOwner) }),
    ...(ttl === undefined ? {} : { ttlMillis: millisOf(ttl) }),
  };
}

/** Of a get (whose empty data is absent), or of a tree without data. */
export function nodeOf(node: v1.GetResponse | v1.TreeNode): Part {
  const isGet = "header" in node;
  return {
    path: node.path ?? "",
    ...(node.stat === undefined ? {} : { stat: statOf(node.stat) }),
    ...(node.data === undefined ? (isGet ? { data: "" } : {}) : { data: shown(node.data) }),
  };
}

export function childOf({ name = "", stat, data }: v1.Child): Child {
  return {
    name,
    ...(stat === undefined ? {} : { stat: statOf(stat) }),
    ...(data === undefined ? {} : { data: shown(data) }),
  };
}

export function partOf(result: v1.TxnResult): Part {
  const { get, delete: deleted, listChildren } = result;
  if (get !== undefined) return { ...nodeOf(get), data: shown(get.data ?? new Uint8Array(0)) };
  if (deleted !== undefined) return { path: deleted.path ?? "", deleted: deleted.deleted ?? 0 };
  if (listChildren !== undefined) {
    // A page has no path of its own here.
    const { stat, children = [] } = listChildren;
    return { path: "", ...(stat === undefined ? {} : { stat: statOf(stat) }), children: children.map(childOf) };
  }
  const { create, put, set, setAcl, exists, check } = result;
  const node: v1.ExistsResponse | undefined = create ?? put ?? set ?? setAcl ?? exists ?? check;
  return { path: node?.path ?? "", ...(node?.stat === undefined ? {} : { stat: statOf(node.stat) }) };
}

const types = {
  TYPE_UNSPECIFIED: "",
  TYPE_CREATED: "created",
  TYPE_CHANGED: "changed",
  TYPE_DELETED: "deleted",
} as const;

export function eventOf(event: v1.WatchEvent): Event {
  const { type = "TYPE_UNSPECIFIED", path = "", zxid = 0, czxid = 0, version = 0, time, data, superseded } = event;
  return {
    type: types[type] as Event["type"],
    path,
    zxid: hex(zxid),
    czxid: hex(czxid),
    version,
    time: millisSince(time),
    ...(data === undefined ? {} : { data: shown(data) }),
    ...(superseded ? { superseded: true } : {}),
  };
}

export function stateOf({ node, childrenOf, exists = false, stat, data, names }: v1.WatchState): State {
  return {
    scope: node === undefined ? "children" : "node",
    path: node ?? childrenOf ?? "",
    exists,
    ...(stat === undefined ? {} : { stat: statOf(stat) }),
    ...(data === undefined ? {} : { data: shown(data) }),
    ...(node === undefined ? { names: names ?? [] } : {}),
  };
}

export function sessionOf(info: v1.SessionInfo): SessionShown {
  return {
    id: hex(info.sessionId ?? 0),
    name: info.name ?? "",
    timeoutMillis: millisOf(info.timeout),
    identity: (info.identity ?? []).map(({ scheme = "", id = "" }) => ({ scheme, id })),
    ephemeralCount: info.ephemeralCount ?? 0,
  };
}
