/** The link's reads, renewals, hand-overs, its view of the cluster and its end, against an ensemble in memory. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { composeZxid, sessionIdOf } from "@quorate/api";
import { brief, create, member, read, setUp, watch } from "./link-fixture.test-support.ts";

const hash = new Uint8Array(32).fill(1);
const wrongHash = new Uint8Array(32).fill(13);
const session = (counter: number) => sessionIdOf(composeZxid(1, counter));

describe("reads", () => {
  it("go to the leader; stale ones tell their age", async () => {
    const { world, link } = setUp();
    await world.run(50);
    const linearizable = watch(link.read(read("linearizable"), 1000));
    const stale = watch(link.read(read("stale"), 1000));
    await world.run(20);
    const { answer } = linearizable;
    assert.ok(answer?.kind === "outcome" && answer.outcome.ok && answer.servedBy === 1);
    assert.ok(stale.answer?.kind === "outcome" && stale.answer.ageMillis === 7);
  });

  it("that are stale need no leader, the others end as 503 by their deadline", async () => {
    const { world, ensemble, link } = setUp();
    ensemble.elect(0);
    await world.run(50);
    assert.equal(link.status.home, 0);
    const stale = watch(link.read(read("stale"), 1000));
    const session = watch(link.read(read("session"), 300));
    await world.run(20);
    assert.equal(brief(stale.answer), "ok");
    await world.run(300);
    assert.equal(brief(session.answer), "noLeader noEffect");
    assert.equal(link.status.calls, 0);
  });

  it("are asked again when the stream breaks, and when the home moves from a stopped leader", async () => {
    const { world, ensemble, link } = setUp();
    await world.run(50);
    const first = Array.from({ length: 100 }, () => watch(link.read(read("linearizable"), 3000)));
    await world.run(0.5);
    ensemble.breakStream(1);
    await world.run(300);
    assert.ok(first.every((each) => brief(each.answer) === "ok"));
    ensemble.pause(1, 60_000);
    const second = watch(link.read(read("linearizable"), 3000));
    await world.run(50);
    ensemble.elect(2, false);
    await world.run(50);
    assert.ok(second.answer?.kind === "outcome" && second.answer.servedBy === 2);
  });

  it("that meet a replica behind are tried again, and answered `behind` at the end", async () => {
    const { world, ensemble, link } = setUp();
    await world.run(50);
    ensemble.faults.behind = 1;
    const late = watch(link.read(read("session"), 2000));
    const never = watch(link.read(read("session"), 400));
    await world.run(500);
    assert.equal(brief(never.answer), "behind noEffect");
    ensemble.faults.behind = 0;
    await world.run(200);
    assert.equal(brief(late.answer), "ok");
  });

  it("without an answer end by their deadline", async () => {
    const { world, ensemble, link } = setUp();
    await world.run(50);
    ensemble.faults.noQuorum = true;
    const box = watch(link.read(read("linearizable"), 500));
    await world.run(495);
    assert.equal(brief(box.answer), "none");
    await world.run(30);
    assert.equal(brief(box.answer), "noLeader noEffect");
  });
});

describe("renewals", () => {
  it("of one turn are one message, each session with each secret by itself", async () => {
    const { world, ensemble, link } = setUp();
    await world.run(50);
    const before = member(ensemble, 1).touches;
    const good = Array.from({ length: 500 }, (_, each) => watch(link.renew(session(each % 250), hash, 1000)));
    const bad = watch(link.renew(session(3), wrongHash, 1000));
    await world.run(20);
    assert.ok(good.every((each) => each.answer?.kind === "renewed" && each.answer.servedBy === 1));
    assert.equal(bad.answer?.kind, "badSecret");
    assert.equal(member(ensemble, 1).touches - before, 2);
  });

  it("wait for a leader, and end as `behind`", async () => {
    const { world, ensemble, link } = setUp();
    await world.run(50);
    ensemble.elect(0);
    const never = watch(link.renew(session(1), hash, 300));
    const late = watch(link.renew(session(1), hash, 3000));
    await world.run(350);
    assert.equal(brief(never.answer), "behind noEffect");
    ensemble.elect(2);
    await world.run(100);
    assert.equal(late.answer?.kind, "renewed");
  });

  it("are said again after a broken stream", async () => {
    const { world, ensemble, link } = setUp();
    await world.run(50);
    const box = watch(link.renew(session(1), hash, 3000));
    await world.run(0.5);
    ensemble.breakStream(1);
    await world.run(300);
    assert.equal(box.answer?.kind, "renewed");
  });
});

describe("the cluster", () => {
  it("is known by its leader, its members and the silent addresses; ages go on", async () => {
    const { world, ensemble, link } = setUp({ replicas: ["r1:7400", "r9:7400"] });
    await world.run(600);
    assert.deepEqual(link.cluster().silent, ["r9:7400"]);
    assert.deepEqual(
      link.cluster().members.map((each) => each.id),
      [1, 2, 3],
    );
    await world.run(2000);
    assert.equal(link.status.connectedReplicas, 3, "further members are learned");
    ensemble.breakStream(1);
    member(ensemble, 1).down = true;
    ensemble.elect(2);
    member(ensemble, 1).leads = 0;
    await world.run(3000);
    const { leader, members } = link.cluster();
    assert.equal(leader, 2);
    assert.equal(members.length, 3);
    assert.ok(members.every((each) => each.agoMillis >= 0));
  });

  it("hands over by its leader; a broken stream leaves it unknown", async () => {
    const { world, ensemble, link } = setUp();
    await world.run(50);
    const done = watch(link.handOver(2, 1000));
    await world.run(20);
    assert.equal(brief(done.answer), "ok");
    const cut = watch(link.handOver(2, 1000));
    await world.run(0.1);
    ensemble.breakStream(1);
    await world.run(100);
    assert.equal(brief(cut.answer), "connectionLoss unknown");
    ensemble.elect(0);
    await world.run(5);
    const none = watch(link.handOver(2, 200));
    await world.run(250);
    assert.equal(brief(none.answer), "noLeader noEffect");
  });

  it("with a local home stays there whoever leads", async () => {
    const { world, ensemble, link } = setUp({ home: "local", replicas: ["r1:7400"] });
    await world.run(50);
    ensemble.elect(2);
    await world.run(50);
    assert.equal(link.status.home, 1);
    assert.equal(link.cluster().leader, 2);
    assert.equal(link.status.connectedReplicas, 1);
    const box = watch(link.read(read("stale"), 500));
    await world.run(50);
    assert.ok(box.answer?.kind === "outcome" && box.answer.servedBy === 1);
  });
});

describe("the end", () => {
  it("answers all that waits, closes the session and refuses what comes; twice is once", async () => {
    const { world, ensemble, link } = setUp();
    await world.run(50);
    let ready = false;
    void link.ready().then(() => {
      ready = true;
    });
    ensemble.faults.commitMillis = 100;
    const boxes = Array.from({ length: 1050 }, () => watch(link.write(create(), 5000)));
    const renewal = watch(link.renew(session(1), hash, 1000));
    await world.run(0.1);
    const reading = watch(link.read(read("linearizable"), 1000));
    const stopped = watch(link.stop().then(() => "stopped"));
    const again = watch(link.stop().then(() => "stopped"));
    await world.run(0);
    await world.run(0);
    const answers = boxes.map((each) => brief(each.answer));
    assert.equal(answers.filter((each) => each === "connectionLoss unknown").length, 1024);
    assert.equal(answers.filter((each) => each === "noLeader noEffect").length, 26);
    assert.equal(brief(reading.answer), "noLeader noEffect");
    assert.equal(brief(renewal.answer), "behind noEffect");
    assert.equal(brief(await link.write(create(), 1000)), "noLeader noEffect");
    assert.equal(brief(await link.read(read("stale"), 1000)), "noLeader noEffect");
    await world.run(400);
    assert.equal(stopped.answer, "stopped");
    assert.equal(again.answer, "stopped");
    assert.ok(ready);
    assert.equal(member(ensemble, 1).streams.size, 0);
  });

  it("closes the gateway's session", async () => {
    const { world, ensemble, link } = setUp();
    await world.run(50);
    assert.equal(ensemble.state.lanes.size, 1);
    const stopped = watch(link.stop().then(() => "stopped"));
    await world.run(20);
    assert.equal(stopped.answer, "stopped");
    assert.equal(ensemble.state.lanes.size, 0);
  });

  it("comes in time when nobody answers", async () => {
    const { world, ensemble, link } = setUp();
    await world.run(50);
    ensemble.faults.noQuorum = true;
    const stopped = watch(link.stop().then(() => "stopped"));
    await world.run(350);
    assert.equal(stopped.answer, "stopped");
  });
});
