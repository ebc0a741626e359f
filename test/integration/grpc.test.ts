/**
 * The gRPC door of a real ensemble: unary calls, a watch that outlives its leader, and Session streams: a thousand operations in
 * order, a take-over, a leader killed under a pipeline without a write lost or done twice, and heartbeats that keep a session.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { v1 } from "@quorate/proto";
import { Caller, failureOf, type Inbox } from "../conformance/grpc-client.ts";
import { Ensemble, freePorts, until } from "./ensemble.ts";

let ensemble: Ensemble;
let ports: Map<string, number>;
let caller: Caller;

before(async () => {
  const names = ["replica 1", "replica 2", "replica 3", "gateway 1"];
  const free = await freePorts(names.length);
  ports = new Map(names.map((name, i) => [name, free[i] ?? 0]));
  ensemble = await Ensemble.start({ environmentOf: (name) => ({ QUORATE_GRPC_PORT: String(ports.get(name)) }) });
  caller = new Caller(ports.get("gateway 1") ?? 0);
});
after(async () => {
  caller?.close();
  await ensemble?.stop();
});

const data = (text: string): Buffer => Buffer.from(text);

interface Session {
  readonly id: number;
  readonly secret: string;
}

async function create(seconds: number): Promise<Session> {
  const { sessionId = 0, secret = "" } = await caller.call("CreateSession", { timeout: { seconds }, name: "test" });
  return { id: sessionId, secret };
}

async function open(
  session: Session,
  answeredUpTo = 0,
  through: Caller = caller,
): Promise<{ inbox: Inbox<v1.SessionResponse>; opened: v1.SessionOpened }> {
  const inbox = through.session();
  inbox.send({ open: { sessionId: session.id, secret: session.secret, answeredUpTo } });
  const { opened } = await inbox.next();
  assert.ok(opened);
  return { inbox, opened };
}

const repliesOf = (inbox: Inbox<v1.SessionResponse>): v1.SessionReply[] =>
  inbox.all.flatMap((each) => each.replies ?? []);

async function killLeader(): Promise<number> {
  const leader = await ensemble.leader();
  await ensemble.replica(leader).kill();
  return leader;
}

async function revive(id: number): Promise<void> {
  ensemble.replica(id).start();
  await ensemble.settled();
}

describe("unary calls", () => {
  it("are served by gateways and by replicas alike", async () => {
    const made = await caller.call("Create", { path: "/unary", data: data("1") });
    const replica = new Caller(ports.get("replica 2") ?? 0);
    try {
      const options = { consistency: "CONSISTENCY_SESSION", minZxid: made.header?.zxid ?? 0 } as const;
      const got = await replica.call("Get", { path: "/unary", options });
      assert.deepEqual([String(got.data), got.header?.servedBy], ["1", 2]);
      const tree = replica.stream("GetTree", { path: "/unary", withData: true });
      assert.equal(await tree.over(), undefined);
      assert.deepEqual(
        tree.all.flatMap((each) => each.nodes ?? []).map(({ path }) => path),
        ["/unary"],
      );
      assert.equal((await failureOf(replica.call("Delete", { path: "/none" }))).reason, "NO_NODE");
      const members = await caller.call("ListMembers", {});
      assert.equal(members.members?.filter(({ role }) => role === "ROLE_LEADING").length, 1);
    } finally {
      replica.close();
    }
  });
});

describe("a watch", () => {
  it("tells everything once and in order, though the leader is killed under it", async () => {
    await caller.call("Create", { path: "/w" });
    const inbox = caller.stream("Watch", { subtrees: ["/w"], includeData: true });
    await inbox.next();
    const written: string[] = [];
    const write = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) {
        const path = `/w/${String(written.length).padStart(4, "0")}`;
        const options = { idempotencyKey: `w${written.length}` };
        await until(
          () => caller.call("Put", { path, data: data(path), options }).then(Boolean, () => false),
          20_000,
          `${path} is written`,
        );
        written.push(`${path}=${path}`);
      }
    };
    await write(50);
    const killed = await killLeader();
    await write(50);
    const told = (): string[] =>
      inbox.all.flatMap((each) => (each.events ?? []).map((event) => `${event.path}=${String(event.data)}`));
    await inbox.until(() => told().length >= written.length);
    assert.deepEqual(told(), written);
    const cursors = inbox.all.map(({ cursor }) => cursor ?? "");
    assert.deepEqual([...cursors].sort(), cursors);
    inbox.cancel();
    await revive(killed);
  });
});

describe("a Session stream", () => {
  it("does a thousand operations in order, and is taken over by another", async () => {
    const session = await create(20);
    const { inbox } = await open(session);
    const operations: v1.SessionOperation[] = Array.from({ length: 1000 }, (_, i) => ({
      requestId: i + 1,
      sequence: i + 1,
      create: { path: "/s-", sequential: true },
    }));
    for (let i = 0; i < 1000; i += 50) inbox.send({ operations: operations.slice(i, i + 50) });
    await inbox.until(() => repliesOf(inbox).length === 1000);
    const paths = repliesOf(inbox).map((reply) => reply.create?.path ?? reply.error?.reason ?? "");
    assert.deepEqual([...paths].sort(), paths);
    assert.equal(new Set(paths).size, 1000);
    const other = new Caller(ports.get("replica 3") ?? 0);
    try {
      const two = await open(session, 999, other);
      assert.deepEqual([two.opened.lastSequence, (await inbox.over())?.reason], [1000, "SESSION_MOVED"]);
      two.inbox.send({ operations: [operations[999], { requestId: 7, sequence: 1001, set: { path: paths[0] } }] });
      await two.inbox.until(() => repliesOf(two.inbox).length === 2);
      assert.deepEqual(
        repliesOf(two.inbox).map(({ create, set }) => create?.path ?? set?.path),
        [paths[999], paths[0]],
      );
      two.inbox.cancel();
    } finally {
      other.close();
    }
  });

  it("loses nothing and does nothing twice when the leader is killed under its pipeline", async () => {
    const { inbox } = await open(await create(30));
    await caller.call("Create", { path: "/log" });
    const sent = 600;
    let killed: Promise<number> | undefined;
    for (let i = 1; i <= sent; i++) {
      inbox.send({
        operations: [
          { requestId: i, sequence: i, create: { path: "/log/n-", sequential: true, data: data(String(i)) } },
          { requestId: 10_000 + i, exists: { path: "/log" } },
        ],
        answeredUpTo: Math.max(0, ...repliesOf(inbox).map(({ sequence = 0 }) => sequence)),
      });
      if (i === 200) killed = killLeader();
      if (i % 20 === 0) await inbox.until(() => repliesOf(inbox).length >= 2 * (i - 200));
    }
    await inbox.until(() => repliesOf(inbox).length === 2 * sent);
    const answered = repliesOf(inbox);
    assert.deepEqual(
      answered.map(({ requestId }) => requestId),
      Array.from({ length: sent }, (_, i) => [i + 1, 10_001 + i]).flat(),
    );
    const writes = answered.filter(({ sequence }) => sequence !== undefined);
    assert.ok(writes.every(({ create, decided }) => decided && create !== undefined));
    // A read sees every write before it.
    answered.forEach(({ exists }, i) => {
      if (exists !== undefined) assert.ok((exists.stat?.numChildren ?? 0) >= (i + 1) / 2, `reply ${i}`);
    });
    const { children = [] } = await caller.call("ListChildren", { path: "/log", pageSize: 10_000, withData: true });
    assert.deepEqual(
      children.map((each) => String(each.data)),
      Array.from({ length: sent }, (_, i) => String(i + 1)),
    );
    inbox.cancel();
    await revive((await killed) ?? 0);
  });

  it("keeps its session by heartbeats, and by nothing else", async () => {
    const [kept, dropped] = [await create(4), await create(4)];
    const [one, two] = [await open(kept), await open(dropped)];
    const shape = { kind: "NODE_KIND_EPHEMERAL" } as const;
    for (const [name, { inbox }] of [
      ["kept", one],
      ["dropped", two],
    ] as const) {
      inbox.send({ operations: [{ requestId: 1, sequence: 1, create: { path: `/${name}`, shape } }] });
      await inbox.until(() => repliesOf(inbox).length === 1);
    }
    // Operations alone are no sign of life.
    const busy = setInterval(
      () => two.inbox.send({ operations: [{ requestId: 2, exists: { path: "/dropped" } }] }),
      100,
    );
    let beats = 0;
    const beating = setInterval(() => one.inbox.send({ heartbeat: { id: ++beats } }), 600);
    try {
      const error = await two.inbox.over();
      assert.deepEqual([error?.code, error?.reason], [9, "SESSION_EXPIRED"]);
      await until(
        async () => (await caller.call("Exists", { path: "/dropped" })).exists !== true,
        10_000,
        "it is gone",
      );
      assert.equal((await caller.call("Exists", { path: "/kept" })).exists, true);
      const last = (): number => Math.max(0, ...one.inbox.all.map(({ heartbeat }) => heartbeat?.id ?? 0));
      await one.inbox.until(() => last() >= 3);
    } finally {
      clearInterval(busy);
      clearInterval(beating);
    }
    one.inbox.cancel();
    await until(async () => (await caller.call("Exists", { path: "/kept" })).exists !== true, 10_000, "it is gone too");
  });
});
