/** Which replica is home, by what the replicas say of themselves. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { asZxid } from "@quorate/api";
import type { MemberStatus } from "@quorate/proto";
import { Homes } from "./homes.ts";
import type { ReplicaEvents } from "./stream.ts";
import { VirtualWorld } from "./virtual-world.test-support.ts";

function leader(id: number, epoch: number, historyId = "h"): MemberStatus {
  const zxid = asZxid(1);
  return {
    ...{ id, epoch, acceptedEpoch: epoch, historyId, leader: id, address: `r${id}` },
    ...{ standing: "member", role: "leading", serving: true, reason: "", ensembleId: "e", version: "0", rules: 1 },
    ...{ applied: zxid, committed: zxid, logged: zxid, digest: "", znodes: 1, sessions: 1, agoMillis: 0 },
  };
}

class Scene {
  readonly world = new VirtualWorld(1);
  readonly links = new Map<string, ReplicaEvents>();
  readonly homes: Homes;

  constructor(home: "leader" | "local" = "leader") {
    const dial = (address: string, events: ReplicaEvents) => {
      this.links.set(address, events);
      return { send: () => {}, flush: () => {}, close: () => {}, queuedBytes: 0 };
    };
    this.homes = new Homes(
      { replicas: ["r1", "r2"], home, dial, world: this.world, log: () => {} },
      { received: () => {}, lost: () => {}, moved: () => {}, drained: () => {}, queued: () => {} },
    );
    this.homes.start();
  }

  /** Who is home when it has said this. */
  says(self: MemberStatus, ...others: readonly MemberStatus[]): number {
    this.links.get(self.address)?.received([{ kind: "status", self, others }]);
    return this.homes.home?.replica ?? 0;
  }

  breaks(address: string): number {
    this.links.get(address)?.down("cut");
    return this.homes.home?.replica ?? 0;
  }
}

it("the leader of the newest epoch is home, and no deposed one is any more when that is out of reach", () => {
  const scene = new Scene();
  assert.equal(scene.says(leader(1, 5)), 1);
  assert.equal(scene.says(leader(2, 6)), 2);
  assert.equal(scene.says(leader(1, 5)), 2);
  assert.equal(scene.breaks("r2"), 0, "the leader of 5 cannot commit anything");
  assert.equal(scene.says(leader(1, 5)), 0);
  assert.equal(scene.says(leader(1, 7)), 1);
  assert.equal(scene.says({ ...leader(1, 8), role: "following" }), 0);
});

it("another history counts its epochs anew", () => {
  const scene = new Scene();
  assert.equal(scene.says(leader(1, 5)), 1);
  assert.equal(scene.says(leader(1, 2, "restored")), 1);
});

it("a local home is home while it serves, whoever leads", () => {
  const scene = new Scene("local");
  assert.equal(scene.says({ ...leader(1, 5), role: "following" }), 1);
  assert.equal(scene.says({ ...leader(1, 5), serving: false }), 0);
});

it("of a member that says nothing any more its last word is shown, but neither that it leads nor that it serves", async () => {
  const scene = new Scene();
  const follower = { ...leader(2, 5), role: "following", leader: 1 } as const;
  const third = { ...leader(3, 5), role: "following", leader: 1, committed: asZxid(9), agoMillis: 2900 } as const;
  scene.says(leader(1, 5));
  scene.says(follower, third);
  const before = scene.homes.view(asZxid(4));
  assert.deepEqual(
    before.members.map(({ id, reachable, role, serving }) => [id, reachable, role, serving]),
    [
      [1, true, "leading", true],
      [2, true, "following", true],
      [3, true, "following", true],
    ],
  );
  assert.deepEqual([before.silent, before.newest], [[], asZxid(9)], "what a member has committed is known to be there");
  assert.equal(scene.homes.view(asZxid(12)).newest, asZxid(12));

  scene.breaks("r1");
  await scene.world.run(3000);
  scene.says({ ...leader(2, 6) }, { ...third, agoMillis: 6000 });
  const { leader: home, members, silent } = scene.homes.view(asZxid(4));
  assert.equal(home, 2);
  assert.deepEqual(
    members.map(({ id, reachable, role, serving, leader, epoch }) => [id, reachable, role, serving, leader, epoch]),
    [
      [1, false, "unknown", false, 0, 5],
      [2, true, "leading", true, 2, 6],
      [3, false, "unknown", false, 0, 5],
    ],
  );
  assert.match(members[0]?.reason ?? "", /^nothing has been heard of it for 3 s$/);
  assert.deepEqual(silent, ["r1", "r3"]);
});

it("a member that comes back at another address is found there, and looked for at the former one no more", async () => {
  const scene = new Scene();
  const third = (address: string, epoch = 5): MemberStatus => ({ ...leader(3, epoch), address });
  await scene.world.run(1500);
  for (let move = 0; move < 40; move++) {
    const [before, now] = [`r3-${move}`, `r3-${move + 1}`];
    scene.says(leader(1, 5), { ...third(before), role: "following" });
    scene.says({ ...third(before), role: "following" });
    scene.breaks(before);
    scene.says(leader(1, 5), { ...third(now), role: "following" });
    assert.ok(!scene.links.has(now), "it may come back where it was");
    await scene.world.run(10_000);
    scene.says(leader(1, 5), { ...third(now), role: "following" });
    assert.ok(scene.links.has(now), `it is dialled at ${now}`);
    scene.says({ ...third(now), role: "following" });
    scene.links.delete(before);
  }
  await scene.world.run(1000);
  assert.deepEqual([...scene.links.keys()], ["r1", "r2", "r3-40"]);
  assert.equal(scene.says(third("r3-40", 6)), 3);
});

it("a member whose configured address is silent is looked for where it says that it is", async () => {
  const scene = new Scene();
  await scene.world.run(1500);
  scene.says({ ...leader(2, 5), role: "following" }, leader(1, 5));
  assert.equal(scene.says(leader(1, 5)), 1);
  scene.breaks("r1");
  await scene.world.run(10_000);
  scene.says({ ...leader(2, 5), role: "following" }, { ...leader(1, 6), address: "elsewhere" });
  assert.equal(scene.says({ ...leader(1, 6), address: "elsewhere" }), 1);
  scene.says(leader(1, 6));
  scene.links.delete("elsewhere");
  await scene.world.run(1000);
  assert.equal(scene.links.has("elsewhere"), false, "the configured address is enough once it answers");
});
