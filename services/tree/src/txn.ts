/** Txns: checks, then `then` or `else`; all or nothing, one zxid, each operation sees those before it. */
import {
  type Failure,
  limits,
  type Outcome,
  type Result,
  type TxnOperation,
  type TxnOperationSet,
  unreachable,
} from "@quorate/api";
import { judgeCheck } from "./condition.ts";
import { failure, success } from "./failure.ts";
import { bytesOfNames, bytesOfResult } from "./outcome-memory.ts";
import { readZnode } from "./read-znode.ts";
import type { State } from "./state.ts";
import type { Transaction } from "./transaction.ts";
import { writeZnode } from "./write-znode.ts";

type Place = NonNullable<Failure["op"]>;
type Run = (state: State, tx: Transaction, operation: TxnOperation) => Outcome;

/** A replicated txn: a failing operation undoes those before it. */
export function runTxn(state: State, tx: Transaction, txn: TxnOperationSet): Outcome {
  const acl = state.acls.next;
  state.store.begin();
  const outcome = run(state, tx, txn, runOne);
  if (outcome.ok) {
    state.store.commit();
  } else {
    state.store.rollback();
    state.acls.next = acl;
    tx.changes.length = 0;
  }
  return outcome;
}

/** A txn of reads alone, answered locally. */
export function runReads(state: State, tx: Transaction, txn: TxnOperationSet): Outcome {
  return run(state, tx, txn, readOne);
}

function run(state: State, tx: Transaction, txn: TxnOperationSet, runEach: Run): Outcome {
  let branch: "then" | "else" = "then";
  for (const [index, check] of txn.check.entries()) {
    const verdict = judgeCheck(state, tx, check);
    if ("ok" in verdict) return at(verdict, { in: "check", index });
    if (verdict.holds) continue;
    if (txn.else === undefined) return at(verdict.failure, { in: "check", index });
    branch = "else";
    break;
  }
  const results: Result[] = [];
  for (const [index, operation] of ((branch === "then" ? txn.then : txn.else) ?? []).entries()) {
    const outcome = runEach(state, tx, operation);
    if (!outcome.ok) return at(outcome, { in: branch, index });
    const tooLarge = spend(tx, operation, outcome.result);
    if (tooLarge !== undefined) return at(tooLarge, { in: branch, index });
    results.push(outcome.result);
  }
  return success(tx.zxid, { kind: "txn", branch, results });
}

function at(of: Failure, op: Place): Failure {
  return { ...of, op };
}

/** What a read answers counts; what a write answers is as small as the request. */
function spend(tx: Transaction, operation: TxnOperation, result: Result): Failure | undefined {
  if (result.kind !== "data" && result.kind !== "children" && result.kind !== "stat") return undefined;
  const long = operation.kind === "children" && operation.limit > limits.pageNames && result.kind === "children";
  const bytes = long ? bytesOfNames(result) : bytesOfResult(result);
  return tx.spend(bytes + operation.path.length, operation.path);
}

function runOne(state: State, tx: Transaction, operation: TxnOperation): Outcome {
  switch (operation.kind) {
    case "create":
    case "put":
    case "set":
    case "delete":
    case "setAcl":
      return writeZnode(state, tx, operation);
    case "children":
      if (operation.at === undefined) return readZnode(state, tx, operation);
      // The ring, which a later page needs, is no replicated state: replicas would come apart.
      return failure(
        tx.zxid,
        "badArguments",
        "a later page of children cannot be read in a txn that writes; read it by itself",
        operation.path,
      );
    case "check":
    case "get":
    case "exists":
      return readOne(state, tx, operation);
    default:
      return unreachable(operation);
  }
}

function readOne(state: State, tx: Transaction, operation: TxnOperation): Outcome {
  switch (operation.kind) {
    case "check": {
      const verdict = judgeCheck(state, tx, operation);
      if ("ok" in verdict) return verdict;
      return verdict.holds ? success(tx.zxid, { kind: "checked", path: operation.path }) : verdict.failure;
    }
    case "get":
    case "exists":
    case "children":
      return readZnode(state, tx, operation);
    default:
      return failure(tx.zxid, "badArguments", `a txn that is read has no ${operation.kind} in it`, operation.path);
  }
}
