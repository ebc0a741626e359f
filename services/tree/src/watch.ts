/**
 * A watch, as it is asked: the state of what is watched, or the events behind a cursor. What comes behind the answer is
 * the feed's (`replica/src/feeds.ts`).
 */
import {
  type Failure,
  formatZxid,
  limits,
  type Outcome,
  type Path,
  permissions,
  type Success,
  utf8Length,
  type WatchEvent,
  type WatchedResult,
  type WatchOperation,
  type WatchState,
  type Zxid,
} from "@quorate/api";
import { expand } from "./compact-data.ts";
import { failure } from "./failure.ts";
import { denied } from "./rights.ts";
import type { State } from "./state.ts";
import type { Transaction } from "./transaction.ts";
import { changesAfter, eventsAfter, Watcher } from "./watch-events.ts";
import { statOf, type ZNode } from "./znode.ts";

const beginAgain = "begin again without 'after': the answer is the state and a new cursor";

/** `tx`: of who asks; a session that was shown is proven and alive. */
export function watch(state: State, tx: Transaction, operation: WatchOperation): Outcome {
  const { scopes, after } = operation;
  if (operation.raw) return raw(state, tx, operation);
  for (const path of [...scopes.node, ...scopes.children, ...scopes.subtree]) {
    const node = state.znodes.get(path);
    const forbidden = node === undefined ? undefined : denied(state, tx.zxid, node, tx.identity, permissions.read);
    if (forbidden !== undefined) return forbidden;
  }
  if (after !== undefined) return resume(state, tx, operation, after);
  const states = statesOf(state, tx, operation);
  return "ok" in states ? states : watched(state, tx, states, [], tx.zxid, false);
}

function watched(
  state: State,
  tx: Transaction,
  states: readonly WatchState[],
  events: readonly WatchEvent[],
  through: Zxid,
  more: boolean,
): Success & { readonly result: WatchedResult } {
  const sessionTimeoutMillis = state.sessions.get(tx.session)?.timeoutMillis ?? 0;
  const result = { kind: "watched", states, events, through, more, sessionTimeoutMillis } as const;
  return { ok: true, zxid: tx.zxid, result };
}

/** For a gateway, which asks on behalf of others. */
function raw(state: State, tx: Transaction, { scopes, after }: WatchOperation): Outcome {
  const { zxid } = tx;
  const early = after === undefined ? undefined : ahead(tx, after);
  if (early !== undefined) return early;
  const none = { changes: [], acls: [], through: zxid, more: false };
  const told = after === undefined ? none : changesAfter(state, after, scopes);
  if (typeof told === "string") return lost(state, tx, after ?? zxid, told);
  const { changes, acls, through, more } = told;
  const outcome = watched(state, tx, [], [], through, more);
  return { ...outcome, result: { ...outcome.result, changes, acls } };
}

function ahead(tx: Transaction, after: Zxid): Failure | undefined {
  if (after <= tx.zxid) return undefined;
  const detail = `the cursor is ${formatZxid(after)}, this replica has applied ${formatZxid(tx.zxid)} only; try again`;
  return failure(tx.zxid, "behind", detail);
}

function resume(state: State, tx: Transaction, { scopes }: WatchOperation, after: Zxid): Outcome {
  const early = ahead(tx, after);
  if (early !== undefined) return early;
  const told = eventsAfter(state, after, new Watcher(state, scopes, tx.identity));
  if (typeof told === "string") return lost(state, tx, after, told);
  if ("lost" in told) {
    const detail = `behind ${formatZxid(after)} the permission READ on ${told.lost} was missing; ${beginAgain}`;
    return failure(tx.zxid, "noAuth", detail, told.lost);
  }
  return watched(state, tx, [], told.events, told.through, told.more);
}

/** What comes behind `after` cannot be told. */
function lost(state: State, tx: Transaction, after: Zxid, why: "tooOld" | "tooLarge"): Failure {
  if (why === "tooOld") {
    const detail = `the changes behind ${formatZxid(after)} are forgotten (here they reach back to ${formatZxid(state.ring.floor)}); ${beginAgain}`;
    return failure(tx.zxid, "cursorTooOld", detail);
  }
  const detail = `the transaction behind ${formatZxid(after)} changed too much to be told at once; ${beginAgain}`;
  return failure(tx.zxid, "cursorTooOld", detail);
}

function statesOf(state: State, tx: Transaction, { scopes }: WatchOperation): readonly WatchState[] | Failure {
  const states: WatchState[] = [];
  let room: number = limits.watchAnswerBytes;
  for (const path of scopes.node) {
    const node = state.znodes.get(path);
    room -= node?.data.length ?? 0;
    if (room < 0) return tooLarge(tx, path);
    states.push(
      node === undefined
        ? { scope: "node", path }
        : { scope: "node", path, stat: statOf(node), data: expand(node.data) },
    );
  }
  for (const path of scopes.children) {
    const parent = state.znodes.get(path);
    const children: string[] = [];
    if (parent !== undefined) room = addNames(children, parent, room);
    if (room < 0) return tooLarge(tx, path);
    states.push(
      parent === undefined
        ? { scope: "children", path, children }
        : { scope: "children", path, stat: statOf(parent), children },
    );
  }
  return states;
}

/** What each name takes beside its characters. */
const nameBytes = 4;

/** What is left of `room`; below 0: they are too many. A hundred thousand names may fit: each has to be cheap. */
function addNames(names: string[], { path, family, numChildren }: ZNode, room: number): number {
  let left = room - numChildren * nameBytes;
  if (left < numChildren || family === undefined) return numChildren === 0 ? room : -1;
  const start = path.length === 1 ? 1 : path.length + 1;
  for (const child of family.index.after(undefined)) {
    const name = child.slice(start);
    left -= utf8Length(name);
    if (left < 0) return left;
    names.push(name);
  }
  return left;
}

function tooLarge(tx: Transaction, path: Path): Failure {
  const detail = `${path}: the state of what is watched is over ${limits.watchAnswerBytes} bytes (watchAnswerBytes); watch less at once, or read it by itself and watch behind its zxid`;
  return failure(tx.zxid, "tooLarge", detail, path);
}
