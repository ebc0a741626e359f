/** A session's lane beside its watches: what is answered never shows what they have not told yet. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { asZxid, type SessionId } from "@quorate/api";
import { session, shown, start } from "./session-lane-fixture.test-support.ts";
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
  for (const [at, each] of [104, 106, 107].entries()) f.reads[at]?.answer(shown(each));
  assert.deepEqual(f.told, ["read /old ok 104"]);
  f.write(lane, 1);
  f.written(1, 110);
  f.events.through = 106;
  f.lanes.eventsTold(session);
  assert.deepEqual(f.told.splice(0), ["read /old ok 104", "read /new ok 106"]);
  f.events.through = forever;
  f.lanes.eventsTold(session);
  assert.deepEqual(f.told, ["read /last ok 107", "1 ok 110"]);
});

it("a watch has told up to its cursor while it asks again, and everything while the feed reaches it", () => {
  const scene = new Scene();
  const id = 7 as SessionId;
  const told = (at: number): boolean => scene.watches.told(id, asZxid(at));
  const { listener } = scene.joined({ node: [a] }, { session: id });
  scene.joined({ node: [a] }, { session: 8 });
  assert.ok(told(1000));
  scene.feed(12, [change(12, "changed", a)]);
  scene.home = stream(2);
  scene.watches.moved(scene.home);
  assert.deepEqual([told(12), told(13)], [true, false]);
  let heard = 0;
  listener.on = () => assert.ok(!told(21) && ++heard);
  scene.watches.pump();
  const [first] = scene.questions.filter((each) => each.request.acting?.session === id);
  const before = scene.waited.length;
  first?.answer(20, [change(15, "changed", a)] as never);
  assert.equal(heard, 1);
  assert.deepEqual(scene.waited.slice(before), [id]);
  assert.ok(told(1000));
});

it("a watch that is over, or not open yet, keeps nothing waiting", () => {
  const scene = new Scene();
  const { watching } = scene.joined({ node: [a] }, { session: 7 });
  scene.watches.feedBroken(scene.first);
  assert.ok(!scene.watches.told(7 as SessionId, asZxid(11)));
  watching.close();
  assert.ok(scene.watches.told(7 as SessionId, asZxid(11)));
  assert.deepEqual(scene.waited.at(-1), 7);
  scene.open({ node: [a] }, { opened: () => {}, events: () => {}, ended: () => {} }, { session: 7, after: 3 });
  assert.ok(scene.watches.told(7 as SessionId, asZxid(11)));
});
