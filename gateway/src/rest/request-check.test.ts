/** Values made by the specification's schemas are taken, and each kind of fault in them is refused by its name. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { RequestFault } from "./fault.ts";
import { headerNames, readHead } from "./head.ts";
import type { JsonObject } from "./json-body.ts";
import { readQuery } from "./query.ts";
import { checkBody, checkParameters } from "./request-check.ts";
import { routes } from "./routes.ts";
import { checkOf } from "./schema-check.ts";
import {
  type Operation,
  type Parameter,
  type Reference,
  resolve,
  type Schema,
  specification,
} from "./specification.ts";

function valid(given: Schema | Reference): fc.Arbitrary<unknown> {
  const schema = resolve<Schema>(given);
  if (schema.oneOf !== undefined) return fc.oneof(...schema.oneOf.map(valid));
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  switch (schema.type) {
    case "boolean":
      return fc.boolean();
    case "integer":
      return fc.integer({ min: schema.minimum ?? -100, max: schema.maximum ?? 100 });
    case "array":
      return fc.array(valid(schema.items ?? {}), { maxLength: 3 });
    case "object": {
      const fields = Object.fromEntries(
        Object.entries(schema.properties ?? {}).map(([name, each]) => [name, valid(each)]),
      );
      return fc.record(fields, { requiredKeys: [...(schema.required ?? [])], noNullPrototype: true });
    }
    default: {
      const { pattern, maxLength = 20 } = schema;
      const text = pattern === undefined ? fc.string() : fc.stringMatching(new RegExp(pattern));
      return text.filter((each) => each.length >= (schema.minLength ?? 0) && each.length <= maxLength);
    }
  }
}

/** Texts that a parameter of this schema may not be; undefined: it may be any. */
function wrongText(given: Schema | Reference): string | undefined {
  const schema = resolve<Schema>(given);
  if (schema.type === "array") return wrongText(schema.items ?? {});
  if (schema.type === "integer") return String((schema.maximum ?? 0) + 1);
  if (schema.type === "boolean" || schema.enum || schema.const !== undefined || schema.pattern) return "~ nonsense";
  return undefined;
}

const operations: readonly Operation[] = Object.values(specification.paths).flatMap((each) => Object.values(each));

function refusal(run: () => void): string | undefined {
  try {
    run();
    return undefined;
  } catch (fault) {
    assert.ok(fault instanceof RequestFault, String(fault));
    assert.equal(fault.code, "badArguments");
    return fault.message;
  }
}

const emptyHead = readHead([]);
const someId = "0x1";

describe("parameters", () => {
  for (const { operationId, parameters = [] } of operations) {
    for (const each of parameters) {
      const { name, in: where, schema } = resolve<Parameter>(each);
      const send = (text: string): string | undefined => {
        const route = routes.find((one) => one.operationId === operationId);
        assert.ok(route);
        const raw = `${name}=${encodeURIComponent(text)}`;
        const query = readQuery(where === "query" ? raw : "", route.query, "", route.repeated);
        const head = where === "header" ? readHead([name, text]) : emptyHead;
        return refusal(() => checkParameters(operationId, head, query, where === "path" ? text : someId));
      };
      it(`${operationId}: ${name}`, () => {
        const one = resolve<Schema>(schema).type === "array" ? (resolve<Schema>(schema).items ?? {}) : schema;
        fc.assert(
          fc.property(valid(one), (value) => {
            assert.equal(send(String(value)), undefined);
          }),
          { numRuns: 20 },
        );
        const wrong = wrongText(schema);
        if (wrong !== undefined)
          assert.match(send(wrong) ?? "taken", new RegExp(where === "path" ? "parameter" : name));
      });
    }
  }

  it("of every header that means something, and of no other", () => {
    const documented = new Set(
      operations.flatMap(({ parameters = [] }) =>
        parameters.map((each) => resolve<Parameter>(each)).flatMap((each) => (each.in === "header" ? [each.name] : [])),
      ),
    );
    assert.deepEqual([...documented].sort(), Object.values(headerNames).sort());
  });
});

describe("bodies", () => {
  for (const { operationId, requestBody } of operations) {
    const schema = requestBody?.content["application/json"]?.schema;
    if (schema === undefined) continue;
    const check = (value: unknown): string | undefined =>
      refusal(() => checkBody(operationId, value as JsonObject, true));
    const bodies = valid(schema) as fc.Arbitrary<Record<string, unknown>>;

    it(`${operationId}: what the schema has is taken`, () => {
      fc.assert(
        fc.property(bodies, (body) => {
          assert.equal(check(body), undefined);
        }),
        { numRuns: 200 },
      );
    });

    it(`${operationId}: a key that is not known, wherever it stands`, () => {
      fc.assert(
        fc.property(bodies, fc.nat(), (body, at) => {
          const objects = objectsIn(body);
          (objects[at % objects.length] as Record<string, unknown>)["unheardOf"] = 1;
          assert.match(check(body) ?? "taken", /unheardOf/);
        }),
        { numRuns: 100 },
      );
    });

    it(`${operationId}: a value of another type, wherever it stands`, () => {
      fc.assert(
        fc.property(bodies, fc.nat(), fc.nat(), (body, at, which) => {
          const objects = objectsIn(body).filter((each) => Object.keys(each).length > 0);
          const object = objects[at % Math.max(1, objects.length)];
          if (object === undefined) return;
          const keys = Object.keys(object);
          const key = keys[which % keys.length] as string;
          object[key] = null;
          assert.ok((check(body) ?? "taken").includes(key), `${key}: ${check(body)}`);
        }),
        { numRuns: 100 },
      );
    });
  }

  it("one that has to be there", () => {
    assert.match(refusal(() => checkBody("txn", {}, false)) ?? "", /body is missing/);
    assert.equal(
      refusal(() => checkBody("createSession", {}, false)),
      undefined,
    );
  });

  it("faults say what is wrong and what to do", () => {
    const of = (operationId: string, body: JsonObject): string =>
      refusal(() => checkBody(operationId, body, true)) ?? "";
    assert.equal(of("handOver", {}), "body.to is missing");
    assert.equal(of("handOver", { to: 256 }), "body.to must be a whole number from 1 to 255");
    assert.equal(
      of("createSession", { timeout: "30" }),
      'body.timeout: "30" is no duration; write a whole number and its unit, such as 500ms, 30s or 5m',
    );
    assert.match(
      of("txn", { then: [{ op: "upsert" }] }),
      /^body\.then\[0\]\.op: "upsert" is unknown; it is one of create, put,/,
    );
    assert.match(of("txn", { then: [{ path: "/" }] }), /^body\.then\[0\]\.op: it is missing; it is one of create,/);
    assert.equal(
      of("txn", { then: [{ op: "put", path: "/a", data: 1 }] }),
      "body.then[0].data must be of type string or object",
    );
    assert.match(
      of("txn", { then: [{ op: "get", path: "/a", data: "x" }] }),
      /^body\.then\[0\] has the unknown key "data"; it takes op, path$/,
    );
    assert.match(
      of("setAcl", { acl: Array.from({ length: 101 }, () => ({ scheme: "world", perms: "r" })) }),
      /101 entries are more than the 100/,
    );
    assert.match(
      of("setAcl", { acl: [{ scheme: "world", perms: "rx" }] }),
      /^body\.acl\[0\]\.perms: "rx" is not letters of cdrwa/,
    );
  });

  it("a keyword that is not known stops it at its start", () => {
    assert.throws(() => checkOf({ type: "array", uniqueItems: true } as Schema), /uniqueItems/);
  });
});

function objectsIn(value: unknown): Record<string, unknown>[] {
  if (typeof value !== "object" || value === null) return [];
  const own = Array.isArray(value) ? [] : [value as Record<string, unknown>];
  return [...own, ...Object.values(value).flatMap(objectsIn)];
}
