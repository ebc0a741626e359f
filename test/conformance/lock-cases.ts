/** Locks over HTTP: taken, waited for, given back, looked at; and each way in which the request is wrong. */
import assert from "node:assert/strict";
import type { Case, Seen, Step } from "./runner.ts";
import { json, put } from "./steps.ts";

/** Keeps `<name>` as what goes into Quorate-Session. */
export const open = (name: string): Step => ({
  method: "POST",
  path: "/v1/sessions",
  headers: json,
  body: '{"timeout":"30s"}',
  status: 201,
  keep: { [name]: (s: Seen) => `${s.json.id}:${s.json.secret}`, [`${name}Id`]: (s: Seen) => s.json.id },
});

export const of = (name: string): Record<string, string> => ({ "Quorate-Session": `{${name}}` });

export const keepToken = (name: string): Pick<Step, "keep"> => ({ keep: { [name]: (s: Seen) => s.json.token } });

export function lock(query: string, more: Partial<Step> = {}): Step {
  return { method: "POST", path: `/v1/locks@/l${query}`, status: 200, ...more };
}

function look(status: number, more: Partial<Step> = {}): Step {
  return { method: "GET", path: "/v1/locks@/l", status, ...more };
}

export function release(session: string, status: number, more: Partial<Step> = {}): Step {
  return { method: "DELETE", path: "/v1/locks@/l", headers: of(session), status, ...more };
}

function wrong(name: string, query: string, says: string, more: Partial<Step> = {}): Case {
  const step = lock(query, { status: 400, code: "badArguments", says, headers: of("a"), ...more });
  return { name: `lock: ${name}`, steps: [open("a"), step] };
}

const znode = /^\/case-[^/]+\/l\/_c_[0-9a-f-]{36}-lock-\d{10}$/;

const life: readonly Case[] = [
  {
    name: "lock: taken, looked at, given back",
    steps: [
      open("a"),
      lock("?contender=ann", {
        headers: of("a"),
        ...keepToken("token"),
        check: ({ json: b }, { at, values }) => {
          const { token, zxid, znode: own, session, ...rest } = b;
          assert.deepEqual(rest, {
            name: `${at.slice(1)}/l`,
            held: true,
            mode: "exclusive",
            layout: "curator",
            ahead: 0,
          });
          assert.deepEqual(session, { id: values.get("aId"), timeout: "30s" });
          assert.match(own, znode);
          assert.ok(token <= zxid);
        },
      }),
      look(200, {
        check: ({ json: b }, { at, values }) => {
          const { holders, zxid, ...rest } = b;
          assert.deepEqual(rest, {
            name: `${at.slice(1)}/l`,
            layout: "curator",
            kind: "mutex",
            waiters: [],
            waiting: 0,
          });
          assert.match(zxid, /^0x[0-9a-f]{16}$/);
          const [{ znode: own, since, ...holder }] = holders;
          assert.deepEqual(holder, {
            token: values.get("token"),
            contender: "ann",
            encoding: "utf-8",
            mode: "exclusive",
            session: values.get("aId"),
          });
          assert.match(own, znode);
          assert.match(since, /^\d{4}-.*Z$/);
        },
        answers: { "Quorate-Consistency": "linearizable", "Quorate-Stale-Age": undefined },
      }),
      look(200, {
        headers: { "Quorate-Consistency": "stale" },
        answers: { "Quorate-Consistency": "stale", "Quorate-Stale-Age": /^\d+ms$/ },
      }),
      release("a", 200, { check: ({ json: b }) => assert.match(b.znode, znode) }),
      release("a", 404, { code: "noNode" }),
      look(200, { check: ({ json: b }) => assert.deepEqual([b.holders, b.waiting], [[], 0]) }),
    ],
  },
  {
    name: "lock: one place for a session, first come, first served, with a token that grows",
    steps: [
      open("a"),
      open("b"),
      lock("", { headers: of("a"), ...keepToken("first") }),
      lock("?contender=bob", {
        headers: of("b"),
        status: 202,
        check: ({ json: b }) => assert.deepEqual([b.held, b.ahead, b.token], [false, 1, undefined]),
      }),
      lock("?wait=10ms", { headers: of("b"), status: 202, check: ({ json: b }) => assert.equal(b.ahead, 1) }),
      lock("", {
        headers: of("a"),
        check: ({ json: b }, { values }) => assert.equal(b.token, values.get("first")),
      }),
      look(200, {
        check: ({ json: b }) => {
          assert.deepEqual([b.holders.length, b.waiters.length, b.waiting], [1, 1, 1]);
          assert.deepEqual([b.waiters[0].contender, b.waiters[0].token], ["bob", undefined]);
        },
      }),
      {
        ...look(200),
        path: "/v1/locks@/l?limit=0",
        check: ({ json: b }) => assert.deepEqual([b.waiters, b.waiting], [[], 1]),
      },
      release("a", 200),
      lock("", {
        headers: of("b"),
        check: ({ json: b }, { values }) => assert.ok(b.held && b.token > (values.get("first") ?? "")),
      }),
    ],
  },
  {
    name: "lock: without a session one is opened, and closed with it",
    steps: [
      lock("?timeout=20s", {
        keep: { own: (s) => `${s.json.session.id}:${s.json.session.secret}`, id: (s) => s.json.session.id },
        check: ({ json: b }) => {
          assert.equal(b.session.timeout, "20s");
          assert.match(b.session.secret, /^[0-9a-f]{32}$/);
        },
      }),
      lock("?wait=1m", {
        status: 202,
        keep: { other: (s) => `${s.json.session.id}:${s.json.session.secret}` },
        check: ({ json: b }) => assert.equal(b.session.timeout, "30s"),
      }),
      lock("", { headers: of("own"), check: ({ json: b }) => assert.equal(b.session.secret, undefined) }),
      release("own", 200),
      { method: "POST", path: "/v1/sessions/{id}/renew", headers: of("own"), status: 410, code: "sessionExpired" },
      lock("", { headers: of("other") }),
    ],
  },
  {
    name: "lock: a token renews, and is not made anew",
    steps: [
      open("a"),
      lock("", { headers: of("a"), ...keepToken("token") }),
      lock("?token={token}", {
        headers: of("a"),
        check: ({ json: b }, { values }) => assert.equal(b.token, values.get("token")),
      }),
      release("a", 200),
      lock("?token={token}&wait=1m", { headers: of("a"), status: 412, code: "fenced" }),
      look(200, { check: ({ json: b }) => assert.deepEqual([b.holders, b.waiting], [[], 0]) }),
    ],
  },
  {
    name: "lock: a release that comes late gives up no other place than its token's",
    steps: [
      open("a"),
      lock("", { headers: of("a"), ...keepToken("first") }),
      release("a", 200, { path: "/v1/locks@/l?token={first}" }),
      lock("", { headers: of("a"), ...keepToken("second") }),
      release("a", 412, { path: "/v1/locks@/l?token={first}", code: "fenced", says: "nothing was done" }),
      lock("?token={second}", { headers: of("a") }),
      release("a", 400, { path: "/v1/locks@/l?token=7", code: "badArguments", says: "token" }),
      release("a", 400, { path: "/v1/locks@/l?token=0x0", code: "badArguments", says: "zero" }),
      release("a", 200),
    ],
  },
  {
    name: "lock: readers together, a writer alone",
    steps: [
      open("a"),
      open("b"),
      open("c"),
      lock("?mode=read", { headers: of("a") }),
      lock("?mode=read", {
        headers: of("b"),
        check: ({ json: b }) => assert.deepEqual([b.held, b.mode], [true, "read"]),
      }),
      lock("?mode=write", {
        headers: of("c"),
        status: 202,
        check: ({ json: b }) => assert.deepEqual([b.mode, b.ahead], ["write", 2]),
      }),
      look(200, {
        check: ({ json: b }) => assert.deepEqual([b.kind, b.holders.length, b.waiting], ["readWrite", 2, 1]),
      }),
      release("a", 200),
      release("b", 200),
      lock("?mode=write", { headers: of("c") }),
    ],
  },
  {
    name: "lock: a semaphore has so many permits",
    steps: [
      open("a"),
      open("b"),
      open("c"),
      lock("?permits=2", {
        headers: of("a"),
        check: ({ json: b }) => assert.deepEqual([b.mode, b.permits], ["permit", 2]),
      }),
      lock("?mode=permit", { headers: of("b") }),
      lock("?permits=2&mode=permit", {
        headers: of("c"),
        status: 202,
        check: ({ json: b }) => assert.equal(b.ahead, 2),
      }),
      look(200, {
        check: ({ json: b }) => assert.deepEqual([b.kind, b.permits, b.holders.length], ["semaphore", 2, 2]),
      }),
      release("a", 200),
      lock("?mode=permit", { headers: of("c") }),
    ],
  },
  {
    name: "lock: kazoo's names where they are asked for",
    steps: [
      open("a"),
      lock("?layout=kazoo", {
        headers: of("a"),
        check: ({ json: b }) => {
          assert.equal(b.layout, "kazoo");
          assert.match(b.znode, /\/l\/[0-9a-f]{32}__lock__\d{10}$/);
        },
      }),
      lock("?layout=curator", { headers: of("a"), status: 409, code: "nodeExists", says: "kazoo" }),
    ],
  },
  {
    name: "lock: under a key it is one place, and another request is refused",
    steps: [
      open("a"),
      open("b"),
      lock("?contender=x&wait=10ms", { headers: { ...of("a"), "Idempotency-Key": "k@" }, ...keepToken("token") }),
      lock("?contender=x", {
        headers: { ...of("a"), "Idempotency-Key": "k@" },
        check: ({ json: b }, { values }) => assert.equal(b.token, values.get("token")),
      }),
      {
        ...lock("?contender=y", { headers: { ...of("b"), "Idempotency-Key": "k@" }, status: 422, code: "keyReused" }),
        path: "/v1/locks@/m?contender=y",
      },
    ],
  },
];

const faults: readonly Case[] = [
  wrong("a mode that there is not", "?mode=shared", "mode"),
  wrong("no permits", "?permits=0", "permits"),
  wrong("too many permits", "?permits=10001", "10000"),
  wrong("permits of a reader", "?permits=2&mode=read", "mode=permit"),
  wrong("a semaphore that nobody made", "?mode=permit", "permits"),
  wrong("a layout that there is not", "?layout=etcd", "layout"),
  wrong("a wait without a unit", "?wait=30", "unit"),
  wrong("a wait too long", "?wait=1h", "5m"),
  wrong("an unknown parameter", "?block=true", "block"),
  wrong("a timeout of a session that is there", "?timeout=30s", "timeout"),
  wrong("a token that is none", "?token=7", "token"),
  wrong("a token of zero", "?token=0x0", "token"),
  wrong("an ACL that is none", "?acl=anyone", "acl"),
  wrong("a body", "", "takes no body", { body: "x" }),
  wrong("a fence where nothing is written", "", "Quorate-Fenced", { headers: { "Quorate-Fenced": "a=0x1" } }),
  wrong("a token without its session", "?token=0x1", "Quorate-Session", { headers: {} }),
  wrong("a key without a session", "", "Idempotency-Key", { headers: { "Idempotency-Key": "k" } }),
  wrong("a session's timeout too short", "?timeout=1ms", "1s", { headers: {} }),
  wrong("a session header that is none", "", "Quorate-Session", { headers: { "Quorate-Session": "x" } }),
  {
    name: "lock: the root",
    steps: [{ ...lock("", { status: 400, code: "badArguments", says: "root" }), path: "/v1/locks/" }],
  },
  {
    name: "lock: a path that is none",
    steps: [{ ...lock("", { status: 400, code: "badArguments", says: "path" }), path: "/v1/locks/a//b" }],
  },
  {
    name: "lock: no place for it",
    steps: [
      put("@/data", "something else"),
      { ...lock("", { status: 409, code: "nodeExists", says: "no lock's" }), path: "/v1/locks@/data" },
      { ...look(409, { code: "nodeExists" }), path: "/v1/locks@/data" },
      open("a"),
      put("@/e?ephemeral=true", "", { headers: of("a") }),
      { ...lock("", { status: 409, code: "noChildrenForEphemerals" }), path: "/v1/locks@/e/l" },
      { method: "POST", path: "/v1/elections@/x", headers: of("a"), status: 200 },
      { ...lock("", { status: 409, code: "nodeExists", says: "election" }), path: "/v1/locks@/x" },
      lock("", { headers: of("a") }),
      lock("?mode=read", { headers: of("a"), status: 409, code: "nodeExists", says: "mutex" }),
    ],
  },
  {
    name: "lock: nobody's",
    steps: [
      look(404, { code: "noNode" }),
      open("a"),
      release("a", 404, { code: "noNode" }),
      { method: "DELETE", path: "/v1/locks@/l", status: 401, code: "authFailed", says: "Quorate-Session" },
      { ...look(400, { code: "badArguments", says: "limit" }), path: "/v1/locks@/l?limit=10001" },
    ],
  },
  {
    name: "lock: a session that is over, or whose secret is wrong",
    steps: [
      open("a"),
      { ...lock("", { headers: { "Quorate-Session": `{aId}:${"0".repeat(32)}` } }), status: 401, code: "authFailed" },
      {
        method: "DELETE",
        path: "/v1/locks@/l",
        headers: { "Quorate-Session": `{aId}:${"0".repeat(32)}` },
        status: 401,
        code: "authFailed",
      },
      { method: "DELETE", path: "/v1/sessions/{aId}", headers: of("a"), status: 200 },
      lock("", { headers: of("a"), status: 410, code: "sessionExpired" }),
      release("a", 410, { code: "sessionExpired" }),
    ],
  },
  {
    name: "lock: not for everybody",
    steps: [
      lock("?acl=auth::cdrwa", { as: "ann:1", keep: { own: (s) => `${s.json.session.id}:${s.json.session.secret}` } }),
      lock("", { status: 403, code: "noAuth" }),
      look(403, { code: "noAuth" }),
      look(200, { as: "ann:1" }),
      release("own", 200, { as: "ann:1" }),
    ],
  },
  {
    name: "lock: other methods and types",
    steps: [
      { method: "PUT", path: "/v1/locks@/l", status: 405, code: "methodNotAllowed", answers: { Allow: /POST/ } },
      lock("", { headers: { Accept: "text/html" }, status: 406, code: "notAcceptable" }),
    ],
  },
];

export const lockCases: readonly Case[] = [...life, ...faults];
