/** What the tests of the hub share: a scripted replica, whose questions are answered when the test says so. */
import assert from "node:assert/strict";
import {
  type Acl,
  anyone,
  asZxid,
  type ErrorCode,
  type FeedChange,
  openAcl,
  type Path,
  type SessionId,
  type WatchEvent,
  type WatchScope,
  type WatchScopes,
} from "@quorate/api";
import type {
  Answer,
  Following,
  FollowListener,
  ReadRequest,
  WatchEnd,
  Watching,
  WatchListener,
  WatchOpening,
} from "../backend.ts";
import { friendsOnly } from "../model-history.test-support.ts";
import type { ReplicaStream } from "../stream.ts";
import { VirtualWorld } from "../virtual-world.test-support.ts";
import { type WatchAnswered, Watches } from "./hub.ts";

export class Question {
  readonly request: ReadRequest;
  readonly #answered: WatchAnswered;
  readonly #stream: ReplicaStream;

  constructor(request: ReadRequest, answered: WatchAnswered, stream: ReplicaStream) {
    this.request = request;
    this.#answered = answered;
    this.#stream = stream;
  }

  /** At `through`, with `events`. */
  answer(through: number, events: readonly WatchEvent[] = [], more = false): void {
    const zxid = asZxid(through);
    const result = { kind: "watched", states: [], events, through: zxid, more, sessionTimeoutMillis: 0 } as const;
    this.say({ kind: "outcome", outcome: { ok: true, zxid, result }, servedBy: 1, ageMillis: 0 });
  }

  /** As a raw watch is answered. */
  tell(through: number, changes: readonly FeedChange[] = [], more = false, acls: readonly Acl[] = [openAcl]): void {
    const zxid = asZxid(through);
    const none = { states: [], events: [], sessionTimeoutMillis: 0 };
    const result = { kind: "watched", ...none, through: zxid, more, changes, acls } as const;
    this.say({ kind: "outcome", outcome: { ok: true, zxid, result }, servedBy: 1, ageMillis: 0 });
  }

  /** What it asks, as words. */
  get words(): string {
    const { operation, minZxid } = this.request;
    assert.ok(operation.kind === "watch");
    const { scopes, after, raw } = operation;
    const paths = Object.entries(scopes).flatMap(([scope, each]) => each.map((path) => `${scope} ${path}`));
    const where = after === undefined ? `where, from ${minZxid}` : `after ${after}`;
    return [raw ? "raw" : "", where, ...paths].join(", ");
  }

  fail(code: ErrorCode): void {
    const outcome = { ok: false, zxid: asZxid(1), code, detail: `it is ${code}` } as const;
    this.say({ kind: "outcome", outcome, servedBy: 1, ageMillis: 0 });
  }

  say(answer: Answer): void {
    this.#answered(answer, answer.kind === "outcome" ? this.#stream : undefined);
  }
}

export class Listener implements WatchListener {
  readonly calls: string[] = [];
  readonly events_: WatchEvent[][] = [];
  end: WatchEnd | undefined;
  on: () => void = () => {};

  opened(_: WatchOpening): void {
    this.calls.push("opened");
    this.on();
  }
  events(events: readonly WatchEvent[], more: boolean): void {
    this.events_.push(events as WatchEvent[]);
    this.calls.push(`${events.map(({ type, path }) => `${type} ${path}`).join(", ")}${more ? " …" : ""}`);
    this.on();
  }
  ended(end: WatchEnd): void {
    this.end = end;
    this.calls.push(end.code);
    this.on();
  }
  take(): string[] {
    return this.calls.splice(0);
  }
}

/** Notes what it is told; `on` may do more. */
export class FollowNotes implements FollowListener {
  readonly calls: string[] = [];
  readonly told: (readonly FeedChange[])[] = [];
  readonly lists: (readonly Acl[])[] = [];
  end: WatchEnd | undefined;
  on: () => void = () => {};

  changes(changes: readonly FeedChange[], acls: readonly Acl[]): void {
    this.told.push(changes);
    this.lists.push(acls);
    this.calls.push(changes.map(({ type, path }) => `${type} ${path}`).join(", "));
    this.on();
  }
  ended(end: WatchEnd): void {
    this.end = end;
    this.calls.push(end.code);
    this.on();
  }
  take(): string[] {
    return this.calls.splice(0);
  }
}

export function stream(replica: number): ReplicaStream {
  return { replica, address: `r${replica}`, rules: 0, writable: true, send: () => {} };
}

export class Scene {
  readonly world = new VirtualWorld(1);
  readonly logged: string[] = [];
  readonly unwatched: ReplicaStream[] = [];
  /** Sessions whose lanes were told to look again. */
  readonly waited: SessionId[] = [];
  home: ReplicaStream | undefined = stream(1);
  questions: Question[] = [];
  readonly watches: Watches = new Watches({
    world: this.world,
    home: () => this.home,
    historyOf: () => "4a91e37371a4b3c6",
    ask: (request, _, answered) => {
      const question = new Question(request, answered, this.home ?? stream(9));
      this.questions.push(question);
      return () => void this.questions.splice(this.questions.indexOf(question), 1);
    },
    unwatch: (each) => void this.unwatched.push(each),
    eventsTold: (session) => void this.waited.push(session),
    wake: () => {},
    log: (text) => void this.logged.push(text),
  });

  constructor() {
    this.watches.moved(this.home);
  }

  get first(): ReplicaStream {
    assert.ok(this.home);
    return this.home;
  }

  open(
    scopes: Partial<WatchScopes>,
    listener: WatchListener,
    more: { after?: number; session?: number; identity?: typeof anyone; stale?: boolean } = {},
  ): Watching {
    const { after, session, identity = anyone, stale } = more;
    const consistency = stale ? "stale" : "linearizable";
    const all = { node: [], children: [], subtree: [], ...scopes };
    const read = { identity, scopes: all, consistency, minZxid: asZxid(0), maxStaleMillis: 0 } as const;
    const behind = after === undefined ? {} : { after: { zxid: asZxid(after) } };
    const acting =
      session === undefined ? {} : { acting: { session: session as SessionId, secretHash: new Uint8Array(32) } };
    return this.watches.watch({ ...read, ...behind, ...acting }, 1000, listener);
  }

  /** Opened at zxid 10, and joined. */
  joined(
    scopes: Partial<WatchScopes>,
    more: { session?: number; identity?: typeof anyone } = {},
  ): { listener: Listener; watching: Watching } {
    const listener = new Listener();
    const watching = this.open(scopes, listener, more);
    this.take().answer(10);
    assert.deepEqual(listener.take(), ["opened"]);
    return { listener, watching };
  }

  /** Of the session; it follows nothing yet. */
  follow(session = 5): { readonly notes: FollowNotes; readonly following: Following } {
    const notes = new FollowNotes();
    const acting = { session: session as SessionId, secretHash: new Uint8Array(32) };
    return { notes, following: this.watches.follow(acting, notes) };
  }

  /** Follows these, and was told that the tree stands at 10. */
  followed(scopes: Partial<WatchScopes>, session = 5): { readonly notes: FollowNotes; readonly following: Following } {
    const each = this.follow(session);
    for (const [scope, paths] of Object.entries(scopes)) {
      for (const path of paths) each.following.add(scope as WatchScope, path);
    }
    this.watches.pump();
    for (const question of this.questions.splice(0)) question.tell(10);
    return each;
  }

  take(): Question {
    const question = this.questions.shift();
    assert.ok(question, "a question was asked");
    return question;
  }

  feed(
    through: number,
    changes: readonly FeedChange[],
    acls: readonly Acl[] = [openAcl, friendsOnly],
    ended: number[] = [],
  ): void {
    this.watches.feed(this.first, {
      kind: "feed",
      through: asZxid(through),
      changes,
      acls,
      ended: ended as SessionId[],
    });
  }
}

export const [a, ab, root] = ["/a", "/a/b", "/"] as Path[] as [Path, Path, Path];

export function change(zxid: number, type: FeedChange["type"], path: Path, acl = 0, parentAcl = 0): FeedChange {
  return { zxid: asZxid(zxid), type, path, version: 0, czxid: asZxid(1), time: 5, kind: "persistent", acl, parentAcl };
}
