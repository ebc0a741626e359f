/** Creation: ZooKeeper's create with sequential names, kinds and missing parents. Everything is judged before a write. */
import {
  type CreateOperation,
  type Failure,
  limits,
  type NodeKind,
  noSession,
  type Outcome,
  type Path,
  parentOf,
  permissions,
  rootPath,
  type Shape,
  sequenceSuffix,
  utf8Length,
} from "@quorate/api";
import { openAclReference } from "./acls.ts";
import { compact, flatten, nullData } from "./compact-data.ts";
import { failure, success } from "./failure.ts";
import { zookeeperRules } from "./known.ts";
import { treeLimits } from "./limits.ts";
import { mayCreate } from "./quota-check.ts";
import { denied, resolveAcl } from "./rights.ts";
import type { State } from "./state.ts";
import type { Transaction } from "./transaction.ts";
import { containerNature, type Nature, persistentNature, statOf, ZNode } from "./znode.ts";

export function create(state: State, tx: Transaction, operation: CreateOperation): Outcome {
  const { shape, data } = operation;
  const given = operation.path;
  const resolved = resolveAcl(state, shape.acl, tx.zxid, tx.identity, given);
  if ("ok" in resolved) return resolved;
  const misfit = ephemeralMisfit(tx, shape.kind, given);
  if (misfit !== undefined) return misfit;
  const parentPath = parentOf(given);
  if (parentPath === undefined && !operation.sequential) return rootExists(state, tx);
  const place = findPlace(state, tx, parentPath ?? rootPath, operation.parents, given);
  if ("ok" in place) return place;
  const { deepest, missing } = place;
  const forbidden = denied(state, tx.zxid, deepest, tx.identity, permissions.create);
  if (forbidden !== undefined) return forbidden;
  const before = missing.length > 0 ? 0 : deepest.childrenCreated;
  // Flat before it is looked up: the very string that will be the key, with its hash.
  const path = flatten(operation.sequential ? given + sequenceSuffix(before) : given) as Path;
  const kept = operation.nullData ? nullData : compact(data);
  const bad =
    unfit(state, tx, path, deepest, operation, missing.length + 1) ?? mayCreate(state, tx, path, kept, missing);
  if (bad !== undefined) return bad;

  let parent = deepest;
  for (const each of missing) {
    parent = insert(state, tx, parent, ZNode.fresh(flatten(each) as Path, "", persistentNature, openAclReference, tx));
  }
  const reference = state.acls.intern(resolved.acl);
  const nature = natureOf(state, tx, shape);
  const node = ZNode.fresh(path, kept, nature, reference, tx);
  insert(state, tx, parent, node);
  return success(tx.zxid, { kind: "node", path: node.path, created: true, stat: statOf(node) });
}

/** ZooKeeper looks at the permission first, which the root gives for itself. */
function rootExists(state: State, tx: Transaction): Failure {
  const root = state.rules >= zookeeperRules ? state.znodes.get(rootPath) : undefined;
  const forbidden = root === undefined ? undefined : denied(state, tx.zxid, root, tx.identity, permissions.create);
  return forbidden ?? failure(tx.zxid, "nodeExists", "the root always exists", rootPath);
}

/** `parent` is a record made before, whose place another may have taken since. */
function insert(state: State, tx: Transaction, parent: ZNode, node: ZNode): ZNode {
  state.znodes.insert(parent, node, tx);
  tx.note("created", node, parent.acl);
  return node;
}

/** An ephemeral needs the session that it lives as long as. */
export function ephemeralMisfit(tx: Transaction, kind: NodeKind, path: Path): Failure | undefined {
  if (kind !== "ephemeral" || tx.session !== noSession) return undefined;
  const detail = `${path}: an ephemeral znode needs a session to live as long as; open one and send Quorate-Session: <id>:<secret>`;
  return failure(tx.zxid, "badArguments", detail, path);
}

export function natureOf(state: State, tx: Transaction, shape: Shape): Nature {
  switch (shape.kind) {
    case "persistent":
      return persistentNature;
    case "container":
      return containerNature;
    case "ephemeral":
      return state.znodes.ephemeralNature(tx.session);
    case "ttl":
      return { kind: "ttl", owner: noSession, ttlMillis: shape.ttlMillis };
  }
}

interface Place {
  /** The deepest znode that exists on the way. */
  readonly deepest: ZNode;
  /** The parents to be made, from the top. */
  readonly missing: readonly Path[];
}

function findPlace(state: State, tx: Transaction, parent: Path, parents: boolean, given: Path): Place | Failure {
  const found = state.znodes.get(parent);
  if (found !== undefined) return { deepest: found, missing: none };
  if (!parents) {
    const detail = `the parent ${parent} does not exist; create it first, or add ?parents=true`;
    return failure(tx.zxid, "noParent", detail, given);
  }
  const missing: Path[] = [];
  let at: Path = parent;
  for (;;) {
    const node = state.znodes.get(at);
    if (node !== undefined) return { deepest: node, missing: missing.reverse() };
    missing.push(at);
    at = parentOf(at) ?? rootPath;
  }
}

const none: readonly Path[] = [];

/** Why the znode cannot be made there, now that the caller may make one. */
function unfit(
  state: State,
  tx: Transaction,
  path: Path,
  deepest: ZNode,
  operation: CreateOperation,
  count: number,
): Failure | undefined {
  if (operation.sequential && utf8Length(path) > limits.pathBytes) {
    const detail = `the path is longer than ${limits.pathBytes} bytes with its sequence number; shorten the prefix`;
    return failure(tx.zxid, "badArguments", detail, operation.path);
  }
  if (count === 1 && state.znodes.get(path) !== undefined) {
    return failure(tx.zxid, "nodeExists", `the znode ${path} exists`, path);
  }
  if (deepest.nature.kind === "ephemeral") {
    const detail = `${deepest.path} is ephemeral, and ephemeral znodes have no children`;
    return failure(tx.zxid, "noChildrenForEphemerals", detail, path);
  }
  if (state.znodes.size + count > treeLimits.znodes) {
    const detail = `quota: the tree holds at most ${treeLimits.znodes} znodes; delete some`;
    return failure(tx.zxid, "quotaExceeded", detail, path);
  }
  if (operation.shape.kind === "ephemeral" && state.znodes.ephemeralCount(tx.session) >= limits.sessionEphemerals) {
    const detail = `ephemerals: the session owns ${limits.sessionEphemerals} ephemeral znodes, which is the most`;
    return failure(tx.zxid, "quotaExceeded", detail, path);
  }
  return tx.room(count, path);
}
