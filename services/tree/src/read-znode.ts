/** Reads of znodes from the state as it is, in and outside of txns. */
import {
  type ChildrenOperation,
  type ExistsOperation,
  type GetOperation,
  type Outcome,
  permissions,
  unreachable,
} from "@quorate/api";
import { childrenPage } from "./children-page.ts";
import { expand, isNull } from "./compact-data.ts";
import { absent } from "./condition.ts";
import { success } from "./failure.ts";
import { denied } from "./rights.ts";
import type { State } from "./state.ts";
import type { Transaction } from "./transaction.ts";
import { statOf } from "./znode.ts";

export function readZnode(
  state: State,
  tx: Transaction,
  operation: GetOperation | ExistsOperation | ChildrenOperation,
): Outcome {
  const { path } = operation;
  const node = state.znodes.get(path);
  if (node === undefined) return absent(tx, path);
  const forbidden = denied(state, tx.zxid, node, tx.identity, permissions.read);
  if (forbidden !== undefined) return forbidden;
  switch (operation.kind) {
    case "get": {
      const result = { kind: "data", path: node.path, data: expand(node.data), stat: statOf(node) } as const;
      return success(tx.zxid, isNull(node.data) ? { ...result, nullData: true } : result);
    }
    case "exists":
      return success(tx.zxid, { kind: "stat", path: node.path, stat: statOf(node) });
    case "children":
      return childrenPage(state, tx, operation, node);
    default:
      return unreachable(operation);
  }
}
