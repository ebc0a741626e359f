/** What watches should tell, made from the operations alone: a naive model of changes, scopes and rights. */
import {
  type Acl,
  type Identity,
  openAcl,
  type Path,
  parentOf,
  type TxnOperation,
  type WatchEvent,
  type WatchScopes,
  type WriteOperation,
  type Zxid,
} from "@quorate/api";
import { digestIdentity } from "./tree-driver.test-support.ts";

export const ann = digestIdentity("ann");
export const secret: Acl = [{ scheme: "digest", id: ann.ids[0]?.id ?? "", perms: 31 }];
export const writeOnly: Acl = [{ scheme: "world", id: "anyone", perms: 2 }];
export const lists = [openAcl, secret, writeOnly];

interface PlainNode {
  readonly czxid: number;
  readonly version: number;
  readonly acl: Acl;
}
export interface PlainChange extends Omit<WatchEvent, "type"> {
  readonly type: WatchEvent["type"] | "acl";
  readonly acl: Acl;
  readonly parentAcl: Acl;
}
export type Plain = ReadonlyMap<string, PlainNode>;
type Step = { readonly to: Plain; readonly changes: readonly PlainChange[] };

/** What one operation does; undefined: it fails. */
export function step(
  from: Plain,
  operation: WriteOperation | TxnOperation,
  zxid: number,
  time: number,
): Step | undefined {
  const to = new Map(from);
  const changes: PlainChange[] = [];
  const note = (type: PlainChange["type"], path: Path, node: PlainNode): void => {
    const parentAcl = to.get(parentOf(path) ?? path)?.acl ?? openAcl;
    const { czxid, version, acl } = node;
    changes.push({ zxid: zxid as Zxid, type, path, version, czxid: czxid as Zxid, time, acl, parentAcl });
  };
  if (operation.kind === "txn") {
    let state = from;
    for (const each of operation.then) {
      const next = step(state, each, zxid, time);
      if (next === undefined) return undefined;
      state = next.to;
      changes.push(...next.changes);
    }
    return { to: state, changes };
  }
  if (operation.kind !== "create" && operation.kind !== "set" && operation.kind !== "setAcl") {
    if (operation.kind !== "delete" || operation.path === "/" || !to.has(operation.path)) return undefined;
    const { path } = operation;
    const gone = [...to.keys()].filter((each) => each === path || each.startsWith(`${path}/`));
    if (gone.length > 1 && !operation.recursive) return undefined;
    // The deepest first, and of those the last by name.
    const depth = (each: string): number => each.split("/").length;
    gone.sort((one, other) => depth(other) - depth(one) || (one < other ? 1 : -1));
    for (const each of gone) note("deleted", each as Path, to.get(each) as PlainNode);
    for (const each of gone) to.delete(each);
    return { to, changes };
  }
  const { path } = operation;
  const node = to.get(path);
  if (operation.kind === "create" ? node !== undefined || !to.has(parentOf(path) ?? "") : node === undefined) return;
  const before = node ?? { czxid: zxid, version: -1, acl: (operation as { shape: { acl: Acl } }).shape.acl };
  const next =
    operation.kind === "setAcl" ? { ...before, acl: operation.acl } : { ...before, version: before.version + 1 };
  to.set(path, next);
  note(operation.kind === "create" ? "created" : operation.kind === "set" ? "changed" : "acl", path, next);
  return { to, changes };
}

const mayRead = (acl: Acl, identity: Identity): boolean =>
  acl === openAcl || identity.superUser || (acl === secret && identity === ann);

export interface Told {
  readonly events: readonly WatchEvent[];
  readonly end: string;
}

/** Everything behind `after`, change by change. */
export function naive(
  now: Plain,
  log: readonly PlainChange[],
  scopes: WatchScopes,
  after: number,
  identity: Identity,
): Told {
  for (const path of [...scopes.node, ...scopes.children, ...scopes.subtree]) {
    const node = now.get(path);
    if (node !== undefined && !mayRead(node.acl, identity)) return { events: [], end: `noAuth ${path}` };
  }
  const events: WatchEvent[] = [];
  for (const { acl, parentAcl, type, ...rest } of log) {
    if (rest.zxid <= after) continue;
    const { path } = rest;
    const parent = parentOf(path) ?? path;
    const own = scopes.node.includes(path) || scopes.subtree.includes(path);
    const child = type !== "changed" && type !== "acl" && path !== "/" && scopes.children.includes(parent);
    const whole = events.filter((each) => each.zxid < rest.zxid);
    const judged = type === "acl" || type === "created";
    if ((own || (judged && scopes.children.includes(path))) && !mayRead(acl, identity)) {
      return { events: whole, end: `noAuth ${path}` };
    }
    if (child && !mayRead(parentAcl, identity)) return { events: whole, end: `noAuth ${parent}` };
    const above = scopes.subtree.some((each) => path !== each && path.startsWith(each === "/" ? "/" : `${each}/`));
    if (type !== "acl" && (own || child || (above && mayRead(acl, identity)))) events.push({ ...rest, type });
  }
  return { events, end: "open" };
}
