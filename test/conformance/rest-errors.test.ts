/** The rows of the error table that no healthy ensemble answers: a scripted backend says them, the door passes them on. */
import assert from "node:assert/strict";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import { type Certainty, type ErrorCode, errors, type Outcome, type Path, type Zxid } from "@quorate/api";
import {
  type Answer,
  type Backend,
  createNodeWorld,
  createRecipes,
  createRestServer,
  type Recipes,
} from "@quorate/gateway";

let next: Answer | Error;
let logged: string[] = [];
let ready = true;

function answer(): Promise<Answer> {
  return next instanceof Error ? Promise.reject(next) : Promise.resolve(next);
}

function unasked(): never {
  throw new Error("nothing here asks for it");
}

const backend: Backend = {
  listTree: unasked,
  watch: unasked,
  follow: unasked,
  attach: unasked,
  write: answer,
  read: answer,
  renew: async () => {
    const now = await answer();
    if (now.kind === "unavailable") return now;
    return { kind: "expired" };
  },
  handOver: answer,
  cluster: () => ({ leader: 0, members: [], silent: ["10.0.0.1:7400"], newest: 0 as Zxid }),
};

/** As recipes say it: what the backend would, of no txn. */
async function recipeAnswer(): Promise<never> {
  const now = await answer();
  if (now.kind === "unavailable") return now as never;
  return { kind: "failed", failure: now.outcome, servedBy: now.servedBy } as never;
}
const waiting = (): { readonly answer: Promise<never>; finish(): void; abandon(): void } => ({
  answer: recipeAnswer(),
  finish: () => {},
  abandon: () => {},
});
const world = createNodeWorld();
const recipes: Recipes = {
  ...createRecipes({ backend, world }),
  acquire: waiting,
  campaign: waiting,
  release: recipeAnswer,
  resign: recipeAnswer,
  proclaim: recipeAnswer,
  lock: recipeAnswer,
  leader: recipeAnswer,
  write: answer,
};

function unavailable(code: ErrorCode, certainty: Certainty = errors[code].certainty, retryAfterMillis = 1500): Answer {
  return { kind: "unavailable", code, detail: "the script says so", certainty, retryAfterMillis };
}

function failing(code: ErrorCode, more: Partial<Extract<Outcome, { ok: false }>> = {}): Answer {
  const outcome: Outcome = { ok: false, zxid: 7 as Zxid, code, detail: "the script says so", ...more };
  return { kind: "outcome", outcome, servedBy: 2, ageMillis: 0 };
}

describe("the error table through REST", () => {
  const { server, stop } = createRestServer({
    backend,
    recipes,
    world,
    version: "test",
    readiness: () => ({ ready, leader: 0, checks: [{ name: "links", ok: ready, detail: "no replica is connected" }] }),
    metrics: () => "",
    log: (line) => logged.push(line),
  });
  before(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)));
  after(stop);
  // biome-ignore lint/suspicious/noExplicitAny: a body is whatever the door sent.
  async function ask(method: string, path: string, headers = {}): Promise<{ response: Response; body: any }> {
    const { port } = server.address() as AddressInfo;
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { method, headers });
    return { response, body: await response.json() };
  }

  const availability = [
    "throttled",
    "noLeader",
    "behind",
    "connectionLoss",
    "timeout",
    "internal",
    "quotaExceeded",
  ] as const;
  for (const code of availability) {
    it(`${code}, when nothing came of it`, async () => {
      next = unavailable(code);
      const { response, body } = await ask("PUT", "/v1/znodes/a");
      assert.equal(response.status, errors[code].http);
      assert.deepEqual([body.code, body.certainty, body.status], [code, errors[code].certainty, response.status]);
      const waits = response.status === 429 || response.status === 503;
      assert.equal(response.headers.get("retry-after"), waits ? "2" : null);
      assert.equal(body.retryAfter, waits ? 2 : undefined);
    });
  }

  const decided = Object.keys(errors).filter((each) => errors[each as ErrorCode].http !== 0) as ErrorCode[];
  for (const code of decided) {
    it(`${code}, as an outcome`, async () => {
      next = failing(code, { path: "/a" as Path });
      const { response, body } = await ask("DELETE", "/v1/znodes/a");
      assert.equal(response.status, errors[code].http);
      assert.deepEqual(
        [body.code, body.title, body.path, body.zxid],
        [code, errors[code].title, "/a", "0x0000000000000007"],
      );
      assert.equal(response.headers.get("quorate-served-by"), "2");
      assert.equal(response.headers.get("www-authenticate") !== null, response.status === 401);
    });
  }

  const owned = { "Quorate-Session": `0x0000000100000007:${"0".repeat(32)}` };
  const calls: readonly (readonly [string, string])[] = [
    ["POST", "/v1/locks/a"],
    ["GET", "/v1/locks/a"],
    ["DELETE", "/v1/locks/a"],
    ["POST", "/v1/elections/a"],
    ["PUT", "/v1/elections/a"],
    ["GET", "/v1/elections/a"],
    ["DELETE", "/v1/elections/a"],
  ];
  for (const [method, path] of calls) {
    it(`each code, of ${method} ${path}`, async () => {
      const headers = method === "GET" ? {} : owned;
      for (const code of decided) {
        next = failing(code, { path: "/a" as Path });
        const { response, body } = await ask(method, path, headers);
        assert.deepEqual([response.status, body.code, body.path], [errors[code].http, code, "/a"]);
        assert.equal(response.headers.get("www-authenticate") !== null, response.status === 401);
      }
      for (const code of availability) {
        next = unavailable(code);
        const { response, body } = await ask(method, path, headers);
        assert.deepEqual([response.status, body.certainty], [errors[code].http, errors[code].certainty]);
      }
      next = unavailable("noLeader", "unknown");
      assert.equal((await ask(method, path, headers)).body.code, "connectionLoss");
      next = new Error("a fault of ours");
      assert.equal((await ask(method, path, headers)).response.status, 500);
      assert.equal(logged.filter((line) => line.includes("a fault of ours")).length, 1);
      logged = [];
    });
  }

  it("each code, of a write that a lock fences", async () => {
    for (const code of decided) {
      next = failing(code, { path: "/a" as Path });
      const { response, body } = await ask("PUT", "/v1/znodes/a", { "Quorate-Fenced": "l=0x1" });
      assert.deepEqual([response.status, body.code], [errors[code].http, code]);
    }
  });

  it("never promises by its status what is not known", async () => {
    for (const code of ["noLeader", "behind", "throttled"] as const) {
      next = unavailable(code, "unknown");
      const { response, body } = await ask("PUT", "/v1/znodes/a");
      assert.deepEqual([response.status, body.code, body.certainty], [502, "connectionLoss", "unknown"]);
    }
    next = failing("sessionMoved");
    const { response, body } = await ask("PUT", "/v1/znodes/a");
    assert.deepEqual([response.status, body.code, body.certainty], [502, "connectionLoss", "unknown"]);
  });

  it("keeps a timeout that had no effect a timeout", async () => {
    next = unavailable("timeout", "noEffect");
    const { response, body } = await ask("GET", "/v1/znodes/a");
    assert.deepEqual([response.status, body.certainty], [504, "noEffect"]);
  });

  it("shows no more of a fault of its own than a reference to the log", async () => {
    next = new Error("secret insides");
    const { response, body } = await ask("GET", "/v1/znodes/a");
    assert.deepEqual([response.status, body.code, body.certainty], [500, "internal", "unknown"]);
    assert.ok(!JSON.stringify(body).includes("secret insides"));
    assert.ok(logged.some((line) => line.includes(body.reference) && line.includes("secret insides")));
    logged = [];
  });

  it("answers what stands without a leader", async () => {
    const cluster = await ask("GET", "/v1/cluster");
    assert.deepEqual([cluster.response.status, cluster.body.leader, cluster.body.silent], [200, 0, ["10.0.0.1:7400"]]);
    assert.equal((await ask("GET", "/readyz?verbose")).response.status, 200);
    const required = await ask("GET", "/readyz?require=leader");
    assert.deepEqual([required.response.status, required.body.code], [503, "noLeader"]);
    ready = false;
    const not = await ask("GET", "/readyz");
    assert.deepEqual([not.response.status, not.body.code], [503, "behind"]);
    assert.match(not.body.detail, /no replica is connected/);
    assert.equal(not.body.title, "Not ready");
    ready = true;
  });
});
