/** Cases by hand: for rules whose lack no simulation shows (`byHand`), and for some that it shows only by chance. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeCommand, joinCommands, type SessionId, type Zxid } from "@quorate/api";
import { decodeToGateway, type ToGateway } from "@quorate/proto";
import { Tree } from "@quorate/tree";
import { Home } from "../../../services/replica/src/home.ts";
import { Leadership } from "../../../services/replica/src/leadership.ts";
import { Members } from "../../../services/replica/src/members.ts";
import type { Storage } from "../../../services/replica/src/storage.ts";
import type { Clock } from "../../../services/replica/src/world.ts";

const session = 0x1_0000_0001 as SessionId;
const identity = { ids: [], superUser: false };

interface Leader {
  readonly world: { now: number; confirmedAt: number };
  /** How many sessions it has judged since it was last asked. */
  judged(): number;
}

/** A leader of one session that lives for a second, confirmed at 0. */
function leader(): Leader {
  const world = { now: 0, confirmedAt: 0 };
  const tree = { sessions: () => [{ id: session, timeoutMillis: 1000 }], lane: () => ({}) };
  const leadership = new Leadership(
    { stamp: 0, rules: 1 },
    {
      clock: { now: () => world.now, wall: () => world.now } as unknown as Clock,
      storage: {} as unknown as Storage,
      members: new Members(1),
      tree: () => tree as unknown as Tree,
      mayPropose: () => true,
      propose: () => {},
      confirmedAt: () => world.confirmedAt,
    },
  );
  leadership.begin();
  leadership.ready();
  return {
    world,
    judged: () => {
      leadership.expire();
      return leadership.submissions.waiting;
    },
  };
}

test("who was confirmed again after a stop has stopped, too: nobody's time went on meanwhile", () => {
  const { world, judged } = leader();
  [world.now, world.confirmedAt] = [8000, 8000];
  assert.equal(judged(), 0);
  for (let now = 8100; now <= 9000; now += 100) {
    [world.now, world.confirmedAt] = [now, now];
    judged();
  }
  assert.equal(judged(), 1, "but it goes on now");
});

test("while nobody confirms the leader, nobody's time goes on", () => {
  const { world, judged } = leader();
  for (world.now = 0; world.now < 5000; world.now += 100) assert.equal(judged(), 0);
});

test("a timer that fires first after a stop judges nobody by the clock", () => {
  const { world, judged } = leader();
  world.now = 8000;
  assert.equal(judged(), 0);
});

/** A tree in which the lane's session is the first transaction. */
function treeWithSession(): Tree {
  const tree = new Tree();
  const operation = {
    kind: "createSession",
    role: "gateway",
    timeoutMillis: 30_000,
    secretHash: new Uint8Array(32),
    name: "",
    address: "",
  } as const;
  const [last, previous] = [session as number as Zxid, 0 as Zxid];
  const payload = joinCommands([encodeCommand({ identity, operation })]);
  tree.apply({ first: last, last, previous, commit: previous, stamp: 1, rules: 1, checksum: 1, payload });
  return tree;
}

test("a refusal that comes late, of a try before the newest fence, is not passed on", () => {
  const told: ToGateway[] = [];
  const tree = treeWithSession();
  const home = new Home({ tree: () => tree, ready: () => true, submit: () => undefined, submitOpen: () => undefined });
  const connection = {
    name: "a gateway",
    rules: 0,
    queuedBytes: 0,
    send: (bytes: Uint8Array) => void told.push(decodeToGateway(bytes) as ToGateway),
    flush: () => {},
    close: (why: string) => assert.fail(why),
  };
  const refusal = { code: "throttled", detail: "", retryAfterMillis: 200 } as const;
  home.lane(connection, { kind: "lane", session, attachment: 1, fence: 1 });
  home.lane(connection, { kind: "lane", session, attachment: 1, fence: 2 });
  home.refused(session, 1, 1, refusal);
  assert.deepEqual(
    told.map((each) => each.kind),
    ["laneState", "laneState"],
  );
  home.refused(session, 1, 2, refusal);
  assert.equal(told.at(-1)?.kind, "refused");
});
