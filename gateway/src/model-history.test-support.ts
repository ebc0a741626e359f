/** The committed transactions of the model ensemble as watches see them, made by chance, and who may be told of what. */
import assert from "node:assert/strict";
import {
  type Acl,
  type ChangeType,
  type FeedChange,
  type Identity,
  openAcl,
  type Path,
  parentOf,
  permissions,
  permits,
  type SessionId,
  type WatchEvent,
  type WatchedResult,
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
  /** Of how many of them replicas can tell those who ask behind a cursor. */
  ring: number = Number.POSITIVE_INFINITY;
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
  | Pick<WatchedResult, "events" | "changes" | "acls" | "through" | "more">
  | "noAuth"
  | "behind"
  | "cursorTooOld"
  | "sessionExpired";

/** What a replica has: it has applied `transactions`, stands at `at`, and remembers the last `ring` of them. */
export interface ModelView {
  readonly transactions: readonly ModelTransaction[];
  readonly at: Zxid;
  readonly ring: number;
}

/** As a replica answers it; few events fit an answer. */
export function answerWatch(
  view: ModelView,
  operation: WatchOperation,
  identity: Identity,
  session: SessionId | undefined,
): ModelWatchAnswer {
  const { transactions, at } = view;
  const { scopes, after, raw } = operation;
  const last = transactions.at(-1)?.zxid ?? (0 as Zxid);
  if (session !== undefined && transactions.some(({ ended }) => ended.includes(session))) return "sessionExpired";
  if (after !== undefined && after > at) return "behind";
  if (!raw && !mayOpen(transactions, scopes, identity)) return "noAuth";
  if (after === undefined) {
    return raw
      ? { events: [], changes: [], acls: [], through: at, more: false }
      : { events: [], through: last, more: false };
  }
  let first = transactions.length;
  while (first > 0 && (transactions[first - 1] as ModelTransaction).zxid > after) first -= 1;
  if (transactions.length - first > view.ring) return "cursorTooOld";
  if (raw) return rawAnswer(view, first, scopes);
  const events: WatchEvent[] = [];
  for (const [place, transaction] of transactions.slice(first).entries()) {
    const seen = see(transaction, scopes, identity);
    if (seen === "denied") return "noAuth";
    events.push(...seen);
    if (events.length >= 6 && first + place + 1 < transactions.length)
      return { events, through: transaction.zxid, more: true };
  }
  return { events, through: last, more: false };
}

/** Whether a follower of the scopes is to be told of it, who judges rights by itself. */
export function meets({ type, path }: Pick<ModelChange, "type" | "path">, scopes: WatchScopes): boolean {
  if (type === "acl") return false;
  if (scopes.node.includes(path)) return true;
  if (type !== "changed" && scopes.children.includes(parentOf(path) as Path)) return true;
  return scopes.subtree.some((root) => path === root || path.startsWith(root === "/" ? root : `${root}/`));
}

function rawAnswer({ transactions, at }: ModelView, first: number, scopes: WatchScopes): ModelWatchAnswer {
  const changes: ModelChange[] = [];
  for (const [place, transaction] of transactions.slice(first).entries()) {
    changes.push(...transaction.changes.filter((change) => meets(change, scopes)));
    if (changes.length >= 6 && first + place + 1 < transactions.length) {
      return { events: [], ...withPlaces(changes), through: transaction.zxid, more: true };
    }
  }
  return { events: [], ...withPlaces(changes), through: at, more: false };
}

/** As they travel. */
export function withPlaces(changes: readonly ModelChange[]): {
  readonly changes: readonly FeedChange[];
  readonly acls: readonly Acl[];
} {
  const acls: Acl[] = [];
  const place = (acl: Acl): number => {
    if (!acls.includes(acl)) acls.push(acl);
    return acls.indexOf(acl);
  };
  const placed = changes.map(
    (change): FeedChange => ({
      ...change,
      kind: "persistent",
      acl: place(change.acl),
      parentAcl: place(change.parentAcl),
    }),
  );
  return { changes: placed, acls };
}
