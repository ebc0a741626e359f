import assert from "node:assert/strict";
import { test } from "node:test";
import type { SessionId } from "@quorate/api";
import type { Backend } from "../backend.ts";
import { KeepAlive } from "./keep-alive.ts";

const timeoutMillis = 10_000;
const tickMillis = 250;

/** A connection whose renewals are confirmed at once; time goes on tick by tick. */
class Scene {
  now = 0;
  readonly renewals: number[] = [];
  confirmed = 0;
  over: string | undefined;
  readonly keepAlive: KeepAlive;

  constructor() {
    const renew: Backend["renew"] = () => {
      this.renewals.push(this.now);
      return Promise.resolve({ kind: "renewed" } as Awaited<ReturnType<Backend["renew"]>>);
    };
    this.keepAlive = new KeepAlive(
      {
        backend: { renew } as Backend,
        acting: { session: 1 as SessionId, secretHash: new Uint8Array(32) },
        timeoutMillis,
        confirmed: () => (this.confirmed += 1),
        over: (why) => {
          this.over = why;
        },
      },
      0,
    );
  }

  /** Until then, hearing something every `hearing` ms. */
  async until(end: number, hearing = Number.POSITIVE_INFINITY): Promise<void> {
    for (let heard = this.now; this.now < end; ) {
      this.now += tickMillis;
      if (this.now - heard >= hearing) {
        heard = this.now;
        this.keepAlive.heard(this.now);
      }
      this.keepAlive.tick(this.now);
      await Promise.resolve();
    }
  }
}

test("who is busy and does not ping is renewed every third of the timeout", async () => {
  const scene = new Scene();
  await scene.until(20_000, 500);
  assert.deepEqual(scene.renewals, [3500, 7000, 10_500, 14_000, 17_500]);
});

test("who falls silent is held from a moment soon after his last request, whenever the renewal before that was", async () => {
  for (const last of [250, 1000, 2000, 3000, 3250]) {
    const scene = new Scene();
    scene.keepAlive.ping(0);
    await scene.until(last, 250);
    await scene.until(14_000);
    const renewal = scene.renewals.at(-1) ?? 0;
    assert.ok(renewal >= last, `${renewal} is not before the last request`);
    assert.ok(renewal - last <= timeoutMillis / 10 + tickMillis, `${renewal - last} ms behind the last request`);
    assert.equal(scene.renewals.length, 2, "one for the ping, one for what came behind it");
  }
});

test("pings are renewals themselves, and who says nothing more is over in time", async () => {
  const scene = new Scene();
  scene.keepAlive.heard(0);
  scene.keepAlive.ping(0);
  await scene.until(15_250);
  assert.deepEqual([scene.renewals, scene.confirmed], [[0], 1]);
  assert.match(scene.over ?? "", /nothing came from its client for 15000 ms/);
});
