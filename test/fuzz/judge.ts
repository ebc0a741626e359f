/** Judges an answer by the specification alone: status, content type, headers, and each JSON value by its schema. */
import assert from "node:assert/strict";
import { errors, httpErrors } from "@quorate/api";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { document, type Operation, type Response } from "./specification.ts";

export interface Seen {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Of a stream: as far as it was read. */
  readonly text: string;
  /** It was cut off by the reader. */
  readonly partial: boolean;
}

/** What any operation may answer, as the specification's description says. */
const always = [405, 408, 431];

const dateTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: true });
ajv.addFormat("date-time", dateTime);
ajv.addFormat("int32", {
  type: "number",
  validate: (value: number) => Number.isInteger(value) && Math.abs(value) <= 2 ** 31,
});
ajv.addFormat("binary", true);
ajv.addSchema(closed(document) as object, "spec");
const validators = new Map<string, ValidateFunction>();

/** Answers say nothing that the specification does not: its objects are closed, but for those that others are made of. */
function closed(value: unknown, name = ""): unknown {
  if (Array.isArray(value)) return value.map((each) => closed(each));
  if (value === null || typeof value !== "object") return value;
  const made: Record<string, unknown> = {};
  for (const [key, each] of Object.entries(value)) made[key] = key === "allOf" ? each : closed(each, key);
  const isOpen = /^(WatchEvent|WatchState|ElectionState)$/.test(name) || made["additionalProperties"] !== undefined;
  if (made["type"] === "object" && made["properties"] !== undefined && !isOpen) made["additionalProperties"] = false;
  return made;
}

function validate(pointer: string, value: unknown): void {
  let validator = validators.get(pointer);
  if (validator === undefined) {
    validator = ajv.compile({ $ref: `spec#${pointer}` });
    validators.set(pointer, validator);
  }
  if (!validator(value)) {
    assert.fail(`${JSON.stringify(value).slice(0, 300)} is not by ${pointer}: ${ajv.errorsText(validator.errors)}`);
  }
}

/** Headers that have a meaning here: each has to be documented where it comes. */
const spoken =
  /^(quorate-.*|etag|location|vary|retry-after|www-authenticate|cache-control|x-content-type-options|content-security-policy|x-accel-buffering)$/;

export function judge(operation: Operation | undefined, method: string, seen: Seen): void {
  const { status, headers, text } = seen;
  const response = operation?.responses.get(status);
  const type = String(headers["content-type"] ?? "").split(";")[0] ?? "";
  const zxid = headers["quorate-zxid"];
  // Where there is one, it is a cursor: zero would mean all that ever was.
  if (zxid !== undefined) assert.match(String(zxid), /^0x(?!0{16})[0-9a-f]{16}$/, "Quorate-Zxid");
  assert.ok(headers["quorate-served-by"], "Quorate-Served-By");
  if (response === undefined) {
    // Not a route of the specification's, or a method that the path has not.
    const allowed = operation === undefined ? status >= 400 && status < 500 : always.includes(status);
    assert.ok(allowed, `${status} is not documented for ${operation?.id}`);
  } else judgeHeaders(response, headers);
  if (status >= 400) judgeProblem(operation, seen, method);
  if (method === "HEAD" || status === 304) {
    assert.equal(text, "", "a body");
    return;
  }
  if (response === undefined) return;
  const schema = response.content.get(type);
  assert.ok(schema !== undefined, `${type || "no content type"} is not documented for ${status} of ${operation?.id}`);
  judgeBody(schema, type, seen, operation?.id === "getElection" ? "ElectionLine" : "WatchLine");
}

function judgeHeaders(response: Response, headers: Seen["headers"]): void {
  const documented = response.headers ?? {};
  for (const [name, { required }] of Object.entries(documented)) {
    if (required) assert.ok(headers[name] !== undefined, `the header ${name} is missing`);
  }
  for (const [name, value] of Object.entries(headers)) {
    if (!spoken.test(name)) continue;
    const found = documented[name];
    assert.ok(found !== undefined, `the header ${name} is not documented`);
    const { schema } = found;
    const text = String(value);
    if (schema.const !== undefined) assert.equal(text, schema.const, name);
    else if (schema.enum !== undefined) assert.ok(schema.enum.includes(text), `${name}: ${text}`);
  }
  for (const name of ["quorate-stat"])
    if (headers[name] !== undefined) validateNamed("Stat", JSON.parse(String(headers[name])));
}

function validateNamed(name: string, value: unknown): void {
  validate(`/components/schemas/${name}`, value);
}

/** `line`: the schema of a line, which events have too. */
function judgeBody(schema: string, type: string, { text, partial }: Seen, line: string): void {
  if (type === "application/json" || type === "application/problem+json") validate(schema, JSON.parse(text));
  else if (type === "application/x-ndjson") {
    const lines = text.split("\n");
    const rest = lines.pop();
    assert.ok(partial || rest === "", "the last line is whole");
    for (const each of lines) validate(schema, JSON.parse(each));
  } else if (type === "text/event-stream") judgeEvents(text, line);
}

function judgeEvents(text: string, schema: string): void {
  const blocks = text.split("\n\n");
  blocks.pop();
  for (const block of blocks) {
    for (const line of block.split("\n")) assert.match(line, /^(id|event|data|retry): |^:/, line.slice(0, 100));
    const [name, data] = ["event", "data"].map((field) => new RegExp(`^${field}: (.*)$`, "m").exec(block)?.[1]);
    if (data === undefined) continue;
    const value = JSON.parse(data) as object;
    assert.ok(!("type" in value) || value.type === name, block);
    // As a line of the other stream, which has its name within.
    validateNamed(schema, { type: name, ...value });
  }
}

/** What the document cannot say: that the row of the table is kept. */
function judgeProblem(operation: Operation | undefined, { status, text, headers }: Seen, method: string): void {
  if (method === "HEAD") return;
  assert.equal(headers["content-type"], "application/problem+json");
  const problem = JSON.parse(text) as { status: number; code: string; certainty: string; title: string; op?: object };
  validateNamed("Problem", problem);
  const rows: Readonly<Record<string, { readonly http: number; readonly certainty: string; readonly title: string }>> =
    {
      ...errors,
      ...httpErrors,
    };
  const row = rows[problem.code];
  assert.ok(row, problem.code);
  const other = problem.op !== undefined ? 409 : problem.code === "nodeExists" ? 412 : row.http;
  assert.ok(status === row.http || status === other, `${problem.code} with ${status}`);
  const title = operation?.id === "readyz" && problem.code === "behind" ? "Not ready" : row.title;
  assert.deepEqual([problem.status, problem.title], [status, title]);
  if (status < 500 || status === 503) assert.equal(problem.certainty, "noEffect");
}

export function codeOf({ text }: Seen): string {
  try {
    return (JSON.parse(text) as { code?: string }).code ?? "";
  } catch {
    return "";
  }
}
