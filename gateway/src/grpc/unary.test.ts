/** Unary calls through a real client: what they answer. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import { type Asking, type Caller, failureOf } from "../../../test/conformance/grpc-client.ts";
import { startDoor } from "./fixture.test-support.ts";

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

describe("the cluster", () => {
  it("is told by anybody's question, and handed over by the super user's", async () => {
    await using door = await startDoor({ superUserDigest: digest("root:secret") });
    const { caller } = door;
    const view = await caller.call("ListMembers", {});
    assert.deepEqual([view.leader, view.gatewayVersion, view.members?.length], [1, "test", 1]);
    assert.deepEqual([view.members?.[0]?.role, view.members?.[0]?.standing], ["ROLE_LEADING", "STANDING_MEMBER"]);
    assert.equal(view.members?.[0]?.reachable, true);
    const { header } = await caller.call("Put", { path: "/a" });
    assert.equal((await caller.call("ListMembers", {})).header?.zxid, header?.zxid);
    assert.equal((await failureOf(caller.call("HandOver", { to: 1 }))).reason, "NO_AUTH");
    const root = { metadata: { authorization: basic("root:secret") } };
    assert.equal((await caller.call("HandOver", { to: 1 }, root)).to, 1);
    assert.equal((await failureOf(caller.call("HandOver", { to: 2 }, root))).code, 3);
  });
});
