/**
 * One setWatches or setWatches2: a client that comes back names its watches and the last zxid that it knows.
 *
 * 1. What it missed is in the replicas' ring of changes: all behind its zxid, page by page, is put to these watches as if
 *    they had been there, in order, and told. What is left of them is armed at the end of the last page.
 * 2. So a one-shot watch tells the *first* change that it missed, by its own zxid: what it would have told a client that had
 *    stayed. ZooKeeper judges by the present state instead, so that a znode that was deleted and made again is told as
 *    dataChanged, and one that was made and deleted again is not told at all. The first change is the safer one: it
 *    is true, no client can rule it out (it could have come just before the connection broke), whoever gets it reads
 *    anew, and a deletion is what locks and elections wait for; none of that holds for its absence.
 * 3. What persistent watches missed is told whole, which ZooKeeper never does. A client that says an older zxid than it has
 *    seen (an event alone raises it in no client but C's) is told again what it knows: at least once, not exactly.
 * 4. Where the ring does not reach back so far, ZooKeeper's own comparison is made, znode by znode, each armed at its
 *    own answer; persistent watches are armed and told nothing. So it is for a client that names no zxid: some (aiozk) keep
 *    none when they come back, and count on being told of whatever is there, not on the history of the world.
 */
import {
  type Acl,
  type ErrorCode,
  type FeedChange,
  isBadPath,
  type Outcome,
  type Path,
  parsePath,
  type ReadOperation,
  rootPath,
  type Stat,
  type WatchScopes,
  type Zxid,
} from "@quorate/api";
import { eventTypes, type SetWatchesRequest } from "./messages.ts";
import type { WatchLimits } from "./watch-limits.ts";
import { bytesOf } from "./watch-paths.ts";
import { type WatchTable, watchKinds } from "./watch-table.ts";

export interface SetWatchesPorts {
  readonly limits: Pick<WatchLimits, "questionBytes" | "lookingAt">;
  /** On the session's lane; anything but an outcome is the end of the connection. */
  read(operation: ReadOperation, done: (outcome: Outcome) => void): void;
  /** When the client has read most of what it was told. */
  whenRoom(run: () => void): void;
  /** Puts these changes to the table, and tells what they fire. */
  missed(changes: readonly FeedChange[], acls: readonly Acl[]): void;
  /** Of what came meanwhile, nothing up to this is needed. Answers up to where it was forgotten for want of room. */
  caughtUp(through: Zxid): Zxid;
  /** An event of no transaction. */
  tell(type: number, path: string): void;
  /** Takes these kinds out of the table; they wait for `settle`, which arms those that are left. */
  expect(path: Path, kinds: number): (zxid: Zxid, left: number) => void;
  /** What is in the table is armed; the reply may be given. */
  done(zxid: Zxid): void;
  /** The connection cannot go on. */
  broken(why: string): void;
}

/** The ring cannot say. */
const forgotten: ReadonlySet<ErrorCode> = new Set(["cursorTooOld", "cursorOfAnotherHistory"]);

const { data, child, persistent, recursive } = watchKinds;

export class SetWatches {
  readonly #request: SetWatchesRequest;
  readonly #ports: SetWatchesPorts;
  readonly #table: WatchTable;
  /** Of paths of the request that ZooKeeper calls exist watches, and of its data watches. */
  readonly #exist = new Set<Path>();
  readonly #data = new Set<Path>();

  /** `table`: empty; filled here, and kept in step by the ports. */
  constructor(request: SetWatchesRequest, table: WatchTable, ports: SetWatchesPorts) {
    this.#request = request;
    this.#table = table;
    this.#ports = ports;
    this.#enter(request.data, data, this.#data);
    this.#enter(request.exist, data, this.#exist);
    this.#enter(request.child, child);
    this.#enter(request.persistent, persistent);
    this.#enter(request.persistentRecursive, recursive);
  }

  /** What is no path can only be absent. */
  #enter(paths: readonly string[], kind: number, list?: Set<Path>): void {
    for (const text of paths) {
      const path = parsePath(text);
      if (isBadPath(path)) continue;
      this.#table.add(path, kind);
      list?.add(path);
    }
  }

  begin(): void {
    const { relativeZxid, data: dataPaths, child: childPaths } = this.#request;
    for (const text of new Set([...dataPaths, ...childPaths])) {
      if (isBadPath(parsePath(text))) this.#ports.tell(eventTypes.deleted, text);
    }
    if (this.#table.size > 0 && relativeZxid > 0) this.#ask(relativeZxid);
    else if (this.#table.size > 0) this.#compare(0 as Zxid, 0 as Zxid);
    else this.#ports.read({ kind: "exists", path: rootPath }, ({ zxid }) => this.#ports.done(zxid));
  }

  #ask(after: Zxid): void {
    const operation: ReadOperation = { kind: "watch", raw: true, scopes: this.#scopes(), after };
    this.#ports.read(operation, (outcome) => this.#answered(after, outcome));
  }

  #scopes(): WatchScopes {
    const everything: WatchScopes = { node: [], children: [], subtree: [rootPath] };
    const [node, children, subtree]: [Path[], Path[], Path[]] = [[], [], []];
    let bytes = 0;
    for (const [path, kinds] of this.#table.entries()) {
      const before = node.length + children.length + subtree.length;
      if (kinds & (data | child | persistent)) node.push(path);
      if (kinds & (child | persistent)) children.push(path);
      if (kinds & recursive) subtree.push(path);
      bytes += (node.length + children.length + subtree.length - before) * bytesOf(path);
      if (bytes > this.#ports.limits.questionBytes) return everything;
    }
    return { node, children, subtree };
  }

  #answered(after: Zxid, outcome: Outcome): void {
    const ports = this.#ports;
    if (!outcome.ok) {
      if (forgotten.has(outcome.code)) return this.#compare(after, outcome.zxid);
      return ports.broken(`its missed changes are not told (${outcome.code}: ${outcome.detail})`);
    }
    const { result } = outcome;
    if (result.kind !== "watched") return ports.broken(`a watch was answered ${result.kind}`);
    const { changes = [], acls = [], through, more } = result;
    ports.missed(changes, acls);
    const lost = ports.caughtUp(through);
    // Nothing is left to be armed.
    if (this.#table.size === 0) return ports.done(outcome.zxid);
    if (more || lost > through) return ports.whenRoom(() => this.#ask(through));
    ports.done(through);
  }

  /** (4) */
  #compare(relative: Zxid, now: Zxid): void {
    const left = [...this.#table.entries()];
    let [next, open, newest, filling] = [0, 0, now, false];
    const goOn = (): void => {
      if (filling) return;
      filling = true;
      while (next < left.length && open < this.#ports.limits.lookingAt) {
        const [path, kinds] = left[next++] as [Path, number];
        open += 1;
        const settle = this.#ports.expect(path, kinds);
        this.#ports.read({ kind: "exists", path }, (outcome) => {
          const spent = this.#judge(path, kinds, relative, outcome);
          if (spent === undefined) return;
          if (outcome.zxid > newest) newest = outcome.zxid;
          settle(outcome.zxid, kinds & ~spent);
          open -= 1;
          goOn();
        });
      }
      filling = false;
      if (open === 0) this.#ports.done(newest);
    };
    goOn();
  }

  /** The kinds that are told of what they missed; undefined: nobody can say. */
  #judge(path: Path, kinds: number, relative: Zxid, outcome: Outcome): number | undefined {
    const ports = this.#ports;
    let stat: Stat | undefined;
    if (outcome.ok) {
      if (outcome.result.kind === "stat") stat = outcome.result.stat;
    } else if (outcome.code === "noAuth") {
      // Who may not see the znode is told nothing of it.
      return 0;
    } else if (outcome.code !== "noNode") {
      ports.broken(`${path} is not looked at (${outcome.code}: ${outcome.detail})`);
      return undefined;
    }
    return stat === undefined ? this.#judgeAbsent(path, kinds) : this.#judgePresent(path, kinds, relative, stat);
  }

  #judgeAbsent(path: Path, kinds: number): number {
    const spent = kinds & (this.#data.has(path) ? data | child : child);
    if (spent !== 0) this.#ports.tell(eventTypes.deleted, path);
    return spent;
  }

  #judgePresent(path: Path, kinds: number, relative: Zxid, { mzxid, pzxid }: Stat): number {
    const ports = this.#ports;
    let spent = 0;
    if (kinds & data && this.#data.has(path) && mzxid > relative) {
      ports.tell(eventTypes.dataChanged, path);
      spent = data;
    }
    if (kinds & data && this.#exist.has(path)) {
      ports.tell(eventTypes.created, path);
      spent = data;
    }
    if (kinds & child && pzxid > relative) {
      ports.tell(eventTypes.childrenChanged, path);
      spent |= child;
    }
    return spent;
  }
}
