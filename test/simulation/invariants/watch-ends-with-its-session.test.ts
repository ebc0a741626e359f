import { test } from "node:test";
import { breaks, Scene } from "./fixture.test-support.ts";
import { Order } from "./order.ts";
import { WatchEndsWithItsSession } from "./watch-ends-with-its-session.ts";
import { WatchEventsComplete } from "./watch-events-complete.ts";
import { acting, path, Watchers } from "./watch-fixture.test-support.ts";
import { WatchedChanges } from "./watched-changes.ts";

const name = "watch-ends-with-its-session";

function watched(): { scene: Scene; watchers: Watchers } {
  const order = new Order();
  const scene = new Scene([new WatchEventsComplete(new WatchedChanges(order)), new WatchEndsWithItsSession(order)]);
  return { scene, watchers: new Watchers(scene) };
}

test("it ends with it, and not before", () => {
  const { scene, watchers } = watched();
  const [first, second] = [scene.openSession(), scene.openSession()];
  const watch = watchers.open({ node: [path("/a")] }, acting(first));
  const other = watchers.open({ node: [path("/a")] }, acting(second));
  scene.write({ kind: "closeSession", session: first.session }, { acting: first });
  watchers.ended(watch, "sessionExpired");
  scene.at += 1000;
  watchers.stands(other);
  scene.finish();
});

test("it is told of an end that was none", () => {
  const { scene, watchers } = watched();
  const watch = watchers.open({ node: [path("/a")] }, acting(scene.openSession()));
  breaks(name, () => watchers.ended(watch, "sessionExpired"), /is over, which is not so/);
  const alone = watchers.open({ node: [path("/a")] });
  breaks(name, () => watchers.ended(alone, "sessionExpired"), /has none/);
});

test("it outlives its session", () => {
  const { scene, watchers } = watched();
  const session = scene.openSession();
  const watch = watchers.open({ node: [path("/a")] }, acting(session));
  scene.write({ kind: "closeSession", session: session.session }, { acting: session });
  watchers.stands(watch);
  scene.finish();
  scene.at += 1000;
  breaks(name, () => scene.finish(), /is still open; session .* is over/);
});
