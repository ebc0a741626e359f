/** What clients read, answered from the state as it is at the last applied zxid. */
import {
  type Acting,
  type Failure,
  type GetAclOperation,
  type GetSessionOperation,
  type Identity,
  type ListSessionsOperation,
  limits,
  type Outcome,
  type Path,
  permissions,
  type ReadOperation,
  type SessionInfo,
  unreachable,
} from "@quorate/api";
import { absent } from "./condition.ts";
import { failure, success } from "./failure.ts";
import { readZnode } from "./read-znode.ts";
import { denied, masked, may } from "./rights.ts";
import { sessionGone } from "./session-operations.ts";
import { infoOf, type SessionRecord, secretIs } from "./sessions.ts";
import type { State } from "./state.ts";
import { Transaction } from "./transaction.ts";
import { runReads } from "./txn.ts";
import { watch } from "./watch.ts";
import { statOf, type ZNode } from "./znode.ts";

export function read(state: State, operation: ReadOperation, identity: Identity, acting: Acting | undefined): Outcome {
  const refused = acting === undefined ? undefined : unproven(state, acting);
  // Whom a session does not concern need not care that it is over.
  const proven = refused === undefined ? acting : undefined;
  const tx = new Transaction(state.applied, state.stamp, identity, proven);
  switch (operation.kind) {
    case "get":
    case "exists":
    case "children":
      return readZnode(state, tx, operation);
    case "getAcl":
      return getAcl(state, tx, operation);
    case "getSession":
      return getSession(state, tx, operation, refused);
    case "listSessions":
      return listSessions(state, tx, operation);
    case "sync":
      return success(tx.zxid, { kind: "done", count: 0 });
    case "watch":
      return refused ?? watch(state, tx, operation);
    case "txn":
      return refused ?? runReads(state, tx, operation);
    default:
      return unreachable(operation);
  }
}

function unproven(state: State, shown: Acting): Failure | undefined {
  const record = state.sessions.get(shown.session);
  if (record === undefined) return sessionGone(state.applied, shown.session);
  if (secretIs(record, shown.secretHash)) return undefined;
  return failure(
    state.applied,
    "authFailed",
    "the session's secret is wrong; send Quorate-Session: <id>:<secret> as it was given",
  );
}

/** READ or ADMIN; the hashes of digest ids only for ADMIN. */
function getAcl(state: State, tx: Transaction, operation: GetAclOperation): Outcome {
  const node: ZNode | undefined = state.znodes.get(operation.path);
  if (node === undefined) return absent(tx, operation.path);
  const forbidden = denied(state, tx.zxid, node, tx.identity, permissions.read | permissions.admin);
  if (forbidden !== undefined) return forbidden;
  const acl = state.acls.get(node.acl) ?? [];
  const shown = may(state, node, tx.identity, permissions.admin) ? acl : masked(acl);
  return success(tx.zxid, { kind: "acl", path: node.path, acl: shown, stat: statOf(node) });
}

function getSession(
  state: State,
  tx: Transaction,
  operation: GetSessionOperation,
  refused: Failure | undefined,
): Outcome {
  const { session } = operation;
  const record = state.sessions.get(session);
  if (record === undefined || record.role !== "client") {
    return (session as number) <= tx.zxid
      ? sessionGone(tx.zxid, session)
      : failure(tx.zxid, "behind", "this replica has not applied that session's opening; try again");
  }
  if (!tx.identity.superUser && tx.session !== session) {
    if (refused !== undefined) return refused;
    const detail =
      "only who shows the session's secret (Quorate-Session: <id>:<secret>), or the super user, may see it";
    return failure(tx.zxid, "noAuth", detail);
  }
  const ephemerals: readonly Path[] = state.znodes.ephemeralsOf(session);
  return success(tx.zxid, { kind: "sessionInfo", info: infoOf(record, ephemerals.length), ephemerals });
}

function listSessions(state: State, tx: Transaction, operation: ListSessionsOperation): Outcome {
  if (!tx.identity.superUser) {
    return failure(tx.zxid, "noAuth", "only the super user may list sessions; authenticate as --superuser says");
  }
  const limit = Math.min(operation.limit, limits.pageNames);
  const found: SessionRecord[] = [];
  // Ids rise with their creation, but a loaded table may have another order.
  for (const record of state.sessions.values()) {
    if (record.role === "client" && record.id > (operation.after ?? 0)) found.push(record);
  }
  found.sort((a, b) => a.id - b.id);
  const sessions: SessionInfo[] = [];
  let room = limits.answerBytes - 8192;
  for (const record of found) {
    if (sessions.length >= limit) break;
    room -= bytesOfSession(record);
    if (room < 0 && sessions.length > 0) break;
    sessions.push(infoOf(record, state.znodes.ephemeralCount(record.id)));
  }
  return success(tx.zxid, { kind: "sessionList", sessions, more: sessions.length < found.length });
}

function bytesOfSession(record: SessionRecord): number {
  let sum = 128 + 3 * (record.name.length + record.address.length);
  for (const each of record.identity) sum += 16 + 3 * (each.scheme.length + each.id.length);
  return sum;
}
