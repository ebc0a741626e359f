import { test } from "node:test";
import type { Zxid } from "@quorate/api";
import { breaks, put, Scene } from "./fixture.test-support.ts";
import { OneLeaderPerEpoch } from "./one-leader-per-epoch.ts";

const name = "one-leader-per-epoch";
const watched = (): Scene => new Scene([new OneLeaderPerEpoch()]);
const following = { role: "following", leader: 1, committed: 0 as Zxid, syncedThrough: 0 as Zxid } as const;

test("leaders that follow each other, epoch by epoch", () => {
  const scene = watched();
  scene.role({ replica: 2, epoch: 1, ...following });
  // Told again, for another reason.
  scene.role({ replica: 1, epoch: 1 });
  scene.elect(1);
  scene.stop(1);
  scene.elect(3);
  scene.role({ replica: 3, epoch: 3, role: "looking", leader: 0, serving: false });
  // Stands, but is not established.
  scene.role({ replica: 2, epoch: 3, serving: false });
  scene.elect(2);
  scene.write(put("/a"));
});

test("two that lead one epoch", () => {
  breaks(name, () => watched().role({ replica: 2, epoch: 1 }), /replica 2 leads epoch 1, which replica 1 leads/);
});

test("a follower that serves under another leader of the epoch", () => {
  breaks(name, () => watched().role({ replica: 2, epoch: 1, ...following, leader: 3 }), /follows replica 3/);
});

test("a leader that crashed and leads the same epoch again", () => {
  const scene = watched();
  scene.stop(1);
  breaks(name, () => scene.role({ replica: 1, epoch: 1 }), /second time/);
});

test("a leader that stepped down and leads the same epoch again", () => {
  const scene = watched();
  scene.role({ replica: 1, epoch: 1, role: "looking", leader: 0, serving: false });
  breaks(name, () => scene.role({ replica: 1, epoch: 1 }), /second time/);
});

test("a batch of an epoch that nobody led", () => {
  const scene = watched();
  scene.epoch = 7;
  breaks(name, () => scene.write(put("/a")), /nobody led/);
});
