/** The judge of the fuzz finds what is not by the specification: one answer that is, and that answer with one thing wrong. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { judge, type Seen } from "./judge.ts";
import { operations } from "./specification.ts";

const get = operations.find(({ id }) => id === "get");
const watch = operations.find(({ id }) => id === "watch");
const zxid = "0x0000000100000007";
const stat = {
  czxid: zxid,
  mzxid: zxid,
  pzxid: zxid,
  ctime: "2026-11-22T23:06:00.123Z",
  mtime: "2026-11-22T23:06:00.123Z",
  version: 0,
  cversion: 0,
  aversion: 0,
  dataLength: 2,
  numChildren: 0,
  kind: "persistent",
};
const znode = { path: "/a", data: "hi", encoding: "utf-8", stat };
const problem = {
  type: "/docs/errors#noNode",
  title: "No such znode",
  status: 404,
  detail: "there is no znode /a",
  code: "noNode",
  zxid,
  certainty: "noEffect",
};

interface Parts {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly json?: object;
}

function answer({ status = 200, headers = {}, json = znode }: Parts): Seen {
  const all = {
    "content-type": status < 400 ? "application/json" : "application/problem+json",
    "quorate-zxid": zxid,
    "quorate-served-by": "1",
    "cache-control": "no-store",
    ...headers,
  };
  return { status, headers: all, text: JSON.stringify(json), partial: false };
}

describe("the judge", () => {
  it("takes what is by the specification", () => {
    judge(get, "GET", answer({}));
    judge(get, "GET", answer({ status: 404, json: problem }));
  });

  const wrong: readonly (readonly [string, Parts, RegExp])[] = [
    ["a status that is not promised", { status: 202 }, /202 is not documented/],
    ["another type", { headers: { "content-type": "text/html" } }, /text\/html is not documented/],
    ["a header that is missing", { headers: { "cache-control": undefined } }, /cache-control/],
    ["a header that is not described", { headers: { "quorate-new": "1" } }, /quorate-new is not documented/],
    ["a header of another value", { headers: { "cache-control": "public" } }, /cache-control/],
    ["a stat that is none", { headers: { "quorate-stat": '{"version":0}' } }, /czxid/],
    ["a field that is missing", { json: { ...znode, path: undefined } }, /path/],
    ["a field of another type", { json: { ...znode, stat: { ...stat, version: "0" } } }, /version must be integer/],
    ["a field that is not described", { json: { ...znode, more: 1 } }, /additional properties/],
    ["a number that is no int32", { json: { ...znode, stat: { ...stat, version: 2 ** 40 } } }, /int32/],
    ["a time of another form", { json: { ...znode, stat: { ...stat, ctime: "2026-11-22" } } }, /date-time/],
    ["a code of another status", { status: 403, json: { ...problem, status: 403 } }, /noNode with 403/],
    ["a code that is none", { status: 404, json: { ...problem, code: "lost" } }, /code/],
    ["an effect that 4xx has not", { status: 404, json: { ...problem, certainty: "unknown" } }, /noEffect/],
    ["a title of its own", { status: 404, json: { ...problem, title: "Sorry" } }, /Sorry/],
  ];
  for (const [what, parts, why] of wrong) {
    it(`finds ${what}`, () => assert.throws(() => judge(get, "GET", answer(parts)), why));
  }

  const cursor = `${zxid}.4a91e37371a4b3c6`;
  const changed = { zxid, type: "changed", path: "/a", version: 1, czxid: zxid, time: "2026-11-22T23:06:00.123Z" };
  const streamed = (name: string, data: object): Seen => ({
    ...answer({ headers: { "content-type": "text/event-stream", vary: "Accept", "x-accel-buffering": "no" } }),
    text: `id: ${cursor}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`,
    partial: true,
  });

  it("takes the events of a stream", () => {
    judge(watch, "GET", streamed("changed", changed));
    judge(watch, "GET", streamed("cursor", { cursor }));
  });

  const wrongEvents: readonly (readonly [string, string, object])[] = [
    ["an event without its zxid", "changed", { ...changed, zxid: undefined }],
    ["an event of another name", "created", changed],
    ["an event of no known name", "moved", { cursor }],
    ["a cursor of none", "cursor", {}],
  ];
  for (const [what, name, data] of wrongEvents) {
    it(`finds ${what}`, () => assert.throws(() => judge(watch, "GET", streamed(name, data))));
  }
});
