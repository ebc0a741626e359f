/** Unary calls through a real client: what they answer, what they refuse and by which name. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import { MemoryBackend } from "../../../test/conformance/memory-backend.ts";
import type { Backend } from "../backend.ts";
import { type Asking, type Caller, failureOf, scripted, startDoor } from "./fixture.test-support.ts";

const data = (text: string): Buffer => Buffer.from(text);
const basic = (text: string): string => `Basic ${Buffer.from(text).toString("base64")}`;
const digest = (text: string): string => `${text.split(":")[0]}:${createHash("sha1").update(text).digest("base64")}`;

async function openSession(caller: Caller): Promise<{ id: number; asking: Asking }> {
  const { sessionId = 0, secret = "" } = await caller.call("CreateSession", { timeout: { seconds: 5 }, name: "test" });
  return { id: sessionId, asking: { metadata: { "quorate-session-secret": secret } } };
}

describe("znodes", () => {
  it("are created, read, replaced, compared and set, and deleted", async () => {
    await using door = await startDoor();
    const { caller } = door;
    const made = await caller.call("Create", { path: "/a", data: data("one") });
    assert.equal(made.path, "/a");
    assert.equal(made.stat?.kind, "NODE_KIND_PERSISTENT");
    assert.equal(made.header?.zxid, made.stat?.czxid);
    assert.equal(made.header?.servedBy, 1);
    const got = await caller.call("Get", { path: "/a" });
    assert.equal(String(got.data), "one");
    assert.equal(got.header?.consistency, "CONSISTENCY_LINEARIZABLE");
    const set = await caller.call("Set", {
      path: "/a",
      data: data("two"),
      condition: { mzxids: [made.stat?.mzxid ?? 0] },
    });
    assert.equal(set.stat?.version, 1);
    const lost = await failureOf(
      caller.call("Set", { path: "/a", data: data("three"), condition: { mzxids: [made.stat?.mzxid ?? 0] } }),
    );
    assert.deepEqual([lost.code, lost.reason, lost.status?.metadata["certainty"]], [10, "BAD_VERSION", "noEffect"]);
    assert.equal(lost.status?.metadata["path"], "/a");
    assert.match(lost.status?.metadata["zxid"] ?? "", /^0x[0-9a-f]{16}$/);
    const put = await caller.call("Put", { path: "/a/b", data: data("x"), parents: true });
    assert.equal(put.created, true);
    assert.equal((await failureOf(caller.call("Delete", { path: "/a" }))).reason, "NOT_EMPTY");
    assert.equal((await caller.call("Delete", { path: "/a", recursive: true })).deleted, 2);
    assert.equal((await failureOf(caller.call("Get", { path: "/a" }))).code, 5);
    const gone = await caller.call("Exists", { path: "/a" });
    assert.notEqual(gone.exists, true);
    assert.ok((gone.header?.zxid ?? 0) > (put.header?.zxid ?? 0));
    assert.equal((await failureOf(caller.call("Create", { path: "/no/parent" }))).reason, "NO_PARENT");
  });

  it("have numbers, times to live and lists of rights", async () => {
    await using door = await startDoor({ superUserDigest: digest("root:secret") });
    const { caller } = door;
    await caller.call("Create", { path: "/q", shape: { kind: "NODE_KIND_CONTAINER" } });
    const first = await caller.call("Create", { path: "/q/item-", sequential: true });
    assert.equal(first.path, "/q/item-0000000000");
    const short = await caller.call("Put", { path: "/t", shape: { kind: "NODE_KIND_TTL", ttl: { seconds: 2 } } });
    assert.deepEqual([short.stat?.kind, short.stat?.ttl], ["NODE_KIND_TTL", { seconds: 2 }]);
    const acl = { entries: [{ scheme: "digest", id: digest("ann:pw"), perms: "rwa" }] };
    await caller.call("Create", { path: "/mine", data: data("x"), shape: { acl } });
    assert.equal((await failureOf(caller.call("Get", { path: "/mine" }))).reason, "NO_AUTH");
    const ann = { metadata: { authorization: basic("ann:pw") } };
    assert.equal(String((await caller.call("Get", { path: "/mine" }, ann)).data), "x");
    const shown = await caller.call("GetAcl", { path: "/mine" }, ann);
    assert.deepEqual(shown.acl, { entries: [{ ...acl.entries[0], perms: "rwa" }] });
    const { aversion = 0, czxid = 0 } = shown.stat ?? {};
    await caller.call("SetAcl", { path: "/mine", acl: { entries: [] }, aversion, czxid }, ann).catch(() => undefined);
    const open = { entries: [{ scheme: "world", id: "anyone", perms: "r" }] };
    await caller.call("SetAcl", { path: "/mine", acl: open, aversion, czxid }, ann);
    assert.equal(
      (await failureOf(caller.call("SetAcl", { path: "/mine", acl: open, aversion }, ann))).reason,
      "NO_AUTH",
    );
    assert.equal(String((await caller.call("Get", { path: "/mine" })).data), "x");
    const all = await caller.call("ListSessions", {}, { metadata: { authorization: basic("root:secret") } });
    assert.deepEqual(all.sessions ?? [], []);
    assert.equal((await failureOf(caller.call("ListSessions", {}))).code, 7);
  });

  it("are listed in pages of one moment", async () => {
    await using door = await startDoor();
    const { caller } = door;
    await caller.call("Create", { path: "/l" });
    for (const name of ["c", "a", "b"]) await caller.call("Create", { path: `/l/${name}`, data: data(name) });
    const one = await caller.call("ListChildren", { path: "/l", pageSize: 2, withData: true });
    assert.deepEqual(
      one.children?.map(({ name, data: bytes }) => [name, String(bytes)]),
      [
        ["a", "a"],
        ["b", "b"],
      ],
    );
    await caller.call("Create", { path: "/l/bb" });
    const pageToken = one.nextPageToken ?? "";
    const two = await caller.call("ListChildren", { path: "/l", pageSize: 2, pageToken });
    assert.deepEqual(
      two.children?.map(({ name }) => name),
      ["c"],
    );
    assert.equal(two.namesZxid, one.namesZxid);
    assert.equal(two.nextPageToken, undefined);
    const other = await failureOf(caller.call("ListChildren", { path: "/", pageToken }));
    assert.deepEqual([other.code, other.status?.metadata["field"]], [3, "page_token"]);
  });
});

describe("a txn", () => {
  it("does all or nothing, and names what failed", async () => {
    await using door = await startDoor();
    const { caller } = door;
    const done = await caller.call("Txn", {
      checks: [{ path: "/t", exists: false }],
      then: [{ create: { path: "/t", data: data("1") } }, { put: { path: "/t/x" } }, { get: { path: "/t" } }],
    });
    assert.equal(done.branch, "BRANCH_THEN");
    assert.deepEqual(
      done.results?.map(({ result }) => result),
      ["create", "put", "get"],
    );
    assert.equal(String(done.results?.[2]?.get?.data), "1");
    const failed = await failureOf(
      caller.call("Txn", { then: [{ set: { path: "/t" } }, { delete: { path: "/none" } }] }),
    );
    assert.deepEqual(
      [failed.code, failed.status?.metadata["opIn"], failed.status?.metadata["opIndex"]],
      [5, "then", "1"],
    );
    assert.equal((await caller.call("Get", { path: "/t" })).stat?.version ?? 0, 0);
    const other = await caller.call("Txn", {
      checks: [{ path: "/t", version: 7 }],
      then: [{ set: { path: "/t" } }],
      otherwise: { operations: [{ exists: { path: "/t/x" } }, { listChildren: { path: "/t" } }] },
    });
    assert.equal(other.branch, "BRANCH_OTHERWISE");
    assert.deepEqual(
      other.results?.[1]?.listChildren?.children?.map(({ name }) => name),
      ["x"],
    );
    const zxid = other.header?.zxid;
    const read = await caller.call("Txn", { then: [{ get: { path: "/t" } }], readOptions: { minZxid: zxid } });
    assert.equal(read.header?.consistency, "CONSISTENCY_LINEARIZABLE");
    assert.equal(read.header?.zxid, zxid);
    const unchecked = await failureOf(
      caller.call("Txn", { checks: [{ path: "/t", version: 9 }], then: [{ set: { path: "/t" } }] }),
    );
    assert.deepEqual([unchecked.code, unchecked.status?.metadata["opIn"]], [10, "checks"]);
  });
});

describe("a session", () => {
  it("holds ephemerals, is renewed, shown and closed by its secret alone", async () => {
    await using door = await startDoor();
    const { caller } = door;
    const { id, asking } = await openSession(caller);
    const shape = { kind: "NODE_KIND_EPHEMERAL" } as const;
    const made = await caller.call("Create", { path: "/e", shape, options: { sessionId: id } }, asking);
    assert.equal(made.stat?.ephemeralOwner, id);
    assert.equal(
      (await failureOf(caller.call("Create", { path: "/f", shape }))).status?.metadata["field"],
      "shape.kind",
    );
    const bare = await failureOf(caller.call("Create", { path: "/f", shape, options: { sessionId: id } }));
    assert.deepEqual([bare.code, bare.reason], [16, "AUTH_FAILED"]);
    const wrong = { metadata: { "quorate-session-secret": "0".repeat(32) } };
    assert.equal((await failureOf(caller.call("RenewSession", { sessionId: id }, wrong))).code, 16);
    assert.ok((await caller.call("RenewSession", { sessionId: id }, asking)).header);
    const shown = await caller.call("GetSession", { sessionId: id }, asking);
    assert.deepEqual([shown.session?.name, shown.session?.timeout, shown.ephemerals], ["test", { seconds: 5 }, ["/e"]]);
    const mine = await caller.call(
      "Txn",
      { checks: [{ path: "/e", ownerSelf: true }], then: [{ get: { path: "/e" } }], readOptions: { sessionId: id } },
      asking,
    );
    assert.equal(mine.branch, "BRANCH_THEN");
    assert.equal((await caller.call("CloseSession", { sessionId: id }, asking)).deleted, 1);
    const over = await failureOf(caller.call("RenewSession", { sessionId: id }, asking));
    assert.deepEqual([over.code, over.reason], [9, "SESSION_EXPIRED"]);
    const never = await failureOf(caller.call("RenewSession", { sessionId: 2 ** 60 }, asking));
    assert.equal(never.reason, "SESSION_EXPIRED");
  });
});

describe("an idempotency key", () => {
  it("repeats the first outcome, and belongs to one request", async () => {
    await using door = await startDoor();
    const { caller } = door;
    await caller.call("Create", { path: "/q" });
    const options = { idempotencyKey: "k1" };
    const one = await caller.call("Create", { path: "/q/", sequential: true, options });
    const two = await caller.call("Create", { path: "/q/", sequential: true, options });
    assert.equal(two.path, one.path);
    assert.equal(two.header?.replayed, true);
    const reused = await failureOf(caller.call("Create", { path: "/q/", sequential: true, data: data("x"), options }));
    assert.deepEqual([reused.code, reused.reason], [3, "KEY_REUSED"]);
    const bad = await failureOf(caller.call("Set", { path: "/q", options: { idempotencyKey: "ä" } }));
    assert.equal(bad.status?.metadata["field"], "options.idempotency_key");
  });
});

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
    await door.caller.call("Get", { path: "/" }, { deadlineMillis: 5000 });
    await door.caller.call("Get", { path: "/" }, { deadlineMillis: 3_600_000 });
    assert.equal(asked[0], 10_000);
    assert.ok((asked[1] ?? 0) > 2500 && (asked[1] ?? 0) <= 4950, String(asked[1]));
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

describe("the cluster", () => {
  it("is told by anybody's question, and handed over by the super user's", async () => {
    await using door = await startDoor({ superUserDigest: digest("root:secret") });
    const { caller } = door;
    const view = await caller.call("ListMembers", {});
    assert.deepEqual([view.leader, view.gatewayVersion, view.members?.length], [1, "test", 1]);
    assert.deepEqual([view.members?.[0]?.role, view.members?.[0]?.standing], ["ROLE_LEADING", "STANDING_MEMBER"]);
    assert.equal((await failureOf(caller.call("HandOver", { to: 1 }))).reason, "NO_AUTH");
    const root = { metadata: { authorization: basic("root:secret") } };
    assert.equal((await caller.call("HandOver", { to: 1 }, root)).to, 1);
    assert.equal((await failureOf(caller.call("HandOver", { to: 2 }, root))).code, 3);
  });
});
