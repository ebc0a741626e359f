/**
 * What a recorded history is: what clients of real processes asked, when, and what they were told. A recorder fills it in;
 * `index.ts` judges it. It knows nothing of HTTP: a recorder that knows translates.
 *
 * How an answer over REST is recorded:
 * - 2xx, and 404 to a read: `ok`.
 * - 404, 409, 410, 412 whose `code` is a `FailureCode`: `failed`. It was decided in order, so it also says something of the state.
 * - any other 4xx, 429, 501, 503, and whatever bears `certainty: noEffect`: `noEffect`.
 * - 500, 502, 504, a cut connection, no answer, no problem+json: `unknown`, and `answered` is Infinity.
 * A request that is sent several times under one `Idempotency-Key` is one operation: invoked when it was first sent, answered
 * at the first answer that is not unknown. Without a key each try is an operation of its own, with a value of its own.
 */

/** Milliseconds of one monotonic clock that all recording clients share. */
export type Millis = number;

/** A zxid or session id as the safe integer that `parseZxid` yields. */
export type ZxidNumber = number;

/** The codes of failures that are statements about the state. */
export type FailureCode = "badVersion" | "nodeExists" | "noNode" | "sessionExpired";

/** Where in a txn it failed (`op` of the problem). */
export interface FailurePlace {
  readonly in: "check" | "then" | "else";
  readonly index: number;
}

/** A condition did not hold at one point between invocation and answer. Nothing was changed. */
export interface Failed {
  readonly kind: "failed";
  readonly code: FailureCode;
  /** Of the header `Quorate-Zxid`: the state that was judged is at least that new. */
  readonly zxid?: ZxidNumber;
  /** Of a txn only. */
  readonly place?: FailurePlace;
}

/** It was refused and never takes effect; nothing follows for the state. `code`: for people. */
export interface NoEffect {
  readonly kind: "noEffect";
  readonly code?: string;
}

/** It may take effect at any time after its invocation, or never. `code`: for people. */
export interface Unknown {
  readonly kind: "unknown";
  readonly code?: string;
  /** When the client stopped waiting. */
  readonly gaveUp?: Millis;
}

export interface Ok<Result> {
  readonly kind: "ok";
  readonly result: Result;
  /** Of the header `Quorate-Zxid`: what was read or written is at least that new. */
  readonly zxid?: ZxidNumber;
}

export type Answer<Result> = Ok<Result> | Failed | NoEffect | Unknown;

interface Recorded<Model extends string, Call, Result> {
  /** Unique in the whole history; 0, 1, 2, … is fine. */
  readonly id: number;
  /** The client; one client has one operation under way at a time, or several: the checks do not rely on it. */
  readonly process: number;
  /** Which specification the object follows. */
  readonly model: Model;
  /** The independent object it belongs to: such as the path of the parent. Unique among all models. */
  readonly object: string;
  readonly invoked: Millis;
  /** When the answer had arrived; Infinity if `unknown`. */
  readonly answered: Millis;
  readonly call: Call;
  readonly answer: Answer<Result>;
}

// ---------------------------------------------------------------- registers: znodes under one parent

/**
 * What a write requires. At most one of them. `exists: false` is `If-None-Match: *`, `exists: true` is `If-Match: *`, `mzxid` is
 * `If-Match: "<etag>"`, `version` is a txn's. An mzxid must stand in a recorded answer about the same object.
 */
export interface RegisterCondition {
  readonly exists?: boolean;
  readonly mzxid?: ZxidNumber;
  readonly version?: number;
}

/** A linearizable GET. Only those: what is read with less belongs in no history. */
export interface ReadCall {
  readonly kind: "read";
  readonly key: string;
}

/**
 * PUT: creates or replaces under a condition; in a txn `put`, or `create` as a put with `exists: false`, `set` as a put with
 * `exists: true`.
 */
export interface PutCall {
  readonly kind: "put";
  readonly key: string;
  /** Unique to this operation in the whole history: no other write, of whatever outcome, has it. */
  readonly value: string;
  readonly condition?: RegisterCondition;
}

/** DELETE under a condition (`exists: true` is no condition; `exists: false` is not allowed). */
export interface DeleteCall {
  readonly kind: "delete";
  readonly key: string;
  readonly condition?: RegisterCondition;
}

/** A check among the ops of a txn, and of its `check` list. */
export interface CheckCall extends RegisterCondition {
  readonly kind: "check";
  readonly key: string;
}

/** All or nothing, one zxid. A `read` in it is `get`; on a znode that is not there it fails the txn with `noNode`. */
export interface TxnCall {
  readonly kind: "txn";
  readonly check: readonly CheckCall[];
  readonly then: readonly TxnPart[];
  readonly else?: readonly TxnPart[];
}
export type TxnPart = ReadCall | PutCall | DeleteCall | CheckCall;

export type RegisterCall = ReadCall | PutCall | DeleteCall | TxnCall;

/** What a reader sees. */
export interface SeenZnode {
  readonly value: string;
  readonly version: number;
  readonly mzxid: ZxidNumber;
}

/** Of a read; `null`: it is not there (404). */
export interface ReadResult {
  readonly kind: "read";
  readonly znode: SeenZnode | null;
}
/** Of a put: version and mzxid of the stat in the answer. `created`: 201, not 200. */
export interface PutResult {
  readonly kind: "put";
  readonly version: number;
  readonly mzxid: ZxidNumber;
  readonly created?: boolean;
}
export interface DeleteResult {
  readonly kind: "delete";
  /** `zxid` of the body: the transaction's own. Absent in a txn. */
  readonly at?: ZxidNumber;
}
export interface CheckResult {
  readonly kind: "check";
}
export interface TxnResult {
  readonly kind: "txn";
  readonly branch: "then" | "else";
  /** One for each op of the branch, in order. */
  readonly results: readonly TxnPartResult[];
}
export type TxnPartResult = ReadResult | PutResult | DeleteResult | CheckResult;
export type RegisterResult = ReadResult | PutResult | DeleteResult | TxnResult;

export type RegisterOperation = Recorded<"registers", RegisterCall, RegisterResult>;

// ---------------------------------------------------------------- sequence: sequential creation under one parent

/**
 * POST with a prefix. The prefix is unique to this operation in the whole history, and none is the beginning of another (such
 * as `item-17-`): so that a name in a listing tells which operation made it, an unanswered one too.
 */
export interface AppendCall {
  readonly kind: "append";
  readonly prefix: string;
}
/** Linearizable listing of the parent, all pages of one zxid. */
export interface ListCall {
  readonly kind: "list";
}
/** DELETE of a child by its name. */
export interface RemoveCall {
  readonly kind: "remove";
  readonly name: string;
}
export type SequenceCall = AppendCall | ListCall | RemoveCall;

/** The name without its folder: the prefix and ten digits. */
export interface AppendResult {
  readonly kind: "append";
  readonly name: string;
  readonly czxid?: ZxidNumber;
}
export interface ListResult {
  readonly kind: "list";
  readonly names: readonly string[];
}
export interface RemoveResult {
  readonly kind: "remove";
  readonly at?: ZxidNumber;
}
export type SequenceResult = AppendResult | ListResult | RemoveResult;

export type SequenceOperation = Recorded<"sequence", SequenceCall, SequenceResult>;

// ---------------------------------------------------------------- lock: one ephemeral znode

/** PUT `?ephemeral=true` with `If-None-Match: *` by a session; `nodeExists`: somebody has it; `sessionExpired` (410): told so. */
export interface AcquireCall {
  readonly kind: "acquire";
  /** The name that a session operation of the same history has. */
  readonly session: string;
}
/**
 * DELETE, with the mzxid in `If-Match` or the czxid in a txn's check; without `token` unconditional. An ephemeral that is never
 * set again has mzxid = czxid, so either is the token. `badVersion`: another's token; `noNode`: not there.
 */
export interface ReleaseCall {
  readonly kind: "release";
  /** Whose release it is; with it the checks know a lock that went without one. */
  readonly session: string;
  readonly token?: ZxidNumber;
}
/** A linearizable read of the lock's znode. */
export interface ObserveCall {
  readonly kind: "observe";
}
export type LockCall = AcquireCall | ReleaseCall | ObserveCall;

export interface AcquireResult {
  readonly kind: "acquire";
  /** Its czxid. */
  readonly token: ZxidNumber;
}
export interface ReleaseResult {
  readonly kind: "release";
  readonly at?: ZxidNumber;
}
/** `null`: it is not there. */
export interface ObserveResult {
  readonly kind: "observe";
  readonly holder: { readonly owner: ZxidNumber; readonly token: ZxidNumber } | null;
}
export type LockResult = AcquireResult | ReleaseResult | ObserveResult;

/** The value of the lock's znode does not matter to it. */
export type LockOperation = Recorded<"lock", LockCall, LockResult>;

// ---------------------------------------------------------------- sessions: facts for the locks

/** POST /v1/sessions. */
export interface OpenSessionCall {
  readonly kind: "open";
  readonly timeoutMillis: number;
}
/** Renew, or anything else that bears the session as a sign of life (a renewing poll). */
export interface RenewSessionCall {
  readonly kind: "renew";
}
export interface CloseSessionCall {
  readonly kind: "close";
}
export type SessionCall = OpenSessionCall | RenewSessionCall | CloseSessionCall;

/** `id`: of `open`, the session's id, which an ephemeral's owner is. */
export interface SessionResult {
  readonly kind: "session";
  readonly id?: ZxidNumber;
}

/**
 * `object` is the session's name, drawn by the client before it opens it (so that one that was opened without an answer has a
 * name too). 410 to a renewal or close is `failed` with `sessionExpired`. A history that is checked must have all operations of
 * every session that its locks name; a session may serve several locks.
 */
export type SessionOperation = Recorded<"session", SessionCall, SessionResult>;

// ---------------------------------------------------------------- a history

export type Operation = RegisterOperation | SequenceOperation | LockOperation | SessionOperation;

/** A span of time in which nobody could judge whether a session is over: too few replicas ran, or were in touch. */
export interface Outage {
  readonly from: Millis;
  readonly to: Millis;
}

/**
 * What bounds the life of an ephemeral behind its session: a session from which nothing came for its timeout, and this much
 * more, is over for everybody. An outage that touches the waiting begins it anew, for a new leader gives every session its full
 * timeout. Infinity: not judged.
 */
export interface HistorySettings {
  readonly sessionEndBoundMillis: number;
  readonly outages?: readonly Outage[];
}

/**
 * In any order. Whole objects: an object's history begins with nothing there (no znode under the parent, no lock), and all that was
 * ever done to it is in it. Several objects, or one alone, may be checked at a time; zxids are compared among all that are given.
 */
export interface History {
  readonly operations: readonly Operation[];
  /** Default: `defaultSettings`. */
  readonly settings?: HistorySettings;
}

export const defaultSettings: HistorySettings = { sessionEndBoundMillis: Number.POSITIVE_INFINITY };

/** What the checks found. */
export interface Verdict {
  /** Each names the rule, the object and the operations; for people. */
  readonly violations: readonly string[];
  /** Objects whose search was given up: neither right nor wrong. */
  readonly undecided: number;
  readonly operations: number;
  /** Registers, sequences and locks; sessions are none. */
  readonly objects: number;
}
