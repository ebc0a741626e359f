import { test } from "node:test";
import type { Zxid } from "@quorate/api";
import { CursorMonotonic } from "./cursor-monotonic.ts";
import { breaks, put, Scene } from "./fixture.test-support.ts";
import { Order } from "./order.ts";
import { eventsOf, path, Watchers } from "./watch-fixture.test-support.ts";

const name = "cursor-monotonic";

function watched(): { scene: Scene; watchers: Watchers; from: Zxid } {
  const scene = new Scene([new CursorMonotonic(new Order())]);
  const first = scene.end;
  scene.write(put("/a"));
  scene.write(put("/b"));
  return { scene, watchers: new Watchers(scene), from: first };
}

test("forward, or where it is", () => {
  const { scene, watchers, from } = watched();
  const watch = watchers.open({ subtree: [path("/")] }, { after: { zxid: from } }, from);
  watchers.told(watch, eventsOf(scene, from));
  watchers.stands(watch);
  watchers.stands(watch, scene.end, "4a91e37371a4b3c6");
  watchers.ended(watch);
});

test("back, behind where it was, began, or had to begin", () => {
  const { scene, watchers, from } = watched();
  const watch = watchers.open({ node: [path("/a")] });
  breaks(name, () => watchers.stands(watch, from), /goes back from/);
  const resumed = watchers.open({ node: [path("/a")] }, { after: { zxid: scene.end } });
  breaks(name, () => watchers.told(resumed, [], { cursor: { zxid: from } }), /goes back from/);
  breaks(name, () => watchers.open({}, { minZxid: scene.end }, from), /begins before/);
});

test("beyond what is committed, or of another history", () => {
  const { scene, watchers } = watched();
  const watch = watchers.open({ node: [path("/a")] });
  breaks(name, () => watchers.stands(watch, (scene.end + 1) as Zxid), /is ahead of the order/);
  const other = watchers.open({ node: [path("/a")] }, { after: { zxid: scene.end, history: "4a91e37371a4b3c6" } });
  breaks(name, () => watchers.stands(other, scene.end, "0000000000000000"), /was of the history 4a91/);
});

test("refused, though it is of this history", () => {
  const { scene, watchers } = watched();
  const watch = watchers.open({ node: [path("/a")] }, { after: { zxid: scene.end } });
  breaks(name, () => watchers.ended(watch, "cursorOfAnotherHistory"), /is refused as of another history/);
});

test("events that are not behind the cursor, or beyond the next one", () => {
  const { scene, watchers, from } = watched();
  const events = eventsOf(scene, from);
  const late = watchers.open({ subtree: [path("/")] });
  breaks(name, () => watchers.told(late, events), /is told .* behind/);
  const early = watchers.open({ subtree: [path("/")] }, {}, from);
  breaks(name, () => watchers.told(early, events, { cursor: { zxid: from } }), /beyond/);
  const turned = watchers.open({ subtree: [path("/")] }, {}, from);
  breaks(name, () => watchers.told(turned, events.reverse()), /is told .* behind/);
});
