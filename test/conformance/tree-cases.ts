/** A subtree as lines of JSON. */
import assert from "node:assert/strict";
import type { Case, Seen, Step } from "./runner.ts";
import { get, json, put } from "./steps.ts";

const tree = (query: string, more: Partial<Step> = {}): Step => ({
  method: "GET",
  path: `/v1/tree@${query}`,
  status: 200,
  ...more,
});

interface Line {
  readonly zxid?: string;
  readonly path?: string;
  readonly stat?: { readonly version: number };
  readonly data?: string;
  readonly encoding?: string;
  readonly end?: boolean;
  readonly count?: number;
}

function linesOf(seen: Seen): Line[] {
  assert.ok(seen.text.endsWith("\n"));
  return seen.text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Line);
}

/** The names below the case's folder, of a listing that is whole. */
function below(seen: Seen, at: string): string[] {
  const lines = linesOf(seen);
  assert.deepEqual(lines[0], { zxid: seen.headers["quorate-zxid"] });
  assert.deepEqual(lines.at(-1), { end: true, count: lines.length - 2 });
  return lines.slice(1, -1).map((line) => (line.path ?? "").slice(at.length));
}

const six = [put("@/b"), put("@/a"), put("@/a/x"), put("@/a/x/y"), put("@/a-b"), put("@/c", "\u00ff")];

export const treeCases: readonly Case[] = [
  {
    name: "a subtree, parents first, names by their bytes",
    steps: [
      ...six,
      tree("", {
        answers: { "Content-Type": "application/x-ndjson", "Quorate-Consistency": "linearizable" },
        check: (seen, { at }) => {
          assert.deepEqual(below(seen, at), ["", "/a", "/a/x", "/a/x/y", "/a-b", "/b", "/c"]);
          assert.ok(linesOf(seen).every((line) => line.data === undefined));
        },
      }),
      tree("?depth=0", { check: (seen, { at }) => assert.deepEqual(below(seen, at), [""]) }),
      tree("?depth=1", { check: (seen, { at }) => assert.deepEqual(below(seen, at), ["", "/a", "/a-b", "/b", "/c"]) }),
      tree("/a", { check: (seen, { at }) => assert.deepEqual(below(seen, at), ["/a", "/a/x", "/a/x/y"]) }),
      { method: "HEAD", path: "/v1/tree@", status: 200, answers: { "Content-Type": "application/x-ndjson" } },
    ],
  },
  {
    name: "a subtree with its data",
    steps: [
      put("@/t", "text"),
      put("@/u", Buffer.from([255, 0])),
      tree("?data=true", {
        check: (seen) => {
          const data = linesOf(seen)
            .slice(1, -1)
            .map(({ data, encoding }) => [data, encoding]);
          assert.deepEqual(data, [
            ["", "utf-8"],
            ["text", "utf-8"],
            ["/wA=", "base64"],
          ]);
        },
      }),
      tree("/t?data&encoding=base64", { check: (seen) => assert.equal(linesOf(seen)[1]?.data, "dGV4dA==") }),
    ],
  },
  {
    name: "a subtree, then a watch behind it",
    steps: [
      put("@/a"),
      tree("", { keep: { zxid: (seen) => linesOf(seen)[0]?.zxid ?? "" } }),
      put("@/b"),
      {
        method: "GET",
        path: "/v1/watch?subtree=@&after={zxid}",
        status: 200,
        check: ({ json: body }, { at }) =>
          assert.deepEqual(
            body.events.map((e: Line) => e.path),
            [`${at}/b`],
          ),
      },
    ],
  },
  {
    name: "what is not there, and what may not be read, of a subtree",
    steps: [
      tree("/none", { status: 404, code: "noNode" }),
      put("@/s?acl=auth::cdrwa", "", { as: "alice:a" }),
      put("@/s/open", "", { as: "alice:a" }),
      tree("/s", { status: 403, code: "noAuth" }),
      tree("", { check: (seen, { at }) => assert.deepEqual(below(seen, at), ["", "/s/open"]) }),
      tree("", { as: "alice:a", check: (seen, { at }) => assert.deepEqual(below(seen, at), ["", "/s", "/s/open"]) }),
    ],
  },
  {
    name: "a subtree that is asked for badly",
    steps: [
      tree("?depth=-1", { status: 400, code: "badArguments", says: "depth" }),
      tree("?depth=all", { status: 400, code: "badArguments", says: "depth" }),
      tree("?encoding=base64", { status: 400, code: "badArguments", says: "data=true" }),
      tree("?recursive=true", { status: 400, code: "badArguments", says: "recursive" }),
      tree("", {
        headers: { Accept: "application/json" },
        status: 406,
        code: "notAcceptable",
        says: "application/x-ndjson",
      }),
      tree("", { headers: { "If-None-Match": '"x"' }, status: 400, code: "badArguments", says: "If-None-Match" }),
      { method: "POST", path: "/v1/tree@", headers: json, body: "{}", status: 405, code: "methodNotAllowed" },
      get("@", 200),
    ],
  },
];
