/**
 * A connection's watches with a real outbox and nothing else: the lane answers, and the feed brings, what the test says. What
 * goes out is read back from its bytes, a line for each reply and event.
 */
import assert from "node:assert/strict";
import {
  type Acl,
  anyone,
  type ChangeType,
  type FeedChange,
  type Identity,
  type Outcome,
  openAcl,
  type Path,
  type ReadOperation,
  type Result,
  type SessionId,
  type WatchScope,
  type Zxid,
} from "@quorate/api";
import type { Answer, Backend, Following, FollowListener, ReadRequest, SessionLane } from "../backend.ts";
import type { GatewayWorld } from "../ports.ts";
import { ClientWatches } from "./client-watches.ts";
import type { ConnectionContext } from "./context.ts";
import { Counts } from "./counts.ts";
import { Slabs } from "./jute.ts";
import { zookeeperLimits } from "./limits.ts";
import type { SetWatchesRequest } from "./messages.ts";
import { Outbox, type Place } from "./outbox.ts";
import { type WatchLimits, watchLimits } from "./watch-limits.ts";

export const closedAcl: Acl = [{ scheme: "digest", id: "ann:x", perms: 1 }];

/** The lists that changes of a scene refer to. */
export const acls: readonly Acl[] = [openAcl, closedAcl];

export function changeOf(zxid: number, type: ChangeType, path: string, lists: Partial<FeedChange> = {}): FeedChange {
  const fixed = { version: 0, czxid: 1 as Zxid, time: 0, kind: "persistent", acl: 0, parentAcl: 0 } as const;
  return { zxid: zxid as Zxid, type, path: path as Path, ...fixed, ...lists };
}

export interface AskedRead {
  readonly operation: ReadOperation;
  /** The zxid at which it is answered, and with what (of failures: the code). */
  answer(
    zxid: number,
    result: Result | "noNode" | "noAuth" | "cursorTooOld" | "cursorOfAnotherHistory" | "internal",
  ): void;
  fail(): void;
}

const typeNames = ["none", "created", "deleted", "changed", "childrenChanged"];

/** What a client is sent, a line each: `reply 1 @5`, `reply 1 @5 -101`, `changed /a @5`. */
export function readOut(bytes: Uint8Array): string[] {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const lines: string[] = [];
  for (let at = 0; at < view.length; at += 4 + view.readInt32BE(at)) {
    const xid = view.readInt32BE(at + 4);
    const zxid = Number(view.readBigInt64BE(at + 8));
    const code = view.readInt32BE(at + 16);
    if (xid === -1) {
      const path = view.toString("utf8", at + 32, at + 32 + view.readInt32BE(at + 28));
      lines.push(`${typeNames[view.readInt32BE(at + 20)]} ${path} @${zxid}`);
    } else lines.push(code === 0 ? `reply ${xid} @${zxid}` : `reply ${xid} @${zxid} ${code}`);
  }
  return lines;
}

/** Counts what it is given: nothing is added twice, and nothing removed that is not there. */
class ScriptedFollowing implements Following {
  cursor = 0 as Zxid;
  readonly scopes = new Set<string>();
  closed = false;
  add(scope: WatchScope, path: Path): void {
    assert.ok(!this.closed && !this.scopes.has(`${scope} ${path}`), `${scope} ${path} is followed once`);
    this.scopes.add(`${scope} ${path}`);
  }
  remove(scope: WatchScope, path: Path): void {
    assert.ok(!this.closed && this.scopes.delete(`${scope} ${path}`), `${scope} ${path} was followed`);
  }
  close(): void {
    this.closed = true;
  }
}

export class WatchesScene {
  readonly reads: AskedRead[] = [];
  readonly watches: ClientWatches;
  readonly outbox: Outbox;
  readonly following = new ScriptedFollowing();
  listener: FollowListener | undefined;
  identity: Identity = anyone;
  closed: string | undefined;
  readonly logged: string[] = [];
  /** Written and not read by the client. */
  unsent = 0;
  readonly #counts = new Counts();
  readonly #places = new Map<number, Place>();
  #soon: (() => void)[] = [];
  #out: string[] = [];
  #xid = 0;

  constructor(limits: Partial<WatchLimits> = {}) {
    const world: Pick<GatewayWorld, "now" | "next"> = { now: () => 0, next: (run) => this.#soon.push(run) };
    const write = (bytes: Uint8Array): void => void this.#out.push(...readOut(bytes));
    this.outbox = new Outbox(
      { world: world as GatewayWorld, slabs: new Slabs(), limits: zookeeperLimits, write, unsent: () => this.unsent },
      1 as Zxid,
    );
    const follow = (_: unknown, listener: FollowListener): Following => {
      assert.equal(this.listener, undefined, "it follows once");
      this.listener = listener;
      return this.following;
    };
    const context: ConnectionContext = {
      backend: { follow } as unknown as Backend,
      world: world as GatewayWorld,
      acting: { session: 1 as SessionId, secretHash: new Uint8Array(32) },
      lane: {
        read: (read: ReadRequest, _: number, done: (answer: Answer) => void) => this.#asked(read, done),
      } as SessionLane,
      replies: this.outbox,
      identity: () => this.identity,
      minZxid: 1 as Zxid,
      readOnly: false,
      isOver: () => this.closed !== undefined,
      log: (text) => this.logged.push(text),
      close: (why) => {
        this.closed = why;
      },
    };
    this.watches = new ClientWatches(context, { ...watchLimits, ...limits });
  }

  #asked({ operation }: ReadRequest, done: (answer: Answer) => void): void {
    const end = (outcome: Outcome): void => done({ kind: "outcome", outcome, servedBy: 1 as never, ageMillis: 0 });
    this.reads.push({
      operation,
      answer: (at, result) => {
        const zxid = at as Zxid;
        if (typeof result === "string") end({ ok: false, zxid, code: result, detail: "as the test says" });
        else end({ ok: true, zxid, result });
      },
      fail: () => {
        const certainty = "noEffect";
        done({ kind: "unavailable", code: "timeout", detail: "in time", certainty, retryAfterMillis: 0 });
      },
    });
  }

  /** The next read that is asked and not answered. */
  next(): AskedRead {
    const read = this.reads.shift();
    assert.ok(read, "a read was asked");
    return read;
  }

  place(): Place {
    this.#xid += 1;
    const place = this.outbox.place(this.#xid, this.#counts.of("any"), 0);
    this.#places.set(this.#xid, place);
    return place;
  }

  /** A request with a watch; answers its xid. */
  watch(op: "exists" | "getData" | "getChildren", path: string): number {
    const place = this.place();
    place.leaving = this.watches.expect(op, path as Path);
    return place.xid;
  }

  /** Its read is answered. */
  answer(xid: number, zxid: number, code = 0): void {
    const place = this.#places.get(xid) as Place;
    this.outbox.fill(place, zxid as Zxid, code, code === 0 ? { kind: "path", path: "/" } : undefined);
  }

  addWatch(path: string, mode: number): number {
    const place = this.place();
    this.watches.addWatch(path, mode, place);
    return place.xid;
  }

  setWatches(request: Partial<SetWatchesRequest>): number {
    const place = this.place();
    const none = { data: [], exist: [], child: [], persistent: [], persistentRecursive: [] };
    this.watches.setWatches({ op: "setWatches", relativeZxid: 1 as Zxid, ...none, ...request }, place);
    return place.xid;
  }

  changes(...changes: readonly FeedChange[]): void {
    this.listener?.changes(changes, acls);
  }

  change(zxid: number, type: ChangeType, path: string, lists: Partial<FeedChange> = {}): void {
    this.changes(changeOf(zxid, type, path, lists));
  }

  /** The turn ends; what went out since the last one. */
  turn(): string[] {
    const soon = this.#soon;
    this.#soon = [];
    for (const run of soon) run();
    const out = this.#out;
    this.#out = [];
    return out;
  }

  get followed(): string[] {
    return [...this.following.scopes].sort();
  }
}

/** A page of missed changes. */
export function page(through: number, changes: readonly FeedChange[], more = false): Result {
  const none = { states: [], events: [], sessionTimeoutMillis: 0 };
  return { kind: "watched", ...none, through: through as Zxid, more, changes, acls };
}

/** Of a znode that is there. */
export function statResult(path: string, mzxid: number, pzxid: number): Result {
  const zeros = { ctime: 0, mtime: 0, version: 0, cversion: 0, aversion: 0, dataLength: 0, numChildren: 0 };
  const [czxid, owner] = [1 as Zxid, 0 as SessionId];
  const stat = { ...zeros, czxid, mzxid: mzxid as Zxid, pzxid: pzxid as Zxid, ephemeralOwner: owner, ttlMillis: 0 };
  return { kind: "stat", path: path as Path, stat: { ...stat, kind: "persistent" } };
}
