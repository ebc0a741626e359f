/** A write of one znode, whether it comes by itself or in a txn. */
import { type Outcome, type TxnOperation, unreachable, type WriteOperation } from "@quorate/api";
import { create } from "./create.ts";
import { remove } from "./delete.ts";
import type { State } from "./state.ts";
import type { Transaction } from "./transaction.ts";
import { put, set, setAcl } from "./write.ts";

export type ZnodeWrite = Extract<WriteOperation, TxnOperation>;

export function writeZnode(state: State, tx: Transaction, operation: ZnodeWrite): Outcome {
  switch (operation.kind) {
    case "create":
      return create(state, tx, operation);
    case "put":
      return put(state, tx, operation);
    case "set":
      return set(state, tx, operation);
    case "delete":
      return remove(state, tx, operation);
    case "setAcl":
      return setAcl(state, tx, operation);
    default:
      return unreachable(operation);
  }
}
