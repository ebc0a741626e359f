import assert from "node:assert/strict";
import { test } from "node:test";
import {
  decodeRead,
  encodeRead,
  type FeedChange,
  type ReadOperation,
  type WatchOperation,
  type Zxid,
} from "@quorate/api";
import { type AskedRead, changeOf, page, statResult, WatchesScene } from "./watches-scene.test-support.ts";

const relativeZxid = 10 as Zxid;
const nothing = { node: [], children: [], subtree: [] };

function question(read: AskedRead): WatchOperation {
  const { operation } = read;
  assert.equal(operation.kind, "watch");
  assert.equal((operation as WatchOperation).raw, true);
  return operation as WatchOperation;
}

test("what was missed is told, in order, each watch as if it had been there; then they are armed", () => {
  const scene = new WatchesScene();
  const xid = scene.setWatches({
    relativeZxid,
    data: ["/data", "/both"],
    exist: ["/exist", "/absent"],
    child: ["/child", "/both", "/quiet"],
    persistent: ["/persistent"],
    persistentRecursive: ["/recursive"],
  });
  const read = scene.next();
  const asked = question(read);
  assert.equal(asked.after, relativeZxid);
  assert.deepEqual(asked.scopes, {
    node: ["/data", "/both", "/exist", "/absent", "/child", "/quiet", "/persistent"],
    children: ["/both", "/child", "/quiet", "/persistent"],
    subtree: ["/recursive"],
  });
  assert.equal(scene.followed.length, 12, "followed before it is asked");
  read.answer(
    20,
    page(20, [
      changeOf(11, "changed", "/data"),
      changeOf(12, "deleted", "/data"),
      changeOf(13, "created", "/exist"),
      changeOf(13, "deleted", "/exist"),
      changeOf(14, "created", "/child/x"),
      changeOf(15, "created", "/child/y"),
      changeOf(16, "deleted", "/both"),
      changeOf(17, "changed", "/persistent"),
      changeOf(17, "created", "/persistent/x"),
      changeOf(18, "created", "/recursive/x/y"),
      changeOf(19, "changed", "/persistent"),
      changeOf(20, "changed", "/elsewhere"),
    ]),
  );
  assert.deepEqual(scene.turn(), [
    "changed /data @11",
    "created /exist @13",
    "childrenChanged /child @14",
    "deleted /both @16",
    "changed /persistent @17",
    "childrenChanged /persistent @17",
    "created /recursive/x/y @18",
    "changed /persistent @19",
    `reply ${xid} @20`,
  ]);
  const [children, node] = [
    ["children /persistent", "children /quiet"],
    ["/absent", "/persistent", "/quiet"],
  ];
  assert.deepEqual(scene.followed, [...children, ...node.map((path) => `node ${path}`), "subtree /recursive"]);
  scene.change(21, "created", "/absent");
  scene.change(22, "deleted", "/quiet/x");
  scene.change(23, "changed", "/recursive");
  scene.change(24, "changed", "/data");
  assert.deepEqual(scene.turn(), ["created /absent @21", "childrenChanged /quiet @22", "changed /recursive @23"]);
});

test("the first change counts, not what has become of it", () => {
  const scene = new WatchesScene();
  scene.setWatches({ relativeZxid, data: ["/lock"] });
  scene.next().answer(20, page(20, [changeOf(11, "deleted", "/lock"), changeOf(12, "created", "/lock")]));
  assert.deepEqual(scene.turn(), ["deleted /lock @11", "reply 1 @20"]);
});

test("page by page, and nothing of what comes meanwhile is lost or told twice", () => {
  const scene = new WatchesScene();
  const xid = scene.setWatches({ relativeZxid, data: ["/a"], persistent: ["/p"] });
  const first = scene.next();
  scene.change(15, "changed", "/p");
  scene.change(16, "changed", "/a");
  first.answer(16, page(12, [changeOf(12, "changed", "/p")], true));
  assert.deepEqual(scene.turn(), ["changed /p @12"]);
  const second = scene.next();
  assert.equal(question(second).after, 12);
  scene.change(18, "changed", "/p");
  scene.change(19, "deleted", "/a");
  second.answer(17, page(17, [changeOf(15, "changed", "/p"), changeOf(16, "changed", "/a")]));
  assert.deepEqual(scene.turn(), ["changed /p @15", "changed /a @16", `reply ${xid} @17`, "changed /p @18"]);
  assert.deepEqual(scene.reads, []);
  scene.change(20, "changed", "/p");
  assert.deepEqual(scene.turn(), ["changed /p @20"]);
});

test("what another watch of the connection told meanwhile is not told again", () => {
  const scene = new WatchesScene();
  scene.addWatch("/p", 1);
  scene.next().answer(10, "noNode");
  scene.setWatches({ relativeZxid, data: ["/p/a"] });
  const read = scene.next();
  scene.change(12, "changed", "/p/a");
  assert.deepEqual(scene.turn(), ["reply 1 @10", "changed /p/a @12"]);
  read.answer(11, page(11, []));
  assert.deepEqual(scene.turn(), ["reply 2 @11"]);
  assert.deepEqual(scene.followed, ["subtree /p"], "it was the client's, and is spent");
});

test("when too much comes meanwhile, it is asked for", () => {
  const scene = new WatchesScene({ backlogChanges: 10 });
  const xid = scene.setWatches({ relativeZxid, persistent: ["/p"] });
  const first = scene.next();
  for (let zxid = 11; zxid <= 30; zxid++) scene.change(zxid, "changed", "/p");
  const missed = Array.from({ length: 5 }, (_, i) => changeOf(11 + i, "changed", "/p"));
  first.answer(15, page(15, missed));
  assert.equal(scene.turn().length, 5);
  const second = scene.next();
  assert.equal(question(second).after, 15);
  const rest = Array.from({ length: 15 }, (_, i) => changeOf(16 + i, "changed", "/p"));
  scene.change(31, "changed", "/p");
  second.answer(30, page(30, rest));
  const expected = rest.map(({ zxid }) => `changed /p @${zxid}`);
  assert.deepEqual(scene.turn(), [...expected, `reply ${xid} @30`, "changed /p @31"]);
  assert.equal(scene.closed, undefined);
});

test("what a page has told is not kept", () => {
  const scene = new WatchesScene({ backlogChanges: 10 });
  const xid = scene.setWatches({ relativeZxid, persistent: ["/p"] });
  const from = (zxid: number): FeedChange[] => Array.from({ length: 8 }, (_, i) => changeOf(zxid + i, "changed", "/p"));
  const told = (changes: readonly FeedChange[]): string[] => changes.map(({ zxid }) => `changed /p @${zxid}`);
  const first = scene.next();
  scene.changes(...from(11));
  first.answer(18, page(18, from(11), true));
  assert.deepEqual(scene.turn(), told(from(11)));
  const second = scene.next();
  scene.changes(...from(19));
  second.answer(20, page(20, from(19).slice(0, 2)));
  assert.deepEqual(scene.turn(), [...told(from(19).slice(0, 2)), `reply ${xid} @20`, ...told(from(19).slice(2))]);
  assert.deepEqual(scene.reads, [], "nothing was forgotten");
});

test("pages are asked for as fast as the client reads", () => {
  const scene = new WatchesScene();
  scene.setWatches({ relativeZxid, persistent: ["/p"] });
  const first = scene.next();
  scene.unsent = 100 * 1_048_576;
  first.answer(20, page(15, [changeOf(15, "changed", "/p")], true));
  assert.deepEqual(scene.turn(), ["changed /p @15"]);
  assert.deepEqual(scene.reads, []);
  scene.unsent = 0;
  scene.outbox.drained();
  assert.equal(question(scene.next()).after, 15);
});

test("once nothing is left to be armed, no more is asked", () => {
  const scene = new WatchesScene();
  scene.setWatches({ relativeZxid, data: ["/a"] });
  scene.next().answer(40, page(15, [changeOf(15, "changed", "/a")], true));
  assert.deepEqual(scene.turn(), ["changed /a @15", "reply 1 @40"]);
  assert.deepEqual([scene.reads, scene.followed], [[], []]);
});

test("what may not be read is not told, and spends", () => {
  const scene = new WatchesScene();
  scene.setWatches({ relativeZxid, data: ["/a"], child: ["/c"], persistent: ["/p"] });
  const closed = { acl: 1 };
  scene
    .next()
    .answer(
      20,
      page(20, [
        changeOf(11, "changed", "/a", closed),
        changeOf(12, "changed", "/a"),
        changeOf(13, "created", "/c/x", { parentAcl: 1 }),
        changeOf(14, "created", "/p/x", { ...closed, parentAcl: 0 }),
        changeOf(15, "changed", "/p", closed),
      ]),
    );
  assert.deepEqual(scene.turn(), ["childrenChanged /p @14", "reply 1 @20"]);
  assert.deepEqual(scene.followed, ["children /p", "node /p"]);
});

test("with very many paths all changes are asked for, and those that matter are told", () => {
  const scene = new WatchesScene({ questionBytes: 1000 });
  const data = Array.from({ length: 500 }, (_, i) => `/d${i}`);
  scene.setWatches({ relativeZxid, data });
  const read = scene.next();
  assert.deepEqual(question(read).scopes, { ...nothing, subtree: ["/"] });
  read.answer(20, page(20, [changeOf(11, "changed", "/other"), changeOf(12, "changed", "/d7")]));
  assert.deepEqual(scene.turn(), ["changed /d7 @12", "reply 1 @20"]);
  assert.equal(scene.watches.count, 499);
});

test("where the ring does not reach back, the present is compared as ZooKeeper does", () => {
  for (const code of ["cursorTooOld", "cursorOfAnotherHistory"] as const) {
    const scene = new WatchesScene({ lookingAt: 3 });
    const data = ["/gone", "/changed", "/same", "/hidden"];
    const exist = ["/made", "/absent"];
    const child = ["/gone", "/other-children", "/same", "/deserted"];
    const xid = scene.setWatches({ relativeZxid, data, exist, child, persistent: ["/p"], persistentRecursive: ["/r"] });
    scene.next().answer(20, code);
    const answers = new Map<string, Parameters<AskedRead["answer"]>[1]>([
      ["/gone", "noNode"],
      ["/changed", statResult("/changed", 11, 5)],
      ["/same", statResult("/same", 10, 10)],
      ["/hidden", "noAuth"],
      ["/made", statResult("/made", 12, 5)],
      ["/absent", "noNode"],
      ["/other-children", statResult("/other-children", 5, 11)],
      ["/deserted", "noNode"],
      ["/p", statResult("/p", 11, 11)],
      ["/r", "noNode"],
    ]);
    const out: string[] = [];
    for (let zxid = 20; scene.reads.length > 0; zxid++) {
      assert.ok(scene.reads.length <= 3, "some at a time");
      const read = scene.next();
      assert.equal(read.operation.kind, "exists");
      const { path } = read.operation as Extract<ReadOperation, { kind: "exists" }>;
      read.answer(zxid, answers.get(path) as "noNode");
      answers.delete(path);
      out.push(...scene.turn());
    }
    assert.equal(answers.size, 0);
    assert.deepEqual(out, [
      "deleted /gone @-1",
      "changed /changed @-1",
      "created /made @-1",
      "childrenChanged /other-children @-1",
      "deleted /deserted @-1",
      `reply ${xid} @29`,
    ]);
    const node = ["/absent", "/hidden", "/p", "/same"].map((path) => `node ${path}`);
    assert.deepEqual(scene.followed, ["children /p", "children /same", ...node, "subtree /r"]);
  }
});

test("each znode that is compared is armed at its own answer", () => {
  const scene = new WatchesScene({ lookingAt: 1 });
  scene.setWatches({ relativeZxid, data: ["/a", "/b"] });
  scene.next().answer(20, "cursorTooOld");
  const first = scene.next();
  scene.change(21, "changed", "/a");
  scene.change(22, "changed", "/b");
  first.answer(20, statResult("/a", 10, 10));
  scene.next().answer(22, statResult("/b", 22, 10));
  assert.deepEqual(scene.turn(), ["changed /b @-1", "changed /a @21", "reply 1 @22"]);
  assert.deepEqual(scene.followed, []);
});

test("pages that were told stay told when the ring forgets the rest", () => {
  const scene = new WatchesScene();
  scene.setWatches({ relativeZxid, data: ["/a", "/b"] });
  scene.next().answer(20, page(15, [changeOf(12, "changed", "/a")], true));
  scene.next().answer(20, "cursorTooOld");
  const read = scene.next();
  assert.deepEqual(read.operation, { kind: "exists", path: "/b" });
  read.answer(21, statResult("/b", 15, 5));
  assert.deepEqual(scene.turn(), ["changed /a @12", "reply 1 @21"]);
  assert.deepEqual(scene.followed, ["node /b"]);
});

test("nothing to set, no path, and an older zxid than there are", () => {
  const empty = new WatchesScene();
  empty.setWatches({});
  const read = empty.next();
  assert.equal(read.operation.kind, "exists");
  read.answer(20, "noAuth");
  assert.deepEqual(empty.turn(), ["reply 1 @20"]);

  const odd = new WatchesScene();
  odd.setWatches({ relativeZxid: -1 as Zxid, data: ["a//b", "/a"], exist: [""], child: ["a//b"], persistent: ["x"] });
  const asked = odd.next();
  assert.deepEqual(asked.operation, { kind: "exists", path: "/a" });
  asked.answer(20, "noAuth");
  assert.deepEqual(odd.turn(), ["deleted a//b @-1", "reply 1 @20"]);
});

test("a client that names no zxid is told of the present, not of all that ever happened", () => {
  const scene = new WatchesScene();
  scene.setWatches({ relativeZxid: 0 as Zxid, data: ["/a"], child: ["/c"], persistent: ["/p"] });
  scene.next().answer(20, statResult("/a", 5, 5));
  scene.next().answer(20, statResult("/c", 6, 7));
  scene.next().answer(20, statResult("/p", 8, 8));
  assert.deepEqual(scene.turn(), ["changed /a @-1", "childrenChanged /c @-1", "reply 1 @20"]);
  assert.deepEqual([scene.reads, scene.followed], [[], ["children /p", "node /p"]]);
});

test("a failure that says nothing about the changes closes the connection", () => {
  const failing = new WatchesScene();
  failing.setWatches({ data: ["/a"] });
  failing.next().answer(0, "internal");
  assert.match(failing.closed ?? "", /missed changes are not told \(internal/);
  const late = new WatchesScene();
  late.setWatches({ data: ["/a"] });
  late.next().fail();
  assert.match(late.closed ?? "", /timeout/);
  const looking = new WatchesScene();
  looking.setWatches({ data: ["/a", "/b"] });
  looking.next().answer(20, "cursorTooOld");
  looking.next().answer(0, "internal");
  assert.match(looking.closed ?? "", /\/a is not looked at/);
  for (const { reads, turn } of [failing, late].map((scene) => ({ reads: scene.reads, turn: scene.turn() }))) {
    assert.deepEqual([reads, turn], [[], []]);
  }
});

test("several requests in a row, each alone", () => {
  const scene = new WatchesScene();
  for (const path of ["/a", "/b"]) {
    const place = scene.place();
    scene.watches.setWatches(
      { op: "setWatches", relativeZxid, data: [path], exist: [], child: [], persistent: [], persistentRecursive: [] },
      place,
    );
    assert.equal(place.holds, true);
    scene.next().answer(20, page(20, []));
    assert.equal(place.left, true);
  }
  scene.change(21, "changed", "/a");
  scene.change(21, "changed", "/b");
  assert.deepEqual(scene.turn(), ["reply 1 @20", "reply 2 @20", "changed /a @21", "changed /b @21"]);
});

test("a question is never more than a replica reads, whatever the paths are", () => {
  const name = "路".repeat(100);
  for (const count of [500, 1500, 2500]) {
    const scene = new WatchesScene();
    scene.setWatches({ relativeZxid, child: Array.from({ length: count }, (_, at) => `/${name}${at}`) });
    const asked = question(scene.next());
    assert.deepEqual(decodeRead(encodeRead(asked)), asked, `${count} paths of three bytes a character`);
  }
});
