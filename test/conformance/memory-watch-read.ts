/** Answers a read of kind `watch` by the public face of a tree alone: its reads, its ring and its access control lists. */
import {
  type Acting,
  type Change,
  type ChangeType,
  type Failure,
  type Identity,
  nameOf,
  type Outcome,
  type Path,
  parentOf,
  permissions,
  permits,
  type WatchEvent,
  type WatchOperation,
  type WatchState,
} from "@quorate/api";
import type { Tree } from "@quorate/tree";

/** Events in one answer; transactions are whole. */
const eventLimit = 1000;

export function readWatch(tree: Tree, operation: WatchOperation, identity: Identity, acting?: Acting): Outcome {
  const zxid = tree.applied;
  let sessionTimeoutMillis = 0;
  if (acting) {
    const session = tree.session(acting.session);
    if (!session) return { ok: false, zxid, code: "sessionExpired", detail: "the session is over" };
    if (!tree.secretMatches(acting.session, acting.secretHash))
      return { ok: false, zxid, code: "authFailed", detail: "the session's secret is wrong" };
    sessionTimeoutMillis = session.timeoutMillis;
  }
  const { scopes, after } = operation;
  const states: WatchState[] = [];
  for (const path of scopes.node) {
    const answer = tree.read({ kind: "get", path }, identity);
    if (answer.ok && answer.result.kind === "data") {
      const { stat, data } = answer.result;
      states.push({ scope: "node", path, stat, data });
    } else if (!answer.ok && answer.code === "noNode") states.push({ scope: "node", path });
    else return answer;
  }
  for (const path of scopes.children) {
    const answer = childrenOf(tree, path, identity);
    if ("ok" in answer) return answer;
    states.push(answer);
  }
  for (const path of scopes.subtree) {
    const answer = tree.read({ kind: "get", path }, identity);
    if (!answer.ok && answer.code !== "noNode") return answer;
  }
  if (after === undefined) {
    const result = { kind: "watched", states, events: [], through: zxid, more: false, sessionTimeoutMillis } as const;
    return { ok: true, zxid, result };
  }
  return eventsBehind(tree, operation, identity, sessionTimeoutMillis);
}

function childrenOf(tree: Tree, path: Path, identity: Identity): WatchState | Failure {
  const names: string[] = [];
  for (;;) {
    const behind = names.at(-1);
    const page = { kind: "children", path, limit: 1000, withData: false } as const;
    const answer = tree.read(behind === undefined ? page : { ...page, after: behind }, identity);
    if (!answer.ok) return answer.code === "noNode" ? { scope: "children", path, children: [] } : answer;
    if (answer.result.kind !== "children") throw new Error("a listing was answered otherwise");
    const { stat, children, more } = answer.result;
    for (const { name } of children) names.push(name);
    if (!more) return { scope: "children", path, stat, children: names };
  }
}

function eventsBehind(
  tree: Tree,
  operation: WatchOperation,
  identity: Identity,
  sessionTimeoutMillis: number,
): Outcome {
  const zxid = tree.applied;
  const { scopes, after = zxid } = operation;
  if (!ofThisHistory(operation)) {
    return { ok: false, zxid, code: "cursorOfAnotherHistory", detail: "the cursor is of another history" };
  }
  const changes = tree.changes.after(after);
  if (changes === "tooOld") return { ok: false, zxid, code: "cursorTooOld", detail: "the cursor is too old" };
  const events: WatchEvent[] = [];
  let through = after;
  for (const change of changes) {
    if (change.zxid !== through && events.length >= eventLimit) {
      const result = { kind: "watched", states: [], events, through, more: true, sessionTimeoutMillis } as const;
      return { ok: true, zxid, result };
    }
    through = change.zxid;
    const seen = see(tree, scopes, change, identity);
    if (seen === "denied") return { ok: false, zxid, code: "noAuth", detail: `${change.path} may not be read` };
    if (seen) events.push(seen);
  }
  const result = { kind: "watched", states: [], events, through: zxid, more: false, sessionTimeoutMillis } as const;
  return { ok: true, zxid, result };
}

function see(
  tree: Tree,
  scopes: WatchOperation["scopes"],
  change: Change,
  identity: Identity,
): WatchEvent | "denied" | undefined {
  const { type, path, zxid, version, czxid, time } = change;
  const may = (reference: number): boolean => permits(tree.acl(reference) ?? [], identity, permissions.read);
  const named = scopes.node.includes(path) || scopes.subtree.includes(path);
  const parent = parentOf(path);
  const child = type !== "changed" && type !== "acl" && parent !== undefined && scopes.children.includes(parent);
  const below = type !== "acl" && scopes.subtree.some((root) => isBelow(path, root));
  if (named && !may(change.acl)) return "denied";
  if (child && !may(change.parentAcl)) return "denied";
  if (type === "acl" || !(named || child || (below && may(change.acl)))) return undefined;
  return { zxid, type: type as ChangeType, path, version, czxid, time };
}

function isBelow(path: Path, root: Path): boolean {
  return root === "/" ? nameOf(path) !== "" : path.startsWith(`${root}/`);
}

export function ofThisHistory({ history }: WatchOperation): boolean {
  return history === undefined || memoryHistoryId.startsWith(history);
}

/** Of the ensemble that the memory is. */
export const memoryHistoryId = "4a91e37371a4b3c64a91e37371a4b3c6";
