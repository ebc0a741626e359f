/**
 * Quotas, as ZooKeeper has them: `/zookeeper/quota<path>/zookeeper_limits` sets one on the path and all below, and
 * `zookeeper_stats` beside it tells how many znodes and bytes there are. The usage is derived from the records and
 * follows each change of them, an undo too. At a command's end the text of `zookeeper_stats` is put in place, which
 * touches neither its versions nor its times. While there is no quota, nothing is done.
 *
 * The root and ZooKeeper's own znodes have no quota. Of quotas within each other the innermost is judged by.
 */
import { assert, type Path, parentOf, rootPath } from "@quorate/api";
import { formatUsage, parseLimits, type QuotaLimits, unlimited } from "./quota-text.ts";
import { quotaPath, zookeeperPath } from "./reserved.ts";
import type { ZNode } from "./znode.ts";

const ownPrefix = `${zookeeperPath}/`;
const quotaPrefix = `${quotaPath}/`;
const limitsName = "/zookeeper_limits";
const statsName = "/zookeeper_stats";

const letter = "z".charCodeAt(0);

/** Below `/zookeeper`: asked of every change, and told by one letter of most paths. */
function isOwn(path: Path): boolean {
  return path.charCodeAt(1) === letter && path.startsWith(ownPrefix);
}

interface Usage {
  count: number;
  bytes: number;
}

export interface Quota extends Usage {
  readonly path: Path;
  /** `undefined`: there is no `zookeeper_limits`. */
  limits: QuotaLimits | undefined;
  /** There is a `zookeeper_stats`. */
  told: boolean;
}

/** What the znode at `path` says of which path's quota, if it is one of a quota's two. */
function roleOf(path: Path): { readonly subject: Path; readonly is: "limits" | "stats" } | undefined {
  if (!path.startsWith(quotaPrefix)) return undefined;
  const is = path.endsWith(limitsName) ? "limits" : path.endsWith(statsName) ? "stats" : undefined;
  if (is === undefined) return undefined;
  const subject = path.slice(quotaPath.length, path.lastIndexOf("/"));
  if (subject === "" || subject === zookeeperPath || subject.startsWith(ownPrefix)) return undefined;
  return { subject: subject as Path, is };
}

/** Of a path that is a quota's `zookeeper_limits`. */
export function isLimits(path: Path): boolean {
  return roleOf(path)?.is === "limits";
}

export function limitsPathOf(subject: Path): Path {
  return `${quotaPath}${subject}${limitsName}` as Path;
}

function statsPathOf(subject: Path): Path {
  return `${quotaPath}${subject}${statsName}` as Path;
}

/** What is counted. */
interface Counted {
  readonly size: number;
  get(path: Path): ZNode | undefined;
  values(): IterableIterator<ZNode>;
}

/** Znodes that are looked at in the table's order in the time in which one is found by its path. */
const walkCost = 8;

export class Quotas {
  readonly #znodes: () => Counted;
  /** By the path that it is on. */
  readonly #quotas = new Map<Path, Quota>();
  /** What this command may have changed of: they are looked at when it ends. */
  readonly #touched = new Set<Quota>();
  #on = false;

  constructor(znodes: () => Counted) {
    this.#znodes = znodes;
  }

  /** Whether the rules know quotas. */
  get on(): boolean {
    return this.#on;
  }

  get size(): number {
    return this.#quotas.size;
  }

  /** Whether a write of the znode at `path` may be about a quota: it is within one, or sets one. */
  concern(path: Path): boolean {
    return this.#on && (this.#quotas.size > 0 || isOwn(path));
  }

  /** From here on changes are followed. What quotas there are already is counted. */
  begin(): void {
    this.#on = true;
    const top = this.#znodes().get(quotaPath);
    for (const node of top === undefined ? [] : this.#below(top)) {
      if (roleOf(node.path) === undefined) continue;
      this.track(node.path, Number.POSITIVE_INFINITY);
      this.#administered(node.path, node);
    }
  }

  /**
   * Before the znode at `path` is made: if it is a quota's first, what is there is counted. What that cost, in znodes looked
   * at; undefined: it would cost more than `most`.
   */
  track(path: Path, most: number): number | undefined {
    const role = roleOf(path);
    if (role === undefined || this.#quotas.has(role.subject)) return 0;
    const { size } = this.#znodes();
    const quota: Quota = { path: role.subject, limits: undefined, told: false, count: 0, bytes: 0 };
    let cost = this.#walk(quota, Math.min(size, most) / walkCost);
    if (cost === undefined) {
      if (size > most) return undefined;
      this.#scan(quota);
      cost = size;
    }
    this.#quotas.set(role.subject, quota);
    // Should nothing come of it, it goes at the end.
    this.#touched.add(quota);
    return cost;
  }

  /** Counts what is there from parent to children; undefined: they are more than `most`. */
  #walk(quota: Quota, most: number): number | undefined {
    const top = this.#znodes().get(quota.path);
    if (top === undefined) return 0;
    count(quota, top);
    for (const node of this.#below(top)) {
      if (quota.count > most) return undefined;
      count(quota, node);
    }
    return quota.count * walkCost;
  }

  /** Counts by looking at all: children lie far from their parents in memory, the table's neighbours beside each other. */
  #scan(quota: Quota): void {
    const prefix = `${quota.path}/`;
    quota.count = 0;
    quota.bytes = 0;
    for (const node of this.#znodes().values()) {
      if (node.path.startsWith(prefix) || node.path === quota.path) count(quota, node);
    }
  }

  /** All below, in no order; not to be held across changes. */
  *#below(top: ZNode): Generator<ZNode, undefined, undefined> {
    const parents = [top];
    for (let parent = parents.pop(); parent !== undefined; parent = parents.pop()) {
      if (parent.family === undefined || parent.family.count === 0) continue;
      for (const path of parent.family.index.after(undefined)) {
        const node = this.#znodes().get(path as Path);
        assert(node !== undefined, "every child in the index is there");
        yield node;
        if (node.numChildren > 0) parents.push(node);
      }
    }
  }

  /** The innermost whose limits hold for `path`, whether there is such a znode or not. */
  of(path: Path): Quota | undefined {
    for (let at: Path | undefined = path; at !== undefined && at !== rootPath; at = parentOf(at)) {
      const quota = this.#quotas.get(at);
      if (quota?.limits !== undefined) return quota;
    }
    return undefined;
  }

  /** Behind each change of a record. */
  changed(former: ZNode | undefined, next: ZNode | undefined): void {
    const path = ((next ?? former) as ZNode).path;
    if (isOwn(path)) {
      this.#administered(path, next);
      return;
    }
    if (this.#quotas.size === 0) return;
    const znodes = (next === undefined ? 0 : 1) - (former === undefined ? 0 : 1);
    const bytes = (next === undefined ? 0 : next.data.length) - (former === undefined ? 0 : former.data.length);
    if (znodes === 0 && bytes === 0) return;
    for (let at: Path | undefined = path; at !== undefined && at !== rootPath; at = parentOf(at)) {
      const quota = this.#quotas.get(at);
      if (quota === undefined) continue;
      quota.count += znodes;
      quota.bytes += bytes;
      this.#touched.add(quota);
    }
  }

  #administered(path: Path, node: ZNode | undefined): void {
    const role = roleOf(path);
    if (role === undefined) return;
    const quota = this.#quotas.get(role.subject);
    assert(quota !== undefined, "a quota is counted before it is set");
    if (role.is === "stats") quota.told = node !== undefined;
    else quota.limits = node === undefined ? undefined : (parseLimits(node.data) ?? unlimited);
    this.#touched.add(quota);
  }

  get unsettled(): boolean {
    return this.#touched.size > 0;
  }

  /** At a command's end: `tell` puts the text into `zookeeper_stats`. Quotas that are gone are forgotten. */
  settle(tell: (path: Path, text: string) => void): void {
    for (const quota of this.#touched) {
      if (quota.told) tell(statsPathOf(quota.path), formatUsage(quota.count, quota.bytes));
      else if (quota.limits === undefined) this.#quotas.delete(quota.path);
    }
    this.#touched.clear();
  }
}

function count(usage: Usage, node: ZNode): void {
  usage.count += 1;
  usage.bytes += node.data.length;
}
