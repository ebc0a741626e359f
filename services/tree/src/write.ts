/** Writes of one znode's data and ACL: put, set, setAcl. Order of verdicts: rights, existence, precondition. */
import {
  type Failure,
  formatZxid,
  type Outcome,
  type PutOperation,
  parentOf,
  permissions,
  persistentShape,
  type SetAclOperation,
  type SetOperation,
} from "@quorate/api";
import { openAclReference } from "./acls.ts";
import { type CompactData, compact, nullData } from "./compact-data.ts";
import { absent, requiresExistence, unmet } from "./condition.ts";
import { create, ephemeralMisfit } from "./create.ts";
import { failure, success } from "./failure.ts";
import { bytesOfAcl } from "./outcome-memory.ts";
import { mayWrite } from "./quota-check.ts";
import { denied, resolveAcl } from "./rights.ts";
import type { State } from "./state.ts";
import type { Transaction } from "./transaction.ts";
import { type Nature, statOf, type ZNode } from "./znode.ts";

export function set(state: State, tx: Transaction, operation: SetOperation): Outcome {
  const { path, data, condition } = operation;
  const node = state.znodes.get(path);
  if (node === undefined) return absent(tx, path);
  const forbidden = denied(state, tx.zxid, node, tx.identity, permissions.write);
  if (forbidden !== undefined) return forbidden;
  if (condition.exists === false) return exists(tx, node);
  const kept = operation.nullData ? nullData : compact(data);
  // ZooKeeper's order: the quota is judged before the version.
  return (
    mayWrite(state, tx, path, kept, node.data.length) ??
    unmet(tx, node, condition) ??
    write(state, tx, node, kept, node.nature)
  );
}

export function put(state: State, tx: Transaction, operation: PutOperation): Outcome {
  const { path, data, condition, parents } = operation;
  const shape = operation.shape ?? persistentShape;
  const node = state.znodes.get(path);
  if (node === undefined) {
    if (requiresExistence(condition)) {
      const detail = `there is no znode ${path}, but the condition asks for one; leave the condition out to create it`;
      return failure(tx.zxid, "badVersion", detail, path);
    }
    return create(state, tx, { kind: "create", path, data, shape, sequential: false, parents });
  }
  if (condition.exists === false) {
    const parent = state.znodes.get(parentOf(path) ?? path) ?? node;
    return denied(state, tx.zxid, parent, tx.identity, permissions.create) ?? exists(tx, node);
  }
  const misfit = ephemeralMisfit(tx, shape.kind, path);
  if (misfit !== undefined) return misfit;
  const forbidden = denied(state, tx.zxid, node, tx.identity, permissions.write);
  if (forbidden !== undefined) return forbidden;
  const nature = operation.shape === undefined ? node.nature : fitting(tx, node, operation.shape);
  if ("ok" in nature) return nature;
  const kept = compact(data);
  return (
    unmet(tx, node, condition) ??
    mayWrite(state, tx, path, kept, node.data.length) ??
    write(state, tx, node, kept, nature)
  );
}

function exists(tx: Transaction, node: ZNode): Failure {
  return failure(tx.zxid, "nodeExists", `the znode ${node.path} exists, and the condition says it must not`, node.path);
}

/** What the znode is after a put that names a shape: only what it is already, a TTL apart, which is renewed. */
function fitting(tx: Transaction, node: ZNode, shape: NonNullable<PutOperation["shape"]>): Nature | Failure {
  const { nature, path } = node;
  if (shape.acl !== undefined) {
    const detail = `the znode ${path} exists, and acl is only for one that is made; change it with PUT /v1/acl`;
    return failure(tx.zxid, "nodeExists", detail, path);
  }
  if (shape.kind !== nature.kind) {
    const detail = `the znode ${path} exists and is ${nature.kind}, not ${shape.kind}; a znode's kind never changes`;
    return failure(tx.zxid, "nodeExists", detail, path);
  }
  if (nature.kind === "ephemeral" && nature.owner !== tx.session) {
    const detail = `the znode ${path} exists and is the ephemeral of session ${formatZxid(nature.owner)}, not of yours`;
    return failure(tx.zxid, "nodeExists", detail, path);
  }
  if (nature.kind !== "ttl" || nature.ttlMillis === shape.ttlMillis) return nature;
  return { kind: "ttl", owner: nature.owner, ttlMillis: shape.ttlMillis };
}

function write(state: State, tx: Transaction, node: ZNode, data: CompactData, nature: Nature): Outcome {
  const full = tx.room(1, node.path);
  if (full !== undefined) return full;
  const next = node.withData(data, nature, tx);
  state.znodes.table.replace(node, next);
  tx.note("changed", next, parentAclOf(state, next));
  return success(tx.zxid, { kind: "node", path: next.path, created: false, stat: statOf(next) });
}

/** The root has its own. */
function parentAclOf(state: State, node: ZNode): number {
  // Where all is open, as it mostly is, the parent need not be looked up.
  if (state.acls.size === 0) return openAclReference;
  const parent = parentOf(node.path);
  return (parent === undefined ? node : state.znodes.get(parent))?.acl ?? openAclReference;
}

export function setAcl(state: State, tx: Transaction, operation: SetAclOperation): Outcome {
  const { path } = operation;
  const resolved = resolveAcl(state, operation.acl, tx.zxid, tx.identity, path);
  if ("ok" in resolved) return resolved;
  const node = state.znodes.get(path);
  if (node === undefined) return absent(tx, path);
  const bad =
    denied(state, tx.zxid, node, tx.identity, permissions.admin) ??
    staleAcl(tx, node, operation) ??
    tx.room(1, path) ??
    tx.spend(bytesOfAcl(resolved.acl), path);
  if (bad !== undefined) return bad;
  const next = node.withAcl(state.acls.intern(resolved.acl));
  state.znodes.table.replace(node, next);
  tx.note("acl", next, parentAclOf(state, next));
  return success(tx.zxid, { kind: "acl", path: next.path, acl: resolved.acl, stat: statOf(next) });
}

function staleAcl(tx: Transaction, node: ZNode, { path, aversion, czxid }: SetAclOperation): Failure | undefined {
  const is = `${path}: the ACL is ${formatZxid(node.czxid)}-${node.aversion}`;
  if (czxid !== undefined && czxid !== node.czxid) {
    const detail = `${is}, expected was ${formatZxid(czxid)}-${aversion}: the znode was made anew`;
    return failure(tx.zxid, "badVersion", detail, path);
  }
  if (aversion === -1 || aversion === node.aversion) return undefined;
  return failure(tx.zxid, "badVersion", `${is}, expected was aversion ${aversion}; read it again`, path);
}
