/** Txns: all or nothing, and bodies that are no txn. */
import assert from "node:assert/strict";
import type { Case } from "./runner.ts";
import { get, json, put, txn } from "./steps.ts";

export const txnCases: readonly Case[] = [
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
  {
    name: "a txn takes else",
    steps: [
      txn(
        {
          check: [{ path: "@", exists: false }],
          then: [{ op: "delete", path: "@" }],
          else: [{ op: "get", path: "@" }],
        },
        { check: ({ json: b }) => assert.equal(b.branch, "else") },
      ),
    ],
  },
  {
    name: "a txn fails as a whole and names the op",
    steps: [
      txn(
        {
          then: [
            { op: "create", path: "@/a" },
            { op: "delete", path: "@/none" },
          ],
        },
        {
          status: 409,
          code: "noNode",
          check: ({ json: b }, { at }) => assert.deepEqual([b.op, b.path], [{ in: "then", index: 1 }, `${at}/none`]),
        },
      ),
      get("@/a", 404, { code: "noNode" }),
    ],
  },
  {
    name: "badVersion in a txn is 409",
    steps: [txn({ then: [{ op: "set", path: "@", data: "x", version: 7 }] }, { status: 409, code: "badVersion" })],
  },
  {
    name: "a failing check without else",
    steps: [
      txn(
        { check: [{ path: "@", version: 7 }], then: [{ op: "set", path: "@", data: "x" }] },
        { status: 409, code: "badVersion", check: ({ json: b }) => assert.deepEqual(b.op, { in: "check", index: 0 }) },
      ),
    ],
  },
  {
    name: "reads alone write nothing",
    steps: [
      txn(
        {
          then: [
            { op: "get", path: "@" },
            { op: "exists", path: "@" },
          ],
        },
        { answers: { "Quorate-Consistency": "linearizable" }, keep: { zxid: (s) => s.json.zxid } },
      ),
      get("@", 200, { check: (s, { values }) => assert.equal(s.headers["quorate-zxid"], values.get("zxid")) }),
    ],
  },
  {
    name: "fencing by czxid",
    steps: [
      put("@/l", "", { keep: { czxid: (s) => s.json.stat.czxid } }),
      txn('{"check":[{"path":"@/l","czxid":"{czxid}"}],"then":[{"op":"put","path":"@/r"}]}'),
      txn('{"check":[{"path":"@/l","czxid":"0x1"}],"then":[{"op":"put","path":"@/r"}]}', {
        status: 409,
        code: "badVersion",
      }),
    ],
  },
  {
    name: "an unknown key in a txn",
    steps: [
      txn({ then: [{ op: "put", path: "@", datum: "x" }] }, { status: 400, code: "badArguments", says: "datum" }),
    ],
  },
  {
    name: "an unknown key at the top",
    steps: [txn({ when: [], then: [] }, { status: 400, code: "badArguments", says: "when" })],
  },
  {
    name: "a key twice",
    steps: [
      txn('{"then":[{"op":"put","path":"@","path":"@/x"}]}', { status: 400, code: "badArguments", says: "path" }),
    ],
  },
  {
    name: "a key twice, once written with an escape",
    steps: [txn('{"then":[],"th\\u0065n":[]}', { status: 400, code: "badArguments", says: "then" })],
  },
  {
    name: "an unknown op",
    steps: [txn({ then: [{ op: "upsert", path: "@" }] }, { status: 400, code: "badArguments", says: "upsert" })],
  },
  {
    name: "an op named like a property of objects",
    steps: [
      txn({ then: [{ op: "constructor", path: "@" }] }, { status: 400, code: "badArguments", says: "constructor" }),
    ],
  },
  { name: "a txn of nothing", steps: [txn({}, { status: 400, code: "badArguments", says: "empty" })] },
  {
    name: "a check of nothing",
    steps: [txn({ check: [{ path: "@" }], then: [] }, { status: 400, code: "badArguments", says: "check[0]" })],
  },
  {
    name: "a bad path in a txn",
    steps: [txn({ then: [{ op: "get", path: "a" }] }, { status: 400, code: "badArguments", says: "then[0].path" })],
  },
  {
    name: "base64 that is none",
    steps: [
      txn(
        { then: [{ op: "put", path: "@", data: { base64: "?" } }] },
        { status: 400, code: "badArguments", says: "base64" },
      ),
    ],
  },
  { name: "no JSON", steps: [txn('{"then":', { status: 400, code: "badArguments", says: "JSON" })] },
  { name: "JSON that is no object", steps: [txn("[]", { status: 400, code: "badArguments", says: "object" })] },
  {
    name: "JSON nested without end",
    steps: [txn("[".repeat(100_000), { status: 400, code: "badArguments", says: "nested" })],
  },
  {
    name: "JSON of another type",
    steps: [
      txn(
        { then: [] },
        {
          headers: { "Content-Type": "text/plain" },
          status: 415,
          code: "unsupportedMediaType",
          says: "application/json",
        },
      ),
    ],
  },
  {
    name: "JSON without a type",
    steps: [txn({ then: [] }, { headers: {}, status: 415, code: "unsupportedMediaType" })],
  },
  {
    name: "a consistency on a txn that writes",
    steps: [
      txn(
        { then: [{ op: "put", path: "@" }] },
        {
          headers: { ...json, "Quorate-Consistency": "stale" },
          status: 400,
          code: "badArguments",
          says: "Quorate-Consistency",
        },
      ),
    ],
  },
  {
    name: "a value in a txn too large",
    steps: [txn({ then: [{ op: "put", path: "@", data: "x".repeat(1_048_576) }] }, { status: 413, code: "tooLarge" })],
  },
];
