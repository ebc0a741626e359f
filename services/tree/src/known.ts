/**
 * What commands may have in them by the rules of which version (`forms.ts` of api). A program that knew none but version 1 took
 * the bytes of newer forms for malformed, so that is what they are as long as that version holds.
 */
import { unknownForm, type WriteOperation } from "@quorate/api";

/**
 * With this version came what ZooKeeper's clients need: null data, lists that give no permission, more operations in a
 * txn, longer listings, the znodes that are ZooKeeper's own, and quotas.
 */
export const zookeeperRules = 2;

/** Whether those who knew no newer rules than `rules` could read the operation. */
export function isKnown(rules: number, operation: WriteOperation): boolean {
  return unknownForm(operation, rules) === undefined;
}
