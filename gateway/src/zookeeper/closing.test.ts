/** A client that closes its session behind requests of every kind, in one packet: each is answered, in order. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { openAcl, type WireRequest } from "../../../test/zookeeper/wire-records.ts";
import { ConnectionScene } from "./connection-scene.test-support.ts";

const path = "/zookeeper";
const data = Buffer.from("x");
const requests: readonly WireRequest[] = [
  { op: "create", path: "/a", data, acl: openAcl, flags: 1 },
  { op: "getData", path, watch: true },
  { op: "exists", path: "/none", watch: true },
  { op: "getChildren", path, watch: true },
  { op: "getChildren2", path, watch: true },
  { op: "getAcl", path },
  { op: "sync", path },
  { op: "addWatch", path: "/a", mode: 0 },
  { op: "addWatch", path, mode: 1 },
  { op: "removeWatches", path: "/a", type: 4 },
  { op: "checkWatches", path, type: 5 },
  { op: "getEphemerals", prefix: "/" },
  { op: "getAllChildrenNumber", path },
  {
    op: "setWatches2",
    relativeZxid: 1n,
    data: [path],
    exist: [],
    child: [],
    persistent: ["/p"],
    persistentRecursive: [],
  },
  { op: "setWatches", relativeZxid: 0n, data: [path], exist: [], child: ["/p"] },
  { op: "multiRead", operations: [{ op: "getData", path: "/none", watch: false }] },
  { op: "multi", operations: [{ op: "check", path, version: 0 }] },
  { op: "whoAmI" },
  { op: "delete", path: "/a", version: -1 },
];

test("whatever stands before the end of a session is answered before it", async () => {
  for (const request of requests) {
    const scene = new ConnectionScene();
    const client = await scene.connect();
    client.ask(
      request,
      { op: "addWatch", path: "/b", mode: 0 },
      { op: "getData", path, watch: true },
      { op: "closeSession" },
    );
    for (let turn = 0; turn < 20 && !client.closed; turn++) await scene.settle();
    const xids = client.told.filter(({ xid }) => xid !== -1).map(({ xid }) => xid);
    assert.deepEqual([xids, client.ended], [[1, 2, 3, 4], true], `${request.op}: ${scene.logged}`);
  }
});
