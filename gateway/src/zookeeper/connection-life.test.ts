import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { SessionId } from "@quorate/api";
import type { WireRequest } from "../../../test/zookeeper/wire-records.ts";
import type { LaneListener, SessionLane } from "../backend.ts";
import { type Client, ConnectionScene, ScriptedRenewals, unavailable } from "./connection-scene.test-support.ts";

const open = [{ permissions: 31, scheme: "world", id: "anyone" }] as const;
const create = (path: string, flags = 0): WireRequest => ({
  op: "create",
  path,
  data: Buffer.from("x"),
  acl: open,
  flags,
});
const get = (path: string): WireRequest => ({ op: "getData", path, watch: false });
const set = (path: string, data = "y"): WireRequest => ({ op: "setData", path, data: Buffer.from(data), version: -1 });

describe("a connection's life", () => {
  it("a ping is answered by a renewal that began behind it", async () => {
    const renewals = new ScriptedRenewals();
    const scene = new ConnectionScene(() => ({ renew: renewals.renew }));
    const client = await scene.connect();
    const renewed = { kind: "renewed", zxid: 1 as never, servedBy: 1 } as const;
    client.ask({ op: "ping" }, get("/zookeeper"));
    client.ask({ op: "ping" }, { op: "ping" });
    await scene.settle();
    assert.deepEqual(client.take(), ["1"], "a reply does not wait for it");
    assert.equal(renewals.asked.length, 1, "one at a time");
    renewals.asked.shift()?.answer(renewed);
    await scene.settle();
    assert.deepEqual(client.take(), ["-2"]);
    assert.equal(renewals.asked.length, 1, "one for the two that came meanwhile");
    renewals.asked.shift()?.answer(unavailable);
    await scene.settle();
    assert.deepEqual(client.take(), [], "a gateway that cannot renew answers no pings");
    await scene.wait(scene.door.limits.tickMillis);
    renewals.asked.shift()?.answer(renewed);
    await scene.settle();
    assert.deepEqual(client.take(), ["-2", "-2"]);
    client.ask({ op: "ping" });
    renewals.asked.shift()?.answer({ kind: "expired" });
    await scene.settle();
    assert.ok(client.destroyed);
  });

  it("renews while anything comes, and closes when nothing does", async () => {
    const renewals = new ScriptedRenewals();
    const scene = new ConnectionScene(() => ({ renew: renewals.renew }));
    const client = await scene.connect({ timeoutMillis: 6000 });
    await scene.wait(4000);
    assert.equal(renewals.asked.length, 0, "nothing came");
    client.ask(get("/zookeeper"));
    await scene.wait(250);
    assert.equal(renewals.asked.length, 1);
    renewals.asked.shift()?.answer({ kind: "renewed", zxid: 1 as never, servedBy: 1 });
    await scene.wait(1000);
    client.ask(get("/zookeeper"));
    await scene.wait(250);
    assert.equal(renewals.asked.length, 0, "not before a third of its time");
    await scene.wait(1000);
    assert.equal(renewals.asked.length, 1);
    renewals.asked.shift()?.answer({ kind: "renewed", zxid: 1 as never, servedBy: 1 });
    await scene.wait(7000);
    assert.ok(!client.closed);
    await scene.wait(1500);
    assert.ok(client.destroyed, "after one and a half of its timeouts");
    assert.match(scene.logged.join(), /nothing came from its client for 9000 ms/);
  });

  it("is closed when its session cannot be renewed, however busy its client is", async () => {
    const renewals = new ScriptedRenewals();
    const scene = new ConnectionScene(() => ({ renew: renewals.renew }));
    const client = await scene.connect({ timeoutMillis: 6000 });
    const began = scene.world.now();
    const lasts = (): number => scene.world.now() - began;
    const work = async (millis: number): Promise<void> => {
      for (let left = millis; left > 0 && !client.closed; left -= 250) {
        client.ask(get("/zookeeper"));
        await scene.wait(250);
      }
    };
    await work(4500);
    assert.equal(renewals.asked.length, 1);
    assert.ok(!client.closed);
    renewals.asked.shift()?.answer({ kind: "renewed", zxid: 1 as never, servedBy: 1 });
    const held = 2000 + 6000;
    await work(1000);
    renewals.asked.shift()?.answer(unavailable);
    await work(5000);
    assert.ok(client.destroyed);
    assert.ok(lasts() < held, `${lasts()} ms: before it may be over elsewhere`);
    assert.ok(lasts() > 6000, "not while there is time");
    assert.match(scene.logged.join(), /its session could not be renewed for 3000 ms/);
  });

  it("whoever waits for his answers is not taken for silent", async () => {
    const renewals = new ScriptedRenewals();
    const answers: (() => void)[] = [];
    const scene = new ConnectionScene((memory) => ({
      renew: renewals.renew,
      attach: (acting, identity, millis, heard) => {
        const lane = memory.attach(acting, identity, millis, heard);
        const slow: SessionLane = {
          writable: true,
          write: () => {},
          read: (read, deadline, done) => void answers.push(() => lane.read(read, deadline, done)),
          close: () => lane.close(),
        };
        return slow;
      },
    }));
    const client = await scene.connect({ timeoutMillis: 6000 });
    client.ask(...Array.from({ length: 100 }, () => get("/zookeeper")), { op: "ping" });
    assert.ok(client.paused, "its ping is behind what is not answered");
    for (let i = 0; i < 4; i++) {
      await scene.wait(3000);
      assert.ok(!client.closed);
      renewals.asked.shift()?.answer({ kind: "renewed", zxid: 1 as never, servedBy: 1 });
    }
    for (const each of answers.splice(0)) each();
    await scene.settle();
    for (const each of answers.splice(0)) each();
    await scene.settle();
    assert.equal(client.take().length, 100);
    assert.ok(!client.paused);
  });

  it("closes when its lane ends, without a word of what it cannot know", async () => {
    for (const [code, quiet] of [
      ["connectionLoss", false],
      ["sessionMoved", true],
      ["sessionExpired", true],
    ] as const) {
      let listener: LaneListener | undefined;
      const scene = new ConnectionScene((memory) => ({
        attach: (acting, identity, millis, heard) => {
          listener = heard;
          const lane = memory.attach(acting, identity, millis, heard);
          return { ...silent, close: () => lane.close() };
        },
      }));
      const client = await scene.connect();
      client.ask(set("/zookeeper"), get("/zookeeper"));
      listener?.ended({ code, detail: "as the test says", retryAfterMillis: 0 });
      await scene.settle();
      assert.deepEqual(client.take(), []);
      assert.ok(client.destroyed);
      assert.equal(scene.logged.length, quiet ? 0 : 1);
    }
  });

  it("stops behind the answers of what was begun; sessions live on", async () => {
    const scene = new ConnectionScene();
    const [busy, idle, silentOne] = [await scene.connect(), await scene.connect(), scene.bare()];
    busy.ask(create("/a"));
    for (const each of [...scene.door.connections]) each.stop();
    busy.ask(create("/b"));
    assert.ok(silentOne.destroyed);
    await scene.settle();
    assert.deepEqual(busy.take(), ["1"]);
    assert.ok(busy.ended && idle.ended);
    for (const { welcome } of [busy, idle]) {
      assert.ok(scene.memory.tree.session(Number(welcome?.session) as SessionId));
    }
    assert.equal(scene.door.connections.size, 0);
  });
});

/** A lane that answers nothing. */
const silent: SessionLane = { writable: true, write: () => {}, read: () => {}, close: () => {} };

describe("pressure", () => {
  it("reads no more than is answered: the client waits", async () => {
    const scene = new ConnectionScene();
    const client = await scene.connect();
    const { firstWindow } = scene.door.limits;
    client.ask(...Array.from({ length: 1000 }, () => get("/zookeeper")));
    assert.ok(client.paused);
    assert.equal(client.connection.report().outstanding, firstWindow);
    await scene.settle();
    assert.equal(client.take().length, 1000, "and all is answered in the end");
    assert.ok(!client.paused);
  });

  it("a lane that is full pauses the client until it has drained", async () => {
    let writable = true;
    let listener: LaneListener | undefined;
    const scene = new ConnectionScene((memory) => ({
      attach: (acting, identity, millis, heard) => {
        listener = heard;
        const lane = memory.attach(acting, identity, millis, heard);
        const full: SessionLane = {
          get writable() {
            return writable;
          },
          write: (write, done) => lane.write(write, done),
          read: (read, deadline, done) => {
            writable = false;
            lane.read(read, deadline, done);
          },
          close: () => lane.close(),
        };
        return full;
      },
    }));
    const client = await scene.connect();
    client.ask(get("/zookeeper"), get("/zookeeper"));
    await scene.settle();
    assert.deepEqual(client.take(), ["1"]);
    assert.ok(client.paused);
    writable = true;
    listener?.drained();
    await scene.settle();
    assert.deepEqual(client.take(), ["2"]);
  });

  it("answers that are there at once are gathered no further than there is room", async () => {
    const scene = new ConnectionScene((memory) => ({
      attach: (acting, identity, millis, heard) => {
        const lane = memory.attach(acting, identity, millis, heard);
        return {
          writable: true,
          write: (write, done) => lane.write(write, done),
          read: ({ operation }, _, done) => {
            const outcome = memory.tree.read(operation, identity);
            done({ kind: "outcome", outcome, servedBy: 1, ageMillis: 0 });
          },
          close: () => lane.close(),
        };
      },
    }));
    const client = await scene.connect();
    const bytes = 500_000;
    client.ask({ ...create("/big"), data: Buffer.alloc(bytes) } as WireRequest);
    await scene.settle();
    client.writes.length = 0;
    client.ask(...Array.from({ length: 40 }, () => get("/big")));
    assert.ok(client.paused, "what it sent beyond that waits");
    await scene.settle();
    assert.equal(client.take().length, 41, "and is answered in the end");
    assert.ok(!client.paused);
    const { pausedBytes } = scene.door.limits;
    assert.ok(Math.max(...client.writes) < pausedBytes + 2 * bytes, `${client.writes}`);
  });

  it("a client that does not read is not read from, and cut off at a limit", async () => {
    const limits = { pausedBytes: 4096, queuedBytes: 65_536, firstWindow: 8 };
    const scene = new ConnectionScene(undefined, limits);
    const [client, writer] = [await scene.connect(), await scene.connect()];
    writer.ask({ ...create("/big"), data: Buffer.alloc(4000) } as WireRequest);
    await scene.settle();
    client.deaf = true;
    client.ask(...Array.from({ length: 100 }, () => get("/big")));
    await scene.settle();
    assert.ok(client.paused && !client.closed);
    const { length } = client.take();
    assert.ok(length < 100, `${length} were begun`);
    client.deaf = false;
    client.read();
    await scene.settle();
    assert.equal(client.take().length, 100 - length, "it goes on where it was");
    // Events do not ask whether there is room.
    client.ask({ op: "addWatch", path: "/", mode: 1 });
    await scene.settle();
    client.deaf = true;
    for (let i = 0; i < 2000 && !client.closed; i++) {
      writer.ask(set("/big", `${i}`));
      await scene.settle();
    }
    assert.ok(client.destroyed);
    assert.match(scene.logged.join(), /reads too slowly: 65\d{3} bytes are unsent/);
    assert.equal(scene.door.queuedBytes, 0, "what it had not read is forgotten");
  });

  it("beyond what all may have unsent, one that has much is cut off", async () => {
    const limits = { pausedBytes: 4096, queuedBytes: 1_000_000, allQueuedBytes: 20_000 };
    const scene = new ConnectionScene(undefined, limits);
    const [first, second, third] = [await scene.connect(), await scene.connect(), await scene.connect()];
    third.ask({ ...create("/big"), data: Buffer.alloc(9000) } as WireRequest);
    await scene.settle();
    first.deaf = true;
    second.deaf = true;
    first.ask(get("/big"), get("/big"));
    await scene.settle();
    second.ask({ op: "whoAmI" }, get("/zookeeper"));
    await scene.settle();
    assert.ok(!first.closed && !second.closed);
    second.ask(get("/big"));
    third.ask(get("/big"));
    await scene.settle();
    assert.deepEqual([first, second, third].map(isCutOff), [false, true, false], "who reads is not cut off for others");
    assert.equal(scene.door.queuedBytes, first.queuedBytes);
  });
});

function isCutOff({ destroyed }: Client): boolean {
  return destroyed;
}

describe("four-letter words", () => {
  it("stand in place of a first frame", async () => {
    const scene = new ConnectionScene();
    const client = scene.bare();
    const written: Buffer[] = [];
    client.write = (bytes) => void written.push(Buffer.from(bytes));
    client.connection.received(Buffer.from("ru"));
    client.connection.received(Buffer.from("ok"));
    await scene.settle();
    assert.equal(Buffer.concat(written).toString(), "imok");
    assert.ok(client.ended);
    const cons = new ConnectionScene(undefined, {}, { commands: ["cons"] });
    await cons.connect();
    const asking = cons.bare();
    asking.write = (bytes) => void written.push(Buffer.from(bytes));
    asking.connection.received(Buffer.from("cons\n"));
    await cons.settle();
    assert.match(written.at(-1)?.toString() ?? "", /^ \/127\.0\.0\.1:50614\[\d\]\(queued=0,recved=1,sent=\d,sid=0x1/m);
  });

  it("one that cannot be answered ends its connection alone", async () => {
    const bytes = (): number => {
      throw new Error("the folder is gone");
    };
    const facts = { wallMillis: () => 0, self: 1, dataFolder: { path: "/data", bytes } };
    const scene = new ConnectionScene(undefined, {}, { facts });
    const client = scene.bare();
    client.connection.received(Buffer.from("conf"));
    await scene.settle();
    assert.ok(client.closed);
    assert.equal(scene.door.connections.size, 0);
    assert.match(scene.logged.join(), /the folder is gone/);
  });
});
