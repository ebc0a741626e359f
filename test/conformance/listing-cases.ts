/** Children and their pages, and who may do what. */
import assert from "node:assert/strict";
import type { Case, Seen, Step } from "./runner.ts";
import { etag, get, json, put } from "./steps.ts";

const Z = "/v1/znodes@";

const list = (query: string, more: Partial<Step>): Step => ({
  method: "GET",
  path: `/v1/children@${query}`,
  status: 200,
  ...more,
});
const names = (seen: Seen): string[] => seen.json.children.map((each: { name: string }) => each.name);

const children: readonly Case[] = [
  {
    name: "children, sorted, with a tag",
    steps: [
      put("@/b"),
      put("@/a"),
      list("", { check: (s) => assert.deepEqual(names(s), ["a", "b"]), keep: etag }),
      list("", { headers: { "If-None-Match": "{tag}" }, status: 304 }),
      list("?data=true", {
        answers: { ETag: undefined },
        check: (s) => assert.deepEqual([s.json.children[0].data, s.json.children[0].stat.version], ["", 0]),
      }),
    ],
  },
  {
    name: "pages keep to the names of the first, whatever happens meanwhile",
    steps: [
      put("@/a"),
      put("@/b"),
      put("@/d"),
      list("?limit=1", {
        check: (s) => assert.deepEqual(names(s), ["a"]),
        keep: { more: (s) => s.json.continue, zxid: (s) => s.json.zxid },
      }),
      put("@/c"),
      { method: "DELETE", path: `${Z}/d`, status: 200 },
      list("?limit=10&continue={more}", {
        check: (s, { values }) =>
          assert.deepEqual([names(s), s.json.zxid, s.json.continue], [["b", "d"], values.get("zxid"), undefined]),
      }),
      { method: "GET", path: "/v1/children/?continue={more}", status: 400, code: "badArguments", says: "continue" },
    ],
  },
  {
    name: "a token that was tampered with",
    steps: [list("?continue=abcd", { status: 400, code: "badArguments", says: "continue" })],
  },
  { name: "a limit of none", steps: [list("?limit=0", { status: 400, code: "badArguments", says: "limit" })] },
  {
    name: "a limit over the most",
    steps: [list("?limit=10001", { status: 400, code: "badArguments", says: "10000" })],
  },
  {
    name: "children of what is not there",
    steps: [{ method: "GET", path: "/v1/children@/none", status: 404, code: "noNode" }],
  },
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
      {
        method: "GET",
        path: A,
        as: "alice:a",
        status: 200,
        keep: etag,
        check: ({ json: b }) => assert.deepEqual([b.acl[0].scheme, b.acl[0].perms, b.version], ["digest", "cdrwa", 0]),
      },
      { method: "GET", path: A, as: "alice:a", headers: { "If-None-Match": "{tag}" }, status: 304 },
      {
        method: "PUT",
        path: A,
        as: "alice:a",
        headers: { ...json, "If-Match": "{tag}" },
        body: '{"acl":[{"scheme":"auth","id":"","perms":"cdrwa"},{"scheme":"world","id":"anyone","perms":"r"}]}',
        status: 200,
        check: ({ json: b }) => assert.equal(b.stat.aversion, 1),
      },
      {
        method: "PUT",
        path: A,
        as: "alice:a",
        headers: { ...json, "If-Match": "{tag}" },
        body: '{"acl":[{"scheme":"world","id":"anyone","perms":"r"}]}',
        status: 412,
        code: "badVersion",
      },
      {
        method: "PUT",
        path: A,
        as: "alice:a",
        headers: json,
        body: '{"acl":[{"scheme":"world","id":"anyone","perms":"r"}],"version":0}',
        status: 412,
        code: "badVersion",
      },
      get("@/s", 200),
      put("@/s", "x", { status: 403, code: "noAuth" }),
    ],
  },
  {
    name: "an ACL of nobody",
    steps: [put("@/s"), { method: "PUT", path: A, headers: json, body: '{"acl":[]}', status: 400, code: "invalidAcl" }],
  },
  { name: "auth without credentials", steps: [put("@/s?acl=auth::r", "", { status: 400, code: "invalidAcl" })] },
  {
    name: "permissions that are none",
    steps: [put("@/s?acl=world:anyone:rx", "", { status: 400, code: "badArguments", says: "cdrwa" })],
  },
  {
    name: "an entry that is none",
    steps: [put("@/s?acl=world", "", { status: 400, code: "badArguments", says: "scheme:id:perms" })],
  },
  {
    name: "a + that became a space",
    steps: [put("@/s?acl=digest:bob:a+b=:r", "", { status: 400, code: "badArguments", says: "%2B" })],
  },
  {
    name: "a data tag on an ACL",
    steps: [
      put("@/s"),
      {
        method: "PUT",
        path: A,
        headers: { ...json, "If-Match": '"0x12"' },
        body: '{"acl":[{"scheme":"world","id":"anyone","perms":"r"}]}',
        status: 400,
        code: "badArguments",
        says: "If-Match",
      },
    ],
  },
  {
    name: "an ACL that is missing",
    steps: [
      put("@/s"),
      { method: "PUT", path: A, headers: json, body: "{}", status: 400, code: "badArguments", says: "acl" },
    ],
  },
  { name: "an ACL by address", steps: [put("@/s?acl=ip:10.9.8.7:cdrwa", "", {}), get("@/s", 403, { code: "noAuth" })] },
];

export const listingCases: readonly Case[] = [...children, ...acls];
