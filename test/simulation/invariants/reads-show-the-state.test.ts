import assert from "node:assert/strict";
import { test } from "node:test";
import {
  anyone,
  type ChildrenResult,
  type Outcome,
  type Path,
  type ReadOperation,
  type Success,
  type Zxid,
} from "@quorate/api";
import { breaks, bytesOf, get, put, remove, Scene } from "./fixture.test-support.ts";
import { Order } from "./order.ts";
import { ReadsShowTheState } from "./reads-show-the-state.ts";

const name = "reads-show-the-state";

function watched(order: Order = new Order()): Scene {
  return new Scene([new ReadsShowTheState(order)]);
}

function children(path: string, more: object = {}): ReadOperation {
  return { kind: "children", path: path as Path, limit: 100, withData: true, ...more };
}

const both: ReadOperation = {
  kind: "txn",
  check: [],
  then: [get("/a"), { kind: "exists", path: "/a/b" as Path }, children("/a")] as never,
};

/** Asked, and answered with `edit` of what replica 1 reads. */
function tellOf(scene: Scene, operation: ReadOperation, edit: (outcome: never) => unknown): void {
  const asked = scene.askRead(operation);
  const outcome = scene.tree(1).read(operation, anyone);
  scene.answerOutcome(asked, edit(outcome as never) as Outcome);
}

function populated(): Scene {
  const scene = watched();
  scene.write(put("/a", "one"));
  for (const child of ["b", "c", "d"]) scene.write(put(`/a/${child}`, child));
  return scene;
}

test("what there is, everywhere and of any time", () => {
  const scene = populated();
  const operations: ReadOperation[] = [
    get("/"),
    get("/a"),
    get("/none"),
    { kind: "exists", path: "/a/b" as Path },
    { kind: "getAcl", path: "/a" as Path },
    children("/a"),
    children("/a", { withData: false }),
    children("/none"),
    { kind: "sync" },
    both,
  ];
  const readAll = (): void => {
    for (const [at, each] of operations.entries()) scene.read(each, {}, 1 + (at % 3));
  };
  readAll();
  const acl = [{ scheme: "world", id: "anyone", perms: 31 }];
  scene.write({ kind: "setAcl", path: "/a" as Path, acl, aversion: -1 });
  readAll();
  // Replica 3 is behind: it shows what was.
  const operation = { kind: "txn", check: [], then: [put("/a", "two"), remove("/a/b"), put("/a/e")] } as never;
  scene.commit([scene.command({ identity: anyone, operation })], [1, 2]);
  readAll();
  for (const each of operations) scene.read(each, { consistency: "stale" }, 3);
});

test("an ACL that is not the znode's, or not any more", () => {
  const scene = populated();
  const operation = { kind: "getAcl", path: "/a" as Path } as const;
  const before = scene.read(operation);
  scene.write({ kind: "setAcl", path: "/a" as Path, acl: [{ scheme: "world", id: "anyone", perms: 1 }], aversion: -1 });
  const after = scene.tree(1).read(operation, { ids: [], superUser: true });
  assert.ok(before.ok && before.result.kind === "acl" && after.ok && after.result.kind === "acl");
  const { acl } = before.result;
  const mixed = { ...after, result: { ...after.result, acl } };
  breaks(name, () => scene.answerOutcome(scene.askRead(operation), mixed), /shows \/a as/);
});

test("pages of children: names of the first one's time, data of now", () => {
  const scene = populated();
  const first = scene.read(children("/a", { limit: 1 })) as Success;
  const { at } = first.result as ChildrenResult;
  scene.write(remove("/a/c"));
  scene.write(put("/a/bb"));
  scene.write(put("/a/d", "new"));
  scene.read(children("/a", { limit: 1, at, after: "b" }));
  scene.read(children("/a", { limit: 9, at, after: "b" }));
  scene.read(children("/a", { limit: 2, after: "b" }));
  scene.read(children("/", { withData: true }));
});

test("data that is not that of the zxid", () => {
  const scene = populated();
  const old = scene.tree(1).read(get("/a"), anyone) as Success;
  scene.write(put("/a", "two"));
  breaks(name, () => tellOf(scene, get("/a"), () => ({ ...old, zxid: scene.end })), /shows \/a as/);
  const data = bytesOf("tow");
  breaks(
    name,
    () => tellOf(scene, get("/a"), (is: Success) => ({ ...is, result: { ...is.result, data } })),
    /shows \/a/,
  );
});

test("a stat that is not that of the zxid", () => {
  const scene = populated();
  const exists = { kind: "exists", path: "/a" as Path } as const;
  const old = scene.tree(1).read(exists, anyone);
  scene.write(put("/a/new"));
  breaks(name, () => tellOf(scene, exists, () => ({ ...old, zxid: scene.end })), /shows \/a as/);
});

test("a znode that was not there, or was", () => {
  const scene = populated();
  const there = scene.tree(1).read(get("/a/b"), anyone);
  scene.write(remove("/a/b"));
  breaks(name, () => tellOf(scene, get("/a/b"), () => ({ ...there, zxid: scene.end })), /was not there/);
  const none = { ok: false, zxid: scene.end, code: "noNode", detail: "", path: "/a" as Path };
  breaks(name, () => tellOf(scene, get("/a"), () => none), /finds no \/a, which was there/);
});

test("another znode than was asked for", () => {
  const scene = populated();
  const other = scene.tree(1).read(get("/a/b"), anyone);
  breaks(name, () => tellOf(scene, get("/a"), () => other), /which was not asked for/);
});

test("children that are not those of the zxid", () => {
  const scene = populated();
  const edit = (change: (result: ChildrenResult) => object): void =>
    tellOf(scene, children("/a"), (is: Success) => ({ ...is, result: change(is.result as ChildrenResult) }));
  breaks(name, () => edit((is) => ({ ...is, children: is.children.slice(1) })), /shows \/a as/);
  breaks(name, () => edit((is) => ({ ...is, children: is.children.slice(0, 2) })), /2 of 3, more: false/);
  breaks(name, () => edit((is) => ({ ...is, more: true })), /3 of 3, more: true/);
  breaks(name, () => edit((is) => ({ ...is, at: 1 as Zxid })), /is a page of/);
  breaks(name, () => edit((is) => ({ ...is, children: [], more: true })), /is empty/);
  const data = bytesOf("?");
  breaks(name, () => edit((is) => ({ ...is, children: is.children.map((each) => ({ ...each, data })) })), /\/a\/b/);
  const limit = children("/a", { limit: 2 });
  const all = scene.tree(1).read(children("/a"), anyone);
  breaks(name, () => tellOf(scene, limit, () => all), /has 3 names/);
});

test("a later page with names of now", () => {
  const scene = populated();
  const first = scene.read(children("/a", { limit: 1 })) as Success;
  const { at } = first.result as ChildrenResult;
  scene.write(remove("/a/c"));
  const page = children("/a", { at, after: "b" });
  const now = scene.tree(1).read(children("/a", { after: "b" }), anyone) as Success;
  breaks(name, () => tellOf(scene, page, () => ({ ...now, result: { ...now.result, at } })), /shows \/a as/);
});

test("a txn of reads that shows two times", () => {
  const scene = populated();
  const old = scene.tree(1).read(both, anyone) as Success;
  scene.write(put("/a/b", "two"));
  breaks(name, () => tellOf(scene, both, () => ({ ...old, zxid: scene.end })), /shows \/a\/b as/);
});

test("a read in the midst of a batch", () => {
  const scene = watched();
  scene.commit([put("/a"), put("/b")].map((operation) => scene.command({ identity: anyone, operation })));
  const zxid = (scene.end - 1) as Zxid;
  breaks(name, () => tellOf(scene, get("/a"), (is: Success) => ({ ...is, zxid })), /no position of the order/);
});
