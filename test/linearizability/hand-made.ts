/** Small histories written by hand: `[from, to, client, …]` and an answer each. */
import type {
  Answer,
  History,
  HistorySettings,
  LockCall,
  LockResult,
  Operation,
  RegisterCall,
  RegisterCondition,
  RegisterResult,
  SequenceCall,
  SequenceResult,
  SessionCall,
  SessionResult,
  TxnPart,
  TxnPartResult,
  ZxidNumber,
} from "./history.ts";

/** Of an operation nobody answered. */
export const never = Number.POSITIVE_INFINITY;

export type Span = readonly [invoked: number, answered: number];

type Bare = Omit<Operation, "id">;

/** Numbers them in the order given. */
export function history(operations: readonly Bare[], settings?: HistorySettings): History {
  const numbered = operations.map((operation, id) => ({ ...operation, id }) as Operation);
  return { operations: numbered, ...(settings && { settings }) };
}

const unknown = { kind: "unknown" } as const;

function ok<Result>(result: Result, zxid?: ZxidNumber): Answer<Result> {
  return { kind: "ok", result, ...(zxid !== undefined && { zxid }) };
}

function register([invoked, answered]: Span, call: RegisterCall, answer: Answer<RegisterResult>): Bare {
  return { process: invoked, model: "registers", object: "/group", invoked, answered, call, answer };
}

/** `seen`: value, version and mzxid, or nothing there. */
export type Seen = readonly [value: string, version: number, mzxid: ZxidNumber] | null;

function znodeOf(seen: Seen): { value: string; version: number; mzxid: ZxidNumber } | null {
  return seen === null ? null : { value: seen[0], version: seen[1], mzxid: seen[2] };
}

export function read(span: Span, key: string, seen: Seen, zxid?: ZxidNumber): Bare {
  return register(span, { kind: "read", key }, ok({ kind: "read", znode: znodeOf(seen) }, zxid));
}

/** Acknowledged. */
export function put(
  span: Span,
  key: string,
  [value, version, mzxid]: NonNullable<Seen>,
  condition?: RegisterCondition,
): Bare {
  return register(span, putCall(key, value, condition), ok({ kind: "put", version, mzxid }));
}

export function putCall(
  key: string,
  value: string,
  condition?: RegisterCondition,
): Extract<RegisterCall, { kind: "put" }> {
  return { kind: "put", key, value, ...(condition && { condition }) };
}

/** Any write that was not acknowledged. */
export function write(span: Span, call: RegisterCall, answer: Answer<RegisterResult> = unknown): Bare {
  return register(span, call, answer);
}

export function remove(span: Span, key: string, at: ZxidNumber, condition?: RegisterCondition): Bare {
  return register(span, { kind: "delete", key, ...(condition && { condition }) }, ok({ kind: "delete", at }));
}

export function txn(span: Span, then: readonly TxnPart[], results: readonly TxnPartResult[] | undefined): Bare {
  const answer = results === undefined ? unknown : ok<RegisterResult>({ kind: "txn", branch: "then", results });
  return register(span, { kind: "txn", check: [], then }, answer);
}

export function putPart(key: string, value: string): TxnPart {
  return putCall(key, value);
}

export function putResult(version: number, mzxid: ZxidNumber): TxnPartResult {
  return { kind: "put", version, mzxid };
}

export function readPart(key: string): TxnPart {
  return { kind: "read", key };
}

export function readResult(seen: Seen): TxnPartResult {
  return { kind: "read", znode: znodeOf(seen) };
}

function sequence([invoked, answered]: Span, call: SequenceCall, answer: Answer<SequenceResult>): Bare {
  return { process: invoked, model: "sequence", object: "/queue", invoked, answered, call, answer };
}

/** The name that a prefix gets with a number. */
export function child(prefix: string, number: number): string {
  return `${prefix}${String(number).padStart(10, "0")}`;
}

export function append(span: Span, prefix: string, answer: number | Answer<SequenceResult>): Bare {
  const told =
    typeof answer === "number" ? ok<SequenceResult>({ kind: "append", name: child(prefix, answer) }) : answer;
  return sequence(span, { kind: "append", prefix }, told);
}

export function list(span: Span, names: readonly string[]): Bare {
  return sequence(span, { kind: "list" }, ok<SequenceResult>({ kind: "list", names }));
}

export function removeChild(span: Span, name: string, answer?: Answer<SequenceResult>): Bare {
  return sequence(span, { kind: "remove", name }, answer ?? ok<SequenceResult>({ kind: "remove" }));
}

function lock([invoked, answered]: Span, call: LockCall, answer: Answer<LockResult>): Bare {
  return { process: invoked, model: "lock", object: "/lock", invoked, answered, call, answer };
}

export function acquire(span: Span, session: string, answer: ZxidNumber | Answer<LockResult>): Bare {
  const told = typeof answer === "number" ? ok<LockResult>({ kind: "acquire", token: answer }) : answer;
  return lock(span, { kind: "acquire", session }, told);
}

export function release(span: Span, session: string, token: ZxidNumber, answer?: Answer<LockResult>): Bare {
  return lock(span, { kind: "release", session, token }, answer ?? ok<LockResult>({ kind: "release" }));
}

/** `seen`: owner and token, or nobody. */
export function observe(span: Span, seen: readonly [owner: ZxidNumber, token: ZxidNumber] | null): Bare {
  const holder = seen === null ? null : { owner: seen[0], token: seen[1] };
  return lock(span, { kind: "observe" }, ok<LockResult>({ kind: "observe", holder }));
}

function session([invoked, answered]: Span, name: string, call: SessionCall, answer: Answer<SessionResult>): Bare {
  return { process: invoked, model: "session", object: name, invoked, answered, call, answer };
}

export function open(span: Span, name: string, id: ZxidNumber, timeoutMillis: number): Bare {
  return session(span, name, { kind: "open", timeoutMillis }, ok<SessionResult>({ kind: "session", id }));
}

export function renew(span: Span, name: string, answer?: Answer<SessionResult>): Bare {
  return session(span, name, { kind: "renew" }, answer ?? ok<SessionResult>({ kind: "session" }));
}

export function close(span: Span, name: string, answer?: Answer<SessionResult>): Bare {
  return session(span, name, { kind: "close" }, answer ?? ok<SessionResult>({ kind: "session" }));
}
