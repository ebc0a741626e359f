/**
 * Pages of children. A later page names the zxid of the first: its names are those of that zxid, for which the ring's
 * creations and deletions since then are undone; stat and data are the newest.
 */
import {
  type ChildEntry,
  type ChildrenOperation,
  type Failure,
  formatZxid,
  limits,
  nameOf,
  type Outcome,
  type Path,
  permissions,
  utf8Length,
  type Zxid,
} from "@quorate/api";
import { expand } from "./compact-data.ts";
import { failure, success } from "./failure.ts";
import { bytesOfChild } from "./outcome-memory.ts";
import { may } from "./rights.ts";
import type { State } from "./state.ts";
import type { Transaction } from "./transaction.ts";
import { statOf, type ZNode } from "./znode.ts";

/** Bytes of an answer beside its children: the parent's path and stat. */
const frameBytes = 8192;

/** `parent` may be read. A page ends early where it would be too large, but has one child at least. */
export function childrenPage(state: State, tx: Transaction, operation: ChildrenOperation, parent: ZNode): Outcome {
  const { path, after, withData } = operation;
  const at = operation.at ?? tx.zxid;
  const since = changedSince(state, tx.zxid, parent, at);
  if ("ok" in since) return since;
  const start = after === undefined ? undefined : `${prefixOf(path)}${after}`;
  if (operation.limit > limits.pageNames && !withData) return longList(tx, operation, parent, since, start);
  const children: ChildEntry[] = [];
  let room = Math.min(limits.answerBytes, tx.answerBytes) - frameBytes;
  let more = false;
  for (const each of namesAt(parent, since, start)) {
    if (children.length >= operation.limit) {
      more = true;
      break;
    }
    const entry = entryOf(state, tx, each as Path, withData);
    room -= bytesOfChild(entry);
    if (room < 0 && children.length > 0) {
      more = true;
      break;
    }
    children.push(entry);
  }
  return success(tx.zxid, { kind: "children", path: parent.path, stat: statOf(parent), at, children, more });
}

/** More names than any page has: for ZooKeeper's clients, who ask for all at once. Each has to be cheap. */
function longList(tx: Transaction, operation: ChildrenOperation, parent: ZNode, since: Since, start?: string): Outcome {
  const { path, limit, at = tx.zxid } = operation;
  const from = prefixOf(path).length;
  const same = since === nothing ? parent.family?.index.runsAfter(start) : undefined;
  const children: ChildEntry[] = [];
  let room = Math.min(limits.listedBytes, tx.answerBytes);
  let more = false;
  for (const run of same ?? [namesAt(parent, since, start)]) {
    for (const each of run) {
      const name = each.slice(from);
      room -= 4 + utf8Length(name);
      more = room < 0 || children.length >= limit;
      if (more) break;
      children.push({ name });
    }
    if (more) break;
  }
  return success(tx.zxid, { kind: "children", path: parent.path, stat: statOf(parent), at, children, more });
}

function prefixOf(path: Path): string {
  return path.length === 1 ? path : `${path}/`;
}

function entryOf(state: State, tx: Transaction, path: Path, withData: boolean): ChildEntry {
  const name = nameOf(path);
  const node = withData ? state.znodes.get(path) : undefined;
  if (node === undefined || !may(state, node, tx.identity, permissions.read)) return { name };
  return { name, stat: statOf(node), data: expand(node.data) };
}

interface Since {
  /** Paths that were there at the zxid and are not now, sorted. */
  readonly gone: readonly string[];
  /** Paths that are there now and were not. */
  readonly come: ReadonlySet<string>;
}

const nothing: Since = { gone: [], come: new Set() };

/** How the children of `parent` differ from those of the zxid `at`. */
function changedSince(state: State, applied: Zxid, parent: ZNode, at: Zxid): Since | Failure {
  if (at >= parent.pzxid && at <= applied) return nothing;
  if (at > applied) {
    const detail = `the page is of ${formatZxid(at)}, this replica has applied ${formatZxid(applied)} only; try again`;
    return failure(applied, "behind", detail, parent.path);
  }
  const changes = state.ring.backTo(at);
  if (changes === "tooOld") {
    const detail = `the names of ${formatZxid(at)} can be told no more, the changes since are forgotten; begin again without 'continue'`;
    return failure(applied, "pageTooOld", detail, parent.path);
  }
  const prefix = prefixOf(parent.path);
  const gone = new Set<string>();
  const come = new Set<string>();
  for (const { type, path } of changes) {
    if (type === "changed" || type === "acl" || !path.startsWith(prefix) || path.lastIndexOf("/") !== prefix.length - 1)
      continue;
    if (path.length === prefix.length) continue;
    if (type === "created") {
      if (!gone.delete(path)) come.add(path);
    } else if (!come.delete(path)) gone.add(path);
  }
  return { gone: [...gone].sort(), come };
}

/** The sorted paths behind `start` as they were. */
function* namesAt(parent: ZNode, since: Since, start: string | undefined): Generator<string, undefined, undefined> {
  const { gone, come } = since;
  let next = 0;
  while (start !== undefined && next < gone.length && (gone[next] as string) <= start) next++;
  if (parent.family !== undefined) {
    for (const path of parent.family.index.after(start)) {
      while (next < gone.length && (gone[next] as string) < path) yield gone[next++] as string;
      if (!come.has(path)) yield path;
    }
  }
  while (next < gone.length) yield gone[next++] as string;
}
