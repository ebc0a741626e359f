/**
 * What was committed, read from a stopped replica's log and applied to a tree of its own: independent of feeds, gateways and
 * everything that watchers are told by. The replica's process must have ended.
 */
import assert from "node:assert/strict";
import { type Change, formatZxid, type Zxid, zeroZxid } from "@quorate/api";
import { nodeWorld, Storage } from "@quorate/replica";
import { Tree } from "@quorate/tree";

export interface CommittedChange {
  readonly zxid: Zxid;
  readonly type: "created" | "changed" | "deleted";
  readonly path: string;
  readonly version: number;
  readonly czxid: Zxid;
}

export interface Scopes {
  readonly nodes: readonly string[];
  readonly children: readonly string[];
  readonly subtrees: readonly string[];
}

/** As a query of `/v1/watch`. */
export function queryOf({ nodes, children, subtrees }: Scopes): string {
  const named = (name: string, paths: readonly string[]): string[] => paths.map((path) => `${name}=${path}`);
  return [...named("node", nodes), ...named("children", children), ...named("subtree", subtrees)].join("&");
}

/** Of the data folder's whole log. Whether its end is committed is for the caller to know: all replicas must be equal. */
export async function readCommitted(folder: string): Promise<CommittedChange[]> {
  const { disk, clock } = nodeWorld;
  const { storage, recovered } = await Storage.open({ folder, disk, clock });
  try {
    const { history, snapshot } = recovered;
    assert.equal(history.base, zeroZxid, "the log reaches back to its beginning");
    assert.ok(snapshot <= history.applied);
    const through = history.tail.at(-1)?.last ?? history.applied;
    const tree = new Tree({ ringBytes: Number.MAX_SAFE_INTEGER });
    for await (const batches of storage.replay(zeroZxid, through)) for (const batch of batches) tree.apply(batch);
    const changes = tree.changes.after(zeroZxid);
    assert.ok(changes !== "tooOld");
    return [...changes].filter(isTold);
  } finally {
    await storage.close();
  }
}

function isTold(change: Change): change is Change & CommittedChange {
  return change.type !== "acl";
}

/** As the watchers keep them. */
export function lineOf({ zxid, type, path }: CommittedChange): string {
  return `${formatZxid(zxid)} ${type} ${path}`;
}

/** By the words of the contract, and no index. */
export function isInScope({ nodes, children, subtrees }: Scopes, { type, path }: CommittedChange): boolean {
  const parent = path.slice(0, Math.max(1, path.lastIndexOf("/")));
  return (
    nodes.includes(path) ||
    (type !== "changed" && path !== "/" && children.includes(parent)) ||
    subtrees.some((top) => path === top || top === "/" || path.startsWith(`${top}/`))
  );
}

export interface Left {
  readonly version: number;
  readonly mzxid: string;
}

/** What is there once all of it has happened, by path. */
export function foldChanges(changes: readonly CommittedChange[]): Map<string, Left> {
  const left = new Map<string, Left>();
  for (const { type, path, version, zxid } of changes) {
    assert.equal(left.has(path), type !== "created", `${formatZxid(zxid)} ${type} ${path}`);
    if (type === "deleted") left.delete(path);
    else left.set(path, { version, mzxid: formatZxid(zxid) });
  }
  return left;
}
