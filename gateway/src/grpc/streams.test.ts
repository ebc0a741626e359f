/** GetTree, Watch and health through a real client: order, cursors, ends, and what is left behind, which is nothing. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import { Client, credentials, type ServiceError } from "@grpc/grpc-js";
import { answerReflection, publicServices, reflectionPaths, statusDetailsKey, type v1 } from "@quorate/proto";
import { type CallError, failureOf, type Inbox } from "../../../test/conformance/grpc-client.ts";
import { MemoryBackend } from "../../../test/conformance/memory-backend.ts";
import { type Fixture, scripted, startDoor } from "./fixture.test-support.ts";

const data = (text: string): Buffer => Buffer.from(text);
const basic = (text: string): string => `Basic ${Buffer.from(text).toString("base64")}`;
const digest = (text: string): string => `${text.split(":")[0]}:${createHash("sha1").update(text).digest("base64")}`;

function eventsOf(messages: readonly v1.WatchResponse[]): string[] {
  return messages.flatMap(({ events = [] }) =>
    events.map(({ type = "", path, data: bytes, superseded }) => {
      const more = bytes === undefined ? "" : `=${String(bytes)}`;
      return `${type.slice(5).toLowerCase()} ${path}${superseded ? "~" : more}`;
    }),
  );
}

async function events(inbox: Inbox<v1.WatchResponse>, count: number): Promise<string[]> {
  await inbox.until(() => eventsOf(inbox.all).length >= count);
  return eventsOf(inbox.all);
}

describe("GetTree", () => {
  it("gives a subtree at one zxid, whole when it says so", async () => {
    await using door = await startDoor();
    const { caller } = door;
    for (const path of ["/a", "/a/b", "/a/b/c", "/a/d"]) await caller.call("Create", { path, data: data(path) });
    const last = await caller.call("Create", { path: "/x" });
    const inbox = caller.stream("GetTree", { path: "/a", withData: true });
    assert.equal(await inbox.over(), undefined);
    const nodes = inbox.all.flatMap((each) => each.nodes ?? []);
    assert.deepEqual(
      nodes.map(({ path, data: bytes }) => `${path}=${String(bytes)}`),
      ["/a=/a", "/a/b=/a/b", "/a/b/c=/a/b/c", "/a/d=/a/d"],
    );
    assert.deepEqual([inbox.all.at(-1)?.end, inbox.all.at(-1)?.count], [true, 4]);
    assert.equal(inbox.all[0]?.header?.zxid, last.header?.zxid);
    const shallow = caller.stream("GetTree", { path: "/a", depth: 1 });
    await shallow.over();
    assert.deepEqual(
      shallow.all.flatMap((each) => each.nodes ?? []).map(({ path }) => path),
      ["/a", "/a/b", "/a/d"],
    );
    assert.equal((await caller.stream("GetTree", { path: "/none" }).over())?.reason, "NO_NODE");
    assert.equal((await caller.stream("GetTree", { path: "/", depth: -1 }).over())?.status?.metadata["field"], "depth");
  });

  it("waits for a slow reader, and cuts off one that reads nothing", async () => {
    const cuts: number[] = [];
    await using door = await startDoor({
      limits: { treeQueuedBytes: 1000, treeStallMillis: 300 },
      observe: (method, status) => {
        if (method === "GetTree") cuts.push(status);
      },
    });
    const { caller } = door;
    // More than grpc-js reads ahead, which is 16 messages and the windows of HTTP/2.
    for (let i = 0; i < 48; i++) await caller.call("Create", { path: `/n${i}`, data: Buffer.alloc(400_000) });
    const idle = caller.stream("GetTree", { path: "/", withData: true });
    idle.pause();
    await until(() => cuts.length > 0);
    const error = await resumed(idle);
    assert.deepEqual([error?.code, error?.reason], [8, "THROTTLED"]);
    assert.ok(!idle.all.some(({ end }) => end));
  });
});

async function resumed(inbox: Inbox<unknown>): Promise<CallError | undefined> {
  inbox.resume();
  return inbox.over();
}

describe("Watch", () => {
  it("tells the state first, then what happens, each once and in order", async () => {
    await using door = await startDoor();
    const { caller } = door;
    await caller.call("Create", { path: "/a", data: data("1") });
    const made = await caller.call("Create", { path: "/a/k" });
    const inbox = caller.stream("Watch", { nodes: ["/a", "/b"], children: ["/a"], subtrees: ["/s"] });
    const first = await inbox.next();
    assert.deepEqual(
      first.states?.map(({ node, childrenOf, exists, names }) => [node ?? childrenOf, exists, names]),
      [
        ["/a", true, undefined],
        ["/b", false, undefined],
        ["/a", true, ["k"]],
      ],
    );
    assert.equal(String(first.states?.[0]?.data), "1");
    assert.equal(first.header?.zxid, made.header?.zxid);
    assert.match(first.cursor ?? "", /^0x[0-9a-f]{16}\.[0-9a-f]{16}$/);
    await caller.call("Set", { path: "/a", data: data("2") });
    await caller.call("Create", { path: "/a/l" });
    await caller.call("Create", { path: "/other" });
    await caller.call("Txn", {
      then: [{ create: { path: "/s" } }, { create: { path: "/s/x" } }, { delete: { path: "/a/k" } }],
    });
    assert.deepEqual(await events(inbox, 5), [
      "changed /a",
      "created /a/l",
      "created /s",
      "created /s/x",
      "deleted /a/k",
    ]);
    const { events: [event] = [] } = inbox.all.find((each) => (each.events ?? []).length > 0) ?? {};
    assert.deepEqual([event?.version, event?.czxid], [1, made.header?.zxid && made.header.zxid - 1]);
    inbox.cancel();
    await inbox.over();
    await until(() => door.backend.watches.size === 0);
  });

  it("goes on from a cursor and from any reply's zxid, also of REST's form", async () => {
    await using door = await startDoor();
    const { caller } = door;
    const made = await caller.call("Create", { path: "/a" });
    await caller.call("Set", { path: "/a", data: data("1") });
    const after = made.header?.zxid ?? 0;
    const one = caller.stream("Watch", { nodes: ["/a"], afterZxid: after });
    assert.deepEqual(await events(one, 1), ["changed /a"]);
    const { cursor = "" } = one.all.at(-1) ?? {};
    await caller.call("Delete", { path: "/a" });
    const two = caller.stream("Watch", { nodes: ["/a"], afterCursor: cursor });
    assert.deepEqual(await events(two, 1), ["deleted /a"]);
    const text = caller.stream("Watch", { nodes: ["/a"], afterCursor: `0x${after.toString(16)}` });
    assert.deepEqual(await events(text, 2), ["changed /a", "deleted /a"]);
    const other = await caller
      .stream("Watch", { nodes: ["/a"], afterCursor: `${cursor.slice(0, 18)}.0123456789abcdef` })
      .over();
    assert.deepEqual([other?.code, other?.reason], [11, "CURSOR_OF_ANOTHER_HISTORY"]);
  });

  it("bears the data while it stands", async () => {
    await using door = await startDoor();
    const { caller } = door;
    const inbox = caller.stream("Watch", { subtrees: ["/"], includeData: true });
    await inbox.next();
    await caller.call("Create", { path: "/a", data: data("1") });
    assert.deepEqual(await events(inbox, 1), ["created /a=1"]);
    const { header } = await caller.call("Set", { path: "/a", data: data("2") });
    await caller.call("Set", { path: "/a", data: data("3") });
    await caller.call("Create", { path: "/b", data: data("4") });
    await caller.call("Delete", { path: "/b" });
    const later = caller.stream("Watch", { subtrees: ["/"], includeData: true, afterZxid: (header?.zxid ?? 0) - 1 });
    assert.deepEqual(await events(later, 4), ["changed /a~", "changed /a=3", "created /b~", "deleted /b"]);
    const cursors = later.all.map(({ cursor }) => cursor ?? "");
    assert.deepEqual([...cursors].sort(), cursors);
  });

  it("splits what is large, and a break within a transaction repeats it", async () => {
    await using door = await startDoor({ limits: { watchMessageBytes: 1000 } });
    const { caller } = door;
    const { header } = await caller.call("Create", { path: "/big" });
    const then = Array.from({ length: 40 }, (_, i) => ({ create: { path: `/big/${String(i).padStart(3, "0")}` } }));
    await caller.call("Txn", { then });
    await caller.call("Create", { path: "/big/last" });
    const whole = caller.stream("Watch", { subtrees: ["/big"], afterZxid: header?.zxid ?? 0 });
    assert.equal((await events(whole, 41)).length, 41);
    assert.ok(whole.all.length > 3);
    for (const [place, { cursor = "" }] of whole.all.entries()) {
      const rest = caller.stream("Watch", { subtrees: ["/big"], afterCursor: cursor });
      const missing = eventsOf(whole.all.slice(place + 1));
      if (missing.length > 0) {
        await rest.until(() => eventsOf(rest.all).at(-1) === "created /big/last");
        assert.deepEqual(eventsOf(rest.all).slice(-missing.length), missing);
      }
      rest.cancel();
    }
  });

  it("ends with what it may not see any more, and where it was", async () => {
    await using door = await startDoor();
    const { caller } = door;
    await caller.call("Create", { path: "/a" });
    const inbox = caller.stream("Watch", { nodes: ["/a"] });
    const { cursor = "" } = await inbox.next();
    const ann = { metadata: { authorization: basic("ann:pw") } };
    await caller.call("SetAcl", {
      path: "/a",
      acl: { entries: [{ scheme: "digest", id: digest("ann:pw"), perms: "cdrwa" }] },
    });
    const error = await inbox.over();
    assert.deepEqual([error?.code, error?.reason], [7, "NO_AUTH"]);
    const told = error?.status?.metadata ?? {};
    assert.ok((told["cursor"] ?? "") >= cursor);
    assert.deepEqual([told["path"], (told["zxid"] ?? "") > cursor.slice(0, 18)], ["/a", true]);
    const refused = await caller.stream("Watch", { nodes: ["/a"] }).over();
    const { path, zxid, servedBy } = refused?.status?.metadata ?? {};
    assert.deepEqual([refused?.code, path, zxid, servedBy], [7, "/a", told["zxid"], "1"]);
    const hers = caller.stream("Watch", { nodes: ["/a"] }, ann);
    assert.equal((await hers.next()).states?.length, 1);
  });

  it("ends with the session that it names", async () => {
    await using door = await startDoor();
    const { caller, backend } = door;
    const { sessionId = 0, secret = "" } = await caller.call("CreateSession", {});
    const asking = { metadata: { "quorate-session-secret": secret } };
    const inbox = caller.stream("Watch", { nodes: ["/a"], options: { sessionId } }, asking);
    await inbox.next();
    backend.expire(sessionId as never);
    const error = await inbox.over();
    assert.deepEqual([error?.code, error?.reason], [9, "SESSION_EXPIRED"]);
  });

  it("says its cursor though nothing happens", async () => {
    await using door = await startDoor({ limits: { cursorMillis: 30 } });
    const { caller } = door;
    const inbox = caller.stream("Watch", { nodes: ["/quiet"] });
    await inbox.next();
    const made = await caller.call("Create", { path: "/loud" });
    await inbox.until(() => inbox.all.some((each) => each.header?.zxid === made.header?.zxid));
    assert.deepEqual(eventsOf(inbox.all), []);
  });

  it("refuses what it cannot read, by its field", async () => {
    await using door = await startDoor();
    const fieldOf = async (request: v1.WatchRequest): Promise<string | undefined> =>
      (await door.caller.stream("Watch", request).over())?.status?.metadata["field"];
    assert.equal(await fieldOf({}), "nodes");
    assert.equal(await fieldOf({ children: ["/a", "b"] }), "children[1]");
    assert.equal(await fieldOf({ nodes: ["/a"], afterCursor: "now" }), "after_cursor");
    assert.equal(await fieldOf({ nodes: ["/a"], afterZxid: -1 }), "after_zxid");
    assert.equal(await fieldOf({ nodes: Array.from({ length: 101 }, (_, i) => `/${i}`) }), "nodes");
  });

  it("cuts off who does not read, with the last cursor, from which nothing is lost", async () => {
    const limits = { watchQueuedBytes: 200_000, cursorMillis: 50 };
    await using door = await startDoor({ limits });
    const { caller } = door;
    const inbox = caller.stream("Watch", { subtrees: ["/"], includeData: false });
    await inbox.next();
    inbox.pause();
    const name = "x".repeat(3000);
    const then = Array.from({ length: 100 }, (_, i) => ({ create: { path: `/${i}${name}` } }));
    for (let round = 0; round < 60 && !(await cut(door)); round++) {
      await caller.call("Txn", { then: then.map(({ create: { path } }) => ({ create: { path: `${path}${round}` } })) });
    }
    const error = await resumed(inbox);
    assert.deepEqual([error?.code, error?.reason], [8, "THROTTLED"]);
    // How far it was sent; grpc-js drops what was not read when an error comes, so that only what was read counts.
    const { cursor = "" } = error?.status?.metadata ?? {};
    const { cursor: read = "" } = inbox.all.at(-1) ?? {};
    assert.ok(cursor >= read);
    const had = eventsOf(inbox.all);
    const rest = caller.stream("Watch", { subtrees: ["/"], afterCursor: read });
    await rest.until(() => rest.all.length > 0 && rest.all.at(-1)?.more !== true);
    // All but /zookeeper, which was there before.
    const znodes = ((await caller.call("Exists", { path: "/" })).stat?.numChildren ?? 0) - 1;
    assert.deepEqual([...had, ...eventsOf(rest.all)].length, znodes);
    assert.equal(new Set([...had, ...eventsOf(rest.all)]).size, znodes);
  });
});

/** Whether the watch has been cut off. */
async function cut(door: Fixture): Promise<boolean> {
  await new Promise((resolve) => setTimeout(resolve, 5));
  return door.backend.watches.size === 0;
}

async function until(found: () => boolean): Promise<void> {
  while (!found()) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe("health", () => {
  const { Check, Watch } = publicServices().methods.Health;
  const check = (client: Client, service: string): Promise<unknown> =>
    new Promise((resolve, reject) => {
      client.makeUnaryRequest(Check.path, Check.encodeRequest, Check.decodeResponse, { service }, (error, reply) =>
        error === null ? resolve(reply?.status) : reject(error),
      );
    });

  it("follows readiness, and says no when the door stops", async () => {
    let ready = false;
    await using door = await startDoor({ ready: () => ready, limits: { healthMillis: 10 } });
    const client = new Client(`127.0.0.1:${door.port}`, credentials.createInsecure());
    assert.equal(await check(client, ""), "NOT_SERVING");
    const seen: unknown[] = [];
    const call = client.makeServerStreamRequest(Watch.path, Watch.encodeRequest, Watch.decodeResponse, {
      service: "quorate.v1.Coordination",
    });
    call.on("data", (message: { status: string }) => seen.push(message.status));
    const over = new Promise<void>((resolve) => call.on("end", resolve));
    call.on("error", () => {});
    await until(() => seen.length === 1);
    ready = true;
    await until(() => seen.length === 2);
    for (const service of ["Cluster", "Locks", "Elections"]) {
      assert.equal(await check(client, `quorate.v1.${service}`), "SERVING");
    }
    await assert.rejects(check(client, "nobody"), (error: ServiceError) => {
      assert.deepEqual([error.code, error.metadata.get(statusDetailsKey)], [5, []]);
      return true;
    });
    const stopped = door.server.stop();
    await over;
    assert.deepEqual(seen, ["NOT_SERVING", "SERVING", "NOT_SERVING"]);
    client.close();
    await stopped;
  });
});

describe("reflection", () => {
  it("answers one question after the other, in both versions of its name", async () => {
    await using door = await startDoor();
    const client = new Client(`127.0.0.1:${door.port}`, credentials.createInsecure());
    const same = (bytes: Buffer): Buffer => bytes;
    for (const path of reflectionPaths) {
      const call = client.makeBidiStreamRequest(path, same, same);
      const answers: Buffer[] = [];
      const over = new Promise<void>((resolve) => call.on("end", resolve));
      call.on("data", (bytes: Buffer) => answers.push(bytes));
      const questions = ["quorate.v1.Coordination", "quorate.v1.Cluster", "nothing"].map((name) =>
        Buffer.from([0x22, name.length, ...Buffer.from(name)]),
      );
      for (const each of questions) call.write(each);
      call.end();
      await over;
      assert.deepEqual(answers, questions.map(answerReflection));
    }
    client.close();
  });
});

describe("stopping", () => {
  it("ends watches with a cursor, lets unary calls finish, and takes nothing more", async () => {
    const memory = new MemoryBackend();
    let free = (): void => {};
    const came = Promise.withResolvers<void>();
    const playing = scripted(memory, {
      write: async (request) => {
        came.resolve();
        await new Promise<void>((resolve) => {
          free = resolve;
        });
        return memory.write(request);
      },
    });
    await using door = await startDoor({}, memory, playing);
    const { caller } = door;
    const inbox = caller.stream("Watch", { subtrees: ["/"] });
    const { cursor } = await inbox.next();
    const writing = caller.call("Create", { path: "/late" });
    writing.catch(() => {});
    await came.promise;
    const stopped = door.server.stop();
    const error = await inbox.over();
    assert.deepEqual([error?.code, error?.status?.metadata["cursor"]], [14, cursor]);
    free();
    assert.equal((await writing).path, "/late");
    await stopped;
    assert.equal((await failureOf(caller.call("Get", { path: "/" }, { deadlineMillis: 200 }))).status, undefined);
    assert.equal(memory.watches.size, 0);
  });
});
