/** Whether a write keeps to the quotas, and whether what sets one can be taken: asked before anything is written. */
import { type Failure, type Path, parentOf } from "@quorate/api";
import type { CompactData } from "./compact-data.ts";
import { failure } from "./failure.ts";
import { treeLimits } from "./limits.ts";
import { parseLimits } from "./quota-text.ts";
import { isLimits, limitsPathOf, type Quota } from "./quotas.ts";
import type { State } from "./state.ts";
import type { Transaction } from "./transaction.ts";

/** Of a znode that is to be made, with those of its parents that are missing. */
export function mayCreate(
  state: State,
  tx: Transaction,
  path: Path,
  data: CompactData,
  missing: readonly Path[],
): Failure | undefined {
  const { quotas } = state;
  if (!quotas.concern(path)) return undefined;
  for (const each of missing) {
    const bad = countedFirst(state, tx, each);
    if (bad !== undefined) return bad;
  }
  const bad = unreadable(tx, path, data) ?? countedFirst(state, tx, path);
  if (bad !== undefined || quotas.size === 0) return bad;
  // Mostly one quota; each of the missing parents may have its own.
  const added = new Map<Quota, { count: number; bytes: number }>();
  for (const each of [...missing, path]) {
    const quota = quotas.of(each);
    if (quota === undefined) continue;
    const sum = added.get(quota) ?? { count: 0, bytes: 0 };
    sum.count += 1;
    if (each === path) sum.bytes += data.length;
    added.set(quota, sum);
  }
  for (const [quota, { count, bytes }] of added) {
    const over = exceeded(tx, quota, count, bytes, path);
    if (over !== undefined) return over;
  }
  return undefined;
}

/** Of a znode whose data is to be replaced; `formerBytes`: of the data that it has. */
export function mayWrite(
  state: State,
  tx: Transaction,
  path: Path,
  data: CompactData,
  formerBytes: number,
): Failure | undefined {
  const { quotas } = state;
  if (!quotas.concern(path)) return undefined;
  const bad = unreadable(tx, path, data);
  if (bad !== undefined || quotas.size === 0) return bad;
  const quota = quotas.of(path);
  return quota === undefined ? undefined : exceeded(tx, quota, 0, data.length - formerBytes, path);
}

/** What takes nothing more is never refused, and a soft limit refuses nothing. */
function exceeded(tx: Transaction, quota: Quota, count: number, bytes: number, path: Path): Failure | undefined {
  const { countHardLimit = -1, byteHardLimit = -1 } = quota.limits ?? {};
  const over = (what: string, would: number, name: string, limit: number): Failure => {
    const most = `${name}=${limit} in ${limitsPathOf(quota.path)}`;
    const detail = `quota: ${quota.path} would have ${would} ${what} with all below, ${most} is the most; delete some, or raise it`;
    return failure(tx.zxid, "quotaExceeded", detail, path);
  };
  if (count > 0 && countHardLimit >= 0 && quota.count + count > countHardLimit) {
    return over("znodes", quota.count + count, "countHardLimit", countHardLimit);
  }
  if (bytes > 0 && byteHardLimit >= 0 && quota.bytes + bytes > byteHardLimit) {
    return over("bytes of data", quota.bytes + bytes, "byteHardLimit", byteHardLimit);
  }
  return undefined;
}

function unreadable(tx: Transaction, path: Path, data: CompactData): Failure | undefined {
  if (!isLimits(path) || parseLimits(data) !== undefined) return undefined;
  const form = "count=N,bytes=N;countHardLimit=N;byteHardLimit=N, each of which may be missing or -1";
  return failure(tx.zxid, "badArguments", `${path}: the data is no limits of a quota; they are ${form}`, path);
}

function countedFirst(state: State, tx: Transaction, path: Path): Failure | undefined {
  const counted = state.quotas.track(path, treeLimits.quotaCounted - tx.counted);
  if (counted === undefined) {
    const on = (parentOf(path) ?? path).slice(quotaLength);
    const detail = `quota: ${on} has more znodes than can be counted at once (quotaCounted); set quotas on what is below it`;
    return failure(tx.zxid, "tooLarge", detail, path);
  }
  tx.counted += counted;
  return undefined;
}

const quotaLength = "/zookeeper/quota".length;
