/** The Session stream when it is asked more than can be done: what it begins, when it stops reading, what it refuses. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { v1 } from "@quorate/proto";
import { MemoryBackend } from "../../../test/conformance/memory-backend.ts";
import type { Answer, LaneListener, SessionLane } from "../backend.ts";
import { scripted, startDoor } from "./fixture.test-support.ts";
import { open, replies, repliesOf } from "./session.test-support.ts";

describe("a Session stream that is asked more than can be done", () => {
  it("begins no more than its window, reads no further, and answers all in order in the end", async () => {
    const memory = new MemoryBackend();
    const waiting: (() => void)[] = [];
    const playing = scripted(memory, {
      attach: (acting, identity, millis, listener): SessionLane => {
        const lane = memory.attach(acting, identity, millis, listener);
        return {
          get writable() {
            return lane.writable;
          },
          write: (write, done) => lane.write(write, done),
          read: (request, _, done) => void waiting.push(() => lane.read(request, 1000, done)),
          close: () => lane.close(),
        };
      },
    });
    await using door = await startDoor({ limits: { sessionWindow: 10 } }, memory, playing);
    const { inbox } = await open(door.caller);
    for (let i = 1; i <= 100; i++) inbox.send({ operations: [{ requestId: i, exists: { path: "/" } }] });
    let most = 0;
    while (repliesOf(inbox).length < 100) {
      await new Promise((resolve) => setTimeout(resolve, 2));
      most = Math.max(most, waiting.length);
      waiting.shift()?.();
    }
    assert.equal(most, 10);
    assert.deepEqual(
      repliesOf(inbox).map(({ requestId }) => requestId),
      Array.from({ length: 100 }, (_, i) => i + 1),
    );
  });

  it("waits while the lane is full, and goes on when it has drained", async () => {
    const memory = new MemoryBackend();
    let full = true;
    let listener: LaneListener | undefined;
    const given: number[] = [];
    const answer: Answer = {
      kind: "outcome",
      outcome: { ok: true, zxid: 9 as never, result: { kind: "done", count: 0 } },
      servedBy: 1,
      ageMillis: 0,
    };
    const playing = scripted(memory, {
      attach: (acting, identity, millis, heard): SessionLane => {
        listener = heard;
        const lane = memory.attach(acting, identity, millis, heard);
        return {
          get writable() {
            return !full;
          },
          write: () => assert.fail("nothing was written"),
          read: (_request, _millis, done) => {
            given.push(given.length);
            done(answer);
          },
          close: () => lane.close(),
        };
      },
    });
    await using door = await startDoor({}, memory, playing);
    const { inbox } = await open(door.caller);
    inbox.send({ operations: Array.from({ length: 4096 }, (_, i) => ({ requestId: i + 1, sync: {} })) });
    inbox.send({ operations: [{ requestId: 5000, sync: {} }], heartbeat: { id: 1 } });
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.deepEqual([given.length, inbox.all.length], [0, 1]);
    full = false;
    listener?.drained();
    assert.equal((await replies(inbox, 4097)).at(-1)?.requestId, 5000);
  });

  it("puts into a message no more than a client takes, and says of what is too large that it was done", async () => {
    await using door = await startDoor();
    const { caller } = door;
    const { inbox } = await open(caller);
    for (const path of ["/a", "/b", "/c"]) await caller.call("Create", { path, data: Buffer.alloc(1_000_000) });
    const gets = ["/a", "/b", "/c"].map((path) => ({ get: { path } }));
    const put = (i: number) => ({ put: { path: `/n${i}${"x".repeat(4000)}` } });
    const small = { requestId: 1, sequence: 1, txn: { then: [...gets, put(0)] } };
    inbox.send({ operations: [small, { ...small, requestId: 2, sequence: 2 }, { requestId: 3, get: { path: "/a" } }] });
    const three = await replies(inbox, 3);
    assert.deepEqual(
      three.map(({ txn, get }) => txn?.results?.length ?? get?.data?.length),
      [4, 4, 1_000_000],
    );
    const many = Array.from({ length: 250 }, (_, i) => put(i));
    inbox.send({
      operations: [
        { requestId: 4, sequence: 3, txn: { then: [...gets, ...many] } },
        { requestId: 5, sync: {} },
      ],
    });
    const [, , , large, sync] = await replies(inbox, 5);
    assert.deepEqual(
      [large?.decided, large?.error?.reason, large?.error?.certainty, sync?.result],
      [true, "CONNECTION_LOSS", "CERTAINTY_UNKNOWN", "sync"],
    );
    assert.equal((await caller.call("Exists", { path: many[249]?.put.path ?? "" })).exists, true);
  });

  it("refuses writes that are too far beyond what the client has acknowledged", async () => {
    await using door = await startDoor();
    const { inbox } = await open(door.caller);
    const write = (sequence: number): v1.SessionOperation => ({ requestId: sequence, sequence, set: { path: "/" } });
    inbox.send({ operations: Array.from({ length: 1030 }, (_, i) => write(i + 1)) });
    const answered = await replies(inbox, 1030);
    assert.deepEqual(
      answered.slice(1022, 1026).map(({ error, decided }) => [error?.reason, decided ?? false]),
      [
        [undefined, true],
        [undefined, true],
        ["THROTTLED", false],
        ["BAD_ARGUMENTS", false],
      ],
    );
    inbox.send({ answeredUpTo: 1024, operations: [write(1025), write(1026)] });
    assert.ok((await replies(inbox, 1032)).slice(-2).every(({ decided }) => decided));
    inbox.send({ answeredUpTo: 2000 });
    assert.equal((await inbox.over())?.status?.metadata["field"], "answered_up_to");
  });
});
