/** What a history's session operations say of how long each session lived: at least, and at most. */
import type { HistorySettings, LockOperation, Millis, SessionOperation, ZxidNumber } from "./history.ts";

export interface SessionLife {
  readonly name: string;
  /** Undefined: nobody was told. */
  readonly id?: ZxidNumber;
  readonly operations: readonly SessionOperation[];
  /** Unless it was closed, it cannot be over before this: its timeout after the last acknowledged sign of life was sent. */
  readonly aliveUntil: Millis;
  /** When a close that was not refused was first asked for; Infinity: never. */
  readonly closeAsked: Millis;
  /** Closed or not, it is over for everybody by then; Infinity: not judged. */
  readonly overBy: Millis;
  /** Of those, what silence alone says: its timeout after the last thing that may have been a sign of life, and the bound. */
  readonly silentBy: Millis;
}

export function sessionLives(
  operations: readonly SessionOperation[],
  locks: readonly LockOperation[],
  settings: HistorySettings,
): ReadonlyMap<string, SessionLife> {
  const byName = Map.groupBy(operations, ({ object }) => object);
  const users = Map.groupBy(
    locks.filter(({ call }) => call.kind !== "observe"),
    ({ call }) => (call.kind === "observe" ? "" : call.session),
  );
  return new Map([...byName].map(([name, own]) => [name, lifeOf(name, own, users.get(name) ?? [], settings)]));
}

function lifeOf(
  name: string,
  operations: readonly SessionOperation[],
  uses: readonly LockOperation[],
  settings: HistorySettings,
): SessionLife {
  let id: ZxidNumber | undefined;
  let timeoutMillis = 0;
  let lastSign = Number.NEGATIVE_INFINITY;
  let closeAsked = Number.POSITIVE_INFINITY;
  let over = Number.POSITIVE_INFINITY;
  for (const { call, answer, invoked, answered } of operations) {
    if (call.kind === "open" && answer.kind === "ok") {
      id = answer.result.id;
      timeoutMillis = call.timeoutMillis;
    }
    if (call.kind === "close") {
      if (answer.kind === "ok" || answer.kind === "unknown") closeAsked = Math.min(closeAsked, invoked);
      if (answer.kind === "ok") over = Math.min(over, answered);
    } else if (answer.kind === "ok") lastSign = Math.max(lastSign, invoked);
    if (answer.kind === "failed") over = Math.min(over, answered);
  }
  for (const { call, answer, answered } of uses) {
    if (call.kind === "acquire" && answer.kind === "failed" && answer.code === "sessionExpired") {
      over = Math.min(over, answered);
    }
  }
  // Whatever bore the session may have counted as a sign of life, whatever came of it.
  const last = Math.max(...operations.map(lastTouch), ...uses.map(lastTouch));
  const silentBy = silence(last, timeoutMillis, settings);
  return {
    name,
    ...(id === undefined ? undefined : { id }),
    operations,
    aliveUntil: lastSign + timeoutMillis,
    closeAsked,
    overBy: Math.min(over, silentBy),
    silentBy,
  };
}

function lastTouch({ invoked, answered, answer }: SessionOperation | LockOperation): Millis {
  return answer.kind === "unknown" ? (answer.gaveUp ?? invoked) : answered;
}

function silence(last: Millis, timeoutMillis: number, settings: HistorySettings): Millis {
  const wait = timeoutMillis + settings.sessionEndBoundMillis;
  let by = last + wait;
  const outages = [...(settings.outages ?? [])].sort((a, b) => a.from - b.from);
  for (const { from, to } of outages) if (from <= by && to >= last) by = Math.max(by, to + wait);
  return by;
}
