/** Clients that do not read, or do not say all that they begin to say: what that takes of the gateway's memory. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { connectRequest, framed } from "../../../test/zookeeper/wire-client.ts";
import { ConnectionScene } from "./connection-scene.test-support.ts";

it("what is unsent to a slow client keeps no memory of others", async () => {
  const scene = new ConnectionScene();
  const [slow, busy] = [await scene.connect(), await scene.connect()];
  const kept = new Set<ArrayBufferLike>();
  let written = 0;
  slow.write = (bytes) => {
    slow.queuedBytes += bytes.length;
    written += bytes.length;
    kept.add(bytes.buffer);
  };
  slow.ask({ op: "addWatch", path: "/", mode: 1 });
  const names = Array.from({ length: 50 }, (_, at) => `/zookeeper/quota/${"n".repeat(200)}${at}`);
  const data = Buffer.alloc(0);
  for (const path of names) {
    busy.ask({ op: "create", path, data, acl: [{ permissions: 31, scheme: "world", id: "anyone" }], flags: 0 });
    busy.ask(
      ...Array.from({ length: 30 }, () => ({ op: "getChildren", path: "/zookeeper/quota", watch: false }) as const),
    );
    await scene.settle();
  }
  assert.ok(written > names.length * 200, "it was told of all");
  const bytes = [...kept].reduce((sum, { byteLength }) => sum + byteLength, 0);
  assert.ok(bytes < 2 * written + 4 * 65_536, `${bytes} bytes are kept for ${written}`);
});

it("a first frame that is no ConnectRequest's length closes the connection before it comes", async () => {
  const scene = new ConnectionScene();
  const client = scene.bare();
  client.connection.received(framed(Buffer.alloc(1025)).subarray(0, 4));
  assert.ok(client.destroyed);
  const other = scene.bare();
  other.say(connectRequest({ password: Buffer.alloc(900) }));
  await scene.settle();
  assert.ok(other.welcome);
});

it("frames that are never whole are bounded, however many clients begin them", async () => {
  const scene = new ConnectionScene(undefined, { allUnbegunBytes: 1_000_000, unbegunBytes: 1000 });
  const clients = await Promise.all(Array.from({ length: 20 }, () => scene.connect()));
  const half = framed(Buffer.alloc(200_000)).subarray(0, 100_000);
  for (const each of clients) each.connection.received(half);
  assert.deepEqual(
    clients.map(({ destroyed }) => destroyed),
    clients.map((_, at) => at >= 10),
  );
  assert.match(scene.logged.join(), /requests that are not whole take 1100000 bytes, 100000 of them/);
  const small = await scene.connect();
  small.ask({ op: "whoAmI" });
  await scene.settle();
  assert.deepEqual(small.take(), ["1"], "who has little may go on");
  for (const each of clients) each.connection.destroy();
  assert.equal(scene.door.unbegunBytes, 0);
});

it("a client that stands still amid what it missed keeps its session no longer than any other", async () => {
  const scene = new ConnectionScene(undefined, { pausedBytes: 4096 });
  const writer = await scene.connect();
  const acl = [{ permissions: 31, scheme: "world", id: "anyone" }];
  const create = (path: string) => ({ op: "create", path, data: Buffer.alloc(0), acl, flags: 0 }) as const;
  for (let made = 0; made < 6000; made += 500) {
    writer.ask(...Array.from({ length: 500 }, (_, at) => create(`/n${made + at}`)));
    await scene.settle();
  }
  const client = await scene.connect({ timeoutMillis: 4000 });
  client.deaf = true;
  const none = { data: [], exist: [], child: [], persistent: [] };
  client.ask({ op: "setWatches2", relativeZxid: 1n, ...none, persistentRecursive: ["/"] }, { op: "ping" });
  await scene.settle();
  assert.ok(client.paused && !client.closed, "it is waited for");
  await scene.wait(3000);
  assert.ok(!client.closed, "for a while");
  await scene.wait(4000);
  assert.ok(client.destroyed);
  assert.match(scene.logged.join(), /nothing came from its client for 6000 ms/);
});
