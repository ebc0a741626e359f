/** What playing random requests to a real ZooKeeper showed: small things that a client could see, kept here without that server. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { WireCreate, WireMultiResult, WireRequest } from "../../../test/zookeeper/wire-records.ts";
import { type Client, ConnectionScene } from "./connection-scene.test-support.ts";

const open = [{ permissions: 31, scheme: "world", id: "anyone" }] as const;

function create(op: WireCreate["op"], flags: number, more: Partial<WireCreate> = {}): WireCreate {
  return { op, path: `/${op}${flags}`, data: Buffer.from("x"), acl: open, flags, ...more };
}

/** The code of the whole, or what its only operation answers. */
async function inMulti(scene: ConnectionScene, client: Client, operation: WireCreate): Promise<string> {
  const [xid = 0] = client.ask({ op: "multi", operations: [operation] });
  await scene.settle();
  const told = client.told.find((each) => each.xid === xid);
  if (told?.code !== 0) return String(told?.code);
  const [result] = client.bodyOf<{ results: readonly WireMultiResult[] }>(xid).results;
  return result?.op === "error" ? `of it ${result.code}` : (result?.op ?? "nothing");
}

test("in a multi the flags say what a create is", async () => {
  const scene = new ConnectionScene();
  const client = await scene.connect();
  const ttl = 1_000_000n;
  const expected: readonly (readonly [WireCreate, string])[] = [
    [create("create", 0), "create"],
    [create("create", 4), "create2"],
    [create("create2", 5), "-5"],
    [create("create", 7), "-5"],
    [create("createContainer", -1), "-5"],
    [create("createContainer", 0), "create2"],
    [create("createTtl", 0, { ttl }), "create"],
    [create("createTtl", 4, { ttl }), "create2"],
    [create("createTtl", 5, { ttl }), "create2"],
    [create("createTtl", 6, { ttl: 0n }), "of it -8"],
    [create("createTtl", 7, { ttl }), "of it -8"],
  ];
  for (const [operation, answer] of expected) {
    assert.equal(await inMulti(scene, client, operation), answer, `${operation.op} with flags ${operation.flags}`);
  }
});

test("rights that give nothing are taken, exists refuses a NUL, and a digest needs no user", async () => {
  const scene = new ConnectionScene();
  const client = await scene.connect();
  const nothing: WireRequest = create("create", 0, { acl: [{ permissions: 0, scheme: "world", id: "anyone" }] });
  const [made = 0, exists = 0, got = 0] = client.ask(
    nothing,
    { op: "exists", path: "/a\0", watch: false },
    { op: "getData", path: "/a\0", watch: false },
  );
  await scene.settle();
  const codeOf = (xid: number): number | undefined => client.told.find((each) => each.xid === xid)?.code;
  assert.deepEqual([made, exists, got].map(codeOf), [0, -8, -101]);
  client.ask({ op: "auth", scheme: "digest", auth: Buffer.alloc(0) });
  const [who = 0] = client.ask({ op: "whoAmI" });
  await scene.settle();
  const clients = [
    { scheme: "ip", user: "127.0.0.1" },
    { scheme: "digest", user: "" },
  ];
  assert.deepEqual(client.bodyOf(who), { clients });
});
