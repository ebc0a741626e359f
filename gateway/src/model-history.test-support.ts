/** The committed transactions of the model ensemble as watches see them, made by chance, and who may be told of what. */
import assert from "node:assert/strict";
import {
  type Acl,
  type ChangeType,
  type Identity,
  openAcl,
  type Path,
  parentOf,
  permissions,
  permits,
  type SessionId,
  type WatchEvent,
  type WatchOperation,
  type WatchScopes,
  type Zxid,
} from "@quorate/api";

export interface ModelChange extends Omit<WatchEvent, "type"> {
  readonly type: ChangeType | "acl";
  readonly acl: Acl;
  readonly parentAcl: Acl;
}

export interface ModelTransaction {
  readonly zxid: Zxid;
  readonly changes: readonly ModelChange[];
  readonly ended: readonly SessionId[];
}

interface ModelNode {
  readonly czxid: Zxid;
  version: number;
  acl: Acl;
}

export const friend: Identity = { ids: [{ scheme: "digest", id: "friend:x" }], superUser: false };
export const friendsOnly: Acl = [{ scheme: "digest", id: "friend:x", perms: permissions.all }];

export class ModelHistory {
  readonly transactions: ModelTransaction[] = [];
  readonly nodes = new Map<Path, ModelNode>([["/" as Path, { czxid: 0 as Zxid, version: 0, acl: openAcl }]]);

  /** A few changes of small trees; `chance` and `below` as VirtualWorld has them. */
  commit(zxid: Zxid, random: { below(bound: number): number }, ended: readonly SessionId[], private_: boolean): void {
    assert.ok(zxid > (this.transactions.at(-1)?.zxid ?? 0), "zxids rise");
    const changes: ModelChange[] = [];
    const touched = new Set<Path>();
    for (let each = random.below(4); each >= 0; each -= 1) {
      const path = paths[random.below(paths.length)] as Path;
      const parent = parentOf(path) as Path;
      if (touched.has(path) || !this.nodes.has(parent)) continue;
      touched.add(path);
      const change = this.#change(zxid, path, parent, random, private_);
      if (change) changes.push(change);
    }
    this.transactions.push({ zxid, changes, ended });
  }

  #change(
    zxid: Zxid,
    path: Path,
    parent: Path,
    random: { below(bound: number): number },
    private_: boolean,
  ): ModelChange | undefined {
    const node = this.nodes.get(path);
    const parentAcl = (this.nodes.get(parent) as ModelNode).acl;
    const acl = private_ && random.below(20) === 0 ? friendsOnly : openAcl;
    const common = { zxid, path, time: zxid, parentAcl };
    if (!node) {
      this.nodes.set(path, { czxid: zxid, version: 0, acl });
      return { ...common, type: "created", version: 0, czxid: zxid, acl };
    }
    const { czxid } = node;
    const what = random.below(4);
    if (what === 0 && ![...this.nodes.keys()].some((each) => parentOf(each) === path)) {
      this.nodes.delete(path);
      return { ...common, type: "deleted", version: node.version, czxid, acl: node.acl };
    }
    if (what === 1) {
      node.acl = acl;
      return { ...common, type: "acl", version: node.version, czxid, acl };
    }
    node.version += 1;
    return { ...common, type: "changed", version: node.version, czxid, acl: node.acl };
  }
}

const paths = ["/a", "/b", "/c", "/a/a", "/a/b", "/b/a", "/b/b", "/a/a/a", "/a/a/b", "/b/a/a", "/a/a/a/a"] as Path[];
export const watchedPaths: readonly Path[] = [...paths, "/" as Path, "/none" as Path];

/** What a watcher is told of one transaction; "denied": a path that it names may not be read any more. */
export function see({ changes }: ModelTransaction, scopes: WatchScopes, identity: Identity): WatchEvent[] | "denied" {
  const events: WatchEvent[] = [];
  for (const change of changes) {
    const { type, path, zxid, version, czxid, time, acl, parentAcl } = change;
    const may = (list: Acl): boolean => permits(list, identity, permissions.read);
    const parent = parentOf(path);
    const named = scopes.node.includes(path) || scopes.subtree.includes(path);
    const asParent = scopes.children.includes(path) && (type === "created" || type === "acl");
    const asChild = parent !== undefined && scopes.children.includes(parent) && type !== "changed" && type !== "acl";
    const below = scopes.subtree.some((root) => path !== root && (root === "/" || path.startsWith(`${root}/`)));
    if (((named || asParent) && !may(acl)) || (asChild && !may(parentAcl))) return "denied";
    if (type === "acl") continue;
    if (named || asChild || (below && may(acl))) events.push({ zxid, type, path, version, czxid, time });
  }
  return events;
}

/** Whether each named path that exists after `transactions` may be read. */
export function mayOpen(transactions: readonly ModelTransaction[], scopes: WatchScopes, identity: Identity): boolean {
  const acls = new Map<Path, Acl>();
  for (const { changes } of transactions) {
    for (const { path, type, acl } of changes) {
      if (type === "deleted") acls.delete(path);
      else acls.set(path, acl);
    }
  }
  const named = [...scopes.node, ...scopes.children, ...scopes.subtree];
  return named.every((path) => permits(acls.get(path) ?? openAcl, identity, permissions.read));
}

export type ModelWatchAnswer =
  | { readonly events: readonly WatchEvent[]; readonly through: Zxid; readonly more: boolean }
  | "noAuth"
  | "behind"
  | "sessionExpired";

/** As a replica answers it that has applied `transactions`; few events fit an answer. */
export function answerWatch(
  transactions: readonly ModelTransaction[],
  { scopes, after }: WatchOperation,
  identity: Identity,
  session: SessionId | undefined,
): ModelWatchAnswer {
  const last = transactions.at(-1)?.zxid ?? (0 as Zxid);
  if (session !== undefined && transactions.some(({ ended }) => ended.includes(session))) return "sessionExpired";
  if (after !== undefined && after > last) return "behind";
  if (!mayOpen(transactions, scopes, identity)) return "noAuth";
  if (after === undefined) return { events: [], through: last, more: false };
  const events: WatchEvent[] = [];
  let first = transactions.length;
  while (first > 0 && (transactions[first - 1] as ModelTransaction).zxid > after) first -= 1;
  for (const [place, transaction] of transactions.slice(first).entries()) {
    const seen = see(transaction, scopes, identity);
    if (seen === "denied") return "noAuth";
    events.push(...seen);
    if (events.length >= 6 && first + place + 1 < transactions.length)
      return { events, through: transaction.zxid, more: true };
  }
  return { events, through: last, more: false };
}
