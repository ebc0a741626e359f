/** Deletion, of one znode or atomically of all below it, and of what ends by itself: ephemerals, TTLs, containers. */
import {
  type DeleteOperation,
  type Failure,
  limits,
  type Outcome,
  type Path,
  parentOf,
  permissions,
  type SessionId,
  type SweepOperation,
} from "@quorate/api";
import { absent, unmet } from "./condition.ts";
import { failure, success } from "./failure.ts";
import { zookeeperRules } from "./known.ts";
import { isReserved } from "./reserved.ts";
import { denied } from "./rights.ts";
import type { State } from "./state.ts";
import { dueAt, isSpentContainer } from "./sweep-index.ts";
import type { Transaction } from "./transaction.ts";
import type { ZNode } from "./znode.ts";

export function remove(state: State, tx: Transaction, operation: DeleteOperation): Outcome {
  const { path, condition, recursive } = operation;
  const parentPath = parentOf(path);
  if (parentPath === undefined) return failure(tx.zxid, "badArguments", "the root cannot be deleted", path);
  if (state.rules >= zookeeperRules && isReserved(path)) {
    const detail = `the znode ${path} is one that every tree has, and cannot be deleted`;
    return failure(tx.zxid, "badArguments", detail, path);
  }
  const parent = state.znodes.get(parentPath);
  if (parent === undefined) return absent(tx, path);
  const forbidden = denied(state, tx.zxid, parent, tx.identity, permissions.delete);
  if (forbidden !== undefined) return forbidden;
  const node = state.znodes.get(path);
  if (node === undefined) return absent(tx, path);
  if (condition.exists === false) {
    return failure(tx.zxid, "nodeExists", `the znode ${path} exists, and the condition says it must not`, path);
  }
  const wrong = unmet(tx, node, condition);
  if (wrong !== undefined) return wrong;
  if (node.numChildren > 0) {
    if (recursive) return removeAll(state, tx, node);
    const detail = `the znode ${path} has children (${node.numChildren}); delete them first, or add ?recursive=true`;
    return failure(tx.zxid, "notEmpty", detail, path);
  }
  const full = tx.room(1, path);
  if (full !== undefined) return full;
  drop(state, tx, node);
  return success(tx.zxid, { kind: "deleted", path, count: 1 });
}

function removeAll(state: State, tx: Transaction, top: ZNode): Outcome {
  const all = below(state, tx, top);
  if (!Array.isArray(all)) return all;
  for (let i = all.length - 1; i >= 0; i--) {
    // Its record has changed with each child that went.
    const node = state.znodes.get(all[i] as Path);
    if (node !== undefined) drop(state, tx, node);
  }
  return success(tx.zxid, { kind: "deleted", path: top.path, count: all.length });
}

/** The znode and all below, each behind its parent; or why they may not be deleted. */
function below(state: State, tx: Transaction, top: ZNode): Path[] | Failure {
  const all: Path[] = [top.path];
  for (let i = 0; i < all.length; i++) {
    const node = state.znodes.get(all[i] as Path);
    if (node?.family === undefined || node.numChildren === 0) continue;
    const bad =
      denied(state, tx.zxid, node, tx.identity, permissions.delete) ?? tx.room(all.length + node.numChildren, top.path);
    if (bad !== undefined) return bad;
    for (const child of node.family.index.after(undefined)) all.push(child as Path);
  }
  return all;
}

/** Takes a childless znode, which is no root, out of the tree. */
function drop(state: State, tx: Transaction, node: ZNode): void {
  const parentPath = parentOf(node.path);
  const parent = parentPath === undefined ? undefined : state.znodes.get(parentPath);
  if (parent === undefined) return;
  state.znodes.detach(parent, node, tx);
  tx.note("deleted", node, parent.acl);
}

/** Deletes the session's ephemerals; how many there were. */
export function removeEphemerals(state: State, tx: Transaction, session: SessionId): number {
  const paths = state.znodes.ephemeralsOf(session);
  for (const path of paths) {
    const node = state.znodes.get(path);
    if (node !== undefined) drop(state, tx, node);
  }
  return paths.length;
}

/** Deletes each candidate that still is as the leader saw it and whose time is over by the batch's stamp. */
export function sweep(state: State, tx: Transaction, operation: SweepOperation): Outcome {
  if (operation.candidates.length > limits.txnZnodes) {
    return failure(tx.zxid, "tooLarge", `a sweep has at most ${limits.txnZnodes} candidates (txnZnodes)`);
  }
  let count = 0;
  for (const { path, mzxid, pzxid } of operation.candidates) {
    const node = state.znodes.get(path);
    if (node === undefined || node.mzxid !== mzxid || node.pzxid !== pzxid) continue;
    const due = dueAt(node);
    if (!isSpentContainer(node) && (due === undefined || due > tx.stamp)) continue;
    drop(state, tx, node);
    count++;
  }
  return success(tx.zxid, { kind: "done", count });
}
