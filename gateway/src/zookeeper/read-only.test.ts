/** Connections that only read, while there is no leader: who gets one, what it shows, and when it ends. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  anyone,
  type Outcome,
  type Path,
  type ReadOperation,
  type SessionId,
  type WriteOperation,
  type Zxid,
  zeroZxid,
} from "@quorate/api";
import { connectRequest } from "../../../test/zookeeper/wire-client.ts";
import type { WireRequest } from "../../../test/zookeeper/wire-records.ts";
import type { Answer, Backend, ReadRequest, SessionLane } from "../backend.ts";
import { type Client, ConnectionScene, type Welcome } from "./connection-scene.test-support.ts";
import { DoorSource } from "./door-source.ts";
import { wordOf } from "./four-letter.ts";
import { Availability, changesSomething, drawSession, ReadOnlyBackend } from "./read-only.ts";

const open = [{ permissions: 31, scheme: "world", id: "anyone" }] as const;
const data = Buffer.from("x");

function create(path: string, flags = 0): WireRequest {
  return { op: "create", path, data, acl: open, flags };
}
function get(path: string, watch = false): WireRequest {
  return { op: "getData", path, watch };
}

function welcomeOf(client: Client): Welcome | undefined {
  return client.welcome;
}

/** An ensemble that may lose its leader: then writes and attachments come to nothing. */
class Scene extends ConnectionScene {
  leader = true;

  constructor() {
    const here = { scene: undefined as Scene | undefined };
    const leads = (): boolean => here.scene?.leader ?? true;
    super((memory) => ({
      write: (request) => (leads() ? memory.write(request) : new Promise(() => undefined)),
      attach: (acting, identity, millis, listener) => {
        if (leads()) return memory.attach(acting, identity, millis, listener);
        return { writable: true, write: () => undefined, read: () => undefined, close: () => undefined };
      },
      renew: (session, hash) => (leads() ? memory.renew(session, hash) : new Promise(() => undefined)),
      read: (request) => {
        if (!leads()) assert.equal(request.consistency, "stale", `a ${request.operation.kind} needs a leader`);
        return memory.read(request);
      },
      listTree: (request) => {
        if (!leads()) assert.equal(request.consistency, "stale");
        return memory.listTree(request);
      },
      cluster: () => ({ ...memory.cluster(), leader: leads() ? 1 : 0 }),
    }));
    here.scene = this;
  }
}

test("after two seconds without a leader a client that asks for it is served what there is", async () => {
  const scene = new Scene();
  const writer = await scene.connect();
  writer.ask(create("/a"), create("/a/b"));
  await scene.settle();
  scene.leader = false;
  const early = scene.bare();
  early.say(connectRequest({ readOnly: true }));
  await scene.wait(1750);
  assert.equal(welcomeOf(early), undefined, "it may be over in a moment");
  await scene.wait(750);
  assert.equal(welcomeOf(early)?.readOnly, true);
  assert.equal(welcomeOf(early)?.timeoutMillis, 10_000);
  assert.ok((welcomeOf(early)?.session ?? 0n) < 0n, "no other door takes its number for a session's");
  const late = await scene.connect({ readOnly: true, timeoutMillis: 1 });
  assert.deepEqual([late.welcome?.readOnly, late.welcome?.timeoutMillis], [true, 4000]);
  assert.notEqual(late.welcome?.session, welcomeOf(early)?.session);
  late.ask(get("/a", true), { op: "getChildren2", path: "/a", watch: true }, get("/none"), {
    op: "getAcl",
    path: "/a",
  });
  late.ask({ op: "getAllChildrenNumber", path: "/a" }, { op: "getEphemerals", prefix: "/" }, { op: "whoAmI" });
  await scene.wait(250);
  assert.deepEqual(late.bodyOf(2), { ...late.bodyOf<object>(2), children: ["b"] });
  assert.deepEqual([late.bodyOf(5), late.bodyOf(6)], [{ total: 1 }, { ephemerals: [] }]);
  assert.equal(late.told.find(({ xid }) => xid === 1)?.zxid, scene.memory.tree.applied);
  assert.deepEqual(late.take(), ["1", "2", "3: -101", "4", "5", "6", "7"]);
});

test("whatever changes something is refused, and so is a sync", async () => {
  const scene = new Scene();
  scene.leader = false;
  scene.door.look();
  await scene.wait(2500);
  const client = await scene.connect({ readOnly: true });
  const path = "/a";
  const refused: readonly WireRequest[] = [
    create(path),
    { op: "create2", path, data, acl: open, flags: 0 },
    { op: "createContainer", path, data, acl: open, flags: 4 },
    { op: "createTtl", path, data, acl: open, flags: 5, ttl: 1000n },
    { op: "delete", path, version: -1 },
    { op: "setData", path, data, version: -1 },
    { op: "setAcl", path, acl: open, version: -1 },
    { op: "multi", operations: [{ op: "check", path, version: 0 }] },
    { op: "reconfig", joining: null, leaving: null, newMembers: null, configId: -1n },
    { op: "sync", path },
  ];
  const xids = client.ask(...refused);
  await scene.settle();
  assert.deepEqual(
    client.take(),
    xids.map((xid) => `${xid}: -119`),
  );
  for (const op of ["getData", "exists", "multiRead", "setWatches", "addWatch", "closeSession", "whoAmI"] as const) {
    assert.equal(changesSomething(op), false, op);
  }
});

test("watches are taken, pings answered; the connection ends with the first sight of a leader", async () => {
  const scene = new Scene();
  const writer = await scene.connect();
  writer.ask(create("/a"), create("/b"));
  await scene.settle();
  const seen = scene.memory.tree.applied;
  writer.ask({ op: "setData", path: "/b", data, version: -1 });
  await scene.settle();
  scene.leader = false;
  scene.door.look();
  await scene.wait(2500);
  const client = await scene.connect({ readOnly: true, lastZxidSeen: BigInt(seen) });
  client.ask(
    get("/a", true),
    { op: "addWatch", path: "/a", mode: 1 },
    { op: "checkWatches", path: "/a", type: 3 },
    { op: "removeWatches", path: "/a", type: 5 },
    { op: "removeWatches", path: "/a", type: 5 },
    { op: "setWatches", relativeZxid: BigInt(seen), data: ["/a", "/b"], exist: [], child: [] },
    { op: "ping" },
  );
  await scene.wait(250);
  // What it missed is told by the znodes themselves.
  assert.deepEqual(client.take().sort(), ["-2", "1", "2", "3", "4", "5: -121", "6", "event 3 /b"].sort());
  await scene.wait(9000);
  assert.equal(client.closed, false);
  client.ask({ op: "ping" });
  scene.leader = true;
  await scene.wait(500);
  assert.equal(client.closed, true);
  assert.match(scene.logged.join("\n"), /there is a leader again/);
});

test("a client that says nothing is closed; one that says goodbye is answered", async () => {
  const scene = new Scene();
  scene.leader = false;
  scene.door.look();
  await scene.wait(2500);
  const [silent, polite] = [await scene.connect({ readOnly: true }), await scene.connect({ readOnly: true })];
  polite.ask({ op: "closeSession" });
  await scene.wait(250);
  assert.deepEqual([polite.take(), polite.closed], [["1"], true]);
  await scene.wait(14_000);
  assert.equal(silent.closed, false);
  await scene.wait(1500);
  assert.equal(silent.closed, true);
});

test("a session that is shown is not given one; a client that does not ask waits for the leader", async () => {
  const scene = new Scene();
  const first = await scene.connect({ readOnly: true });
  assert.equal(first.welcome?.readOnly, false, "with a leader it is a session like any other");
  scene.leader = false;
  scene.door.look();
  const back = scene.bare();
  back.say(connectRequest({ ...first.again, readOnly: true }));
  const plain = scene.bare();
  plain.say(connectRequest({}));
  const old = scene.bare();
  old.say(connectRequest({ readOnly: null }));
  await scene.wait(2500);
  assert.deepEqual([back.closed, back.welcome], [true, undefined]);
  assert.deepEqual([plain.closed, plain.welcome, old.closed, old.welcome], [false, undefined, false, undefined]);
  const reading = await scene.connect({ readOnly: true });
  const foreign = scene.bare();
  foreign.say(connectRequest({ ...reading.again, readOnly: true }));
  await scene.settle();
  assert.deepEqual([foreign.closed, foreign.welcome], [true, undefined]);
  scene.leader = true;
  await scene.wait(250);
  const elsewhere = scene.bare();
  elsewhere.say(connectRequest(reading.again));
  await scene.settle();
  assert.deepEqual([elsewhere.welcome?.timeoutMillis, elsewhere.welcome?.session], [0, 0n], "it is over");
});

test("isro and srvr say so", async () => {
  const scene = new Scene();
  assert.equal(new DoorSource(scene.door).state, "serving");
  scene.leader = false;
  const said: string[] = [];
  const ask = async (word: string): Promise<void> => {
    assert.equal(wordOf(Buffer.from(word).readInt32BE()), word);
    const client = scene.bare();
    client.write = (bytes) => void said.push(Buffer.from(bytes).toString());
    client.connection.received(Buffer.from(word));
    await scene.settle();
    assert.equal(client.ended, true);
  };
  await ask("isro");
  await scene.wait(2500);
  await ask("isro");
  await ask("srvr");
  scene.leader = true;
  await ask("isro");
  assert.deepEqual([said[0], said[1], said[3]], ["null", "ro", "rw"]);
  assert.match(said[2] ?? "", /\nREAD-ONLY mode; serving only read-only clients\n[\s\S]*\nMode: read-only\n/);
});

test("how long there has been no leader counts from when it was first missed", () => {
  const availability = new Availability(2000);
  const view = (leader: number) => ({ leader, members: [], silent: [], newest: zeroZxid });
  const states = [
    [0, 100, "interrupted"],
    [0, 2099, "interrupted"],
    [0, 2100, "readOnly"],
    [3, 2200, "serving"],
    [0, 2300, "interrupted"],
    [0, 4299, "interrupted"],
    [0, 4300, "readOnly"],
  ] as const;
  for (const [leader, now, state] of states) assert.equal(availability.look(view(leader), now), state, `at ${now}`);
});

test("a drawn number is negative, and another one each time", () => {
  const bytes = [Uint8Array.of(0, 0, 0, 0, 0, 0), Uint8Array.of(255, 255, 255, 255, 255, 255)];
  const drawn = bytes.map((each) => drawSession({ randomBytes: () => each }));
  assert.deepEqual(drawn, [-1, -(2 ** 48)]);
});

/** Reads that the test answers, whichever replica they come to. */
class Replicas {
  readonly asked: { readonly request: ReadRequest; answer(zxid: number): void }[] = [];
  readonly backend = {
    read: (request: ReadRequest) => {
      const { promise, resolve } = Promise.withResolvers<Answer>();
      const outcome = (zxid: number): Outcome => ({ ok: true, zxid: zxid as Zxid, result: { kind: "done", count: 0 } });
      const answer = (zxid: number): void =>
        resolve({ kind: "outcome", outcome: outcome(zxid), servedBy: 1, ageMillis: 9 });
      this.asked.push({ request, answer });
      return promise;
    },
  } as unknown as Backend;
}

const acting = { session: -1 as SessionId, secretHash: new Uint8Array(32) };

async function settle(): Promise<void> {
  for (let i = 0; i < 4; i++) await Promise.resolve();
}

/** A lane over replicas that the test plays, opened by their first answer. */
async function openLane(replicas: Replicas): Promise<{ readonly lane: SessionLane; readonly ends: readonly string[] }> {
  const backend = new ReadOnlyBackend(replicas.backend, 4000, 5 as Zxid);
  const ends: string[] = [];
  const lane = backend.attach(acting, anyone, 1000, {
    opened: ({ zxid, timeoutMillis }) => void ends.push(`opened ${zxid} ${timeoutMillis}`),
    ended: ({ code }) => void ends.push(`ended ${code}`),
    drained: () => undefined,
  });
  assert.deepEqual(ends, [], "nothing is called before it has returned");
  replicas.asked[0]?.answer(6);
  await settle();
  return { lane, ends };
}

function read(lane: SessionLane, told: string[], name: string, operation: ReadOperation = { kind: "sync" }): void {
  const request = { identity: anyone, acting, operation, consistency: "session", minZxid: zeroZxid } as const;
  lane.read({ ...request, maxStaleMillis: 0 }, 1000, (answer) => {
    const outcome = answer.kind === "outcome" ? answer.outcome : undefined;
    told.push(`${name} ${outcome?.zxid}${outcome?.ok === false ? ` ${outcome.code}` : ""}`);
  });
}

test("no answer is older than the one before it, whichever replica gives it", async () => {
  const replicas = new Replicas();
  const { lane, ends } = await openLane(replicas);
  assert.deepEqual(ends, ["opened 6 4000"]);
  const told: string[] = [];
  for (const name of ["a", "b"]) read(lane, told, name);
  const watch = { kind: "watch", scopes: { node: [], children: [], subtree: [] }, raw: true, after: 1 as Zxid };
  read(lane, told, "w", watch as never);
  read(lane, told, "c");
  replicas.asked[3]?.answer(9);
  replicas.asked[2]?.answer(7);
  await settle();
  assert.deepEqual(told, [], "they wait for those before them");
  replicas.asked[1]?.answer(8);
  await settle();
  assert.deepEqual(told, ["a 8"]);
  assert.deepEqual(
    replicas.asked.map(({ request }) => [request.minZxid, request.consistency, request.acting]),
    [5, 6, 6, 6, 8].map((zxid) => [zxid, "stale", undefined]),
  );
  replicas.asked[4]?.answer(8);
  await settle();
  assert.deepEqual(told, ["a 8", "b 8", "w 8 cursorTooOld", "c 9"]);
});

test("of what is written the session's end alone is done; nothing is told behind the lane's", async () => {
  const replicas = new Replicas();
  const { lane } = await openLane(replicas);
  const told: string[] = [];
  const write = (operation: WriteOperation): void =>
    lane.write({ sequence: 1, answeredUpTo: 0, identity: anyone, operation }, ({ answer, decided }) => {
      assert.equal(decided, true);
      told.push(answer.kind === "outcome" && answer.outcome.ok ? "done" : "refused");
    });
  write({ kind: "closeSession", session: acting.session });
  write({ kind: "delete", path: "/a" as Path, condition: {}, recursive: false });
  assert.deepEqual(told, ["done", "refused"]);
  read(lane, told, "a");
  lane.close();
  replicas.asked[1]?.answer(10);
  await settle();
  assert.equal(told.length, 2);
});
