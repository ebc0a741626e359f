/** Reads on client sessions' lanes, against a scripted stream: how they stand in one order with the writes. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { anyone, type Path, persistentShape } from "@quorate/api";
import { fenced, get, session, set, shown, start, zxid } from "./session-lane-fixture.test-support.ts";
import { unavailable } from "./stream.ts";

describe("a session's reads", () => {
  it("are asked behind the last write, at once, and answered in their turn", () => {
    const f = start();
    const lane = f.open();
    f.read(lane);
    f.write(lane, 1);
    f.write(lane, 2);
    f.read(lane, "/s");
    assert.deepEqual(
      f.reads.map(({ request }) => request.behind?.sequence),
      [undefined, 2],
    );
    f.reads[1]?.answer(shown(102));
    assert.deepEqual(f.told, []);
    f.reads[0]?.answer(shown(90));
    assert.deepEqual(f.told, ["read /r ok 90"]);
    f.written(1);
    f.written(2);
    assert.deepEqual(f.told.slice(1), ["1 ok 101", "2 ok 102", "read /s ok 102"]);
    f.read(lane);
    assert.equal(f.reads[2]?.request.minZxid, zxid(102), "it is not older than what was answered");
    assert.equal(f.reads[2]?.request.behind?.sequence, 2);
  });

  it("show what was written before the session was attached here, whatever is asked of it again", () => {
    const f = start();
    const lane = f.open(5, 2);
    f.read(lane);
    f.write(lane, 3);
    f.read(lane);
    f.written(3);
    assert.deepEqual(
      f.reads.map(({ request }) => request.behind?.sequence),
      [5, 5],
    );
  });

  it("hold a write that they could see, and what is behind it, but no other", () => {
    const f = start();
    const lane = f.open();
    f.read(lane, "/a");
    f.write(lane, 1, "/b");
    f.write(lane, 2, "/a");
    f.write(lane, 3, "/c");
    f.read(lane, "/d");
    assert.deepEqual(f.home.take(), ["1 /b"]);
    assert.equal(f.reads.length, 1);
    f.reads[0]?.answer(shown(50));
    assert.deepEqual(f.home.take(), ["2 /a", "3 /c"]);
    assert.equal(f.reads[1]?.request.behind?.sequence, 3);
  });

  it("know what they could see: a child, a name that is not known yet, whatever is wide", () => {
    const shape = { data: new Uint8Array(0), shape: persistentShape } as const;
    const plain = { kind: "create", path: "/a/b" as Path, sequential: false, parents: false, ...shape } as const;
    const held = [
      plain,
      { ...plain, path: "/x/y" as Path, parents: true },
      { ...plain, path: "/x/y" as Path, sequential: true },
      { kind: "delete", path: "/x" as Path, condition: {}, recursive: true },
      { kind: "closeSession", session },
      { kind: "txn", check: [], then: [] },
    ] as const;
    for (const operation of held) {
      const f = start();
      const lane = f.open();
      f.read(lane, "/a");
      f.write(lane, 1, "", operation);
      assert.deepEqual(f.home.take(), [], operation.kind);
    }
    for (const path of ["/a/b/c", "/ab", "/"]) {
      const f = start();
      const lane = f.open();
      f.read(lane, "/a");
      f.write(lane, 1, path);
      assert.deepEqual(f.home.take(), [`1 ${path}`]);
    }
  });

  it("behind a write that is given back are asked again, behind the one before", () => {
    const f = start();
    const lane = f.open();
    f.write(lane, 1);
    f.write(lane, 2);
    f.read(lane);
    f.refuse(2, "throttled");
    assert.deepEqual(
      f.reads.map(({ request, givenUp }) => [request.behind?.sequence, givenUp]),
      [
        [2, true],
        [1, false],
      ],
    );
    f.reads[0]?.answer(shown(99));
    f.reads[1]?.answer(shown(101));
    f.written(1);
    assert.deepEqual(f.told, ["1 ok 101", "2 throttled noEffect undecided", "read /r ok 101"]);
  });

  it("that are older than what was answered before them are asked again", () => {
    const f = start();
    const lane = f.open();
    f.read(lane, "/a");
    f.read(lane, "/b");
    f.reads[1]?.answer(shown(40));
    f.reads[0]?.answer(shown(50));
    assert.deepEqual(f.told, ["read /a ok 50"]);
    assert.equal(f.reads[2]?.request.minZxid, zxid(50));
    f.reads[2]?.answer(shown(51));
    assert.deepEqual(f.told, ["read /a ok 50", "read /b ok 51"]);
  });

  it("go on while the lane does not flow, and wait for no write behind them", async () => {
    const f = start();
    const lane = f.open();
    f.write(lane, 1, "/a");
    f.read(lane, "/a");
    f.refuse(1, "noLeader");
    await fenced(f);
    f.state(0, 2);
    assert.deepEqual(f.home.take(), ["1 /a", "lane 1 fence 2", "1 /a"], "the read came behind it");
    f.lanes.moved(undefined);
    f.read(lane, "/b");
    assert.equal(f.reads.length, 2);
  });

  it("that are answered at once, to clients that give more at once, lose nothing", () => {
    const f = start();
    const lane = f.open();
    const order: string[] = [];
    let sequence = 0;
    /** Each answer to a read gives a write, and each answer to a write gives a read. */
    const look = (): void => {
      lane.read(get("/r"), 1000, () => {
        order.push("read");
        const number = ++sequence;
        lane.write({ sequence: number, answeredUpTo: 0, identity: anyone, operation: set(`/w/${number}`) }, () => {
          order.push(`write ${number}`);
          if (number < 3) look();
        });
      });
    };
    f.atOnce.answer = shown(1);
    look();
    assert.deepEqual(f.home.take(), ["1 /w/1"]);
    f.atOnce.answer = unavailable("throttled", "noEffect", "");
    f.written(1);
    assert.deepEqual(f.home.take(), ["2 /w/2"]);
    f.written(2);
    f.written(3);
    assert.deepEqual(order, ["read", "write 1", "read", "write 2", "read", "write 3"]);
    assert.equal(f.lanes.bytes, 0);
  });
});
