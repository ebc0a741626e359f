import { test } from "node:test";
import { anyone } from "@quorate/api";
import { breaks, Scene } from "./fixture.test-support.ts";
import { Order } from "./order.ts";
import { SessionsEnd } from "./sessions-end.ts";

const name = "sessions-end";
const watched = (): Scene => new Scene([new SessionsEnd(new Order(), 500)]);

test("who is renewed lives, who is not is expired in time", () => {
  const scene = watched();
  const kept = scene.openSession(1000);
  const left = scene.openSession(1000);
  scene.at += 1400;
  scene.askRenew(kept);
  scene.commit([{ identity: anyone, operation: { kind: "expireSession", session: left.session } }]);
  scene.at += 1500;
  scene.finish();
});

test("nobody renews it, and it lives on", () => {
  const scene = watched();
  scene.openSession(1000);
  scene.at += 1501;
  breaks(name, () => scene.finish(), /lives at 2501 on replica 1; nobody renewed it since 1000/);
});

test("a renewal long ago", () => {
  const scene = watched();
  const acting = scene.openSession(1000);
  scene.at += 800;
  const asked = scene.askRenew(acting);
  scene.at += 200;
  scene.answer(asked, { kind: "renewed", zxid: scene.end, servedBy: 1 });
  scene.at += 1501;
  breaks(name, () => scene.finish(), /since 2000/);
});

test("a new leader gives it its time again, once", () => {
  const scene = watched();
  scene.openSession(1000);
  scene.at += 1501;
  scene.elect(2);
  scene.at += 1500;
  scene.finish();
  scene.at += 1;
  breaks(name, () => scene.finish(), /since 2501/);
});

test("taken over, and then left alone", () => {
  const scene = watched();
  const acting = scene.openSession(1000);
  scene.at += 1400;
  scene.commit([{ identity: anyone, acting, operation: { kind: "attach", session: acting.session } }]);
  scene.at += 1500;
  scene.finish();
  scene.at += 1;
  breaks(name, () => scene.finish(), /since 2400/);
});
