/**
 * What commands may have in them by the rules of which version. A member that knows none but older rules cannot read a newer
 * form, and neither does anybody else as long as those hold: its bytes count as malformed then. So nothing is written in a
 * form before the rules that came with it hold (ARCHITECTURE.md, "Lanes").
 */
import { unreachable } from "./assert.ts";
import { limits } from "./limits.ts";
import type { Acl } from "./node.ts";
import type { SweepOperation, TxnOperation, WriteOperation } from "./operation.ts";
import type { Outcome, Result } from "./outcome.ts";

/** A form of commands: which rules know it, and what it is to whoever asked for it. */
export interface Form {
  readonly rules: number;
  readonly what: string;
}

/** The newest rules that came with a form. */
export const newestForms = 2;

const nullData: Form = { rules: 2, what: "null data" };
const noPermission: Form = { rules: 2, what: "an ACL entry that gives no permission" };
const longTxn: Form = { rules: 2, what: `a list of more than ${limits.txnOperations} operations in a txn` };
const longListing: Form = { rules: 2, what: `a list of more than ${limits.pageNames} children in a txn` };

/** The form in the operation that whoever knows no newer rules than `rules` cannot read; undefined: all of it can be read. */
export function unknownForm(operation: WriteOperation, rules: number): Form | undefined {
  return rules >= newestForms ? undefined : formOf(operation);
}

function formOf(operation: WriteOperation): Form | undefined {
  switch (operation.kind) {
    case "txn": {
      const { check, then, else: otherwise = [] } = operation;
      const long = [check, then, otherwise].some((list) => list.length > limits.txnOperations);
      if (long) return longTxn;
      for (const each of [...then, ...otherwise]) {
        const form = formOfPart(each);
        if (form !== undefined) return form;
      }
      return undefined;
    }
    case "create":
    case "put":
    case "set":
    case "delete":
    case "setAcl":
      return formOfPart(operation);
    case "createSession":
    case "closeSession":
    case "attach":
    case "expireSession":
    case "sweep":
      return undefined;
    default:
      return unreachable(operation);
  }
}

function formOfPart(operation: TxnOperation): Form | undefined {
  switch (operation.kind) {
    case "create":
      return operation.nullData === undefined ? formOfAcl(operation.shape.acl) : nullData;
    case "put":
      return formOfAcl(operation.shape?.acl);
    case "set":
      return operation.nullData === undefined ? undefined : nullData;
    case "setAcl":
      return formOfAcl(operation.acl);
    case "children":
      return operation.limit > limits.pageNames ? longListing : undefined;
    case "delete":
    case "check":
    case "get":
    case "exists":
      return undefined;
    default:
      return unreachable(operation);
  }
}

function formOfAcl(acl: Acl | undefined): Form | undefined {
  return acl === undefined || acl.every(({ perms }) => perms > 0) ? undefined : noPermission;
}

/** Why a write of this form is refused while the rules `holding` hold. */
export function tooNew({ rules, what }: Form, holding: number): string {
  const older = `rules version ${holding} holds, for a member of the ensemble runs an older release`;
  return `${what} needs rules version ${rules}, and ${older}: nothing was done; upgrade every replica, then try again`;
}

/**
 * What goes out under the number of a write that may not, where that number is its client's: every release answers it by
 * `blankRefusal` and does nothing. The leader's own command, which nobody may send on a lane.
 */
export const blankWrite: SweepOperation = { kind: "sweep", candidates: [] };
export const blankRefusal = "the operation sweep is the leader's alone";

/** The outcome as a gateway can read it that knows the forms of no newer rules: null data is no bytes to it. */
export function readableOutcome(outcome: Outcome, rules: number): Outcome {
  if (rules >= newestForms || !outcome.ok) return outcome;
  const result = readableResult(outcome.result);
  return result === outcome.result ? outcome : { ...outcome, result };
}

function readableResult(result: Result): Result {
  if (result.kind === "txn") return { ...result, results: result.results.map(readableResult) };
  if (result.kind !== "data" || result.nullData === undefined) return result;
  const { nullData: _, ...plain } = result;
  return plain;
}
