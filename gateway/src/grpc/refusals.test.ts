/** What unary calls refuse, by which name, and what becomes of failures, deadlines and cancellations behind the door. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import { Metadata } from "@grpc/grpc-js";
import { publicServices } from "@quorate/proto";
import { type Caller, failureOf } from "../../../test/conformance/grpc-client.ts";
import { MemoryBackend } from "../../../test/conformance/memory-backend.ts";
import type { Backend } from "../backend.ts";
import { scripted, startDoor } from "./fixture.test-support.ts";

const basic = (text: string): string => `Basic ${Buffer.from(text).toString("base64")}`;
const digest = (text: string): string => `${text.split(":")[0]}:${createHash("sha1").update(text).digest("base64")}`;

describe("a bad request", () => {
  const cases: readonly [string, string, (caller: Caller) => Promise<unknown>][] = [
    ["no path", "path", (caller) => caller.call("Get", {})],
    ["a bad path", "path", (caller) => caller.call("Get", { path: "/a//b" })],
    ["the root's deletion", "path", (caller) => caller.call("Delete", { path: "/" })],
    ["an unknown kind", "shape.kind", (caller) => caller.call("Put", { path: "/a", shape: { kind: 9 as never } })],
    [
      "an unknown consistency",
      "options.consistency",
      (caller) => caller.call("Get", { path: "/", options: { consistency: 7 as never } }),
    ],
    [
      "session without a zxid",
      "options.min_zxid",
      (caller) => caller.call("Get", { path: "/", options: { consistency: "CONSISTENCY_SESSION" } }),
    ],
    [
      "a stale bound for nothing",
      "options.max_stale",
      (caller) => caller.call("Get", { path: "/", options: { maxStale: { seconds: 1 } } }),
    ],
    ["a negative zxid", "options.min_zxid", (caller) => caller.call("Get", { path: "/", options: { minZxid: -1 } })],
    [
      "a ttl without its kind",
      "shape.ttl",
      (caller) => caller.call("Put", { path: "/a", shape: { ttl: { seconds: 1 } } }),
    ],
    [
      "a kind without its ttl",
      "shape.ttl",
      (caller) => caller.call("Put", { path: "/a", shape: { kind: "NODE_KIND_TTL" } }),
    ],
    [
      "a ttl of microseconds",
      "shape.ttl",
      (caller) => caller.call("Put", { path: "/a", shape: { kind: "NODE_KIND_TTL", ttl: { nanos: 1000 } } }),
    ],
    [
      "bad permissions",
      "shape.acl.entries[0].perms",
      (caller) =>
        caller.call("Put", {
          path: "/a",
          shape: { acl: { entries: [{ scheme: "world", id: "anyone", perms: "rx" }] } },
        }),
    ],
    ["an ACL left out", "acl", (caller) => caller.call("SetAcl", { path: "/" })],
    ["too many names", "page_size", (caller) => caller.call("ListChildren", { path: "/", pageSize: 10_001 })],
    ["an empty txn", "then", (caller) => caller.call("Txn", {})],
    ["an operation of nothing", "then[0]", (caller) => caller.call("Txn", { then: [{}] })],
    ["a check of nothing", "checks[0]", (caller) => caller.call("Txn", { checks: [{ path: "/" }] })],
    [
      "options inside a txn",
      "then[1].set.options",
      (caller) =>
        caller.call("Txn", {
          then: [{ get: { path: "/" } }, { set: { path: "/", options: { idempotencyKey: "x" } } }],
        }),
    ],
    [
      "freshness of a txn that writes",
      "read_options",
      (caller) => caller.call("Txn", { then: [{ set: { path: "/" } }], readOptions: { minZxid: 1 } }),
    ],
    ["a session's timeout", "timeout", (caller) => caller.call("CreateSession", { timeout: { nanos: 5e8 } })],
    [
      "foreign metadata",
      "quorate-timeout",
      (caller) => caller.call("Get", { path: "/" }, { metadata: { "quorate-timeout": "5s" } }),
    ],
    [
      "a secret that is none",
      "quorate-session-secret",
      (caller) => caller.call("Get", { path: "/" }, { metadata: { "quorate-session-secret": "x" } }),
    ],
    [
      "nobody to lead",
      "to",
      (caller) => caller.call("HandOver", { to: 300 }, { metadata: { authorization: basic("root:secret") } }),
    ],
  ];
  for (const [name, field, run] of cases) {
    it(`is INVALID_ARGUMENT by its field: ${name}`, async () => {
      await using door = await startDoor({ superUserDigest: digest("root:secret") });
      const error = await failureOf(run(door.caller));
      assert.deepEqual(
        [error.code, error.reason, error.status?.metadata["field"]],
        [3, "BAD_ARGUMENTS", field],
        error.message,
      );
    });
  }

  it("is answered also when it is no message, or too large", async () => {
    await using door = await startDoor();
    const { caller } = door;
    const garbage = await failureOf(caller.raw("Get", Buffer.from([0x0a, 0xff, 0xff])));
    assert.deepEqual([garbage.code, garbage.reason], [3, "BAD_ARGUMENTS"]);
    const large = await failureOf(caller.call("Set", { path: "/", data: Buffer.alloc(1_048_576) }));
    assert.deepEqual([large.code, large.reason], [3, "TOO_LARGE"]);
    const larger = await failureOf(caller.call("Set", { path: "/", data: Buffer.alloc(1_500_000) }));
    assert.deepEqual([larger.code, larger.reason], [3, "TOO_LARGE"]);
    assert.equal((await failureOf(caller.call("Set", { path: "/", data: Buffer.alloc(2_200_000) }))).code, 8);
    const whom = await failureOf(caller.call("Get", { path: "/" }, { metadata: { authorization: "Bearer x" } }));
    assert.deepEqual([whom.code, whom.status?.metadata["field"]], [16, "authorization"]);
    const path = `/${"ü".repeat(1500)}`;
    assert.equal((await failureOf(caller.call("Get", { path }))).reason, "NO_NODE");
    assert.deepEqual(door.logged, []);
  });
});

describe("what a backend says", () => {
  const asks = (answer: Awaited<ReturnType<Backend["read"]>>): Promise<Awaited<ReturnType<typeof startDoor>>> => {
    const memory = new MemoryBackend();
    const playing = scripted(memory, { read: () => Promise.resolve(answer) });
    return startDoor({}, memory, playing);
  };

  it("becomes a status that tells whether it may be tried again", async () => {
    await using door = await asks({
      kind: "unavailable",
      code: "noLeader",
      detail: "no leader",
      certainty: "noEffect",
      retryAfterMillis: 1500,
    });
    const error = await failureOf(door.caller.call("Get", { path: "/" }));
    assert.deepEqual([error.code, error.reason, error.status?.retryAfterMillis], [14, "NO_LEADER", 1500]);
  });

  it("never promises what is not certain", async () => {
    await using door = await asks({
      kind: "unavailable",
      code: "noLeader",
      detail: "lost",
      certainty: "unknown",
      retryAfterMillis: 1,
    });
    const error = await failureOf(door.caller.call("Get", { path: "/" }));
    assert.deepEqual(
      [error.code, error.reason, error.status?.metadata["certainty"]],
      [2, "CONNECTION_LOSS", "unknown"],
    );
  });

  it("is a fault of our own where it makes no sense, under a reference that the log has", async () => {
    const zxid = 5 as never;
    await using door = await asks({
      kind: "outcome",
      outcome: { ok: true, zxid, result: { kind: "done", count: 0 } },
      servedBy: 1,
      ageMillis: 0,
    });
    const error = await failureOf(door.caller.call("Get", { path: "/" }));
    assert.deepEqual([error.code, error.reason], [13, "INTERNAL"]);
    const { reference = "" } = error.status?.metadata ?? {};
    assert.match(reference, /^[0-9a-f]{12}$/);
    assert.ok(door.logged.some((line) => line.includes(reference)));
  });
});

it("a traceparent comes back, with a fault too; one that is none does not", async () => {
  await using door = await startDoor();
  const { client } = door.caller;
  const { path, encodeRequest, decodeResponse } = publicServices().methods.Coordination.Get;
  const ask = (traceparent: string, name: string): Promise<unknown> => {
    const metadata = new Metadata();
    metadata.set("traceparent", traceparent);
    return new Promise((resolve) => {
      const call = client.makeUnaryRequest(path, encodeRequest, decodeResponse, { path: name }, metadata, () => {});
      call.on("metadata", (came) => resolve(came.get("traceparent")[0]));
    });
  };
  const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  assert.equal(await ask(trace, "/"), trace);
  assert.equal(await ask(trace, "bad"), trace);
  assert.equal(await ask("00-x-y-01", "/"), undefined);
});

describe("time", () => {
  it("is the client's deadline, less a little, or ten seconds", async () => {
    const memory = new MemoryBackend();
    const asked: number[] = [];
    const playing = scripted(memory, {
      read: (request, deadlineMillis) => {
        asked.push(deadlineMillis);
        return memory.read(request);
      },
    });
    await using door = await startDoor({}, memory, playing);
    await door.caller.call("Get", { path: "/" });
    await door.caller.call("Get", { path: "/" }, { deadlineMillis: 50_000 });
    await door.caller.call("Get", { path: "/" }, { deadlineMillis: 3_600_000 });
    assert.equal(asked[0], 10_000);
    assert.ok((asked[1] ?? 0) > 25_000 && (asked[1] ?? 0) <= 49_950, String(asked[1]));
    assert.equal(asked[2], 60_000);
  });

  it("is over for the client when it cancels, and nothing of it is left", async () => {
    const memory = new MemoryBackend();
    let free = (): void => {};
    const came = Promise.withResolvers<void>();
    const playing = scripted(memory, {
      read: async (request) => {
        came.resolve();
        await new Promise<void>((resolve) => {
          free = resolve;
        });
        return memory.read(request);
      },
    });
    await using door = await startDoor({}, memory, playing);
    const gone = new AbortController();
    const failing = failureOf(door.caller.call("Get", { path: "/" }, { signal: gone.signal }));
    await came.promise;
    gone.abort();
    assert.equal((await failing).code, 1);
    free();
    assert.deepEqual(door.logged, []);
  });
});
