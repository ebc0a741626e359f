/**
 * What was committed, read from a stopped replica's log and applied to a tree of its own: independent of feeds, gateways and
 * everything that watchers are told by. The replica's process must have ended.
 */
import assert from "node:assert/strict";
import { type Batch, type Change, formatZxid, type Zxid, zeroZxid } from "@quorate/api";
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

/** A stopped replica's folder, and the last position in its log. */
export async function openStopped(folder: string): Promise<{ storage: Storage; through: Zxid; recovered: Recovered }> {
  const { disk, clock } = nodeWorld;
  const { storage, recovered } = await Storage.open({ folder, disk, clock });
  const { tail, applied } = recovered.history;
  return { storage, recovered, through: tail.at(-1)?.last ?? applied };
}

type Recovered = Awaited<ReturnType<typeof Storage.open>>["recovered"];

/** From the very first batch on. */
export function applyBatches(batches: Iterable<Batch>): CommittedChange[] {
  const tree = new Tree({ ringBytes: Number.MAX_SAFE_INTEGER });
  for (const batch of batches) tree.apply(batch);
  const changes = tree.changes.after(zeroZxid);
  assert.ok(changes !== "tooOld");
  return [...changes].filter(isTold);
}

/** Of the data folder's whole log. Whether its end is committed is for the caller to know: all replicas must be equal. */
export async function readCommitted(folder: string): Promise<CommittedChange[]> {
  const { storage, through, recovered } = await openStopped(folder);
  try {
    assert.equal(recovered.history.base, zeroZxid, "the log reaches back to its beginning");
    const all: Batch[] = [];
    for await (const batches of storage.replay(zeroZxid, through)) all.push(...batches);
    return applyBatches(all);
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
