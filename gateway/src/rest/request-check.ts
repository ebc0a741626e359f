/**
 * What the specification says of each operation's parameters and JSON body, heeded before its handler is called. What no
 * schema can say (which go together, what a znode's path is) is the handlers' business.
 */
import { bad } from "./fault.ts";
import { type GovernedHeader, headerBits, headerNames, type RequestHead } from "./head.ts";
import type { JsonObject } from "./json-body.ts";
import { emptyQuery, type Query } from "./query.ts";
import { type Check, checkOf, textCheckOf } from "./schema-check.ts";
import { type Operation, type Parameter, resolve, specification } from "./specification.ts";

interface OperationCheck {
  readonly query: readonly (readonly [string, Check])[];
  readonly headers: readonly {
    readonly bit: number;
    readonly name: string;
    readonly of: GovernedHeader;
    check: Check;
  }[];
  readonly path: Check | undefined;
  readonly body: Check | undefined;
  readonly bodyNeeded: boolean;
}

/** Where a header's value lies. */
const places = {
  "quorate-session": "session",
  "quorate-consistency": "consistency",
  "quorate-min-zxid": "minZxid",
  "quorate-max-stale": "maxStale",
  "quorate-timeout": "timeout",
  "idempotency-key": "key",
  "if-match": "ifMatch",
  "if-none-match": "ifNoneMatch",
  "last-event-id": "lastEventId",
  "quorate-fenced": "fenced",
} as const satisfies Record<GovernedHeader, keyof RequestHead>;

function makeCheck(operation: Operation): OperationCheck {
  const parameters = (operation.parameters ?? []).map((each) => resolve<Parameter>(each));
  const headers = (Object.keys(headerNames) as GovernedHeader[]).flatMap((of) => {
    const name = headerNames[of];
    const parameter = parameters.find((each) => each.in === "header" && each.name === name);
    return parameter === undefined ? [] : [{ bit: headerBits[of], name, of, check: textCheckOf(parameter.schema) }];
  });
  const query = parameters.filter((each) => each.in === "query");
  const path = parameters.find((each) => each.in === "path");
  const body = operation.requestBody?.content["application/json"]?.schema;
  return {
    query: query.map(({ name, schema }) => [name, textCheckOf(schema)]),
    headers,
    path: path === undefined ? undefined : textCheckOf(path.schema),
    body: body === undefined ? undefined : checkOf(body),
    bodyNeeded: operation.requestBody?.required === true,
  };
}

const checks: ReadonlyMap<string, OperationCheck> = new Map(
  Object.values(specification.paths).flatMap((methods) =>
    Object.values(methods).map((operation) => [operation.operationId, makeCheck(operation)] as const),
  ),
);

/** `parameter`: what stands for the pattern's `{…}`. */
export function checkParameters(operationId: string, head: RequestHead, query: Query, parameter: string): void {
  const of = checks.get(operationId);
  if (of === undefined) return;
  if (of.path !== undefined) of.path(parameter, "the path's parameter");
  if (query !== emptyQuery) {
    for (const [name, check] of of.query) {
      const value = query.text(name);
      if (value !== undefined) check(value, name);
      else for (const each of query.all(name)) check(each, name);
    }
  }
  if (head.present === 0) return;
  for (const { bit, name, of: header, check } of of.headers) {
    if ((head.present & bit) !== 0) check(head[places[header]], name);
  }
}

/** `json`: an empty object where nothing came. */
export function checkBody(operationId: string, json: JsonObject, came: boolean): void {
  const of = checks.get(operationId);
  if (of?.bodyNeeded === true && !came) throw bad("the body is missing; send a JSON object");
  of?.body?.(json, "body");
}
