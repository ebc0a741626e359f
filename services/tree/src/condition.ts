/** Whether the conditions of writes and the checks of txns hold. */
import { type Check, type Condition, type Failure, formatZxid, noSession, type Path, permissions } from "@quorate/api";
import { failure } from "./failure.ts";
import { denied } from "./rights.ts";
import type { State } from "./state.ts";
import type { Transaction } from "./transaction.ts";
import type { ZNode } from "./znode.ts";

/** Of a znode that exists; `exists: false` is the caller's to judge. */
export function unmet(tx: Transaction, node: ZNode, condition: Condition): Failure | undefined {
  const { mzxids, version } = condition;
  if (mzxids !== undefined && !mzxids.includes(node.mzxid)) {
    const expected = mzxids.slice(0, 3).map(formatZxid).join(", ") + (mzxids.length > 3 ? ", …" : "");
    const detail = `${node.path}: the mzxid is ${formatZxid(node.mzxid)}, expected was ${expected}; read it again and decide anew`;
    return failure(tx.zxid, "badVersion", detail, node.path);
  }
  if (version === undefined || version === -1 || version === node.version) return undefined;
  const detail = `${node.path}: the version is ${node.version}, expected was ${version}; read it again and decide anew`;
  return failure(tx.zxid, "badVersion", detail, node.path);
}

/** Whether the condition can hold only for a znode that exists. */
export function requiresExistence(condition: Condition): boolean {
  const { exists, mzxids, version } = condition;
  return exists === true || mzxids !== undefined || (version !== undefined && version !== -1);
}

export function absent(tx: Transaction, path: Path): Failure {
  return failure(tx.zxid, "noNode", `there is no znode ${path}`, path);
}

/**
 * A guard of a txn. `holds: false` is the verdict that `else` is for; what the caller may not ask (no READ, no session
 * for `owner`) fails the txn whatever it says.
 */
export type CheckVerdict = { readonly holds: true } | { readonly holds: false; readonly failure: Failure };

const holds: CheckVerdict = { holds: true };

export function judgeCheck(state: State, tx: Transaction, check: Check): CheckVerdict | Failure {
  const { path, exists, version, mzxid, czxid, ownerSelf } = check;
  if (ownerSelf && tx.session === noSession) {
    const detail = `the check of ${path} asks for owner "self", but the request bears no session; send Quorate-Session`;
    return failure(tx.zxid, "badArguments", detail, path);
  }
  const node = state.znodes.get(path);
  if (node === undefined) return exists === false ? holds : { holds: false, failure: absent(tx, path) };
  const forbidden = denied(state, tx.zxid, node, tx.identity, permissions.read);
  if (forbidden !== undefined) return forbidden;
  if (exists === false) {
    return {
      holds: false,
      failure: failure(tx.zxid, "nodeExists", `the znode ${path} exists, the check says not`, path),
    };
  }
  const wrong = unmet(tx, node, {
    ...(version === undefined ? undefined : { version }),
    ...(mzxid === undefined ? undefined : { mzxids: [mzxid] }),
  });
  if (wrong !== undefined) return { holds: false, failure: wrong };
  if (czxid !== undefined && czxid !== node.czxid) {
    const detail = `${path}: the czxid is ${formatZxid(node.czxid)}, expected was ${formatZxid(czxid)}: it was made anew`;
    return { holds: false, failure: failure(tx.zxid, "badVersion", detail, path) };
  }
  if (ownerSelf && node.nature.owner !== tx.session) {
    const owner = node.nature.owner === noSession ? "no session" : `session ${formatZxid(node.nature.owner)}`;
    const detail = `${path}: it is owned by ${owner}, expected was the acting session ${formatZxid(tx.session)}`;
    return { holds: false, failure: failure(tx.zxid, "badVersion", detail, path) };
  }
  return holds;
}
