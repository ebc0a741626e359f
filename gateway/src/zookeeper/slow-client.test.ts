/** A client that does not read: what lies here for it is what was written to it, and no more of the gateway's memory. */
import assert from "node:assert/strict";
import { it } from "node:test";
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
