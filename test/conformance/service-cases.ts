/** Txns, sessions, keys, identities, operations, and requests that are not what they should be. */
import assert from "node:assert/strict";
import type { Case, Seen, Step } from "./runner.ts";
import { get, put } from "./znode-cases.ts";

const json = { "Content-Type": "application/json" };
function txn(body: unknown, more: Partial<Step> = {}): Step {
  return { method: "POST", path: "/v1/txn", headers: json, body: typeof body === "string" ? body : JSON.stringify(body), status: 200, ...more };
}

const txns: readonly Case[] = [
  {
    name: "a txn takes then, and reads its own writes",
    steps: [
      txn(
        {
          check: [{ path: "@/a", exists: false }],
          then: [
            { op: "create", path: "@/a", data: "one" },
            { op: "put", path: "@/b", data: { base64: "dHdv" } },
            { op: "create", path: "@/seq-", sequential: true },
            { op: "get", path: "@/b" },
            { op: "exists", path: "@/a" },
            { op: "children", path: "@" },
            { op: "set", path: "@/a", data: "1", version: 0 },
            { op: "check", path: "@/a", version: 1 },
            { op: "setAcl", path: "@/b", acl: [{ scheme: "world", id: "anyone", perms: "rd" }] },
            { op: "delete", path: "@/b" },
          ],
        },
        {
          check: ({ json: b }, { at }) => {
            assert.equal(b.branch, "then");
            assert.equal(b.results[2].path, `${at}/seq-0000000002`);
            assert.deepEqual([b.results[3].data, b.results[3].encoding], ["two", "utf-8"]);
            assert.equal(b.results[5].children.length, 3);
            assert.equal(b.results[7].checked, true);
            assert.equal(b.results[9].deleted, 1);
            assert.equal(b.results[0].stat.czxid, b.zxid);
          },
        },
      ),
    ],
  },
  { name: "a txn takes else", steps: [txn({ check: [{ path: "@", exists: false }], then: [{ op: "delete", path: "@" }], else: [{ op: "get", path: "@" }] }, { check: ({ json: b }) => assert.equal(b.branch, "else") })] },
  {
    name: "a txn fails as a whole and names the op",
    steps: [
      txn({ then: [{ op: "create", path: "@/a" }, { op: "delete", path: "@/none" }] }, { status: 409, code: "noNode", check: ({ json: b }, { at }) => assert.deepEqual([b.op, b.path], [{ in: "then", index: 1 }, `${at}/none`]) }),
      get("@/a", 404, { code: "noNode" }),
    ],
  },
  { name: "badVersion in a txn is 409", steps: [txn({ then: [{ op: "set", path: "@", data: "x", version: 7 }] }, { status: 409, code: "badVersion" })] },
  { name: "a failing check without else", steps: [txn({ check: [{ path: "@", version: 7 }], then: [{ op: "set", path: "@", data: "x" }] }, { status: 409, code: "badVersion", check: ({ json: b }) => assert.deepEqual(b.op, { in: "check", index: 0 }) })] },
  {
    name: "reads alone write nothing",
    steps: [
      txn({ then: [{ op: "get", path: "@" }, { op: "exists", path: "@" }] }, { answers: { "Quorate-Consistency": "linearizable" }, keep: { zxid: (s) => s.json.zxid } }),
      get("@", 200, { check: (s, { values }) => assert.equal(s.headers["quorate-zxid"], values.get("zxid")) }),
    ],
  },
  { name: "fencing by czxid", steps: [put("@/l", "", { keep: { czxid: (s) => s.json.stat.czxid } }), txn('{"check":[{"path":"@/l","czxid":"{czxid}"}],"then":[{"op":"put","path":"@/r"}]}'), txn('{"check":[{"path":"@/l","czxid":"0x1"}],"then":[{"op":"put","path":"@/r"}]}', { status: 409, code: "badVersion" })] },
  { name: "an unknown key in a txn", steps: [txn({ then: [{ op: "put", path: "@", datum: "x" }] }, { status: 400, code: "badArguments", says: "datum" })] },
  { name: "an unknown key at the top", steps: [txn({ when: [], then: [] }, { status: 400, code: "badArguments", says: "when" })] },
  { name: "a key twice", steps: [txn('{"then":[{"op":"put","path":"@","path":"@/x"}]}', { status: 400, code: "badArguments", says: "path" })] },
  { name: "a key twice, once written with an escape", steps: [txn('{"then":[],"th\\u0065n":[]}', { status: 400, code: "badArguments", says: "then" })] },
  { name: "an unknown op", steps: [txn({ then: [{ op: "upsert", path: "@" }] }, { status: 400, code: "badArguments", says: "upsert" })] },
  { name: "an op named like a property of objects", steps: [txn({ then: [{ op: "constructor", path: "@" }] }, { status: 400, code: "badArguments", says: "constructor" })] },
  { name: "a txn of nothing", steps: [txn({}, { status: 400, code: "badArguments", says: "empty" })] },
  { name: "a check of nothing", steps: [txn({ check: [{ path: "@" }], then: [] }, { status: 400, code: "badArguments", says: "check[0]" })] },
  { name: "a bad path in a txn", steps: [txn({ then: [{ op: "get", path: "a" }] }, { status: 400, code: "badArguments", says: "then[0].path" })] },
  { name: "base64 that is none", steps: [txn({ then: [{ op: "put", path: "@", data: { base64: "?" } }] }, { status: 400, code: "badArguments", says: "base64" })] },
  { name: "no JSON", steps: [txn('{"then":', { status: 400, code: "badArguments", says: "JSON" })] },
  { name: "JSON that is no object", steps: [txn("[]", { status: 400, code: "badArguments", says: "object" })] },
  { name: "JSON nested without end", steps: [txn("[".repeat(100_000), { status: 400, code: "badArguments", says: "nested" })] },
  { name: "JSON of another type", steps: [txn({ then: [] }, { headers: { "Content-Type": "text/plain" }, status: 415, code: "unsupportedMediaType", says: "application/json" })] },
  { name: "JSON without a type", steps: [txn({ then: [] }, { headers: {}, status: 415, code: "unsupportedMediaType" })] },
  { name: "a consistency on a txn that writes", steps: [txn({ then: [{ op: "put", path: "@" }] }, { headers: { ...json, "Quorate-Consistency": "stale" }, status: 400, code: "badArguments", says: "Quorate-Consistency" })] },
  { name: "a value in a txn too large", steps: [txn({ then: [{ op: "put", path: "@", data: "x".repeat(1_048_576) }] }, { status: 413, code: "tooLarge" })] },
];

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
      open({ answers: { Location: /^\/v1\/sessions\/0x[0-9a-f]{16}$/ }, check: ({ json: b }) => assert.deepEqual([b.timeout, b.secret.length], ["30s", 32]) }),
      put("@/e?ephemeral=true", "", { headers: shown, check: ({ json: b }, { values }) => assert.deepEqual([b.stat.kind, b.stat.ephemeralOwner], ["ephemeral", values.get("id")]) }),
      put("@/e?ephemeral=true", "2", { headers: shown, status: 200 }),
      put("@/e/child", "", { status: 409, code: "noChildrenForEphemerals" }),
      { method: "POST", path: "/v1/sessions/{id}/renew", headers: shown, status: 200, check: ({ json: b }, { values }) => assert.equal(b.id, values.get("id")) },
      { method: "GET", path: "/v1/sessions/{id}", headers: shown, status: 200, check: ({ json: b, text }, { at, values }) => { assert.deepEqual([b.name, b.ephemerals], ["billing-host7", [`${at}/e`]]); assert.ok(!text.includes(values.get("secret") ?? "?")); } },
      txn({ check: [{ path: "@/e", owner: "self" }], then: [{ op: "put", path: "@/w" }] }, { headers: { ...json, ...shown } }),
      { method: "DELETE", path: "/v1/sessions/{id}", headers: shown, status: 200, check: ({ json: b }) => assert.equal(b.deleted, 1) },
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
  { name: "a session header that is none", steps: [put("@/e", "", { headers: { "Quorate-Session": "abc" }, status: 400, code: "badArguments", says: "Quorate-Session" })] },
  { name: "a session of an int64 that was never given", steps: [put("@/e", "", { headers: { "Quorate-Session": "0xffffffffffffffff:00000000000000000000000000000000" }, status: 410, code: "sessionExpired" })] },
  { name: "an ephemeral of another session", steps: [open(), put("@/e?ephemeral=true", "", { headers: shown }), open(), put("@/e?ephemeral=true", "", { headers: shown, status: 409, code: "nodeExists" })] },
  { name: "another session in the path", steps: [open(), { method: "POST", path: "/v1/sessions/0x1/renew", headers: shown, status: 400, code: "badArguments", says: "path" }] },
  { name: "a session without a body", steps: [{ method: "POST", path: "/v1/sessions", status: 201, check: ({ json: b }) => assert.equal(b.timeout, "30s") }] },
  { name: "a timeout too short", steps: [open({ body: '{"timeout":"1ms"}', status: 400, code: "badArguments", says: "1s to 86400s", keep: {} })] },
  { name: "a timeout as a number", steps: [open({ body: '{"timeout":30}', status: 400, code: "badArguments", says: "string", keep: {} })] },
  { name: "a name too long", steps: [open({ body: JSON.stringify({ name: "x".repeat(257) }), status: 400, code: "badArguments", says: "256", keep: {} })] },
  { name: "sessions are the super user's to list", steps: [open(), { method: "GET", path: "/v1/sessions", status: 403, code: "noAuth" }, { method: "GET", path: "/v1/sessions?limit=10000", as: "super", status: 200, check: ({ json: b }, { values }) => assert.ok(b.sessions.some((each: { id: string }) => each.id === values.get("id"))) }] },
  { name: "the super user ends a session", steps: [open(), { method: "DELETE", path: "/v1/sessions/{id}", as: "super", status: 200 }, { method: "POST", path: "/v1/sessions/{id}/renew", headers: shown, status: 410, code: "sessionExpired" }] },
  { name: "a key on a session would lose the secret", steps: [open({ headers: { ...json, "Idempotency-Key": "k" }, status: 400, code: "badArguments", says: "Idempotency-Key", keep: {} })] },
];

const key = { "Idempotency-Key": "k@" };
const keys: readonly Case[] = [
  {
    name: "the same request under a key: the same answer",
    steps: [
      { method: "POST", path: "/v1/znodes@?prefix=i-", headers: key, body: "x", status: 201, keep: { text: (s) => s.text }, answers: { "Quorate-Replayed": undefined } },
      { method: "POST", path: "/v1/znodes@?prefix=i-", headers: key, body: "x", status: 201, answers: { "Quorate-Replayed": "true" }, check: (s, { values }) => assert.equal(s.text, values.get("text")) },
      { method: "POST", path: "/v1/znodes@?prefix=i-", headers: key, body: "y", status: 422, code: "keyReused" },
      { method: "POST", path: "/v1/znodes@?prefix=j-", headers: key, body: "x", status: 422, code: "keyReused" },
      { method: "POST", path: "/v1/znodes@?prefix=i-", headers: key, body: "x", as: "other:one", status: 201, answers: { "Quorate-Replayed": undefined } },
    ],
  },
  { name: "a failure is replayed too", steps: [put("@/x/y", "", { headers: key, status: 409, code: "noParent" }), put("@/x"), put("@/x/y", "", { headers: key, status: 409, code: "noParent", answers: { "Quorate-Replayed": "true" } })] },
  { name: "a txn under a key", steps: [txn({ then: [{ op: "create", path: "@/t" }] }, { headers: { ...json, ...key } }), txn({ then: [{ op: "create", path: "@/t" }] }, { headers: { ...json, ...key }, answers: { "Quorate-Replayed": "true" } })] },
  { name: "a key with a space", steps: [put("@/a", "", { headers: { "Idempotency-Key": "a b" }, status: 400, code: "badArguments", says: "Idempotency-Key" })] },
  { name: "a key too long", steps: [put("@/a", "", { headers: { "Idempotency-Key": "a".repeat(65) }, status: 400, code: "badArguments", says: "64" })] },
  { name: "a key on a read", steps: [get("@", 400, { headers: key, code: "badArguments", says: "Idempotency-Key" })] },
];

const strict: readonly Case[] = [
  { name: "an unknown parameter", steps: [put("@/a?parent=true", "", { status: 400, code: "badArguments", says: "parent" }), get("@/a", 404, { code: "noNode" })] },
  { name: "the blocking read is not there yet", steps: [get("@?wait=30s", 400, { code: "badArguments", says: "wait" })] },
  { name: "a parameter twice", steps: [get("@?format=json&format=raw", 400, { code: "badArguments", says: "format" })] },
  { name: "an unknown Quorate header", steps: [put("@/a", "", { headers: { "Quorate-If-Match": "x" }, status: 400, code: "badArguments", says: "Quorate-If-Match" })] },
  { name: "a Quorate header that means nothing here", steps: [put("@/a", "", { headers: { "Quorate-Max-Stale": "1s" }, status: 400, code: "badArguments", says: "Quorate-Max-Stale" })] },
  { name: "a Quorate header twice", steps: [get("@", 400, { headers: { "Quorate-Timeout": ["1s", "2s"] }, code: "badArguments", says: "twice" })] },
  { name: "slashes as %2F", steps: [put("@/a/b?parents=true", "x"), get("%2Fa%2Fb", 400, { path: "/v1/znodes/%2Fa", code: "badArguments", says: "empty segment" }), get("@%2Fa%2fb", 200)] },
  { name: "a trailing slash", steps: [get("@/", 400, { code: "badArguments", says: "end with" })] },
  { name: "an empty segment", steps: [get("@//a", 400, { code: "badArguments", says: "empty segment" })] },
  { name: "a path with ..", steps: [get("@/../x", 400, { code: "badArguments", says: ".." }), get("@/%2e%2E/x", 400, { code: "badArguments", says: ".." }), get("@/./x", 400, { code: "badArguments" })] },
  { name: "bad percent-encoding", steps: [get("@/%zz", 400, { code: "badArguments", says: "percent-encoded" }), get("@?format=%zz", 400, { code: "badArguments", says: "percent-encoded" })] },
  { name: "bad UTF-8", steps: [get("@/%ff", 400, { code: "badArguments", says: "UTF-8" })] },
  { name: "a character that names may not have", steps: [get("@/%00", 400, { code: "badArguments", says: "U+0000" }), get("@/%F0%9F%98%80", 400, { code: "badArguments", says: "U+D83D" })] },
  { name: "a path too long", steps: [get(`@/${"x".repeat(4096)}`, 400, { code: "badArguments", says: "4096" })] },
  { name: "a foreign origin", steps: [put("@/a", "", { headers: { Origin: "http://evil.example" }, status: 403, code: "noAuth", says: "Origin" }), get("@", 403, { headers: { Origin: "null" }, code: "noAuth" })] },
  { name: "a method that is not there", steps: [{ method: "PATCH", path: "/v1/znodes@", status: 405, code: "methodNotAllowed", answers: { Allow: "GET, HEAD, PUT, POST, DELETE" } }, { method: "OPTIONS", path: "/v1/txn", status: 405, code: "methodNotAllowed", answers: { Allow: "POST" } }] },
  { name: "no route", steps: [{ method: "GET", path: "/v1/nodes/a", status: 404, code: "noRoute" }, { method: "GET", path: "/v1/sessions/", status: 404, code: "noRoute" }] },
  { name: "a body on GET", steps: [get("@", 400, { body: "x", code: "badArguments", says: "body" })] },
];

const basic = (text: string): Record<string, string> => ({ Authorization: text });
const identities: readonly Case[] = [
  { name: "credentials that are no base64", steps: [get("@", 401, { headers: basic("Basic ???"), code: "authFailed", answers: { "WWW-Authenticate": /^Basic realm=/ } })] },
  { name: "credentials without a colon", steps: [get("@", 401, { headers: basic(`Basic ${Buffer.from("alice").toString("base64")}`), code: "authFailed" })] },
  { name: "another scheme", steps: [get("@", 401, { headers: basic("Bearer abc"), code: "authFailed", says: "Bearer" })] },
  { name: "the scheme's name in any case", steps: [get("@", 200, { headers: basic(`bAsIc ${Buffer.from("alice:a").toString("base64")}`) })] },
];

const operations: readonly Case[] = [
  { name: "livez", steps: [{ method: "GET", path: "/livez", status: 200 }, { method: "HEAD", path: "/livez", status: 200, check: (s) => assert.equal(s.bytes.length, 0) }] },
  { name: "readyz", steps: [{ method: "GET", path: "/readyz", status: 200 }, { method: "GET", path: "/readyz?verbose", status: 200, check: ({ json: b }) => assert.ok(Array.isArray(b.checks)) }, { method: "GET", path: "/readyz?require=leader", status: 200 }, { method: "GET", path: "/readyz?require=king", status: 400, code: "badArguments", says: "require" }] },
  { name: "metrics", steps: [{ method: "GET", path: "/metrics", status: 200, answers: { "Content-Type": /^text\/plain/ } }] },
  { name: "the cluster", steps: [{ method: "GET", path: "/v1/cluster", status: 200, check: ({ json: b }) => assert.ok(b.members.some((m: { id: number; role: string }) => m.id === b.leader && m.role === "leading")) }] },
  { name: "the hand-over is the super user's", steps: [{ method: "POST", path: "/v1/cluster/leader", headers: json, body: '{"to":1}', status: 403, code: "noAuth" }, { method: "POST", path: "/v1/cluster/leader", headers: json, body: '{"to":"1"}', as: "super", status: 400, code: "badArguments", says: "body.to" }, { method: "POST", path: "/v1/cluster/leader", headers: json, body: '{"to":77}', as: "super", status: 400, code: "badArguments" }] },
  { name: "the specification", steps: [{ method: "GET", path: "/v1/openapi.json", status: 200, check: ({ json: b }) => assert.match(b.openapi, /^3\.1/) }] },
];

export const serviceCases: readonly Case[] = [...txns, ...sessions, ...keys, ...strict, ...identities, ...operations];
