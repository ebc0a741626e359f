/** Client sessions' lanes by themselves, against a scripted stream: each rule of `session-lane.ts`. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { anyone, sessionIdOf } from "@quorate/api";
import { linkLimits } from "./limits.ts";
import { attached, done, fenced, ScriptedStream, session, start, zxid } from "./session-lane-fixture.test-support.ts";
import { unavailable } from "./stream.ts";

describe("a session's writes", () => {
  it("leave under their numbers once the replica has echoed the fence, and are answered in order", () => {
    const f = start();
    const lane = f.attach();
    f.attaching[0]?.(attached(2, 6));
    assert.deepEqual([f.told, f.home.take()], [["opened at 6"], ["lane 2 fence 1"]]);
    f.write(lane, 7);
    f.write(lane, 8);
    assert.deepEqual(f.home.take(), []);
    f.state(6, 1, 2);
    assert.deepEqual(f.home.take(), ["7 /w/7", "8 /w/8"]);
    f.told.splice(0);
    f.written(8);
    assert.deepEqual(f.told, []);
    f.written(7);
    assert.deepEqual(f.told, ["7 ok 107", "8 ok 108"]);
  });

  it("are sent again for their outcomes, from any lower number, and then go on", () => {
    const f = start();
    const lane = f.open(6);
    for (const sequence of [5, 6, 7]) f.write(lane, sequence);
    assert.deepEqual(f.home.take(), ["5 /w/5", "6 /w/6", "7 /w/7"]);
    f.write(lane, 6);
    assert.deepEqual(f.home.take(), [], "another order of numbers waits for what is under way");
    for (const sequence of [5, 6, 7]) f.written(sequence);
    assert.deepEqual(f.home.take(), ["6 /w/6"]);
    f.write(lane, 8);
    f.written(6);
    assert.deepEqual(f.home.take(), ["8 /w/8"]);
    f.written(8);
    assert.deepEqual(f.told, ["5 ok 105", "6 ok 106", "7 ok 107", "6 ok 106", "8 ok 108"]);
  });

  it("that leave a gap, or acknowledge too little, are not taken, nor what is behind them", () => {
    const f = start();
    const lane = f.open(3);
    f.write(lane, 5);
    f.write(lane, 4);
    f.write(lane, 5);
    assert.deepEqual(f.home.take(), ["4 /w/4", "5 /w/5"]);
    const far = {
      sequence: 6,
      answeredUpTo: 0,
      identity: anyone,
      operation: { kind: "closeSession", session },
    } as const;
    const late = start();
    const other = late.open(2000);
    const answers: string[] = [];
    for (const sequence of [2001, 2002]) {
      other.write({ ...far, sequence }, ({ answer, decided }) => {
        assert.ok(answer.kind === "unavailable");
        answers.push(`${answer.code} ${decided}`);
      });
    }
    assert.deepEqual(answers, ["badArguments false", "badArguments false"]);
    late.write(other, 2001);
    assert.deepEqual(late.home.take(), ["2001 /w/2001"]);
    f.written(4);
    assert.deepEqual(f.told, ["5 badArguments noEffect undecided", "4 ok 104"]);
  });

  it("refused for want of a leader keep their numbers and are sent again", async () => {
    const f = start();
    const lane = f.open();
    f.write(lane, 1);
    f.write(lane, 2);
    f.home.take();
    f.refuse(1, "noLeader");
    f.write(lane, 3);
    await fenced(f);
    assert.deepEqual(f.home.take(), ["lane 1 fence 2"]);
    f.state(0, 2);
    assert.deepEqual(f.home.take(), ["1 /w/1", "2 /w/2", "3 /w/3"]);
    assert.deepEqual(f.told, []);
  });

  it("refused with something to say are given back, with all behind them, sent or not, here or on their way", async () => {
    const f = start();
    const lane = f.open();
    for (const sequence of [1, 2, 3]) f.write(lane, sequence);
    f.written(1);
    f.refuse(2, "quotaExceeded");
    f.write(lane, 4);
    f.write(lane, 2, "/another");
    f.write(lane, 3);
    f.home.take();
    await fenced(f);
    f.state(1, 2);
    assert.deepEqual(f.home.take(), ["lane 1 fence 2", "2 /another", "3 /w/3"]);
    const given = [2, 3, 4].map((each) => `${each} quotaExceeded noEffect undecided`);
    assert.deepEqual(f.told, ["1 ok 101", ...given]);
  });

  it("that may be in another try are never given back", async () => {
    const f = start();
    const lane = f.open();
    f.write(lane, 1);
    f.lanes.lost(f.home);
    f.lanes.moved(f.home);
    f.lanes.pump();
    f.state(0, 2);
    f.write(lane, 2);
    assert.deepEqual(f.home.take(), ["1 /w/1", "lane 1 fence 2", "1 /w/1", "2 /w/2"]);
    f.refuse(1, "throttled");
    assert.deepEqual(f.told, [], "2 is refused, too, but behind 1");
    await fenced(f);
    f.state(0, 3);
    assert.deepEqual(f.home.take(), ["lane 1 fence 3", "1 /w/1"]);
    f.written(1);
    assert.deepEqual(f.told, ["1 ok 101", "2 throttled noEffect undecided"]);
    f.write(lane, 2);
    assert.deepEqual(f.home.take(), ["2 /w/2"]);
  });
});

it("a refusal of an earlier try is not heard before the replica has echoed the newest fence", () => {
  const f = start();
  const lane = f.open();
  f.write(lane, 1);
  f.state(0, 1);
  f.refuse(1, "throttled");
  f.state(0, 2);
  assert.deepEqual(f.home.take(), ["1 /w/1", "lane 1 fence 2", "1 /w/1"]);
  assert.deepEqual(f.told, []);
});

describe("a session's lane", () => {
  it("ends when the session was attached elsewhere, is over, or the history was set back", () => {
    const ends: [string, (f: ReturnType<typeof start>) => void][] = [
      ["ended sessionMoved", (f) => f.state(0, 1, 2)],
      ["ended sessionExpired", (f) => f.state(0, 1, 0, false)],
      ["ended connectionLoss", (f) => f.state(3, 1)],
      ["ended connectionLoss", (f) => f.refuse(1, "tooLarge")],
    ];
    for (const [at, [told, happens]] of ends.entries()) {
      const f = start();
      const lane = f.open(4);
      f.write(lane, 5);
      f.read(lane);
      if (at === 3) {
        // Of unknown fate, and refused for good.
        f.lanes.lost(f.home);
        f.lanes.moved(f.home);
        f.lanes.pump();
        f.state(4, 2);
        f.refuse(5, "tooLarge");
      } else happens(f);
      assert.deepEqual(f.told, [told]);
      assert.equal(f.lanes.size, 0);
      assert.equal(f.lanes.bytes, 0);
      assert.equal(f.reads[0]?.givenUp, true);
      f.written(5);
      f.write(lane, 6);
      assert.deepEqual(f.told, [told], "nothing comes after the last word");
    }
    const f = start();
    const lane = f.open();
    f.write(lane, 1);
    const moved = { ok: false, zxid: zxid(9), code: "sessionMoved", detail: "" } as const;
    f.lanes.written(f.home, { kind: "written", session, sequence: 1, outcome: moved });
    assert.deepEqual(f.told, ["ended sessionMoved"]);
  });

  it("ends when the same session is attached once more here, and its late fence is nobody's", () => {
    const f = start();
    const former = f.open();
    f.write(former, 1);
    f.home.take();
    f.attach();
    f.attaching.shift()?.(attached(2, 0));
    assert.deepEqual(f.told, ["opened at 0", "ended sessionMoved"]);
    assert.deepEqual(f.home.take(), ["lane 2 fence 2"]);
    f.state(0, 1, 1);
    assert.deepEqual(f.home.take(), []);
    assert.equal(f.lanes.size, 1);
  });

  it("says why it could not be opened; an outcome that comes late displaces no newer one", () => {
    const f = start();
    f.attach();
    f.attaching.shift()?.(unavailable("noLeader", "noEffect", ""));
    f.attach();
    const wrong = { ok: false, zxid: zxid(9), code: "authFailed", detail: "" } as const;
    f.attaching.shift()?.({ kind: "outcome", outcome: wrong, servedBy: 1, ageMillis: 0 });
    f.attach();
    f.attach();
    f.attaching[1]?.(attached(3, 0));
    f.attaching[0]?.(attached(2, 0));
    assert.deepEqual(f.told, ["ended noLeader", "ended authFailed", "opened at 0", "ended sessionMoved"]);
    const before = f.attach();
    before.close();
    f.attaching[2]?.(attached(4, 0));
    assert.equal(f.told.length, 4, "who has closed it hears nothing");
  });

  it("is not writable while its window is full, says when it is again, and refuses beyond", () => {
    const f = start();
    const lane = f.open();
    for (let sequence = 1; sequence <= linkLimits.sessionRequests; sequence += 1) {
      assert.equal(lane.writable, true);
      f.write(lane, sequence);
    }
    assert.equal(lane.writable, false);
    f.write(lane, linkLimits.sessionRequests + 1);
    f.read(lane);
    const half = linkLimits.sessionRequests / 2;
    for (let sequence = 1; sequence < half + 2; sequence += 1) f.written(sequence);
    assert.equal(f.told.includes("drained"), false);
    f.written(half + 2);
    assert.equal(f.told.at(-1), "drained");
    for (let sequence = half + 3; sequence <= linkLimits.sessionRequests; sequence += 1) f.written(sequence);
    assert.deepEqual(f.told.slice(-2), [
      `${linkLimits.sessionRequests + 1} throttled noEffect undecided`,
      "read /r throttled noEffect",
    ]);
    assert.equal(f.lanes.bytes, 0);
  });

  it("waits for a stream that is full, and goes on when it has drained", () => {
    const f = start();
    const lane = f.open();
    f.write(lane, 1);
    f.home.writable = false;
    f.write(lane, 2);
    f.lanes.pump();
    assert.deepEqual(f.home.take(), ["1 /w/1"]);
    f.home.writable = true;
    f.lanes.pump();
    assert.deepEqual(f.home.take(), ["2 /w/2"]);
    f.state(0, 1);
    f.home.writable = false;
    f.state(0, 2);
    assert.deepEqual(f.home.take(), ["lane 1 fence 2"]);
    f.home.writable = true;
    f.lanes.pump();
    assert.deepEqual(f.home.take(), ["1 /w/1", "2 /w/2"], "also what is sent again");
  });

  it("is sent again when nothing is answered for long, and says `lane` again", async () => {
    const f = start();
    const lane = f.open();
    f.write(lane, 1);
    f.home.take();
    for (let each = 0; each < 70; each += 1) {
      await f.world.run(100);
      f.lanes.tick(f.world.now());
      f.lanes.check(f.world.now());
    }
    assert.deepEqual(f.home.take(), ["lane 1 fence 2"]);
    await fenced(f, 3100);
    assert.deepEqual(f.home.take(), ["lane 1 fence 3"]);
  });
});

it("many lanes follow the home some at a time", () => {
  const f = start();
  const count = 1000;
  for (let each = 0; each < count; each += 1) {
    const id = sessionIdOf(zxid(1000 + each));
    f.attach(id);
    f.attaching.shift()?.(attached(1, 0, id));
  }
  assert.equal(f.home.take().length, count);
  f.lanes.lost(f.home);
  f.lanes.moved(undefined);
  f.lanes.moved(f.home);
  const turns: number[] = [];
  for (let sum = 0; sum < count; sum += turns.at(-1) ?? count) {
    f.lanes.pump();
    turns.push(f.home.take().length);
  }
  assert.deepEqual(turns, [256, 256, 256, 232]);
  f.lanes.stop();
  assert.equal(f.told.filter((each) => each === "ended connectionLoss").length, count);
  assert.equal(f.lanes.size, 0);
});

it("what a former home says is heard as an outcome, not as a refusal", () => {
  const f = start();
  const lane = f.open();
  const former = new ScriptedStream(2);
  f.write(lane, 1);
  f.lanes.refused(former, {
    kind: "refused",
    session,
    sequence: 1,
    code: "throttled",
    detail: "",
    retryAfterMillis: 1,
  });
  assert.deepEqual(f.told, []);
  f.lanes.written(former, { kind: "written", session, sequence: 1, outcome: done(7) });
  assert.deepEqual(f.told, ["1 ok 7"]);
});
