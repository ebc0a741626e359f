/**
 * Beside the black box: the zxids that answers bear keep to real time, through all objects. Two rules (primary order seen from outside):
 * 1. A write acknowledged before another was asked for has the smaller zxid; no two writes have the same.
 * 2. What is read linearizably is at least as new as every zxid that anybody was told of before it was asked for.
 */
import { describe, zxidText } from "./format.ts";
import type { Millis, Operation, ZxidNumber } from "./history.ts";

interface Stamped {
  readonly operation: Operation;
  readonly zxid: ZxidNumber;
}

export function zxidRules(operations: readonly Operation[]): string[] {
  const answered = operations.filter(({ answer }) => answer.kind === "ok" || answer.kind === "failed");
  const writes = answered.flatMap((operation): Stamped[] => {
    const zxid = ownZxid(operation);
    return zxid === undefined ? [] : [{ operation, zxid }];
  });
  const told = answered.flatMap((operation): Stamped[] => {
    const zxid = Math.max(ownZxid(operation) ?? -1, headerZxid(operation) ?? -1, ...seenZxids(operation));
    return zxid < 0 ? [] : [{ operation, zxid }];
  });
  const headers = answered.flatMap((operation): Stamped[] => {
    const zxid = headerZxid(operation);
    return zxid === undefined ? [] : [{ operation, zxid }];
  });
  return [
    ...usedTwice(writes),
    ...writesRise(writes),
    ...readsAreNew(headers.filter(isOrdered), told),
    ...olderThanShown(headers),
  ];
}

/** A renewal, or word that a session is over, is not read from the state at a confirmed index. */
function isOrdered({ operation: { model, answer } }: Stamped): boolean {
  return model !== "session" && !(answer.kind === "failed" && answer.code === "sessionExpired");
}

/** Of the transaction that an acknowledged write was. */
export function ownZxid({ answer }: Operation): ZxidNumber | undefined {
  if (answer.kind !== "ok") return undefined;
  const { result } = answer;
  switch (result.kind) {
    case "put":
      return result.mzxid;
    case "delete":
    case "remove":
    case "release":
      return result.at;
    case "append":
      return result.czxid;
    case "acquire":
      return result.token;
    case "txn":
      return result.results.find((part) => part.kind === "put")?.mzxid;
    case "session":
      return result.id;
    default:
      return undefined;
  }
}

function headerZxid({ answer }: Operation): ZxidNumber | undefined {
  return answer.kind === "ok" || answer.kind === "failed" ? answer.zxid : undefined;
}

/** Of the znodes that a reader was shown. */
function seenZxids({ answer }: Operation): ZxidNumber[] {
  if (answer.kind !== "ok") return [];
  const { result } = answer;
  if (result.kind === "read") return result.znode === null ? [] : [result.znode.mzxid];
  if (result.kind === "observe") return result.holder === null ? [] : [result.holder.token];
  if (result.kind !== "txn") return [];
  return result.results.flatMap((part) => (part.kind === "read" && part.znode !== null ? [part.znode.mzxid] : []));
}

function usedTwice(writes: readonly Stamped[]): string[] {
  const found: string[] = [];
  const users = new Map<ZxidNumber, Operation>();
  for (const { operation, zxid } of writes) {
    const other = users.get(zxid);
    if (other === undefined) users.set(zxid, operation);
    else found.push(`zxid used twice: ${zxidText(zxid)}: ${describe(other)}; ${describe(operation)}`);
  }
  return found;
}

function writesRise(writes: readonly Stamped[]): string[] {
  return ahead(writes, writes, (before, after) => before.zxid >= after.zxid).map(
    ([before, after]) =>
      `zxid order: a write that was acknowledged first has the greater zxid: ${describe(before.operation)} ` +
      `(${zxidText(before.zxid)}); ${describe(after.operation)} (${zxidText(after.zxid)})`,
  );
}

function readsAreNew(headers: readonly Stamped[], told: readonly Stamped[]): string[] {
  return ahead(headers, told, (before, after) => before.zxid > after.zxid).map(
    ([before, after]) =>
      `zxid order: an answer as of ${zxidText(after.zxid)}, asked for when ${zxidText(before.zxid)} had been told: ` +
      `${describe(after.operation)}; ${describe(before.operation)}`,
  );
}

/** Each of `later` with the greatest of `earlier` that was answered before it was asked for, if they are at odds. */
function ahead(
  later: readonly Stamped[],
  earlier: readonly Stamped[],
  atOdds: (before: Stamped, after: Stamped) => boolean,
): [Stamped, Stamped][] {
  const byAnswer = [...earlier].sort((a, b) => a.operation.answered - b.operation.answered);
  const byCall = [...later].sort((a, b) => a.operation.invoked - b.operation.invoked);
  const found: [Stamped, Stamped][] = [];
  let next = 0;
  let greatest: Stamped | undefined;
  for (const after of byCall) {
    for (; answeredAt(byAnswer[next]) < after.operation.invoked; next++) {
      const candidate = byAnswer[next];
      if (candidate !== undefined && candidate.zxid > (greatest?.zxid ?? -1)) greatest = candidate;
    }
    if (greatest !== undefined && atOdds(greatest, after)) found.push([greatest, after]);
  }
  return found;
}

function answeredAt(stamped: Stamped | undefined): Millis {
  return stamped?.operation.answered ?? Number.POSITIVE_INFINITY;
}

/** An answer says how new it is at least; it cannot show what is newer. */
function olderThanShown(headers: readonly Stamped[]): string[] {
  return headers.flatMap(({ operation, zxid }) => {
    const shown = Math.max(-1, ownZxid(operation) ?? -1, ...seenZxids(operation));
    return shown <= zxid
      ? []
      : [`zxid order: an answer as of ${zxidText(zxid)} shows ${zxidText(shown)}: ${describe(operation)}`];
  });
}
