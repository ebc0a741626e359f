/** Requests that are not what they should be, identities, and what operators ask. */
import assert from "node:assert/strict";
import type { Case } from "./runner.ts";
import { get, json, put } from "./steps.ts";

const strict: readonly Case[] = [
  {
    name: "an unknown parameter",
    steps: [
      put("@/a?parent=true", "", { status: 400, code: "badArguments", says: "parent" }),
      get("@/a", 404, { code: "noNode" }),
    ],
  },
  {
    name: "the blocking read is not there yet",
    steps: [get("@?wait=30s", 400, { code: "badArguments", says: "wait" })],
  },
  {
    name: "a parameter twice",
    steps: [get("@?format=json&format=raw", 400, { code: "badArguments", says: "format" })],
  },
  {
    name: "an unknown Quorate header",
    steps: [
      put("@/a", "", {
        headers: { "Quorate-If-Match": "x" },
        status: 400,
        code: "badArguments",
        says: "Quorate-If-Match",
      }),
    ],
  },
  {
    name: "a Quorate header that means nothing here",
    steps: [
      put("@/a", "", {
        headers: { "Quorate-Max-Stale": "1s" },
        status: 400,
        code: "badArguments",
        says: "Quorate-Max-Stale",
      }),
    ],
  },
  {
    name: "a Quorate header twice",
    steps: [get("@", 400, { headers: { "Quorate-Timeout": ["1s", "2s"] }, code: "badArguments", says: "twice" })],
  },
  {
    name: "slashes as %2F",
    steps: [
      put("@/a/b?parents=true", "x"),
      get("%2Fa%2Fb", 400, { path: "/v1/znodes/%2Fa", code: "badArguments", says: "empty segment" }),
      get("@%2Fa%2fb", 200),
    ],
  },
  { name: "a trailing slash", steps: [get("@/", 400, { code: "badArguments", says: "end with" })] },
  { name: "an empty segment", steps: [get("@//a", 400, { code: "badArguments", says: "empty segment" })] },
  {
    name: "a path with ..",
    steps: [
      get("@/../x", 400, { code: "badArguments", says: ".." }),
      get("@/%2e%2E/x", 400, { code: "badArguments", says: ".." }),
      get("@/./x", 400, { code: "badArguments" }),
    ],
  },
  {
    name: "bad percent-encoding",
    steps: [
      get("@/%zz", 400, { code: "badArguments", says: "percent-encoded" }),
      get("@?format=%zz", 400, { code: "badArguments", says: "percent-encoded" }),
    ],
  },
  { name: "bad UTF-8", steps: [get("@/%ff", 400, { code: "badArguments", says: "UTF-8" })] },
  {
    name: "a character that names may not have",
    steps: [
      get("@/%00", 400, { code: "badArguments", says: "U+0000" }),
      get("@/%F0%9F%98%80", 400, { code: "badArguments", says: "U+D83D" }),
    ],
  },
  { name: "a path too long", steps: [get(`@/${"x".repeat(4096)}`, 400, { code: "badArguments", says: "4096" })] },
  {
    name: "a foreign origin",
    steps: [
      put("@/a", "", { headers: { Origin: "http://evil.example" }, status: 403, code: "noAuth", says: "Origin" }),
      get("@", 403, { headers: { Origin: "null" }, code: "noAuth" }),
    ],
  },
  {
    name: "a method that is not there",
    steps: [
      {
        method: "PATCH",
        path: "/v1/znodes@",
        status: 405,
        code: "methodNotAllowed",
        answers: { Allow: "GET, HEAD, PUT, POST, DELETE" },
      },
      { method: "OPTIONS", path: "/v1/txn", status: 405, code: "methodNotAllowed", answers: { Allow: "POST" } },
    ],
  },
  {
    name: "no route",
    steps: [
      { method: "GET", path: "/v1/nodes/a", status: 404, code: "noRoute" },
      { method: "GET", path: "/v1/sessions/", status: 404, code: "noRoute" },
    ],
  },
  { name: "a body on GET", steps: [get("@", 400, { body: "x", code: "badArguments", says: "body" })] },
];

const basic = (text: string): Record<string, string> => ({ Authorization: text });
const identities: readonly Case[] = [
  {
    name: "credentials that are no base64",
    steps: [
      get("@", 401, {
        headers: basic("Basic ???"),
        code: "authFailed",
        answers: { "WWW-Authenticate": /^Basic realm=/ },
      }),
    ],
  },
  {
    name: "credentials without a colon",
    steps: [get("@", 401, { headers: basic(`Basic ${Buffer.from("alice").toString("base64")}`), code: "authFailed" })],
  },
  {
    name: "another scheme",
    steps: [get("@", 401, { headers: basic("Bearer abc"), code: "authFailed", says: "Bearer" })],
  },
  {
    name: "the scheme's name in any case",
    steps: [get("@", 200, { headers: basic(`bAsIc ${Buffer.from("alice:a").toString("base64")}`) })],
  },
];

const operations: readonly Case[] = [
  {
    name: "livez",
    steps: [
      { method: "GET", path: "/livez", status: 200 },
      { method: "HEAD", path: "/livez", status: 200, check: (s) => assert.equal(s.bytes.length, 0) },
    ],
  },
  {
    name: "readyz",
    steps: [
      { method: "GET", path: "/readyz", status: 200 },
      {
        method: "GET",
        path: "/readyz?verbose",
        status: 200,
        check: ({ json: b }) => assert.ok(Array.isArray(b.checks)),
      },
      { method: "GET", path: "/readyz?require=leader", status: 200 },
      { method: "GET", path: "/readyz?require=king", status: 400, code: "badArguments", says: "require" },
    ],
  },
  {
    name: "metrics",
    steps: [{ method: "GET", path: "/metrics", status: 200, answers: { "Content-Type": /^text\/plain/ } }],
  },
  {
    name: "the cluster",
    steps: [
      {
        method: "GET",
        path: "/v1/cluster",
        status: 200,
        check: ({ json: b }) =>
          assert.ok(b.members.some((m: { id: number; role: string }) => m.id === b.leader && m.role === "leading")),
      },
    ],
  },
  {
    name: "the hand-over is the super user's",
    steps: [
      { method: "POST", path: "/v1/cluster/leader", headers: json, body: '{"to":1}', status: 403, code: "noAuth" },
      {
        method: "POST",
        path: "/v1/cluster/leader",
        headers: json,
        body: '{"to":"1"}',
        as: "super",
        status: 400,
        code: "badArguments",
        says: "body.to",
      },
      {
        method: "POST",
        path: "/v1/cluster/leader",
        headers: json,
        body: '{"to":77}',
        as: "super",
        status: 400,
        code: "badArguments",
      },
    ],
  },
  {
    name: "the specification",
    steps: [
      {
        method: "GET",
        path: "/v1/openapi.json",
        status: 200,
        check: ({ json: b }) => assert.match(b.openapi, /^3\.1/),
      },
    ],
  },
];

export const requestCases: readonly Case[] = [...strict, ...identities, ...operations];
