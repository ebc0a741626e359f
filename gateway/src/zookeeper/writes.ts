/**
 * Requests that write, as operations of the replicated state; or the code of ZooKeeper that refuses them here, before
 * anything is asked. The order in which faults are looked for is PrepRequestProcessor's, as far as they show without the tree.
 */
import {
  type Acl,
  type AclEntry,
  type CheckOperation,
  type Condition,
  type CreateOperation,
  codecLimits,
  type DeleteOperation,
  isBadPath,
  limits,
  type NodeKind,
  openAcl,
  parsePath,
  parseSequentialPrefix,
  permissions,
  type SetAclOperation,
  type SetOperation,
  type Shape,
  utf8Length,
} from "@quorate/api";
import {
  type CheckRequest,
  type CreateRequest,
  codes,
  type DeleteRequest,
  type RequestBody,
  type SetDataRequest,
} from "./messages.ts";

type SetAclRequest = Extract<RequestBody, { op: "setAcl" }>;

const nothing = new Uint8Array(0);
const anyVersion = -1;
const noCondition: Condition = {};
/** CreateMode: persistent, ephemeral, both sequential, container, with TTL, and that sequential. */
const modes = [
  { ephemeral: false, sequential: false, ttl: false },
  { ephemeral: true, sequential: false, ttl: false },
  { ephemeral: false, sequential: true, ttl: false },
  { ephemeral: true, sequential: true, ttl: false },
  { ephemeral: false, sequential: false, ttl: false },
  { ephemeral: false, sequential: false, ttl: true },
  { ephemeral: false, sequential: true, ttl: true },
] as const;
const containerType = 19;
const ttlType = 21;
const persistent: Shape = { kind: "persistent", ttlMillis: 0 };
const ephemeral: Shape = { kind: "ephemeral", ttlMillis: 0 };

/** Container and TTL come of their own opcodes: `create` with the container's flag makes a persistent znode, as at ZooKeeper. */
export function createOf(request: CreateRequest): CreateOperation | number {
  const { type, data, ttlMillis } = request;
  const mode = modes[request.flags];
  if (mode === undefined || mode.ttl !== (type === ttlType)) return codes.badArguments;
  if (mode.ttl && !(ttlMillis >= 1 && ttlMillis <= limits.ttlMaxMillis)) return codes.badArguments;
  const path = mode.sequential ? parseSequentialPrefix(request.path) : parsePath(request.path);
  if (isBadPath(path)) return codes.badArguments;
  const acl = aclOf(request.acl);
  if (acl === "bad") return codes.invalidAcl;
  const kind: NodeKind = mode.ttl
    ? "ttl"
    : type === containerType
      ? "container"
      : mode.ephemeral
        ? "ephemeral"
        : "persistent";
  const shape = shapeOf(kind, mode.ttl ? ttlMillis : 0, acl);
  const { sequential } = mode;
  const operation = { kind: "create", path, data: data ?? nothing, shape, sequential, parents: false } as const;
  return data === undefined ? { ...operation, nullData: true } : operation;
}

function shapeOf(kind: NodeKind, ttlMillis: number, acl: Acl | undefined): Shape {
  if (acl !== undefined) return { kind, ttlMillis, acl };
  if (kind === "persistent") return persistent;
  return kind === "ephemeral" ? ephemeral : { kind, ttlMillis };
}

/** Undefined: the open list. What it means is the tree's to say; `bad` is what has no place in a command. */
function aclOf(acl: readonly AclEntry[]): Acl | undefined | "bad" {
  const [first] = acl;
  if (acl.length === 1 && first?.perms === permissions.all && first.scheme === "world" && first.id === "anyone") {
    return undefined;
  }
  return acl.length <= limits.aclEntries && acl.every(fits) ? acl : "bad";
}

function fits({ scheme, id, perms }: AclEntry): boolean {
  const { schemeBytes, idBytes } = codecLimits;
  return perms >= 0 && perms <= permissions.all && utf8Length(scheme) <= schemeBytes && utf8Length(id) <= idBytes;
}

export function setOf(request: SetDataRequest): SetOperation | number {
  const { data, version } = request;
  const path = parsePath(request.path);
  if (isBadPath(path)) return codes.badArguments;
  const operation = { kind: "set", path, data: data ?? nothing, condition: conditionOf(version) } as const;
  return data === undefined ? { ...operation, nullData: true } : operation;
}

function conditionOf(version: number): Condition {
  return version === anyVersion ? noCondition : { version };
}

/** ZooKeeper looks a bad path up and finds nothing there, unless it has no parent at all. */
export function deleteOf(request: DeleteRequest): DeleteOperation | number {
  const path = parsePath(request.path);
  if (isBadPath(path)) {
    return request.path.includes("/") && !request.path.includes("\0") ? codes.noNode : codes.badArguments;
  }
  return { kind: "delete", path, condition: conditionOf(request.version), recursive: false };
}

export function setAclOf(request: SetAclRequest): SetAclOperation | number {
  const path = parsePath(request.path);
  if (isBadPath(path)) return codes.badArguments;
  const acl = aclOf(request.acl);
  if (acl === "bad") return codes.invalidAcl;
  return { kind: "setAcl", path, acl: acl ?? openAcl, aversion: request.version };
}

export function checkOf(request: CheckRequest): CheckOperation | number {
  const path = parsePath(request.path);
  if (isBadPath(path)) return codes.badArguments;
  const { version } = request;
  return version === anyVersion ? { kind: "check", path, exists: true } : { kind: "check", path, version };
}
