import { test } from "node:test";
import type { Zxid } from "@quorate/api";
import { EventBeforeData } from "./event-before-data.ts";
import { breaks, put, Scene } from "./fixture.test-support.ts";
import { eventsOf, path, Watchers } from "./watch-fixture.test-support.ts";

const name = "event-before-data";

function watched(): { scene: Scene; watchers: Watchers; from: Zxid } {
  const scene = new Scene([new EventBeforeData()]);
  const watchers = new Watchers(scene);
  const from = scene.end;
  scene.write(put("/a"));
  return { scene, watchers, from };
}

test("events, then the data; another line has its own order", () => {
  const { scene, watchers, from } = watched();
  const [one, other] = [
    watchers.open({ node: [path("/a")] }, {}, from),
    watchers.open({ node: [path("/a")] }, {}, from),
  ];
  watchers.answered(one, from);
  watchers.answered(other, scene.end);
  watchers.told(one, eventsOf(scene, from));
  watchers.answered(one, scene.end, scene.end);
});

test("the data comes before its event", () => {
  const { scene, watchers, from } = watched();
  const watch = watchers.open({ node: [path("/a")] }, {}, from);
  watchers.answered(watch, scene.end);
  watchers.answered(watch, from);
  breaks(name, () => watchers.told(watch, eventsOf(scene, from)), /created \/a at .* is told behind a read/);
});

test("the data is older than the event that its reader had been told", () => {
  const { scene, watchers, from } = watched();
  const watch = watchers.open({ node: [path("/a")] }, {}, from);
  watchers.told(watch, eventsOf(scene, from));
  breaks(name, () => watchers.answered(watch, from, scene.end), /its client had been told of/);
});
