/**
 * What a client can do, whichever way it goes: the interface of both classes, and its values. Zxids are text, `0x` and 16 hex
 * digits, as in every answer of the REST door: they sort as the writes do.
 */
import type { components } from "@quorate/openapi";
import type { Elections, Locks } from "./locks.ts";

type Schemas = components["schemas"];

export type Stat = Schemas["Stat"];
export type AclEntry = Schemas["AclEntry"];
/** Text is sent as UTF-8. */
export type Data = string | Uint8Array;
export type Consistency = "linearizable" | "session" | "stale";

export interface CallOptions {
  /** Ends the call with the signal's reason; what a write did by then is unknown. */
  readonly signal?: AbortSignal;
  /** For all tries together. */
  readonly timeoutMillis?: number;
}

export interface ReadOptions extends CallOptions {
  /** `session`: not older than what this client has seen. */
  readonly consistency?: Consistency;
  readonly minZxid?: string;
  /** With `stale`. */
  readonly maxStaleMillis?: number;
}

export interface WriteOptions extends CallOptions {
  /**
   * Every write has a key of its own, so that it may be repeated when its outcome is unknown. `false`: it has none, and an
   * unknown outcome is an error. The writes of a gRPC session need no key: their numbers do the same.
   */
  readonly idempotencyKey?: string | false;
  /** It is done only while these are held, by their tokens: else the error is `fenced`, and nothing is done. */
  readonly fenced?: Fenced | readonly Fenced[];
}

/** A `Lock` or a `Leadership` is one; what it protects may also be elsewhere, and know its name and token alone. */
export interface Fenced {
  readonly name: string;
  readonly token: string;
}

/** How a znode is made. */
export interface Shape {
  /** Goes with the session that made it. */
  readonly ephemeral?: boolean;
  readonly container?: boolean;
  readonly ttlMillis?: number;
  readonly acl?: readonly AclEntry[];
  readonly parents?: boolean;
}

/** What must hold of the znode. `mzxid` is the compare of compare-and-set: `stat.mzxid` as it was read. */
export interface Condition {
  readonly exists?: boolean;
  readonly mzxid?: string;
}

export interface PutOptions extends WriteOptions, Shape, Condition {}
export interface CreateOptions extends WriteOptions, Shape {
  /** The path is a prefix; the next number is put behind it. */
  readonly sequential?: boolean;
}
export interface DeleteOptions extends WriteOptions, Pick<Condition, "mzxid"> {
  readonly recursive?: boolean;
}
export interface SetAclOptions extends WriteOptions {
  /** As `getAcl` answered it. */
  readonly version?: number;
}
export interface ChildrenOptions extends ReadOptions {
  /** Names on a page. */
  readonly limit?: number;
  /** With stat and data of each. */
  readonly data?: boolean;
}
export interface TreeOptions extends ReadOptions {
  /** Levels below the path; without it, all. */
  readonly depth?: number;
  /** With the data of each. */
  readonly data?: boolean;
}

export interface Znode {
  readonly path: string;
  readonly data: Uint8Array;
  readonly stat: Stat;
  /** What was read is at least that new. */
  readonly zxid: string;
}
export interface Written {
  readonly path: string;
  /** It was not there before. */
  readonly created: boolean;
  readonly stat: Stat;
  readonly zxid: string;
}
export interface Deleted {
  /** How many znodes. */
  readonly deleted: number;
  readonly zxid: string;
}
export interface Child {
  readonly name: string;
  readonly stat?: Stat;
  readonly data?: Uint8Array;
}
export interface TreeNode {
  readonly path: string;
  readonly stat: Stat;
  readonly data?: Uint8Array;
}
export interface AclAnswer {
  readonly acl: readonly AclEntry[];
  readonly version: number;
}

/** Goes through pages by itself. */
export interface Listing<T> extends AsyncIterable<T> {
  /** The moment that is listed; known from the first item on, or from the end of an empty listing. Good as a watch's `after`. */
  readonly zxid: string | undefined;
}

/** At least one condition besides the path; all must hold. */
export interface Check {
  readonly path: string;
  readonly exists?: boolean;
  readonly version?: number;
  readonly mzxid?: string;
  readonly czxid?: string;
  /** It is an ephemeral of the session that asks. */
  readonly owner?: "self";
}
type TxnCondition = Condition & { readonly version?: number };
export type TxnOperation =
  | ({ readonly op: "create"; readonly path: string; readonly data?: Data; readonly sequential?: boolean } & Shape)
  | ({ readonly op: "put"; readonly path: string; readonly data?: Data } & Shape & TxnCondition)
  | ({ readonly op: "set"; readonly path: string; readonly data?: Data } & TxnCondition)
  | ({ readonly op: "delete"; readonly path: string; readonly recursive?: boolean } & TxnCondition)
  | { readonly op: "setAcl"; readonly path: string; readonly acl: readonly AclEntry[]; readonly version?: number }
  | ({ readonly op: "check" } & Check)
  | { readonly op: "get" | "exists"; readonly path: string }
  | { readonly op: "children"; readonly path: string; readonly limit?: number };

/** All or nothing, at one zxid. `else`: what is done when a check fails; without it that is an error. */
export interface Txn {
  readonly check?: readonly Check[];
  readonly then?: readonly TxnOperation[];
  readonly else?: readonly TxnOperation[];
}
/** By its operation, in order: what that operation answers. */
export interface TxnResult {
  readonly path: string;
  readonly created?: boolean;
  readonly deleted?: number;
  readonly checked?: boolean;
  readonly data?: Uint8Array;
  readonly stat?: Stat;
  readonly children?: readonly Child[];
}
export interface TxnAnswer {
  readonly branch: "then" | "else";
  readonly results: readonly TxnResult[];
  readonly zxid: string;
}

export interface WatchOptions {
  /** created, changed, deleted of the path. */
  readonly node?: string | readonly string[];
  /** created, deleted of each child. */
  readonly children?: string | readonly string[];
  /** created, changed, deleted of the path and all below. */
  readonly subtree?: string | readonly string[];
  /** A watch's cursor or any answer's zxid: all events after it, and no state. */
  readonly after?: string;
  /** Events bring the data, if that version still stands. */
  readonly include?: "data";
  /** When the cursor has grown too old: begin again with the state, behind an item `restarted`. Else that is an error. */
  readonly restart?: boolean;
  /** How long it may be out of touch before that is an error; without it, for ever. */
  readonly timeoutMillis?: number;
  readonly signal?: AbortSignal;
}
export type WatchItem =
  /** The first items of a watch without `after`. A subtree has none: read `tree`, and watch after its zxid. */
  | {
      readonly type: "state";
      readonly scope: "node" | "children";
      readonly path: string;
      readonly exists: boolean;
      readonly stat?: Stat;
      readonly data?: Uint8Array;
      /** Of scope children. */
      readonly children?: readonly string[];
    }
  | {
      readonly type: "created" | "changed" | "deleted";
      readonly path: string;
      readonly zxid: string;
      readonly version: number;
      readonly czxid: string;
      readonly time: string;
      readonly data?: Uint8Array;
      /** The data was asked for, but is newer already: a later event follows. */
      readonly superseded?: boolean;
    }
  /** Events are missing here: what follows is the state anew (a subtree has to be read again). */
  | { readonly type: "restarted" };

/**
 * To be gone through once. It goes on through losses of gateways and leaders, each event once. It is not read further while
 * its reader is busy; to `break` closes it.
 */
export interface Watch extends AsyncIterable<WatchItem>, AsyncDisposable {
  /** Where another watch would go on: everything that was given is before it, but the events of a transaction not yet whole. */
  readonly cursor: string | undefined;
  close(): Promise<void>;
}

/** What can be asked, with a session or without one. */
export interface Operations {
  get(path: string, options?: ReadOptions): Promise<Znode>;
  /** Undefined: there is none. */
  exists(path: string, options?: ReadOptions): Promise<Stat | undefined>;
  /** Creates or replaces; `exists: true` replaces only, `exists: false` creates only, `mzxid` compares and sets. */
  put(path: string, data: Data, options?: PutOptions): Promise<Written>;
  create(path: string, data: Data, options?: CreateOptions): Promise<Written>;
  delete(path: string, options?: DeleteOptions): Promise<Deleted>;
  children(path: string, options?: ChildrenOptions): Listing<Child>;
  /** It and all below, at one zxid, parents first. */
  tree(path: string, options?: TreeOptions): Listing<TreeNode>;
  getAcl(path: string, options?: ReadOptions): Promise<AclAnswer>;
  setAcl(path: string, acl: readonly AclEntry[], options?: SetAclOptions): Promise<Written>;
  txn(txn: Txn, options?: WriteOptions & ReadOptions): Promise<TxnAnswer>;
  /** The zxid of a moment after the call: everything acknowledged before it is visible at it. */
  sync(options?: CallOptions): Promise<string>;
  watch(options: WatchOptions): Watch;
}

export interface SessionOptions extends CallOptions {
  /** 1 s to 24 h; default 30 s. */
  readonly sessionTimeoutMillis?: number;
  /** For operators, such as `billing@host7`. */
  readonly name?: string;
}

/** Kept alive until it is closed or lost. What it writes may be ephemeral; nobody makes it anew behind your back. */
export interface Session extends Operations, AsyncDisposable {
  readonly id: string;
  readonly secret: string;
  readonly timeoutMillis: number;
  /**
   * Aborted, with a `QuorateError` as its reason, when the session is over, or when it may be: no renewal sent within the
   * last `timeoutMillis` was answered. Whoever acts as the owner of something stops then.
   */
  readonly lost: AbortSignal;
  /** Its ephemerals go with it. */
  close(): Promise<void>;
}

export interface Quorate extends Operations, AsyncDisposable {
  readonly locks: Locks;
  readonly elections: Elections;
  /** The newest zxid that any answer showed. */
  readonly seen: string;
  session(options?: SessionOptions): Promise<Session>;
  /** Ends its watches and closes its sessions. */
  close(): Promise<void>;
}

export interface ClientOptions {
  /** Gateways or replicas, each as good as the other. */
  readonly endpoints: readonly string[];
  readonly credentials?: { readonly user: string; readonly password: string };
  /** Of each call that names none; default 10 s. */
  readonly timeoutMillis?: number;
  /** Of each read that names none; default linearizable. */
  readonly consistency?: Consistency;
}
