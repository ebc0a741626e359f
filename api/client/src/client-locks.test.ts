/** How a lock is taken, kept, lost and given up, before gateways that answer by a script. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { AcquireOptions, Lock } from "./locks.ts";
import { QuorateError } from "./quorate-error.ts";
import { RestClient } from "./rest/rest-client.ts";
import {
  answer,
  cut,
  problem,
  type Request,
  ScriptedGateway,
  silent,
  type Turn,
  written,
} from "./rest/scripted-gateway.test-support.ts";

const session = { id: "0x0000000100000007", secret: "00112233445566778899aabbccddeeff" };
const token = "0x0000000100000009";
const znode = "/l/_c_1-lock-0000000003";
const place = { name: "l", mode: "exclusive", layout: "curator", znode, session: { id: session.id, timeout: "30s" } };
const held: Turn = answer(200, { ...place, held: true, token, ahead: 0, zxid: token });
const waits: Turn = answer(202, { ...place, held: false, ahead: 2, zxid: token });
const closed: Turn = answer(200, { deleted: 1, zxid: token });
const released: Turn = answer(200, { name: "l", znode, zxid: token });
const busy = problem(503, "noLeader");

interface Script {
  /** Each taken once, the last for all that follow. */
  readonly polls: readonly Turn[];
  readonly renewals?: Turn;
  readonly close?: readonly Turn[];
  readonly release?: readonly Turn[];
  readonly sessionMillis?: number;
}

const queryOf = ({ target }: Request): URLSearchParams => new URL(target, "http://x").searchParams;
const pathOf = ({ target }: Request): string => new URL(target, "http://x").pathname;

class Fake {
  readonly polls: Request[] = [];
  /** What was asked, as `POST /v1/locks/l`. */
  readonly story: string[] = [];
  readonly #script: Script;
  readonly releases: Request[] = [];
  readonly #closes: Request[] = [];

  constructor(script: Script) {
    this.#script = script;
  }

  readonly turn: Turn = (response, request) => {
    const { polls, renewals, close = [closed], release = [released], sessionMillis = 30_000 } = this.#script;
    const what = `${request.method} ${pathOf(request)}`;
    this.story.push(what);
    const next = (turns: readonly Turn[], asked: Request[]): Turn | undefined =>
      turns[Math.min(asked.push(request), turns.length) - 1];
    if (what === "POST /v1/sessions") {
      return answer(201, { ...session, timeout: `${sessionMillis}ms` })(response, request);
    }
    if (what.endsWith("/renew")) return (renewals ?? answer(200, {}))(response, request);
    if (what.startsWith("DELETE /v1/sessions/")) return next(close, this.#closes)?.(response, request);
    if (what === "DELETE /v1/locks/l") return next(release, this.releases)?.(response, request);
    if (what !== "POST /v1/locks/l") return written(response, request);
    // A renewal waits, as long as nothing is lost.
    if (queryOf(request).has("token") && this.polls.length >= polls.length) return silent(response, request);
    return next(polls, this.polls)?.(response, request);
  };
}

async function fakes(t: TestContext, ...scripts: readonly Script[]): Promise<{ client: RestClient; all: Fake[] }> {
  const all = scripts.map((script) => new Fake(script));
  const gateways = await Promise.all(all.map(({ turn }) => ScriptedGateway.start(turn)));
  const client = new RestClient({ endpoints: gateways.map(({ base }) => base), timeoutMillis: 2000 });
  t.after(async () => {
    await client.close();
    await Promise.all(gateways.map((each) => each.stop()));
  });
  return { client, all };
}

async function acquire(
  t: TestContext,
  script: Script,
  options: AcquireOptions = {},
): Promise<{ client: RestClient; fake: Fake; lock: Lock }> {
  const { client, all } = await fakes(t, script);
  return { client, fake: all[0] as Fake, lock: await client.locks.acquire("/l", options) };
}

function failure(call: Promise<unknown>): Promise<QuorateError> {
  return call.then(
    () => assert.fail("it succeeded"),
    (error: unknown) => {
      assert.ok(error instanceof QuorateError, String(error));
      return error;
    },
  );
}

function aborted(signal: AbortSignal): Promise<QuorateError> {
  return new Promise((resolve) => {
    const tell = (): void => resolve(signal.reason as QuorateError);
    if (signal.aborted) tell();
    else signal.addEventListener("abort", tell);
  });
}

async function until(found: () => boolean): Promise<void> {
  while (!found()) await new Promise((resolve) => setTimeout(resolve, 5));
}

test("a lock has a session of its own, is asked for until it is held, is renewed, and goes with its session", async (t) => {
  const options = { mode: "permit", permits: 3, layout: "kazoo", contender: "me", sessionTimeoutMillis: 9000 } as const;
  const { fake, lock } = await acquire(t, { polls: [waits, waits, held], sessionMillis: 9000 }, options);
  assert.deepEqual([lock.name, lock.token, lock.znode, lock.held], ["/l", token, znode, true]);
  assert.equal(lock.session.id, session.id);
  await until(() => fake.polls.length === 3 && fake.story.length === 5);
  const asked = fake.polls.map((each) => Object.fromEntries(queryOf(each)));
  const { wait, ...first } = asked[0] as Record<string, string>;
  assert.deepEqual(first, { mode: "permit", permits: "3", layout: "kazoo", contender: "me" });
  assert.equal(wait, "3s", "a third of the session's timeout");
  const keys = fake.polls.map(({ headers }) => headers["idempotency-key"]);
  assert.match(String(keys[0]), /^[0-9a-f-]{36}$/);
  assert.deepEqual(keys.slice(1), [undefined, undefined], "it is found by its session");
  for (const { headers } of fake.polls) assert.equal(headers["quorate-session"], `${session.id}:${session.secret}`);
  await lock.release();
  await lock.release();
  assert.equal(lock.signal.aborted, true);
  assert.deepEqual([(lock.signal.reason as QuorateError).code, lock.held], ["fenced", false]);
  assert.deepEqual(
    fake.story.filter((each) => !each.endsWith("/renew")),
    ["POST /v1/sessions", ...Array<string>(4).fill("POST /v1/locks/l"), `DELETE /v1/sessions/${session.id}`],
  );
});

test("it goes on at the next gateway, with its key until it is answered, whatever breaks", async (t) => {
  const { client, all } = await fakes(
    t,
    { polls: [cut, busy, cut, waits, busy, held] },
    { polls: [cut, waits, busy, held] },
  );
  const lock = await client.locks.acquire("l");
  assert.equal(lock.token, token);
  const asked = all.flatMap(({ polls }) => polls).toSorted((a, b) => a.at - b.at);
  const answered = asked.findIndex(({ headers }) => headers["idempotency-key"] === undefined);
  assert.ok(answered > 1);
  assert.equal(new Set(asked.slice(0, answered).map(({ headers }) => headers["idempotency-key"])).size, 1);
  assert.ok(all.every(({ polls }) => polls.length > 0));
  assert.equal(all.flatMap(({ story }) => story).filter((each) => each === "POST /v1/sessions").length, 1);
  await lock.release();
});

test("when the wait is over the place is given up, and the error says so", async (t) => {
  const slow: Turn = async (response, request) => {
    await new Promise((resolve) => setTimeout(resolve, 100));
    await waits(response, request);
  };
  const { client, all } = await fakes(t, { polls: [slow] });
  const error = await failure(client.locks.acquire("l", { wait: 3000 }));
  assert.deepEqual([error.code, error.certainty], ["timeout", "noEffect"]);
  assert.match(error.detail, /not free within 3000 ms; its place in the queue is given up/);
  assert.equal(all[0]?.story.at(-1), `DELETE /v1/sessions/${session.id}`);
  const waited = all[0]?.polls.map((each) => Number.parseInt(queryOf(each).get("wait") ?? "", 10)) ?? [];
  assert.ok(waited.length > 0 && waited.every((millis, i) => millis < (waited[i - 1] ?? 3001)), waited.join());
});

test("where it could not be given up, the error says until when it may be there", async (t) => {
  const { client } = await fakes(t, { polls: [waits], close: [cut] });
  const error = await failure(client.locks.acquire("l", { wait: 0, timeoutMillis: 700 }));
  assert.deepEqual([error.code, error.certainty], ["timeout", "unknown"]);
  assert.match(error.detail, new RegExp(`may be there as long as the session ${session.id}, which is renewed no more`));
});

test("a wait of 0 takes what is free, and a gateway that is not there is passed over", async (t) => {
  const { client, all } = await fakes(t, { polls: [busy, held] });
  const lock = await client.locks.acquire("l", { wait: 0 });
  assert.deepEqual(
    all[0]?.polls.map((each) => queryOf(each).get("wait")),
    ["0ms", "0ms", "10s"].slice(0, all[0]?.polls.length),
  );
  await lock.release();
});

test("whoever aborts gets his reason, and his place is given up", async (t) => {
  const { client, all } = await fakes(t, { polls: [waits, silent] });
  const stop = new AbortController();
  const acquiring = client.locks.acquire("l", { signal: stop.signal });
  await until(() => all[0]?.polls.length === 2);
  const reason = new Error("enough");
  stop.abort(reason);
  await assert.rejects(acquiring, reason);
  assert.equal(all[0]?.story.at(-1), `DELETE /v1/sessions/${session.id}`);
  await assert.rejects(client.locks.acquire("l", { signal: stop.signal }), reason);
  assert.equal(all[0]?.story.filter((each) => each === "POST /v1/sessions").length, 1);
});

test("what does not pass is the error, and no session is left", async (t) => {
  const { client, all } = await fakes(t, { polls: [problem(409, "nodeExists", { path: "/l" })] });
  const error = await failure(client.locks.acquire("l"));
  assert.deepEqual([error.code, error.path], ["nodeExists", "/l"]);
  assert.equal(all[0]?.story.at(-1), `DELETE /v1/sessions/${session.id}`);
  for (const wait of [-1, Number.NaN]) {
    assert.equal((await failure(client.locks.acquire("l", { wait }))).code, "badArguments");
  }
});

test("one that has passed on is lost, at once", async (t) => {
  const { fake, lock } = await acquire(t, { polls: [held, problem(412, "fenced")] });
  const reason = await aborted(lock.signal);
  assert.deepEqual([reason.code, lock.held], ["fenced", false]);
  assert.equal(queryOf(fake.polls[1] as Request).get("token"), token);
  await until(() => fake.story.at(-1) === `DELETE /v1/sessions/${session.id}`);
  await lock.release();
});

test("of one that has passed on nothing is given up: the session may have another place by then", async (t) => {
  const { client, all } = await fakes(t, { polls: [held, problem(412, "fenced")] });
  const lock = await client.locks.acquire("l", { session: await client.session() });
  await aborted(lock.signal);
  await lock.release();
  assert.equal(all[0]?.story.includes("DELETE /v1/locks/l"), false);
});

test("a session that is over is the end of it", async (t) => {
  const { lock } = await acquire(t, { polls: [held], renewals: problem(410, "sessionExpired"), sessionMillis: 1500 });
  const reason = await aborted(lock.signal);
  assert.equal(reason.code, "sessionExpired");
  await lock.release();
});

test("it is lost by this process's clock, however the network is stuck", async (t) => {
  for (const renewals of [silent, cut, busy]) {
    const began = performance.now();
    const { lock } = await acquire(t, {
      polls: [held, ...(renewals === silent ? [] : [renewals])],
      renewals,
      sessionMillis: 1200,
    });
    assert.ok(lock.held || performance.now() - began > 1199);
    const reason = await aborted(lock.signal);
    const after = performance.now() - began;
    assert.equal(reason.code, "sessionExpired");
    assert.ok(after >= 1199, `lost after ${after} ms`);
    assert.equal(lock.held, false);
    await lock.release();
  }
});

test("a process that stood still sees it before it acts", async (t) => {
  const { lock } = await acquire(t, { polls: [held], sessionMillis: 1000 });
  const end = performance.now() + 1300;
  while (performance.now() < end);
  assert.equal(lock.held, false);
  assert.equal(lock.signal.aborted, true);
});

test("a machine that slept is one that stood still, though its steady clock did not go on", async (t) => {
  const { lock } = await acquire(t, { polls: [held], sessionMillis: 30_000 });
  assert.equal(lock.held, true);
  const { now } = Date;
  t.mock.method(Date, "now", () => now() + 30_000);
  const reason = await aborted(lock.signal);
  assert.deepEqual([reason.code, lock.held], ["sessionExpired", false]);
});

test("with a session that is given the place of its token alone is given up, which may be tried again", async (t) => {
  const { client, all } = await fakes(t, {
    polls: [held],
    release: [problem(403, "noAuth"), cut, problem(412, "fenced")],
  });
  const mine = await client.session();
  const lock = await client.locks.acquire("l", { session: mine });
  await assert.rejects(lock.release(), { code: "noAuth" });
  assert.equal(lock.signal.aborted, true, "whoever gives it up does not hold it");
  await lock.release();
  assert.equal(mine.lost.aborted, false);
  assert.deepEqual(all[0]?.story.slice(-3), Array(3).fill("DELETE /v1/locks/l"));
  assert.deepEqual(
    all[0]?.releases.map((each) => queryOf(each).get("token")),
    Array(3).fill(token),
  );
});

test("with a session that is given a first try that comes late makes no second place", async (t) => {
  for (const found of [waits, held]) {
    const { client, all } = await fakes(t, { polls: [silent, found] });
    const mine = await client.session();
    const stop = new AbortController();
    const acquiring = client.locks.acquire("l", { session: mine, signal: stop.signal });
    await until(() => all[0]?.polls.length === 1);
    stop.abort();
    await assert.rejects(acquiring, { name: "AbortError" });
    const [late, asked] = all[0]?.polls ?? [];
    assert.equal(asked?.headers["idempotency-key"], late?.headers["idempotency-key"]);
    assert.equal(queryOf(asked as Request).get("wait"), "0ms");
    assert.equal(all[0]?.story.at(-1), "DELETE /v1/locks/l");
    assert.equal(queryOf(all[0]?.releases[0] as Request).get("token"), found === held ? token : null);
  }
});

test("whoever still waits when the client is closed, or cannot begin, is told so", async (t) => {
  const { client, all } = await fakes(t, { polls: [waits, silent] });
  const waiting = failure(client.locks.acquire("l"));
  await until(() => all[0]?.polls.length === 2);
  await client.close();
  assert.equal((await waiting).code, "sessionExpired");
  const none = new RestClient({ endpoints: ["http://127.0.0.1:9"] });
  const beginning = failure(none.locks.acquire("l"));
  const late = await failure(none.locks.acquire("l", { wait: 300 }));
  assert.deepEqual([late.code, late.certainty], ["timeout", "noEffect"]);
  const tried = await failure(none.locks.acquire("l", { wait: 0, timeoutMillis: 300 }));
  assert.deepEqual([tried.code, tried.certainty], ["connectionLoss", "noEffect"]);
  await none.close();
  assert.match((await beginning).message, /the client is closed/);
});

test("`await using` gives it up, and its client's end too", async (t) => {
  const { client, all } = await fakes(t, { polls: [held] });
  {
    await using lock = await client.locks.acquire("l");
    assert.equal(lock.held, true);
  }
  const story = ["POST /v1/sessions", "POST /v1/locks/l", `DELETE /v1/sessions/${session.id}`];
  assert.deepEqual(all[0]?.story, story, "what is held shortly is not renewed");
  const lock = await client.locks.acquire("l");
  await client.close();
  assert.equal(lock.held, false);
  assert.equal(all[0]?.story.at(-1), `DELETE /v1/sessions/${session.id}`);
});

test("writes show what they are fenced by, and `fenced` is an answer", async (t) => {
  const asked: Request[] = [];
  const gateway = await ScriptedGateway.start((response, request) => {
    asked.push(request);
    return (asked.length === 1 ? written : problem(412, "fenced", { path: "/l" }))(response, request);
  });
  const client = new RestClient({ endpoints: [gateway.base] });
  t.after(async () => {
    await client.close();
    await gateway.stop();
  });
  const lock = { name: "/a,b/ü=1", token };
  await client.put("/a", "x", { fenced: [lock, { name: "c", token }] });
  assert.equal(asked[0]?.headers["quorate-fenced"], `a%2Cb/%C3%BC%3D1=${token},c=${token}`);
  const error = await failure(client.delete("/a", { fenced: lock }));
  assert.deepEqual([error.code, error.certainty, error.path], ["fenced", "noEffect", "/l"]);
  await assert.rejects(client.txn({ then: [{ op: "get", path: "/a" }] }, { fenced: lock }), { code: "badArguments" });
  assert.equal(asked.length, 2);
});
