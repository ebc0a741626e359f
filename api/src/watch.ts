/**
 * What is watched, what a watch tells, and where it stands. A watch is a cursor: everything on these paths after a zxid.
 * Events are made from changes of committed transactions; no answer ends inside a transaction.
 */
import type { Acl, NodeKind, Stat } from "./node.ts";
import type { Path } from "./path.ts";
import type { Zxid } from "./zxid.ts";

/**
 * `node`: created, changed, deleted of the path. `children`: created and deleted of each child. `subtree`: created, changed,
 * deleted of the path and of all below it.
 */
export type WatchScope = "node" | "children" | "subtree";

export type WatchScopes = { readonly [scope in WatchScope]: readonly Path[] };

/**
 * Asks for the state of what is watched (without `after`), or for what happened behind `after`. Whoever asks it on a stream
 * gets the feed of that stream from the answer on. The named paths must be readable, where they exist (`noAuth`); a
 * shown session must be alive (`sessionExpired`, `authFailed`).
 */
export interface WatchOperation {
  readonly kind: "watch";
  readonly scopes: WatchScopes;
  readonly after?: Zxid;
  /** The history that `after` is of, in hex, whole or its beginning; undefined: it does not say. */
  readonly history?: string;
  /**
   * For a gateway that judges rights by itself, as it does with a feed: the answer has `changes` and `acls` in place of
   * states and events, and no right is asked. Without `after` it has none of them, and says where the tree stands.
   */
  readonly raw?: true;
}

export type ChangeType = "created" | "changed" | "deleted";

/** What one transaction did to one znode, as clients see it. */
export interface WatchEvent {
  readonly zxid: Zxid;
  readonly type: ChangeType;
  readonly path: Path;
  /** Of the data after the change; of the last before a deletion. */
  readonly version: number;
  readonly czxid: Zxid;
  /** Stamp of the transaction, ms since 1970. */
  readonly time: number;
}

/** `stat` undefined: there is no such znode. A subtree has no state: read the tree, then watch behind its zxid. */
export type WatchState =
  | { readonly scope: "node"; readonly path: Path; readonly stat?: Stat; readonly data?: Uint8Array }
  | { readonly scope: "children"; readonly path: Path; readonly stat?: Stat; readonly children: readonly string[] };

/** Answers `watch`. The outcome's zxid is that of the replica's tree. */
export interface WatchedResult {
  readonly kind: "watched";
  /** In the order asked: nodes, then children; none with `after`. */
  readonly states: readonly WatchState[];
  /** Those that the asker may see, of all scopes, by zxid; none without `after`. */
  readonly events: readonly WatchEvent[];
  /** Everything up to here is in this answer. */
  readonly through: Zxid;
  /** There are more behind `through` already: ask again from there. False: `through` is the outcome's zxid. */
  readonly more: boolean;
  /** Of the session that was shown; 0: none was. */
  readonly sessionTimeoutMillis: number;
  /** With `raw` alone: the changes that the scopes meet (those of type `acl` are left out), and the lists they refer to. */
  readonly changes?: readonly FeedChange[];
  readonly acls?: readonly Acl[];
}

/** A change as it travels from a replica to a gateway, which decides who may see it. */
export interface FeedChange extends Omit<WatchEvent, "type"> {
  /** `acl`: its ACL was set; clients are told nothing, but may lose their right to watch. */
  readonly type: ChangeType | "acl";
  readonly kind: NodeKind;
  /** Place in the feed's list of ACLs: the znode's own, after the change or before its deletion. */
  readonly acl: number;
  /** Likewise its parent's, at that zxid; the root's own for the root. */
  readonly parentAcl: number;
}
