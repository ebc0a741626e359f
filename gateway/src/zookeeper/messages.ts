/**
 * What travels on the client port, as values: ZooKeeper's records (zookeeper.jute of 3.9, packages proto and txn). `decode.ts`
 * and `encode.ts` are their bytes. Paths are text that nobody has judged yet; `data` and other bytes are views of the frame.
 */
import type { Acl, SessionId, Stat, Zxid } from "@quorate/api";

/** ZooDefs.OpCode. */
export const opcodes = {
  notification: 0,
  create: 1,
  delete: 2,
  exists: 3,
  getData: 4,
  setData: 5,
  getAcl: 6,
  setAcl: 7,
  getChildren: 8,
  sync: 9,
  ping: 11,
  getChildren2: 12,
  check: 13,
  multi: 14,
  create2: 15,
  reconfig: 16,
  checkWatches: 17,
  removeWatches: 18,
  createContainer: 19,
  deleteContainer: 20,
  createTtl: 21,
  multiRead: 22,
  auth: 100,
  setWatches: 101,
  sasl: 102,
  getEphemerals: 103,
  getAllChildrenNumber: 104,
  setWatches2: 105,
  addWatch: 106,
  whoAmI: 107,
  createSession: -10,
  closeSession: -11,
  error: -1,
} as const;

/** ClientCnxn: numbers that are no request's. */
export const xids = { notification: -1, ping: -2, auth: -4, setWatches: -8 } as const;

/** KeeperException.Code, where the door itself answers it: those of the replicated state are in `errors` of the vocabulary. */
export const codes = {
  ok: 0,
  systemError: -1,
  runtimeInconsistency: -2,
  connectionLoss: -4,
  marshallingError: -5,
  unimplemented: -6,
  badArguments: -8,
  noNode: -101,
  noAuth: -102,
  invalidAcl: -114,
  authFailed: -115,
  sessionExpired: -112,
  sessionMoved: -118,
  notReadOnly: -119,
  noWatcher: -121,
  reconfigDisabled: -123,
} as const;

/** Watcher.Event.EventType. */
export const eventTypes = { created: 1, deleted: 2, dataChanged: 3, childrenChanged: 4 } as const;

/** Watcher.WatcherType, in checkWatches and removeWatches. */
export const watcherTypes = { children: 1, data: 2, any: 3, persistent: 4, persistentRecursive: 5 } as const;

/** AddWatchMode. */
export const addWatchModes = { persistent: 0, persistentRecursive: 1 } as const;

export interface ConnectRequest {
  readonly protocolVersion: number;
  /** What no zxid of ours can be is the greatest number; negative ones are 0. */
  readonly lastZxidSeen: Zxid;
  readonly timeoutMillis: number;
  /** 0: a new session. Undefined: a number that no session of ours can have, as those of a real ZooKeeper: it is over. */
  readonly session: SessionId | undefined;
  /** As it came: of any length. */
  readonly password: Uint8Array;
  /** Undefined: the client did not send the flag, and is not sent it (before 3.4). */
  readonly readOnly: boolean | undefined;
}

export interface ConnectResponse {
  /** 0, with session 0: refused. */
  readonly timeoutMillis: number;
  readonly session: SessionId;
  /** 16 bytes. */
  readonly password: Uint8Array;
  /** Undefined: not sent. */
  readonly readOnly: boolean | undefined;
}

/** create, create2, createContainer, createTTL: `type` says which, and by it what is answered. */
export interface CreateRequest {
  readonly op: "create";
  readonly type: 1 | 15 | 19 | 21;
  readonly path: string;
  /** Undefined: null, which is another value than no bytes. */
  readonly data: Uint8Array | undefined;
  /** The very `openAcl` if it is that one. */
  readonly acl: Acl;
  /** CreateMode. */
  readonly flags: number;
  /** Milliseconds, of createTTL; else 0. */
  readonly ttlMillis: number;
}
export interface DeleteRequest {
  readonly op: "delete";
  readonly path: string;
  readonly version: number;
}
export interface SetDataRequest {
  readonly op: "setData";
  readonly path: string;
  readonly data: Uint8Array | undefined;
  readonly version: number;
}
export interface CheckRequest {
  readonly op: "check";
  readonly path: string;
  readonly version: number;
}
export interface PathReadRequest {
  readonly op: "exists" | "getData" | "getChildren" | "getChildren2";
  readonly path: string;
  readonly watch: boolean;
}

/** Ops of a multi. Any other opcode among them makes all of it `malformed`, as ZooKeeper has it. */
export type MultiOperation = CreateRequest | DeleteRequest | SetDataRequest | CheckRequest;

export interface MultiReadOperation {
  readonly op: "getData" | "getChildren";
  readonly path: string;
}

/** What one op of a multi or multiRead is answered. `create2`: also createContainer and createTTL. */
export type MultiResult =
  | { readonly op: "create"; readonly path: string }
  | { readonly op: "create2"; readonly path: string; readonly stat: Stat }
  | { readonly op: "setData"; readonly stat: Stat }
  | { readonly op: "delete" | "check" }
  | { readonly op: "getChildren"; readonly children: readonly string[] }
  | { readonly op: "getData"; readonly data: Uint8Array | undefined; readonly stat: Stat }
  /** 0 before the op that failed, its code, `runtimeInconsistency` behind it. */
  | { readonly op: "error"; readonly code: number };

export interface SetWatchesRequest {
  readonly op: "setWatches";
  /** What no zxid of ours can be is the greatest number; negative ones are 0. */
  readonly relativeZxid: Zxid;
  readonly data: readonly string[];
  readonly exist: readonly string[];
  readonly child: readonly string[];
  /** Of setWatches2; else empty. */
  readonly persistent: readonly string[];
  readonly persistentRecursive: readonly string[];
}

export type RequestBody =
  | CreateRequest
  | DeleteRequest
  | PathReadRequest
  | SetDataRequest
  | { readonly op: "getAcl"; readonly path: string }
  | { readonly op: "setAcl"; readonly path: string; readonly acl: Acl; readonly version: number }
  /** Undefined: null, which is answered as it came. */
  | { readonly op: "sync"; readonly path: string | undefined }
  | { readonly op: "ping" }
  | { readonly op: "multi"; readonly operations: readonly MultiOperation[] }
  | { readonly op: "multiRead"; readonly operations: readonly MultiReadOperation[] }
  | { readonly op: "reconfig" }
  | { readonly op: "checkWatches" | "removeWatches"; readonly path: string; readonly watcherType: number }
  | { readonly op: "auth"; readonly scheme: string; readonly auth: Uint8Array }
  | SetWatchesRequest
  | { readonly op: "sasl"; readonly token: Uint8Array }
  | { readonly op: "getEphemerals"; readonly path: string }
  | { readonly op: "getAllChildrenNumber"; readonly path: string }
  | { readonly op: "addWatch"; readonly path: string; readonly mode: number }
  | { readonly op: "whoAmI" }
  | { readonly op: "closeSession" }
  /**
   * Answered `unimplemented`, then closed as ZooKeeper does: check alone, deleteContainer (never a client's), createSession,
   * and numbers nobody knows.
   */
  | { readonly op: "unknown"; readonly type: number }
  /** The header is there, the record is not what its opcode says: answered `marshallingError`. */
  | { readonly op: "malformed"; readonly type: number; readonly fault: string };

export interface Request {
  readonly xid: number;
  readonly body: RequestBody;
}

/** WatcherEvent, with the zxid that its header bears (ZOOKEEPER-4655). */
export interface Notification {
  readonly zxid: Zxid;
  /** `eventTypes`. */
  readonly type: number;
  readonly path: string;
  /** Not sent: where it stands among the events of its transaction. */
  readonly place: number;
}
