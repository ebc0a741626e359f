/** What a znode is to those who look at it: Stat, kinds, ACLs, identities. */
import type { SessionId, Zxid } from "./zxid.ts";

/** `ttl`: deleted once childless and unwritten for its time; `container`: once its last child is gone. */
export type NodeKind = "persistent" | "ephemeral" | "container" | "ttl";

/** ZooKeeper's Stat (zookeeper.jute), with the kind and the TTL, which ZooKeeper does not show. Times: ms since 1970. */
export interface Stat {
  /** Of the transaction that created the znode. The fencing token: it rises with every re-creation. */
  readonly czxid: Zxid;
  /** Of the last write of data. The ETag. */
  readonly mzxid: Zxid;
  /** Of the last creation or deletion of a child. */
  readonly pzxid: Zxid;
  readonly ctime: number;
  readonly mtime: number;
  /** Writes of data; int32, skips -1 at the wrap. */
  readonly version: number;
  /** Creations and deletions of children. */
  readonly cversion: number;
  /** Writes of the ACL. */
  readonly aversion: number;
  /** 0 but for an ephemeral. */
  readonly ephemeralOwner: SessionId;
  /** Bytes. */
  readonly dataLength: number;
  readonly numChildren: number;
  readonly kind: NodeKind;
  /** Milliseconds; 0 but for kind `ttl`. */
  readonly ttlMillis: number;
}

export const permissions = { read: 1, write: 2, create: 4, delete: 8, admin: 16, all: 31 } as const;

/** One entry of an access control list; schemes: world, digest, ip, auth (expanded at creation). */
export interface AclEntry {
  readonly scheme: string;
  readonly id: string;
  /** Sum of `permissions`. */
  readonly perms: number;
}
export type Acl = readonly AclEntry[];

/** `world:anyone:cdrwa`, ZooKeeper's OPEN_ACL_UNSAFE: what a znode gets that is created without an ACL. */
export const openAcl: Acl = [{ scheme: "world", id: "anyone", perms: permissions.all }];

/** One proven identity, such as `digest` `user:base64(sha1(user:password))` or `ip` `10.0.0.7`. */
export interface AuthId {
  readonly scheme: string;
  readonly id: string;
}

/** Who asks, as the door established it. `world:anyone` is implied. */
export interface Identity {
  readonly ids: readonly AuthId[];
  /** The super user may do everything. */
  readonly superUser: boolean;
}

export const anyone: Identity = { ids: [], superUser: false };

/** The name under which idempotency keys are kept: the digest ids, or `anyone`. */
export function identityName(identity: Identity): string {
  const names = identity.ids.filter((each) => each.scheme !== "ip").map((each) => `${each.scheme}:${each.id}`);
  return names.length === 0 ? "anyone" : names.join(",");
}

const letters: readonly (readonly [string, number])[] = [
  ["c", permissions.create],
  ["d", permissions.delete],
  ["r", permissions.read],
  ["w", permissions.write],
  ["a", permissions.admin],
];

/** `cdrwa`, as ZooKeeper's command line writes it. */
export function formatPerms(perms: number): string {
  return letters.map(([letter, bit]) => (perms & bit ? letter : "")).join("");
}

/** Undefined for an unknown or repeated letter, or none. */
export function parsePerms(text: string): number | undefined {
  let perms = 0;
  for (const each of text) {
    const found = letters.find(([letter]) => letter === each);
    if (!found || perms & found[1]) return undefined;
    perms |= found[1];
  }
  return perms === 0 ? undefined : perms;
}
