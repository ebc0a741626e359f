import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Stat, Zxid } from "@quorate/api";
import type { GatewayWorld } from "../ports.ts";
import type { Leaving } from "./context.ts";
import { Counts } from "./counts.ts";
import { replyLimitBytes } from "./encode.ts";
import { Slabs } from "./jute.ts";
import { zookeeperLimits } from "./limits.ts";
import { Outbox, type Place } from "./outbox.ts";
import { readOut } from "./watches-scene.test-support.ts";

const stat: Stat = {
  czxid: 1 as Zxid,
  mzxid: 1 as Zxid,
  pzxid: 1 as Zxid,
  ctime: 0,
  mtime: 0,
  version: 0,
  cversion: 0,
  aversion: 0,
  ephemeralOwner: 0 as Stat["ephemeralOwner"],
  dataLength: 0,
  numChildren: 0,
  kind: "persistent",
  ttlMillis: 0,
};

class Scene {
  readonly written: string[][] = [];
  readonly outbox: Outbox;
  readonly counts = new Counts();
  unsent = 0;
  #soon: (() => void)[] = [];
  #xid = 0;

  constructor() {
    const world = { now: () => 5, next: (run: () => void) => void this.#soon.push(run) } as GatewayWorld;
    const write = (bytes: Uint8Array): void => void this.written.push(readOut(bytes));
    const unsent = (): number => this.unsent;
    this.outbox = new Outbox({ world, slabs: new Slabs(), limits: zookeeperLimits, write, unsent }, 3 as Zxid);
  }

  place(leaving?: Leaving): Place {
    this.#xid += 1;
    const place = this.outbox.place(this.#xid, this.counts.of("getData"), 1);
    place.leaving = leaving;
    return place;
  }

  fill(place: Place, zxid: number, code = 0): void {
    this.outbox.fill(place, zxid as Zxid, code);
  }

  event(zxid: number, path: string, place = 0): void {
    this.outbox.event({ zxid: zxid as Zxid, type: 3, path, place });
  }

  /** What goes out in this turn. */
  turn(): string[] {
    const soon = this.#soon;
    this.#soon = [];
    for (const run of soon) run();
    return this.written.splice(0).flat();
  }
}

describe("outbox", () => {
  it("replies leave in the order of their requests, all of a turn in one write", () => {
    const scene = new Scene();
    const [first, second, third] = [scene.place(), scene.place(), scene.place()];
    scene.fill(third, 9);
    scene.fill(second, 8);
    assert.deepEqual(scene.turn(), []);
    assert.equal(scene.outbox.outstanding, 3);
    scene.fill(first, 7);
    assert.equal(scene.outbox.outstanding, 0);
    assert.deepEqual(scene.written, [], "nothing before the turn is over");
    assert.deepEqual(scene.turn(), ["reply 1 @7", "reply 2 @8", "reply 3 @9"]);
  });

  it("no reply's zxid is below one before it, which its client would ask for less by when it comes back", () => {
    const scene = new Scene();
    const left: number[] = [];
    const leave = (zxid: number, code: number): number => {
      left.push(zxid);
      return code;
    };
    const [read, write, failed] = [scene.place(), scene.place({ leave }), scene.place()];
    scene.fill(write, 8);
    scene.fill(failed, 0, -8);
    scene.fill(read, 9);
    assert.deepEqual(scene.turn(), ["reply 1 @9", "reply 2 @9", "reply 3 @9 -8"]);
    assert.deepEqual(left, [8], "who has a part in it hears of which state it is");
  });

  it("an event leaves before replies of its zxid and above, and behind lower ones of the same turn", () => {
    const scene = new Scene();
    const places = [scene.place(), scene.place(), scene.place()] as const;
    scene.event(11, "/late");
    scene.event(10, "/b", 1);
    scene.event(10, "/a", 0);
    scene.fill(places[0], 9);
    scene.fill(places[1], 10);
    scene.fill(places[2], 10);
    assert.deepEqual(scene.turn(), [
      "reply 1 @9",
      "changed /a @10",
      "changed /b @10",
      "reply 2 @10",
      "reply 3 @10",
      "changed /late @11",
    ]);
    scene.event(12, "/held");
    assert.deepEqual(scene.turn(), ["changed /held @12"], "to the end of the turn and no longer");
  });

  it("what the door answers by itself bears the newest zxid that was put out before it", () => {
    const scene = new Scene();
    const places = [scene.place(), scene.place(), scene.place()] as const;
    scene.fill(places[1], 0, -8);
    scene.fill(places[0], 7);
    scene.fill(places[2], 6);
    scene.outbox.direct(-2, 0);
    assert.deepEqual(scene.turn(), ["reply 1 @7", "reply 2 @7 -8", "reply 3 @7", "reply -2 @7"]);
  });

  it("who has a part in a reply's leaving is told then, and its events come behind it", () => {
    const scene = new Scene();
    const heard: string[] = [];
    const leaving: Leaving = {
      leave: (zxid, code) => {
        heard.push(`${zxid} ${code}`);
        scene.event(8, "/armed");
        return -121;
      },
    };
    const places = [scene.place(), scene.place(leaving), scene.place()] as const;
    scene.fill(places[1], 7);
    assert.deepEqual(heard, [], "not before its turn");
    scene.event(7, "/before");
    scene.fill(places[0], 6);
    scene.fill(places[2], 9);
    assert.deepEqual(heard, ["7 0"]);
    assert.deepEqual(scene.turn(), [
      "reply 1 @6",
      "changed /before @7",
      "reply 2 @7 -121",
      "changed /armed @8",
      "reply 3 @9",
    ]);
  });

  it("a reply that is larger than clients read is an error, and who waits for it hears that", () => {
    const scene = new Scene();
    const heard: number[] = [];
    const place = scene.place({
      leave: (_, code) => {
        heard.push(code);
        return code;
      },
    });
    const fits = scene.place();
    const room = replyLimitBytes - 16 - 4 - 68;
    scene.outbox.fill(place, 7 as Zxid, 0, { kind: "data", data: new Uint8Array(room + 1), stat });
    scene.outbox.fill(fits, 7 as Zxid, 0, { kind: "data", data: new Uint8Array(room), stat });
    assert.deepEqual(scene.turn(), ["reply 1 @7 -8", "reply 2 @7"]);
    assert.deepEqual(heard, [-8]);
    const [counts] = [...scene.counts.all];
    assert.deepEqual(
      counts?.all.map(({ code, count, millis }) => [code, count, millis]),
      [
        [0, 1, 4],
        [-8, 1, 4],
      ],
    );
  });

  it("fewer large replies are under way than small ones", () => {
    const scene = new Scene();
    const { firstWindow, leastWindow, window } = zookeeperLimits;
    assert.equal(scene.outbox.window, firstWindow);
    const reply = (bytes: number): void =>
      scene.outbox.fill(scene.place(), 7 as Zxid, 0, { kind: "data", data: new Uint8Array(bytes), stat });
    reply(1_000_000);
    assert.equal(scene.outbox.window, leastWindow);
    for (let i = 0; i < 300; i++) reply(10);
    assert.equal(scene.outbox.window, window);
    const reads = Array.from({ length: firstWindow }, () => scene.place());
    assert.ok(!scene.outbox.admits(0), "small as they were, they may be large again");
    for (const each of reads) scene.fill(each, 7);
    for (let i = 0; i < window - 1; i++) scene.outbox.place(i, scene.counts.of("setData"), 1);
    assert.deepEqual([scene.outbox.admits(0), scene.outbox.admits(1)], [true, false]);
  });

  it("says when there is room for more events", () => {
    const scene = new Scene();
    const ran: string[] = [];
    scene.outbox.whenRoom(() => ran.push("at once"));
    scene.unsent = zookeeperLimits.pausedBytes;
    scene.outbox.whenRoom(() => ran.push("later"));
    scene.outbox.drained();
    assert.deepEqual(ran, ["at once"]);
    scene.unsent = 0;
    scene.outbox.drained();
    scene.outbox.drained();
    assert.deepEqual(ran, ["at once", "later"]);
  });

  it("puts nothing out once it is closed", () => {
    const scene = new Scene();
    const place = scene.place();
    scene.event(9, "/x");
    scene.outbox.close();
    scene.fill(place, 7);
    scene.outbox.direct(-2, 0);
    scene.outbox.whenRoom(() => assert.fail("not any more"));
    assert.deepEqual(scene.turn(), []);
  });
});
