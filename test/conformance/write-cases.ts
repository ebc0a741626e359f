/** Writing znodes: made, replaced, compared, shaped, deleted. */
import assert from "node:assert/strict";
import type { Case } from "./runner.ts";
import { etag, get, put } from "./steps.ts";

const Z = "/v1/znodes@";

export const writeCases: readonly Case[] = [
  {
    name: "PUT replaces what is there",
    steps: [
      put("@/a", "1"),
      put("@/a", "2", {
        status: 200,
        answers: { Location: undefined },
        check: ({ json: b }) => assert.equal(b.stat.version, 1),
      }),
    ],
  },
  {
    name: "PUT that creates only",
    steps: [
      put("@/a", "1", { headers: { "If-None-Match": "*" } }),
      put("@/a", "2", { headers: { "If-None-Match": "*" }, status: 412, code: "nodeExists" }),
    ],
  },
  {
    name: "PUT that replaces only",
    steps: [put("@/a", "1", { headers: { "If-Match": "*" }, status: 412, code: "badVersion" })],
  },
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
  {
    name: "an unquoted ETag",
    steps: [
      put("@/a", "1", { headers: { "If-Match": "0x12" }, status: 400, code: "badArguments", says: "double quotes" }),
      get("@/a", 404, { code: "noNode" }),
    ],
  },
  {
    name: "an ETag that is no zxid",
    steps: [put("@/a", "1", { headers: { "If-Match": '"abc"' }, status: 400, code: "badArguments", says: "zxid" })],
  },
  {
    name: "If-None-Match with a tag on a write",
    steps: [
      put("@/a", "1", {
        headers: { "If-None-Match": '"0x1"' },
        status: 400,
        code: "badArguments",
        says: "If-None-Match",
      }),
    ],
  },
  {
    name: "two conditions that contradict",
    steps: [
      put("@/a", "1", {
        headers: { "If-None-Match": "*", "If-Match": "*" },
        status: 400,
        code: "badArguments",
        says: "exclude",
      }),
    ],
  },
  {
    name: "no parent",
    steps: [
      put("@/x/y", "1", { status: 409, code: "noParent", says: "?parents=true" }),
      put("@/x/y?parents=true", "1"),
    ],
  },
  { name: "parents by the bare name", steps: [put("@/x/y?parents", "1")] },
  {
    name: "a boolean that is none",
    steps: [put("@/x?parents=yes", "1", { status: 400, code: "badArguments", says: "parents" })],
  },
  {
    name: "ttl and container shape a znode",
    steps: [
      put("@/t?ttl=60s", "", { check: ({ json: b }) => assert.deepEqual([b.stat.kind, b.stat.ttl], ["ttl", "60s"]) }),
      put("@/c?container=true", "", { check: ({ json: b }) => assert.equal(b.stat.kind, "container") }),
    ],
  },
  {
    name: "a ttl put renews",
    steps: [
      put("@/t?ttl=60s"),
      put("@/t?ttl=90s", "", { status: 200, check: ({ json: b }) => assert.equal(b.stat.ttl, "90s") }),
    ],
  },
  { name: "a znode of another kind", steps: [put("@/t"), put("@/t?ttl=60s", "", { status: 409, code: "nodeExists" })] },
  {
    name: "an acl on a znode that is there",
    steps: [put("@/t"), put("@/t?acl=world:anyone:r", "", { status: 409, code: "nodeExists" })],
  },
  {
    name: "two kinds at once",
    steps: [put("@/t?ttl=60s&container=true", "", { status: 400, code: "badArguments", says: "ttl and container" })],
  },
  { name: "a ttl without a unit", steps: [put("@/t?ttl=60", "", { status: 400, code: "badArguments", says: "ttl" })] },
  {
    name: "an ephemeral without a session",
    steps: [put("@/e?ephemeral=true", "", { status: 400, code: "badArguments", says: "Quorate-Session" })],
  },
  {
    name: "the largest value",
    steps: [
      put("@/big", Buffer.alloc(1_048_575, 1)),
      get("@/big", 200, { check: (s) => assert.equal(s.bytes.length, 1_048_575) }),
    ],
  },
  {
    name: "a value too large",
    steps: [
      put("@/big", Buffer.alloc(1_048_576, 1), { status: 413, code: "tooLarge", says: "1048575" }),
      get("@/big", 404, { code: "noNode" }),
    ],
  },
  {
    name: "20 MB",
    steps: [
      put("@/big", Buffer.alloc(20_000_000, 1), { status: 413, code: "tooLarge", answers: { Connection: "close" } }),
      get("@/big", 404, { code: "noNode" }),
    ],
  },
  {
    name: "an encoded body",
    steps: [
      put("@/a", "1", {
        headers: { "Content-Encoding": "gzip" },
        status: 415,
        code: "unsupportedMediaType",
        says: "gzip",
      }),
    ],
  },
  {
    name: "a part of a body",
    steps: [
      put("@/a", "1", {
        headers: { "Content-Range": "bytes 0-0/2" },
        status: 400,
        code: "badArguments",
        says: "Content-Range",
      }),
    ],
  },
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
      {
        method: "DELETE",
        path: `${Z}/d?recursive=true`,
        status: 200,
        check: ({ json: b }) => assert.equal(b.deleted, 3),
      },
    ],
  },
  {
    name: "DELETE of the root",
    steps: [{ method: "DELETE", path: "/v1/znodes/", status: 400, code: "badArguments", says: "root" }],
  },
  {
    name: "DELETE with a body",
    steps: [{ method: "DELETE", path: Z, body: "{}", status: 400, code: "badArguments", says: "body" }],
  },
  {
    name: "If-None-Match on DELETE",
    steps: [
      {
        method: "DELETE",
        path: Z,
        headers: { "If-None-Match": "*" },
        status: 400,
        code: "badArguments",
        says: "If-None-Match",
      },
    ],
  },
  {
    name: "sequential children",
    steps: [
      {
        method: "POST",
        path: `${Z}?prefix=item-`,
        body: "1",
        status: 201,
        answers: { Location: /\/item-0000000000$/ },
      },
      {
        method: "POST",
        path: `${Z}?prefix=item-`,
        body: "2",
        status: 201,
        check: ({ json: b }, { at }) => assert.equal(b.path, `${at}/item-0000000001`),
      },
      { method: "POST", path: Z, status: 201, answers: { Location: /\/0000000002$/ } },
    ],
  },
  {
    name: "a prefix with a slash",
    steps: [{ method: "POST", path: `${Z}?prefix=a%2Fb`, status: 400, code: "badArguments", says: "prefix" }],
  },
  {
    name: "POST takes no condition",
    steps: [
      { method: "POST", path: Z, headers: { "If-Match": "*" }, status: 400, code: "badArguments", says: "If-Match" },
    ],
  },
  {
    name: "a name with a space and a percent sign has a good Location",
    steps: [
      put("@/a%20%25b", "x", { answers: { Location: /\/a%20%25b$/ } }),
      get("@/a%20%25b?format=json", 200, { check: ({ json: b }, { at }) => assert.equal(b.path, `${at}/a %b`) }),
    ],
  },
];
