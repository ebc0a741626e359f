/** What an operation answers: plain values, the same on every replica. */
import type { ErrorCode } from "./errors.ts";
import type { TreePageResult } from "./listing.ts";
import type { Acl, AuthId, NodeKind, Stat } from "./node.ts";
import type { Path } from "./path.ts";
import type { ChangeType, WatchedResult } from "./watch.ts";
import type { SessionId, Zxid } from "./zxid.ts";

/** create, put, set. `created`: it was not there before. */
export interface NodeResult {
  readonly kind: "node";
  readonly path: Path;
  readonly created: boolean;
  readonly stat: Stat;
}
export interface DeletedResult {
  readonly kind: "deleted";
  readonly path: Path;
  /** How many znodes. */
  readonly count: number;
}
export interface DataResult {
  readonly kind: "data";
  readonly path: Path;
  readonly data: Uint8Array;
  /** It was written as ZooKeeper's null; then `data` is empty. */
  readonly nullData?: true;
  readonly stat: Stat;
}
export interface StatResult {
  readonly kind: "stat";
  readonly path: Path;
  readonly stat: Stat;
}
export interface ChildEntry {
  readonly name: string;
  readonly stat?: Stat;
  readonly data?: Uint8Array;
}
export interface ChildrenResult {
  readonly kind: "children";
  readonly path: Path;
  /** Of the parent, as it is now. */
  readonly stat: Stat;
  /** Of the first page: the names are those of this zxid. */
  readonly at: Zxid;
  readonly children: readonly ChildEntry[];
  /** There are more behind the last one. */
  readonly more: boolean;
}
export interface AclResult {
  readonly kind: "acl";
  readonly path: Path;
  readonly acl: Acl;
  readonly stat: Stat;
}
export interface CheckedResult {
  readonly kind: "checked";
  readonly path: Path;
}
export interface TxnResult {
  readonly kind: "txn";
  readonly branch: "then" | "else";
  readonly results: readonly Result[];
}
/** createSession and attach. */
export interface SessionResult {
  readonly kind: "session";
  readonly session: SessionId;
  readonly timeoutMillis: number;
  readonly attachment: number;
  /** Of the lane: the last sequence applied. */
  readonly lastSequence: number;
}
export interface SessionInfo {
  readonly session: SessionId;
  readonly name: string;
  readonly address: string;
  readonly timeoutMillis: number;
  readonly identity: readonly AuthId[];
  readonly createdAt: number;
  readonly ephemeralCount: number;
  /** Milliseconds since the last renewal the leader knows of; only the leader can say. */
  readonly idleMillis?: number;
}
export interface SessionInfoResult {
  readonly kind: "sessionInfo";
  readonly info: SessionInfo;
  readonly ephemerals: readonly Path[];
}
export interface SessionListResult {
  readonly kind: "sessionList";
  readonly sessions: readonly SessionInfo[];
  readonly more: boolean;
}
/** closeSession, expireSession, sweep, sync. */
export interface DoneResult {
  readonly kind: "done";
  /** Znodes deleted with it. */
  readonly count: number;
}

export type Result =
  | NodeResult
  | DeletedResult
  | DataResult
  | StatResult
  | ChildrenResult
  | AclResult
  | CheckedResult
  | TxnResult
  | SessionResult
  | SessionInfoResult
  | SessionListResult
  | WatchedResult
  | TreePageResult
  | DoneResult;

export interface Success {
  readonly ok: true;
  /** Of the write; of a read: the last applied. */
  readonly zxid: Zxid;
  readonly result: Result;
  /** From the memory of an idempotency key. */
  readonly replayed?: boolean;
}

export interface Failure {
  readonly ok: false;
  readonly zxid: Zxid;
  readonly code: ErrorCode;
  /** For people: the field, its fault, the way out. */
  readonly detail: string;
  readonly path?: Path;
  /** In a txn: which operation failed. */
  readonly op?: { readonly in: "check" | "then" | "else"; readonly index: number };
  readonly replayed?: boolean;
}

export type Outcome = Success | Failure;

/** What one transaction changed, for the ring and for watches. `acl`: the ACL was set; no event comes of it. */
export interface Change {
  readonly zxid: Zxid;
  readonly type: ChangeType | "acl";
  readonly path: Path;
  /** Of the data after the change; of the last before a deletion. */
  readonly version: number;
  readonly czxid: Zxid;
  /** Stamp of the transaction, ms since 1970. */
  readonly time: number;
  /** The znode's ACL reference (as it was, if deleted) and its parent's. */
  readonly acl: number;
  readonly parentAcl: number;
  readonly kind: NodeKind;
}
