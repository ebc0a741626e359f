/** The Session stream through a real client: order, numbers, take-over, heartbeats, watches, and when it stops reading. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { v1 } from "@quorate/proto";
import { MemoryBackend } from "../../../test/conformance/memory-backend.ts";
import type { Answer, LaneListener, RenewAnswer, SessionLane } from "../backend.ts";
import { type CallError, type Caller, type Fixture, type Inbox, scripted, startDoor } from "./fixture.test-support.ts";

const data = (text: string): Buffer => Buffer.from(text);

interface Opened {
  readonly id: number;
  readonly secret: string;
  readonly inbox: Inbox<v1.SessionResponse>;
  readonly opened: v1.SessionOpened;
}

async function create(caller: Caller): Promise<{ id: number; secret: string }> {
  const { sessionId = 0, secret = "" } = await caller.call("CreateSession", { timeout: { seconds: 5 } });
  return { id: sessionId, secret };
}

async function open(caller: Caller, known?: { id: number; secret: string }, answeredUpTo = 0): Promise<Opened> {
  const { id, secret } = known ?? (await create(caller));
  const inbox = caller.session();
  inbox.send({ open: { sessionId: id, secret, answeredUpTo } });
  const { opened } = await inbox.next();
  assert.ok(opened);
  return { id, secret, inbox, opened };
}

const repliesOf = (inbox: Inbox<v1.SessionResponse>): v1.SessionReply[] =>
  inbox.all.flatMap((each) => each.replies ?? []);

async function replies(inbox: Inbox<v1.SessionResponse>, count: number): Promise<v1.SessionReply[]> {
  await inbox.until(() => repliesOf(inbox).length >= count);
  return repliesOf(inbox);
}

/** What came, in the order of the stream: events of a message stand before its replies. */
function story(inbox: Inbox<v1.SessionResponse>): string[] {
  return inbox.all.flatMap(({ events = [], replies: answered = [] }) => [
    ...events.map(({ watchId, watch, error }) =>
      error === undefined
        ? `${watchId}: ${(watch?.events ?? []).map(({ type, path }) => `${type?.slice(5)} ${path}`).join(", ")}`
        : `${watchId}: ${error.reason}`,
    ),
    ...answered.map((each) => `reply ${each.requestId} ${each.error?.reason ?? each.result}`),
  ]);
}

describe("a Session stream", () => {
  it("does a thousand operations in order, many in a message", async () => {
    await using door = await startDoor();
    const { inbox, opened } = await open(door.caller);
    assert.deepEqual([opened.attachment, opened.lastSequence ?? 0, opened.timeout?.seconds], [2, 0, 5]);
    const operations: v1.SessionOperation[] = [{ requestId: 1, sequence: 1, create: { path: "/n" } }];
    for (let i = 2; i <= 1000; i++) {
      operations.push(
        i % 2 === 0
          ? { requestId: i, sequence: i / 2 + 1, set: { path: "/n", data: data(String(i)) } }
          : { requestId: i, get: { path: "/n" } },
      );
    }
    for (let i = 0; i < 1000; i += 100) inbox.send({ operations: operations.slice(i, i + 100) });
    const answered = await replies(inbox, 1000);
    assert.deepEqual(
      answered.map(({ requestId }) => requestId),
      operations.map(({ requestId }) => requestId),
    );
    for (const reply of answered.slice(1)) {
      const { requestId = 0 } = reply;
      if (requestId % 2 === 1) assert.equal(String(reply.get?.data), String(requestId - 1));
      else
        assert.deepEqual(
          [reply.set?.stat?.version, reply.decided, reply.sequence],
          [requestId / 2, true, requestId / 2 + 1],
        );
    }
    assert.ok(inbox.all.length < 300, `${inbox.all.length} messages`);
    inbox.finish();
    assert.equal(await inbox.over(), undefined);
  });

  it("answers a number that was applied from memory, on another stream too, and refuses a gap", async () => {
    await using door = await startDoor();
    const { caller } = door;
    const one = await open(caller);
    const operation = { requestId: 1, sequence: 1, create: { path: "/q-", sequential: true } };
    one.inbox.send({ operations: [operation, { ...operation, requestId: 2 }] });
    const [first, again] = await replies(one.inbox, 2);
    assert.equal(again?.create?.path, first?.create?.path);
    one.inbox.cancel();
    const two = await open(caller, one);
    assert.deepEqual([two.opened.attachment, two.opened.lastSequence], [3, 1]);
    two.inbox.send({ operations: [{ ...operation, requestId: 3 }] });
    assert.equal((await replies(two.inbox, 1))[0]?.create?.path, first?.create?.path);
    two.inbox.send({ operations: [{ requestId: 4, sequence: 3, create: { path: "/gap" } }] });
    const error = await two.inbox.over();
    assert.deepEqual([error?.code, error?.status?.metadata["field"]], [3, "sequence"]);
    assert.notEqual((await caller.call("Exists", { path: "/gap" })).exists, true);
  });

  it("leaves the number of a write that cannot be read to the next, and refuses what is behind it", async () => {
    await using door = await startDoor();
    const { inbox } = await open(door.caller);
    inbox.send({
      operations: [
        { requestId: 1, sequence: 1, create: { path: "/a" } },
        { requestId: 2, sequence: 2, create: { path: "a//b" } },
        { requestId: 3, sequence: 3, create: { path: "/c" } },
        { requestId: 4, get: { path: "/a" } },
        { requestId: 5, sequence: 2, create: { path: "/b" } },
        { requestId: 6, sequence: 3, create: { path: "/c" } },
        { requestId: 7, sequence: 3, get: { path: "/a" } },
        { requestId: 8, set: { path: "/a" } },
        { requestId: 9 },
        { requestId: 10, create: { path: "/x" }, get: undefined },
        { requestId: 11, get: { path: "/a", options: { sessionId: 77 } } },
      ],
    });
    const answered = await replies(inbox, 11);
    assert.deepEqual(
      answered.map(({ error, decided, result }) => [error?.reason ?? result, decided ?? false]),
      [
        ["create", true],
        ["BAD_ARGUMENTS", false],
        ["BAD_ARGUMENTS", false],
        ["get", false],
        ["create", true],
        ["create", true],
        ["BAD_ARGUMENTS", false],
        ["BAD_ARGUMENTS", false],
        ["BAD_ARGUMENTS", false],
        ["BAD_ARGUMENTS", false],
        ["BAD_ARGUMENTS", false],
      ],
    );
    assert.deepEqual([answered[1]?.error?.status, answered[1]?.error?.certainty], [3, "CERTAINTY_NO_EFFECT"]);
    assert.match(answered[1]?.error?.detail ?? "", /^create\.path: /);
  });

  it("says what an operation fails with, and goes on", async () => {
    await using door = await startDoor();
    const { inbox } = await open(door.caller);
    inbox.send({
      operations: [
        { requestId: 1, sequence: 1, txn: { checks: [{ path: "/a", exists: true }], then: [{ set: { path: "/a" } }] } },
        { requestId: 2, exists: { path: "/a" } },
        { requestId: 3, txn: { then: [{ exists: { path: "/" } }] } },
        { requestId: 4, listChildren: { path: "/" } },
        { requestId: 5, getAcl: { path: "/" } },
        { requestId: 6, sync: {} },
        { requestId: 7, sequence: 2, put: { path: "/e", shape: { kind: "NODE_KIND_EPHEMERAL" } } },
        {
          requestId: 8,
          sequence: 3,
          setAcl: { path: "/e", acl: { entries: [{ scheme: "world", id: "anyone", perms: "cdrwa" }] } },
        },
        { requestId: 9, sequence: 4, delete: { path: "/e" } },
      ],
    });
    const answered = await replies(inbox, 9);
    assert.deepEqual(
      answered.map(({ error, result }) => error?.reason ?? result),
      ["NO_NODE", "exists", "txn", "listChildren", "getAcl", "sync", "put", "setAcl", "delete"],
    );
    assert.deepEqual([answered[0]?.decided, answered[0]?.error?.operation?.in], [true, "IN_CHECKS"]);
    assert.ok(answered.slice(1).every((reply) => (reply[reply.result as "get"]?.header?.zxid ?? 0) > 0));
  });

  it("is ended by a second one of its session, whose loss ends nothing", async () => {
    await using door = await startDoor();
    const { caller } = door;
    const one = await open(caller);
    one.inbox.send({
      operations: [{ requestId: 1, sequence: 1, put: { path: "/e", shape: { kind: "NODE_KIND_EPHEMERAL" } } }],
    });
    await replies(one.inbox, 1);
    const two = await open(caller, one, 1);
    const error = await one.inbox.over();
    assert.deepEqual([error?.code, error?.reason], [10, "SESSION_MOVED"]);
    assert.match(error?.status?.metadata["session"] ?? "", /^0x[0-9a-f]{16}$/);
    two.inbox.cancel();
    await two.inbox.over();
    assert.equal((await caller.call("Exists", { path: "/e" })).exists, true);
    const three = await open(caller, one, 1);
    three.inbox.send({ operations: [{ requestId: 9, sequence: 2, close: {} }] });
    const [reply] = await replies(three.inbox, 1);
    assert.deepEqual([reply?.close?.deleted, reply?.decided], [1, true]);
    assert.equal(await three.inbox.over(), undefined);
    const late = caller.session();
    late.send({ open: { sessionId: one.id, secret: one.secret } });
    assert.equal((await late.over())?.reason, "SESSION_EXPIRED");
  });

  it("is refused by name when it is opened otherwise", async () => {
    await using door = await startDoor();
    const { caller } = door;
    const { id, secret } = await create(caller);
    const refusal = async (...requests: v1.SessionRequest[]): Promise<string> => {
      const inbox = caller.session();
      for (const each of requests) inbox.send(each);
      const error = (await inbox.over()) as CallError;
      return `${error.reason} ${error.status?.metadata["field"] ?? ""}`;
    };
    assert.equal(await refusal({ operations: [] }), "BAD_ARGUMENTS open");
    assert.equal(await refusal({ open: {} }), "BAD_ARGUMENTS open.session_id");
    assert.equal(await refusal({ open: { sessionId: id } }), "AUTH_FAILED open.secret");
    assert.equal(await refusal({ open: { sessionId: id, secret: "x" } }), "BAD_ARGUMENTS open.secret");
    assert.equal(await refusal({ open: { sessionId: id, secret: "0".repeat(32) } }), "AUTH_FAILED ");
    assert.equal(await refusal({ open: { sessionId: 77, secret } }), "SESSION_EXPIRED ");
    assert.equal(
      await refusal({ open: { sessionId: id, secret } }, { open: { sessionId: id, secret } }),
      "BAD_ARGUMENTS open",
    );
    assert.equal(await refusal({ open: { sessionId: id, secret, answeredUpTo: 5 } }), "BAD_ARGUMENTS answered_up_to");
    const many = Array.from({ length: 4097 }, () => ({ sync: {} }));
    assert.equal(await refusal({ open: { sessionId: id, secret } }, { operations: many }), "BAD_ARGUMENTS operations");
    const shown = caller.session({ metadata: { "quorate-session-secret": secret } });
    shown.send({ open: { sessionId: id }, operations: [{ requestId: 1, sync: {} }] });
    assert.equal((await replies(shown, 1))[0]?.result, "sync");
    assert.deepEqual(door.logged, []);
  });

  it("ends when the door stops, and says which session it was", async () => {
    await using door = await startDoor();
    const { inbox } = await open(door.caller);
    const stopped = door.server.stop();
    const error = await inbox.over();
    assert.deepEqual([error?.code, error?.status?.metadata["session"] !== undefined], [14, true]);
    await stopped;
  });
});

describe("heartbeats of a Session stream", () => {
  /** Renewals are held until the test answers them. */
  async function held(): Promise<{
    door: Fixture;
    renewals: ((answer?: RenewAnswer) => void)[];
    memory: MemoryBackend;
  }> {
    const memory = new MemoryBackend();
    const renewals: ((answer?: RenewAnswer) => void)[] = [];
    const playing = scripted(memory, {
      renew: (session, secretHash) =>
        new Promise<RenewAnswer>((resolve) => {
          renewals.push((answer) =>
            answer === undefined ? resolve(memory.renew(session, secretHash)) : resolve(answer),
          );
        }),
    });
    return { door: await startDoor({}, memory, playing), renewals, memory };
  }
  const count = async (found: () => boolean): Promise<void> => {
    while (!found()) await new Promise((resolve) => setTimeout(resolve, 2));
  };

  it("are answered when the renewal is confirmed, the opening too", async () => {
    const { door, renewals } = await held();
    await using _ = door;
    const { id, secret } = await create(door.caller);
    const inbox = door.caller.session();
    inbox.send({ open: { sessionId: id, secret } });
    await count(() => renewals.length === 1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(inbox.all.length, 0);
    renewals[0]?.();
    await inbox.next();
    for (const beat of [7, 8, 9]) inbox.send({ heartbeat: { id: beat } });
    inbox.send({ operations: [{ requestId: 1, sync: {} }] });
    await replies(inbox, 1);
    const beats = (): unknown[] => inbox.all.flatMap(({ heartbeat }) => (heartbeat ? [heartbeat.id] : []));
    assert.deepEqual([renewals.length, beats()], [2, []]);
    renewals[1]?.();
    await inbox.until(() => beats().length === 1);
    await count(() => renewals.length === 3);
    renewals[2]?.();
    await inbox.until(() => beats().length === 2);
    assert.deepEqual(beats(), [7, 9]);
  });

  it("are not answered when it cannot be said, and end the stream when the session is over", async () => {
    const { door, renewals } = await held();
    await using _ = door;
    const { id, secret } = await create(door.caller);
    const inbox = door.caller.session();
    inbox.send({ open: { sessionId: id, secret } });
    await count(() => renewals.length === 1);
    renewals[0]?.();
    await inbox.next();
    inbox.send({ heartbeat: { id: 1 } });
    await count(() => renewals.length === 2);
    renewals[1]?.({ kind: "unavailable", code: "noLeader", detail: "", certainty: "noEffect", retryAfterMillis: 1 });
    inbox.send({ heartbeat: { id: 2 } });
    await count(() => renewals.length === 3);
    renewals[2]?.({ kind: "expired" });
    const error = await inbox.over();
    assert.deepEqual([error?.code, error?.reason], [9, "SESSION_EXPIRED"]);
    assert.ok(inbox.all.every(({ heartbeat }) => !heartbeat));
  });

  it("do not come too late for a session that expires", async () => {
    await using door = await startDoor();
    const { inbox, id } = await open(door.caller);
    door.backend.expire(id as never);
    assert.equal((await inbox.over())?.reason, "SESSION_EXPIRED");
  });
});

describe("watches of a Session stream", () => {
  it("show what was written before them, and tell what is written after, before its reply", async () => {
    await using door = await startDoor();
    const { inbox } = await open(door.caller);
    inbox.send({
      operations: [
        { requestId: 1, sequence: 1, create: { path: "/a", data: data("1") } },
        { requestId: 2, watch: { nodes: ["/a"], children: ["/a"] } },
        { requestId: 3, sequence: 2, set: { path: "/a", data: data("2") } },
        { requestId: 4, sequence: 3, create: { path: "/a/b" } },
        { requestId: 5, get: { path: "/a" } },
      ],
    });
    const answered = await replies(inbox, 5);
    const { watch } = answered[1] ?? {};
    assert.deepEqual([String(watch?.states?.[0]?.data), watch?.header?.zxid], ["1", answered[0]?.create?.header?.zxid]);
    const told = story(inbox);
    assert.deepEqual(told.slice(0, 2), ["reply 1 create", "reply 2 watch"]);
    assert.ok(told.join("; ").includes("TYPE".slice(5)));
    const place = (text: string): number => told.findIndex((each) => each.includes(text));
    assert.ok(place("CHANGED /a") < place("reply 3") && place("CHANGED /a") > 0, told.join("; "));
    assert.ok(place("CREATED /a/b") < place("reply 4") && place("CREATED /a/b") > 0, told.join("; "));
  });

  it("are named by their operation, end alone, and with the stream", async () => {
    await using door = await startDoor();
    const { caller, backend } = door;
    const { inbox } = await open(caller);
    await caller.call("Create", { path: "/a" });
    inbox.send({
      operations: [
        { requestId: 1, watch: { nodes: ["/a"] } },
        { requestId: 1, watch: { nodes: ["/b"] } },
        { requestId: 2, watch: { subtrees: ["/"], includeData: true } },
        { requestId: 3, watch: { nodes: ["bad"] } },
        { requestId: 4, watch: { nodes: ["/a"], afterCursor: "0x1.0123456789abcdef" } },
        { requestId: 5, unwatch: { watchId: 9 } },
        { requestId: 6, sequence: 1, set: { path: "/a", data: data("x") } },
      ],
    });
    await replies(inbox, 7);
    const told = story(inbox).filter((each) => each.startsWith("reply"));
    assert.deepEqual(told, [
      "reply 1 watch",
      "reply 1 BAD_ARGUMENTS",
      "reply 2 watch",
      "reply 3 BAD_ARGUMENTS",
      "reply 4 CURSOR_OF_ANOTHER_HISTORY",
      "reply 5 BAD_ARGUMENTS",
      "reply 6 set",
    ]);
    await inbox.until(() => story(inbox).includes("2: CHANGED /a"));
    const bearing = inbox.all.flatMap((each) => each.events ?? []).find(({ watchId }) => watchId === 2);
    assert.equal(String(bearing?.watch?.events?.[0]?.data), "x");
    inbox.send({ operations: [{ requestId: 7, unwatch: { watchId: 2 } }] });
    await replies(inbox, 8);
    const mark = inbox.all.length;
    await caller.call("Set", { path: "/a" });
    await inbox.until(() => story(inbox).filter((each) => each === "1: CHANGED /a").length === 2);
    assert.ok(inbox.all.slice(mark).every(({ events = [] }) => events.every(({ watchId }) => watchId === 1)));
    const nobody = { entries: [{ scheme: "digest", id: "x:y", perms: "r" }] };
    await caller.call("SetAcl", { path: "/a", acl: nobody });
    await inbox.until(() => story(inbox).includes("1: NO_AUTH"));
    const end = inbox.all.flatMap((each) => each.events ?? []).find(({ error }) => error !== undefined);
    assert.match(end?.cursor ?? "", /^0x[0-9a-f]{16}\./);
    inbox.send({ operations: [{ requestId: 1, watch: { nodes: ["/c"] } }] });
    await replies(inbox, 9);
    assert.equal(backend.watches.size, 1);
    inbox.cancel();
    while (backend.watches.size > 0) await new Promise((resolve) => setTimeout(resolve, 2));
  });
});

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
