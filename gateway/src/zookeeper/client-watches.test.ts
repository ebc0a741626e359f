import assert from "node:assert/strict";
import { test } from "node:test";
import type { Path, Zxid } from "@quorate/api";
import { changeOf, WatchesScene } from "./watches-scene.test-support.ts";

const armed = (op: "exists" | "getData" | "getChildren", path: string): WatchesScene => {
  const scene = new WatchesScene();
  const xid = scene.watch(op, path);
  scene.answer(xid, 10, op === "exists" ? -101 : 0);
  scene.turn();
  return scene;
};

test("an armed watch tells the change, once, and is followed no more", () => {
  const scene = armed("getData", "/a");
  assert.deepEqual(scene.followed, ["node /a"]);
  scene.change(11, "changed", "/a");
  scene.change(12, "changed", "/a");
  assert.deepEqual(scene.turn(), ["changed /a @11"]);
  assert.deepEqual(scene.followed, []);
  assert.equal(scene.watches.count, 0);
});

test("each op sets what ZooKeeper sets, and drops it on the codes by which ZooKeeper does", () => {
  const rows = [
    ["exists", 0, true],
    ["exists", -101, true],
    ["exists", -102, false],
    ["getData", 0, true],
    ["getData", -101, false],
    ["getData", -102, false],
    ["getChildren", 0, true],
    ["getChildren", -101, false],
  ] as const;
  for (const [op, code, sets] of rows) {
    const scene = new WatchesScene();
    const xid = scene.watch(op, "/a");
    const scopes = op === "getChildren" ? ["children /a", "node /a"] : ["node /a"];
    assert.deepEqual(scene.followed, scopes, "it is followed before it is read");
    scene.answer(xid, 10, code);
    assert.deepEqual(scene.followed, sets ? scopes : [], `${op} ${code}`);
    scene.change(11, "deleted", "/a");
    assert.deepEqual(scene.turn().slice(1), sets ? ["deleted /a @11"] : [], `${op} ${code}`);
  }
});

test("what the reply shows is not told, what changed behind it is told behind it", () => {
  for (const turnBetween of [false, true]) {
    const scene = new WatchesScene();
    const xid = scene.watch("getData", "/a");
    scene.change(5, "changed", "/a");
    scene.change(10, "changed", "/a");
    scene.change(11, "changed", "/b");
    scene.change(12, "deleted", "/a");
    scene.change(13, "created", "/a");
    if (turnBetween) assert.deepEqual(scene.turn(), []);
    scene.answer(xid, 10);
    assert.deepEqual(scene.turn(), ["reply 1 @10", "deleted /a @12"]);
    assert.deepEqual(scene.followed, [], "it is spent");
    scene.change(14, "changed", "/a");
    assert.deepEqual(scene.turn(), []);
  }
});

test("changes wait for each of the watches that wait", () => {
  const scene = new WatchesScene();
  const [first, second, third] = [
    scene.watch("getData", "/a"),
    scene.watch("getChildren", "/a"),
    scene.watch("exists", "/b"),
  ];
  scene.change(5, "created", "/a/x");
  scene.change(6, "changed", "/a");
  scene.change(7, "created", "/b");
  scene.answer(first, 5);
  scene.answer(second, 6);
  scene.answer(third, 6, -101);
  assert.deepEqual(scene.turn(), [
    `reply ${first} @5`,
    "changed /a @6",
    `reply ${second} @6`,
    `reply ${third} @6 -101`,
    "created /b @7",
  ]);
  assert.deepEqual(scene.followed, ["children /a", "node /a"]);
});

test("an event that an armed watch told is not told again if it stands behind the reply, and is if it was before it", () => {
  for (const turnBetween of [false, true]) {
    const scene = armed("getData", "/a");
    const xid = scene.watch("exists", "/a");
    scene.change(12, "changed", "/a");
    const before = turnBetween ? scene.turn() : [];
    scene.answer(xid, 11);
    const event = "changed /a @12";
    const expected = turnBetween ? [event, `reply ${xid} @11`, event] : [`reply ${xid} @11`, event];
    assert.deepEqual([...before, ...scene.turn()], expected);
    assert.equal(scene.watches.count, 0, "both are spent");
  }
});

test("two watches of one path wait: one event behind both replies", () => {
  const scene = new WatchesScene();
  const [first, second] = [scene.watch("getData", "/a"), scene.watch("getChildren", "/a")];
  scene.change(12, "deleted", "/a");
  scene.answer(first, 11);
  scene.answer(second, 11);
  assert.deepEqual(scene.turn(), [`reply ${first} @11`, `reply ${second} @11`, "deleted /a @12"]);
  assert.deepEqual(scene.followed, []);
});

test("all events of one transaction come in ZooKeeper's order", () => {
  const scene = new WatchesScene();
  for (const [op, path] of [
    ["getChildren", "/"],
    ["getChildren", "/a"],
    ["getData", "/a"],
    ["getData", "/a/b"],
  ] as const) {
    scene.answer(scene.watch(op, path), 10);
  }
  scene.turn();
  scene.changes(changeOf(11, "deleted", "/a/b"), changeOf(11, "deleted", "/a"), changeOf(11, "created", "/c"));
  assert.deepEqual(scene.turn(), [
    "deleted /a/b @11",
    "childrenChanged /a @11",
    "deleted /a @11",
    "childrenChanged / @11",
  ]);
});

test("a path is followed as long as one of its watches needs it", () => {
  const scene = armed("getData", "/a");
  const list = scene.watch("getChildren", "/a");
  const again = scene.watch("exists", "/a");
  assert.deepEqual(scene.followed, ["children /a", "node /a"]);
  scene.answer(list, 10, -101);
  scene.change(11, "changed", "/a");
  assert.ok(scene.followed.includes("node /a"), "one of them waits");
  scene.answer(again, 11);
  assert.deepEqual(scene.followed, ["node /a"]);
  scene.change(12, "changed", "/a");
  assert.deepEqual(scene.followed, []);
});

test("rights are the change's own: nothing is told, and the one-shot watch is spent", () => {
  const closed = { acl: 1 };
  const scene = armed("getData", "/a");
  scene.change(11, "changed", "/a", closed);
  scene.change(12, "changed", "/a");
  assert.deepEqual(scene.turn(), []);

  const list = armed("getChildren", "/a");
  list.change(11, "created", "/a/x", closed);
  assert.deepEqual(list.turn(), ["childrenChanged /a @11"], "the parent's list of rights decides");
  const hidden = armed("getChildren", "/a");
  hidden.change(11, "created", "/a/x", { parentAcl: 1 });
  assert.deepEqual(hidden.turn(), []);
  assert.deepEqual(hidden.followed, []);

  const known = armed("getData", "/a");
  known.identity = { ids: [{ scheme: "digest", id: "ann:x" }], superUser: false };
  known.change(11, "changed", "/a", closed);
  assert.deepEqual(known.turn(), ["changed /a @11"]);
  const unknown = armed("getData", "/a");
  unknown.change(11, "changed", "/a", { acl: 7 });
  assert.deepEqual(unknown.turn(), [], "a list that did not come permits nothing");
});

test("rights are judged when the change comes, also for a watch that waits", () => {
  const scene = new WatchesScene();
  const xid = scene.watch("getData", "/a");
  scene.change(11, "changed", "/a", { acl: 1 });
  scene.identity = { ids: [], superUser: true };
  scene.change(12, "changed", "/a");
  scene.answer(xid, 10);
  assert.deepEqual(scene.turn(), [`reply ${xid} @10`]);
  assert.deepEqual(scene.followed, [], "spent by what it may not be told");
});

test("persistent and recursive watches count from their own reply", () => {
  const scene = new WatchesScene();
  const plain = scene.addWatch("/a", 0);
  const wide = scene.addWatch("/a", 1);
  assert.deepEqual(scene.followed, ["children /a", "node /a", "subtree /a"]);
  scene.change(5, "created", "/a/b/c");
  scene.change(6, "created", "/a/b");
  scene.next().answer(4, "noNode");
  scene.next().answer(5, "noNode");
  assert.deepEqual(scene.turn(), [`reply ${plain} @4`, `reply ${wide} @5`, "created /a/b @6", "childrenChanged /a @6"]);
  scene.change(7, "changed", "/a/b/c");
  scene.change(8, "deleted", "/a/b");
  scene.change(9, "changed", "/ab");
  assert.deepEqual(scene.turn(), ["changed /a/b/c @7", "deleted /a/b @8", "childrenChanged /a @8"]);
  assert.equal(scene.watches.count, 2, "of the data table one path, of the child table too");
  assert.deepEqual([...scene.watches.dataPaths()], ["/a"]);
});

test("an addWatch that ZooKeeper refuses", () => {
  const scene = new WatchesScene();
  scene.addWatch("/a", 2);
  scene.addWatch("a", 0);
  assert.deepEqual(scene.turn(), ["reply 1 @1 -5", "reply 2 @1 -8"]);
  assert.equal(scene.listener, undefined);
});

test("checkWatches and removeWatches, by type", () => {
  const [child, data, any, persistent, recursive] = [1, 2, 3, 4, 5];
  const set = (): WatchesScene => {
    const scene = new WatchesScene();
    scene.answer(scene.watch("getData", "/data"), 10);
    scene.answer(scene.watch("getChildren", "/child"), 10);
    for (const [path, mode] of [
      ["/persistent", 0],
      ["/recursive", 1],
    ] as const) {
      scene.addWatch(path, mode);
      scene.next().answer(10, "noNode");
    }
    scene.turn();
    return scene;
  };
  const rows = [
    ["/data", data, true],
    ["/data", any, true],
    ["/data", child, false],
    ["/data", persistent, false],
    ["/child", child, true],
    ["/child", any, true],
    ["/child", data, false],
    ["/child", recursive, false],
    ["/persistent", persistent, true],
    ["/persistent", any, true],
    ["/persistent", data, false],
    ["/persistent", child, false],
    ["/persistent", recursive, false],
    ["/recursive", recursive, true],
    ["/recursive", any, true],
    ["/recursive", persistent, false],
    ["/none", any, false],
    ["no path", any, false],
  ] as const;
  for (const [path, type, there] of rows) {
    const scene = set();
    const before = scene.followed;
    for (const ask of ["checkWatches", "checkWatches", "removeWatches", "removeWatches"] as const) {
      const place = scene.place();
      scene.watches[ask](path, type, place);
      const holds = there && !(ask === "removeWatches" && place.xid === 8);
      const code = holds ? "" : " -121";
      assert.deepEqual(scene.turn(), [`reply ${place.xid} @10${code}`], `${ask} ${path} ${type}`);
    }
    const after = there ? before.filter((each) => !each.endsWith(` ${path}`)) : before;
    assert.deepEqual(scene.followed, after);
    scene.change(11, "deleted", path);
    assert.deepEqual(scene.turn().length, there || !path.startsWith("/") || path === "/none" ? 0 : 1);
  }
  const scene = set();
  scene.watches.checkWatches("/data", 6, scene.place());
  scene.watches.removeWatches("/data", 0, scene.place());
  assert.deepEqual(scene.turn(), ["reply 5 @10 -5", "reply 6 @10 -5"]);
});

test("removing a persistent watch leaves the one-shot ones of its path, and the other way round", () => {
  const scene = armed("getData", "/a");
  scene.addWatch("/a", 0);
  scene.next().answer(10, "noNode");
  scene.watches.removeWatches("/a", 4, scene.place());
  scene.turn();
  assert.deepEqual(scene.followed, ["node /a"]);
  scene.addWatch("/a", 0);
  scene.next().answer(10, "noNode");
  scene.watches.removeWatches("/a", 2, scene.place());
  scene.turn();
  scene.change(11, "changed", "/a");
  scene.change(12, "changed", "/a");
  assert.deepEqual(scene.turn(), ["changed /a @11", "changed /a @12"]);
});

test("watches are removed when the replies before are out, and nothing behind is begun meanwhile", () => {
  const scene = new WatchesScene();
  const xid = scene.watch("getData", "/a");
  const place = scene.place();
  scene.watches.removeWatches("/a", 2, place);
  assert.equal(place.holds, true);
  assert.deepEqual(scene.turn(), []);
  scene.answer(xid, 10);
  assert.deepEqual(scene.turn(), [`reply ${xid} @10`, `reply ${place.xid} @10`]);
  assert.deepEqual(scene.followed, []);
});

test("a connection that has as many as it may gets no more", () => {
  for (const limits of [{ followed: 4 }, { followedBytes: 25 }]) {
    const scene = new WatchesScene(limits);
    scene.answer(scene.watch("exists", "/1"), 10, -101);
    scene.addWatch("/2", 0);
    assert.equal(scene.watches.expect("getData", "/3" as Path), undefined, "1 and 2 are followed, and one may be 2");
    scene.addWatch("/3", 0);
    scene.next().answer(10, "noNode");
    assert.deepEqual(scene.turn(), ["reply 1 @10 -101", "reply 2 @10", "reply 3 @10 -127"]);
    scene.change(11, "created", "/1");
    assert.ok(scene.watches.expect("getData", "/3" as Path), "what is spent counts no more");
  }
});

test("a connection whose replies wait while too much changes is cut off", () => {
  const busy = new WatchesScene({ backlogChanges: 100 });
  busy.addWatch("/armed", 0);
  busy.next().answer(9, "noNode");
  assert.deepEqual(busy.turn(), ["reply 1 @9"]);
  const xid = busy.watch("getData", "/a");
  for (let i = 0; i < 100; i++) busy.change(10 + i, "changed", "/a");
  busy.change(1000, "changed", "/armed");
  assert.deepEqual(busy.turn(), ["changed /armed @1000"]);
  assert.equal(busy.closed, undefined, "what it did not wait for does not count");
  busy.change(1001, "changed", "/a");
  assert.match(busy.closed ?? "", /too much changed/);
  busy.answer(xid, 10);
  busy.change(1002, "changed", "/a");
  assert.deepEqual(busy.turn(), [`reply ${xid} @10`], "nothing is told any more");
  assert.equal(busy.following.closed, true);
});

test("replies forget what no reply can need", () => {
  const backlogChanges = 2500;
  const scene = new WatchesScene({ backlogChanges });
  // Somebody waits all the time.
  let waiting = scene.watch("getData", "/a");
  for (let zxid = 10; zxid < 10 + 3 * backlogChanges; zxid += 1000) {
    for (let i = 0; i < 1000; i++) scene.change(zxid + i, "changed", "/a");
    const next = scene.watch("getData", "/a");
    scene.answer(waiting, zxid + 999);
    scene.turn();
    waiting = next;
  }
  assert.equal(scene.closed, undefined);
});

test("when its changes are lost, the connection is; what is over is not armed", () => {
  const scene = armed("getData", "/a");
  scene.listener?.ended({ code: "cursorTooOld", detail: "forgotten", retryAfterMillis: 0 });
  assert.equal(scene.closed, "its watches ended (cursorTooOld: forgotten)");
  const other = new WatchesScene();
  const place = other.place();
  place.leaving = other.watches.expect("exists", "/a" as Path);
  other.watches.close();
  other.outbox.fill(place, 10 as Zxid, -101);
  assert.equal(other.following.closed, true);
});

test("what came for watches that are not set is not kept", () => {
  const scene = new WatchesScene({ backlogChanges: 10 });
  for (let zxid = 10; zxid < 100; zxid += 3) {
    const xid = scene.watch("getData", "/comes/and/goes");
    scene.change(zxid, "created", "/comes/and/goes");
    scene.change(zxid + 1, "deleted", "/comes/and/goes");
    scene.answer(xid, zxid + 1, -101);
    assert.deepEqual(scene.turn(), [`reply ${xid} @${zxid + 1} -101`]);
  }
  assert.equal(scene.closed, undefined);
});
