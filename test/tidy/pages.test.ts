/** What the pages on locks and elections say is what the program has: limits, statuses and codes of each call, links. */
import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { errors, httpErrors, limits } from "@quorate/api";
import { recipeLimits, restLimits } from "@quorate/gateway";
import { parse } from "yaml";
import { root } from "./sources.ts";

interface Operation {
  readonly responses: Readonly<Record<string, unknown>>;
}

const document = parse(readFileSync(join(root, "openapi/coordination.yaml"), "utf8"));
const paths = document.paths as Readonly<Record<string, Readonly<Record<string, Operation>>>>;
const pages = ["locks", "elections"].map((name) => ({
  name,
  text: readFileSync(join(root, `docs/${name}.md`), "utf8"),
  calls: paths[`/v1/${name}/{path}`] ?? {},
}));
const statusOf = new Map<string, number>(
  Object.entries({ ...errors, ...httpErrors }).map(([code, { http }]) => [code, http]),
);

/** Rows of the table of errors: the calls that they are of, and statuses with their codes. */
function errorRows(text: string): { readonly calls: string; readonly said: (readonly [number, string])[] }[] {
  let calls = "";
  const [, table = ""] = text.split("| call | error | what to do |\n| --- | --- | --- |\n");
  const [rows = ""] = table.split("\n\n");
  return rows.split("\n").map((row) => {
    const [, first = "", what = ""] = row.split("|").map((cell) => cell.trim());
    if (first !== "") calls = first;
    const said = [...what.matchAll(/(\d{3}) ((?:`\w+`(?:, | and )?)+)/g)].flatMap(([, status, codes = ""]) =>
      [...codes.matchAll(/\w{4,}/g)].map(([code]) => [Number(status), code] as const),
    );
    return { calls, said };
  });
}

for (const { name, text, calls } of pages) {
  describe(`the page on ${name}`, () => {
    it("has each code under its status", () => {
      const said = errorRows(text).flatMap((row) => row.said);
      assert.ok(said.length > 15);
      for (const [status, code] of said) assert.equal(statusOf.get(code), status, code);
    });

    it("has each status of each call, and no other", () => {
      const rows = errorRows(text);
      for (const [method, { responses }] of Object.entries(calls)) {
        const word = `\`${method.toUpperCase()}\``;
        const own = rows.filter((row) => row.calls === "all" || row.calls.split(", ").includes(word));
        const told = new Set(own.flatMap((row) => row.said.map(([status]) => status)));
        const answered = Object.keys(responses)
          .map(Number)
          .filter((status) => status >= 400);
        assert.ok(answered.length > 8);
        for (const status of answered) assert.ok(told.has(status), `${status} of ${word} is missing`);
        const ownRows = own.filter((row) => row.calls !== "all").flatMap((row) => row.said);
        for (const [status, code] of ownRows)
          assert.ok(answered.includes(status), `${word} is never ${status} ${code}`);
      }
    });

    it("leads somewhere", () => {
      const links = [...text.matchAll(/\]\(([^)]+)\)/g)];
      assert.ok(links.length > 10);
      for (const [, link = ""] of links) {
        const [file, anchor] = link.split("#");
        const target = file === "" ? join(root, `docs/${name}.md`) : join(root, "docs", file ?? "");
        assert.ok(statSync(target).isFile(), link);
        if (anchor !== undefined) assert.ok(anchorsOf(readFileSync(target, "utf8")).has(anchor), link);
      }
    });
  });
}

function anchorsOf(markdown: string): Set<string> {
  const titles = [...markdown.matchAll(/^#+ (.*)$/gm)].map(([, title = ""]) => title);
  return new Set(
    titles.map((title) =>
      title
        .toLowerCase()
        .replace(/[^\w\- ]/g, "")
        .replaceAll(" ", "-"),
    ),
  );
}

describe("the limits of locks", () => {
  const [page] = pages;
  const text = page?.text ?? "";

  it("are those of the table", () => {
    const rows = [...text.matchAll(/^\| `(\w+)` \| ([\d,]+) \|/gm)];
    assert.ok(rows.length >= 5);
    const known: Readonly<Record<string, number>> = recipeLimits;
    for (const [, limit = "", value = ""] of rows) assert.equal(known[limit], Number(value.replaceAll(",", "")), limit);
  });

  it("are those of the text", () => {
    assert.equal(limits.watchWaitMaxMillis, 300_000);
    for (const said of [
      "A `wait` of more than 5 min is 400",
      `room for ${restLimits.watchers.toLocaleString("en-US")} that wait`,
      `at most ${limits.sessionEphemerals.toLocaleString("en-US")} ephemerals`,
    ]) {
      assert.ok(text.includes(said), said);
    }
  });
});
