/** A session's lane beside its watches: what is answered never shows what they have not told yet. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { asZxid, type SessionId } from "@quorate/api";
import { get, session, shown, start, zxid } from "./session-lane-fixture.test-support.ts";
import { a, change, Scene, stream } from "./watch/hub-scene.test-support.ts";

/** A counter that nothing reaches. */
const forever = 2 ** 32 - 1;

it("answers wait, in their order, for the events of what they show", () => {
  const f = start();
  const lane = f.open();
  f.events.through = 105;
  f.read(lane, "/old");
  f.read(lane, "/new");
  f.read(lane, "/last");
  lane.read({ ...get("/stale"), consistency: "stale" }, 1000, () => f.told.push("stale"));
  for (const [at, each] of [104, 106, 107, 109].entries()) f.reads[at]?.answer(shown(each));
  assert.deepEqual(f.told, ["read /old ok 104"]);
  f.write(lane, 1);
  f.written(1, 110);
  f.events.through = 106;
  f.lanes.eventsTold(session);
  assert.deepEqual(f.told.splice(0), ["read /old ok 104", "read /new ok 106"]);
  f.events.through = forever;
  f.lanes.eventsTold(session);
  assert.deepEqual(f.told.splice(0), ["read /last ok 107", "stale", "1 ok 110"]);
  f.events.through = 110;
  lane.read({ ...get("/stale"), consistency: "stale" }, 1000, () => f.told.push("stale"));
  f.reads[4]?.answer(shown(120));
  assert.deepEqual(f.told, ["stale"], "it may be asked where no watch is served");
});

it("no read but a stale one shows less than what is followed was told, and is told from", () => {
  const f = start();
  const lane = f.open();
  f.events.floor = 105;
  f.read(lane, "/old");
  assert.equal(f.reads[0]?.request.minZxid, zxid(105));
  for (const each of ["/a", "/b", "/c"]) f.read(lane, each);
  lane.read({ ...get("/stale"), consistency: "stale" }, 1000, () => f.told.push("stale"));
  // They were asked when nothing was known, or their answers had to wait.
  for (const [each, at] of [106, 107, 106, 99].entries()) f.reads[each + 1]?.answer(shown(at));
  f.events.floor = 107;
  f.reads[0]?.answer(shown(107));
  assert.deepEqual(f.told.splice(0), ["read /old ok 107"]);
  const again = f.reads.splice(5);
  assert.deepEqual(
    again.map(({ request }) => [request.operation, request.minZxid]),
    ["/a", "/c", "/stale"].map((path) => [{ kind: "get", path }, zxid(107)]),
    "all that are too old are asked at once",
  );
  for (const each of again) each.answer(shown(107));
  assert.deepEqual(f.told.splice(0), ["read /a ok 107", "read /b ok 107", "read /c ok 107", "stale"]);
  lane.read({ ...get("/stale"), consistency: "stale" }, 1000, () => f.told.push("stale"));
  f.events.floor = 200;
  f.reads.at(-1)?.answer(shown(150));
  assert.deepEqual(f.told.splice(0), ["stale"]);
  f.write(lane, 1);
  f.written(1, 160);
  assert.deepEqual(f.told, ["1 ok 160"], "an outcome is what it is");
});

it("a watch has told up to its cursor, and what the home answers while its feed reaches the watch", () => {
  const scene = new Scene();
  const id = 7 as SessionId;
  const told = (at: number, from = scene.first): boolean => scene.watches.told(id, asZxid(at), from);
  const [former, other] = [scene.first, stream(2)];
  const { listener } = scene.joined({ node: [a] }, { session: id });
  scene.joined({ node: [a] }, { session: 8 });
  assert.deepEqual([told(1000), told(10, other), told(11, other)], [true, true, false]);
  assert.deepEqual(scene.waited, []);
  scene.feed(12, [change(12, "changed", a)]);
  assert.deepEqual(scene.waited.splice(0), [id], "it may look again");
  scene.feed(13, []);
  assert.deepEqual(scene.waited, [], "once");
  scene.home = other;
  scene.watches.moved(other);
  assert.deepEqual([told(13), told(14), told(14, former)], [true, false, false]);
  let heard = 0;
  listener.on = () => assert.ok(!told(21) && ++heard);
  scene.watches.pump();
  const [first] = scene.questions.filter((each) => each.request.acting?.session === id);
  first?.answer(20, [change(15, "changed", a)] as never);
  assert.equal(heard, 1);
  assert.deepEqual(scene.waited, [id]);
  assert.deepEqual([told(1000), told(21, former)], [true, false]);
});

it("a watch that is over, or not open yet, keeps nothing waiting", () => {
  const scene = new Scene();
  const told = (): boolean => scene.watches.told(7 as SessionId, asZxid(11), scene.first);
  const { watching } = scene.joined({ node: [a] }, { session: 7 });
  scene.watches.feedBroken(scene.first);
  assert.ok(!told());
  watching.close();
  assert.deepEqual(scene.waited, [7]);
  assert.ok(told());
  scene.open({ node: [a] }, { opened: () => {}, events: () => {}, ended: () => {} }, { session: 7, after: 3 });
  assert.ok(told());
});
