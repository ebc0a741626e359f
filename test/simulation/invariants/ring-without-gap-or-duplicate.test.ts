import { test } from "node:test";
import { anyone, type Change, type Path, type Zxid } from "@quorate/api";
import { ChangeRing, Tree } from "@quorate/tree";
import { breaks, create, put, remove, Scene, sessionOperation } from "./fixture.test-support.ts";
import { Order } from "./order.ts";
import { RingWithoutGapOrDuplicate } from "./ring-without-gap-or-duplicate.ts";

const name = "ring-without-gap-or-duplicate";
const watched = (ringBytes = 100_000): Scene => new Scene([new RingWithoutGapOrDuplicate(new Order())], { ringBytes });

/** The tree with another ring: what `edit` makes of its changes, from `floor` on. */
function withRing(tree: Tree, edit: (changes: Change[]) => Change[], floor = tree.changes.floor): Tree {
  const ring = new ChangeRing(1_000_000, floor);
  for (const change of edit([...(tree.changes.after(tree.changes.floor) as Iterable<Change>)])) ring.push(change);
  return new Proxy(tree, {
    get: (target, key) => {
      if (key === "changes") return ring;
      const value = Reflect.get(target, key, target) as unknown;
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/** A batch that replica 1 has applied, and replica 2 is about to, as if its ring were `edit` of what it is. */
function applyEdited(replica: number, edit: (changes: Change[]) => Change[]): void {
  const scene = watched();
  scene.write(put("/a"));
  const operations = [create("/b"), put("/a"), create("/b/c")];
  const batch = scene.batch(operations.map((operation) => scene.command({ identity: anyone, operation })));
  if (replica !== 1) scene.apply(1, batch);
  const tree = scene.tree(replica);
  const results = tree.apply(batch);
  const commands = operations.map((operation) => ({ identity: anyone, operation }));
  const seen = { at: scene.at, replica, batch, commands, results, tree: withRing(tree, edit) };
  scene.tell((each) => each.applied(seen));
}

test("everything that tells of changes, and what tells of none", () => {
  const scene = watched();
  const acting = scene.openSession();
  scene.write(create("/a"));
  scene.write(create("/a"));
  scene.write({ ...(create("/p/q/r") as object), parents: true } as never);
  scene.write(create("/a/e", "ephemeral"), { acting });
  scene.write({
    kind: "txn",
    check: [{ path: "/none" as Path, exists: true }],
    then: [],
    else: [put("/a/t"), put("/a/t"), { kind: "get", path: "/a" as Path }, remove("/p", true), create("/p")] as never,
  });
  const acl = [{ scheme: "world", id: "anyone", perms: 31 }];
  scene.write({ kind: "setAcl", path: "/a" as Path, acl, aversion: -1 });
  scene.write(sessionOperation("client", 1000, 7));
  scene.write({ kind: "closeSession", session: acting.session }, { acting });
  scene.write(put("/a"), { request: 50, key: "k" });
  scene.write(put("/a"), { request: 50, key: "k" });
  scene.restore(2, scene.copy(1), "leader");
  scene.write(remove("/a", true));
  scene.stop(3);
  const again = new Tree();
  for (const batch of scene.batches) again.apply(batch);
  scene.restore(3, again, "start");
  scene.write(put("/z"));
  scene.finish();
});

test("rings that are too small for a batch", () => {
  const scene = watched(700);
  const many = (place: string): void => {
    const operations = Array.from({ length: 9 }, (_, at) => put(`/${place}${at}`));
    scene.commit(operations.map((operation) => scene.command({ identity: anyone, operation })));
  };
  many("a");
  scene.write(put("/b"));
  scene.write(put("/c"));
  many("d");
  scene.finish();
  scene.write(put("/e"));
  const before = scene.tree(2).changes.floor;
  const broken = withRing(scene.tree(2), (changes) => changes.slice(0, -1), before);
  breaks(name, () => scene.restore(2, broken, "start"), /has not changed|has not created/);
});

test("a replica's ring lacks a change, doubles one, or turns them round", () => {
  breaks(
    name,
    () => applyEdited(2, (changes) => changes.filter(({ path }) => path !== "/b/c")),
    /has not created \/b\/c/,
  );
  breaks(name, () => applyEdited(2, (changes) => [...changes, ...changes.slice(-1)]), /the order nothing more/);
  const other = (changes: Change[]): Change[] => changes.map((each) => ({ ...each, version: each.version + 1 }));
  breaks(name, () => applyEdited(2, other), /version 1\), the order/);
  breaks(name, () => applyEdited(2, (changes) => changes.filter((each) => each.type === "created")), /created \/b\/c/);
});

test("all rings lack a change that a result tells of, or have one too many", () => {
  breaks(
    name,
    () => applyEdited(1, (changes) => changes.filter(({ path }) => path !== "/b/c")),
    /no change tells that/,
  );
  breaks(name, () => applyEdited(1, (changes) => [...changes, ...changes.slice(-1)]), /its result tells/);
  const dead = (changes: Change[]): Change[] => [
    ...changes,
    { ...(changes.at(-1) as Change), zxid: ((changes.at(-1) as Change).zxid + 1) as Zxid },
  ];
  breaks(name, () => applyEdited(1, dead), /is no command's/);
});

test("a deletion that no change tells of", () => {
  const scene = watched();
  scene.write(create("/a"));
  const batch = scene.batch([scene.command({ identity: anyone, operation: remove("/a") })]);
  const tree = scene.tree(1);
  const results = tree.apply(batch);
  const seen = { at: 0, replica: 1, batch, commands: [{ identity: anyone, operation: remove("/a") }], results };
  const mute = withRing(tree, (changes) => changes.slice(0, -1));
  breaks(name, () => scene.tell((each) => each.applied({ ...seen, tree: mute })), /delete at .*"deleted":1/);
});

test("a ring that is kept across a leader's snapshot", () => {
  const scene = watched();
  scene.write(put("/a"));
  const old = scene.tree(3);
  scene.commit([scene.command({ identity: anyone, operation: put("/b") })], [1, 2]);
  const kept = [...(old.changes.after(0 as Zxid) as Iterable<Change>)];
  const tree = withRing(scene.copy(1), () => kept, 0 as Zxid);
  breaks(name, () => scene.restore(3, tree, "leader"), /behind a leader's snapshot/);
  breaks(name, () => scene.restore(3, tree, "start"), /has not created \/b/);
});

test("a ring that begins in the future", () => {
  const scene = watched();
  const tree = withRing(scene.copy(1), () => [], (scene.end + 1) as Zxid);
  breaks(name, () => scene.restore(3, tree, "start"), /begins at .* beyond/);
});

test("a change is lost from the midst of a ring", () => {
  const scene = watched();
  for (const path of ["/a", "/b", "/c"]) scene.write(put(path));
  scene.trees.set(
    2,
    withRing(scene.tree(2), (changes) => changes.filter(({ path }) => path !== "/b")),
  );
  breaks(name, () => scene.finish(), /replica 2 has created \/c .* the order created \/b/);
});
