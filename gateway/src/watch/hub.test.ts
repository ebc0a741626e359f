/** The hub by itself, against a scripted replica: what is asked is answered when the test says so. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { asZxid, type FeedChange, openAcl, type Path, type WatchEvent, type WatchScopes } from "@quorate/api";
import { linkLimits } from "../limits.ts";
import { friend, friendsOnly } from "../model-history.test-support.ts";
import { unavailable } from "../stream.ts";
import { a, ab, change, Listener, root, Scene, stream } from "./hub-scene.test-support.ts";

it("opens with the state, then tells whole messages of the feed, each event once", () => {
  const scene = new Scene();
  const { listener, watching } = scene.joined({ node: [a, a, ab], children: [a], subtree: [root] });
  scene.feed(12, [change(11, "changed", a), change(12, "created", ab)]);
  assert.deepEqual(listener.take(), ["changed /a, created /a/b"]);
  assert.deepEqual(watching.cursor, { zxid: 12, history: "4a91e37371a4b3c6" });
  scene.feed(20, []);
  assert.equal(watching.cursor.zxid, 20, "the cursor moves on also when nothing matches");
  assert.deepEqual(listener.take(), []);
});

it("behind a cursor tells once also when there is nothing, and asks on while there is more", async () => {
  const scene = new Scene();
  const listener = new Listener();
  const watching = scene.open({ node: [a] }, listener, { after: 3 });
  const first = scene.take();
  assert.equal(first.request.operation.kind === "watch" && first.request.operation.after, 3);
  first.answer(5, [], true);
  assert.deepEqual(listener.take(), ["opened", " …"]);
  scene.feed(6, [change(6, "changed", a)]);
  assert.deepEqual(listener.take(), [], "not joined: the next answer has it");
  scene.watches.pump();
  const second = scene.take();
  assert.deepEqual(second.request.operation, {
    kind: "watch",
    scopes: { node: [a], children: [], subtree: [] },
    after: 5,
    history: "4a91e37371a4b3c6",
  });
  second.answer(6, [change(6, "changed", a) as WatchEvent]);
  assert.deepEqual(listener.take(), ["changed /a"]);
  scene.feed(7, [change(7, "deleted", a)]);
  assert.deepEqual(listener.take(), ["deleted /a"]);
  assert.equal(watching.cursor.zxid, 7);
  const other = new Listener();
  scene.open({ node: [a] }, other, { after: 7 });
  scene.take().answer(7);
  assert.deepEqual(other.take(), ["opened", ""]);
});

it("shares the events, and the array of a lone one", () => {
  const scene = new Scene();
  const one = scene.joined({ node: [a] });
  const two = scene.joined({ subtree: [root] });
  scene.feed(11, [change(11, "changed", a)]);
  assert.equal(one.listener.events_[0], two.listener.events_[0]);
  scene.feed(13, [change(12, "changed", a), change(13, "changed", ab)]);
  assert.equal(one.listener.events_[1]?.[0], two.listener.events_[1]?.[0]);
  assert.deepEqual(one.listener.events_[1]?.length, 1);
  assert.deepEqual(two.listener.events_[1]?.length, 2);
});

it("judges an access control list once for each identity and message", () => {
  const scene = new Scene();
  let judged = 0;
  const acl = new Proxy(friendsOnly, {
    get: (target, key) => {
      if (key === Symbol.iterator) judged += 1;
      return Reflect.get(target, key) as unknown;
    },
  });
  const watchers = Array.from({ length: 100 }, (_, each) =>
    // Equal identities, of which each request has its own.
    scene.joined({ subtree: [root] }, { identity: each % 2 === 0 ? { ids: [], superUser: false } : { ...friend } }),
  );
  scene.feed(12, [change(11, "changed", a, 0), change(12, "changed", ab, 0)], [acl]);
  assert.equal(judged, 2);
  for (const [each, { listener }] of watchers.entries()) {
    assert.deepEqual(listener.take(), each % 2 === 0 ? [] : ["changed /a, changed /a/b"]);
  }
  scene.feed(13, [change(13, "changed", a, 0)], [acl]);
  assert.equal(judged, 4, "another message has other lists");
});

it("ends a watch whose named path may not be read any more, before that transaction", () => {
  const cases: [Partial<WatchScopes>, FeedChange, string][] = [
    [{ node: [a] }, change(12, "acl", a, 1), "/a"],
    [{ subtree: [a] }, change(12, "created", a, 1), "/a"],
    [{ children: [a], node: [root] }, change(12, "acl", a, 1), "/a"],
    [{ children: [a] }, change(12, "deleted", ab, 0, 1), "/a"],
    [{ children: [root] }, change(12, "created", a, 0, 1), "/"],
  ];
  for (const [scopes, last, path] of cases) {
    const scene = new Scene();
    const watched = { subtree: [], ...scopes, node: [...(scopes.node ?? []), "/x" as Path, "/y" as Path] };
    const { listener, watching } = scene.joined(watched);
    const allowed = scene.joined(watched, { identity: friend });
    scene.feed(14, [
      change(11, "changed", "/x" as Path),
      change(12, "changed", "/y" as Path),
      last,
      change(13, "changed", "/x" as Path),
    ]);
    assert.deepEqual(listener.take(), ["changed /x", "noAuth"]);
    assert.ok(listener.end?.detail.includes(`${path} `), listener.end?.detail);
    assert.equal(watching.cursor.zxid, 11);
    assert.equal(allowed.listener.take().length, 1);
    assert.equal(scene.watches.size, 1);
  }
});

it("leaves out below a subtree what may not be read", () => {
  const scene = new Scene();
  const { listener } = scene.joined({ subtree: [root] });
  scene.feed(13, [change(11, "created", a, 1), change(12, "acl", ab, 1), change(13, "changed", ab, 0)]);
  assert.deepEqual(listener.take(), ["changed /a/b"]);
});

it("ends with their session all that act for it", () => {
  const scene = new Scene();
  const { listener } = scene.joined({ node: [a] }, { session: 5 });
  const other = scene.joined({ node: [a] }, { session: 6 });
  const opening = new Listener();
  scene.open({ node: [a] }, opening, { session: 5 });
  scene.feed(11, [change(11, "deleted", a)], [openAcl], [5]);
  assert.deepEqual(listener.take(), ["deleted /a", "sessionExpired"]);
  assert.deepEqual(opening.take(), ["sessionExpired"]);
  assert.deepEqual(other.listener.take(), ["deleted /a"]);
  assert.equal(scene.questions.length, 0, "its question is given up");
});

it("asks again, some at a time, when the feed is broken or the home moves", () => {
  const scene = new Scene();
  const many = linkLimits.watchQuestions * 3;
  const watchers = Array.from({ length: many }, () => scene.joined({ node: [a] }));
  scene.feed(15, []);
  scene.watches.feedBroken(scene.first);
  scene.feed(17, [change(17, "changed", a)]);
  scene.watches.pump();
  assert.equal(scene.questions.length, linkLimits.watchQuestions);
  scene.home = stream(2);
  scene.watches.moved(scene.home);
  let asked = 0;
  while (scene.questions.length > 0) {
    const question = scene.take();
    const { operation } = question.request;
    assert.ok(operation.kind === "watch");
    // The first of these are the former home's: told, and asked again.
    if (operation.after === 15) question.answer(17, [change(17, "changed", a) as WatchEvent]);
    else question.answer(17);
    asked += 1;
    scene.watches.pump();
    assert.ok(scene.questions.length <= linkLimits.watchQuestions);
  }
  assert.equal(asked, many + linkLimits.watchQuestions);
  assert.equal(scene.watches.joined, many);
  for (const { listener } of watchers) assert.deepEqual(listener.take(), ["changed /a"]);
});

it("joins only where nothing can be missing", () => {
  const scene = new Scene();
  const { listener } = scene.joined({ node: [a] });
  scene.feed(15, []);
  const early = new Listener();
  scene.open({ node: [a] }, early);
  scene.take().answer(12);
  const stale = new Listener();
  scene.open({ node: [a] }, stale, { stale: true });
  scene.take().answer(15);
  scene.feed(16, [change(16, "changed", a)]);
  assert.deepEqual(listener.take(), ["changed /a"]);
  assert.deepEqual([early.take(), stale.take()], [["opened"], ["opened"]]);
  assert.equal(scene.watches.joined, 1);
  scene.watches.pump();
  for (const behind of [12, 15]) {
    const question = scene.take();
    assert.ok(question.request.operation.kind === "watch" && question.request.operation.after === behind);
    assert.equal(question.request.consistency, "session");
    question.answer(16, [change(16, "changed", a) as WatchEvent]);
  }
  assert.equal(scene.watches.joined, 3);
});

it("goes on for ever once it is open, and gives up in time before", async () => {
  const scene = new Scene();
  const early = new Listener();
  scene.open({ node: [a] }, early);
  scene.take().say(unavailable("behind", "noEffect", "not yet", 700));
  assert.deepEqual(early.end, { code: "behind", detail: "not yet", retryAfterMillis: 700 });
  const { listener, watching } = scene.joined({ node: [a] });
  scene.watches.feedBroken(scene.first);
  for (const code of ["noLeader", "behind", "throttled", "noLeader"] as const) {
    scene.watches.pump();
    scene.take().say(unavailable(code, "noEffect", "not now"));
    scene.watches.pump();
    assert.equal(scene.questions.length, 0, "not at once");
    await scene.world.run(linkLimits.retryMaxMillis);
  }
  assert.deepEqual(listener.take(), []);
  assert.equal(watching.cursor.zxid, 10);
  scene.watches.pump();
  scene.take().fail("cursorTooOld");
  const { end } = listener;
  assert.deepEqual([end?.code, end?.detail, end?.servedBy], ["cursorTooOld", "it is cursorTooOld", 1]);
  assert.equal(end?.zxid, 1, "of the state that was judged");
  assert.equal(scene.watches.size, 0);
});

it("survives listeners that throw, and that close what they are told of", () => {
  const scene = new Scene();
  const bad = scene.joined({ node: [a] });
  const closer = scene.joined({ node: [a] });
  const good = scene.joined({ node: [a] });
  bad.listener.on = () => {
    throw new Error("a door's fault");
  };
  closer.listener.on = () => {
    closer.watching.close();
    good.watching.close();
  };
  scene.feed(11, [change(11, "changed", a)]);
  assert.deepEqual(bad.listener.calls, ["changed /a", "internal"]);
  assert.deepEqual(closer.listener.calls, ["changed /a"]);
  assert.deepEqual(good.listener.calls, [], "nothing behind its close");
  assert.equal(good.watching.cursor.zxid, 10, "and it was not told");
  assert.equal(scene.logged.length, 2);
  assert.equal(scene.watches.size, 0);
});

it("turns a feed off that nobody listens to", () => {
  const scene = new Scene();
  const { watching } = scene.joined({ node: [a] });
  const other = stream(2);
  const feed = { kind: "feed", through: asZxid(11), changes: [], acls: [], ended: [] } as const;
  scene.watches.feed(other, feed);
  scene.watches.feed(other, feed);
  assert.deepEqual(scene.unwatched.splice(0), [other], "of who is not the home, at once and once");
  // Without a home it may be the home again in a moment, with questions on the way.
  const former = scene.first;
  scene.home = undefined;
  scene.watches.moved(undefined);
  scene.watches.feed(former, feed);
  scene.watches.feed(stream(3), feed);
  assert.deepEqual(scene.unwatched, []);
  scene.home = former;
  scene.watches.moved(former);
  scene.watches.pump();
  scene.take().answer(11);
  const start = scene.world.now();
  scene.watches.check(start + 10 * linkLimits.unwatchMillis);
  watching.close();
  scene.watches.check(start + linkLimits.unwatchMillis - 1);
  assert.deepEqual(scene.unwatched, []);
  scene.watches.check(start + linkLimits.unwatchMillis);
  scene.watches.check(start + 2 * linkLimits.unwatchMillis);
  assert.deepEqual(scene.unwatched, [scene.home]);
});

it("refuses more than it may have, and all when it stops, never before the return", async () => {
  const scene = new Scene();
  const listener = new Listener();
  for (let each = 0; each < linkLimits.watchers; each += 1) scene.open({ node: [a] }, listener);
  const refused = new Listener();
  scene.open({ node: [a] }, refused);
  assert.deepEqual(refused.calls, []);
  await scene.world.run(1);
  assert.equal(refused.end?.code, "throttled");
  scene.questions.length = 0;
  scene.watches.stop();
  assert.deepEqual(new Set(listener.calls), new Set(["noLeader"]));
  assert.equal(listener.calls.length, linkLimits.watchers);
  assert.equal(listener.end?.detail, "this gateway is stopping");
  const late = new Listener();
  scene.open({ node: [a] }, late);
  assert.deepEqual(late.calls, []);
  await scene.world.run(1);
  assert.deepEqual(late.calls, ["noLeader"]);
});
