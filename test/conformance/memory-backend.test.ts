/** The backend of the doors' tests keeps the promises of the port: watches and attached sessions, in order. */
import assert from "node:assert/strict";
import { it } from "node:test";
import {
  anyone,
  asZxid,
  type Path,
  persistentShape,
  type SessionId,
  type WatchEvent,
  type WatchScopes,
  type WriteOperation,
} from "@quorate/api";
import type { Answer, LaneListener, WatchListener, WatchRequest } from "@quorate/gateway";
import { MemoryBackend, memoryHistoryId } from "./memory-backend.ts";

const secretHash = new Uint8Array(32).fill(7);

function create(path: string): WriteOperation {
  const shape = persistentShape;
  return { kind: "create", path: path as Path, data: new Uint8Array(1), shape, sequential: false, parents: false };
}

function request(scopes: Partial<WatchScopes>, more: Partial<WatchRequest> = {}): WatchRequest {
  const all = { node: [], children: [], subtree: [], ...scopes };
  return { identity: anyone, scopes: all, consistency: "linearizable", minZxid: asZxid(0), maxStaleMillis: 0, ...more };
}

function told(log: string[]): WatchListener {
  return {
    opened: ({ states }) => void log.push(`opened ${states.length}`),
    events: (events: readonly WatchEvent[], more) =>
      void log.push(`${events.map(({ type, path }) => `${type} ${path}`).join(", ")}${more ? " …" : ""}`),
    ended: ({ code }) => void log.push(code),
  };
}

async function turns(): Promise<void> {
  for (let each = 0; each < 10; each += 1) await new Promise((resolve) => setImmediate(resolve));
}

async function session(backend: MemoryBackend): Promise<SessionId> {
  const operation = {
    kind: "createSession",
    role: "client",
    timeoutMillis: 6000,
    secretHash,
    name: "",
    address: "",
  } as const;
  const answer = await backend.write({ identity: anyone, operation });
  assert.ok(answer.kind === "outcome" && answer.outcome.ok && answer.outcome.result.kind === "session");
  return answer.outcome.result.session;
}

it("tells the state, then the events, also over a break of the feed", async () => {
  const backend = new MemoryBackend();
  await backend.write({ identity: anyone, operation: create("/a") });
  const log: string[] = [];
  const watching = backend.watch(request({ node: ["/a" as Path], children: ["/a" as Path] }), 1000, told(log));
  assert.deepEqual(log, []);
  await turns();
  await backend.write({ identity: anyone, operation: create("/a/b") });
  backend.watches.breakFeed();
  await backend.write({ identity: anyone, operation: create("/a/c") });
  await turns();
  assert.deepEqual(log, ["opened 2", "created /a/b", "created /a/c"]);
  assert.deepEqual(watching.cursor, { zxid: backend.tree.applied, history: memoryHistoryId.slice(0, 16) });
  watching.close();
  await backend.write({ identity: anyone, operation: create("/a/d") });
  const resumed: string[] = [];
  backend.watch(request({ children: ["/a" as Path] }, { after: watching.cursor }), 1000, told(resumed));
  const strange: string[] = [];
  const elsewhere = { zxid: asZxid(2 ** 40), history: "0123456789abcdef" };
  backend.watch(request({ node: ["/a" as Path] }, { after: elsewhere }), 1000, told(strange));
  await turns();
  assert.equal(log.length, 3);
  assert.deepEqual(resumed, ["opened 0", "created /a/d"]);
  assert.deepEqual(strange, ["cursorOfAnotherHistory"]);
  backend.watches.stop();
  assert.deepEqual(resumed.at(-1), "noLeader");
});

it("waits for a cursor that is ahead, until the time is over", async () => {
  const backend = new MemoryBackend();
  const log: string[] = [];
  const never: string[] = [];
  const after = (by: number) => ({ after: { zxid: asZxid(backend.tree.applied + by) } });
  backend.watch(request({ subtree: ["/" as Path] }, after(1)), 60_000, told(log));
  backend.watch(request({ subtree: ["/" as Path] }, after(100)), 20, told(never));
  await turns();
  assert.deepEqual(log, []);
  await backend.write({ identity: anyone, operation: create("/a") });
  await backend.write({ identity: anyone, operation: create("/b") });
  await turns();
  assert.deepEqual(log, ["opened 0", "created /b"]);
  while (never.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(never, ["behind"]);
  backend.watches.stop();
});

it("answers an attached session in order, and ends it when it moves or is over", async () => {
  const backend = new MemoryBackend();
  const id = await session(backend);
  const acting = { session: id, secretHash };
  const log: string[] = [];
  const listener = (name: string): LaneListener => ({
    opened: ({ lastSequence }) => void log.push(`${name} at ${lastSequence}`),
    ended: ({ code }) => void log.push(`${name} ${code}`),
    drained: () => {},
  });
  const brief = (answer: Answer): string => {
    if (answer.kind !== "outcome") return answer.code;
    return answer.outcome.ok ? answer.outcome.result.kind : answer.outcome.code;
  };
  const one = backend.attach(acting, anyone, 1000, listener("one"));
  await turns();
  const write = (lane: typeof one, sequence: number, operation: WriteOperation): void =>
    lane.write({ sequence, answeredUpTo: 0, identity: anyone, operation }, ({ answer, decided }) => {
      log.push(`${sequence} ${brief(answer)} ${decided}`);
    });
  write(one, 1, create("/x"));
  one.read({ ...request({}), operation: { kind: "exists", path: "/x" as Path } }, 1000, (answer) =>
    log.push(brief(answer)),
  );
  write(one, 3, create("/y"));
  write(one, 1, create("/x"));
  write(one, 2, create("/x"));
  await turns();
  assert.deepEqual(log.splice(0), [
    "one at 0",
    "1 node true",
    "stat",
    "3 badArguments false",
    "1 node true",
    "2 nodeExists true",
  ]);
  const two = backend.attach(acting, anyone, 1000, listener("two"));
  backend.attach({ session: id, secretHash: new Uint8Array(32) }, anyone, 1000, listener("thief"));
  const watched: string[] = [];
  backend.watch(request({ node: ["/x" as Path] }, { acting }), 1000, told(watched));
  await turns();
  assert.deepEqual(log.splice(0), ["one sessionMoved", "two at 2", "thief authFailed"]);
  write(two, 3, { kind: "closeSession", session: id });
  await turns();
  assert.deepEqual(log, ["3 done true", "two sessionExpired"]);
  assert.deepEqual(watched, ["opened 1", "sessionExpired"]);
  assert.equal(backend.watches.size, 0);
});

it("follows what an attached session adds, each event before what shows it, also over a break of the feed", async () => {
  const backend = new MemoryBackend();
  const acting = { session: await session(backend), secretHash };
  const log: string[] = [];
  const none: LaneListener = { opened: () => {}, ended: () => {}, drained: () => {} };
  const lane = backend.attach(acting, anyone, 1000, none);
  await turns();
  const following = backend.follow(acting, {
    changes: (changes, acls) => {
      for (const { type, path, acl } of changes) log.push(`${type} ${path}`, ...(acls[acl] ? [] : ["no list"]));
    },
    ended: ({ code }) => void log.push(code),
  });
  const exists = (path: string): void =>
    lane.read({ ...request({}), operation: { kind: "exists", path: path as Path } }, 1000, (answer) => {
      log.push(`${path} ${answer.kind === "outcome" && answer.outcome.ok}`);
    });
  following.add("node", "/a" as Path);
  exists("/a");
  await turns();
  assert.deepEqual(log.splice(0), ["/a false"]);
  void backend.write({ identity: anyone, operation: create("/a") });
  exists("/a");
  await turns();
  assert.deepEqual(log.splice(0), ["created /a", "/a true"]);
  following.add("children", "/a" as Path);
  lane.write({ sequence: 1, answeredUpTo: 0, identity: anyone, operation: create("/a/b") }, () => log.push("done"));
  await turns();
  assert.deepEqual(log.splice(0), ["created /a/b", "done"]);
  backend.watches.breakFeed();
  void backend.write({ identity: anyone, operation: create("/a/c") });
  exists("/a/c");
  await turns();
  assert.deepEqual(log.splice(0), ["created /a/c", "/a/c true"]);
  assert.equal(following.cursor, backend.tree.applied);
  following.remove("children", "/a" as Path);
  backend.expire(acting.session);
  void backend.write({ identity: anyone, operation: create("/a/d") });
  await turns();
  assert.deepEqual(log, ["sessionExpired"]);
  assert.equal(backend.watches.followers, 0);
});
