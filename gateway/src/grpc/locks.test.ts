/** The door's side of locks: what its requests become, how waiting ends, and what its replies are made of. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { asZxid, type Path, type SessionId } from "@quorate/api";
import type { v1 } from "@quorate/proto";
import { type Caller, failureOf } from "../../../test/conformance/grpc-client.ts";
import type { LockContest, LockState, Place, RecipeAnswer, RecipeRead, Waiting } from "../recipes/recipes.ts";
import { scriptedRecipes, startDoor } from "./fixture.test-support.ts";
import { create } from "./session.test-support.ts";

const place: Place = {
  held: true,
  token: asZxid(9),
  znode: "/l/_c_1-lock-0000000000" as Path,
  layout: "curator",
  mode: "exclusive",
  ahead: 0,
  session: 7 as SessionId,
  sessionTimeoutMillis: 30_000,
};

function done<T>(value: T): RecipeAnswer<T> {
  return { kind: "done", value, zxid: asZxid(11), servedBy: 2 };
}

function answered(value: Place): Waiting<Place> {
  return { answer: Promise.resolve(done(value)), finish: () => undefined, abandon: () => undefined };
}

/** Not before it is told to. */
class Turn implements Waiting<Place> {
  readonly answer: Promise<RecipeAnswer<Place>>;
  readonly finished: Promise<void>;
  abandoned = false;
  #finish: () => void = () => undefined;

  constructor() {
    this.finished = new Promise((resolve) => {
      this.#finish = resolve;
    });
    this.answer = this.finished.then(() => done({ ...place, held: false, ahead: 3 }));
  }

  finish(): void {
    this.#finish();
  }

  abandon(): void {
    this.abandoned = true;
    this.#finish();
  }
}

describe("Acquire", () => {
  it("asks as it was asked, and answers the place", async () => {
    const asked: LockContest[] = [];
    const recipes = scriptedRecipes({
      acquire: (contest) => {
        asked.push(contest);
        return answered({ ...place, mode: "permit", permits: 3, secret: new Uint8Array(16).fill(0xab) });
      },
    });
    await using door = await startDoor({ recipes });
    const reply = await door.caller.call("Acquire", {
      path: "/l",
      permits: 3,
      layout: "LAYOUT_KAZOO",
      contender: "me",
      wait: { seconds: 2 },
      sessionTimeout: { seconds: 4 },
      acl: { entries: [{ scheme: "world", id: "anyone", perms: "r" }] },
    });
    const { identity, address, data, ...rest } = asked[0] as LockContest;
    assert.deepEqual(rest, {
      path: "/l",
      sessionTimeoutMillis: 4000,
      waitMillis: 2000,
      acl: [{ scheme: "world", id: "anyone", perms: 1 }],
      shape: { mode: "permit", permits: 3, layout: "kazoo" },
    });
    assert.equal(Buffer.from(data).toString(), "me");
    assert.equal(address, "127.0.0.1");
    assert.deepEqual(identity.ids, [{ scheme: "ip", id: "127.0.0.1" }]);
    assert.deepEqual(reply, {
      header: { zxid: 11, servedBy: 2 },
      path: "/l",
      held: true,
      token: 9,
      mode: "LOCK_MODE_PERMIT",
      layout: "LAYOUT_CURATOR",
      permits: 3,
      znode: place.znode,
      sessionId: 7,
      secret: "ab".repeat(16),
      sessionTimeout: { seconds: 30 },
    });
  });

  it("shows no token before it is held, and has one key for all calls for one place", async () => {
    const asked: LockContest[] = [];
    const recipes = scriptedRecipes({
      acquire: (contest) => {
        asked.push(contest);
        return answered({ ...place, held: false, ahead: 2 });
      },
    });
    await using door = await startDoor({ recipes });
    const { id, secret } = await create(door.caller);
    const metadata = { "quorate-session-secret": secret };
    const ask = (request: v1.AcquireRequest): Promise<v1.AcquireResponse> =>
      door.caller.call("Acquire", { path: "/l", sessionId: id, idempotencyKey: "k", ...request }, { metadata });
    const reply = await ask({ wait: { seconds: 1 } });
    assert.deepEqual([reply.held, reply.token, reply.ahead], [false, undefined, 2]);
    await ask({ token: 9 });
    await ask({ contender: "another" });
    assert.equal(asked[0]?.key?.key, "k");
    const [first, second, third] = asked.map(({ key }) => Buffer.from(key?.requestHash ?? []).toString("hex"));
    assert.equal(first, second);
    assert.notEqual(first, third);
    assert.deepEqual([asked[0]?.acting?.session, asked[1]?.token, asked[0]?.token], [id, 9, undefined]);
  });

  it("is answered before the client's deadline, whatever the wait", { timeout: 120_000 }, async () => {
    const recipes = scriptedRecipes({ acquire: () => new Turn() });
    await using door = await startDoor({ recipes, limits: { deadlineMarginMillis: 500 } });
    const ask = () => door.caller.call("Acquire", { path: "/l", wait: { seconds: 60 } }, { deadlineMillis: 5000 });
    // Where this machine stands still the client's own clock may be first: not three times.
    const reply = await ask().catch(ask).catch(ask);
    assert.deepEqual([reply.held, reply.ahead], [false, 3]);
  });

  it("lets its client go, and keeps no place for it here", { timeout: 120_000 }, async () => {
    const turn = new Turn();
    let begun: () => void = () => undefined;
    const waiting = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const recipes = scriptedRecipes({
      acquire: () => {
        begun();
        return turn;
      },
    });
    await using door = await startDoor({ recipes });
    const ended = new AbortController();
    const call = door.caller.call("Acquire", { path: "/l", wait: { seconds: 60 } }, { signal: ended.signal });
    await waiting;
    ended.abort();
    assert.equal((await failureOf(call)).code, 1);
    await turn.finished;
    assert.equal(turn.abandoned, true);
  });

  it("is answered with what is known when the gateway stops", { timeout: 120_000 }, async () => {
    let begun: () => void = () => undefined;
    const waiting = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const recipes = scriptedRecipes({
      acquire: () => {
        begun();
        return new Turn();
      },
    });
    await using door = await startDoor({ recipes });
    const call = door.caller.call("Acquire", { path: "/l", wait: { seconds: 60 } });
    await waiting;
    const stopped = door.server.stop();
    assert.equal((await call).held, false);
    await stopped;
  });

  it("is no call under way while it waits, but has a bound of its own", { timeout: 120_000 }, async () => {
    const turns: Turn[] = [];
    const recipes = scriptedRecipes({
      acquire: () => {
        const turn = new Turn();
        turns.push(turn);
        return turn;
      },
    });
    await using door = await startDoor({ recipes, limits: { inFlight: 1, watches: 3 } });
    const waiters = [0, 1, 2].map(() => door.caller.call("Acquire", { path: "/l", wait: { seconds: 60 } }));
    while (turns.length < 3) await new Promise((resolve) => setTimeout(resolve, 2));
    await door.caller.call("Sync", {});
    const refused = await failureOf(door.caller.call("Acquire", { path: "/l" }));
    assert.equal(refused.reason, "THROTTLED");
    for (const turn of turns) turn.finish();
    await Promise.all(waiters);
    const after = door.caller.call("Acquire", { path: "/l" });
    while (turns.length < 4) await new Promise((resolve) => setTimeout(resolve, 2));
    turns[3]?.finish();
    await after;
  });
});

describe("a lock's request that is wrong", () => {
  const cases: readonly [string, string, (caller: Caller, id: number, secret: string) => Promise<unknown>][] = [
    ["no path", "path", (caller) => caller.call("Acquire", {})],
    ["an unknown mode", "mode", (caller) => caller.call("Acquire", { path: "/l", mode: 9 as never })],
    ["an unknown layout", "layout", (caller) => caller.call("Acquire", { path: "/l", layout: 9 as never })],
    ["too many permits", "permits", (caller) => caller.call("Acquire", { path: "/l", permits: 10_001 })],
    [
      "permits of a mutex",
      "permits",
      (caller) => caller.call("Acquire", { path: "/l", mode: "LOCK_MODE_EXCLUSIVE", permits: 2 }),
    ],
    ["a long wait", "wait", (caller) => caller.call("Acquire", { path: "/l", wait: { seconds: 301 } })],
    [
      "a short session",
      "session_timeout",
      (caller) => caller.call("Acquire", { path: "/l", sessionTimeout: { nanos: 1e6 } }),
    ],
    ["a token of nobody's", "token", (caller) => caller.call("Acquire", { path: "/l", token: 9 })],
    ["the root", "path", (caller) => caller.call("Acquire", { path: "/" })],
    [
      "a key for a session to be opened",
      "idempotency_key",
      (caller) => caller.call("Acquire", { path: "/l", idempotencyKey: "k" }),
    ],
    [
      "a key that is none",
      "idempotency_key",
      (caller, id, secret) =>
        caller.call(
          "Acquire",
          { path: "/l", sessionId: id, idempotencyKey: " " },
          { metadata: { "quorate-session-secret": secret } },
        ),
    ],
    [
      "a contender of a book",
      "contender",
      (caller) => caller.call("Acquire", { path: "/l", contender: "x".repeat(65_537) }),
    ],
    ["no session", "session_id", (caller) => caller.call("Release", { path: "/l" })],
    [
      "a session without its secret",
      "session_id",
      (caller, id) => caller.call("Release", { path: "/l", sessionId: id }),
    ],
    [
      "a token that was none",
      "token",
      (caller, id, secret) =>
        caller.call(
          "Release",
          { path: "/l", sessionId: id, token: -1 },
          { metadata: { "quorate-session-secret": secret } },
        ),
    ],
    ["too many waiters", "max_waiters", (caller) => caller.call("GetLock", { path: "/l", maxWaiters: 10_001 })],
    ["a candidate's book", "value", (caller) => caller.call("Campaign", { path: "/e", value: new Uint8Array(65_537) })],
    ["no candidate", "session_id", (caller) => caller.call("Proclaim", { path: "/e" })],
    ["nobody who resigns", "session_id", (caller) => caller.call("Resign", { path: "/e" })],
    ["no election", "path", (caller) => caller.call("GetLeader", {})],
    ["a fence without a token", "options.fenced[0].token", (caller) => fenced(caller, [{ path: "/l" }])],
    ["a fence of no lock", "options.fenced[0].path", (caller) => fenced(caller, [{ path: "l", token: 1 }])],
    ["eleven fences", "options.fenced", (caller) => fenced(caller, Array(11).fill({ path: "/l", token: 1 }))],
    [
      "a fence of reads",
      "options.fenced",
      (caller) =>
        caller.call("Txn", { then: [{ get: { path: "/" } }], options: { fenced: [{ path: "/l", token: 1 }] } }),
    ],
  ];
  const fenced = (caller: Caller, fences: readonly v1.Fence[]): Promise<unknown> =>
    caller.call("Put", { path: "/a", options: { fenced: fences } });
  for (const [name, field, ask] of cases) {
    it(`is refused by its field's name: ${name}`, async () => {
      await using door = await startDoor();
      const { id, secret } = await create(door.caller);
      const failure = await failureOf(ask(door.caller, id, secret));
      assert.equal(failure.status?.metadata["field"], field, failure.message);
      assert.equal(failure.status?.metadata["certainty"], "noEffect");
    });
  }
});

describe("GetLock", () => {
  const contender = (data: string): LockState["holders"][number] => {
    const { token, znode, session } = place;
    return { token, znode, session, mode: "read", data: Buffer.from(data), since: 1500 };
  };

  it("tells who holds it, with tokens, and who waits", async () => {
    const reads: [RecipeRead, number][] = [];
    const recipes = scriptedRecipes({
      lock: (read, waiters) => {
        reads.push([read, waiters]);
        const state = { holders: [contender("a")], waiters: [contender("b")], waiting: 5 };
        return Promise.resolve(done({ layout: "kazoo", kind: "readWrite", ...state }));
      },
    });
    await using door = await startDoor({ recipes });
    const options = { consistency: "CONSISTENCY_SESSION", minZxid: 4 } as const;
    const reply = await door.caller.call("GetLock", { path: "/l", maxWaiters: 7, options });
    const common = { mode: "LOCK_MODE_READ", sessionId: 7, since: { seconds: 1, nanos: 5e8 }, znode: place.znode };
    assert.deepEqual(reply, {
      header: { zxid: 11, servedBy: 2, consistency: "CONSISTENCY_SESSION" },
      path: "/l",
      layout: "LAYOUT_KAZOO",
      kind: "LOCK_KIND_READ_WRITE",
      holders: [{ token: 9, contender: "a", ...common }],
      waiters: [{ contender: "b", ...common }],
      waiting: 5,
    });
    assert.deepEqual([reads[0]?.[0].minZxid, reads[0]?.[1]], [4, 7]);
  });

  it("tells of those who wait as many as an answer has room for", async () => {
    const waiters = Array.from({ length: 100 }, () => contender("x".repeat(65_000)));
    const recipes = scriptedRecipes({
      lock: () => Promise.resolve(done({ layout: "curator", kind: "mutex", holders: [], waiters, waiting: 100 })),
    });
    await using door = await startDoor({ recipes });
    const { waiters: told = [], waiting } = await door.caller.call("GetLock", { path: "/l" });
    assert.ok(told.length > 4 && told.length < 50, `${told.length}`);
    assert.equal(waiting, 100);
  });
});

describe("a failure of a recipe", () => {
  it("is a status with its reason and what is known of it", async () => {
    const recipes = scriptedRecipes({
      release: () =>
        Promise.resolve({
          kind: "failed",
          failure: { ok: false, code: "noNode", detail: "no place", zxid: asZxid(5), path: "/l" as Path },
          servedBy: 3,
        }),
      acquire: () => ({
        answer: Promise.resolve({
          kind: "failed",
          failure: { ok: false, code: "fenced", detail: "gone", zxid: asZxid(5) },
          servedBy: 3,
        }),
        finish: () => undefined,
        abandon: () => undefined,
      }),
      leader: () =>
        Promise.resolve({
          kind: "unavailable",
          code: "noLeader",
          detail: "none",
          certainty: "noEffect",
          retryAfterMillis: 9,
        }),
    });
    await using door = await startDoor({ recipes });
    const { id, secret } = await create(door.caller);
    const metadata = { "quorate-session-secret": secret };
    const released = await failureOf(door.caller.call("Release", { path: "/l", sessionId: id }, { metadata }));
    assert.deepEqual([released.code, released.reason, released.message], [5, "NO_NODE", "no place"]);
    assert.equal(released.status?.metadata["path"], "/l");
    const lost = await failureOf(door.caller.call("Acquire", { path: "/l", sessionId: id, token: 3 }, { metadata }));
    assert.deepEqual([lost.code, lost.reason], [10, "FENCED"]);
    const unasked = await failureOf(door.caller.call("GetLeader", { path: "/e" }));
    assert.deepEqual([unasked.code, unasked.reason], [14, "NO_LEADER"]);
  });
});
