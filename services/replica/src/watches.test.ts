/** Watches, and reads behind a lane's writes, as a replica answers them: when, in what order with the feed, and what then. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Acting,
  anyone,
  encodeRead,
  type Path,
  type SessionId,
  type WatchOperation,
  type Zxid,
} from "@quorate/api";
import type { Consistency, ToGateway } from "@quorate/proto";
import { Feeds } from "./feeds.ts";
import { Reads } from "./reads.ts";
import { create, set, TestStream, TreeScene } from "./tree-scene.test-support.ts";

const historyId = "4a91e37371a4b3c6ffffffffffffffff";

type Asked = Partial<{
  minZxid: number;
  acting: Acting;
  behind: { session: SessionId; sequence: number };
  stream: TestStream;
}>;

/** Reads and feeds over a tree, without a loop: the test takes the turns and answers the confirmations. */
class Scene extends TreeScene {
  readonly stream = new TestStream();
  readonly feeds = new Feeds();
  readonly state = { serves: true, now: 0, fresh: 0, tickOnNow: 0 };
  readonly turns: (() => void)[] = [];
  readonly confirmations: ((index: Zxid | undefined) => void)[] = [];
  readonly reads: Reads = new Reads({
    tree: () => this.tree,
    now: () => {
      this.state.now += this.state.tickOnNow;
      return this.state.now;
    },
    serves: () => this.state.serves,
    freshSince: () => this.state.fresh,
    historyId: () => historyId,
    confirm: (done) => void this.confirmations.push(done),
    watched: (connection, outcome) => this.feeds.answered(connection, outcome, this.tree),
    decorate: (outcome) => outcome,
    push: (work) => void this.turns.push(work),
  });
  #id = 0;

  constructor() {
    super();
    this.applied = (results, tree) => this.feeds.applied(results, tree);
    this.write(create("/a"));
  }

  /** A slice has ended. */
  advanced(): void {
    this.feeds.flush(this.tree);
    this.reads.applied();
  }

  turn(): void {
    for (const work of this.turns.splice(0)) work();
  }

  confirm(index: number | undefined): void {
    for (const done of this.confirmations.splice(0)) done(index as Zxid | undefined);
  }

  ask(operation: Uint8Array, consistency: Consistency, { minZxid = 0, stream = this.stream, ...more }: Asked): void {
    this.reads.read(stream, {
      kind: "read",
      id: ++this.#id,
      consistency,
      minZxid: minZxid as Zxid,
      maxStaleMillis: 100,
      budgetMillis: 1000,
      identity: anyone,
      operation,
      ...more,
    });
  }

  watch(after?: number, consistency: Consistency = "session", asked: Asked = {}, history?: string): void {
    const scopes = { node: ["/a" as Path], children: [], subtree: [] };
    const operation: WatchOperation = {
      kind: "watch",
      scopes,
      ...(after === undefined ? {} : { after: after as Zxid }),
      ...(history === undefined ? {} : { history }),
    };
    this.ask(encodeRead(operation).slice(), consistency, asked);
  }

  get(consistency: Consistency, asked: Asked): void {
    this.ask(encodeRead({ kind: "get", path: "/a" as Path }).slice(), consistency, asked);
  }

  said(stream = this.stream): readonly string[] {
    return stream.taken().map(summary);
  }
}

function summary(message: ToGateway): string {
  if (message.kind === "feed") return `feed ${message.changes.length}`;
  if (message.kind !== "answer") return message.kind;
  const { outcome } = message;
  if (!outcome.ok) return outcome.code;
  const { result } = outcome;
  if (result.kind !== "watched") return result.kind;
  return `watched ${result.states.length}+${result.events.length}${result.more ? " more" : ""}`;
}

test("a watch's answer is followed by the feed, and the feed stands before what is read behind it", () => {
  const scene = new Scene();
  scene.watch(undefined, "linearizable");
  assert.deepEqual(scene.said(), [], "it waits for its confirmation");
  scene.confirm(scene.tree.applied + 1);
  scene.get("session", { minZxid: scene.tree.applied + 2 });
  scene.turn();
  assert.deepEqual(scene.said(), []);
  scene.write(set("/a"));
  scene.advanced();
  scene.turn();
  assert.deepEqual(scene.said(), ["watched 1+0"], "what the answer has in it is not fed");
  scene.write(set("/a"));
  scene.advanced();
  assert.deepEqual(scene.said(), ["feed 1", "data"]);
});

test("a watch behind a cursor needs no confirmation, but waits until that much is applied, or its budget is over", () => {
  const scene = new Scene();
  const { applied } = scene.tree;
  for (const consistency of ["linearizable", "session", "stale"] as const) scene.watch(applied, consistency);
  scene.turn();
  assert.deepEqual([scene.said(), scene.confirmations.length], [["watched 0+0", "watched 0+0", "watched 0+0"], 0]);
  scene.watch(applied + 1, "stale");
  scene.watch(applied + 5, "linearizable");
  scene.turn();
  assert.deepEqual(scene.said(), []);
  scene.write(set("/a"));
  scene.advanced();
  scene.turn();
  assert.deepEqual(scene.said(), ["feed 1", "watched 0+0"]);
  scene.state.now += 1000;
  scene.reads.tick();
  assert.deepEqual(scene.said(), ["behind"]);
  assert.equal(scene.reads.waiting, 0);
});

test("what happened behind the cursor is in the answer, the rest in the feed", () => {
  const scene = new Scene();
  const { applied } = scene.tree;
  scene.write(set("/a"), set("/a"));
  scene.watch(applied);
  scene.turn();
  scene.write(set("/a"));
  assert.deepEqual(scene.said(), ["watched 0+2", "feed 1"]);
  for (let n = 0; n < 12; n++) scene.write(...Array.from({ length: 100 }, () => set("/a")));
  scene.stream.taken();
  const other = new TestStream();
  scene.watch(applied, "session", { stream: other });
  scene.turn();
  scene.write(set("/a"));
  assert.deepEqual(scene.said(other), ["watched 0+1000 more"], "a part of it turns no feed on");
  assert.deepEqual(scene.said(), ["feed 1"]);
});

test("a raw watch is told changes, waits as others do for what it must not be behind, and turns the feed on", () => {
  const scene = new Scene();
  const { applied } = scene.tree;
  const raw = (after: number | undefined, asked: Asked): void => {
    const scopes = { node: ["/a" as Path], children: [], subtree: [] };
    const behind = after === undefined ? {} : { after: after as Zxid };
    scene.ask(encodeRead({ kind: "watch", scopes, raw: true, ...behind }).slice(), "session", asked);
  };
  const told = (stream = scene.stream): unknown[] =>
    stream.taken().map((message) => {
      if (message.kind !== "answer" || !message.outcome.ok || message.outcome.result.kind !== "watched") {
        return summary(message);
      }
      const { changes, acls, through } = message.outcome.result;
      return [changes?.map(({ type, path }) => `${type} ${path}`), acls?.length, through - applied];
    });
  raw(undefined, { minZxid: applied + 1 });
  scene.turn();
  assert.deepEqual(told(), []);
  scene.write(set("/a"));
  scene.advanced();
  scene.turn();
  scene.write(set("/a"));
  assert.deepEqual(told(), [[[], 0, 1], "feed 1"]);
  const other = new TestStream();
  raw(applied, { stream: other });
  scene.turn();
  scene.write(set("/a"));
  assert.deepEqual(told(other), [[["changed /a", "changed /a"], 1, 2], "feed 1"]);
});

test("a cursor of another history is refused at once, whatever its number", () => {
  const scene = new Scene();
  scene.watch(scene.tree.applied, "session", {}, historyId.slice(0, 16));
  scene.watch(scene.tree.applied + 1000, "session", {}, "4a91e37371a4b3c7");
  scene.turn();
  const [answer] = scene.stream.taken().filter((each) => summary(each) === "cursorOfAnotherHistory");
  assert.ok(answer?.kind === "answer" && !answer.outcome.ok);
  assert.match(answer.outcome.detail, /begin again without 'after'/);
  assert.equal(answer.outcome.zxid, scene.tree.applied);
  assert.deepEqual([scene.feeds.size, scene.reads.waiting], [1, 0]);
});

test("a cursor that nobody can have been given here is refused as soon as that is confirmed", () => {
  const scene = new Scene();
  const { applied } = scene.tree;
  scene.watch(applied + 1000);
  assert.deepEqual([scene.said(), scene.confirmations.length], [[], 1], "it may be this replica that is behind");
  scene.confirm(undefined);
  assert.deepEqual(scene.said(), [], "and without a leader nobody knows");
  scene.reads.tick();
  scene.reads.tick();
  assert.equal(scene.confirmations.length, 1, "one at a time");
  scene.confirm(applied + 999);
  const [answer, ...rest] = scene.stream.taken();
  assert.ok(answer?.kind === "answer" && !answer.outcome.ok && rest.length === 0);
  assert.deepEqual([answer.outcome.code, answer.outcome.zxid], ["cursorOfAnotherHistory", applied]);
  assert.match(answer.outcome.detail, /ahead of everything committed here.* begin again without 'after'/);
  scene.state.now = 10_000;
  scene.reads.tick();
  assert.deepEqual([scene.said(), scene.reads.waiting], [[], 0]);
});

test("a cursor that is confirmed waits for its replica, and one that is reached meanwhile is answered once", () => {
  const scene = new Scene();
  const { applied } = scene.tree;
  scene.watch(applied + 1);
  scene.confirm(applied + 1);
  assert.deepEqual(scene.said(), []);
  scene.write(set("/a"));
  scene.advanced();
  scene.turn();
  assert.deepEqual(scene.said(), ["watched 0+0"]);
  scene.watch(applied + 2);
  scene.write(set("/a"));
  scene.advanced();
  scene.turn();
  scene.confirm(applied);
  assert.deepEqual([scene.said(), scene.reads.waiting], [["feed 1", "watched 0+0"], 0]);
});

test("a session that is not known here yet is asked for by a confirmation, not refused", () => {
  const scene = new Scene();
  const { applied } = scene.tree;
  const early: Acting = { session: (applied + 1) as number as SessionId, secretHash: new Uint8Array(32) };
  scene.watch(applied, "session", { acting: early });
  scene.watch(applied, "session", { acting: { ...early, session: (applied + 9) as SessionId } });
  scene.turn();
  assert.deepEqual(scene.said(), []);
  assert.equal(scene.openSession().session, early.session);
  scene.confirm(scene.tree.applied);
  scene.turn();
  assert.deepEqual(scene.said(), ["watched 0+0", "badArguments"]);
});

test("a replica that does not serve answers no watch; one that was waiting goes on when it serves again", () => {
  const scene = new Scene();
  scene.state.serves = false;
  scene.watch(scene.tree.applied);
  scene.turn();
  assert.deepEqual([scene.said(), scene.feeds.size], [[], 0]);
  scene.state.serves = true;
  scene.reads.tick();
  scene.state.serves = false;
  scene.turn();
  assert.deepEqual([scene.said(), scene.feeds.size], [[], 0], "its turn came too late");
  scene.state.serves = true;
  scene.reads.tick();
  scene.turn();
  assert.deepEqual([scene.said(), scene.feeds.size], [["watched 0+0"], 1]);
});

test("no turn answers more watches than a slice holds, and each gets its feed from its own answer on", () => {
  const scene = new Scene();
  const { applied } = scene.tree;
  const streams = Array.from({ length: 5 }, () => new TestStream());
  scene.state.tickOnNow = 3;
  for (const stream of streams) scene.watch(applied, "session", { stream });
  assert.equal(scene.reads.waiting, 5);
  scene.turn();
  assert.deepEqual(
    streams.map((each) => scene.said(each).length),
    [1, 1, 0, 0, 0],
  );
  scene.write(set("/a"));
  scene.turn();
  scene.turn();
  assert.deepEqual(
    streams.map((each) => scene.said(each)),
    [["feed 1"], ["feed 1"], ["watched 0+1"], ["watched 0+1"], ["watched 0+1"]],
  );
  assert.deepEqual([scene.reads.waiting, scene.turns.length], [0, 0]);
});

test("a stream that is closed gets no feed, wherever its watch waited", () => {
  const scene = new Scene();
  const { applied } = scene.tree;
  scene.watch(applied);
  scene.watch(undefined, "linearizable");
  scene.watch(applied + 1);
  scene.get("linearizable", {});
  scene.reads.closed(scene.stream);
  scene.confirm(applied);
  scene.write(set("/a"));
  scene.advanced();
  scene.turn();
  assert.deepEqual([scene.said(), scene.feeds.size, scene.reads.waiting], [[], 0, 0]);
});

test("a read behind a lane's write waits for it, however it is read", () => {
  const scene = new Scene();
  const { lane: session } = scene;
  const done = scene.tree.lane(session)?.lastSequence ?? 0;
  for (const consistency of ["session", "stale", "linearizable"] as const) {
    scene.get(consistency, { behind: { session, sequence: done } });
    scene.get(consistency, { behind: { session, sequence: done + 2 } });
  }
  assert.deepEqual(scene.said(), ["data", "data"]);
  scene.confirm(scene.tree.applied);
  assert.deepEqual(scene.said(), ["data"], "the confirmation alone is not enough");
  scene.write(set("/a"));
  scene.advanced();
  scene.reads.tick();
  assert.deepEqual(scene.said(), []);
  scene.write(set("/a"));
  scene.advanced();
  assert.deepEqual(scene.said(), ["data", "data", "data"]);
  scene.get("linearizable", { behind: { session, sequence: done + 3 } });
  scene.write(set("/a"));
  scene.advanced();
  assert.deepEqual(scene.said(), [], "nor is the write");
  scene.confirm(scene.tree.applied);
  assert.deepEqual(scene.said(), ["data"]);
});

test("a read behind the write of a session that is over need not wait; one of a session to come does", () => {
  const scene = new Scene();
  const acting = scene.openSession();
  scene.close(acting);
  scene.get("session", { behind: { session: acting.session, sequence: 7 } });
  assert.deepEqual(scene.said(), ["data"]);
  const next = (scene.tree.applied + 1) as number as SessionId;
  scene.get("session", { behind: { session: next, sequence: 1 } });
  scene.openSession();
  scene.advanced();
  assert.deepEqual(scene.said(), []);
  scene.state.now += 1000;
  scene.reads.tick();
  assert.deepEqual(scene.said(), ["behind"]);
});
