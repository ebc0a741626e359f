/** The watches of queues: how many there are, who shares one, and how long it stays. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { anyone, type Identity } from "@quorate/api";
import { type Failed, isFailed } from "./answers.ts";
import { recipeLimits } from "./limits.ts";
import type { QueueView, ViewMember } from "./queue-view.ts";
import { QueueViews } from "./queue-views.ts";
import { path, Scene } from "./scene.test-support.ts";

const shape = { recipe: "lock", layout: "curator", kind: "mutex" } as const;

class Member implements ViewMember {
  readonly name = "x-lock-0000000000";
  moves = 0;
  end: Failed | undefined;
  moved(): void {
    this.moves += 1;
  }
  ended(failed: Failed): void {
    this.end = failed;
  }
}

function opened(views: QueueViews, text: string, identity: Identity = anyone): QueueView {
  const view = views.open(path(text), identity, shape);
  assert.ok(!isFailed(view), JSON.stringify(view));
  return view;
}

describe("views of queues", () => {
  it("are so many at most; one without anybody makes room", async () => {
    const { memory: backend, world } = new Scene();
    const views = new QueueViews({ backend, world }, 2);
    const members = [new Member(), new Member()] as const;
    opened(views, "/a").join(members[0]);
    opened(views, "/b").join(members[1]);
    const refused = views.open(path("/c"), anyone, shape);
    assert.ok(isFailed(refused) && refused.kind === "failed" && refused.failure.code === "throttled");
    opened(views, "/a").leave(members[0]);
    opened(views, "/c").join(members[0]);
    assert.equal(views.size, 2);
    assert.equal(views.find(path("/a"), anyone), undefined);
  });

  it("stay a while behind the last one, then are closed with their watch", async () => {
    const scene = new Scene();
    const { memory: backend, world } = scene;
    const views = new QueueViews({ backend, world });
    const member = new Member();
    const view = opened(views, "/a");
    view.join(member);
    await scene.pass(20);
    assert.equal(member.moves, 1);
    assert.equal(backend.watches.size, 1);
    view.leave(member);
    await scene.pass(recipeLimits.lingerMillis - 100);
    view.join(member);
    await scene.pass(recipeLimits.lingerMillis);
    assert.equal(views.find(path("/a"), anyone), view);
    view.leave(member);
    await scene.pass(recipeLimits.lingerMillis + 20);
    assert.deepEqual([views.size, backend.watches.size], [0, 0]);
  });

  it("are shared by all who differ in their address alone, and by nobody else", () => {
    const { memory: backend, world } = new Scene();
    const views = new QueueViews({ backend, world });
    const at = (id: string, user?: string): Identity => {
      const ip = { scheme: "ip", id };
      return { ids: user === undefined ? [ip] : [{ scheme: "digest", id: user }, ip], superUser: false };
    };
    const view = opened(views, "/a", at("10.0.0.1"));
    assert.equal(opened(views, "/a", at("10.0.0.2")), view);
    assert.notEqual(opened(views, "/a", at("10.0.0.1", "ann:x")), view);
    assert.notEqual(opened(views, "/a", { ids: [], superUser: true }), view);
    assert.equal(views.size, 3);
  });

  it("end with the gateway", async () => {
    const scene = new Scene();
    const views = new QueueViews({ backend: scene.memory, world: scene.world });
    const member = new Member();
    opened(views, "/a").join(member);
    views.stop();
    assert.ok(member.end?.kind === "unavailable" && member.end.code === "noLeader");
    assert.ok(isFailed(views.open(path("/a"), anyone, shape)));
    assert.equal(scene.memory.watches.size, 0);
  });
});
