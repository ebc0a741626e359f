/** The specification, the route table and the error table say the same, and what is generated is up to date. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { errors, httpErrors } from "@quorate/api";
import { headerNames, routes } from "@quorate/gateway";
import { parse } from "yaml";

interface Reference {
  readonly $ref: string;
}
interface Parameter {
  readonly name: string;
  readonly in: string;
}
interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly Reference[];
  readonly responses: Readonly<Record<string, unknown>>;
}

const root = new URL("../../", import.meta.url).pathname;
const document = parse(readFileSync(join(root, "openapi/coordination.yaml"), "utf8"));
const paths = document.paths as Readonly<Record<string, Readonly<Record<string, Operation>>>>;

function resolve(reference: string): unknown {
  let at: unknown = document;
  for (const part of reference.slice(2).split("/")) at = (at as Readonly<Record<string, unknown>> | undefined)?.[part];
  assert.ok(at !== undefined, `${reference} leads nowhere`);
  return at;
}

function eachReference(value: unknown, visit: (reference: string) => void): void {
  if (typeof value !== "object" || value === null) return;
  for (const [key, each] of Object.entries(value)) {
    if (key === "$ref" && typeof each === "string") visit(each);
    else eachReference(each, visit);
  }
}

const documented = Object.entries(paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
);

describe("the contract", () => {
  it("has the same operations in the document and in the route table", () => {
    const inTable = routes.map((each) => `${each.method} ${each.pattern} ${each.operationId}`).sort();
    const inDocument = documented.map((each) => `${each.method} ${each.path} ${each.operation.operationId}`).sort();
    assert.deepEqual(inDocument, inTable);
  });

  for (const route of routes) {
    it(`${route.method} ${route.pattern} takes the same parameters and headers`, () => {
      const operation = paths[route.pattern]?.[route.method.toLowerCase()];
      const parameters = (operation?.parameters ?? []).map((each) => resolve(each.$ref) as Parameter);
      const named = (place: string): string[] =>
        parameters
          .filter((each) => each.in === place)
          .map((each) => each.name)
          .sort();
      assert.deepEqual(named("query"), [...route.query].sort());
      assert.deepEqual(named("header"), route.headers.map((each) => headerNames[each]).sort());
      assert.equal(named("path").length, route.pattern.includes("{") ? 1 : 0);
    });
  }

  it("documents an answer for each status that can come from everywhere", () => {
    for (const { method, path, operation } of documented) {
      const statuses = Object.keys(operation.responses);
      const needed = path.startsWith("/v1/z")
        ? ["400", "401", "403", "429", "500", "502", "503", "504"]
        : ["400", "401", "403", "500"];
      for (const status of needed) assert.ok(statuses.includes(status), `${method} ${path} has no ${status}`);
      assert.ok(
        statuses.some((each) => each.startsWith("2")),
        `${method} ${path} has no success`,
      );
    }
  });

  it("has the codes of the error table, each under its status", () => {
    const table = { ...errors, ...httpErrors } as Readonly<
      Record<string, { readonly http: number; readonly title: string; readonly certainty: string }>
    >;
    const answered = Object.keys(table).filter((each) => table[each]?.http !== 0);
    assert.deepEqual([...document.components.schemas.ErrorCode.enum].sort(), answered.sort());
    for (const code of answered) {
      const status = table[code]?.http ?? 0;
      const response = document.components.responses[`Problem${status}`];
      assert.ok(response?.description.includes(code), `Problem${status} does not name ${code}`);
      const example = response.content["application/problem+json"].example;
      assert.equal(example.status, status);
      assert.equal(example.title, table[example.code]?.title);
      assert.equal(example.certainty, table[example.code]?.certainty);
    }
  });

  it("resolves every reference and uses every component", () => {
    const used = new Set<string>();
    eachReference(document, (reference) => {
      resolve(reference);
      used.add(reference);
    });
    const everywhere = ["Problem405", "Problem408", "Problem431", "Problem501"];
    for (const [kind, components] of Object.entries(document.components as Readonly<Record<string, object>>)) {
      if (kind === "securitySchemes") continue;
      for (const name of Object.keys(components)) {
        const unused = !used.has(`#/components/${kind}/${name}`) && !everywhere.includes(name);
        assert.ok(!unused, `components/${kind}/${name} is not used`);
      }
    }
  });

  it("is what the generated files were made from", () => {
    const out = mkdtempSync(join(tmpdir(), "quorate-openapi-"));
    try {
      execFileSync(process.execPath, [join(root, "openapi/generate.mjs"), "--out", out]);
      for (const file of ["coordination.ts", "coordination.json"]) {
        const now = readFileSync(join(root, "openapi/src/gen", file), "utf8");
        assert.ok(
          readFileSync(join(out, file), "utf8") === now,
          `openapi/src/gen/${file} is out of date: npm run generate`,
        );
      }
    } finally {
      rmSync(out, { recursive: true });
    }
  });
});
