/** Those who follow paths, in the hub, against a scripted replica. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { asZxid, openAcl, type Path, type SessionId, type WatchScope } from "@quorate/api";
import { linkLimits } from "../limits.ts";
import { friendsOnly } from "../model-history.test-support.ts";
import { unavailable } from "../stream.ts";
import { a, ab, change, Listener, root, Scene, stream } from "./hub-scene.test-support.ts";

const b = "/b" as Path;
const five = 5 as SessionId;

it("asks with its first path how far the tree is; others take their places in the feed without a question", () => {
  const scene = new Scene();
  const one = scene.follow();
  scene.watches.pump();
  assert.deepEqual([scene.questions.length, one.following.cursor], [0, 0], "who follows nothing asks nothing");
  one.following.add("node", a);
  scene.watches.pump();
  one.following.add("node", b);
  const question = scene.take();
  assert.equal(question.words, "raw, where, from 0");
  assert.equal(question.request.acting, undefined, "it is asked for all of them");
  scene.feed(9, [change(9, "changed", a)]);
  question.tell(10);
  assert.deepEqual([one.following.cursor, one.notes.take()], [10, []]);
  const two = scene.follow(6);
  two.following.add("children", a);
  assert.equal(two.following.cursor, 10);
  scene.watches.pump();
  assert.equal(scene.questions.length, 0);
  scene.feed(12, [change(11, "changed", b), change(12, "created", ab)]);
  assert.deepEqual([one.notes.take(), two.notes.take()], [["changed /b"], ["created /a/b"]]);
  assert.deepEqual([one.following.cursor, two.following.cursor], [12, 12]);
  assert.deepEqual([scene.watches.followers, scene.watches.followedPaths, scene.watches.size], [2, 3, 0]);
});

it("tells what meets the scopes, each change once, in order, with the lists, whoever may read it", () => {
  const scene = new Scene();
  const { notes } = scene.followed({ node: [a, ab], children: [root, a], subtree: [b] });
  const alone = scene.followed({ node: [ab] }, 6).notes;
  const other = scene.followed({ node: [ab] }, 7).notes;
  const acls = [openAcl, friendsOnly];
  scene.feed(
    15,
    [
      change(11, "changed", a, 1),
      change(11, "changed", root),
      change(12, "acl", a, 1),
      change(13, "created", ab, 1, 1),
      change(13, "changed", "/c" as Path),
      change(14, "deleted", "/c" as Path),
      change(15, "created", "/b/c/d" as Path),
    ],
    acls,
  );
  assert.deepEqual(notes.take(), ["changed /a, created /a/b, deleted /c, created /b/c/d"]);
  assert.deepEqual(notes.lists[0], acls);
  assert.deepEqual([alone.take(), alone.told[0]?.length], [["created /a/b"], 1]);
  assert.equal(alone.told[0], other.told[0], "the array of a lone one is shared");
  assert.equal(notes.told[0]?.[1], alone.told[0]?.[0], "and so are the changes");
  scene.feed(16, [change(16, "changed", "/c" as Path), change(16, "created", a)]);
  assert.deepEqual([notes.take(), alone.take()], [["created /a"], []]);
});

it("adds and removes without a question while the feed goes on", () => {
  const scene = new Scene();
  const { notes, following } = scene.followed({ node: [a] });
  scene.feed(11, [change(11, "changed", b)]);
  following.add("node", b);
  following.add("node", b);
  following.remove("node", a);
  following.remove("node", "/never" as Path);
  scene.feed(13, [change(12, "changed", b), change(13, "changed", a)]);
  following.add("children", b);
  following.remove("node", b);
  scene.feed(15, [change(14, "changed", b), change(15, "created", "/b/x" as Path)]);
  scene.watches.pump();
  assert.deepEqual([notes.take(), scene.questions.length], [["changed /b", "created /b/x"], 0]);
  assert.equal(scene.watches.followedPaths, 1);
  following.close();
  following.add("node", a);
  scene.feed(16, [change(16, "created", "/b/x" as Path), change(16, "changed", a)]);
  assert.deepEqual([notes.take(), scene.watches.followers, scene.watches.followedPaths], [[], 0, 0]);
});

it("asks behind its cursor when the feed breaks; a path that comes meanwhile is followed from the answer on", () => {
  const scene = new Scene();
  const told = (zxid: number): boolean => scene.watches.told(five, asZxid(zxid), undefined);
  const { notes, following } = scene.followed({ node: [a], children: [a] });
  scene.feed(15, []);
  scene.watches.feedBroken(scene.first);
  scene.feed(17, [change(17, "changed", a)]);
  scene.watches.pump();
  const first = scene.take();
  assert.equal(first.words, "raw, after 15, node /a, children /a");
  assert.ok(told(15) && !told(16));
  following.remove("children", a);
  following.add("node", a);
  assert.ok(told(15));
  following.add("node", b);
  assert.ok(!told(15), "what it shows could be older than what is followed");
  first.tell(17, [change(17, "changed", a)], true);
  assert.deepEqual([notes.take(), following.cursor, scene.watches.floor(five)], [["changed /a"], 17, 17]);
  assert.ok(told(17) && !told(18));
  scene.feed(19, [change(19, "changed", b)]);
  assert.deepEqual(notes.take(), [], "there is more: it is not joined");
  scene.watches.pump();
  const second = scene.take();
  assert.equal(second.words, "raw, after 17, node /a, node /b");
  following.remove("node", a);
  second.tell(19, [change(18, "changed", a), change(19, "changed", b)]);
  scene.feed(20, [change(20, "deleted", b), change(20, "changed", a)]);
  assert.deepEqual([notes.take(), following.cursor], [["changed /b", "deleted /b"], 20]);
});

it("follows from where the tree is, at least from where it stood, when it had nothing to ask for", () => {
  const scene = new Scene();
  const { notes, following } = scene.followed({ node: [a] });
  following.remove("node", a);
  scene.feed(15, []);
  scene.home = stream(2);
  scene.watches.moved(scene.home);
  scene.watches.pump();
  assert.deepEqual([scene.questions.length, following.cursor], [0, 15]);
  // Another one joined where the new home was behind.
  const watching = scene.joined({ node: [b] });
  following.add("node", a);
  scene.watches.pump();
  const question = scene.take();
  assert.equal(question.words, "raw, where, from 15");
  scene.feed(16, [change(16, "changed", a)]);
  question.tell(16);
  scene.feed(17, [change(17, "changed", a)]);
  assert.deepEqual([notes.take(), following.cursor], [["changed /a"], 17]);
  assert.equal(watching.watching.cursor.zxid, 17);
  scene.watches.feedBroken(scene.first);
  const late = scene.follow(6);
  late.following.add("node", b);
  scene.watches.pump();
  assert.deepEqual(scene.questions.map(({ words }) => words).sort(), [
    ", after 17, node /b",
    "raw, after 17, node /b, node /a",
  ]);
});

it("asks once for all, and each is told its own", () => {
  const scene = new Scene();
  const many = 3 * linkLimits.watchQuestions;
  const all = Array.from({ length: many }, (_, each) => scene.follow(each));
  for (const [each, { following }] of all.entries()) following.add("node", each % 2 === 0 ? a : (`/${each}` as Path));
  scene.watches.pump();
  assert.equal(scene.questions.length, 1);
  scene.take().tell(10);
  const idle = scene.follow(many);
  scene.feed(11, [change(11, "created", a)]);
  for (const [each, { notes }] of all.entries()) assert.deepEqual(notes.take(), each % 2 === 0 ? ["created /a"] : []);
  scene.watches.feedBroken(scene.first);
  const late = scene.follow(many + 1);
  late.following.add("children", root);
  scene.watches.pump();
  const [question] = scene.questions;
  assert.equal(scene.questions.length, 1);
  assert.match(scene.take().words, /^raw, after 11, node \/a, (node \/\d+, )+children \/$/);
  question?.tell(14, [change(12, "deleted", a), change(14, "created", "/7" as Path)], true);
  assert.equal(all[2]?.notes.told[1], all[4]?.notes.told[1], "the array of a lone one is shared");
  assert.deepEqual([all[2]?.notes.take(), all[7]?.notes.take()], [["deleted /a"], ["created /7"]]);
  assert.deepEqual([all[3]?.notes.calls, late.notes.take()], [[], ["deleted /a, created /7"]]);
  scene.watches.pump();
  scene.take().fail("cursorTooOld");
  for (const { notes } of [...all, late]) assert.equal(notes.end?.code, "cursorTooOld");
  assert.deepEqual([idle.notes.calls, scene.watches.followers, idle.following.cursor], [[], 1, 14]);
  idle.following.add("node", a);
  scene.watches.pump();
  assert.equal(scene.take().words, "raw, where, from 14");
});

it("asks for all changes where it follows much, and picks its own", () => {
  const scene = new Scene();
  const paths = Array.from({ length: 100 }, (_, each) => `/${each}${"x".repeat(3000)}` as Path);
  const { notes, following } = scene.followed({ node: paths });
  scene.watches.feedBroken(scene.first);
  scene.watches.pump();
  const first = scene.take();
  assert.equal(first.words, "raw, after 10, subtree /");
  following.add("children", b);
  following.add("subtree", a);
  const below = ["/a/b", "/b/c", "/b/c/d", "/c", "/ab"] as Path[];
  first.tell(13, [
    change(11, "changed", paths[7] as Path),
    change(11, "changed", root),
    ...below.map((path) => change(12, "created", path)),
    change(13, "changed", "/b/c" as Path),
    change(13, "deleted", a),
  ]);
  const [told = ""] = notes.take();
  assert.deepEqual(told.split(", ").slice(1), ["created /a/b", "created /b/c", "deleted /a"]);
  scene.feed(14, [change(14, "deleted", "/b/c" as Path)]);
  assert.deepEqual(notes.take(), ["deleted /b/c"]);
  for (const path of paths.slice(5)) following.remove("node", path);
  scene.watches.feedBroken(scene.first);
  scene.watches.pump();
  assert.match(scene.take().words, /^raw, after 14, node [^,]+,.* children \/b, subtree \/a$/);
});

it("keeps its session's answers waiting until what they show is told, or what follows them will be", () => {
  const scene = new Scene();
  const { watches } = scene;
  const told = (zxid: number, from = scene.home): boolean => watches.told(five, asZxid(zxid), from);
  const { following, notes } = scene.follow();
  assert.deepEqual([told(1), watches.floor(five)], [true, 0], "it follows nothing");
  following.add("node", a);
  assert.equal(told(1), false, "it does not know from where");
  watches.pump();
  scene.take().tell(10);
  assert.deepEqual(scene.waited.splice(0), [five]);
  assert.deepEqual([told(11), told(10, stream(2)), told(11, stream(2))], [true, true, false]);
  assert.equal(watches.floor(five), 10);
  scene.feed(12, [change(12, "changed", a)]);
  assert.deepEqual([scene.waited.splice(0), watches.floor(five)], [[five], 12]);
  notes.on = () => assert.deepEqual([told(13), watches.floor(five)], [true, 13]);
  // Whoever is told before it may look.
  const early = scene.followed({ node: [a] }, 6);
  early.notes.on = () => void scene.waited.push((told(13) ? 1 : 0) as SessionId);
  following.remove("node", a);
  following.add("node", a);
  scene.feed(13, [change(13, "changed", a)]);
  assert.deepEqual(scene.waited.splice(0), [0, five]);
  early.following.close();
  const former = scene.first;
  scene.home = stream(2);
  watches.moved(scene.home);
  assert.deepEqual([told(13), told(14), told(14, former), watches.floor(five)], [true, false, false, 13]);
  following.remove("node", a);
  assert.deepEqual([scene.waited.splice(0), told(14)], [[five], true], "there is nothing to tell any more");
});

it("ends before the answers are told that waited for what it follows", () => {
  for (const open of [
    (scene: Scene) => scene.followed({ node: [a] }).notes,
    (scene: Scene) => scene.joined({ node: [a] }, { session: 5 }).listener,
  ]) {
    const scene = new Scene();
    const listener = open(scene);
    scene.watches.feedBroken(scene.first);
    assert.ok(!scene.watches.told(five, asZxid(11), scene.home));
    listener.on = () => assert.deepEqual(scene.waited, []);
    scene.watches.pump();
    scene.take().fail("cursorTooOld");
    assert.deepEqual([listener.take(), scene.waited, scene.logged], [["cursorTooOld"], [five], []]);
  }
});

it("ends with its session, when changes are lost, when the gateway stops, and not before that is told", async () => {
  const scene = new Scene();
  const one = scene.followed({ node: [a] });
  scene.feed(11, [change(11, "deleted", a)], [openAcl], [5]);
  assert.deepEqual(one.notes.take(), ["deleted /a", "sessionExpired"]);
  assert.deepEqual([one.notes.end?.zxid, scene.watches.followedPaths], [11, 0]);
  const two = scene.followed({ node: [a] });
  scene.watches.feedBroken(scene.first);
  scene.watches.pump();
  scene.take().say(unavailable("noLeader", "noEffect", "not now"));
  scene.watches.pump();
  assert.equal(scene.questions.length, 0, "not at once");
  await scene.world.run(linkLimits.retryMaxMillis);
  scene.watches.pump();
  scene.take().fail("cursorTooOld");
  assert.deepEqual([two.notes.take(), scene.watches.followers], [["cursorTooOld"], 0]);
  const three = scene.followed({ node: [a] });
  const idle = scene.follow(6);
  scene.watches.stop();
  assert.deepEqual([three.notes.take(), idle.notes.take()], [["noLeader"], ["noLeader"]]);
  const late = scene.follow();
  late.following.add("node", a);
  assert.deepEqual(late.notes.calls, []);
  await scene.world.run(1);
  assert.deepEqual([late.notes.take(), scene.watches.followedPaths], [["noLeader"], 0]);
  const gone = scene.follow();
  gone.following.close();
  await scene.world.run(1);
  assert.deepEqual(gone.notes.calls, []);
});

it("ends who follows too much, a little later, and keeps none of it", async () => {
  const scene = new Scene();
  const { sessionFollowed, sessionFollowedBytes, followedBytes } = linkLimits;
  const { notes, following } = scene.followed({ node: [a] });
  for (let each = 1; each < sessionFollowed; each += 1) following.add("node", `/${each}` as Path);
  await scene.world.run(1);
  assert.deepEqual([notes.calls, scene.watches.followedPaths], [[], sessionFollowed]);
  following.add("node", "/one" as Path);
  assert.equal(scene.watches.told(five, asZxid(1), scene.home), false, "nothing more is answered");
  following.add("node", "/more" as Path);
  assert.deepEqual(notes.calls, []);
  await scene.world.run(1);
  assert.deepEqual([notes.take(), notes.end?.code, scene.watches.followedPaths], [["throttled"], "throttled", 0]);
  assert.match(notes.end?.detail ?? "", /^this session watches 200000 paths/);
  const paths = Array.from({ length: sessionFollowedBytes / 4096 }, (_, each) => {
    return `/${String(each).padEnd(4091, "x")}` as Path;
  });
  const all = Array.from({ length: followedBytes / sessionFollowedBytes }, (_, each) => scene.follow(each + 1));
  for (const each of all) for (const path of paths) each.following.add("node", path);
  await scene.world.run(1);
  assert.deepEqual(new Set(all.map((each) => each.notes.end?.code)), new Set([undefined]));
  const last = scene.follow(99);
  last.following.add("node", a);
  all[0]?.following.add("children", a);
  await scene.world.run(1);
  assert.match(last.notes.end?.detail ?? "", /^the sessions of this gateway watch \d+ paths/);
  assert.match(all[0]?.notes.end?.detail ?? "", /^this session watches 8192 paths/);
  assert.deepEqual(all[1]?.notes.calls, []);
});

it("lets its listeners add, remove, close and throw while they are told", () => {
  const scene = new Scene();
  const one = scene.followed({ node: [a] });
  const closed = scene.followed({ node: [a] }, 6);
  const two = scene.followed({ node: [a] }, 7);
  const bad = scene.followed({ node: [a] }, 8);
  const moves: readonly [WatchScope, Path][] = [
    ["node", b],
    ["subtree", root],
  ];
  one.notes.on = () => {
    for (const [scope, path] of moves) one.following.add(scope, path);
    one.following.remove("node", a);
    closed.following.close();
    two.following.add("node", b);
  };
  two.notes.on = () => two.following.close();
  bad.notes.on = () => {
    throw new Error("a door's fault");
  };
  scene.feed(12, [change(11, "changed", a), change(12, "changed", b)]);
  assert.deepEqual([one.notes.take(), closed.notes.calls, two.notes.take()], [["changed /a"], [], ["changed /a"]]);
  assert.deepEqual([bad.notes.take(), scene.logged.length], [["changed /a", "internal"], 2]);
  scene.feed(13, [change(13, "changed", b)]);
  assert.deepEqual([one.notes.take(), two.notes.calls, scene.watches.followers], [["changed /b"], [], 1]);
  // As above, of an answer.
  scene.watches.feedBroken(scene.first);
  scene.watches.pump();
  one.notes.on = () => one.following.add("node", ab);
  scene.take().tell(15, [change(14, "changed", b), change(15, "created", ab)]);
  one.following.remove("subtree", root);
  scene.feed(16, [change(16, "changed", ab), change(16, "changed", a)]);
  assert.deepEqual(one.notes.take(), ["changed /b, created /a/b", "changed /a/b"]);
});

it("has the feed turned off while nothing is followed, and on again", () => {
  const scene = new Scene();
  const { following, notes } = scene.followed({ node: [a] });
  const start = scene.world.now();
  scene.watches.check(start + 2 * linkLimits.unwatchMillis);
  following.remove("node", a);
  scene.watches.check(start + linkLimits.unwatchMillis - 1);
  assert.deepEqual(scene.unwatched, []);
  scene.watches.check(start + linkLimits.unwatchMillis);
  assert.deepEqual(scene.unwatched, [scene.home]);
  scene.feed(12, [change(12, "changed", a)]);
  following.add("node", a);
  scene.watches.pump();
  const question = scene.take();
  assert.equal(question.words, "raw, where, from 10");
  scene.watches.check(start + 3 * linkLimits.unwatchMillis);
  following.remove("node", a);
  scene.watches.check(start + 4 * linkLimits.unwatchMillis);
  assert.equal(scene.unwatched.length, 1, "not while it is asked for: the answer may be joined");
  following.add("node", a);
  question.tell(13);
  scene.feed(14, [change(14, "changed", a)]);
  assert.deepEqual(notes.take(), ["changed /a"]);
});

it("has watches and sessions that follow beside each other", () => {
  const scene = new Scene();
  const { notes } = scene.followed({ node: [a] });
  const listener = new Listener();
  scene.open({ node: [a] }, listener, { session: 5 });
  scene.take().answer(10);
  scene.feed(12, [change(11, "changed", a), change(12, "acl", a, 1)]);
  assert.deepEqual([notes.take(), listener.take()], [["changed /a"], ["opened", "changed /a", "noAuth"]]);
});
