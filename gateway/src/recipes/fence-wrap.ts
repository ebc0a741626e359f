/**
 * A write that is done only while locks are held: a txn of it and a guard for each fence, judged where all is judged, at apply.
 * And the way back: the answer to that txn as the write by itself would have had it. Both follow from the write and the
 * number of its fences alone, so that an answer from a key's memory is understood whatever is known of the locks by then.
 */
import {
  assert,
  type Check,
  type CheckOperation,
  type CreateOperation,
  type DeleteOperation,
  type Failure,
  formatZxid,
  type Outcome,
  type Path,
  type PutOperation,
  type SetAclOperation,
  type SetOperation,
  type TxnOperation,
  type TxnOperationSet,
  type WriteOperation,
  type Zxid,
  zeroZxid,
} from "@quorate/api";
import type { Answer } from "../backend.ts";
import type { Fence } from "./recipes.ts";

/** What touches znodes; sessions are nobody's to fence. */
export type Fenceable =
  | CreateOperation
  | PutOperation
  | SetOperation
  | DeleteOperation
  | SetAclOperation
  | TxnOperationSet;

export interface Guard {
  readonly fence: Fence;
  /** The contender's, whose czxid is the token; undefined: there is none that holds the lock with this token. */
  readonly znode: Path | undefined;
}

export function isFenceable(operation: WriteOperation): operation is Fenceable {
  switch (operation.kind) {
    case "create":
    case "put":
    case "set":
    case "delete":
    case "setAcl":
    case "txn":
      return true;
    default:
      return false;
  }
}

/** Writes nothing, whichever branch it takes. */
export function isReadOnly(txn: TxnOperationSet): boolean {
  return txn.then.every(isRead) && (txn.else ?? []).every(isRead);
}

function isRead({ kind }: TxnOperation): boolean {
  return kind === "get" || kind === "exists" || kind === "children" || kind === "check";
}

/**
 * Where the txn has an `else`, a check that fails would only lead there: the guards stand at the head of both branches then,
 * where a failure undoes all.
 */
export function guarded(operation: Fenceable, guards: readonly Guard[]): TxnOperationSet {
  const checks = guards.map(checkOf);
  if (operation.kind !== "txn") return { kind: "txn", check: checks, then: [operation] };
  const { check, then, else: otherwise } = operation;
  if (otherwise === undefined) return { kind: "txn", check: [...checks, ...check], then };
  const heads = checks.map((each): CheckOperation => ({ kind: "check", ...each }));
  return { kind: "txn", check, then: [...heads, ...then], else: [...heads, ...otherwise] };
}

function checkOf({ fence: { path, token }, znode }: Guard): Check {
  if (znode !== undefined) return { path: znode, czxid: token };
  // Holds for no znode: those that were never written were not made by a transaction either, and a token is one's zxid.
  assert(token !== zeroZxid, "a token is the zxid of a transaction");
  return { path, czxid: token, mzxid: zeroZxid };
}

/** The answer to `guarded(operation, guards)`, as if it were the operation's own. */
export function restored(answer: Answer, operation: Fenceable, guards: readonly Guard[]): Answer {
  if (answer.kind !== "outcome") return answer;
  const outcome = restoredOutcome(answer.outcome, operation, guards);
  return outcome === answer.outcome ? answer : { ...answer, outcome };
}

function restoredOutcome(outcome: Outcome, operation: Fenceable, guards: readonly Guard[]): Outcome {
  const inBranches = operation.kind === "txn" && operation.else !== undefined;
  if (!outcome.ok) return restoredFailure(outcome, operation, guards, inBranches);
  const { result } = outcome;
  assert(result.kind === "txn", "a guarded write is a txn");
  if (inBranches) return { ...outcome, result: { ...result, results: result.results.slice(guards.length) } };
  if (operation.kind === "txn") return outcome;
  const [own] = result.results;
  assert(own !== undefined && result.results.length === 1, "it has the one result of the write");
  return { ...outcome, result: own };
}

function restoredFailure(
  failure: Failure,
  operation: Fenceable,
  guards: readonly Guard[],
  inBranches: boolean,
): Failure {
  const { op } = failure;
  // Of the whole: its session, its key, its size.
  if (op === undefined) return failure;
  const ofGuards = inBranches ? op.in !== "check" : op.in === "check";
  const guard = ofGuards ? guards[op.index] : undefined;
  if (guard !== undefined) return guardFailure(failure, guard);
  if (operation.kind !== "txn") return withoutPlace(failure);
  return ofGuards ? { ...failure, op: { in: op.in, index: op.index - guards.length } } : failure;
}

function withoutPlace({ op: _, ...failure }: Failure): Failure {
  return failure;
}

/** The write's own place is none of the guard's. */
function guardFailure(failure: Failure, { fence }: Guard): Failure {
  const { code, zxid, replayed } = failure;
  const found =
    code === "noAuth"
      ? { ...withoutPlace(failure), detail: `the lock ${fence.path} cannot be checked: ${failure.detail}` }
      : fencedFailure(fence, zxid);
  return replayed === undefined ? found : { ...found, replayed };
}

/** What a write with a fence that does not hold is answered. */
export function fencedFailure({ path, token }: Fence, zxid: Zxid): Failure {
  const detail = `${path} is not held with the token ${formatZxid(token)}: it was released, or has passed on; nothing was done, stop what it protects`;
  return { ok: false, zxid, code: "fenced", detail, path };
}
