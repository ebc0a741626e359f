/** Everything a client may ask, as values. Writes are replicated and decided at apply; reads are answered locally. */
import type { Acl, Identity, NodeKind } from "./node.ts";
import type { Path } from "./path.ts";
import type { WatchOperation } from "./watch.ts";
import type { SessionId, Zxid } from "./zxid.ts";

/** What a write requires of the znode it meets; every field given must hold. */
export interface Condition {
  /** `true`: it exists (`If-Match: *`); `false`: it does not (`If-None-Match: *`). */
  readonly exists?: boolean;
  /** Its mzxid is one of these (`If-Match` with ETags). */
  readonly mzxids?: readonly Zxid[];
  /** ZooKeeper's version; -1 is any. */
  readonly version?: number;
}

/** How a znode is made. */
export interface Shape {
  readonly kind: NodeKind;
  /** Milliseconds; 0 but for kind `ttl`. */
  readonly ttlMillis: number;
  /** Undefined: `openAcl`. */
  readonly acl?: Acl;
}

export const persistentShape: Shape = { kind: "persistent", ttlMillis: 0 };

/** Creates; `exists` and `noParent` are failures. `sequential`: `path` is a prefix, which may end in `/`. */
export interface CreateOperation {
  readonly kind: "create";
  readonly path: Path;
  readonly data: Uint8Array;
  /** ZooKeeper's null, which is not the same as no bytes; then `data` is empty. */
  readonly nullData?: true;
  readonly shape: Shape;
  readonly sequential: boolean;
  /** Make missing parents (persistent, open ACL as the first missing one inherits nothing). */
  readonly parents: boolean;
}

/** Creates or replaces (REST's PUT). On a znode that exists `shape` must be of its kind, without an ACL. */
export interface PutOperation {
  readonly kind: "put";
  readonly path: Path;
  readonly data: Uint8Array;
  /** Undefined: whatever it is; persistent when it is made. */
  readonly shape?: Shape;
  readonly parents: boolean;
  readonly condition: Condition;
}

export interface SetOperation {
  readonly kind: "set";
  readonly path: Path;
  readonly data: Uint8Array;
  /** ZooKeeper's null, which is not the same as no bytes; then `data` is empty. */
  readonly nullData?: true;
  readonly condition: Condition;
}

/** `recursive`: the znode and all below, atomically, at most 10,000; the condition is about the znode itself. */
export interface DeleteOperation {
  readonly kind: "delete";
  readonly path: Path;
  readonly condition: Condition;
  readonly recursive: boolean;
}

/** `aversion` -1: any. `czxid`, where given, must be the znode's too (the ACL's ETag is both). */
export interface SetAclOperation {
  readonly kind: "setAcl";
  readonly path: Path;
  readonly acl: Acl;
  readonly aversion: number;
  readonly czxid?: Zxid;
}

/** A guard of a txn. `owner: "self"`: it is an ephemeral of the acting session. */
export interface Check {
  readonly path: Path;
  readonly exists?: boolean;
  readonly version?: number;
  readonly mzxid?: Zxid;
  readonly czxid?: Zxid;
  readonly ownerSelf?: boolean;
}

/** A check among the ops, as ZooKeeper's multi has it. */
export interface CheckOperation extends Check {
  readonly kind: "check";
}

export interface GetOperation {
  readonly kind: "get";
  readonly path: Path;
}

export interface ExistsOperation {
  readonly kind: "exists";
  readonly path: Path;
}

/**
 * Children sorted by the bytes of their names. A later page names the zxid of the first (`at`) and the last name had
 * (`after`): its names are those of `at`.
 */
export interface ChildrenOperation {
  readonly kind: "children";
  readonly path: Path;
  /** 1 to `limits.listedNames`; doors that answer in pages take up to `limits.pageNames`. */
  readonly limit: number;
  readonly after?: string;
  readonly at?: Zxid;
  /** With stat and data of each child (where it may be read). */
  readonly withData: boolean;
}

export interface GetAclOperation {
  readonly kind: "getAcl";
  readonly path: Path;
}

export type TxnOperation =
  | CreateOperation
  | PutOperation
  | SetOperation
  | DeleteOperation
  | SetAclOperation
  | CheckOperation
  | GetOperation
  | ExistsOperation
  | ChildrenOperation;

/** All or nothing, one zxid. Checks that fail without `else` fail the txn. */
export interface TxnOperationSet {
  readonly kind: "txn";
  readonly check: readonly Check[];
  readonly then: readonly TxnOperation[];
  readonly else?: readonly TxnOperation[];
}

/** `gateway` sessions are the internal ones whose lanes carry what comes without a lane. */
export type SessionRole = "client" | "gateway";

export interface CreateSessionOperation {
  readonly kind: "createSession";
  readonly role: SessionRole;
  /** 1 s to 24 h. */
  readonly timeoutMillis: number;
  /** SHA-256 of the 16 random bytes that the gateway drew: 32 bytes. */
  readonly secretHash: Uint8Array;
  /** For operators: such as `billing@host7`; may be empty. */
  readonly name: string;
  /** The client's address, for operators. */
  readonly address: string;
}

/** Closes a session and deletes its ephemerals; by its owner (the command's acting session) or by the super user. */
export interface CloseSessionOperation {
  readonly kind: "closeSession";
  readonly session: SessionId;
}

/** Opens or takes over a session's lane: raises its attachment; writes of an older one get `sessionMoved`. */
export interface AttachOperation {
  readonly kind: "attach";
  readonly session: SessionId;
}

/** By the leader's judgement alone: the session's time is over. */
export interface ExpireSessionOperation {
  readonly kind: "expireSession";
  readonly session: SessionId;
}

/** By the leader alone: delete each that still is as it was and whose time is over (decided again at apply). */
export interface SweepOperation {
  readonly kind: "sweep";
  readonly candidates: readonly { readonly path: Path; readonly mzxid: Zxid; readonly pzxid: Zxid }[];
}

export type WriteOperation =
  | CreateOperation
  | PutOperation
  | SetOperation
  | DeleteOperation
  | SetAclOperation
  | TxnOperationSet
  | CreateSessionOperation
  | CloseSessionOperation
  | AttachOperation
  | ExpireSessionOperation
  | SweepOperation;

/** One session: what `GET /v1/sessions/{id}` shows; by its owner (acting) or the super user. */
export interface GetSessionOperation {
  readonly kind: "getSession";
  readonly session: SessionId;
}

/** All client sessions; super user only. */
export interface ListSessionsOperation {
  readonly kind: "listSessions";
  readonly limit: number;
  readonly after?: SessionId;
}

/** Nothing but the confirmation and the zxid. */
export interface SyncOperation {
  readonly kind: "sync";
}

/** A txn of reads alone is a read: it writes nothing and reads at one zxid. */
export type ReadOperation =
  | GetOperation
  | ExistsOperation
  | ChildrenOperation
  | GetAclOperation
  | GetSessionOperation
  | ListSessionsOperation
  | SyncOperation
  | WatchOperation
  | TxnOperationSet;

/** One place in an ordered stream of writes; see ARCHITECTURE.md, "Lanes". */
export interface Lane {
  readonly session: SessionId;
  readonly attachment: number;
  /** 1, 2, … through all attachments. */
  readonly sequence: number;
  /** Outcomes up to this one are not asked for again. */
  readonly answeredUpTo: number;
}

/** A client's session on whose behalf a command comes; the hash is compared with the session's at apply. */
export interface Acting {
  readonly session: SessionId;
  /** SHA-256 of the secret the client showed: 32 bytes. */
  readonly secretHash: Uint8Array;
}

export interface IdempotencyKey {
  /** 1–64 visible characters. */
  readonly key: string;
  /** 16 bytes that identify the request. */
  readonly requestHash: Uint8Array;
}

/** What is replicated: the operation and everything that its verdict needs. */
export interface Command {
  /** Undefined only for the leader's own commands and a gateway's first session. */
  readonly lane?: Lane;
  readonly identity: Identity;
  readonly acting?: Acting;
  readonly key?: IdempotencyKey;
  readonly operation: WriteOperation;
}
