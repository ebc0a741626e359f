/** What a call does when tries fail: what is repeated, what is not, and what the error says of all of them. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { type TestContext, test } from "node:test";
import { textOf } from "../calls.ts";
import type { ClientOptions } from "../quorate.ts";
import { QuorateError } from "../quorate-error.ts";
import { RestClient } from "./rest-client.ts";
import {
  answer,
  cut,
  found,
  problem,
  ScriptedGateway,
  silent,
  someStat,
  type Turn,
  written,
} from "./scripted-gateway.test-support.ts";

async function scripted(
  t: TestContext,
  turns: readonly Turn[],
  options: Partial<ClientOptions> = {},
): Promise<{ gateway: ScriptedGateway; client: RestClient }> {
  const gateway = await ScriptedGateway.start(...turns);
  const client = new RestClient({ timeoutMillis: 5000, ...options, endpoints: [gateway.base] });
  t.after(async () => {
    await client.close();
    await gateway.stop();
  });
  return { gateway, client };
}

async function failureOf(call: Promise<unknown>): Promise<QuorateError> {
  try {
    await call;
  } catch (error) {
    assert.ok(error instanceof QuorateError, String(error));
    return error;
  }
  return assert.fail("it did not fail");
}

/** A port on which nobody listens. */
async function deadPort(): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}`;
}

test("what passes and had no effect is tried again, under the same key", async (t) => {
  const passing = [problem(503, "noLeader"), problem(503, "behind"), problem(429, "throttled")];
  const { gateway, client } = await scripted(t, [...passing, written]);
  const { stat, created } = await client.put("/a", "hi");
  assert.deepEqual(stat, someStat);
  assert.equal(created, false);
  assert.equal(gateway.requests.length, 4);
  assert.equal(new Set(gateway.keys).size, 1);
  assert.match(String(gateway.keys[0]), /^[0-9a-f-]{36}$/);
});

test("what may have had an effect is tried again: a read, and a write with its key", async (t) => {
  const unknown = [problem(502, "connectionLoss"), problem(504, "timeout"), cut, answer(502, "<html>")];
  for (const last of [found, written]) {
    const { gateway, client } = await scripted(t, [...unknown, last]);
    await (last === found ? client.get("/a") : client.put("/a", "x"));
    assert.equal(gateway.requests.length, 5);
    assert.equal(new Set(gateway.keys).size, 1);
    assert.equal(gateway.keys[0] === undefined, last === found);
  }
});

test("a write without a key is not repeated when it may have been done", async (t) => {
  for (const turn of [problem(502, "connectionLoss"), problem(504, "timeout"), cut, answer(502, "<html>")]) {
    const { gateway, client } = await scripted(t, [turn, written]);
    const failure = await failureOf(client.put("/a", "x", { idempotencyKey: false }));
    assert.equal(failure.certainty, "unknown");
    assert.equal(gateway.requests.length, 1);
    assert.equal(gateway.keys[0], undefined);
  }
});

test("a write without a key is repeated when it certainly was not done", async (t) => {
  const { gateway, client } = await scripted(t, [problem(503, "noLeader"), written]);
  await client.put("/a", "x", { idempotencyKey: false });
  assert.equal(gateway.requests.length, 2);
});

test("an answer is an answer: it is not asked for again", async (t) => {
  const answers: readonly (readonly [number, string])[] = [
    [400, "badArguments"],
    [401, "authFailed"],
    [403, "noAuth"],
    [404, "noNode"],
    [409, "noParent"],
    [410, "sessionExpired"],
    [412, "badVersion"],
    [413, "tooLarge"],
    [422, "keyReused"],
    [500, "internal"],
    [501, "unimplemented"],
  ];
  for (const [status, code] of answers) {
    const { gateway, client } = await scripted(t, [problem(status, code, { path: "/a", zxid: "0x7" }), written]);
    const failure = await failureOf(client.put("/a", "x"));
    assert.deepEqual([failure.code, failure.status, failure.path], [code, status, "/a"]);
    assert.equal(failure.certainty, status === 500 ? "unknown" : "noEffect");
    assert.equal(failure.detail, "it is so");
    assert.equal(gateway.requests.length, 1);
  }
});

test("certainty is that of all tries", async (t) => {
  // The key is known to the state: its 412 speaks for the lost try, too. The session's end does not.
  const cases: readonly (readonly [Turn, string])[] = [
    [problem(412, "badVersion"), "noEffect"],
    [problem(410, "sessionExpired"), "unknown"],
    [problem(403, "quotaExceeded"), "unknown"],
  ];
  for (const [last, certainty] of cases) {
    const { client } = await scripted(t, [cut, last]);
    assert.equal((await failureOf(client.put("/a", "x"))).certainty, certainty);
  }
  // Nobody waits for so long: the error is that of the last try.
  const tomorrow = problem(503, "noLeader", {}, { "Retry-After": "86400" });
  const { client } = await scripted(t, [cut, tomorrow]);
  const late = await failureOf(client.put("/a", "x"));
  assert.deepEqual([late.code, late.certainty], ["noLeader", "unknown"]);
  const { client: other } = await scripted(t, [tomorrow]);
  const refused = await failureOf(other.put("/a", "x"));
  assert.deepEqual([refused.code, refused.certainty], ["noLeader", "noEffect"]);
});

test("a gateway that nobody is behind had no effect, and the next is asked", async (t) => {
  const gateway = await ScriptedGateway.start(written);
  t.after(() => gateway.stop());
  for (let turn = 0; turn < 4; turn++) {
    const client = new RestClient({ endpoints: [await deadPort(), gateway.base] });
    await client.put("/a", "x", { idempotencyKey: false });
  }
  assert.equal(gateway.requests.length, 4);
  const alone = new RestClient({ endpoints: [await deadPort()], timeoutMillis: 1000 });
  const failure = await failureOf(alone.put("/a", "x", { idempotencyKey: false }));
  assert.deepEqual([failure.code, failure.certainty], ["connectionLoss", "noEffect"]);
});

test("a gateway that says nothing loses its turn", async (t) => {
  const frozen = await ScriptedGateway.start(silent);
  const gateway = await ScriptedGateway.start(found);
  t.after(() => Promise.all([frozen.stop(), gateway.stop()]));
  for (let turn = 0; frozen.requests.length === 0; turn++) {
    assert.ok(turn < 64, "chance never chose the frozen one first");
    const client = new RestClient({ endpoints: [frozen.base, gateway.base], timeoutMillis: 6000 });
    assert.equal(textOf((await client.get("/a")).data), "hi");
    const { at = 0 } = frozen.requests[0] ?? {};
    if (at > 0) assert.ok((gateway.requests.at(-1)?.at ?? 0) - at >= 1900, "it had its time");
  }
});

test("retryAfter is kept to", async (t) => {
  const { gateway, client } = await scripted(t, [problem(429, "throttled", {}, { "Retry-After": "1" }), found]);
  await client.get("/a");
  const [first, second] = gateway.requests;
  assert.ok((second?.at ?? 0) - (first?.at ?? 0) >= 990);
  const failure = await failureOf(
    (await scripted(t, [problem(429, "throttled", {}, { "Retry-After": "9" })])).client.get("/a", {
      timeoutMillis: 2000,
    }),
  );
  assert.deepEqual([failure.code, failure.retryAfterMillis], ["throttled", 9000]);
});

test("a signal ends a call with its reason, also between tries", async (t) => {
  const { client } = await scripted(t, [silent]);
  const reason = new Error("enough");
  await assert.rejects(client.get("/a", { signal: AbortSignal.abort(reason) }), reason);
  const during = new AbortController();
  const call = client.get("/a", { signal: during.signal });
  setTimeout(() => during.abort(reason), 30);
  await assert.rejects(call, reason);
  const { client: waiting } = await scripted(t, [problem(503, "noLeader", {}, { "Retry-After": "3" })]);
  const between = new AbortController();
  setTimeout(() => between.abort(reason), 100);
  await assert.rejects(waiting.put("/a", "x", { signal: between.signal }), reason);
});

test("the gateway is told how long it may take", async (t) => {
  const { gateway, client } = await scripted(t, [found]);
  await client.get("/a", { timeoutMillis: 900 });
  const [millis = ""] = [gateway.requests[0]?.headers["quorate-timeout"]].flat();
  assert.match(millis, /^\d+ms$/);
  assert.ok(Number.parseInt(millis, 10) <= 900);
  await assert.rejects(client.get("/a", { timeoutMillis: 0 }), /badArguments: timeoutMillis/);
});

test("a session read is not older than what the client has seen, also in a failure", async (t) => {
  const newer = { "Quorate-Zxid": "0x0000000200000001" };
  const { gateway, client } = await scripted(t, [written, problem(412, "badVersion", {}, newer), found], {
    consistency: "session",
  });
  await client.put("/a", "x");
  assert.equal(client.seen, "0x0000000100000005");
  await failureOf(client.put("/a", "x", { mzxid: "0x1" }));
  await client.get("/a");
  await client.get("/a", { minZxid: "0x0000000300000001" });
  await client.get("/a", { consistency: "linearizable" });
  const [, , one, two, three] = gateway.requests.map(({ headers }) => [
    headers["quorate-consistency"],
    headers["quorate-min-zxid"],
  ]);
  assert.deepEqual(one, ["session", newer["Quorate-Zxid"]]);
  assert.deepEqual(two, ["session", "0x0000000300000001"]);
  assert.deepEqual(three, [undefined, undefined]);
});

test("requests are as the document has them", async (t) => {
  const { gateway, client } = await scripted(t, [written], { credentials: { user: "al", password: "ü" } });
  const shape = { ttlMillis: 1500, parents: true, acl: [{ scheme: "auth", id: "", perms: "rw" }] };
  await client.put("/a b/ü", new Uint8Array([1]), { ...shape, mzxid: "0x9" });
  await client.create("/q/item-", "x", { sequential: true, ephemeral: true });
  await client.create("/q", "x", { container: true });
  await client.put("/r", "x", { exists: true });
  await client.setAcl("/", shape.acl, { version: 3 });
  const shown = gateway.requests.map(({ method, target, headers }) => [
    method,
    target,
    headers["if-match"] ?? headers["if-none-match"],
  ]);
  assert.deepEqual(shown, [
    ["PUT", "/v1/znodes/a%20b/%C3%BC?ttl=1500ms&acl=auth%3A%3Arw&parents=true", '"0x9"'],
    ["POST", "/v1/znodes/q?ephemeral=true&prefix=item-", undefined],
    ["PUT", "/v1/znodes/q?container=true", "*"],
    ["PUT", "/v1/znodes/r", "*"],
    ["PUT", "/v1/acl/", undefined],
  ]);
  assert.equal(gateway.requests[0]?.headers.authorization, `Basic ${Buffer.from("al:ü").toString("base64")}`);
  assert.deepEqual(JSON.parse(gateway.requests[4]?.body ?? ""), { acl: shape.acl, version: 3 });
});

test("a path that fetch would make another of never leaves", async (t) => {
  const { gateway, client } = await scripted(t, [written]);
  for (const path of ["/a/../b", "/./a", "/..", "/a/", "a", "", "/a//b", "/\ud800"]) {
    await assert.rejects(client.put(path, "x"), { code: "badArguments", certainty: "noEffect" }, path);
  }
  assert.equal(gateway.requests.length, 0);
});

test("a txn and its answer have bytes where JSON has text", async (t) => {
  const results = [
    { path: "/a", created: true, stat: someStat },
    { path: "/b", data: "AAE=", encoding: "base64", stat: someStat },
  ];
  const { gateway, client } = await scripted(t, [answer(200, { branch: "then", zxid: "0x5", results })]);
  const { branch, results: got } = await client.txn({
    check: [{ path: "/l", owner: "self" }],
    then: [
      { op: "put", path: "/a", data: new Uint8Array([0, 255]), ttlMillis: 5 },
      { op: "get", path: "/b" },
    ],
  });
  assert.equal(branch, "then");
  assert.deepEqual(got, [results[0], { path: "/b", data: new Uint8Array([0, 1]), stat: someStat }]);
  assert.deepEqual(JSON.parse(gateway.requests[0]?.body ?? ""), {
    check: [{ path: "/l", owner: "self" }],
    then: [
      { op: "put", path: "/a", data: { base64: "AP8=" }, ttl: "5ms" },
      { op: "get", path: "/b" },
    ],
  });
  assert.ok(gateway.keys[0] !== undefined);
  await client.txn({ then: [{ op: "get", path: "/b" }] });
  assert.equal(gateway.keys[1], undefined, "a txn of reads is a read");
});

test("children go on through the pages", async (t) => {
  const page = (names: readonly string[], more?: string): Turn =>
    answer(200, { zxid: "0x4", children: names.map((name) => ({ name })), continue: more });
  const { gateway, client } = await scripted(t, [page(["a", "b"], "next"), cut, page(["c"])]);
  const listing = client.children("/x", { limit: 2 });
  assert.deepEqual(await Array.fromAsync(listing, ({ name }) => name), ["a", "b", "c"]);
  assert.equal(listing.zxid, "0x4");
  assert.deepEqual(
    gateway.requests.map(({ target }) => target),
    ["/v1/children/x?limit=2", "/v1/children/x?limit=2&continue=next", "/v1/children/x?limit=2&continue=next"],
  );
});

test("a tree that is cut off is not taken for a whole one", async (t) => {
  const node = JSON.stringify({ path: "/x", data: "hi", encoding: "utf-8", stat: someStat });
  const whole = answer(200, `{"zxid":"0x9"}\n${node}\n{"end":true,"count":1}\n`);
  const { gateway, client } = await scripted(t, [
    problem(503, "noLeader"),
    whole,
    answer(200, `{"zxid":"0x9"}\n${node}\n`),
  ]);
  const tree = client.tree("/x", { depth: 2, data: true });
  assert.deepEqual(await Array.fromAsync(tree, ({ path, data }) => [path, textOf(data)]), [["/x", "hi"]]);
  assert.equal(tree.zxid, "0x9");
  assert.equal(gateway.requests[1]?.target, "/v1/tree/x?depth=2&data=true");
  assert.equal((await failureOf(Array.fromAsync(client.tree("/x")))).code, "connectionLoss");
});

test("an absent znode is undefined to exists, and an error to get", async (t) => {
  const { client } = await scripted(t, [problem(404, "noNode")]);
  assert.equal(await client.exists("/a"), undefined);
  assert.equal((await failureOf(client.get("/a"))).code, "noNode");
  assert.equal(
    (
      await failureOf(
        new RestClient({
          endpoints: [(await scripted(t, [answer(404, "nginx")])).gateway.base],
        }).exists("/a"),
      )
    ).code,
    "internal",
  );
});

test("a tree is asked for again when nothing comes, but no longer than its time", async (t) => {
  const lines = '{"zxid":"0x9"}\n{"end":true,"count":0}\n';
  const { client } = await scripted(t, [silent, answer(200, lines), silent], { timeoutMillis: 6000 });
  assert.deepEqual(await Array.fromAsync(client.tree("/x")), []);
  assert.equal((await failureOf(Array.fromAsync(client.tree("/x", { timeoutMillis: 600 })))).code, "timeout");
});

test("a tree that stands still in its midst is given up in its time, however slowly it is read", async (t) => {
  const node = JSON.stringify({ path: "/x", data: "hi", encoding: "utf-8", stat: someStat });
  const { client } = await scripted(t, [
    (response) => {
      response.writeHead(200, { "Quorate-Zxid": "0x0000000100000005", "Quorate-Served-By": "1" });
      response.write(`{"zxid":"0x9"}\n${node}\n${node}\n`);
    },
  ]);
  const read: string[] = [];
  const whole = (async () => {
    for await (const { path } of client.tree("/x", { timeoutMillis: 300 })) {
      read.push(path);
      await new Promise((resolve) => setTimeout(resolve, 400));
    }
  })();
  assert.equal((await failureOf(whole)).code, "timeout");
  assert.equal(read.length, 2);
});
