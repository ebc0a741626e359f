/**
 * ZooKeeper's watch guarantees, as its port needs them: a watch that a read set is told of everything that happened behind
 * what the read showed, before anything shows that. `Backend.follow`, `SessionLane` rule 9.
 *
 * Checked, by what one session follows at one gateway: once a read of its lane that was given behind the addition of a path
 * has shown the state at a zxid, each change of that path behind it is told before an answer shows it, or it has ended; each
 * change that is told is one of the order, with its lists, in order, each transaction at once, and once; reads do not go back
 * behind what was told. What was missed and is asked for on the lane is exactly what the order has there. Once nothing fails any more,
 * all of it has been told.
 */
import { type Acl, type FeedChange, formatZxid, type Path, type WatchScope, type Zxid } from "@quorate/api";
import { type AppliedBatch, type Finished, type Follow, type FollowSeen, Invariant } from "../observation.ts";
import { verdictOf, type WatchedChange, type WatchedChanges } from "./watched-changes.ts";

/** A path since it was added; `armed`: what the first read behind that has shown. */
interface Entry {
  readonly scope: WatchScope;
  readonly path: Path;
  readonly addedAt: number;
  armed: Zxid | undefined;
}

interface Open {
  readonly follow: Follow;
  readonly entries: Map<string, Entry>;
  /** How many things were seen of it when each request was given. */
  readonly given: Map<number, number>;
  readonly told: Set<string>;
  last: Zxid;
  seen: number;
  /** Up to here all that was promised is told. */
  judged: Zxid;
  /** What cannot be judged before the order is known further. */
  readonly waiting: FollowSeen[];
  ended: boolean;
}

const none = { node: [], children: [], subtree: [] };
/** What happened in the last moments of a run may be on its way yet, ms. */
const deliveryMillis = 500;

export class FollowedChangesTold extends Invariant {
  readonly name = "followed-changes-told";
  readonly #changes: WatchedChanges;
  readonly #open = new Map<number, Open>();
  readonly #waiting = new Set<Open>();
  /** Of the order, with the true time at which each was first applied. */
  readonly #ends: { readonly at: number; readonly zxid: Zxid }[] = [];

  constructor(changes: WatchedChanges) {
    super();
    this.#changes = changes;
  }

  override applied(seen: AppliedBatch): void {
    this.#changes.note(seen);
    const { end } = this.#changes.order;
    if (end !== (this.#ends.at(-1)?.zxid ?? 0)) this.#ends.push({ at: seen.at, zxid: end });
    for (const open of this.#waiting) this.#goOn(open);
  }

  override followed(seen: FollowSeen): void {
    const { follow } = seen;
    let open = this.#open.get(follow.id);
    if (!open) {
      const zero = 0 as Zxid;
      const fresh = { entries: new Map(), given: new Map(), told: new Set<string>(), waiting: [] };
      open = { follow, ...fresh, last: zero, judged: zero, seen: 0, ended: false };
      this.#open.set(follow.id, open);
    }
    open.waiting.push(seen);
    this.#goOn(open);
  }

  /** In the order in which it was seen. */
  #goOn(open: Open): void {
    for (let next = open.waiting[0]; next && needs(next) <= this.#changes.through; next = open.waiting[0]) {
      open.waiting.shift();
      this.#take(open, next);
    }
    if (open.waiting.length > 0) this.#waiting.add(open);
    else this.#waiting.delete(open);
    if (open.ended && open.waiting.length === 0) this.#open.delete(open.follow.id);
  }

  #take(open: Open, seen: FollowSeen): void {
    open.seen += 1;
    switch (seen.kind) {
      case "added": {
        const { scope, path } = seen;
        const entry = { scope, path, addedAt: open.seen, armed: undefined };
        if (!open.entries.has(`${scope} ${path}`)) open.entries.set(`${scope} ${path}`, entry);
        return;
      }
      case "removed":
        open.entries.delete(`${seen.scope} ${seen.path}`);
        return;
      case "given":
        open.given.set(seen.request, open.seen);
        return;
      case "answered":
        return this.#answered(open, seen);
      case "told":
        return this.#told(open, seen.changes, seen.acls);
      case "missed": {
        const due = this.#changes.between(seen.after, seen.through);
        const scopes = seen.scopes;
        const meets = due?.filter((each) => verdictOf(scopes, each, () => true) === "tell");
        if (meets) this.#compare(open, meets, seen.changes, seen.acls);
        return;
      }
      case "ended":
        open.ended = true;
        return;
      default:
        seen satisfies never;
    }
  }

  #answered(open: Open, { request, what, zxid }: Extract<FollowSeen, { kind: "answered" }>): void {
    const given = open.given.get(request) ?? 0;
    open.given.delete(request);
    if (zxid === 0) return;
    if (what === "read" && zxid < open.last) {
      this.#broken(open, `a read shows ${formatZxid(zxid)}, and it was told of ${formatZxid(open.last)} before`);
    }
    this.#judge(open, zxid, `what shows ${formatZxid(zxid)} is answered`);
    if (what !== "read") return;
    for (const entry of open.entries.values()) if (entry.addedAt < given) entry.armed ??= zxid;
  }

  /** All that it was promised up to `zxid` must be told by now. */
  #judge(open: Open, zxid: Zxid, when: string): void {
    if (zxid <= open.judged) return;
    const due = this.#changes.between(open.judged, zxid) ?? [];
    open.judged = zxid;
    const armed = [...open.entries.values()].filter((entry) => entry.armed !== undefined);
    if (armed.length === 0) return;
    for (const each of due) {
      if (open.told.has(nameOf(each.change))) continue;
      const entry = armed.find((one) => (one.armed as Zxid) < each.change.zxid && isOf(one, each));
      if (!entry) continue;
      const since = `${entry.scope} ${entry.path}, behind ${formatZxid(entry.armed as Zxid)}`;
      this.#broken(open, `${when}, and ${describe(each.change)} was not told; it follows ${since}`);
    }
  }

  #told(open: Open, changes: readonly FeedChange[], acls: readonly Acl[]): void {
    const [first] = changes;
    if (!first) this.#broken(open, "it is told nothing");
    else if (first.zxid <= open.last) {
      this.#broken(open, `${describe(first)} is told behind what happened at ${formatZxid(open.last)}`);
    }
    for (const change of changes) {
      if (change.zxid < open.last || open.told.has(nameOf(change))) {
        this.#broken(open, `${describe(change)} is told twice, or out of order`);
      }
      if (change.type === "acl") this.#broken(open, `${describe(change)} is told; no change of an ACL is`);
      open.last = change.zxid;
      open.told.add(nameOf(change));
      const there = this.#changes.between((change.zxid - 1) as Zxid, change.zxid);
      const real = there?.find((each) => nameOf(each.change) === nameOf(change));
      if (there) this.#compare(open, real ? [real] : [], [change], acls);
    }
  }

  #compare(open: Open, due: readonly WatchedChange[], changes: readonly FeedChange[], acls: readonly Acl[]): void {
    for (let at = 0; at < Math.max(due.length, changes.length); at++) {
      const [real, told] = [due[at], changes[at]];
      if (real && told && isSame(real, told, acls)) continue;
      const has = real ? describe(real.change) : "nothing more";
      this.#broken(open, `it is told ${told ? describe(told) : "nothing more"}; the order has ${has}`);
    }
  }

  override finished({ at }: Finished): void {
    const settled = this.#ends.findLast((each) => each.at <= at - deliveryMillis)?.zxid ?? (0 as Zxid);
    for (const open of this.#open.values()) {
      if (open.waiting.length === 0) this.#judge(open, settled, "nothing fails any more");
    }
  }

  #broken({ follow: { id, client, gateway } }: Open, what: string): void {
    this.broken(`follower ${id} of client ${client} at gateway ${gateway}: ${what}`);
  }
}

/** How far the order must be known to judge it. */
function needs(seen: FollowSeen): Zxid {
  if (seen.kind === "answered") return seen.zxid;
  if (seen.kind === "missed") return seen.through;
  return seen.kind === "told" ? (seen.changes.at(-1)?.zxid ?? (0 as Zxid)) : (0 as Zxid);
}

function isOf({ scope, path }: Entry, change: WatchedChange): boolean {
  return verdictOf({ ...none, [scope]: [path] }, change, () => true) === "tell";
}

function nameOf({ zxid, type, path, version }: Pick<FeedChange, "zxid" | "type" | "path" | "version">): string {
  return `${zxid} ${type} ${path} ${version}`;
}

function isSame({ change, acl, parentAcl }: WatchedChange, told: FeedChange, acls: readonly Acl[]): boolean {
  return (
    nameOf(change) === nameOf(told) &&
    change.czxid === told.czxid &&
    change.kind === told.kind &&
    Math.floor(change.time) === told.time &&
    isList(acl, acls[told.acl]) &&
    isList(parentAcl, acls[told.parentAcl])
  );
}

function isList(acl: Acl, told: Acl | undefined): boolean {
  return JSON.stringify(acl) === JSON.stringify(told);
}

function describe({ type, path, zxid, version }: Pick<FeedChange, "zxid" | "type" | "path" | "version">): string {
  return `${type} ${path} at ${formatZxid(zxid)} (version ${version})`;
}
