/**
 * The watches of one connection: set by replies, told in the outbox's order, followed path by path (`Backend.follow`).
 *
 * 1. A path is followed before the read that watches it is given to the lane; the watch *waits* until the reply is put out,
 *    at zxid U, and is armed there. The lane shows nothing that was not told, so what changed up to U has come by then
 *    and is the reply's; what changed behind U and has come (`WatchBacklog`) is told behind the reply.
 * 2. What an armed watch of the same path has told of that already is not told again, if it is still behind the reply. If it
 *    was put out before, it is: the client had not set this watch when it came.
 * 3. A path is followed while a kind of watch that needs it is armed, waits, or is being set again.
 * 4. Rights are those of the change: who may not read the znode (or the list of children) is told nothing of it, and a one-shot
 *    watch is spent all the same, as ZooKeeper does.
 */
import {
  type Acl,
  assert,
  type ChangeType,
  errors,
  type FeedChange,
  isBadPath,
  type Outcome,
  type Path,
  parentOf,
  parsePath,
  permissions,
  permits,
  type ReadOperation,
  type Zxid,
  zeroZxid,
} from "@quorate/api";
import type { FollowListener } from "../backend.ts";
import type { ConnectionContext, ConnectionWatches, Leaving, Slot } from "./context.ts";
import {
  addWatchModes,
  codes,
  eventTypes,
  type Notification,
  type SetWatchesRequest,
  watcherTypes,
} from "./messages.ts";
import { faultOf } from "./results.ts";
import { SetWatches } from "./set-watches.ts";
import { marks, WatchBacklog } from "./watch-backlog.ts";
import { Expected } from "./watch-expected.ts";
import { type WatchLimits, watchLimits } from "./watch-limits.ts";
import { WatchPaths } from "./watch-paths.ts";
import { fires, WatchTable, watchKinds } from "./watch-table.ts";

const { data, child, persistent, recursive } = watchKinds;

const kindsOfMode: ReadonlyMap<number, number> = new Map([
  [addWatchModes.persistent, persistent],
  [addWatchModes.persistentRecursive, recursive],
]);

const kindsOfType: ReadonlyMap<number, number> = new Map([
  [watcherTypes.children, child],
  [watcherTypes.data, data],
  [watcherTypes.any, data | child | persistent | recursive],
  [watcherTypes.persistent, persistent],
  [watcherTypes.persistentRecursive, recursive],
]);

/** Header zxid of an event that no transaction is known for, as ZooKeeper's. */
const noZxid = -1 as Zxid;

const typeOf: { readonly [type in ChangeType]: number } = {
  created: eventTypes.created,
  changed: eventTypes.dataChanged,
  deleted: eventTypes.deleted,
};

export class ClientWatches implements ConnectionWatches {
  readonly #context: ConnectionContext;
  readonly #limits: WatchLimits;
  readonly #armed = new WatchTable();
  readonly #expected = new Expected();
  /** Of the setWatches under way; else empty. */
  readonly #resumed = new WatchTable();
  readonly #backlog: WatchBacklog;
  readonly #paths: WatchPaths;
  #resuming = false;
  /** Of the message at hand: its lists, and which of them permit to read. */
  #acls: readonly Acl[] = [];
  #readable: (boolean | undefined)[] = [];
  /** The transaction at hand, and how many of its changes came. */
  #zxid: Zxid = zeroZxid;
  #place = 0;
  #over = false;

  constructor(context: ConnectionContext, limits: WatchLimits = watchLimits) {
    this.#context = context;
    this.#limits = limits;
    this.#backlog = new WatchBacklog(limits.backlogChanges);
    this.#paths = new WatchPaths(limits, () => context.backend.follow(context.acting, this.#listener));
  }

  get count(): number {
    return this.#armed.count;
  }
  dataPaths(): Iterable<Path> {
    return this.#armed.dataPaths();
  }

  expect(op: "exists" | "getData" | "getChildren", path: Path): Leaving | undefined {
    if (this.#isFull(path)) return undefined;
    const kind = op === "getChildren" ? child : data;
    return this.#expect(path, kind, (code) => code === codes.ok || (op === "exists" && code === codes.noNode));
  }

  #isFull(path: Path): boolean {
    if (!this.#paths.isFull(path)) return false;
    const most = "which is the most for a connection: a request for one more is refused (-127)";
    this.#context.log(`it watches ${this.#armed.size} paths, ${most}`);
    return true;
  }

  #expect(path: Path, kind: number, arms: (code: number) => boolean): Leaving {
    const was = this.#kindsOf(path);
    this.#expected.add(path, kind);
    this.#follow(path, was);
    return {
      leave: (zxid, code) => {
        this.#settle(path, arms(code) ? kind : 0, zxid);
        return code;
      },
    };
  }

  addWatch(text: string, mode: number, slot: Slot): void {
    const { replies } = this.#context;
    const path = parsePath(text);
    const kind = kindsOfMode.get(mode);
    if (kind === undefined) return replies.fill(slot, zeroZxid, codes.marshallingError);
    if (isBadPath(path)) return replies.fill(slot, zeroZxid, codes.badArguments);
    if (this.#isFull(path)) return replies.fill(slot, zeroZxid, errors.throttled.zookeeper);
    slot.leaving = this.#expect(path, kind, (code) => code === codes.ok);
    // Only its place is asked for; a txn is read before any write that comes behind it, whatever that writes.
    const place: ReadOperation = { kind: "txn", check: [], then: [{ kind: "exists", path }] };
    this.#read(place, ({ zxid }) => replies.fill(slot, zxid, codes.ok, { kind: "error", code: codes.ok }));
  }

  checkWatches(path: string, watcherType: number, slot: Slot): void {
    this.#judge(slot, watcherType, (kinds) => (this.#armed.get(path as Path) & kinds) !== 0);
  }

  removeWatches(text: string, watcherType: number, slot: Slot): void {
    const path = text as Path;
    this.#judge(slot, watcherType, (kinds) => {
      const was = this.#kindsOf(path);
      const gone = this.#armed.remove(path, kinds);
      if (gone !== 0) this.#follow(path, was);
      return gone !== 0;
    });
  }

  /** Once all before it are answered, and before anything behind it is begun. */
  #judge(slot: Slot, watcherType: number, there: (kinds: number) => boolean): void {
    const { replies } = this.#context;
    const kinds = kindsOfType.get(watcherType);
    if (kinds === undefined) return replies.fill(slot, zeroZxid, codes.marshallingError);
    slot.holds = true;
    slot.leaving = { leave: () => (there(kinds) ? codes.ok : codes.noWatcher) };
    replies.fill(slot, zeroZxid, codes.ok);
  }

  setWatches(request: SetWatchesRequest, slot: Slot): void {
    assert(!this.#resuming, "what changes the watches is begun alone");
    slot.holds = true;
    this.#resuming = true;
    const table = this.#resumed;
    const course = new SetWatches(request, table, {
      limits: this.#limits,
      read: (operation, done) => this.#read(operation, done),
      whenRoom: (run) => this.#context.replies.whenRoom(() => this.#over || this.#guarded(run)),
      missed: (changes, acls) => this.#missed(changes, acls),
      caughtUp: (through) => {
        this.#backlog.forget(through);
        return this.#backlog.lost;
      },
      tell: (type, path) => this.#context.replies.event({ zxid: noZxid, type, path, place: 0 }),
      expect: (path, kinds) => this.#expectResumed(path, kinds),
      done: (zxid) => this.#resume(zxid, slot),
      broken: (why) => this.#end(why),
    });
    for (const [path] of table.entries()) this.#follow(path, this.#armed.get(path) | this.#expected.get(path));
    course.begin();
  }

  /** One of those that are set again is looked at by itself. */
  #expectResumed(path: Path, kinds: number): (zxid: Zxid, left: number) => void {
    this.#expected.add(path, kinds);
    this.#resumed.remove(path, kinds);
    return (zxid, left) => this.#settle(path, left, zxid);
  }

  #read(operation: ReadOperation, done: (outcome: Outcome) => void): void {
    const { lane, minZxid } = this.#context;
    const how = { consistency: "session", minZxid, maxStaleMillis: 0 } as const;
    lane.read({ ...how, identity: this.#context.identity(), operation }, this.#limits.readMillis, (answer) =>
      this.#guarded(() => {
        if (answer.kind === "outcome") done(answer.outcome);
        else this.#end(`its watches are not set (${answer.code}: ${answer.detail})`);
      }),
    );
  }

  /** A fault of ours ends no more than this connection. */
  #guarded(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#end(faultOf(error));
    }
  }

  /** (1) A reply is put out: one that waited for it is armed with these kinds, or dropped. */
  #settle(path: Path, kinds: number, zxid: Zxid): void {
    if (this.#over) return;
    const was = this.#kindsOf(path);
    this.#expected.leave(path);
    let left = kinds;
    if (kinds !== 0 && this.#backlog.size > 0) {
      const alone = new WatchTable();
      alone.add(path, kinds);
      this.#catchUp(alone, zxid);
      left = alone.get(path);
    }
    if (left !== 0) this.#armed.add(path, left);
    this.#follow(path, was);
    this.#forget(zxid);
  }

  /** What came behind `zxid` is put to these watches. */
  #catchUp(table: WatchTable, zxid: Zxid): void {
    this.#backlog.behind(zxid, (change, mark) => {
      const found = table.fire(change.type as ChangeType, change.path);
      if (found === 0) return mark;
      if (table === this.#resumed) this.#spent(change, found);
      return this.#tell(change, found, mark);
    });
  }

  /** The watches that were set again stand at `zxid`. */
  #resume(zxid: Zxid, slot: Slot): void {
    this.#catchUp(this.#resumed, zxid);
    for (const [path, kinds] of this.#resumed.entries()) this.#armed.add(path, kinds);
    this.#resumed.clear();
    this.#resuming = false;
    this.#forget(zxid);
    this.#context.replies.fill(slot, zxid, codes.ok);
  }

  /** Replies to come are not older than this one. */
  #forget(zxid: Zxid): void {
    if (this.#expected.size === 0 && !this.#resuming) this.#backlog.clear();
    else this.#backlog.forget(zxid);
  }

  readonly #listener: FollowListener = {
    changes: (changes, acls) => {
      this.#judgeBy(acls);
      for (const change of changes) {
        if (!this.#over) this.#heard(change);
      }
    },
    ended: ({ code, detail }) => this.#end(`its watches ended (${code}: ${detail})`),
  };

  #heard(change: FeedChange): void {
    const { path, acl, parentAcl } = change;
    const type = change.type as ChangeType;
    const place = this.#placeOf(change);
    const found = this.#armed.fire(type, path);
    const waits = this.#expected.meets(type, path) || this.#resumed.meets(type, path);
    if (found === 0 && !waits) return;
    let mark = place << marks.placeShift;
    if ((waits || found & fires.own) && this.#mayRead(acl)) mark |= marks.ownReadable;
    if ((waits || found & fires.parent) && this.#mayRead(parentAcl)) mark |= marks.parentReadable;
    mark = this.#tell(change, found, mark);
    this.#spent(change, found);
    if (waits) this.#keep(change, mark);
  }

  #keep(change: FeedChange, mark: number): void {
    if (this.#backlog.push(change, mark)) return;
    if (this.#expected.size > 0) this.#end("too much changed while its watches waited for their replies");
    else this.#backlog.overflow(change);
  }

  /** Of setWatches: these came behind the zxid that the client knows. */
  #missed(changes: readonly FeedChange[], acls: readonly Acl[]): void {
    this.#judgeBy(acls);
    for (const change of changes) {
      const place = this.#placeOf(change) << marks.placeShift;
      const found = this.#resumed.fire(change.type as ChangeType, change.path);
      if (found === 0) continue;
      const own = found & fires.own && this.#mayRead(change.acl) ? marks.ownReadable : 0;
      const parent = found & fires.parent && this.#mayRead(change.parentAcl) ? marks.parentReadable : 0;
      this.#tell(change, found, place | own | parent);
      this.#spent(change, found);
    }
  }

  /** In its transaction. */
  #placeOf({ zxid }: FeedChange): number {
    this.#place = zxid === this.#zxid ? this.#place + 1 : 0;
    this.#zxid = zxid;
    return this.#place;
  }

  /** (4) Answers the marks with what was told. */
  #tell(change: FeedChange, found: number, mark: number): number {
    const { zxid, path } = change;
    const place = 2 * (mark >> marks.placeShift);
    let marked = mark;
    if (found & fires.own && mark & marks.ownReadable) {
      const event = { zxid, type: typeOf[change.type as ChangeType], path, place };
      if ((mark & marks.ownTold) === 0 || !this.#isKnown(event)) this.#context.replies.event(event);
      marked |= marks.ownTold;
    }
    if (found & fires.parent && mark & marks.parentReadable) {
      const event = { zxid, type: eventTypes.childrenChanged, path: parentOf(path) ?? path, place: place + 1 };
      if ((mark & marks.parentTold) === 0 || !this.#isKnown(event)) this.#context.replies.event(event);
      marked |= marks.parentTold;
    }
    return marked;
  }

  /** (2) Of an event that was told: watches that are set again are the client's already. */
  #isKnown(event: Notification): boolean {
    return this.#resuming || this.#context.replies.holds(event);
  }

  /** (3) One-shot watches are gone. */
  #spent({ path }: FeedChange, found: number): void {
    const own = found >> fires.spentShift;
    if (own !== 0) this.#follow(path, this.#kindsOf(path) | own);
    if ((found & fires.parentSpent) === 0) return;
    const parent = parentOf(path) ?? path;
    this.#follow(parent, this.#kindsOf(parent) | child);
  }

  #judgeBy(acls: readonly Acl[]): void {
    this.#acls = acls;
    this.#readable = [];
  }

  #mayRead(place: number): boolean {
    const known = this.#readable[place];
    if (known !== undefined) return known;
    const acl = this.#acls[place];
    const may = acl !== undefined && permits(acl, this.#context.identity(), permissions.read);
    this.#readable[place] = may;
    return may;
  }

  #kindsOf(path: Path): number {
    return this.#armed.get(path) | this.#expected.get(path) | this.#resumed.get(path);
  }

  /** (3) `was`: its kinds before what watches it became other. */
  #follow(path: Path, was: number): void {
    if (!this.#over) this.#paths.change(path, was, this.#kindsOf(path));
  }

  #end(why: string): void {
    this.close();
    this.#context.close(why);
  }

  close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#paths.close();
    this.#backlog.clear();
  }
}
