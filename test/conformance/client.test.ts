/** The TypeScript client's two classes: each call means the same in both, over doors with a real tree behind them. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { GrpcClient, type Quorate, QuorateError, RestClient, textOf, type WatchItem } from "@quorate/client";
import { type Doors, startDoors } from "./client-doors.ts";
import { MemoryBackend } from "./memory-backend.ts";

let doors: Doors;
const credentials = { user: "al", password: "secret" };

before(async () => {
  doors = await startDoors(new MemoryBackend());
});
after(() => doors.stop());

async function codeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return "none";
  } catch (error) {
    assert.ok(error instanceof QuorateError, String(error));
    assert.equal(error.certainty, "noEffect");
    return error.code;
  }
}

async function take(watch: AsyncIterable<WatchItem>, count: number): Promise<WatchItem[]> {
  const items: WatchItem[] = [];
  for await (const item of watch) if (items.push(item) === count) break;
  return items;
}

async function gather<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

const ways = {
  rest: () => new RestClient({ endpoints: [`http://127.0.0.1:${doors.restPort}`], credentials }),
  "rest by polls": () =>
    new RestClient({ endpoints: [`http://127.0.0.1:${doors.restPort}`], credentials, watchBy: "poll" }),
  grpc: () => new GrpcClient({ endpoints: [`127.0.0.1:${doors.grpcPort}`], credentials }),
} as const;

for (const [way, open] of Object.entries(ways)) {
  const root = `/${way.replaceAll(" ", "-")}`;
  describe(`the client over ${way}`, () => {
    let client: Quorate;
    before(async () => {
      client = open();
      await client.put(root, "");
    });
    after(() => client.close());

    it("creates, reads, compares and sets, deletes", () => writes(client, root));
    it("says what failed", () => failures(client, root));
    it("lists children and trees", () => listings(client, root));
    it("keeps ACLs", () => acls(client, root));
    it("does transactions", () => txns(client, root));
    it("watches", () => watches(client, root));
    it("holds sessions", () => sessions(client, root));
  });
}

async function writes(client: Quorate, root: string): Promise<void> {
  const bytes = new Uint8Array([0, 255, 10]);
  const made = await client.put(`${root}/a`, bytes);
  assert.deepEqual(
    [made.path, made.created, made.stat.kind, made.stat.dataLength],
    [`${root}/a`, true, "persistent", 3],
  );
  assert.equal(made.stat.mzxid, made.zxid);
  const read = await client.get(`${root}/a`);
  assert.deepEqual(read.data, bytes);
  assert.deepEqual(read.stat, made.stat);
  assert.ok(read.zxid >= made.zxid && client.seen >= read.zxid);
  assert.deepEqual(await client.exists(`${root}/a`), made.stat);
  assert.equal(await client.exists(`${root}/absent`), undefined);
  const again = await client.put(`${root}/a`, "2", { mzxid: made.stat.mzxid });
  assert.deepEqual([again.created, again.stat.version], [false, 1]);
  assert.equal(await codeOf(client.put(`${root}/a`, "3", { mzxid: made.stat.mzxid })), "badVersion");
  await client.put(`${root}/a`, "4", { exists: true });
  assert.equal(textOf((await client.get(`${root}/a`, { consistency: "session" })).data), "4");
  assert.equal(textOf((await client.get(`${root}/a`, { consistency: "stale", maxStaleMillis: 1000 })).data), "4");
  const ttl = await client.create(`${root}/ttl`, "", { ttlMillis: 60_000 });
  assert.deepEqual([ttl.created, ttl.stat.kind, ttl.stat.ttl], [true, "ttl", "60s"]);
  const first = await client.create(`${root}/q/item-`, "x", { sequential: true, parents: true });
  const second = await client.create(`${root}/q/item-`, "y", { sequential: true });
  assert.deepEqual([first.path, second.path], [`${root}/q/item-0000000000`, `${root}/q/item-0000000001`]);
  assert.ok((await client.sync()) >= second.zxid);
  const { deleted } = await client.delete(`${root}/q`, { recursive: true });
  assert.equal(deleted, 3);
}

async function failures(client: Quorate, root: string): Promise<void> {
  const { stat } = await client.put(`${root}/f`, "");
  assert.equal(await codeOf(client.get(`${root}/no`)), "noNode");
  assert.equal(await codeOf(client.create(`${root}/f`, "")), "nodeExists");
  assert.equal(await codeOf(client.put(`${root}/f`, "", { exists: false })), "nodeExists");
  assert.equal(await codeOf(client.put(`${root}/no`, "", { exists: true })), "badVersion");
  assert.equal(await codeOf(client.create(`${root}/no/x`, "")), "noParent");
  assert.equal(await codeOf(client.delete(root)), "notEmpty");
  assert.equal(await codeOf(client.delete(`${root}/f`, { mzxid: "0x1" })), "badVersion");
  assert.equal(await codeOf(client.put("no-slash//x", "")), "badArguments");
  assert.equal(await codeOf(client.put(`${root}/f`, new Uint8Array(1_048_576))), "tooLarge");
  assert.equal(await codeOf(client.create(`${root}/e`, "", { ephemeral: true })), "badArguments");
  const key = `${root}-key`;
  await client.put(`${root}/f`, "one", { idempotencyKey: key, mzxid: stat.mzxid });
  const replayed = await client.put(`${root}/f`, "one", { idempotencyKey: key, mzxid: stat.mzxid });
  assert.equal(replayed.stat.version, 1);
  assert.equal(await codeOf(client.put(`${root}/f`, "two", { idempotencyKey: key })), "keyReused");
  const txn = client.txn({
    check: [{ path: root, exists: true }],
    then: [
      { op: "put", path: `${root}/t` },
      { op: "delete", path: root },
    ],
  });
  await assert.rejects(txn, (error) => {
    assert.ok(error instanceof QuorateError);
    assert.deepEqual([error.code, error.op, error.path], ["notEmpty", { in: "then", index: 1 }, root]);
    return true;
  });
  assert.equal(await client.exists(`${root}/t`), undefined);
}

async function listings(client: Quorate, root: string): Promise<void> {
  const names = ["a", "b", "c", "d", "e"];
  await client.put(`${root}/l`, "top");
  for (const name of names) await client.put(`${root}/l/${name}`, name);
  const listing = client.children(`${root}/l`, { limit: 2, data: true });
  const children = await gather(listing);
  assert.deepEqual(
    children.map(({ name, data }) => [name, textOf(data)]),
    names.map((name) => [name, name]),
  );
  assert.ok(children.every(({ stat }) => stat?.kind === "persistent"));
  assert.match(listing.zxid ?? "", /^0x/);
  await client.put(`${root}/l/a/deep`, "x");
  const tree = client.tree(`${root}/l`, { data: true });
  const nodes = await gather(tree);
  assert.deepEqual(
    nodes.map(({ path, data }) => [path.slice(root.length), textOf(data)]),
    [["/l", "top"], ["/l/a", "a"], ["/l/a/deep", "x"], ...["b", "c", "d", "e"].map((name) => [`/l/${name}`, name])],
  );
  assert.ok((tree.zxid ?? "") >= (nodes[2]?.stat.czxid ?? "none"));
  assert.deepEqual((await gather(client.tree(`${root}/l`, { depth: 1 }))).length, 6);
  await assert.rejects(gather(client.tree(`${root}/none`)), { code: "noNode" });
  await assert.rejects(gather(client.children(`${root}/none`)), { code: "noNode" });
}

async function acls(client: Quorate, root: string): Promise<void> {
  await client.put(`${root}/acl`, "", { acl: [{ scheme: "auth", id: "", perms: "cdrwa" }] });
  const { acl, version } = await client.getAcl(`${root}/acl`);
  assert.deepEqual([acl.length, acl[0]?.scheme, acl[0]?.perms, version], [1, "digest", "cdrwa", 0]);
  const { stat } = await client.setAcl(`${root}/acl`, [{ scheme: "world", id: "anyone", perms: "ra" }], { version });
  assert.equal(stat.aversion, 1);
  assert.equal(await codeOf(client.setAcl(`${root}/acl`, acl, { version })), "badVersion");
  assert.equal(await codeOf(client.put(`${root}/acl`, "x")), "noAuth");
}

async function txns(client: Quorate, root: string): Promise<void> {
  const { stat } = await client.put(`${root}/x`, "1");
  const done = await client.txn({
    check: [{ path: `${root}/x`, mzxid: stat.mzxid, czxid: stat.czxid, version: 0, exists: true }],
    then: [
      { op: "set", path: `${root}/x`, data: new Uint8Array([200]) },
      { op: "create", path: `${root}/x/s-`, sequential: true, data: "s" },
      { op: "put", path: `${root}/x/p`, data: "p", ttlMillis: 5000 },
      { op: "check", path: `${root}/x`, exists: true },
      { op: "exists", path: `${root}/x/p` },
      { op: "get", path: `${root}/x` },
      { op: "children", path: `${root}/x` },
      { op: "delete", path: `${root}/x`, recursive: true },
    ],
  });
  assert.equal(done.branch, "then");
  const [set, create, put, check, exists, get, children, gone] = done.results;
  assert.deepEqual([set?.created, set?.stat?.version], [false, 1]);
  assert.deepEqual([create?.path, create?.created], [`${root}/x/s-0000000000`, true]);
  assert.deepEqual([put?.created, put?.stat?.kind], [true, "ttl"]);
  assert.deepEqual(check, { path: `${root}/x`, checked: true });
  assert.deepEqual(exists, { path: `${root}/x/p`, stat: put?.stat });
  assert.deepEqual(get?.data, new Uint8Array([200]));
  assert.deepEqual([children?.path, children?.children?.map(({ name }) => name)], [`${root}/x`, ["p", "s-0000000000"]]);
  assert.deepEqual(gone, { path: `${root}/x`, deleted: 3 });
  const other = await client.txn({
    check: [{ path: `${root}/x`, exists: true }],
    else: [{ op: "exists", path: root }],
  });
  assert.deepEqual([other.branch, other.results.length], ["else", 1]);
}

async function watches(client: Quorate, root: string): Promise<void> {
  await client.put(`${root}/w`, "1");
  const watch = client.watch({ node: `${root}/w`, children: `${root}/w`, include: "data" });
  const states = watch[Symbol.asyncIterator]();
  const [node, children] = [(await states.next()).value, (await states.next()).value];
  assert.ok(node?.type === "state" && children?.type === "state");
  assert.deepEqual([node.scope, node.exists, textOf(node.data)], ["node", true, "1"]);
  assert.deepEqual([children.scope, children.path, children.children], ["children", `${root}/w`, []]);
  const cursor = watch.cursor ?? "";
  assert.match(cursor, /^0x[0-9a-f]{16}\.[0-9a-f]{16}$/);
  const { stat, zxid } = await client.put(`${root}/w`, "2");
  await client.put(`${root}/w/c`, "3");
  const first = (await states.next()).value;
  assert.ok(first?.type === "changed");
  const { data, time, ...event } = first;
  assert.deepEqual(event, { type: "changed", path: `${root}/w`, zxid, version: 1, czxid: stat.czxid });
  assert.deepEqual([textOf(data), time], ["2", stat.mtime]);
  assert.equal((await states.next()).value?.type, "created");
  await watch.close();
  assert.equal((await states.next()).done, true);
  // The same again from the cursor, and from a zxid; a transaction whole.
  await client.txn({
    then: [
      { op: "delete", path: `${root}/w/c` },
      { op: "delete", path: `${root}/w` },
    ],
  });
  for (const after of [cursor, node.stat?.mzxid ?? ""]) {
    const items = await take(client.watch({ subtree: `${root}/w`, after }), 4);
    assert.deepEqual(
      items.map(({ type }) => type),
      ["changed", "created", "deleted", "deleted"],
    );
  }
  const history = `${cursor.split(".")[0]}.${"0".repeat(16)}`;
  await assert.rejects(take(client.watch({ node: root, after: history }), 1), { code: "cursorOfAnotherHistory" });
  const restarted = await take(client.watch({ node: root, after: history, restart: true }), 2);
  assert.deepEqual(
    restarted.map(({ type }) => type),
    ["restarted", "state"],
  );
}

async function sessions(client: Quorate, root: string): Promise<void> {
  const session = await client.session({ sessionTimeoutMillis: 20_000, name: "conformance" });
  assert.deepEqual([session.timeoutMillis, session.lost.aborted], [20_000, false]);
  const { stat } = await session.put(`${root}/me`, "here", { ephemeral: true });
  assert.deepEqual([stat.kind, stat.ephemeralOwner], ["ephemeral", session.id]);
  const many = await Promise.all(Array.from({ length: 200 }, (_, i) => session.put(`${root}/many`, String(i))));
  assert.equal(new Set(many.map(({ zxid }) => zxid)).size, 200);
  const { data } = await session.get(`${root}/many`, { consistency: "session" });
  assert.ok(Number(textOf(data)) < 200);
  const held = await session.txn({
    check: [{ path: `${root}/me`, owner: "self" }],
    then: [{ op: "get", path: `${root}/me` }],
  });
  assert.equal(textOf(held.results[0]?.data), "here");
  assert.equal(await codeOf(session.put(`${root}/no/parent`, "")), "noParent");
  assert.equal(
    (await gather(session.children(root))).some(({ name }) => name === "me"),
    true,
  );
  assert.equal((await gather(session.tree(`${root}/me`))).length, 1);
  const watch = session.watch({ node: `${root}/me` });
  const items = watch[Symbol.asyncIterator]();
  // The state first: a watch and a write that are sent at a time may come in either order.
  assert.equal((await items.next()).value?.type, "state");
  await session.put(`${root}/me`, "changed");
  assert.equal((await items.next()).value?.type, "changed");
  await watch.close();
  await session.close();
  assert.equal(session.lost.aborted, true);
  assert.equal(await client.exists(`${root}/me`), undefined);
  await assert.rejects(session.get(root), { code: "sessionExpired" });
}
