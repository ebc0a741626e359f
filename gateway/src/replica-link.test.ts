/** The link against an ensemble in memory, in virtual time: writes, and each misfortune by itself. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { linkLimits } from "./limits.ts";
import { brief, create, setUp, watch } from "./link-fixture.test-support.ts";

describe("writes", () => {
  it("are answered by the leader, each applied once, in order", async () => {
    const { world, ensemble, link } = setUp();
    const requests = Array.from({ length: 3000 }, () => create());
    const boxes = requests.map((each) => watch(link.write(each, 5000)));
    await world.run(300);
    assert.ok(boxes.every((each) => brief(each.answer) === "ok"));
    const paths = requests.map((each) => each.operation.path);
    assert.deepEqual(ensemble.state.executed, paths);
    assert.equal(link.status.lane, true);
    assert.equal(link.status.unansweredWrites, 0);
    assert.equal(link.status.home, 1);
  });

  it("keep the lane's window while nothing is committed, and end by their deadlines", async () => {
    const { world, ensemble, link } = setUp();
    await world.run(100);
    ensemble.faults.noQuorum = true;
    const boxes = Array.from({ length: 1500 }, () => watch(link.write(create(), 1000)));
    await world.run(500);
    assert.equal(link.status.unansweredWrites, 1024);
    assert.equal(link.status.waitingWrites, 476);
    await world.run(520);
    assert.equal(boxes.filter((each) => brief(each.answer) === "timeout unknown").length, 1024);
    assert.equal(boxes.filter((each) => brief(each.answer) === "noLeader noEffect").length, 476);
    // Given up by their clients, they are decided all the same.
    ensemble.faults.noQuorum = false;
    await world.run(10_000);
    assert.equal(ensemble.state.executed.length, 1024);
    assert.equal(link.status.unansweredWrites, 0);
  });

  it("without any replica are 503 and never left", async () => {
    const { world, ensemble, link } = setUp();
    for (const replica of ensemble.replicas) replica.down = true;
    const box = watch(link.write(create(), 700));
    await world.run(650);
    assert.equal(brief(box.answer), "none");
    await world.run(80);
    assert.equal(brief(box.answer), "noLeader noEffect");
    for (const replica of ensemble.replicas) replica.down = false;
    await world.run(5000);
    assert.equal(ensemble.state.executed.length, 0);
    assert.equal(link.status.lane, true);
  });

  it("beyond the queue's limits are throttled, by count and by bytes", async () => {
    const { link } = setUp();
    for (let each = 0; each < linkLimits.waitingWrites; each += 1) void link.write(create(0), 1000);
    assert.equal(brief(await link.write(create(0), 1000)), "throttled noEffect");
    const other = setUp().link;
    for (let each = 0; each < 64; each += 1) void other.write(create(1_040_000), 1000);
    assert.equal(brief(await other.write(create(1_040_000), 1000)), "throttled noEffect");
  });

  it("survive a broken stream: sent again, applied once", async () => {
    const { world, ensemble, link } = setUp();
    await world.run(100);
    const boxes = Array.from({ length: 200 }, () => watch(link.write(create(), 5000)));
    await world.run(1.2);
    ensemble.breakStream(1);
    await world.run(4000);
    assert.ok(boxes.every((each) => brief(each.answer) === "ok"));
    assert.equal(ensemble.state.executed.length, 200);
  });

  it("move to the new leader", async () => {
    const { world, ensemble, link } = setUp();
    await world.run(100);
    ensemble.faults.commitMillis = 50;
    const boxes = Array.from({ length: 200 }, () => watch(link.write(create(), 5000)));
    await world.run(5);
    ensemble.elect(3);
    await world.run(500);
    assert.ok(boxes.every((each) => brief(each.answer) === "ok"));
    assert.equal(ensemble.state.executed.length, 200);
    assert.equal(link.status.home, 3);
    assert.equal(link.cluster().leader, 3);
  });

  it("move from a stopped leader whose stream stays open", async () => {
    const { world, ensemble, link } = setUp();
    await world.run(100);
    ensemble.pause(1, 60_000);
    const box = watch(link.write(create(), 5000));
    await world.run(100);
    ensemble.elect(2, false);
    await world.run(100);
    assert.equal(brief(box.answer), "ok");
    assert.equal(link.status.home, 2);
    await world.run(4000);
    assert.equal(link.status.connectedReplicas, 2, "a silent stream is given up");
  });

  it("refused for want of a leader are 503 when no try was taken, and their numbers are used again", async () => {
    const { world, ensemble, link } = setUp();
    await world.run(100);
    ensemble.faults.refuse = 1;
    const boxes = Array.from({ length: 50 }, () => watch(link.write(create(), 300)));
    await world.run(400);
    assert.ok(boxes.every((each) => brief(each.answer) === "noLeader noEffect"));
    ensemble.faults.refuse = 0;
    const box = watch(link.write(create(), 1000));
    await world.run(500);
    assert.equal(brief(box.answer), "ok");
    assert.equal(ensemble.state.executed.length, 1);
  });

  for (const code of ["quotaExceeded", "throttled"] as const) {
    it(`refused as ${code} are told so at once`, async () => {
      const { world, ensemble, link } = setUp();
      await world.run(100);
      Object.assign(ensemble.faults, { refuse: 1, codes: [code], chatty: true });
      const boxes = Array.from({ length: 50 }, () => watch(link.write(create(), 10_000)));
      await world.run(20);
      assert.ok(boxes.every((each) => brief(each.answer) === `${code} noEffect`));
      ensemble.faults.refuse = 0;
      const box = watch(link.write(create(), 1000));
      await world.run(500);
      assert.equal(brief(box.answer), "ok");
    });
  }

  it("refused for a fault of their own are told alone", async () => {
    const { world, ensemble, link } = setUp();
    await world.run(100);
    Object.assign(ensemble.faults, { refuse: 1, codes: ["tooLarge"] });
    const boxes = [create(), create()].map((each) => watch(link.write(each, 5000)));
    await world.run(4);
    ensemble.faults.refuse = 0;
    await world.run(500);
    assert.deepEqual(
      boxes.map((each) => brief(each.answer)),
      ["tooLarge noEffect", "ok"],
    );
  });

  it("of a session that ended are of unknown fate; those that waited go on in a new one", async () => {
    const { world, ensemble, link, logged } = setUp();
    await world.run(100);
    ensemble.faults.noQuorum = true;
    const boxes = Array.from({ length: 1100 }, () => watch(link.write(create(), 5000)));
    await world.run(20);
    ensemble.state.lanes.clear();
    ensemble.faults.noQuorum = false;
    ensemble.elect(1);
    await world.run(1000);
    const answers = boxes.map((each) => brief(each.answer));
    assert.equal(answers.filter((each) => each === "connectionLoss unknown").length, 1024);
    assert.equal(answers.filter((each) => each === "ok").length, 76);
    assert.ok(logged.some((each) => each.includes("opened anew")));
  });

  it("learn by the touch that the session expired", async () => {
    const { world, ensemble, link } = setUp();
    await world.run(100);
    ensemble.state.lanes.clear();
    await world.run(2500);
    assert.equal(ensemble.state.lanes.size, 1);
    assert.equal(link.status.lane, true);
  });
});
