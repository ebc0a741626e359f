/** The order of a Session stream where its parts do not come in order: replies, watches that open late, events behind reads. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { asZxid, type Path, type WatchEvent } from "@quorate/api";
import { publicServices, type v1 } from "@quorate/proto";
import { MemoryBackend } from "../../../test/conformance/memory-backend.ts";
import type { LaneListener, Watching, WatchListener } from "../backend.ts";
import { VirtualWorld } from "../virtual-world.test-support.ts";
import type { Call } from "./call.ts";
import { scripted, startDoor } from "./fixture.test-support.ts";
import { Outlet } from "./outlet.ts";
import { open, replies, repliesOf, story } from "./session.test-support.ts";
import { SessionReplies } from "./session-replies.ts";
import { WatchFeed, type WatchSink } from "./watch-feed.ts";
import type { WatchAsk } from "./watch-request.ts";

async function until(found: () => boolean): Promise<void> {
  while (!found()) await new Promise((resolve) => setTimeout(resolve, 2));
}

describe("a Session stream", () => {
  it("tells no events of a watch before the reply that opens it", async () => {
    const memory = new MemoryBackend();
    let openSlow: (() => void) | undefined;
    const playing = scripted(memory, {
      watch: (request, millis, listener) => {
        if (request.scopes.node[0] !== "/slow") return memory.watch(request, millis, listener);
        let watching: Watching | undefined;
        openSlow = () => {
          watching = memory.watch(request, millis, listener);
        };
        return {
          get cursor() {
            return watching?.cursor ?? { zxid: asZxid(0) };
          },
          close: () => watching?.close(),
        };
      },
    });
    await using door = await startDoor({}, memory, playing);
    const { inbox } = await open(door.caller);
    await door.caller.call("Create", { path: "/quick" });
    inbox.send({
      operations: [
        { requestId: 1, watch: { nodes: ["/slow"] } },
        { requestId: 2, watch: { nodes: ["/quick"] } },
      ],
    });
    await until(() => openSlow !== undefined && memory.watches.size === 1);
    await door.caller.call("Set", { path: "/quick" });
    await door.caller.call("Exists", { path: "/quick" });
    openSlow?.();
    await inbox.until(() => story(inbox).length >= 3);
    assert.deepEqual(story(inbox), ["reply 1 watch", "reply 2 watch", "2: CHANGED /quick"]);
    inbox.cancel();
  });

  it("answers nothing before the events of what it shows, which may wait for their data", async () => {
    const memory = new MemoryBackend();
    const reads: (() => void)[] = [];
    const playing = scripted(memory, {
      read: (request) => new Promise((resolve) => reads.push(() => resolve(memory.read(request)))),
    });
    await using door = await startDoor({}, memory, playing);
    const { inbox } = await open(door.caller);
    await door.caller.call("Create", { path: "/a" });
    inbox.send({ operations: [{ requestId: 1, watch: { nodes: ["/a"], includeData: true } }] });
    await replies(inbox, 1);
    await door.caller.call("Set", { path: "/a", data: Buffer.from("x") });
    await until(() => reads.length === 1);
    inbox.send({ operations: [{ requestId: 2, get: { path: "/a" } }], heartbeat: { id: 1 } });
    await inbox.until(() => inbox.all.some(({ heartbeat }) => heartbeat));
    assert.equal(repliesOf(inbox).length, 1);
    inbox.finish();
    reads[0]?.();
    assert.equal(await inbox.over(), undefined);
    assert.deepEqual(story(inbox), ["reply 1 watch", "1: CHANGED /a", "reply 2 get"]);
  });

  it("reads nothing older than the events that it has told", async () => {
    const memory = new MemoryBackend();
    const asked: number[] = [];
    const playing = scripted(memory, {
      attach: (acting, identity, millis, listener) => {
        const lane = memory.attach(acting, identity, millis, listener);
        return {
          get writable() {
            return lane.writable;
          },
          read: (read, within, done) => {
            asked.push(read.minZxid);
            lane.read(read, within, done);
          },
          close: () => lane.close(),
          write: (write, done) => lane.write(write, done),
        };
      },
    });
    await using door = await startDoor({}, memory, playing);
    const { inbox } = await open(door.caller);
    await door.caller.call("Create", { path: "/a" });
    inbox.send({ operations: [{ requestId: 1, watch: { nodes: ["/a"] } }] });
    await replies(inbox, 1);
    const get = (requestId: number): v1.SessionOperation => ({
      requestId,
      get: { path: "/a", options: { consistency: "CONSISTENCY_SESSION" } },
    });
    inbox.send({ operations: [get(2)] });
    const [opened] = await replies(inbox, 2);
    const { header } = await door.caller.call("Set", { path: "/a" });
    await inbox.until(() => story(inbox).includes("1: CHANGED /a"));
    inbox.send({ operations: [get(3)] });
    await replies(inbox, 3);
    assert.deepEqual(asked, [opened?.watch?.header?.zxid, header?.zxid]);
    inbox.cancel();
  });

  it("ends with its session when nobody can say any more what became of the close", async () => {
    const memory = new MemoryBackend();
    let lost: LaneListener | undefined;
    const playing = scripted(memory, {
      attach: (acting, identity, millis, listener) => {
        const lane = memory.attach(acting, identity, millis, listener);
        return {
          get writable() {
            return lane.writable;
          },
          read: (read, within, done) => lane.read(read, within, done),
          close: () => lane.close(),
          write: ({ operation }) => {
            assert.equal(operation.kind, "closeSession");
            lost = listener;
          },
        };
      },
    });
    await using door = await startDoor({}, memory, playing);
    const { inbox } = await open(door.caller);
    inbox.send({ operations: [{ requestId: 1, sequence: 1, close: {} }] });
    await until(() => lost !== undefined);
    lost?.ended({ code: "sessionExpired", detail: "it is over", retryAfterMillis: 0 });
    assert.equal((await inbox.over())?.reason, "SESSION_EXPIRED");
  });
});

describe("the replies of a Session stream", () => {
  it("wait for what a watch owes, whose own events wait for its reply", async () => {
    const world = new VirtualWorld(1);
    const sent: string[] = [];
    const outlet = new Outlet(
      {
        write: (bytes) => {
          const response = publicServices().methods.Coordination.Session.decodeResponse(bytes);
          for (const { watchId } of response.events ?? []) sent.push(`event ${watchId}`);
          for (const { requestId } of response.replies ?? []) sent.push(`reply ${requestId}`);
        },
        end: () => {},
      },
      { fail: () => {}, ended: () => {} },
    );
    const told = async (): Promise<string[]> => {
      await world.run(1);
      return sent.splice(0);
    };
    const all = new SessionReplies(outlet, world, 1e6);
    const [first, second, third, last] = [all.slot(), all.slot(), all.slot(), all.slot()];
    const event = (slot: typeof first, watchId: number): void => all.event(slot, { watchId }, 100);
    all.fill(second, { requestId: 2 }, 0);
    event(second, 2);
    all.owe(second, true);
    all.fill(third, { requestId: 3 }, 0);
    event(third, 3);
    assert.deepEqual([await told(), all.heldBytes], [[], 200]);
    all.fill(first, { requestId: 1 }, 0);
    assert.deepEqual([await told(), all.heldBytes], [["reply 1", "reply 2", "event 2"], 100]);
    event(second, 2);
    all.fill(last, { requestId: 4 }, 0);
    assert.deepEqual([await told(), all.outstanding], [["event 2"], 2]);
    event(second, 2);
    all.owe(second, false);
    all.owe(second, false);
    assert.deepEqual(await told(), ["event 2", "reply 3", "event 3", "reply 4"]);
    assert.deepEqual([all.outstanding, all.heldBytes], [0, 0]);
  });
});

describe("a watch's feed", () => {
  it("owes what it has not sent: while it is closed for a slow reader, until it is told what it missed", () => {
    let listener: WatchListener | undefined;
    let [queuedBytes, read] = [0, (): void => {}];
    const owes: boolean[] = [];
    const zxid = asZxid(9);
    const watch = (_: object, __: number, each: WatchListener): Watching => {
      listener = each;
      return { cursor: { zxid }, close: () => {} };
    };
    const call = { door: { limits: { watchMessageBytes: 1e6 }, options: { backend: { watch } } } } as unknown as Call;
    const sink: WatchSink = {
      get queuedBytes() {
        return queuedBytes;
      },
      mostQueuedBytes: 1000,
      send: () => {},
      ended: () => assert.fail("it is over"),
      owes: (is) => owes.push(is),
      whenBelow: (_, run) => {
        read = run;
      },
    };
    const feed = new WatchFeed(call, { request: { after: { zxid } }, includeData: false } as WatchAsk, sink);
    const opening = { states: [], servedBy: 1, ageMillis: 0, sessionTimeoutMillis: 0 };
    const event: WatchEvent = { zxid, type: "changed", path: "/a" as Path, version: 1, czxid: zxid, time: 1 };
    const tell = (more: boolean): boolean | undefined => {
      listener?.events([event], more);
      return owes.at(-1);
    };
    feed.open(1000);
    listener?.opened(opening);
    assert.deepEqual([tell(true), tell(false)], [false, false]);
    queuedBytes = 600;
    assert.equal(tell(true), true);
    queuedBytes = 0;
    read();
    listener?.opened(opening);
    assert.equal(owes.at(-1), true);
    assert.equal(tell(false), false);
  });
});
