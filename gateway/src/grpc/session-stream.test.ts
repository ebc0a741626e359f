/** The Session stream through a real client: order, numbers, take-over, heartbeats. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { v1 } from "@quorate/proto";
import type { CallError } from "../../../test/conformance/grpc-client.ts";
import { MemoryBackend } from "../../../test/conformance/memory-backend.ts";
import type { RenewAnswer } from "../backend.ts";
import { type Fixture, scripted, startDoor } from "./fixture.test-support.ts";
import { create, open, replies } from "./session.test-support.ts";

const data = (text: string): Buffer => Buffer.from(text);

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
    assert.deepEqual([error?.status?.reason, /gateway stops/.test(error?.message ?? "")], ["NO_LEADER", true]);
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
