/** Writes that a lock fences, over HTTP: they are as they are without, until the lock has passed on. */
import assert from "node:assert/strict";
import { keepToken, lock, of, open, release } from "./lock-cases.ts";
import type { Case, Step } from "./runner.ts";
import { get, json, put, txn } from "./steps.ts";

/** `{token}` holds `@/l`. */
const fence = { "Quorate-Fenced": "@/l={token}" };
const dead = { status: 412, code: "fenced", says: "/l is not held with the token 0x" } as const;
const acl = JSON.stringify({ acl: [{ scheme: "world", id: "anyone", perms: "cdrwa" }] });
const key = { "Idempotency-Key": "k@" };
const write = (headers: Record<string, string>, more: Partial<Step> = {}): readonly Step[] => [
  put("@/w", "1", { headers, ...more }),
  { method: "POST", path: "/v1/znodes@?prefix=s-", headers, status: 201, ...more },
  { method: "PUT", path: "/v1/acl@/w", headers: { ...json, ...headers }, body: acl, status: 200, ...more },
  txn({ then: [{ op: "put", path: "@/t", data: "1" }] }, { headers: { ...json, ...headers }, ...more }),
  txn(
    { check: [{ path: "@/none", exists: true }], then: [], else: [{ op: "put", path: "@/t", data: "2" }] },
    { headers: { ...json, ...headers }, ...more },
  ),
  txn({ then: [{ op: "get", path: "@/t" }] }, { headers: { ...json, ...headers }, ...more }),
  { method: "DELETE", path: "/v1/znodes@/w", headers, status: 200, ...more },
];

export const fenceCases: readonly Case[] = [
  {
    name: "fence: every write is done while the lock is held, and none afterwards",
    steps: [
      open("a"),
      lock("", { headers: of("a"), ...keepToken("token") }),
      ...write(fence),
      release("a", 200),
      ...write(fence, { ...dead, answers: { "Quorate-Replayed": undefined } }),
      get("@/w", 404, { code: "noNode" }),
      get("@/t", 200, { check: ({ text }) => assert.equal(text, "2") }),
    ],
  },
  {
    name: "fence: a write keeps its own answers",
    steps: [
      open("a"),
      lock("", { headers: of("a"), ...keepToken("token") }),
      put("@/w", "1", { headers: { ...fence, "If-Match": "*" }, status: 412, code: "badVersion" }),
      put("@/w", "1", { headers: fence, answers: { Location: /\/w$/, ETag: /^"0x/ } }),
      put("@/w", "1", { headers: fence, status: 200 }),
      put("@/w", "1", { headers: { ...fence, "If-None-Match": "*" }, status: 412, code: "nodeExists" }),
      put("@/n/o", "1", {
        headers: fence,
        status: 409,
        code: "noParent",
        check: ({ json: b }) => assert.equal(b.op, undefined),
      }),
      { method: "DELETE", path: "/v1/znodes@/none", headers: fence, status: 404, code: "noNode" },
      txn(
        { check: [{ path: "@/w", version: 7 }], then: [{ op: "get", path: "@/w" }] },
        {
          headers: { ...json, ...fence },
          status: 409,
          code: "badVersion",
          check: ({ json: b }) => assert.deepEqual(b.op, { in: "check", index: 0 }),
        },
      ),
      txn(
        {
          check: [{ path: "@/w", version: 7 }],
          then: [],
          else: [
            { op: "get", path: "@/w" },
            { op: "set", path: "@/none", data: "" },
          ],
        },
        {
          headers: { ...json, ...fence },
          status: 409,
          code: "noNode",
          check: ({ json: b }) => assert.deepEqual(b.op, { in: "else", index: 1 }),
        },
      ),
      txn(
        { check: [{ path: "@/w", version: 7 }], then: [], else: [{ op: "get", path: "@/w" }] },
        {
          headers: { ...json, ...fence },
          check: ({ json: b }) => assert.deepEqual([b.branch, b.results.length, b.results[0].data], ["else", 1, "1"]),
        },
      ),
    ],
  },
  {
    name: "fence: belongs to what a key is of, and is no hindrance to a replay",
    steps: [
      open("a"),
      lock("", { headers: of("a"), ...keepToken("token") }),
      put("@/w", "1", { headers: { ...fence, ...key } }),
      put("@/w", "1", { headers: key, status: 422, code: "keyReused" }),
      release("a", 200),
      put("@/w", "1", { headers: { ...fence, ...key }, answers: { "Quorate-Replayed": "true" } }),
      put("@/w", "2", { headers: { ...fence, "Idempotency-Key": "l@" }, ...dead }),
      put("@/w", "2", {
        headers: { ...fence, "Idempotency-Key": "l@" },
        ...dead,
        answers: { "Quorate-Replayed": "true" },
      }),
    ],
  },
  {
    name: "fence: of somebody who waits, and of a leader",
    steps: [
      open("a"),
      open("b"),
      lock("", { headers: of("a"), ...keepToken("token") }),
      lock("", {
        headers: of("b"),
        status: 202,
        // What a waiting place would have as its token is the zxid at which it came.
        keep: { waiting: (s) => s.json.zxid },
      }),
      put("@/w", "1", { headers: { "Quorate-Fenced": "@/l={waiting}" }, status: 412, code: "fenced" }),
      { method: "POST", path: "/v1/elections@/x", headers: of("b"), status: 200, ...keepToken("leads") },
      put("@/w", "1", { headers: { "Quorate-Fenced": "@/l={token}, @/x={leads}" } }),
      put("@/w", "1", { headers: { "Quorate-Fenced": ["@/l={token}", "@/x={leads}"] }, status: 200 }),
      { method: "DELETE", path: "/v1/elections@/x", headers: of("b"), status: 200 },
      put("@/w", "1", {
        headers: { "Quorate-Fenced": "@/l={token}, @/x={leads}" },
        status: 412,
        code: "fenced",
        says: "/x is not held",
      }),
    ],
  },
  {
    name: "fence: written wrongly",
    steps: [
      put("@/w", "", { headers: { "Quorate-Fenced": "app" }, status: 400, code: "badArguments", says: "name=token" }),
      put("@/w", "", { headers: { "Quorate-Fenced": "a=7" }, status: 400, code: "badArguments", says: "zxid" }),
      get("@", 400, { headers: fence, code: "badArguments", says: "Quorate-Fenced" }),
      txn(
        { then: [{ op: "get", path: "@" }] },
        {
          headers: { ...json, "Quorate-Fenced": "a=0x1", "Quorate-Consistency": "stale" },
          status: 400,
          code: "badArguments",
          says: "fenced",
        },
      ),
    ],
  },
];
