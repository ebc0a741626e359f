/** Sessions as operations: made, taken over, closed, expired. */
import {
  type AttachOperation,
  type CloseSessionOperation,
  type CreateSessionOperation,
  type ExpireSessionOperation,
  type Failure,
  formatZxid,
  type Outcome,
  type SessionId,
  sessionIdOf,
  type Zxid,
} from "@quorate/api";
import { compact, flatten } from "./compact-data.ts";
import { removeEphemerals } from "./delete.ts";
import { failure, success } from "./failure.ts";
import { treeLimits } from "./limits.ts";
import { SessionRecord } from "./sessions.ts";
import type { State } from "./state.ts";
import type { Transaction } from "./transaction.ts";

/** Only who has applied the zxid that an id is may say "expired"; an id beyond was never given by this history. */
export function sessionGone(zxid: Zxid, session: SessionId): Failure {
  const id = formatZxid(session);
  if ((session as number) <= zxid) {
    return failure(zxid, "sessionExpired", `the session ${id} is over (expired or closed); open a new one`);
  }
  return failure(
    zxid,
    "badArguments",
    `the session ${id} was never opened here; take the id that POST /v1/sessions answered`,
  );
}

export function createSession(state: State, tx: Transaction, operation: CreateSessionOperation): Outcome {
  if (state.sessions.size >= treeLimits.sessions) {
    const detail = `sessions: ${treeLimits.sessions} are open, which is the most; close some`;
    return failure(tx.zxid, "quotaExceeded", detail);
  }
  const id = sessionIdOf(tx.zxid);
  const { role, timeoutMillis } = operation;
  const identity = tx.identity.ids.map((each) => ({ scheme: flatten(each.scheme), id: flatten(each.id) }));
  state.sessions.table.replace(
    undefined,
    new SessionRecord({
      id,
      role,
      timeoutMillis,
      secret: compact(operation.secretHash) as string,
      name: flatten(operation.name),
      address: flatten(operation.address),
      identity,
      createdAt: tx.stamp,
    }),
  );
  const lane = state.lanes.open(id);
  const { attachment, lastSequence } = lane;
  return success(tx.zxid, { kind: "session", session: id, timeoutMillis, attachment, lastSequence });
}

/** By who showed the session's secret: the acting session, already proven. */
export function attach(state: State, tx: Transaction, operation: AttachOperation): Outcome {
  const { session } = operation;
  const record = state.sessions.get(session);
  const lane = state.lanes.get(session);
  if (record === undefined || lane === undefined) return sessionGone(tx.zxid, session);
  if (tx.session !== session) return notYours(tx, session, "take over");
  const { attachment, lastSequence } = state.lanes.attach(lane);
  const { timeoutMillis } = record;
  return success(tx.zxid, { kind: "session", session, timeoutMillis, attachment, lastSequence });
}

export function closeSession(state: State, tx: Transaction, operation: CloseSessionOperation): Outcome {
  const { session } = operation;
  if (state.sessions.get(session) === undefined) return sessionGone(tx.zxid, session);
  if (tx.session !== session && !tx.identity.superUser) return notYours(tx, session, "close");
  return end(state, tx, session);
}

/** The leader may be late: of a session that is gone there is nothing to do. */
export function expireSession(state: State, tx: Transaction, operation: ExpireSessionOperation): Outcome {
  const { session } = operation;
  if (state.sessions.get(session) === undefined) return success(tx.zxid, { kind: "done", count: 0 });
  return end(state, tx, session);
}

function end(state: State, tx: Transaction, session: SessionId): Outcome {
  const count = removeEphemerals(state, tx, session);
  state.dropSession(session);
  return success(tx.zxid, { kind: "done", count });
}

function notYours(tx: Transaction, session: SessionId, what: string): Failure {
  const detail = `only who shows the secret of session ${formatZxid(session)}, or the super user, may ${what} it`;
  return failure(tx.zxid, "noAuth", what === "close" ? detail : detail.replace(", or the super user,", ""));
}
