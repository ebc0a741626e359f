/**
 * The tables of requests against real processes, through a gateway alone and through a follower's own doors; then the rows of
 * the error table that a healthy ensemble never answers. At the end each row was reached through each door, or is named
 * with why not.
 */
import assert from "node:assert/strict";
import { setMaxListeners } from "node:events";
import { after, before, describe, it } from "node:test";
import { errors, httpErrors, limits } from "@quorate/api";
import { cases, runCases } from "../conformance/cases.ts";
import type { Asked, Door, Good, Request, Terms } from "../conformance/doors/door.ts";
import { runDoorCase } from "../conformance/doors/door-runner.ts";
import { GrpcDoor } from "../conformance/doors/grpc-door.ts";
import { RestDoor } from "../conformance/doors/rest-door.ts";
import { casesFor } from "../conformance/doors/table.ts";
import { Caller, failureOf } from "../conformance/grpc-client.ts";
import { Ensemble, freePorts, type Process, statusOf, superUser, until } from "./ensemble.ts";
import { type Exchanged, problemIn, talk } from "./raw-socket.ts";
import { TestProxy } from "./test-proxy.ts";

/** Never answered through a door, and why. */
const unreachable: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  REST: {
    sessionMoved: "a REST session has no home that it could move from",
    unimplemented: "each route that stands in the table is served",
    internal: "a fault of our own: that it was never answered is what the other tests watch",
  },
  gRPC: {
    unimplemented: "each method of the contract is served; to others grpc-js itself answers, with no details",
    internal: "a fault of our own: that it was never answered is what the other tests watch",
    ...Object.fromEntries(Object.keys(httpErrors).map((code) => [code, "what HTTP alone has"])),
  },
};

let ensemble: Ensemble;
let grpcPorts: Map<string, number>;
/** How the first gateway reaches each replica. */
let links: readonly TestProxy[] = [];
let slowHeaders: Promise<Exchanged>;
/** Of the first gateway. */
let doors: readonly Door[] = [];
const opened: Door[] = [];
const reached = new Map<string, string>();

function doorsOf(process: Process): readonly Door[] {
  const both = [new RestDoor(process.base), new GrpcDoor(grpcPorts.get(process.name) ?? 0)];
  opened.push(...both);
  return both;
}

before(async () => {
  const peerPorts = await freePorts(3);
  links = await Promise.all(peerPorts.map((port) => TestProxy.start(port)));
  const names = ["replica 1", "replica 2", "replica 3", "gateway 1", "gateway 2"];
  const ports = await freePorts(names.length);
  grpcPorts = new Map(names.map((name, i) => [name, ports[i] ?? 0]));
  const addressOf = (from: string, to: number): string | undefined =>
    from === "gateway 1" ? links[to - 1]?.address : undefined;
  const environmentOf = (name: string) => ({ QUORATE_GRPC_PORT: String(grpcPorts.get(name)) });
  ensemble = await Ensemble.start({ gateways: 2, peerPorts, addressOf, environmentOf });
  doors = doorsOf(ensemble.gateway);
  slowHeaders = talk(ensemble.gateway.restPort, "GET /v1/znodes/ HTTP/1.1\r\nHost:", { patienceMillis: 60_000 });
});
after(async () => {
  for (const each of opened) each.close();
  await ensemble?.stop();
  await Promise.all(links.map((each) => each.stop()));
});

const options = { superUser: `${superUser.user}:${superUser.password}` };

async function runTable(process: Process): Promise<void> {
  const failing = await runCases(process.base, cases, options);
  assert.deepEqual(
    failing.map(({ name, fault }) => `${name}: ${fault.message}`),
    [],
  );
  for (const { steps } of cases)
    for (const { code } of steps) if (code !== undefined) reached.set(`REST ${code}`, `the table, ${process.name}`);
}

async function runDoors(process: Process): Promise<void> {
  const failing: string[] = [];
  const stream = new GrpcDoor(grpcPorts.get(process.name) ?? 0, true);
  opened.push(stream);
  const run = async (door: Door): Promise<void> => {
    for (const [index, each] of casesFor(door.name).entries()) {
      const at = `/${process.name.replace(" ", "-")}-${door.name}-${index}`;
      await runDoorCase(door, each, at, options.superUser).catch((fault: Error) => {
        failing.push(`${door.name}, ${each.name}: ${fault.message}`);
      });
      if (each.fails !== undefined) reached.set(`${door.name} ${each.fails}`, `the table, ${process.name}`);
    }
  };
  await Promise.all([...doorsOf(process), stream].map(run));
  assert.deepEqual(failing, []);
}

async function done(door: Door, request: Request, terms: Terms = {}): Promise<Good> {
  const answer = await door.ask({ ...request, terms } as Asked);
  if (!answer.ok) assert.fail(`${door.name}, ${request.op}: ${answer.code}: ${answer.detail}`);
  return answer;
}

/** Asks what must fail, and notes which row it reached. */
async function fails(door: Door, code: string, request: Request, terms: Terms = {}): Promise<void> {
  const answer = await door.ask({ ...request, terms } as Asked);
  if (answer.ok) assert.fail(`${door.name}, ${request.op}: it succeeded`);
  assert.equal(answer.code, code, `${door.name}: ${answer.detail}`);
  const unknown = code === "timeout" || code === "connectionLoss";
  assert.equal(answer.certainty, unknown ? "unknown" : "noEffect", `${door.name}: ${code}`);
  reached.set(`${door.name} ${code}`, "a scene");
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
  const [rest] = doors;
  assert.ok(rest);
  await until(async () => (await rest.ask({ op: "put", path: "/after", terms: {} })).ok, 30_000, "writes go on");
}

describe("the table of requests that HTTP alone can make", () => {
  it("through a gateway", () => runTable(ensemble.gateway));
  it("through a follower's own door", async () => runTable(await aFollower()));
});

describe("the table of requests that every door can make", () => {
  it("through a gateway", () => runDoors(ensemble.gateway));
  it("through a follower's own doors", async () => runDoors(await aFollower()));
});

describe("rows that no healthy request meets", () => {
  it("quotaExceeded: one ephemeral more than a session may own", async () => {
    const [first] = doors;
    assert.ok(first);
    const { id = "", secret = "" } = await done(first, { op: "createSession" });
    const terms = { session: { id, secret } };
    await done(first, { op: "put", path: "/quota" });
    for (let i = 0; i < limits.sessionEphemerals; i += limits.txnOperations) {
      const then = Array.from(
        { length: limits.txnOperations },
        (_, k) => ({ op: "create", path: `/quota/${i + k}`, kind: "ephemeral" }) as const,
      );
      await done(first, { op: "txn", then }, terms);
    }
    for (const door of doors) {
      await fails(door, "quotaExceeded", { op: "put", path: "/quota/more", kind: "ephemeral" }, terms);
    }
    await done(first, { op: "closeSession" }, terms);
  });

  it("pageTooOld, cursorTooOld: the changes since then are forgotten", async () => {
    const [first] = doors;
    assert.ok(first);
    const paths = ["/pages", "/pages/a", "/pages/b"];
    await done(first, { op: "txn", then: paths.map((path) => ({ op: "create", path }) as const) });
    const pages = new Map<Door, Good>();
    const marks = new Map<Door, Good>();
    for (const door of doors) {
      pages.set(door, await done(door, { op: "children", path: "/pages", limit: 1 }));
      marks.set(door, await done(door, { op: "watch", nodes: ["/pages"] }));
    }
    await done(first, { op: "put", path: "/pages/c" });
    // Changes cost their path's length in the ring of 32 MiB: long paths, made and deleted as a whole.
    const deep = `/${"d".repeat(3900)}`;
    const then = Array.from({ length: 250 }, (_, i) => ({ op: "create", path: `${deep}/${i}` }) as const);
    for (let round = 0; round < 18; round++) {
      await done(first, { op: "put", path: deep });
      await done(first, { op: "txn", then });
      await done(first, { op: "delete", path: deep, recursive: true });
    }
    for (const door of doors) {
      await fails(door, "pageTooOld", { op: "children", path: "/pages", token: pages.get(door)?.token ?? "" });
      await fails(door, "cursorTooOld", { op: "watch", nodes: ["/pages"], after: marks.get(door)?.cursor ?? "" });
    }
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
      reached.set(`REST ${code}`, "a raw socket");
    }
  });

  it("timeout: a write that left the gateway, and no quorum; then noLeader; throttled when too many wait", async () => {
    const { restPort, base } = ensemble.gateway;
    const second = ensemble.gateways[1];
    assert.ok(second);
    const others = doorsOf(second);
    await timeoutAtEach();
    await withoutFollowers(async () => {
      await until(
        async () => !(await fetch(`${base}/readyz?require=leader`)).ok,
        15_000,
        "the leader has stepped down",
      );
      for (const door of others) await fails(door, "noLeader", { op: "put", path: "/none" }, { timeoutMillis: 2000 });
      const waiting = (more = ""): string =>
        `GET /v1/znodes/ HTTP/1.1\r\nHost: x\r\n${more}Quorate-Timeout: 4s\r\n\r\n`;
      const hundred = waiting().repeat(99) + waiting("Connection: close\r\n");
      const crowd = await Promise.all(
        Array.from({ length: 90 }, () => talk(restPort, hundred, { patienceMillis: 60_000 })),
      );
      const statuses = crowd.flatMap(({ text }) => [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((each) => each[1]));
      const count = (status: string): number => statuses.filter((each) => each === status).length;
      assert.deepEqual([statuses.length, count("503") + count("429")], [9000, 9000]);
      assert.ok(count("429") > 0, "nobody was throttled");
      assert.ok(crowd.some(({ text }) => text.includes('"code":"throttled"') && /retry-after: \d/i.test(text)));
      reached.set("REST throttled", "a scene");
      await throttledByGrpc();
    });
  });

  it("connectionLoss: the connection to the leader breaks with a hand-over that was done and not answered", async () => {
    for (const door of doors) await handOverUnanswered(door);
  });

  it("sessionMoved: a session is opened on another stream", async () => {
    const [first] = doors;
    assert.ok(first);
    const { id = "", secret = "" } = await done(first, { op: "createSession" });
    const caller = new Caller(grpcPorts.get("gateway 1") ?? 0);
    try {
      const streams = [caller.session(), caller.session()];
      for (const each of streams) {
        each.send({ open: { sessionId: Number(id), secret } });
        assert.ok((await each.next()).opened);
      }
      assert.equal((await streams[0]?.over())?.reason, "SESSION_MOVED");
      reached.set("gRPC sessionMoved", "a scene");
    } finally {
      caller.close();
    }
    await done(first, { op: "closeSession" }, { session: { id, secret } });
  });

  for (const name of ["REST", "gRPC"]) {
    it(`each row was reached through ${name}, or is named`, (t) => {
      const all = [...Object.keys(errors), ...Object.keys(httpErrors)];
      const named = Object.keys(unreachable[name] ?? {});
      const missing = all.filter((code) => !reached.has(`${name} ${code}`) && !named.includes(code));
      assert.deepEqual(missing, [], "rows that nothing reached");
      assert.deepEqual(
        named.filter((code) => reached.has(`${name} ${code}`)),
        [],
        "reached after all",
      );
      t.diagnostic(`${all.length - named.length} of ${all.length} rows reached; not: ${named.join(", ")}`);
    });
  }
});

/** Where a machine stands still the leader may have stepped down before the write comes, or the client's clock be first. */
async function timeoutAtEach(): Promise<void> {
  for (let tries = 1; doors.some((door) => !reached.has(`${door.name} timeout`)); tries++) {
    await withoutFollowers(async () => {
      const write = async (door: Door): Promise<void> => {
        const answer = await door
          .ask({ op: "put", path: "/late", terms: { timeoutMillis: 400 } })
          .catch((fault: Error) => {
            if (tries < 5 && fault.message.includes("Deadline exceeded")) return undefined;
            throw fault;
          });
        if (answer === undefined || (!answer.ok && answer.code === "noLeader" && tries < 5)) return;
        assert.deepEqual(answer.ok || [answer.code, answer.certainty], ["timeout", "unknown"], door.name);
        reached.set(`${door.name} timeout`, "a scene");
      };
      await Promise.all(doors.map(write));
    });
  }
}

/** More calls than the door takes at a time wait for a leader; all are let go when one has been refused for it. */
async function throttledByGrpc(): Promise<void> {
  const caller = new Caller(grpcPorts.get("gateway 1") ?? 0);
  const all = new AbortController();
  setMaxListeners(0, all.signal);
  const reasons = new Set<string>();
  const crowd = Array.from({ length: 8300 }, async () => {
    const error = await failureOf(caller.call("Sync", {}, { signal: all.signal }));
    if (!all.signal.aborted) reasons.add(error.reason);
  });
  try {
    await until(() => reasons.has("THROTTLED"), 30_000, "somebody is throttled");
    reached.set("gRPC throttled", "a scene");
  } finally {
    all.abort();
    await Promise.allSettled(crowd);
    caller.close();
  }
  const others = [...reasons].filter((each) => each !== "THROTTLED" && each !== "NO_LEADER");
  assert.deepEqual(others, []);
}

async function handOverUnanswered(door: Door): Promise<void> {
  // Who lags behind is handed nothing over.
  await ensemble.settled();
  const { base } = ensemble.gateway;
  const leader = await ensemble.leader();
  const home = async (): Promise<string> => await (await fetch(`${base}/readyz?verbose`)).text();
  await until(async () => (await home()).includes(`through replica ${leader}`), 10_000, "the gateway is at home");
  const link = links[leader - 1];
  assert.ok(link);
  link.freeze("back");
  const answered = fails(
    door,
    "connectionLoss",
    { op: "handOver", to: (leader % 3) + 1 },
    { as: options.superUser, timeoutMillis: 30_000 },
  );
  // Judged below; what fails meanwhile must not leave it unheard.
  answered.catch(() => {});
  // Somebody else leads: so the request has arrived. Only then the connection breaks, the answer in it.
  await until(
    async () => (await statusOf(ensemble.replica(leader))).role !== "leading",
    15_000,
    "the leader has handed over",
  );
  link.break();
  await answered;
  link.heal();
  await ensemble.ready();
  await done(door, { op: "put", path: "/found" });
}
