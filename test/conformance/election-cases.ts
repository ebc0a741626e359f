/** Elections over HTTP: stood for, proclaimed, looked at, resigned; and each way in which the request is wrong. */
import assert from "node:assert/strict";
import { keepToken, of, open } from "./lock-cases.ts";
import type { Case, Step } from "./runner.ts";
import { etag, put } from "./steps.ts";

const path = "/v1/elections@/x";

function stand(session: string, value: string | Buffer, more: Partial<Step> = {}): Step {
  return { method: "POST", path, headers: of(session), body: value, status: 200, ...more };
}
function proclaim(session: string, value: string | Buffer, more: Partial<Step> = {}): Step {
  return { method: "PUT", path, headers: of(session), body: value, status: 200, ...more };
}
function look(status: number, more: Partial<Step> = {}): Step {
  return { method: "GET", path, status, ...more };
}
function resign(session: string, status: number, more: Partial<Step> = {}): Step {
  return { method: "DELETE", path, headers: of(session), status, ...more };
}

function wrong(name: string, says: string, step: Partial<Step>): Case {
  return {
    name: `election: ${name}`,
    steps: [open("a"), stand("a", "", { status: 400, code: "badArguments", says, ...step })],
  };
}

const life: readonly Case[] = [
  {
    name: "election: stood for, looked at, proclaimed, resigned",
    steps: [
      open("a"),
      open("b"),
      stand("a", "ann", {
        ...keepToken("token"),
        check: ({ json: b }, { at, values }) => {
          const { token, zxid, znode, session, ...rest } = b;
          assert.deepEqual(rest, { name: `${at.slice(1)}/x`, leader: true, layout: "curator", ahead: 0 });
          assert.deepEqual(session, { id: values.get("aId"), timeout: "30s" });
          assert.match(znode, /\/x\/_c_[0-9a-f-]{36}-latch-\d{10}$/);
          assert.ok(token <= zxid);
        },
      }),
      stand("b", "bob", {
        status: 202,
        check: ({ json: b }) => assert.deepEqual([b.leader, b.ahead, b.token], [false, 1, undefined]),
      }),
      look(200, {
        keep: etag,
        answers: { "Quorate-Consistency": "linearizable", Vary: "Accept" },
        check: ({ json: b, headers }, { at, values }) => {
          const { leader, zxid, ...rest } = b;
          assert.deepEqual(rest, { name: `${at.slice(1)}/x`, layout: "curator", candidates: 1 });
          const { since, znode, ...who } = leader;
          const token = values.get("token");
          assert.deepEqual(who, { value: "ann", encoding: "utf-8", token, session: values.get("aId") });
          assert.match(since, /^\d{4}-.*Z$/);
          assert.ok(znode && zxid);
          assert.equal(headers["etag"], `"${token}-${token}"`);
        },
      }),
      look(304, { headers: { "If-None-Match": "{tag}" } }),
      { ...look(304, { headers: { "If-None-Match": "{tag}" } }), path: `${path}?wait=10ms` },
      { ...look(304, { headers: { "If-None-Match": "{tag}", ...of("b") } }), path: `${path}?wait=10ms` },
      proclaim("a", "anna", {
        check: ({ json: b }, { values }) => assert.deepEqual([b.leader, b.token], [true, values.get("token")]),
      }),
      {
        ...look(200, { headers: { "If-None-Match": "{tag}" } }),
        path: `${path}?wait=1m`,
        check: ({ json: b }) => assert.equal(b.leader.value, "anna"),
      },
      {
        ...look(200),
        path: `${path}?encoding=base64`,
        check: ({ json: b }) => assert.deepEqual([b.leader.value, b.leader.encoding], ["YW5uYQ==", "base64"]),
      },
      proclaim("b", "bobby", { status: 412, code: "fenced" }),
      resign("a", 200),
      look(200, {
        check: ({ json: b }, { values }) => {
          assert.deepEqual([b.leader.value, b.candidates], ["bob", 0]);
          assert.ok(b.leader.token > (values.get("token") ?? ""));
        },
      }),
      resign("b", 200),
      resign("b", 404, { code: "noNode" }),
      look(200, { keep: etag, check: ({ json: b }) => assert.deepEqual([b.leader, b.candidates], [null, 0]) }),
      look(304, { headers: { "If-None-Match": "{tag}" } }),
    ],
  },
  {
    name: "election: bytes that are no text, and none",
    steps: [
      open("a"),
      stand("a", Buffer.from([0xff, 0])),
      look(200, { check: ({ json: b }) => assert.deepEqual([b.leader.value, b.leader.encoding], ["/wA=", "base64"]) }),
      proclaim("a", ""),
      look(200, { check: ({ json: b }) => assert.deepEqual([b.leader.value, b.leader.encoding], ["", "utf-8"]) }),
    ],
  },
  {
    name: "election: without a session one is opened",
    steps: [
      stand("", "me", {
        headers: {},
        keep: { own: (s) => `${s.json.session.id}:${s.json.session.secret}`, id: (s) => s.json.session.id },
        check: ({ json: b }) => assert.match(b.session.secret, /^[0-9a-f]{32}$/),
      }),
      resign("own", 200),
      { method: "POST", path: "/v1/sessions/{id}/renew", headers: of("own"), status: 410, code: "sessionExpired" },
    ],
  },
  {
    name: "election: a token renews, and is not made anew",
    steps: [
      open("a"),
      stand("a", "", keepToken("token")),
      { ...stand("a", ""), path: `${path}?token={token}` },
      resign("a", 200),
      { ...stand("a", "", { status: 412, code: "fenced" }), path: `${path}?token={token}&wait=1m` },
    ],
  },
  {
    name: "election: a resignation that comes late gives up no other place than its token's",
    steps: [
      open("a"),
      stand("a", "", keepToken("first")),
      resign("a", 200, { path: `${path}?token={first}` }),
      resign("a", 412, { path: `${path}?token={first}`, code: "fenced" }),
      stand("a", "", keepToken("second")),
      resign("a", 412, { path: `${path}?token={first}`, code: "fenced", says: "nothing was done" }),
      resign("a", 400, { path: `${path}?token=0x0`, code: "badArguments", says: "zero" }),
      resign("a", 200, { path: `${path}?token={second}` }),
    ],
  },
  {
    name: "election: under a key",
    steps: [
      open("a"),
      stand("a", "v", { headers: { ...of("a"), "Idempotency-Key": "k@" } }),
      stand("a", "v", { headers: { ...of("a"), "Idempotency-Key": "k@" } }),
      proclaim("a", "w", { headers: { ...of("a"), "Idempotency-Key": "p@" } }),
      proclaim("a", "w", { headers: { ...of("a"), "Idempotency-Key": "p@" } }),
      proclaim("a", "z", { headers: { ...of("a"), "Idempotency-Key": "p@" }, status: 422, code: "keyReused" }),
      open("b"),
      {
        ...stand("b", "z", { headers: { ...of("b"), "Idempotency-Key": "k@" }, status: 422, code: "keyReused" }),
        path: "/v1/elections@/y",
      },
    ],
  },
];

const faults: readonly Case[] = [
  wrong("a mode", "mode", { path: `${path}?mode=read` }),
  wrong("a layout that there is not", "layout", { path: `${path}?layout=etcd` }),
  wrong("a wait without a unit", "unit", { path: `${path}?wait=30` }),
  wrong("a token without its session", "Quorate-Session", { path: `${path}?token=0x1`, headers: {} }),
  wrong("a key without a session", "Idempotency-Key", { headers: { "Idempotency-Key": "k" } }),
  wrong("the root", "root", { path: "/v1/elections/" }),
  {
    name: "election: too large a value, or an encoded one",
    steps: [
      open("a"),
      stand("a", Buffer.alloc(65_537), { status: 413, code: "tooLarge", says: "65536" }),
      stand("a", Buffer.alloc(65_536)),
      proclaim("a", Buffer.alloc(65_537), { status: 413, code: "tooLarge", says: "65536" }),
      stand("a", "x", {
        headers: { ...of("a"), "Content-Encoding": "gzip" },
        status: 415,
        code: "unsupportedMediaType",
      }),
      proclaim("a", "x", {
        headers: { ...of("a"), "Content-Encoding": "gzip" },
        status: 415,
        code: "unsupportedMediaType",
      }),
    ],
  },
  {
    name: "election: no place for it",
    steps: [
      put("@/data", "something else"),
      { ...stand("", "", { headers: {}, status: 409, code: "nodeExists" }), path: "/v1/elections@/data" },
      { ...look(409, { code: "nodeExists" }), path: "/v1/elections@/data" },
      open("a"),
      { ...proclaim("a", "", { status: 412, code: "fenced" }), path: "/v1/elections@/data" },
      { method: "POST", path: "/v1/locks@/l", headers: of("a"), status: 200 },
      { ...stand("a", "", { status: 409, code: "nodeExists", says: "lock" }), path: "/v1/elections@/l" },
    ],
  },
  {
    name: "election: nobody's",
    steps: [
      look(404, { code: "noNode" }),
      { ...look(404, { code: "noNode", headers: { "If-None-Match": '"x"' } }), path: `${path}?wait=1m` },
      look(404, { code: "noNode", headers: { Accept: "text/event-stream" } }),
      open("a"),
      resign("a", 404, { code: "noNode" }),
      proclaim("a", "", { status: 412, code: "fenced" }),
      { method: "DELETE", path, status: 401, code: "authFailed", says: "Quorate-Session" },
      { method: "PUT", path, status: 401, code: "authFailed", says: "Quorate-Session" },
    ],
  },
  {
    name: "election: a session that is over, or whose secret is wrong",
    steps: [
      open("a"),
      open("b"),
      stand("b", ""),
      look(200, { keep: etag }),
      stand("a", "", { headers: { "Quorate-Session": `{aId}:${"0".repeat(32)}` }, status: 401, code: "authFailed" }),
      { method: "DELETE", path: "/v1/sessions/{aId}", headers: of("a"), status: 200 },
      stand("a", "", { status: 410, code: "sessionExpired" }),
      proclaim("a", "", { status: 410, code: "sessionExpired" }),
      resign("a", 410, { code: "sessionExpired" }),
      {
        ...look(410, { headers: { ...of("a"), "If-None-Match": "{tag}" }, code: "sessionExpired" }),
        path: `${path}?wait=1m`,
      },
    ],
  },
  {
    name: "election: not for everybody",
    steps: [
      { ...stand("", "", { headers: {}, as: "ann:1" }), path: `${path}?acl=auth::cdrwa` },
      look(403, { code: "noAuth" }),
      look(200, { as: "ann:1" }),
      stand("", "", { headers: {}, status: 403, code: "noAuth" }),
    ],
  },
  {
    name: "election: looked at wrongly",
    steps: [
      { ...look(400, { code: "badArguments", says: "If-None-Match" }), path: `${path}?wait=1s` },
      look(400, { code: "badArguments", says: "ETag", headers: { "If-None-Match": "x" } }),
      {
        ...look(400, { code: "badArguments", says: "stream", headers: { Accept: "text/event-stream" } }),
        path: `${path}?wait=1s`,
      },
      look(400, {
        code: "badArguments",
        says: "stream",
        headers: { Accept: "application/x-ndjson", "If-None-Match": '"x"' },
      }),
      look(400, { code: "badArguments", says: "stream", headers: { "Last-Event-ID": "0x1" } }),
      look(400, { code: "badArguments", says: "zxid", headers: { Accept: "text/event-stream", "Last-Event-ID": "7" } }),
      look(406, { code: "notAcceptable", headers: { Accept: "text/html" } }),
      { method: "PATCH", path, status: 405, code: "methodNotAllowed", answers: { Allow: /POST/ } },
    ],
  },
];

export const electionCases: readonly Case[] = [...life, ...faults];
