/** Reading znodes: representations, conditions, consistencies. */
import assert from "node:assert/strict";
import type { Case } from "./runner.ts";
import { etag, get, put } from "./steps.ts";

const Z = "/v1/znodes@";
const asJson = { Accept: "application/json" };

const reading: readonly Case[] = [
  {
    name: "bytes come back as they were put, with the stat in a header",
    steps: [
      put("@/a", Buffer.from([0, 255, 1]), {
        answers: { Location: /^\/v1\/znodes\/case-.*\/a$/, ETag: /^"0x[0-9a-f]{16}"$/ },
      }),
      get("@/a", 200, {
        answers: { "Content-Type": "application/octet-stream", "X-Content-Type-Options": "nosniff", Vary: "Accept" },
        check: (seen) => {
          assert.deepEqual([...seen.bytes], [0, 255, 1]);
          const stat = JSON.parse(seen.headers["quorate-stat"] ?? "");
          assert.deepEqual([stat.version, stat.dataLength, stat.kind], [0, 3, "persistent"]);
          assert.equal(seen.headers.etag, `"${stat.mzxid}"`);
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
    steps: [
      put("@/b", Buffer.from([0xc3, 0x28])),
      get("@/b?format=json", 200, {
        check: ({ json: b }) => assert.deepEqual([b.data, b.encoding], ["wyg=", "base64"]),
      }),
    ],
  },
  {
    name: "JSON with base64 forced",
    steps: [
      put("@/b", "hi"),
      get("@/b?format=json&encoding=base64", 200, { check: ({ json: b }) => assert.equal(b.data, "aGk=") }),
    ],
  },
  {
    name: "an encoding without JSON",
    steps: [get("@?encoding=base64", 400, { code: "badArguments", says: "encoding" })],
  },
  {
    name: "an unknown encoding",
    steps: [get("@?format=json&encoding=hex", 400, { code: "badArguments", says: "encoding" })],
  },
  { name: "an unknown format", steps: [get("@?format=xml", 400, { code: "badArguments", says: "format" })] },
  {
    name: "Accept that cannot be met",
    steps: [get("@", 406, { code: "notAcceptable", headers: { Accept: "text/html" }, says: "Accept" })],
  },
  {
    name: "Accept that forbids by q=0",
    steps: [
      get("@", 200, {
        headers: { Accept: "application/octet-stream;q=0, */*" },
        answers: { "Content-Type": "application/json" },
      }),
    ],
  },
  {
    name: "Accept of a browser gets the bytes",
    steps: [
      get("@", 200, {
        headers: { Accept: "text/html,*/*;q=0.8" },
        answers: { "Content-Type": "application/octet-stream" },
      }),
    ],
  },
  {
    name: "Accept of a common client library gets JSON",
    steps: [
      get("@", 200, {
        headers: { Accept: "application/json, text/plain, */*" },
        answers: { "Content-Type": "application/json" },
      }),
    ],
  },
  {
    name: "a znode that is not there",
    steps: [get("@/none", 404, { code: "noNode", check: ({ json: b }, { at }) => assert.equal(b.path, `${at}/none`) })],
  },
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
      {
        method: "HEAD",
        path: `${Z}/a`,
        status: 200,
        answers: { ETag: /^"0x/, "Quorate-Stat": /"dataLength":3/ },
        check: (s) => assert.equal(s.bytes.length, 0),
      },
      { method: "HEAD", path: `${Z}/none`, status: 404 },
    ],
  },
  {
    name: "the root",
    steps: [
      { method: "GET", path: "/v1/znodes/", status: 200 },
      { method: "GET", path: "/v1/znodes", status: 404, code: "noRoute", says: "/v1/znodes/" },
      { method: "GET", path: "/v1/tree", status: 404, code: "noRoute", says: "/v1/tree/" },
      { method: "GET", path: "/", status: 404, code: "noRoute", says: "/docs" },
      { method: "GET", path: "/docs/", status: 404, code: "noRoute", says: "in /docs," },
    ],
  },
];

const consistency: readonly Case[] = [
  {
    name: "linearizable is what is said by default",
    steps: [get("@", 200, { answers: { "Quorate-Consistency": "linearizable" } })],
  },
  {
    name: "session reads with the zxid of the last answer",
    steps: [
      put("@/a", "1", { keep: { zxid: (s) => s.headers["quorate-zxid"] ?? "" } }),
      get("@/a", 200, {
        headers: { "Quorate-Consistency": "session", "Quorate-Min-Zxid": "{zxid}" },
        answers: { "Quorate-Consistency": "session" },
      }),
    ],
  },
  {
    name: "session without a zxid",
    steps: [
      get("@", 400, { headers: { "Quorate-Consistency": "session" }, code: "badArguments", says: "Quorate-Min-Zxid" }),
    ],
  },
  {
    name: "stale says its age",
    steps: [
      get("@", 200, {
        headers: { "Quorate-Consistency": "stale", "Quorate-Max-Stale": "5m" },
        answers: { "Quorate-Consistency": "stale", "Quorate-Stale-Age": /^\d+ms$/ },
      }),
      get("@/absent", 404, {
        headers: { "Quorate-Consistency": "stale", "Quorate-Max-Stale": "5m" },
        code: "noNode",
        answers: { "Quorate-Consistency": "stale", "Quorate-Stale-Age": /^\d+ms$/ },
      }),
    ],
  },
  {
    name: "max-stale without stale",
    steps: [get("@", 400, { headers: { "Quorate-Max-Stale": "2s" }, code: "badArguments", says: "Quorate-Max-Stale" })],
  },
  {
    name: "an unknown consistency",
    steps: [get("@", 400, { headers: { "Quorate-Consistency": "eventual" }, code: "badArguments", says: "eventual" })],
  },
  {
    name: "a zxid that is none",
    steps: [get("@", 400, { headers: { "Quorate-Min-Zxid": "17" }, code: "badArguments", says: "Quorate-Min-Zxid" })],
  },
  {
    name: "a zxid that is yet to come",
    steps: [
      get("@", 503, {
        headers: { "Quorate-Min-Zxid": "0x000fffff00000001", "Quorate-Timeout": "1s" },
        code: "behind",
      }),
    ],
  },
  {
    name: "a bare number is no duration",
    steps: [get("@", 400, { headers: { "Quorate-Timeout": "5" }, code: "badArguments", says: "unit" })],
  },
  {
    name: "a time limit over the most",
    steps: [get("@", 400, { headers: { "Quorate-Timeout": "2m" }, code: "badArguments", says: "Quorate-Timeout" })],
  },
];

export const readCases: readonly Case[] = [...reading, ...consistency];
