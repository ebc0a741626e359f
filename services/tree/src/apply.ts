/**
 * The only writer. A batch's commands are decoded here, once, and each gets an outcome; no bytes throw. The order of
 * judgement: the lane, who may send such a command, the idempotency key, the acting session, then the operation.
 */
import {
  type Acting,
  assert,
  type Batch,
  type Command,
  decodeCommand,
  type Failure,
  type Lane,
  type Outcome,
  type SessionId,
  type SessionRole,
  splitCommands,
  unreachable,
  type WriteOperation,
  type Zxid,
  zeroZxid,
} from "@quorate/api";
import { sweep } from "./delete.ts";
import { failure } from "./failure.ts";
import { introduce, settleBeginning } from "./genesis.ts";
import { isKnown, zookeeperRules } from "./known.ts";
import { rulesVersion, treeLimits } from "./limits.ts";
import { attach, closeSession, createSession, expireSession, sessionGone } from "./session-operations.ts";
import { type SessionRecord, secretIs } from "./sessions.ts";
import type { State } from "./state.ts";
import { Transaction } from "./transaction.ts";
import { runTxn } from "./txn.ts";
import { writeZnode } from "./write-znode.ts";

/** What became of one command. "gap": refused without a trace, for the lane is not that far. */
export interface Applied {
  readonly lane: Lane | undefined;
  readonly zxid: Zxid;
  readonly outcome: Outcome | "gap";
  /** The session that it ended. */
  readonly ended?: { readonly session: SessionId; readonly role: SessionRole };
}

export function applyBatch(state: State, batch: Batch): readonly Applied[] {
  assert(batch.previous === state.applied, "batches are applied in order, without a hole");
  assert(batch.first > batch.previous && batch.last >= batch.first, "a batch lies behind the one before it");
  assert(batch.rules >= state.rules && batch.rules <= rulesVersion, "the rules are known, and no older than before");
  if (batch.rules !== state.rules || batch.previous === zeroZxid) turnTo(state, batch);
  const count = batch.last - batch.first + 1;
  const stamp = Math.max(state.stamp, batch.stamp);
  state.keys.purge(stamp, treeLimits.keysPurgedPerBatch);
  const commands = splitCommands(batch.payload, count);
  const applied: Applied[] = [];
  for (let i = 0; i < count; i++) {
    const zxid = (batch.first + i) as Zxid;
    const bytes = commands?.[i];
    const command = bytes === undefined ? undefined : decodeCommand(bytes);
    if (command === undefined || !isKnown(state.rules, command.operation)) {
      applied.push({
        lane: undefined,
        zxid,
        outcome: failure(zxid, "badArguments", "the command's bytes are malformed"),
      });
      continue;
    }
    const { lane, operation } = command;
    const before = sessionToEnd(state, operation);
    const outcome = applyCommand(state, command, zxid, stamp);
    const over = before !== undefined && state.sessions.get(before.id) === undefined;
    applied.push(
      over ? { lane, zxid, outcome, ended: { session: before.id, role: before.role } } : { lane, zxid, outcome },
    );
    state.settle(zxid);
  }
  state.applied = batch.last;
  state.stamp = stamp;
  return applied;
}

/** The batch is the first of all, or the first by newer rules. */
function turnTo(state: State, { first, previous, stamp, rules }: Batch): void {
  state.rules = rules;
  if (previous === zeroZxid) settleBeginning(state, rules);
  else if (rules >= zookeeperRules && !state.quotas.on) introduce(state, first, Math.max(state.stamp, stamp));
  if (!state.quotas.on && rules >= zookeeperRules) state.quotas.begin();
}

function sessionToEnd(state: State, operation: WriteOperation): SessionRecord | undefined {
  if (operation.kind !== "closeSession" && operation.kind !== "expireSession") return undefined;
  return state.sessions.get(operation.session);
}

function applyCommand(state: State, command: Command, zxid: Zxid, stamp: number): Outcome | "gap" {
  const { lane } = command;
  if (lane === undefined) return ungated(command.operation, zxid) ?? decide(state, command, zxid, stamp);
  const verdict = state.lanes.judge(lane, zxid);
  if (verdict !== "execute") return verdict;
  const outcome = leadersOnly(command.operation, zxid) ?? decide(state, command, zxid, stamp);
  state.lanes.remember(lane, outcome);
  return outcome;
}

/** What may come without a lane: the leader's own commands, and the first of a gateway or a taken-over session. */
function ungated(operation: WriteOperation, zxid: Zxid): Failure | undefined {
  switch (operation.kind) {
    case "attach":
    case "expireSession":
    case "sweep":
      return undefined;
    case "createSession":
      if (operation.role === "gateway") return undefined;
      break;
    default:
  }
  return failure(zxid, "badArguments", `the operation ${operation.kind} needs a lane; send it through a gateway`);
}

function leadersOnly(operation: WriteOperation, zxid: Zxid): Failure | undefined {
  if (operation.kind !== "expireSession" && operation.kind !== "sweep") return undefined;
  return failure(zxid, "badArguments", `the operation ${operation.kind} is the leader's alone`);
}

function decide(state: State, command: Command, zxid: Zxid, stamp: number): Outcome {
  const { identity, key } = command;
  if (key === undefined) return execute(state, command, zxid, stamp);
  const known = state.keys.judge(identity, key, zxid, stamp);
  if (known !== undefined) return known;
  const outcome = execute(state, command, zxid, stamp);
  // Nothing was done for want of room: the next try under the key is a new one.
  if (outcome.ok || outcome.code !== "throttled") state.keys.remember(identity, key, outcome, stamp);
  return outcome;
}

function execute(state: State, command: Command, zxid: Zxid, stamp: number): Outcome {
  const { identity, acting, operation } = command;
  const refused =
    crowded(state, operation, zxid) ?? (acting === undefined ? undefined : unproven(state, acting, operation, zxid));
  if (refused !== undefined) return refused;
  const tx = new Transaction(zxid, stamp, identity, acting);
  if (command.key !== undefined) tx.answerBytes = treeLimits.keyedAnswerBytes;
  const outcome = perform(state, tx, operation);
  for (const change of tx.changes) state.ring.push(change);
  return outcome;
}

/** Lanes whose outcomes nobody acknowledges must not fill the memory; what frees it still passes. */
function crowded(state: State, operation: WriteOperation, zxid: Zxid): Failure | undefined {
  if (state.lanes.bytes < treeLimits.laneBytes) return undefined;
  switch (operation.kind) {
    case "closeSession":
    case "attach":
    case "expireSession":
    case "sweep":
      return undefined;
    default:
      return failure(
        zxid,
        "throttled",
        `unacknowledged outcomes take ${treeLimits.laneBytes} bytes (laneBytes); try again in a moment`,
      );
  }
}

function unproven(state: State, acting: Acting, operation: WriteOperation, zxid: Zxid): Failure | undefined {
  const session = state.sessions.get(acting.session);
  if (session === undefined) return sessionGone(zxid, acting.session);
  if (!secretIs(session, acting.secretHash)) {
    const detail = "the session's secret is wrong; send Quorate-Session: <id>:<secret> as it was given";
    return failure(zxid, "authFailed", detail);
  }
  if (session.role === "client" || operation.kind === "attach" || operation.kind === "closeSession") return undefined;
  return failure(zxid, "badArguments", "the session is a gateway's own; only a client's session acts on znodes");
}

function perform(state: State, tx: Transaction, operation: WriteOperation): Outcome {
  switch (operation.kind) {
    case "create":
    case "put":
    case "set":
    case "delete":
    case "setAcl":
      return writeZnode(state, tx, operation);
    case "txn":
      return runTxn(state, tx, operation);
    case "createSession":
      return createSession(state, tx, operation);
    case "closeSession":
      return closeSession(state, tx, operation);
    case "attach":
      return attach(state, tx, operation);
    case "expireSession":
      return expireSession(state, tx, operation);
    case "sweep":
      return sweep(state, tx, operation);
    default:
      return unreachable(operation);
  }
}
