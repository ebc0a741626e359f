/** What a session owns, how many znodes there are below one, and the znode that shows the ensemble. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { WireRequest } from "../../../test/zookeeper/wire-records.ts";
import type { Answer, ClusterView, SessionLane, TreePages, TreeRequest } from "../backend.ts";
import { type Client, ConnectionScene } from "./connection-scene.test-support.ts";

const everybody = [{ permissions: 31, scheme: "world", id: "anyone" }] as const;

function create(path: string, flags = 0, acl: readonly object[] = everybody): WireRequest {
  return { op: "create", path, data: Buffer.from("x"), acl, flags } as WireRequest;
}

/** What a client's requests are answered, by their codes, or by the records of those that succeed. */
async function answers(
  scene: ConnectionScene,
  client: Client,
  ...requests: readonly WireRequest[]
): Promise<unknown[]> {
  const xids = client.ask(...requests);
  await scene.wait(500);
  const told = xids.map((xid) => client.told.find((each) => each.xid === xid));
  client.told.length = 0;
  return told.map((each) => (each?.code === 0 ? each.body : each?.code));
}

test("getEphemerals lists the session's own, by the beginning of their paths", async () => {
  const scene = new ConnectionScene();
  const [client, other] = [await scene.connect(), await scene.connect()];
  await answers(scene, other, create("/app"), create("/apple", 1), create("/app/theirs", 1));
  const list = (prefix: string | null): WireRequest => ({ op: "getEphemerals", prefix });
  assert.deepEqual(await answers(scene, client, list("/")), [{ ephemerals: [] }]);
  // Behind what was written, though it is not answered yet.
  const own = await answers(scene, client, create("/app/a", 1), create("/app/b", 1), create("/apply", 1), list("/"));
  assert.deepEqual(own[3], { ephemerals: ["/app/a", "/app/b", "/apply"] });
  const by = await answers(scene, client, list("/app/"), list("/app"), list("/app/a"), list("/nothing"), list(" / "));
  assert.deepEqual(
    by.map((each) => (each as { ephemerals: string[] }).ephemerals),
    [["/app/a", "/app/b"], ["/app/a", "/app/b", "/apply"], ["/app/a"], [], ["/app/a", "/app/b", "/apply"]],
  );
  const empty = await answers(scene, client, list(""), list(null), list("app"));
  assert.deepEqual(
    empty.map((each) => (each as { ephemerals: string[] }).ephemerals.length),
    [3, 3, 0],
  );
});

test("getAllChildrenNumber counts all below, whoever may read them, if the path itself may be read", async () => {
  const scene = new ConnectionScene();
  const [client, owner] = [await scene.connect(), await scene.connect()];
  const auth: WireRequest = { op: "auth", scheme: "digest", auth: Buffer.from("bob:pw") };
  const mine = [{ permissions: 31, scheme: "auth", id: "" }] as const;
  const paths = ["/a", "/a/b", "/a/b/c", "/a/d", "/ab", "/ab/x"];
  await answers(scene, owner, auth, ...paths.map((path) => create(path)), create("/own", 0, mine), create("/own/x"));
  await answers(scene, owner, create("/a/hidden", 0, mine), create("/a/hidden/below"));
  const count = (path: string): WireRequest => ({ op: "getAllChildrenNumber", path });
  const [below, none, leaf, refused] = await answers(
    scene,
    client,
    count("/a"),
    count("/missing"),
    count("/a/d"),
    count("/own"),
  );
  assert.deepEqual([below, none, leaf, refused], [{ total: 5 }, -101, { total: 0 }, -102]);
  assert.deepEqual(await answers(scene, owner, count("/own"), count("/ab")), [{ total: 1 }, { total: 1 }]);
  const [all] = (await answers(scene, client, count("/"))) as [{ total: number }];
  // And /zookeeper with its two.
  assert.equal(all.total, 6 + 2 + 2 + 3);
  assert.deepEqual(await answers(scene, client, count("no path"), count("/a/")), [-101, -101]);
  const behind = await answers(scene, client, create("/a/new"), count("/a"), create("/a/later"), count("/a"));
  assert.deepEqual([behind[1], behind[3]], [{ total: 6 }, { total: 7 }]);
});

test("a count comes behind the events of what it counted", async () => {
  const held: (() => void)[] = [];
  const reads: (readonly [string, number])[] = [];
  const scene = new ConnectionScene((memory) => ({
    attach: (...attaching): SessionLane => {
      const lane = memory.attach(...attaching);
      return {
        get writable(): boolean {
          return lane.writable;
        },
        write: (write, done) => lane.write(write, done),
        read: (request, millis, done) => {
          reads.push([request.operation.kind, request.minZxid]);
          lane.read(request, millis, done);
        },
        close: () => lane.close(),
      };
    },
    listTree: (request: TreeRequest): TreePages => {
      const pages = memory.listTree(request);
      const next = (millis: number): Promise<Answer> =>
        new Promise<void>((resolve) => held.push(resolve)).then(() => pages.next(millis));
      return { next, close: () => pages.close() };
    },
  }));
  const [client, writer] = [await scene.connect(), await scene.connect()];
  await answers(scene, writer, create("/a"), create("/a/b"));
  client.ask({ op: "getChildren", path: "/a", watch: true }, { op: "getAllChildrenNumber", path: "/a" });
  await scene.settle();
  assert.deepEqual(client.take(), ["1"]);
  await answers(scene, writer, create("/a/c"));
  for (const go of held.splice(0)) go();
  await scene.wait(500);
  const total = client.bodyOf<{ total: number }>(2);
  const order = client.take();
  assert.deepEqual([total, order], [{ total: 2 }, ["event 4 /a", "2"]]);
  // The lane tells what happened before it shows as much: it is asked for what the listing has shown.
  assert.deepEqual(
    reads.map(([kind]) => kind),
    ["children", "exists", "sync"],
  );
  assert.equal(reads[2]?.[1], scene.memory.tree.applied);
});

test("a listing that fails ends the connection or is answered with its code; a client that is gone ends it", async () => {
  const failing = (answer: Answer) =>
    new ConnectionScene(() => ({ listTree: () => ({ next: async () => answer, close: () => undefined }) }));
  const unavailable = { kind: "unavailable", detail: "", certainty: "noEffect", retryAfterMillis: 0 } as const;
  const busy = failing({ ...unavailable, code: "throttled" });
  const client = await busy.connect();
  const count: WireRequest = { op: "getAllChildrenNumber", path: "/" };
  assert.deepEqual(await answers(busy, client, count), [-127]);
  const lost = failing({ ...unavailable, code: "pageTooOld" });
  const other = await lost.connect();
  other.ask(count);
  await lost.wait(500);
  assert.equal(other.closed, true);
  let pages = 0;
  let closed = 0;
  const endless = new ConnectionScene(() => ({
    listTree: () => ({
      next: async (): Promise<Answer> => {
        pages += 1;
        if (pages === 5) impatient.connection.gone();
        const result = { kind: "treePage", at: 1, entries: [], more: true } as never;
        return { kind: "outcome", outcome: { ok: true, zxid: 1 as never, result }, servedBy: 1, ageMillis: 0 };
      },
      close: () => {
        closed += 1;
      },
    }),
  }));
  const impatient = await endless.connect();
  impatient.ask(count);
  await endless.wait(500);
  assert.deepEqual([pages, closed], [5, 1]);
});

test("/zookeeper/config shows the ensemble, and every Stat of it the length of that", async () => {
  const scene = new ConnectionScene((memory) => ({
    cluster: (): ClusterView => {
      const view = memory.cluster();
      const [one] = view.members;
      const member = (id: number, more: object = {}) =>
        ({ ...one, id, address: `10.0.0.${id}:7400`, ...more }) as never;
      return { ...view, members: [member(2), member(1), member(3), member(4, { standing: "joining" })] };
    },
  }));
  const client = await scene.connect();
  const expected = [1, 2, 3].map((id) => `server.${id}=10.0.0.${id}:7400:7400:participant\n`).join("");
  const text = `${expected}version=0`;
  const path = "/zookeeper/config";
  const read = (op: "getData" | "exists" | "getChildren2"): WireRequest => ({ op, path, watch: false });
  const [data, exists, children, acl] = (await answers(
    scene,
    client,
    read("getData"),
    read("exists"),
    read("getChildren2"),
    {
      op: "getAcl",
      path,
    },
  )) as [
    { data: Buffer; stat: object },
    { stat: object },
    { stat: object },
    { stat: { dataLength: number }; acl: object[] },
  ];
  assert.equal(data.data.toString(), text);
  assert.equal(acl.stat.dataLength, text.length);
  for (const each of [exists, children, acl]) assert.deepEqual(each.stat, data.stat);
  assert.deepEqual(acl.acl, [{ permissions: 1, scheme: "world", id: "anyone" }]);
  const many: WireRequest = {
    op: "multiRead",
    operations: [read("getData"), { op: "getData", path: "/zookeeper", watch: false }] as never,
  };
  const [{ results }] = (await answers(scene, client, many)) as [{ results: { data: Buffer; stat: object }[] }];
  assert.deepEqual([results[0]?.data.toString(), results[0]?.stat], [text, data.stat]);
  assert.equal(results[1]?.data?.length ?? 0, 0);
});
