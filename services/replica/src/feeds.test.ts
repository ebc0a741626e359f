import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Acl,
  anyone,
  limits,
  type Outcome,
  openAcl,
  type Path,
  type WriteOperation,
  type Zxid,
} from "@quorate/api";
import { decodeToGateway, type Feed, feedLimits, frameLimits, type ToGateway } from "@quorate/proto";
import { Feeds } from "./feeds.ts";
import { create, set, TestStream, TreeScene } from "./tree-scene.test-support.ts";

const hidden: Acl = [{ scheme: "digest", id: "ann:x", perms: 31 }];

function setAcl(path: string, acl: Acl): WriteOperation {
  return { kind: "setAcl", path: path as Path, acl, aversion: -1 };
}

/** A feed over a tree, and streams on which a `watch` has just been answered. */
function feeding(scene = new TreeScene()): { feeds: Feeds; scene: TreeScene; watch: () => TestStream } {
  const feeds = new Feeds();
  scene.applied = (results, tree) => feeds.applied(results, tree);
  const watch = (): TestStream => {
    const stream = new TestStream();
    feeds.answered(stream, watched(scene), scene.tree);
    return stream;
  };
  return { feeds, scene, watch };
}

function watched(scene: TreeScene, after?: Zxid): Outcome {
  const scopes = { node: ["/a" as Path], children: [], subtree: [] };
  return scene.tree.read(after === undefined ? { kind: "watch", scopes } : { kind: "watch", scopes, after }, anyone);
}

function feedsOf(messages: readonly ToGateway[]): readonly Feed[] {
  return messages.map((each) => {
    assert.equal(each.kind, "feed");
    return each as Feed;
  });
}

function told(messages: readonly ToGateway[]): readonly string[] {
  return feedsOf(messages).flatMap(({ changes }) => changes.map(({ type, path }) => `${type} ${path}`));
}

test("a stream is fed from the answer to its watch on, once, until nobody watches", () => {
  const { feeds, scene, watch } = feeding();
  scene.write(create("/a"));
  const stream = watch();
  feeds.answered(stream, watched(scene), scene.tree);
  assert.deepEqual(stream.taken(), [], "what the answer tells is not told again");
  scene.write(set("/a"), create("/a/b"));
  const [feed] = feedsOf(stream.taken());
  assert.ok(feed !== undefined);
  assert.equal(feed.through, scene.tree.applied);
  assert.deepEqual(
    feed.changes.map(({ zxid, type, path, version }) => [zxid, type, path, version]),
    [
      [feed.through - 1, "changed", "/a", 1],
      [feed.through, "created", "/a/b", 0],
    ],
  );
  feeds.end(stream);
  scene.write(set("/a"));
  assert.deepEqual([stream.taken(), feeds.size, feeds.sent], [[], 0, 2]);
  const again = watch();
  scene.write(create("/c"));
  assert.deepEqual(told(again.taken()), ["created /c"]);
});

test("failed watches, and answers that are not the whole, turn no feed on", () => {
  const { feeds, scene } = feeding();
  scene.write(create("/a"));
  const after = scene.tree.applied;
  for (let n = 0; n < 12; n++) scene.write(...Array.from({ length: 100 }, () => set("/a")));
  const outcome = watched(scene, after);
  assert.ok(outcome.ok && outcome.result.kind === "watched" && outcome.result.more);
  feeds.answered(new TestStream(), outcome, scene.tree);
  const zxid = scene.tree.applied;
  feeds.answered(new TestStream(), { ok: false, zxid, code: "noAuth", detail: "" }, scene.tree);
  assert.equal(feeds.size, 0);
});

test("all streams get the same bytes, and who comes later only what comes later", () => {
  const { feeds, scene, watch } = feeding();
  const first = watch();
  scene.write(create("/a"));
  scene.write({ kind: "delete", path: "/none" as Path, condition: {}, recursive: false });
  const second = watch();
  assert.deepEqual(
    feedsOf(first.taken()).map(({ through, changes }) => [through, changes.length]),
    [
      [scene.tree.applied - 1, 1],
      [scene.tree.applied, 0],
    ],
  );
  feeds.flush(scene.tree);
  scene.write(set("/a"));
  const [one, other] = [first.bytes(), second.bytes()];
  assert.equal(one.length, 1);
  assert.equal(one[0], other[0], "encoded once");
  assert.equal(other.length, 1);
});

test("batches that change nothing are told of together, and only then", () => {
  const { feeds, scene, watch } = feeding();
  const stream = watch();
  const nothing = (): unknown => scene.write(set("/none"));
  nothing();
  nothing();
  assert.deepEqual(stream.taken(), []);
  feeds.flush(scene.tree);
  feeds.flush(scene.tree);
  assert.deepEqual(stream.taken(), [{ kind: "feed", through: scene.tree.applied, changes: [], acls: [], ended: [] }]);
});

test("lists of ACLs travel with the changes that refer to them, also those that are gone", () => {
  const { scene, watch } = feeding();
  scene.write(create("/p"), create("/p/a", { shape: { kind: "persistent", ttlMillis: 0, acl: hidden } }));
  const stream = watch();
  scene.write(setAcl("/p", [{ scheme: "world", id: "anyone", perms: 1 }]), {
    kind: "delete",
    path: "/p/a" as Path,
    condition: {},
    recursive: false,
  });
  const [feed] = feedsOf(stream.taken());
  assert.ok(feed !== undefined);
  const own = feed.changes.map(({ type, acl, parentAcl }) => [type, feed.acls[acl], feed.acls[parentAcl]]);
  const readOnly = [{ scheme: "world", id: "anyone", perms: 1 }];
  assert.deepEqual(own, [
    ["acl", readOnly, openAcl],
    ["deleted", hidden, readOnly],
  ]);
});

test("clients' sessions that were closed or expired are told, gateways' are not", () => {
  const { scene, watch } = feeding();
  const [one, other] = [scene.openSession(), scene.openSession()];
  scene.commit([
    { identity: anyone, operation: create("/e") },
    { identity: anyone, operation: { kind: "expireSession", session: one.session } },
  ]);
  const stream = watch();
  scene.close(other);
  scene.expire(other);
  scene.commit([{ identity: anyone, operation: { kind: "expireSession", session: scene.lane } }]);
  assert.deepEqual(
    feedsOf(stream.taken()).map(({ through, ended }) => [through, ended]),
    [[scene.tree.applied - 2, [other.session]]],
  );
});

test("a large batch is told in messages that end with transactions; one that is too large breaks the feed", () => {
  const { feeds, scene, watch } = feeding();
  scene.write(create("/t"));
  const stream = watch();
  const name = "n".repeat(3000);
  const creations = Array.from({ length: 500 }, (_, n) => create(`/t/${n}${name}`));
  const batch = scene.write(...creations);
  const parts = feedsOf(stream.taken());
  assert.ok(parts.length > 1 && parts.length < 10);
  assert.equal(parts.flatMap(({ changes }) => changes).length, 500);
  for (const { through, changes } of parts) assert.equal(through, changes.at(-1)?.zxid);
  assert.equal(parts.at(-1)?.through, batch.at(-1)?.zxid);
  for (let n = 0; n < 6; n++) scene.write(...creations.map((_, at) => create(`/t/${n}-${at}${name}`)));
  stream.taken();
  scene.write({ kind: "delete", path: "/t" as Path, condition: {}, recursive: true });
  assert.deepEqual(stream.taken(), [{ kind: "feedBroken" }]);
  assert.equal(feeds.size, 0);
  assert.ok(3500 * 3000 > feedLimits.largestBytes && limits.txnZnodes > 3500);
});

test("the largest transaction that is told fits into a message", () => {
  const { scene, watch } = feeding();
  scene.write(create("/t"));
  const name = "n".repeat(780);
  for (let n = 0; n < 99; n++) {
    scene.write(
      ...Array.from({ length: 100 }, (_, at) => create(`/t/${String(n * 100 + at).padStart(5, "0")}${name}`)),
    );
  }
  const stream = watch();
  scene.write({ kind: "delete", path: "/t" as Path, condition: {}, recursive: true });
  const [bytes] = stream.bytes();
  assert.ok(bytes !== undefined && bytes.length > 8_000_000 && bytes.length < frameLimits.messageBytes);
  assert.equal((decodeToGateway(bytes) as Feed).changes.length, 9901);
});

test("what the ring has forgotten before it could be told breaks the feed", () => {
  const { feeds, scene, watch } = feeding(new TreeScene({ ringBytes: 1000 }));
  const stream = watch();
  scene.write(...Array.from({ length: 3 }, (_, n) => create(`/${n}`)));
  assert.deepEqual(told(stream.taken()), ["created /0", "created /1", "created /2"]);
  scene.write(...Array.from({ length: 30 }, (_, n) => create(`/x${n}`)));
  assert.deepEqual([stream.taken(), feeds.size], [[{ kind: "feedBroken" }], 0]);
});

test("a state that was replaced breaks the feeds that were on, once", () => {
  const { feeds, scene, watch } = feeding();
  const stream = watch();
  feeds.broken();
  feeds.broken();
  scene.write(create("/a"));
  assert.deepEqual(stream.taken(), [{ kind: "feedBroken" }]);
});
