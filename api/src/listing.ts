/**
 * A listing: a subtree as it is at one zxid, in pages, parents before children and names by their bytes. The replica that
 * answers the first page keeps that zxid's view for the rest, for as long as the stream stands and the asker keeps coming.
 */
import type { Stat } from "./node.ts";
import type { Path } from "./path.ts";
import type { Zxid } from "./zxid.ts";

/** Opens a listing and answers its first page. The znode itself must be readable; of those below, the ones that are not are left out. */
export interface TreeOperation {
  readonly kind: "tree";
  /** The asker's number for it, never used again by it. */
  readonly listing: number;
  readonly path: Path;
  /** Levels below the znode: 0 is the znode alone; undefined is all. */
  readonly depth?: number;
  readonly withData: boolean;
}

/** The next page of a listing, or its early end. What the replica no longer has is `pageTooOld`. */
export interface TreePageOperation {
  readonly kind: "treePage";
  readonly listing: number;
  /** The first page's zxid: another listing under the same number is refused. */
  readonly at: Zxid;
  /** 1, 2, …: a page that was asked for twice is not answered with the one behind it. */
  readonly page: number;
  /** No page is wanted any more. */
  readonly end: boolean;
}

export type ListingOperation = TreeOperation | TreePageOperation;

export interface TreeEntry {
  readonly path: Path;
  readonly stat: Stat;
  /** Where it was asked for. */
  readonly data?: Uint8Array;
}

/** Answers both; a page may be empty though there are more. */
export interface TreePageResult {
  readonly kind: "treePage";
  readonly at: Zxid;
  readonly entries: readonly TreeEntry[];
  readonly more: boolean;
}
