/**
 * Nothing lost or doubled between polls: writers at full speed, 50 long-pollers, 50 event streams and 50 gRPC watchers on
 * overlapping scopes, while leaders and gateways are killed, stopped and come back, and the leadership is handed over. Each
 * watcher's sequence has to be the committed one as the replicas' own logs have it, filtered by its scopes.
 *
 * QUORATE_WATCHERS_SECONDS: how long that goes on (10).
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, type TestContext, test } from "node:test";
import { Worker } from "node:worker_threads";
import {
  type CommittedChange,
  foldChanges,
  isInScope,
  type Left,
  lineOf,
  queryOf,
  readCommitted,
  type Scopes,
} from "./committed.ts";
import { basicAuth, Ensemble, freePorts, type Process, sleep, superUser, until } from "./ensemble.ts";
import { TreeWriters } from "./tree-writers.ts";
import type { CrowdOrder, CrowdPlan, CrowdWatcher, Told } from "./watcher-crowd.ts";
import { callOn, pollOn, streamOn } from "./watchers.ts";

const seconds = Number(process.env["QUORATE_WATCHERS_SECONDS"] ?? 10);
const ofEachKind = 50;
const trees = ["/w/a", "/w/b", "/w/c", "/w/d"] as const;
const names = Array.from({ length: 12 }, (_, i) => `n${i}`);

let ensemble: Ensemble;
let grpcPorts: ReadonlyMap<string, number>;
let worker: Worker | undefined;
let writers: TreeWriters | undefined;

before(async () => {
  const all = ["replica 1", "replica 2", "replica 3", "gateway 1", "gateway 2"];
  const free = await freePorts(all.length);
  grpcPorts = new Map(all.map((name, i) => [name, free[i] ?? 0]));
  ensemble = await Ensemble.start({
    gateways: 2,
    // The log has to reach back to its beginning in the end.
    flags: ["--snapshot-log-bytes", String(2 ** 40)],
    environmentOf: (name) => ({ QUORATE_GRPC_PORT: String(grpcPorts.get(name)) }),
  });
});
after(async () => {
  // Of a test that failed.
  await Promise.allSettled([writers?.stop(), worker?.terminate()]);
  await ensemble?.stop();
});

async function put(path: string): Promise<string> {
  const made = await fetch(`${ensemble.gateway.base}/v1/znodes${path}`, { method: "PUT", body: "" });
  assert.ok(made.ok, await made.text());
  return made.headers.get("quorate-zxid") as string;
}

const none: Scopes = { nodes: [], children: [], subtrees: [] };

/** Overlapping: one znode, one parent, one tree, several of all, everything. */
function scopesOf(at: number): Scopes {
  const tree = trees[at % 4] as string;
  const other = trees[(at + 1) % 4] as string;
  const name = names[at % 12] as string;
  switch (at % 7) {
    case 0:
      return { ...none, nodes: [`${tree}/${name}`] };
    case 1:
      return { ...none, children: [tree] };
    case 2:
      return { ...none, subtrees: [tree] };
    case 3:
      return { nodes: [`${tree}/n1`, `${other}/n2`], children: [`${tree}/n0`, tree], subtrees: [`${other}/n0`] };
    case 4:
      return { nodes: trees.map((each) => `${each}/n5`), children: trees, subtrees: [] };
    case 5:
      return { ...none, subtrees: [`${tree}/n0`, `${other}/n1`, other] };
    default:
      return { ...none, subtrees: at % 2 === 0 ? ["/"] : ["/w"] };
  }
}

function plan(from: string): CrowdPlan {
  const doors = [...ensemble.gateways, ...ensemble.replicas].map(({ base, name }) => ({
    base,
    grpcPort: grpcPorts.get(name) ?? 0,
  }));
  const watchers: CrowdWatcher[] = [];
  for (let at = 0; at < ofEachKind; at++) {
    // Two of three at the gateways.
    const door = at % 3 === 0 ? 2 + (at % doors.length) : at % 2;
    const stream = at % 2 === 0 ? "text/event-stream" : "application/x-ndjson";
    for (const kind of ["poll", stream, "grpc"] as const) {
      watchers.push({ kind, scopes: scopesOf(at), door, roams: at % 2 === 0 });
    }
  }
  return { doors, after: from, watchers };
}

async function handOver(): Promise<void> {
  const leader = await ensemble.leader(ensemble.replica(1));
  const response = await fetch(`${ensemble.replica(leader).base}/v1/cluster/leader`, {
    method: "POST",
    headers: {
      authorization: basicAuth(superUser.user, superUser.password),
      "content-type": "application/json",
      "quorate-timeout": "3s",
    },
    body: JSON.stringify({ to: (leader % 3) + 1 }),
  });
  assert.ok(response.ok || response.status >= 500, `${response.status} ${await response.text()}`);
}

async function restart(each: Process, signal: NodeJS.Signals): Promise<void> {
  await each.kill(signal);
  await sleep(300);
  each.start();
  await until(async () => (await fetch(`${each.base}/readyz`)).ok, 60_000, `${each.name} is back`);
}

/** Answers how often each was done. */
async function strike(end: number, enough: () => boolean): Promise<Record<string, number>> {
  const done: Record<string, number> = {};
  const [one, two] = ensemble.gateways as [Process, Process];
  const strikes: readonly (readonly [string, () => Promise<void>])[] = [
    ["gateway killed", () => restart(one, "SIGKILL")],
    ["leader killed", async () => restart(ensemble.replica(await ensemble.leader(ensemble.replica(1))), "SIGKILL")],
    ["leadership handed over", handOver],
    ["gateway stopped", () => restart(two, "SIGTERM")],
    ["follower killed", async () => restart(ensemble.replica(((await ensemble.leader()) % 3) + 1), "SIGKILL")],
    ["leader killed", async () => restart(ensemble.replica(await ensemble.leader()), "SIGKILL")],
  ];
  for (let at = 0; performance.now() < end || at < strikes.length || !enough(); at++) {
    const [name, run] = strikes[at % strikes.length] as (typeof strikes)[number];
    await sleep(250);
    await run();
    done[name] = (done[name] ?? 0) + 1;
  }
  return done;
}

/** One transaction that everybody is told of. */
async function lastWrite(): Promise<string> {
  const paths = trees.flatMap((tree) => [...names.map((name) => `${tree}/${name}`), `${tree}/last`]);
  const then = [...paths, ...trees.map((tree) => `${tree}/n0/last`)].map((path) => ({ op: "put", path, data: "last" }));
  const response = await fetch(`${ensemble.gateway.base}/v1/txn`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ then }),
  });
  assert.equal(response.status, 200, await response.clone().text());
  return response.headers.get("quorate-zxid") as string;
}

async function listed(): Promise<Map<string, Left>> {
  const text = await (await fetch(`${ensemble.gateway.base}/v1/tree/w`)).text();
  const lines = text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.equal(lines.at(-1).end, true);
  return new Map(lines.slice(1, -1).map(({ path, stat: { version, mzxid } }) => [path, { version, mzxid }]));
}

/** Every acknowledged write is there, at its zxid, with what it changed, and nothing that nobody wrote. */
function holdAgainst(writers: TreeWriters, written: readonly CommittedChange[]): void {
  const byZxid = Map.groupBy(written, (each) => lineOf(each).slice(0, 18));
  for (const [zxid, changed] of writers.changed) {
    const found = byZxid.get(zxid)?.map(({ type, path }) => `${type} ${path}`);
    assert.deepEqual(found, changed, `the write acknowledged at ${zxid}`);
  }
  const silent = byZxid.size - writers.changed.size;
  assert.ok(silent >= 0 && silent <= writers.unknown, `${silent} writes by nobody, ${writers.unknown} unknown`);
}

/** The logs of all three, which have to say the same. */
async function committedSince(from: string, through: string): Promise<readonly CommittedChange[]> {
  await Promise.all(ensemble.replicas.map((each) => each.kill()));
  const all = await Promise.all(ensemble.replicas.map((_, i) => readCommitted(ensemble.dataOf(i + 1))));
  const [first = [], ...others] = all;
  for (const each of others) assert.deepEqual(each, first);
  return first.filter((each) => lineOf(each).slice(0, 18) > from && lineOf(each).slice(0, 18) <= through);
}

function compare(
  t: TestContext,
  { watchers }: CrowdPlan,
  told: readonly Told[],
  all: readonly CommittedChange[],
): void {
  const expected = new Map<string, readonly string[]>();
  for (const [i, { kind, scopes }] of watchers.entries()) {
    const query = queryOf(scopes);
    const lines = expected.get(query) ?? all.filter((each) => isInScope(scopes, each)).map(lineOf);
    expected.set(query, lines);
    assert.ok(lines.length > 10, `${query}: ${lines.length}`);
    const own = told[i]?.lines ?? [];
    const at = lines.findIndex((line, place) => own[place] !== line);
    const where = `at ${at}: told ${own.slice(at - 2, at + 3).join(", ")}; committed ${lines.slice(at - 2, at + 3).join(", ")}`;
    assert.ok(at < 0 && own.length === lines.length, `${kind} ${query}, ${told[i]?.breaks} breaks, ${where}`);
  }
  for (const kinds of [["poll"], ["text/event-stream", "application/x-ndjson"], ["grpc"]]) {
    const own = told.filter((_, i) => kinds.includes(watchers[i]?.kind ?? ""));
    const events = own.map(({ lines }) => lines.length).sort((a, b) => a - b);
    const breaks = own.reduce((sum, each) => sum + each.breaks, 0);
    const spread = `${events[0]} to ${events.at(-1)}, median ${events[events.length >> 1]}`;
    t.diagnostic(`${own.length} × ${kinds.join(" or ")}: events each ${spread}; went on from a cursor ${breaks} times`);
  }
}

/** Nothing but the event before, then noAuth, at all doors alike: the ACL is set while they watch. */
test("the right to read is taken from watches of all doors and scopes", { timeout: 240_000 }, async () => {
  const after = await put("/ours");
  const sought: readonly Scopes[] = [
    { ...none, nodes: ["/ours"] },
    { ...none, children: ["/ours"] },
    { ...none, subtrees: ["/ours"] },
  ];
  const doors = [...ensemble.gateways, ...ensemble.replicas];
  const watchers = sought.flatMap((scopes) =>
    doors.flatMap(({ name, base }) => {
      const query = queryOf(scopes);
      const own = (kind: string): string => `${kind} of ${query} at ${name}`;
      return [
        pollOn(own("poll"), () => base, query, after),
        streamOn(own("stream"), () => base, query, "text/event-stream", after),
        streamOn(own("lines"), () => base, query, "application/x-ndjson", after),
        callOn(own("call"), () => grpcPorts.get(name) ?? 0, scopes, after),
      ];
    }),
  );
  await put("/ours/one");
  const before = watchers.filter(({ name }) => !name.includes("node="));
  await until(() => before.every(({ told }) => told.length === 1), 20_000, "they are told of the child");
  const acl = JSON.stringify({ acl: [{ scheme: "digest", id: "x:y", perms: "cdrwa" }] });
  const set = await fetch(`${ensemble.gateway.base}/v1/acl/ours`, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: acl,
  });
  assert.equal(set.status, 200);
  const authorization = basicAuth(superUser.user, superUser.password);
  const made = await fetch(`${ensemble.gateway.base}/v1/znodes/ours/two`, {
    method: "PUT",
    headers: { authorization },
    body: "",
  });
  assert.equal(made.status, 201);
  await Promise.all(
    watchers.map((each) => assert.rejects(each.over, /noAuth|READ/, `${each.name} is over with the right`)),
  );
  for (const { name, told } of watchers) assert.equal(told.length, name.includes("node=") ? 0 : 1, name);
});

test(`each of ${3 * ofEachKind} watchers is told the committed sequence`, {
  timeout: 300_000 + seconds * 8000,
}, async (t) => {
  await put("/w");
  for (const tree of trees) await put(tree);
  for (const tree of trees) for (const name of names.slice(0, 4)) await put(`${tree}/${name}`);
  const from = await put("/w/from");
  const crowd = plan(from);
  worker = new Worker(new URL("./watcher-crowd.ts", import.meta.url), { workerData: crowd });
  const ended = once(worker, "message") as Promise<[Told[]]>;
  ended.catch(() => {});
  const doors = [...ensemble.gateways, ...ensemble.replicas].map(({ base }) => base);
  writers = new TreeWriters({ doors, trees, clients: 16 });
  const strikes = await strike(performance.now() + seconds * 1000, () => {
    return (writers?.changed.size ?? 0) >= 800;
  });
  await writers.stop();
  await ensemble.settled();
  const through = await lastWrite();
  worker.postMessage({ last: through } satisfies CrowdOrder);
  const [told] = await ended;
  await worker.terminate();
  await ensemble.settled();
  const live = await listed();
  const written = await committedSince(from, through);
  holdAgainst(
    writers,
    written.filter((each) => lineOf(each) < through),
  );
  t.diagnostic(
    `${writers.changed.size} acknowledged, ${writers.unknown} unknown, ${writers.refused} refused; ${written.length} changes; ${JSON.stringify(strikes)}`,
  );
  compare(t, crowd, told, written);
  const everything = await readCommitted(ensemble.dataOf(1));
  const left = [...foldChanges(everything)].filter(([path]) => path.startsWith("/w"));
  assert.deepEqual(
    new Map(left.toSorted()),
    new Map([...live].toSorted()),
    "what is left of all changes is what is there",
  );
});
