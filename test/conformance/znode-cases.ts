/** Znodes, children and ACLs: what a user with curl does, and what he is told when it goes wrong. */
import assert from "node:assert/strict";
import type { Case, Seen, Step } from "./runner.ts";

const Z = "/v1/znodes@";
const json = { "Content-Type": "application/json" };

export function put(path: string, body: string | Buffer = "", more: Partial<Step> = {}): Step {
  return { method: "PUT", path: `/v1/znodes${path}`, body, status: 201, ...more };
}
export function get(path: string, status: number, more: Partial<Step> = {}): Step {
  return { method: "GET", path: `/v1/znodes${path}`, status, ...more };
}
const etag = { tag: (seen: Seen) => seen.headers["etag"] ?? "" };
const asJson = { Accept: "application/json" };

const reading: readonly Case[] = [
  {
    name: "bytes come back as they were put, with the stat in a header",
    steps: [
      put("@/a", Buffer.from([0, 255, 1]), { answers: { Location: /^\/v1\/znodes\/case-.*\/a$/, ETag: /^"0x[0-9a-f]{16}"$/ } }),
      get("@/a", 200, {
        answers: { "Content-Type": "application/octet-stream", "X-Content-Type-Options": "nosniff", Vary: "Accept" },
        check: (seen) => {
          assert.deepEqual([...seen.bytes], [0, 255, 1]);
          const stat = JSON.parse(seen.headers["quorate-stat"] ?? "");
          assert.deepEqual([stat.version, stat.dataLength, stat.kind], [0, 3, "persistent"]);
          assert.equal(seen.headers["etag"], `"${stat.mzxid}"`);
          assert.match(stat.ctime, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
        },
      }),
    ],
  },
  {
    name: "JSON by Accept: text as text",
    steps: [
      put("@/t", "grüße"),
      get("@/t", 200, {
        headers: asJson,
        check: ({ json: body }, { at }) => {
          assert.deepEqual([body.path, body.data, body.encoding], [`${at}/t`, "grüße", "utf-8"]);
          assert.equal(body.stat.numChildren, 0);
        },
      }),
    ],
  },
  {
    name: "JSON by format: bytes that are no UTF-8 as base64",
    steps: [put("@/b", Buffer.from([0xc3, 0x28])), get("@/b?format=json", 200, { check: ({ json: b }) => assert.deepEqual([b.data, b.encoding], ["wyg=", "base64"]) })],
  },
  {
    name: "JSON with base64 forced",
    steps: [put("@/b", "hi"), get("@/b?format=json&encoding=base64", 200, { check: ({ json: b }) => assert.equal(b.data, "aGk=") })],
  },
  { name: "an encoding without JSON", steps: [get("@?encoding=base64", 400, { code: "badArguments", says: "encoding" })] },
  { name: "an unknown encoding", steps: [get("@?format=json&encoding=hex", 400, { code: "badArguments", says: "encoding" })] },
  { name: "an unknown format", steps: [get("@?format=xml", 400, { code: "badArguments", says: "format" })] },
  { name: "Accept that cannot be met", steps: [get("@", 406, { code: "notAcceptable", headers: { Accept: "text/html" }, says: "Accept" })] },
  { name: "Accept that forbids by q=0", steps: [get("@", 200, { headers: { Accept: "application/octet-stream;q=0, */*" }, answers: { "Content-Type": "application/json" } })] },
  { name: "Accept of a browser gets the bytes", steps: [get("@", 200, { headers: { Accept: "text/html,*/*;q=0.8" }, answers: { "Content-Type": "application/octet-stream" } })] },
  { name: "Accept of a common client library gets JSON", steps: [get("@", 200, { headers: { Accept: "application/json, text/plain, */*" }, answers: { "Content-Type": "application/json" } })] },
  { name: "a znode that is not there", steps: [get("@/none", 404, { code: "noNode", check: ({ json: b }, { at }) => assert.equal(b.path, `${at}/none`) })] },
  {
    name: "304 for what the client has, by a list with W/ too",
    steps: [
      put("@/a", "1", { keep: etag }),
      get("@/a", 304, { headers: { "If-None-Match": "{tag}" }, check: (seen) => assert.equal(seen.bytes.length, 0) }),
      get("@/a", 304, { headers: { "If-None-Match": '"0x1", W/{tag}' } }),
      get("@/a", 200, { headers: { "If-None-Match": '"0x1"' } }),
      get("@/a", 400, { headers: { "If-None-Match": "0x1" }, code: "badArguments", says: "quotes" }),
    ],
  },
  {
    name: "HEAD: the headers of GET and no body",
    steps: [
      put("@/a", "123"),
      { method: "HEAD", path: `${Z}/a`, status: 200, answers: { ETag: /^"0x/, "Quorate-Stat": /"dataLength":3/ }, check: (s) => assert.equal(s.bytes.length, 0) },
      { method: "HEAD", path: `${Z}/none`, status: 404 },
    ],
  },
  { name: "the root", steps: [{ method: "GET", path: "/v1/znodes/", status: 200 }, { method: "GET", path: "/v1/znodes", status: 404, code: "noRoute", says: "/v1/znodes/" }] },
];

const consistency: readonly Case[] = [
  { name: "linearizable is what is said by default", steps: [get("@", 200, { answers: { "Quorate-Consistency": "linearizable" } })] },
  {
    name: "session reads with the zxid of the last answer",
    steps: [
      put("@/a", "1", { keep: { zxid: (s) => s.headers["quorate-zxid"] ?? "" } }),
      get("@/a", 200, { headers: { "Quorate-Consistency": "session", "Quorate-Min-Zxid": "{zxid}" }, answers: { "Quorate-Consistency": "session" } }),
    ],
  },
  { name: "session without a zxid", steps: [get("@", 400, { headers: { "Quorate-Consistency": "session" }, code: "badArguments", says: "Quorate-Min-Zxid" })] },
  { name: "stale says its age", steps: [get("@", 200, { headers: { "Quorate-Consistency": "stale", "Quorate-Max-Stale": "5m" }, answers: { "Quorate-Consistency": "stale", "Quorate-Stale-Age": /^\d+ms$/ } })] },
  { name: "max-stale without stale", steps: [get("@", 400, { headers: { "Quorate-Max-Stale": "2s" }, code: "badArguments", says: "Quorate-Max-Stale" })] },
  { name: "an unknown consistency", steps: [get("@", 400, { headers: { "Quorate-Consistency": "eventual" }, code: "badArguments", says: "eventual" })] },
  { name: "a zxid that is none", steps: [get("@", 400, { headers: { "Quorate-Min-Zxid": "17" }, code: "badArguments", says: "Quorate-Min-Zxid" })] },
  { name: "a zxid that is yet to come", steps: [get("@", 503, { headers: { "Quorate-Min-Zxid": "0x000fffff00000001", "Quorate-Timeout": "200ms" }, code: "behind" })] },
  { name: "a bare number is no duration", steps: [get("@", 400, { headers: { "Quorate-Timeout": "5" }, code: "badArguments", says: "unit" })] },
  { name: "a time limit over the most", steps: [get("@", 400, { headers: { "Quorate-Timeout": "2m" }, code: "badArguments", says: "Quorate-Timeout" })] },
];

const writing: readonly Case[] = [
  { name: "PUT replaces what is there", steps: [put("@/a", "1"), put("@/a", "2", { status: 200, answers: { Location: undefined }, check: ({ json: b }) => assert.equal(b.stat.version, 1) })] },
  { name: "PUT that creates only", steps: [put("@/a", "1", { headers: { "If-None-Match": "*" } }), put("@/a", "2", { headers: { "If-None-Match": "*" }, status: 412, code: "nodeExists" })] },
  { name: "PUT that replaces only", steps: [put("@/a", "1", { headers: { "If-Match": "*" }, status: 412, code: "badVersion" })] },
  {
    name: "compare and set",
    steps: [
      put("@/a", "1", { keep: etag }),
      put("@/a", "2", { headers: { "If-Match": "{tag}" }, status: 200 }),
      put("@/a", "3", { headers: { "If-Match": "{tag}" }, status: 412, code: "badVersion" }),
      put("@/a", "4", { headers: { "If-Match": ['"0x1"', "{tag}"] }, status: 412, code: "badVersion" }),
      get("@/a", 200, { check: (s) => assert.equal(s.text, "2") }),
    ],
  },
  { name: "an unquoted ETag", steps: [put("@/a", "1", { headers: { "If-Match": "0x12" }, status: 400, code: "badArguments", says: "double quotes" }), get("@/a", 404, { code: "noNode" })] },
  { name: "an ETag that is no zxid", steps: [put("@/a", "1", { headers: { "If-Match": '"abc"' }, status: 400, code: "badArguments", says: "zxid" })] },
  { name: "If-None-Match with a tag on a write", steps: [put("@/a", "1", { headers: { "If-None-Match": '"0x1"' }, status: 400, code: "badArguments", says: "If-None-Match" })] },
  { name: "two conditions that contradict", steps: [put("@/a", "1", { headers: { "If-None-Match": "*", "If-Match": "*" }, status: 400, code: "badArguments", says: "exclude" })] },
  { name: "no parent", steps: [put("@/x/y", "1", { status: 409, code: "noParent", says: "?parents=true" }), put("@/x/y?parents=true", "1")] },
  { name: "parents by the bare name", steps: [put("@/x/y?parents", "1")] },
  { name: "a boolean that is none", steps: [put("@/x?parents=yes", "1", { status: 400, code: "badArguments", says: "parents" })] },
  { name: "ttl and container shape a znode", steps: [put("@/t?ttl=60s", "", { check: ({ json: b }) => assert.deepEqual([b.stat.kind, b.stat.ttl], ["ttl", "60s"]) }), put("@/c?container=true", "", { check: ({ json: b }) => assert.equal(b.stat.kind, "container") })] },
  { name: "a ttl put renews", steps: [put("@/t?ttl=60s"), put("@/t?ttl=90s", "", { status: 200, check: ({ json: b }) => assert.equal(b.stat.ttl, "90s") })] },
  { name: "a znode of another kind", steps: [put("@/t"), put("@/t?ttl=60s", "", { status: 409, code: "nodeExists" })] },
  { name: "an acl on a znode that is there", steps: [put("@/t"), put("@/t?acl=world:anyone:r", "", { status: 409, code: "nodeExists" })] },
  { name: "two kinds at once", steps: [put("@/t?ttl=60s&container=true", "", { status: 400, code: "badArguments", says: "ttl and container" })] },
  { name: "a ttl without a unit", steps: [put("@/t?ttl=60", "", { status: 400, code: "badArguments", says: "ttl" })] },
  { name: "an ephemeral without a session", steps: [put("@/e?ephemeral=true", "", { status: 400, code: "badArguments", says: "Quorate-Session" })] },
  { name: "the largest value", steps: [put("@/big", Buffer.alloc(1_048_575, 1)), get("@/big", 200, { check: (s) => assert.equal(s.bytes.length, 1_048_575) })] },
  { name: "a value too large", steps: [put("@/big", Buffer.alloc(1_048_576, 1), { status: 413, code: "tooLarge", says: "1048575" }), get("@/big", 404, { code: "noNode" })] },
  { name: "20 MB", steps: [put("@/big", Buffer.alloc(20_000_000, 1), { status: 413, code: "tooLarge", answers: { Connection: "close" } }), get("@/big", 404, { code: "noNode" })] },
  { name: "an encoded body", steps: [put("@/a", "1", { headers: { "Content-Encoding": "gzip" }, status: 415, code: "unsupportedMediaType", says: "gzip" })] },
  { name: "a part of a body", steps: [put("@/a", "1", { headers: { "Content-Range": "bytes 0-0/2" }, status: 400, code: "badArguments", says: "Content-Range" })] },
  {
    name: "DELETE",
    steps: [
      put("@/d"),
      { method: "DELETE", path: `${Z}/d`, status: 200, check: ({ json: b }) => assert.equal(b.deleted, 1) },
      { method: "DELETE", path: `${Z}/d`, status: 404, code: "noNode" },
    ],
  },
  {
    name: "DELETE with a tag",
    steps: [
      put("@/d", "", { keep: etag }),
      { method: "DELETE", path: `${Z}/d`, headers: { "If-Match": '"0x1"' }, status: 412, code: "badVersion" },
      { method: "DELETE", path: `${Z}/d`, headers: { "If-Match": "{tag}" }, status: 200 },
      { method: "DELETE", path: `${Z}/d`, headers: { "If-Match": "{tag}" }, status: 404, code: "noNode" },
    ],
  },
  {
    name: "DELETE of a znode with children",
    steps: [
      put("@/d/e/f?parents=true"),
      { method: "DELETE", path: `${Z}/d`, status: 409, code: "notEmpty" },
      { method: "DELETE", path: `${Z}/d?recursive=true`, status: 200, check: ({ json: b }) => assert.equal(b.deleted, 3) },
    ],
  },
  { name: "DELETE of the root", steps: [{ method: "DELETE", path: "/v1/znodes/", status: 400, code: "badArguments", says: "root" }] },
  { name: "DELETE with a body", steps: [{ method: "DELETE", path: Z, body: "{}", status: 400, code: "badArguments", says: "body" }] },
  { name: "If-None-Match on DELETE", steps: [{ method: "DELETE", path: Z, headers: { "If-None-Match": "*" }, status: 400, code: "badArguments", says: "If-None-Match" }] },
  {
    name: "sequential children",
    steps: [
      { method: "POST", path: `${Z}?prefix=item-`, body: "1", status: 201, answers: { Location: /\/item-0000000000$/ } },
      { method: "POST", path: `${Z}?prefix=item-`, body: "2", status: 201, check: ({ json: b }, { at }) => assert.equal(b.path, `${at}/item-0000000001`) },
      { method: "POST", path: Z, status: 201, answers: { Location: /\/0000000002$/ } },
    ],
  },
  { name: "a prefix with a slash", steps: [{ method: "POST", path: `${Z}?prefix=a%2Fb`, status: 400, code: "badArguments", says: "prefix" }] },
  { name: "POST takes no condition", steps: [{ method: "POST", path: Z, headers: { "If-Match": "*" }, status: 400, code: "badArguments", says: "If-Match" }] },
  { name: "a name with a space and a percent sign has a good Location", steps: [put("@/a%20%25b", "x", { answers: { Location: /\/a%20%25b$/ } }), get("@/a%20%25b?format=json", 200, { check: ({ json: b }, { at }) => assert.equal(b.path, `${at}/a %b`) })] },
];

const list = (query: string, more: Partial<Step>): Step => ({ method: "GET", path: `/v1/children@${query}`, status: 200, ...more });
const names = (seen: Seen): string[] => seen.json.children.map((each: { name: string }) => each.name);

const children: readonly Case[] = [
  {
    name: "children, sorted, with a tag",
    steps: [
      put("@/b"),
      put("@/a"),
      list("", { check: (s) => assert.deepEqual(names(s), ["a", "b"]), keep: etag }),
      list("", { headers: { "If-None-Match": "{tag}" }, status: 304 }),
      list("?data=true", { answers: { ETag: undefined }, check: (s) => assert.deepEqual([s.json.children[0].data, s.json.children[0].stat.version], ["", 0]) }),
    ],
  },
  {
    name: "pages keep to the names of the first, whatever happens meanwhile",
    steps: [
      put("@/a"),
      put("@/b"),
      put("@/d"),
      list("?limit=1", { check: (s) => assert.deepEqual(names(s), ["a"]), keep: { more: (s) => s.json.continue, zxid: (s) => s.json.zxid } }),
      put("@/c"),
      { method: "DELETE", path: `${Z}/d`, status: 200 },
      list("?limit=10&continue={more}", { check: (s, { values }) => assert.deepEqual([names(s), s.json.zxid, s.json.continue], [["b", "d"], values.get("zxid"), undefined]) }),
      { method: "GET", path: "/v1/children/?continue={more}", status: 400, code: "badArguments", says: "continue" },
    ],
  },
  { name: "a token that was tampered with", steps: [list("?continue=abcd", { status: 400, code: "badArguments", says: "continue" })] },
  { name: "a limit of none", steps: [list("?limit=0", { status: 400, code: "badArguments", says: "limit" })] },
  { name: "a limit over the most", steps: [list("?limit=10001", { status: 400, code: "badArguments", says: "10000" })] },
  { name: "children of what is not there", steps: [{ method: "GET", path: "/v1/children@/none", status: 404, code: "noNode" }] },
];

const A = "/v1/acl@/s";
const acls: readonly Case[] = [
  {
    name: "two users and the super user",
    steps: [
      put("@/s?acl=auth::cdrwa", "secret", { as: "alice:a" }),
      get("@/s", 200, { as: "alice:a" }),
      get("@/s", 403, { as: "bob:b", code: "noAuth" }),
      get("@/s", 403, { code: "noAuth" }),
      get("@/s", 403, { as: "alice:wrong", code: "noAuth" }),
      put("@/s", "x", { as: "bob:b", status: 403, code: "noAuth" }),
      get("@/s", 200, { as: "super" }),
    ],
  },
  {
    name: "an ACL is read, sent back changed, and compared",
    steps: [
      put("@/s?acl=auth::cdrwa", "", { as: "alice:a" }),
      { method: "GET", path: A, as: "alice:a", status: 200, keep: etag, check: ({ json: b }) => assert.deepEqual([b.acl[0].scheme, b.acl[0].perms, b.version], ["digest", "cdrwa", 0]) },
      { method: "GET", path: A, as: "alice:a", headers: { "If-None-Match": "{tag}" }, status: 304 },
      { method: "PUT", path: A, as: "alice:a", headers: { ...json, "If-Match": "{tag}" }, body: '{"acl":[{"scheme":"auth","id":"","perms":"cdrwa"},{"scheme":"world","id":"anyone","perms":"r"}]}', status: 200, check: ({ json: b }) => assert.equal(b.stat.aversion, 1) },
      { method: "PUT", path: A, as: "alice:a", headers: { ...json, "If-Match": "{tag}" }, body: '{"acl":[{"scheme":"world","id":"anyone","perms":"r"}]}', status: 412, code: "badVersion" },
      { method: "PUT", path: A, as: "alice:a", headers: json, body: '{"acl":[{"scheme":"world","id":"anyone","perms":"r"}],"version":0}', status: 412, code: "badVersion" },
      get("@/s", 200),
      put("@/s", "x", { status: 403, code: "noAuth" }),
    ],
  },
  { name: "an ACL of nobody", steps: [put("@/s"), { method: "PUT", path: A, headers: json, body: '{"acl":[]}', status: 400, code: "invalidAcl" }] },
  { name: "auth without credentials", steps: [put("@/s?acl=auth::r", "", { status: 400, code: "invalidAcl" })] },
  { name: "permissions that are none", steps: [put("@/s?acl=world:anyone:rx", "", { status: 400, code: "badArguments", says: "cdrwa" })] },
  { name: "an entry that is none", steps: [put("@/s?acl=world", "", { status: 400, code: "badArguments", says: "scheme:id:perms" })] },
  { name: "a + that became a space", steps: [put("@/s?acl=digest:bob:a+b=:r", "", { status: 400, code: "badArguments", says: "%2B" })] },
  { name: "a data tag on an ACL", steps: [put("@/s"), { method: "PUT", path: A, headers: { ...json, "If-Match": '"0x12"' }, body: '{"acl":[{"scheme":"world","id":"anyone","perms":"r"}]}', status: 400, code: "badArguments", says: "If-Match" }] },
  { name: "an ACL that is missing", steps: [put("@/s"), { method: "PUT", path: A, headers: json, body: "{}", status: 400, code: "badArguments", says: "acl" }] },
  { name: "an ACL by address", steps: [put("@/s?acl=ip:10.9.8.7:cdrwa", "", {}), get("@/s", 403, { code: "noAuth" })] },
];

export const znodeCases: readonly Case[] = [...reading, ...consistency, ...writing, ...children, ...acls];
