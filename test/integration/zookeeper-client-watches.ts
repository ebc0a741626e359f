/**
 * What a client of ZooKeeper's protocol has watched and was told: its own list of watches, by which it sets them again, and for
 * each that fired, what it was armed at and what fired it. `faultsOf` holds that against what was written.
 */
import type { WireReply } from "../zookeeper/wire-client.ts";
import type { WireEvent, WireRequest } from "../zookeeper/wire-records.ts";
import { lineOf } from "./zookeeper-watcher.ts";

export type OneShot = "data" | "exist" | "child";

/** A one-shot watch that has fired. */
export interface Fired {
  readonly kind: OneShot;
  readonly path: string;
  /** Zxid of the reply that armed it. */
  readonly armed: bigint;
  readonly event: WireEvent;
}

/** What was written: a line of `lineOf`, by its parts. */
export interface Written {
  readonly zxid: bigint;
  readonly type: "created" | "deleted" | "changed";
  readonly path: string;
}

const types = { created: 1, deleted: 2, changed: 3, childrenChanged: 4 } as const;
type EventType = keyof typeof types;

/** The one-shot watches that an event spends. */
const spent: Readonly<Record<number, readonly OneShot[]>> = {
  [types.created]: ["data", "exist"],
  [types.deleted]: ["data", "exist", "child"],
  [types.changed]: ["data", "exist"],
  [types.childrenChanged]: ["child"],
};

export class ClientWatches {
  readonly fired: Fired[] = [];
  /** By `lineOf`, of the recursive watches. */
  readonly lines: Set<string> = new Set();
  /** Events that came behind a reply that already showed what they tell. */
  readonly late: string[] = [];
  readonly #armed: Readonly<Record<OneShot, Map<string, bigint>>> = {
    data: new Map(),
    exist: new Map(),
    child: new Map(),
  };
  readonly #recursive = new Map<string, bigint>();
  readonly #waiting = new Set<() => void>();

  armed(kind: OneShot): ReadonlyMap<string, bigint> {
    return this.#armed[kind];
  }

  /** Recursive watches, and from which zxid on. */
  get recursive(): ReadonlyMap<string, bigint> {
    return this.#recursive;
  }

  answered(request: WireRequest, { error, zxid }: WireReply<object>): void {
    switch (request.op) {
      case "getData":
        if (request.watch && error === 0) this.#arm("data", request.path, zxid);
        return;
      case "exists":
        if (request.watch && error === 0) this.#arm("data", request.path, zxid);
        if (request.watch && error === -101) this.#arm("exist", request.path, zxid);
        return;
      case "getChildren":
      case "getChildren2":
        if (request.watch && error === 0) this.#arm("child", request.path, zxid);
        return;
      case "addWatch":
        if (error === 0 && request.mode === 1) this.#recursive.set(request.path ?? "", zxid);
        return;
      default:
    }
  }

  /** One that is set already stays as it is. */
  #arm(kind: OneShot, path: string | null, zxid: bigint): void {
    const armed = this.#armed[kind];
    if (path !== null && !armed.has(path)) armed.set(path, zxid);
  }

  /** `seen`: the newest reply before it. */
  told(event: WireEvent, seen: bigint): void {
    const line = lineOf(event);
    if (event.zxid >= 0n && event.zxid <= seen) this.late.push(`${line}, behind a reply of ${seen}`);
    for (const kind of spent[event.type] ?? []) {
      const armed = this.#armed[kind].get(event.path);
      if (armed === undefined) continue;
      this.#armed[kind].delete(event.path);
      this.fired.push({ kind, path: event.path, armed, event });
    }
    if (event.type !== types.childrenChanged) {
      for (const path of this.#recursive.keys()) if (isBelow(event.path, path)) this.lines.add(line);
    }
    this.wake();
  }

  /** No one-shot watch of the path is set, or `enough`; who waits is woken by each event. */
  async spent(path: string, enough: () => boolean): Promise<void> {
    while (Object.values(this.#armed).some((each) => each.has(path)) && !enough()) {
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const each of waiting) each();
  }

  /** What sets them again; undefined: there are none. */
  again(relativeZxid: bigint): WireRequest | undefined {
    const { data, exist, child } = this.#armed;
    const recursive = [...this.#recursive.keys()];
    if (data.size + exist.size + child.size + recursive.length === 0) return undefined;
    return {
      op: "setWatches2",
      relativeZxid,
      data: [...data.keys()],
      exist: [...exist.keys()],
      child: [...child.keys()],
      persistent: [],
      persistentRecursive: recursive,
    };
  }
}

function isBelow(path: string, root: string): boolean {
  return path === root || path.startsWith(`${root}/`);
}

/** What a watch of this kind is told of a change first; undefined: nothing. */
function firstOf(kind: OneShot, path: string, { type, path: at }: Written): EventType | undefined {
  const parent = at.slice(0, at.lastIndexOf("/")) || "/";
  if (kind !== "child") return at === path ? type : undefined;
  if (at === path && type === "deleted") return "deleted";
  return parent === path && type !== "changed" ? "childrenChanged" : undefined;
}

/** Each watch has to fire once, by the first change behind the reply that armed it; recursive ones tell all, and nothing else. */
export function faultsOf(watches: ClientWatches, written: readonly Written[]): string[] {
  const faults = watches.late.map((each) => `late: ${each}`);
  const expected = (kind: OneShot, path: string, armed: bigint): string | undefined => {
    for (const each of written) {
      const type = each.zxid > armed ? firstOf(kind, path, each) : undefined;
      if (type !== undefined) return lineOf({ zxid: each.zxid, type: types[type], path });
    }
    return undefined;
  };
  for (const { kind, path, armed, event } of watches.fired) {
    const [is, was] = [lineOf(event), expected(kind, path, armed) ?? "nothing"];
    if (is !== was) faults.push(`a ${kind} watch of ${path}, armed at ${armed}, was told ${is} instead of ${was}`);
  }
  for (const kind of ["data", "exist", "child"] as const) {
    for (const [path, armed] of watches.armed(kind)) {
      const missing = expected(kind, path, armed);
      if (missing !== undefined) faults.push(`a ${kind} watch of ${path}, armed at ${armed}, was not told ${missing}`);
    }
  }
  for (const [path, from] of watches.recursive) {
    const due = written.filter((each) => each.zxid > from && isBelow(each.path, path));
    const lines = due.map((each) => lineOf({ zxid: each.zxid, type: types[each.type], path: each.path }));
    const set = new Set(lines);
    for (const each of lines) if (!watches.lines.has(each)) faults.push(`a recursive watch was not told ${each}`);
    for (const each of watches.lines) if (!set.has(each)) faults.push(`a recursive watch was told ${each}`);
  }
  return faults;
}
