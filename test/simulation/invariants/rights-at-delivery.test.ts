import { test } from "node:test";
import { type Acl, openAcl, permissions, type WriteOperation, type Zxid } from "@quorate/api";
import { breaks, create, put, remove, Scene } from "./fixture.test-support.ts";
import { Order } from "./order.ts";
import { RightsAtDelivery } from "./rights-at-delivery.ts";
import { eventsOf, path, Watchers } from "./watch-fixture.test-support.ts";
import { WatchedChanges } from "./watched-changes.ts";

const name = "rights-at-delivery";

const closed: Acl = [{ scheme: "world", id: "anyone", perms: permissions.all & ~permissions.read }];
const friend = { ids: [{ scheme: "digest", id: "friend:1" }], superUser: false } as const;
const friends: Acl = [...closed, { scheme: "digest", id: "friend:1", perms: permissions.read }];

function setAcl(place: string, acl: Acl): WriteOperation {
  return { kind: "setAcl", path: path(place), acl, aversion: -1 };
}

function watched(): { scene: Scene; watchers: Watchers; from: Zxid } {
  const scene = new Scene([new RightsAtDelivery(new WatchedChanges(new Order()))]);
  for (const each of ["/a", "/a/b"]) scene.write(create(each));
  return { scene, watchers: new Watchers(scene), from: scene.end };
}

test("who may read is told, who may not any more ends, below a subtree's root it is left out", () => {
  const { scene, watchers, from } = watched();
  const named = watchers.open({ node: [path("/a/b")] });
  const parent = watchers.open({ children: [path("/a")] });
  const below = watchers.open({ subtree: [path("/a")] });
  const known = watchers.open({ node: [path("/a/b")], subtree: [path("/a")] }, { identity: friend });
  const almighty = watchers.open({ node: [path("/a/b")] }, { identity: { ids: [], superUser: true } });
  scene.write(put("/a/b"));
  const before = scene.end;
  scene.write(setAcl("/a/b", friends));
  scene.write(put("/a/b"));
  const events = eventsOf(scene, from).filter(({ type }) => (type as string) !== "acl");
  watchers.told(named, events.slice(0, 1), { cursor: { zxid: before } });
  watchers.ended(named, "noAuth");
  watchers.told(below, events.slice(0, 1));
  watchers.told(known, events);
  watchers.told(almighty, events);
  scene.write(setAcl("/a", closed));
  scene.write(remove("/a/b"));
  for (const each of [parent, below]) watchers.ended(each, "noAuth");
  watchers.ended(known, "noAuth");
  scene.finish();
});

test("what may not be read is told", () => {
  const { scene, watchers } = watched();
  scene.write(setAcl("/a/b", closed));
  const from = scene.end;
  const below = watchers.open({ subtree: [path("/a")] });
  scene.write(put("/a/b"));
  breaks(name, () => watchers.told(below, eventsOf(scene, from)), /is told that \/a\/b was changed .* may not read/);
});

test("a watch goes on although its right was taken, also if it was given back", () => {
  for (const scopes of [{ node: [path("/a")] }, { children: [path("/a")] }, { subtree: [path("/a")] }]) {
    const { scene, watchers, from } = watched();
    const watch = watchers.open(scopes);
    scene.write(setAcl("/a", closed));
    scene.write(setAcl("/a", openAcl));
    breaks(name, () => scene.finish(), /is still open/);
    breaks(name, () => watchers.stands(watch), /goes on to .* it ends at/);
    const again = watchers.open(scopes, { after: { zxid: from } }, from);
    breaks(name, () => watchers.told(again, []), /goes on to/);
  }
});

test("a watch that nobody took the right from ends for that", () => {
  const { scene, watchers } = watched();
  const watch = watchers.open({ node: [path("/a")] });
  scene.write(setAcl("/a/b", closed));
  breaks(name, () => watchers.ended(watch, "noAuth"), /ends with noAuth .* for no cause/);
});
