/**
 * The table of requests against real processes, through a gateway alone and through a follower's own door; then the
 * rows of the error table that a healthy ensemble never answers. At the end each row was reached, or is named with why not.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { errors, httpErrors, limits } from "@quorate/api";
import { cases, runCases } from "../conformance/cases.ts";
import { basicAuth, Ensemble, freePorts, type Process, statusOf, superUser, until } from "./ensemble.ts";
import { type Exchanged, problemIn, talk } from "./raw-socket.ts";
import { TestProxy } from "./test-proxy.ts";

/** Never answered to REST as long as there are no watches, and why. */
const unreachable: Readonly<Record<string, string>> = {
  sessionMoved: "a REST session has no home that it could move from",
  cursorTooOld: "a watch's cursor",
  cursorOfAnotherHistory: "a watch's cursor",
  fenced: "a lock as a call of its own",
  unimplemented: "each route that stands in the table is served",
  internal: "a fault of our own: that it was never answered is what the other tests watch",
};

let ensemble: Ensemble;
/** How the first gateway reaches each replica. */
let links: readonly TestProxy[] = [];
let slowHeaders: Promise<Exchanged>;
const reached = new Map<string, string>();

before(async () => {
  const peerPorts = await freePorts(3);
  links = await Promise.all(peerPorts.map((port) => TestProxy.start(port)));
  const addressOf = (from: string, to: number): string | undefined =>
    from === "gateway 1" ? links[to - 1]?.address : undefined;
  ensemble = await Ensemble.start({ gateways: 2, peerPorts, addressOf });
  slowHeaders = talk(ensemble.gateway.restPort, "GET /v1/znodes/ HTTP/1.1\r\nHost:", { patienceMillis: 15_000 });
});
after(async () => {
  await ensemble?.stop();
  await Promise.all(links.map((each) => each.stop()));
});

const options = { superUser: `${superUser.user}:${superUser.password}` };
const asSuper = { Authorization: basicAuth(superUser.user, superUser.password) };

async function runTable(door: Process): Promise<void> {
  const failing = await runCases(door.base, cases, options);
  assert.deepEqual(
    failing.map(({ name, fault }) => `${name}: ${fault.message}`),
    [],
  );
  for (const { steps } of cases)
    for (const { code } of steps) if (code !== undefined) reached.set(code, `the table, ${door.name}`);
}

interface Problem {
  readonly code: string;
  readonly status: number;
  readonly certainty: string;
  readonly detail: string;
}

/** Sends a request that must fail, and notes which row it reached. */
async function fails(answer: Response, code: string, status: number, certainty = "noEffect"): Promise<void> {
  const text = await answer.text();
  assert.equal(answer.status, status, text);
  const problem = JSON.parse(text) as Problem;
  assert.deepEqual([problem.code, problem.status, problem.certainty], [code, status, certainty], text);
  assert.equal(answer.headers.get("content-type"), "application/problem+json");
  reached.set(code, "a scene");
}

function put(
  door: Process,
  path: string,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  return fetch(`${door.base}/v1/znodes${path}`, { method: "PUT", body, headers });
}

async function txn(
  door: Process,
  then: readonly object[],
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  const body = JSON.stringify({ then });
  return fetch(`${door.base}/v1/txn`, {
    method: "POST",
    body,
    headers: { "Content-Type": "application/json", ...headers },
  });
}

async function done(answer: Response): Promise<string> {
  const text = await answer.text();
  assert.ok(answer.ok, text);
  return text;
}

async function aFollower(): Promise<Process> {
  const leader = await ensemble.leader();
  return ensemble.replica((leader % 3) + 1);
}

/** The replicas beside the leader, stopped in their tracks for as long as `scene` plays; all is well again afterwards. */
async function withoutFollowers(scene: () => Promise<void>): Promise<void> {
  const leader = await ensemble.leader();
  const followers = ensemble.replicas.filter((each) => each !== ensemble.replica(leader));
  for (const each of followers) each.signal("SIGSTOP");
  try {
    await scene();
  } finally {
    for (const each of followers) each.signal("SIGCONT");
  }
  await ensemble.ready();
  await until(async () => (await put(ensemble.gateway, "/after", "")).ok, 15_000, "writes go on");
}

describe("the table of requests", () => {
  it("through a gateway", () => runTable(ensemble.gateway));
  it("through a follower's own door", async () => runTable(await aFollower()));
});

describe("rows that no healthy request meets", () => {
  it("quotaExceeded: one ephemeral more than a session may own", async () => {
    const door = ensemble.gateway;
    const { id, secret } = JSON.parse(await done(await fetch(`${door.base}/v1/sessions`, { method: "POST" }))) as {
      id: string;
      secret: string;
    };
    const shown = { "Quorate-Session": `${id}:${secret}` };
    await done(await put(door, "/quota", ""));
    for (let i = 0; i < limits.sessionEphemerals; i += limits.txnOperations) {
      const then = Array.from({ length: limits.txnOperations }, (_, k) => ({
        op: "create",
        path: `/quota/${i + k}`,
        ephemeral: true,
      }));
      await done(await txn(door, then, shown));
    }
    await fails(await put(door, "/quota/more?ephemeral=true", "", shown), "quotaExceeded", 403);
    await done(await fetch(`${door.base}/v1/sessions/${id}`, { method: "DELETE", headers: shown }));
  });

  it("pageTooOld: the changes since the first page are forgotten", async () => {
    const door = ensemble.gateway;
    await done(
      await txn(door, [
        { op: "create", path: "/pages" },
        { op: "create", path: "/pages/a" },
        { op: "create", path: "/pages/b" },
      ]),
    );
    const page = JSON.parse(await done(await fetch(`${door.base}/v1/children/pages?limit=1`))) as { continue: string };
    await done(await put(door, "/pages/c", ""));
    // Changes cost their path's length in the ring of 32 MiB: long paths, made and deleted as a whole.
    const deep = `/${"d".repeat(3900)}`;
    const then = Array.from({ length: 250 }, (_, i) => ({ op: "create", path: `${deep}/${i}` }));
    for (let round = 0; round < 18; round++) {
      await done(await put(door, deep, ""));
      await done(await txn(door, then));
      await done(await fetch(`${door.base}/v1/znodes${deep}?recursive=true`, { method: "DELETE" }));
    }
    await fails(await fetch(`${door.base}/v1/children/pages?continue=${page.continue}`), "pageTooOld", 410);
  });

  it("headersTooLarge, requestTimeout: what HTTP alone has", async () => {
    const long = await talk(
      ensemble.gateway.restPort,
      `GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${"x".repeat(20_000)}\r\n\r\n`,
    );
    for (const [seen, code] of [
      [long, "headersTooLarge"],
      [await slowHeaders, "requestTimeout"],
    ] as const) {
      assert.equal(problemIn(seen)?.code, code, seen.text);
      reached.set(code, "a raw socket");
    }
  });

  it("timeout: a write that left the gateway, and no quorum; then noLeader; throttled when too many wait", async () => {
    const door = ensemble.gateway;
    await withoutFollowers(async () => {
      await fails(await put(door, "/late", "x", { "Quorate-Timeout": "400ms" }), "timeout", 504, "unknown");
      await until(
        async () => !(await fetch(`${door.base}/readyz?require=leader`)).ok,
        15_000,
        "the leader has stepped down",
      );
      await fails(
        await put(ensemble.gateways[1] ?? door, "/none", "x", { "Quorate-Timeout": "300ms" }),
        "noLeader",
        503,
      );
      const waiting = (more = ""): string =>
        `GET /v1/znodes/ HTTP/1.1\r\nHost: x\r\n${more}Quorate-Timeout: 4s\r\n\r\n`;
      const hundred = waiting().repeat(99) + waiting("Connection: close\r\n");
      const crowd = await Promise.all(
        Array.from({ length: 90 }, () => talk(door.restPort, hundred, { patienceMillis: 20_000 })),
      );
      const statuses = crowd.flatMap(({ text }) => [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((each) => each[1]));
      const count = (status: string): number => statuses.filter((each) => each === status).length;
      assert.deepEqual([statuses.length, count("503") + count("429")], [9000, 9000]);
      assert.ok(count("429") > 0, "nobody was throttled");
      assert.ok(crowd.some(({ text }) => text.includes('"code":"throttled"') && /retry-after: \d/i.test(text)));
      reached.set("throttled", "a scene");
    });
  });

  it("connectionLoss: the connection to the leader breaks with a hand-over that was done and not answered", async () => {
    const door = ensemble.gateway;
    // Who lags behind is handed nothing over.
    await ensemble.settled();
    const leader = await ensemble.leader();
    const home = async (): Promise<string> => await (await fetch(`${door.base}/readyz?verbose`)).text();
    await until(async () => (await home()).includes(`through replica ${leader}`), 10_000, "the gateway is at home");
    const link = links[leader - 1];
    assert.ok(link);
    link.freeze("back");
    const answer = fetch(`${door.base}/v1/cluster/leader`, {
      method: "POST",
      body: JSON.stringify({ to: (leader % 3) + 1 }),
      headers: { ...asSuper, "Content-Type": "application/json" },
    });
    // Somebody else leads: so the request has arrived. Only then the connection breaks, the answer in it.
    await until(
      async () => (await statusOf(ensemble.replica(leader))).role !== "leading",
      15_000,
      "the leader has handed over",
    );
    link.break();
    await fails(await answer, "connectionLoss", 502, "unknown");
    link.heal();
    await ensemble.ready();
    await done(await put(door, "/found", ""));
  });

  it("each row was reached, or is named", (t) => {
    const all = [...Object.keys(errors), ...Object.keys(httpErrors)];
    const missing = all.filter((code) => !reached.has(code) && !Object.hasOwn(unreachable, code));
    assert.deepEqual(missing, [], "rows that nothing reached");
    assert.deepEqual(
      Object.keys(unreachable).filter((code) => reached.has(code)),
      [],
      "reached after all",
    );
    t.diagnostic(`${reached.size} of ${all.length} rows reached; not: ${Object.keys(unreachable).join(", ")}`);
  });
});
