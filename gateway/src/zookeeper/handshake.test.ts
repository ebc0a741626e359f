import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import type { SessionId } from "@quorate/api";
import { connectRequest, type WireConnectOptions } from "../../../test/zookeeper/wire-client.ts";
import type { Answer, RenewAnswer } from "../backend.ts";
import { type Client, ConnectionScene, unavailable } from "./connection-scene.test-support.ts";

const open = [{ permissions: 31, scheme: "world", id: "anyone" }] as const;

const hashOf = (password: string): Uint8Array => createHash("sha256").update(password).digest();
const anybody = { identity: { ids: [], superUser: false } } as const;
const opened = { kind: "createSession", role: "client", timeoutMillis: 30_000, name: "", address: "" } as const;

async function say(scene: ConnectionScene, options: WireConnectOptions): Promise<Client> {
  const client = scene.bare();
  client.say(connectRequest(options));
  await scene.settle();
  return client;
}

function refused({ welcome, closed }: Client): boolean {
  const zeros = welcome?.password.equals(Buffer.alloc(16));
  return closed && welcome?.session === 0n && welcome.timeoutMillis === 0 && zeros === true;
}

function sessionOf({ welcome }: Client): bigint | undefined {
  return welcome?.session;
}

describe("handshake", () => {
  it("opens a session, its timeout between the limits", async () => {
    const scene = new ConnectionScene();
    for (const [asked, given] of [
      [1, 4000],
      [-1, 4000],
      [10_000, 10_000],
      [1_000_000, 40_000],
    ] as const) {
      const { welcome } = await say(scene, { timeoutMillis: asked });
      assert.equal(welcome?.timeoutMillis, given);
      const session = Number(welcome?.session) as SessionId;
      assert.equal(scene.memory.tree.session(session)?.timeoutMillis, given);
      assert.equal(welcome?.password.length, 16);
      const hash = createHash("sha256").update(welcome?.password ?? "");
      assert.ok(scene.memory.tree.secretMatches(session, hash.digest()), "the password is the session's secret");
    }
    assert.equal(new Set([...scene.logged]).size, 0);
  });

  it("says the read-only flag to those who know it", async () => {
    const scene = new ConnectionScene();
    assert.equal((await say(scene, { readOnly: null })).welcome?.readOnly, undefined);
    assert.equal((await say(scene, { readOnly: true })).welcome?.readOnly, false);
  });

  it("takes a session over from another connection, which is closed", async () => {
    const scene = new ConnectionScene();
    const first = await scene.connect();
    first.ask({ op: "create", path: "/e", data: null, acl: open, flags: 1 });
    await scene.settle();
    const second = await scene.connect(first.again);
    assert.ok(first.destroyed, "the former connection is closed");
    assert.deepEqual(second.welcome, first.welcome);
    const [xid = 0] = second.ask({ op: "exists", path: "/e", watch: false });
    await scene.settle();
    const { stat } = second.bodyOf<{ stat: { ephemeralOwner: bigint } }>(xid);
    assert.equal(stat.ephemeralOwner, first.welcome?.session);
    second.ask({ op: "create", path: "/after", data: null, acl: open, flags: 0 });
    await scene.settle();
    assert.deepEqual(second.take(), ["1", "2"], "its writes are numbered behind those of the former one");
  });

  it("refuses a session that is over, was never there, or is another's", async () => {
    const scene = new ConnectionScene();
    const client = await scene.connect();
    const { session = 0n, password } = client.again;
    assert.ok(refused(await say(scene, { session, password: Buffer.alloc(16) })), "wrong password");
    assert.ok(refused(await say(scene, { session, password: null })), "no password");
    assert.ok(refused(await say(scene, { session: 0x7000_0000_0001n, password: password ?? null })), "never opened");
    assert.ok(refused(await say(scene, { session: 0x1000_0a4b_23d0_0001n })), "a real ZooKeeper's");
    assert.ok(refused(await say(scene, { session: -1n })), "no id");
    assert.ok(!client.closed, "nothing of this concerns its owner");
    scene.memory.expire(Number(session) as SessionId);
    await scene.settle();
    assert.ok(client.destroyed, "its session is over");
    assert.ok(refused(await say(scene, client.again)), "expired");
  });

  it("closes without an answer whoever comes from another history", async () => {
    const scene = new ConnectionScene();
    const client = await scene.connect();
    const ahead = { ...client.again, lastZxidSeen: 0x7_0000_0000n };
    for (const options of [ahead, { lastZxidSeen: 0x7fff_ffff_ffff_ffffn }]) {
      const other = await say(scene, options);
      assert.ok(other.destroyed);
      assert.equal(other.welcome, undefined);
      assert.match(scene.logged.splice(0).join(), /another history: it has seen 0x/);
      await scene.world.run(2000);
    }
    // What it has really seen is fine.
    assert.ok((await say(scene, { ...client.again, lastZxidSeen: 1n })).welcome);
  });

  it("closes at once the new session that nobody gets: its client is of another history, gone, or there is no lane", async () => {
    const held: (() => void)[] = [];
    const scene = new ConnectionScene((memory) => ({
      write: async (request) => {
        const answer = memory.write(request);
        if (request.operation.kind === "createSession") await new Promise<void>((resolve) => held.push(resolve));
        return answer;
      },
    }));
    const sessions = (): number => scene.memory.tree.sessionCount;
    const none = sessions();
    const stranger = await say(scene, { lastZxidSeen: 0x7_0000_0000n });
    const gone = await say(scene, {});
    gone.connection.destroy();
    assert.equal(sessions(), none + 2);
    for (const each of held.splice(0)) each();
    for (let turn = 0; turn < 5; turn++) await scene.settle();
    assert.ok(stranger.destroyed);
    assert.equal(sessions(), none);
    const full = new ConnectionScene((memory) => ({
      attach: (acting, identity, millis, listener) => {
        const end = { code: "throttled", detail: "too many", retryAfterMillis: 1 } as const;
        full.world.soon(() => listener.ended(end));
        return memory.attach(acting, identity, millis, {
          ...listener,
          opened: () => undefined,
          ended: () => undefined,
        });
      },
    }));
    const before = full.memory.tree.sessionCount;
    const client = await say(full, {});
    for (let turn = 0; turn < 5; turn++) await full.settle();
    assert.ok(client.destroyed);
    assert.equal(full.memory.tree.sessionCount, before);
    // One that is shown is its client's, who may go elsewhere with it.
    const own = await scene.memory.write({ ...anybody, operation: { ...opened, secretHash: hashOf("own") } });
    assert.ok(own.kind === "outcome" && own.outcome.ok && own.outcome.result.kind === "session");
    const shown = { session: BigInt(own.outcome.result.session), password: Buffer.from("own") };
    assert.ok((await say(scene, { ...shown, lastZxidSeen: 0x7_0000_0000n })).destroyed);
    await scene.settle();
    assert.equal(sessions(), none + 1);
  });

  it("who comes back is told of no zxid that it was not shown, and shown nothing from before", async () => {
    const minimal: number[] = [];
    const scene = new ConnectionScene((memory) => ({
      attach: (...all) => {
        const lane = memory.attach(...all);
        return {
          writable: true,
          write: (write, done) => lane.write(write, done),
          read: (read, millis, done) => {
            minimal.push(read.minZxid);
            lane.read(read, millis, done);
          },
          close: () => lane.close(),
        };
      },
    }));
    const first = await scene.connect();
    first.ask(...["/a", "/b"].map((path) => ({ op: "create", path, data: null, acl: open, flags: 0 }) as const));
    await scene.settle();
    const [seen = 0, missed = 0] = first.told.map(({ zxid }) => zxid);
    const second = await scene.connect({ ...first.again, lastZxidSeen: BigInt(seen) });
    second.ask({ op: "whoAmI" }, { op: "exists", path: "/b", watch: false });
    await scene.settle();
    const [own = 0, shown = 0] = second.told.map(({ zxid }) => zxid);
    assert.equal(own, seen, "by that it asks for what it missed, should the connection break now");
    assert.ok(shown > missed);
    assert.ok((minimal.at(-1) ?? 0) > missed, "whichever replica answers");
  });

  it("answers a session that is shown once it is renewed, and not before", async () => {
    const renewals: ((answer: RenewAnswer) => void)[] = [];
    const renew = (): Promise<RenewAnswer> => new Promise((resolve) => renewals.push(resolve));
    const scene = new ConnectionScene(() => ({ renew }));
    const { again } = await scene.connect();
    for (const [answer, says] of [
      [{ kind: "expired" }, "refused"],
      [{ kind: "badSecret" }, "refused"],
      [unavailable, "closed"],
      [{ kind: "renewed", zxid: 1 as never, servedBy: 1 }, "welcome"],
    ] as const) {
      const client = await say(scene, again);
      assert.equal(sessionOf(client), undefined);
      renewals.pop()?.(answer);
      await scene.settle();
      if (says === "refused") assert.ok(refused(client));
      else if (says === "closed") assert.ok(client.destroyed && client.welcome === undefined);
      else assert.equal(sessionOf(client), again.session);
    }
  });

  it("closes when no session can be had in time, or at all", async () => {
    const nobody: Answer = {
      kind: "unavailable",
      code: "noLeader",
      detail: "nobody leads",
      certainty: "noEffect",
      retryAfterMillis: 0,
    };
    const refusing = new ConnectionScene(() => ({ write: () => Promise.resolve(nobody) }));
    assert.ok((await say(refusing, {})).destroyed);
    assert.match(refusing.logged.join(), /no session could be opened: nobody leads/);
    const silent = new ConnectionScene(() => ({ write: () => new Promise(() => undefined) }), { handshakeMillis: 500 });
    const clients = [silent.bare(), await say(silent, {})];
    await silent.wait(400);
    assert.ok(clients.every(({ closed }) => !closed));
    await silent.wait(500);
    assert.ok(
      clients.every(({ destroyed }) => destroyed),
      "who says nothing, and whose session is not attached",
    );
    assert.equal(silent.door.connections.size, 0);
  });

  it("gives the replicas a third of the session's timeout, so that its client can try other servers", async () => {
    const given: number[] = [];
    const scene = new ConnectionScene((memory) => ({
      write: (request, millis) => {
        given.push(millis);
        return memory.write(request);
      },
      renew: (session, secretHash, millis) => {
        given.push(millis);
        return memory.renew(session, secretHash);
      },
      attach: (acting, identity, millis, listener) => {
        given.push(millis);
        return memory.attach(acting, identity, millis, listener);
      },
    }));
    for (const [timeoutMillis, patience] of [
      [6000, 2000],
      [36_000, 10_000],
    ] as const) {
      const { again } = await scene.connect({ timeoutMillis });
      await scene.connect({ ...again, timeoutMillis });
      assert.deepEqual(given.splice(0), [patience, patience, patience, patience]);
    }
    const quick = new ConnectionScene(
      () => ({
        write: (_, millis) => {
          given.push(millis);
          return new Promise(() => undefined);
        },
      }),
      { minSessionTimeoutMillis: 300 },
    );
    await say(quick, { timeoutMillis: 300 });
    assert.deepEqual(given, [1000]);
  });

  it("survives a first frame that is none", async () => {
    const scene = new ConnectionScene();
    for (const bytes of [
      Buffer.from("0000000400000000", "hex"),
      Buffer.from("ffffffff", "hex"),
      Buffer.from("GET / "),
    ]) {
      const client = scene.bare();
      client.connection.received(bytes);
      await scene.settle();
      assert.ok(client.destroyed);
      assert.equal(client.welcome, undefined);
    }
    assert.equal(scene.door.connections.size, 0);
  });
});
