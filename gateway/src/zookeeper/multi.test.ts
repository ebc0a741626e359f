/** What fits no reply is an error: neither a part of it, nor the gateway's memory full of it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { openAcl, type WireRequest } from "../../../test/zookeeper/wire-records.ts";
import type { Backend, ReadRequest } from "../backend.ts";
import { type Client, ConnectionScene } from "./connection-scene.test-support.ts";

const create = (path: string, data = ""): WireRequest => ({
  op: "create",
  path,
  data: Buffer.from(data),
  acl: openAcl,
  flags: 0,
});
const badArguments = -8;

function readAll(...operations: readonly object[]): WireRequest {
  return { op: "multiRead", operations } as unknown as WireRequest;
}

async function codesOf(scene: ConnectionScene, client: Client, ...requests: readonly WireRequest[]): Promise<number[]> {
  client.ask(...requests);
  await scene.settle();
  return client.told.splice(0).map(({ code }) => code);
}

/** With the operations that were read on lanes. */
function watched(asked: ReadRequest["operation"]["kind"][]): ConnectionScene {
  return new ConnectionScene((memory): Partial<Backend> => {
    return {
      attach: (...all) => {
        const lane = memory.attach(...all);
        return {
          get writable() {
            return lane.writable;
          },
          write: (write, done) => lane.write(write, done),
          read: (request, millis, done) => {
            asked.push(request.operation.kind);
            lane.read(request, millis, done);
          },
          close: () => lane.close(),
        };
      },
    };
  });
}

describe("what is larger than clients read", () => {
  it("is no list of children with some of them missing", async () => {
    const scene = new ConnectionScene();
    const client = await scene.connect();
    const count = 1100;
    const name = "n".repeat(1000);
    await codesOf(scene, client, create("/d"));
    for (let at = 0; at < count; at += 50) {
      const some = Array.from({ length: 50 }, (_, place) => create(`/d/${name}${at + place}`));
      assert.ok((await codesOf(scene, client, ...some)).every((code) => code === 0));
    }
    const path = "/d";
    const lists = [
      { op: "getChildren", path, watch: true },
      { op: "getChildren2", path, watch: true },
      readAll({ op: "getChildren", path }),
      readAll({ op: "getChildren", path }, { op: "getData", path: "/none" }),
    ] as const;
    assert.deepEqual(
      await codesOf(scene, client, ...lists),
      lists.map(() => badArguments),
    );
    assert.deepEqual(await codesOf(scene, client, { op: "checkWatches", path, type: 1 }), [-121]);
    const { length } = `${name}1000`;
    const fits = Math.floor((1_048_575 - 16 - 4) / (4 + length));
    const less = Array.from({ length: count - fits + 100 }, (_, at) => `${path}/${name}${at}`);
    for (const each of less) client.ask({ op: "delete", path: each, version: -1 });
    await scene.settle();
    client.told.splice(0);
    const [xid = 0] = client.ask({ op: "getChildren", path, watch: false });
    await scene.settle();
    assert.equal(client.bodyOf<{ children: string[] }>(xid).children.length, count - less.length);
  });

  it("is not gathered, though a request of some bytes asks for a gigabyte", async () => {
    const asked: ReadRequest["operation"]["kind"][] = [];
    const scene = watched(asked);
    const client = await scene.connect();
    assert.deepEqual(await codesOf(scene, client, create("/big", "b".repeat(1_000_000))), [0]);
    const big = Array.from({ length: 999 }, () => ({ op: "getData", path: "/big" }));
    assert.deepEqual(await codesOf(scene, client, readAll(...big)), [badArguments]);
    assert.deepEqual(asked.splice(0), ["txn"]);
    assert.deepEqual(await codesOf(scene, client, readAll({ op: "getData", path: "/none" }, ...big)), [badArguments]);
    assert.deepEqual(asked.shift(), "txn");
    assert.ok(asked.length < 30, `${asked.length} reads`);
  });

  it("many small reads, some of which fail, are all answered", async () => {
    const scene = new ConnectionScene();
    const client = await scene.connect();
    await codesOf(scene, client, create("/small", "s"));
    const paths = Array.from({ length: 1000 }, (_, at) => (at % 3 === 0 ? "/small" : at % 3 === 1 ? "/none" : "bad"));
    const before = Array.from({ length: 200 }, () => ({ op: "exists", path: "/small", watch: false }) as const);
    const xid = client.ask(...before, readAll(...paths.map((path) => ({ op: "getData", path })))).at(-1) ?? 0;
    await scene.settle();
    const { results } = client.bodyOf<{ results: { op: string; code?: number }[] }>(xid);
    assert.deepEqual(
      results.map(({ op, code }) => code ?? op),
      paths.map((path) => (path === "/small" ? "getData" : -101)),
    );
  });
});
