/** Sessions and their ephemerals, and requests under a key. */
import assert from "node:assert/strict";
import type { Case, Seen, Step } from "./runner.ts";
import { get, json, put, txn } from "./steps.ts";

const open = (more: Partial<Step> = {}): Step => ({
  method: "POST",
  path: "/v1/sessions",
  headers: json,
  body: '{"timeout":"30s","name":"billing-host7"}',
  status: 201,
  keep: { id: (s: Seen) => s.json.id, secret: (s: Seen) => s.json.secret },
  ...more,
});
const shown = { "Quorate-Session": "{id}:{secret}" };
const wrong = { "Quorate-Session": "{id}:00000000000000000000000000000000" };

const sessions: readonly Case[] = [
  {
    name: "a session, its ephemeral, its end",
    steps: [
      open({
        answers: { Location: /^\/v1\/sessions\/0x[0-9a-f]{16}$/ },
        check: ({ json: b }) => assert.deepEqual([b.timeout, b.secret.length], ["30s", 32]),
      }),
      put("@/e?ephemeral=true", "", {
        headers: shown,
        check: ({ json: b }, { values }) =>
          assert.deepEqual([b.stat.kind, b.stat.ephemeralOwner], ["ephemeral", values.get("id")]),
      }),
      put("@/e?ephemeral=true", "2", { headers: shown, status: 200 }),
      put("@/e/child", "", { status: 409, code: "noChildrenForEphemerals" }),
      {
        method: "POST",
        path: "/v1/sessions/{id}/renew",
        headers: shown,
        status: 200,
        check: ({ json: b }, { values }) => assert.equal(b.id, values.get("id")),
      },
      {
        method: "GET",
        path: "/v1/sessions/{id}",
        headers: shown,
        status: 200,
        check: ({ json: b, text }, { at, values }) => {
          assert.deepEqual([b.name, b.ephemerals], ["billing-host7", [`${at}/e`]]);
          assert.ok(!text.includes(values.get("secret") ?? "?"));
        },
      },
      txn(
        { check: [{ path: "@/e", owner: "self" }], then: [{ op: "put", path: "@/w" }] },
        { headers: { ...json, ...shown } },
      ),
      {
        method: "DELETE",
        path: "/v1/sessions/{id}",
        headers: shown,
        status: 200,
        check: ({ json: b }) => assert.equal(b.deleted, 1),
      },
      get("@/e", 404, { code: "noNode" }),
      { method: "POST", path: "/v1/sessions/{id}/renew", headers: shown, status: 410, code: "sessionExpired" },
      { method: "GET", path: "/v1/sessions/{id}", headers: shown, status: 410, code: "sessionExpired" },
      put("@/e?ephemeral=true", "", { headers: shown, status: 410, code: "sessionExpired" }),
    ],
  },
  {
    name: "a wrong secret",
    steps: [
      open(),
      put("@/e?ephemeral=true", "", { headers: wrong, status: 401, code: "authFailed" }),
      { method: "POST", path: "/v1/sessions/{id}/renew", headers: wrong, status: 401, code: "authFailed" },
      { method: "GET", path: "/v1/sessions/{id}", headers: wrong, status: 401, code: "authFailed" },
      { method: "GET", path: "/v1/sessions/{id}", status: 401, code: "authFailed" },
      { method: "POST", path: "/v1/sessions/{id}/renew", status: 401, code: "authFailed" },
      { method: "DELETE", path: "/v1/sessions/{id}", headers: wrong, status: 401, code: "authFailed" },
    ],
  },
  {
    name: "a session header that is none",
    steps: [
      put("@/e", "", {
        headers: { "Quorate-Session": "abc" },
        status: 400,
        code: "badArguments",
        says: "Quorate-Session",
      }),
    ],
  },
  {
    name: "a session of an int64 that was never given",
    steps: [
      put("@/e", "", {
        headers: { "Quorate-Session": "0xffffffffffffffff:00000000000000000000000000000000" },
        status: 410,
        code: "sessionExpired",
      }),
    ],
  },
  {
    name: "an ephemeral of another session",
    steps: [
      open(),
      put("@/e?ephemeral=true", "", { headers: shown }),
      open(),
      put("@/e?ephemeral=true", "", { headers: shown, status: 409, code: "nodeExists" }),
    ],
  },
  {
    name: "another session in the path",
    steps: [
      open(),
      {
        method: "POST",
        path: "/v1/sessions/0x1/renew",
        headers: shown,
        status: 400,
        code: "badArguments",
        says: "path",
      },
    ],
  },
  {
    name: "a session without a body",
    steps: [
      { method: "POST", path: "/v1/sessions", status: 201, check: ({ json: b }) => assert.equal(b.timeout, "30s") },
    ],
  },
  {
    name: "a timeout too short",
    steps: [open({ body: '{"timeout":"1ms"}', status: 400, code: "badArguments", says: "1s to 24h", keep: {} })],
  },
  {
    name: "a timeout as a number",
    steps: [open({ body: '{"timeout":30}', status: 400, code: "badArguments", says: "string", keep: {} })],
  },
  {
    name: "a name too long",
    steps: [
      open({
        body: JSON.stringify({ name: "x".repeat(257) }),
        status: 400,
        code: "badArguments",
        says: "256",
        keep: {},
      }),
    ],
  },
  {
    name: "sessions are the super user's to list",
    steps: [
      open(),
      { method: "GET", path: "/v1/sessions", status: 403, code: "noAuth" },
      {
        method: "GET",
        path: "/v1/sessions?limit=10000",
        as: "super",
        status: 200,
        check: ({ json: b }, { values }) =>
          assert.ok(b.sessions.some((each: { id: string }) => each.id === values.get("id"))),
      },
    ],
  },
  {
    name: "the super user ends a session",
    steps: [
      open(),
      { method: "DELETE", path: "/v1/sessions/{id}", as: "super", status: 200 },
      { method: "POST", path: "/v1/sessions/{id}/renew", headers: shown, status: 410, code: "sessionExpired" },
    ],
  },
  {
    name: "a key on a session would lose the secret",
    steps: [
      open({
        headers: { ...json, "Idempotency-Key": "k" },
        status: 400,
        code: "badArguments",
        says: "Idempotency-Key",
        keep: {},
      }),
    ],
  },
];

const key = { "Idempotency-Key": "k@" };
const keys: readonly Case[] = [
  {
    name: "the same request under a key: the same answer",
    steps: [
      {
        method: "POST",
        path: "/v1/znodes@?prefix=i-",
        headers: key,
        body: "x",
        status: 201,
        keep: { text: (s) => s.text },
        answers: { "Quorate-Replayed": undefined },
      },
      {
        method: "POST",
        path: "/v1/znodes@?prefix=i-",
        headers: key,
        body: "x",
        status: 201,
        answers: { "Quorate-Replayed": "true" },
        check: (s, { values }) => assert.equal(s.text, values.get("text")),
      },
      { method: "POST", path: "/v1/znodes@?prefix=i-", headers: key, body: "y", status: 422, code: "keyReused" },
      { method: "POST", path: "/v1/znodes@?prefix=j-", headers: key, body: "x", status: 422, code: "keyReused" },
      {
        method: "POST",
        path: "/v1/znodes@?prefix=i-",
        headers: key,
        body: "x",
        as: "other:one",
        status: 201,
        answers: { "Quorate-Replayed": undefined },
      },
    ],
  },
  {
    name: "a failure is replayed too",
    steps: [
      put("@/x/y", "", { headers: key, status: 409, code: "noParent" }),
      put("@/x"),
      put("@/x/y", "", { headers: key, status: 409, code: "noParent", answers: { "Quorate-Replayed": "true" } }),
    ],
  },
  {
    name: "a txn under a key",
    steps: [
      txn({ then: [{ op: "create", path: "@/t" }] }, { headers: { ...json, ...key } }),
      txn(
        { then: [{ op: "create", path: "@/t" }] },
        { headers: { ...json, ...key }, answers: { "Quorate-Replayed": "true" } },
      ),
    ],
  },
  {
    name: "a key with a space",
    steps: [
      put("@/a", "", {
        headers: { "Idempotency-Key": "a b" },
        status: 400,
        code: "badArguments",
        says: "Idempotency-Key",
      }),
    ],
  },
  {
    name: "a key too long",
    steps: [
      put("@/a", "", { headers: { "Idempotency-Key": "a".repeat(65) }, status: 400, code: "badArguments", says: "64" }),
    ],
  },
  { name: "a key on a read", steps: [get("@", 400, { headers: key, code: "badArguments", says: "Idempotency-Key" })] },
];

export const sessionCases: readonly Case[] = [...sessions, ...keys];
