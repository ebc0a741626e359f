/**
 * What commands may have in them by the rules of which version. A program that knew none but version 1 took the bytes of
 * newer ones for malformed, so that is what they are as long as that version holds.
 */
import { type Acl, limits, type TxnOperation, unreachable, type WriteOperation } from "@quorate/api";

/**
 * With this version came what ZooKeeper's clients need: null data, lists that give no permission, more operations in a
 * txn, longer listings, the znodes that are ZooKeeper's own, and quotas.
 */
export const zookeeperRules = 2;

/** Whether those who knew no newer rules than `rules` could read the operation. */
export function isKnown(rules: number, operation: WriteOperation): boolean {
  return rules >= zookeeperRules || isOfVersion1(operation);
}

function isOfVersion1(operation: WriteOperation): boolean {
  switch (operation.kind) {
    case "txn": {
      const { check, then, else: otherwise = [] } = operation;
      return (
        [check, then, otherwise].every((list) => list.length <= limits.txnOperations) &&
        [...then, ...otherwise].every(isPart)
      );
    }
    case "create":
    case "put":
    case "set":
    case "delete":
    case "setAcl":
      return isPart(operation);
    case "createSession":
    case "closeSession":
    case "attach":
    case "expireSession":
    case "sweep":
      return true;
    default:
      return unreachable(operation);
  }
}

function isPart(operation: TxnOperation): boolean {
  switch (operation.kind) {
    case "create":
      return operation.nullData === undefined && givesSome(operation.shape.acl);
    case "put":
      return givesSome(operation.shape?.acl);
    case "set":
      return operation.nullData === undefined;
    case "setAcl":
      return givesSome(operation.acl);
    case "children":
      return operation.limit <= limits.pageNames;
    case "delete":
    case "check":
    case "get":
    case "exists":
      return true;
    default:
      return unreachable(operation);
  }
}

function givesSome(acl: Acl | undefined): boolean {
  return acl === undefined || acl.every(({ perms }) => perms > 0);
}
