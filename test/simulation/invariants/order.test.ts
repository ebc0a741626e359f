import assert from "node:assert/strict";
import { test } from "node:test";
import { anyone, type Change, type Command, type Outcome, type Path, type SessionId, type Zxid } from "@quorate/api";
import { type AppliedBatch, Invariant } from "../observation.ts";
import { create, put, remove, Scene, sessionOperation } from "./fixture.test-support.ts";
import { Order } from "./order.ts";
import { sameChange, sameOutcome, sameStat, sameValue } from "./same-value.ts";
import { Suspects } from "./suspects.ts";
import { Told } from "./told.ts";

class Noting extends Invariant {
  readonly name = "noting";
  readonly order = new Order();
  readonly seen: { readonly fresh: boolean; readonly clash: boolean; readonly revealed: readonly Zxid[] }[] = [];

  override applied(seen: AppliedBatch): void {
    const { fresh, clash, revealed } = this.order.note(seen);
    // Asked again it says the same.
    assert.equal(this.order.note(seen).revealed, revealed);
    this.seen.push({ fresh, clash, revealed: revealed.map((each) => each.batch.last) });
  }
}

function noting(): { readonly scene: Scene; readonly notes: Noting; readonly order: Order } {
  const notes = new Noting();
  const scene = new Scene([notes]);
  notes.seen.length = 0;
  return { scene, notes, order: notes.order };
}

function write(scene: Scene): Command {
  return scene.command({ identity: anyone, operation: put("/a") });
}

test("the first of sound memory reveals an entry", () => {
  const { scene, notes, order } = noting();
  order.suspects.flip(1, 0);
  scene.commit([write(scene), write(scene)]);
  const { end } = scene;
  assert.deepEqual(notes.seen, [
    { fresh: false, clash: false, revealed: [] },
    { fresh: true, clash: false, revealed: [end] },
    { fresh: false, clash: false, revealed: [] },
  ]);
  assert.equal(order.end, end);
  assert.equal(order.locate((end - 1) as Zxid)?.batch.last, end);
  assert.equal(order.locate((end + 1) as Zxid), undefined);
  assert.ok(order.isEnd(end) && !order.isEnd((end - 1) as Zxid) && order.isEnd(0 as Zxid));
});

test("a hole is filled later", () => {
  const { scene, notes, order } = noting();
  const before = scene.end;
  scene.commit([write(scene)], []);
  const missing = scene.end;
  scene.trees.set(2, scene.copy(2));
  scene.tree(2).apply(scene.batches.at(-1) as never);
  scene.commit([write(scene)], [2]);
  assert.deepEqual([order.end, order.whole], [before, false]);
  scene.catchUp(1);
  assert.deepEqual([order.end, order.whole], [scene.end, true]);
  assert.deepEqual(notes.seen.at(-2)?.revealed, [missing, scene.end]);
});

test("another batch at the same place clashes", () => {
  const { scene, notes } = noting();
  const batch = scene.batch([write(scene)]);
  scene.apply(1, batch);
  scene.apply(2, { ...batch, checksum: batch.checksum + 1 });
  assert.deepEqual(notes.seen.at(-1), { fresh: false, clash: true, revealed: [] });
});

test("who lived when", () => {
  const { scene, order } = noting();
  const acting = scene.openSession(1234);
  const opened = scene.end;
  scene.write(create("/e", "ephemeral"), { acting });
  scene.write({ kind: "closeSession", session: acting.session }, { acting });
  const ended = scene.end;
  const life = order.sessions.get(acting.session);
  assert.deepEqual([life?.timeoutMillis, life?.ended, life?.endedBy], [1234, ended, "closeSession"]);
  const at = (zxid: number): boolean[] => [
    order.lives(acting.session, zxid as Zxid),
    order.livesAfter(acting.session, zxid as Zxid),
  ];
  assert.deepEqual(
    [at(opened), at(opened + 1), at(ended), at(ended + 1)],
    [
      [false, true],
      [true, true],
      [true, false],
      [false, false],
    ],
  );
  assert.equal(order.living, 1);
  assert.equal(order.lives(77 as SessionId, ended), false);
});

test("only what did something is executed", () => {
  const { scene, order } = noting();
  const again = write(scene);
  scene.commit([again, again, scene.command({ identity: anyone, operation: remove("/none") })]);
  scene.commit([{ identity: anyone, operation: sessionOperation("client", 1000, 1) }]);
  const entry = order.locate((scene.end - 1) as Zxid);
  assert.deepEqual(
    entry?.executed.map((each) => each.zxid),
    [entry?.batch.first],
  );
  assert.deepEqual(order.locate(scene.end)?.executed, []);
});

test("what clients were told, by time", () => {
  const told = new Told();
  assert.equal(told.before(5), 0);
  told.tell(1, 10 as Zxid);
  told.tell(2, 9 as Zxid);
  told.tell(3, 12 as Zxid);
  told.tell(3, 13 as Zxid);
  assert.deepEqual([told.before(1), told.before(2), told.before(3), told.before(3.1)], [0, 10, 10, 13]);
  assert.equal(told.newest, 13);
});

test("whose memory was flipped when", () => {
  const suspects = new Suspects();
  suspects.flip(1, 10);
  assert.deepEqual([suspects.has(1), suspects.has(2)], [true, false]);
  suspects.clear(1, 20);
  suspects.clear(2, 20);
  assert.deepEqual([suspects.has(1), suspects.spoke(1, 0, 9), suspects.spoke(1, 0, 10)], [false, false, true]);
  assert.deepEqual(
    [suspects.spoke(1, 20, 30), suspects.spoke(1, 21, 30), suspects.spoke(2, 0, 99)],
    [true, false, false],
  );
  assert.deepEqual([suspects.anySpoke(0, 9), suspects.anySpoke(15, 16)], [false, true]);
});

test("values alike", () => {
  const value = { a: 1, b: [new Uint8Array([1, 2]), { c: "x" }], d: undefined };
  assert.ok(sameValue(value, { a: 1, b: [new Uint8Array([1, 2]), { c: "x" }] }));
  assert.ok(sameValue({ a: 1 }, { a: 1, d: undefined }));
  const others = [
    { ...value, a: 2 },
    { ...value, e: 0 },
    { ...value, b: [new Uint8Array([1, 3]), { c: "x" }] },
    { ...value, b: [new Uint8Array([1]), { c: "x" }] },
    { ...value, b: [[1, 2], { c: "x" }] },
    { ...value, b: [] },
    null,
    "text",
  ];
  for (const other of others) assert.equal(sameValue(value, other), false, JSON.stringify(other));
});

/** Each field of a value, changed by itself, makes it another one. */
function eachFieldCounts<T extends object>(value: T, same: (a: T, b: T) => boolean): void {
  assert.ok(same(value, { ...value }));
  for (const [key, is] of Object.entries(value)) {
    const other = typeof is === "number" ? is + 1 : `${String(is)}?`;
    assert.equal(same(value, { ...value, [key]: other }), false, key);
    assert.equal(sameValue({ in: [value] }, { in: [{ ...value, [key]: other }] }), false, key);
  }
}

test("stats, changes and outcomes alike", () => {
  const { scene } = noting();
  const outcome = scene.write(put("/a"));
  assert.ok(outcome.ok && outcome.result.kind === "node");
  const [change] = scene.tree(1).changes.after((scene.end - 1) as Zxid) as Iterable<Change>;
  eachFieldCounts(outcome.result.stat, sameStat);
  eachFieldCounts(change as Change, sameChange);
  assert.ok(sameOutcome(outcome, { ...outcome, replayed: true }));
  const failure = { ok: false, zxid: outcome.zxid, code: "noNode", detail: "d", path: "/a" as Path } as const;
  assert.ok(sameOutcome(failure, { ...failure, replayed: true }));
  const others: Outcome[] = [
    outcome,
    { ...failure, zxid: 0 as Zxid },
    { ...failure, code: "noAuth" },
    { ...failure, detail: "" },
    { ...failure, path: "/b" as Path },
    { ...failure, op: { in: "then", index: 1 } },
  ];
  for (const other of others) assert.equal(sameOutcome(failure, other), false, JSON.stringify(other));
  assert.equal(sameOutcome(outcome, { ...outcome, result: { kind: "done", count: 0 } }), false);
});
