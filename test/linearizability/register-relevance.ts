/** Which unanswered operations of a register group can matter to which others: what keeps the search from trying all with all. */
import type { RegisterOperation, TxnPart } from "./history.ts";
import { keysOf } from "./register-sightings.ts";

interface Reach {
  readonly operation: RegisterOperation;
  /** Keys that it may change. */
  readonly writes: readonly string[];
  /** Keys that others may change before it so that it can be done, takes another branch, or leaves another state. */
  readonly needs: readonly string[];
}

export class RegisterRelevance {
  readonly #unanswered: readonly Reach[];
  /** By the target's id: the ids of those that help. */
  readonly #helpers = new Map<number, ReadonlySet<number>>();

  constructor(operations: readonly RegisterOperation[]) {
    this.#unanswered = operations.filter(({ answer }) => answer.kind === "unknown").map(reachOf);
  }

  helps(optional: RegisterOperation, target: RegisterOperation): boolean {
    let helpers = this.#helpers.get(target.id);
    if (helpers === undefined) {
      helpers = this.#helpersOf(target);
      this.#helpers.set(target.id, helpers);
    }
    return helpers.has(optional.id);
  }

  #helpersOf(target: RegisterOperation): ReadonlySet<number> {
    const { call, answer } = target;
    // What a reader was shown was written by somebody who is known: one whom nobody saw is of no help.
    const shown =
      call.kind === "read" && answer.kind === "ok" && answer.result.kind === "read" && answer.result.znode !== null;
    const helpers = new Set<number>();
    if (shown) return helpers;
    const keys = new Set(keysOf(target));
    for (let before = -1; before < helpers.size; ) {
      before = helpers.size;
      for (const { operation, writes, needs } of this.#unanswered) {
        if (helpers.has(operation.id) || !writes.some((key) => keys.has(key))) continue;
        helpers.add(operation.id);
        for (const key of needs) keys.add(key);
      }
    }
    return helpers;
  }
}

function reachOf(operation: RegisterOperation): Reach {
  const { call } = operation;
  const parts: readonly TxnPart[] = call.kind === "txn" ? [...call.check, ...call.then, ...(call.else ?? [])] : [call];
  const writes = parts.filter((part) => part.kind === "put" || part.kind === "delete");
  const branches = call.kind === "txn" && call.else !== undefined;
  // Nobody who was not seen can make an mzxid that a condition names.
  const needs = parts.filter((part) => branches || part.kind !== "check" || part.mzxid === undefined);
  return { operation, writes: writes.map(({ key }) => key), needs: needs.map(({ key }) => key) };
}
