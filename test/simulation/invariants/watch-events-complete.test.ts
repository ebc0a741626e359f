import { test } from "node:test";
import type { Zxid } from "@quorate/api";
import { breaks, create, put, remove, Scene } from "./fixture.test-support.ts";
import { Order } from "./order.ts";
import { WatchEventsComplete } from "./watch-events-complete.ts";
import { eventsOf, path, Watchers } from "./watch-fixture.test-support.ts";
import { WatchedChanges } from "./watched-changes.ts";

const name = "watch-events-complete";

function watched(): { scene: Scene; watchers: Watchers } {
  const scene = new Scene([new WatchEventsComplete(new WatchedChanges(new Order()))]);
  return { scene, watchers: new Watchers(scene) };
}

test("whatever its scopes match is told, of each transaction all, and nothing else", () => {
  const { scene, watchers } = watched();
  const node = watchers.open({ node: [path("/a")] });
  const children = watchers.open({ children: [path("/a")] });
  const subtree = watchers.open({ subtree: [path("/a")] });
  const root = watchers.open({ subtree: [path("/")] });
  const from = scene.end;
  const operations = [create("/a"), create("/a/b"), put("/a/b"), create("/ab"), remove("/a", true)];
  for (const operation of operations) scene.write(operation);
  const all = eventsOf(scene, from);
  const [createdA, createdB, changedB] = all;
  watchers.told(root, all.slice(0, 2), { cursor: { zxid: createdB?.zxid as Zxid }, more: true });
  watchers.told(root, all.slice(2));
  watchers.told(
    subtree,
    all.filter((each) => each.path !== "/ab"),
  );
  watchers.told(
    node,
    all.filter((each) => each.path === "/a"),
  );
  watchers.told(
    children,
    all.filter((each) => each.path === "/a/b" && each !== changedB),
  );
  watchers.stands(node);
  watchers.ended(node);
  const again = watchers.open({ node: [path("/a")] }, { after: { zxid: createdA?.zxid as Zxid } });
  watchers.told(again, all.slice(-1));
  scene.finish();
});

test("what is told before the order is known is judged when it is", () => {
  const { scene, watchers } = watched();
  const watch = watchers.open({ subtree: [path("/")] });
  const from = scene.end;
  const [first, second] = ["/a", "/b"].map((each) => {
    const batch = scene.batch([scene.command(scene.askWrite(put(each)).write)]);
    scene.batches.push(batch);
    return batch;
  });
  if (!first || !second) return;
  // Replica 3 was seen to apply the second only.
  scene.trees.set(3, scene.copy(1));
  scene.tree(3).apply(first);
  scene.apply(3, second);
  watchers.told(watch, []);
  breaks(name, () => scene.apply(1, first), /is told nothing more; the order has created \/a/);
  void from;
});

test("a gap, a duplicate, another order, half of a transaction", () => {
  const wrong = (edit: (events: ReturnType<typeof eventsOf>) => ReturnType<typeof eventsOf>): (() => void) => {
    const { scene, watchers } = watched();
    const watch = watchers.open({ subtree: [path("/")] });
    const from = scene.end;
    scene.write(put("/a"));
    scene.write({ kind: "txn", check: [], then: [put("/b"), put("/c")] as never });
    return () => watchers.told(watch, edit(eventsOf(scene, from)));
  };
  wrong((events) => events)();
  breaks(
    name,
    wrong((events) => events.slice(1)),
    /is told created \/b .* the order has created \/a/,
  );
  breaks(
    name,
    wrong((events) => events.slice(0, 2)),
    /nothing more; the order has created \/c/,
  );
  breaks(
    name,
    wrong((events) => [...events, ...events.slice(-1)]),
    /the order has nothing more/,
  );
  breaks(
    name,
    wrong((events) => events.reverse()),
    /the order has created \/a/,
  );
  breaks(
    name,
    wrong((events) => events.map((each) => ({ ...each, version: 7 }))),
    /version 7/,
  );
});

test("what is never told, also where the cursor has passed it, and a cursor that stands still", () => {
  for (const passed of [true, false]) {
    const { scene, watchers } = watched();
    const watch = watchers.open({ node: [path("/a")] });
    scene.write(put("/a"));
    if (passed) breaks(name, () => watchers.stands(watch), /nothing more; the order has created \/a/);
    scene.at += 1000;
    if (!passed) breaks(name, () => scene.finish(), /was never told created \/a/);
  }
  const { scene, watchers } = watched();
  watchers.open({ node: [path("/a")] });
  scene.write(put("/b"));
  scene.finish();
  scene.at += 1000;
  breaks(name, () => scene.finish(), /has not moved on to/);
});
