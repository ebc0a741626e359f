/**
 * Requests and replies of ZooKeeper's client protocol as tests write and compare them: plain values, 64-bit numbers as bigint.
 * The numbers are those of ZooDefs and KeeperException; nothing here is the door's.
 */

export const wireOpcodes = {
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
  closeSession: -11,
} as const;

/** CreateMode. */
export const createFlags = {
  persistent: 0,
  ephemeral: 1,
  persistentSequential: 2,
  ephemeralSequential: 3,
  container: 4,
  persistentTtl: 5,
  persistentSequentialTtl: 6,
} as const;

export const permissions = { read: 1, write: 2, create: 4, delete: 8, admin: 16, all: 31 } as const;

export interface WireAcl {
  readonly permissions: number;
  readonly scheme: string | null;
  readonly id: string | null;
}
export const openAcl: readonly WireAcl[] = [{ permissions: permissions.all, scheme: "world", id: "anyone" }];

export interface WireStat {
  readonly czxid: bigint;
  readonly mzxid: bigint;
  readonly ctime: bigint;
  readonly mtime: bigint;
  readonly version: number;
  readonly cversion: number;
  readonly aversion: number;
  readonly ephemeralOwner: bigint;
  readonly dataLength: number;
  readonly numChildren: number;
  readonly pzxid: bigint;
}

type Path = string | null;

export interface WireCreate {
  readonly op: "create" | "create2" | "createContainer" | "createTtl";
  readonly path: Path;
  readonly data: Uint8Array | null;
  readonly acl: readonly WireAcl[] | null;
  readonly flags: number;
  /** Of createTtl only. */
  readonly ttl?: bigint;
}
export interface WireDelete {
  readonly op: "delete";
  readonly path: Path;
  readonly version: number;
}
export interface WireSetData {
  readonly op: "setData";
  readonly path: Path;
  readonly data: Uint8Array | null;
  readonly version: number;
}
export interface WireCheck {
  readonly op: "check";
  readonly path: Path;
  readonly version: number;
}
export interface WireRead {
  readonly op: "exists" | "getData" | "getChildren" | "getChildren2";
  readonly path: Path;
  readonly watch: boolean;
}
/** Bytes as they stand behind a header of any opcode; what is answered is `{ bytes }`. */
export interface WireRaw {
  readonly op: "raw";
  readonly type: number;
  readonly body: Uint8Array;
}
export type WireMultiOperation = WireCreate | WireDelete | WireSetData | WireCheck | WireRead | WireRaw;

export interface WireSetWatches {
  readonly op: "setWatches" | "setWatches2";
  readonly relativeZxid: bigint;
  readonly data: readonly string[];
  readonly exist: readonly string[];
  readonly child: readonly string[];
  /** Of setWatches2 only. */
  readonly persistent?: readonly string[];
  readonly persistentRecursive?: readonly string[];
}

export type WireRequest =
  | WireCreate
  | WireDelete
  | WireSetData
  | WireCheck
  | WireRead
  | WireRaw
  | WireSetWatches
  | { readonly op: "getAcl" | "sync" | "getAllChildrenNumber"; readonly path: Path }
  | { readonly op: "setAcl"; readonly path: Path; readonly acl: readonly WireAcl[] | null; readonly version: number }
  | { readonly op: "multi" | "multiRead"; readonly operations: readonly WireMultiOperation[] }
  | {
      readonly op: "reconfig";
      readonly joining: string | null;
      readonly leaving: string | null;
      readonly newMembers: string | null;
      readonly configId: bigint;
    }
  | { readonly op: "checkWatches" | "removeWatches"; readonly path: Path; readonly type: number }
  | { readonly op: "deleteContainer"; readonly path: Uint8Array | null }
  | { readonly op: "auth"; readonly scheme: string | null; readonly auth: Uint8Array | null }
  | { readonly op: "sasl"; readonly token: Uint8Array | null }
  | { readonly op: "getEphemerals"; readonly prefix: Path }
  | { readonly op: "addWatch"; readonly path: Path; readonly mode: number }
  | { readonly op: "ping" | "whoAmI" | "closeSession" };

/** One of a multi's; `headerError` is what its MultiHeader says, which must be -1 or the error's own code. */
export type WireMultiResult =
  | { readonly op: "create"; readonly path: string }
  | { readonly op: "create2"; readonly path: string; readonly stat: WireStat }
  | { readonly op: "setData"; readonly stat: WireStat }
  | { readonly op: "delete" | "check" }
  | { readonly op: "getData"; readonly data: Buffer | null; readonly stat: WireStat }
  | { readonly op: "getChildren"; readonly children: readonly string[] }
  | { readonly op: "error"; readonly code: number; readonly headerError: number };

/** What an opcode answers when its error is 0. */
export interface WireResults {
  create: { readonly path: string };
  create2: { readonly path: string; readonly stat: WireStat };
  createContainer: { readonly path: string; readonly stat: WireStat };
  createTtl: { readonly path: string; readonly stat: WireStat };
  delete: object;
  setData: { readonly stat: WireStat };
  setAcl: { readonly stat: WireStat };
  exists: { readonly stat: WireStat };
  getData: { readonly data: Buffer | null; readonly stat: WireStat };
  getAcl: { readonly acl: readonly WireAcl[]; readonly stat: WireStat };
  getChildren: { readonly children: readonly string[] };
  getChildren2: { readonly children: readonly string[]; readonly stat: WireStat };
  /** What was asked, null too. */
  sync: { readonly path: string | null };
  check: object;
  multi: { readonly results: readonly WireMultiResult[] };
  multiRead: { readonly results: readonly WireMultiResult[] };
  reconfig: { readonly data: Buffer | null; readonly stat: WireStat };
  checkWatches: object;
  removeWatches: object;
  deleteContainer: object;
  ping: object;
  auth: object;
  setWatches: object;
  setWatches2: object;
  sasl: { readonly token: Buffer | null };
  getEphemerals: { readonly ephemerals: readonly string[] };
  getAllChildrenNumber: { readonly total: number };
  addWatch: { readonly error: number };
  whoAmI: { readonly clients: readonly { readonly scheme: string; readonly user: string }[] };
  closeSession: object;
  raw: { readonly bytes: Buffer };
}

export interface WireEvent {
  /** Of the reply header: which transaction fired it. */
  readonly zxid: bigint;
  readonly type: number;
  readonly state: number;
  readonly path: string;
}
