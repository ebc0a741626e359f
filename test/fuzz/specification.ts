/** The REST contract as the fuzz reads it: every operation with its parameters, bodies and documented answers, references followed. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

export interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly oneOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
}

export interface Parameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly required?: boolean;
  readonly schema: Schema;
}

export interface Response {
  readonly headers?: Readonly<Record<string, { readonly required?: boolean; readonly schema: Schema }>>;
  /** JSON pointer of each media type's schema. */
  readonly content: ReadonlyMap<string, string>;
}

export interface Operation {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly parameters: readonly Parameter[];
  /** By media type. */
  readonly bodies: ReadonlyMap<string, Schema>;
  readonly bodyRequired: boolean;
  readonly responses: ReadonlyMap<number, Response>;
}

// biome-ignore lint/suspicious/noExplicitAny: a document whose form the specification of OpenAPI tells.
type Json = any;

export const document = JSON.parse(
  readFileSync(join(import.meta.dirname, "../../openapi/src/gen/coordination.json"), "utf8"),
) as Json;

/** The value at a pointer, and the pointer where it really stands. */
function follow(value: Json, pointer: string): { readonly value: Json; readonly pointer: string } {
  if (typeof value.$ref !== "string") return { value, pointer };
  const target = value.$ref.slice(1);
  return follow(at(target), target);
}

function at(pointer: string): Json {
  let found: Json = document;
  for (const part of pointer.split("/").slice(1)) {
    const next = found[part.replaceAll("~1", "/").replaceAll("~0", "~")];
    if (next === undefined) throw new Error(`the specification has nothing at ${pointer}`);
    found = next;
  }
  return found;
}

const escaped = (text: string): string => text.replaceAll("~", "~0").replaceAll("/", "~1");

export function schemaAt(schema: Schema): Schema {
  return schema.$ref === undefined ? schema : schemaAt(at(schema.$ref.slice(1)) as unknown as Schema);
}

function responseOf(value: Json, place: string): Response {
  const { value: response, pointer } = follow(value, place);
  const content = new Map<string, string>();
  for (const [type, media] of Object.entries<Json>(response["content"] ?? {})) {
    if (media["schema"] !== undefined) content.set(type, `${pointer}/content/${escaped(type)}/schema`);
  }
  const headers = Object.entries<Json>(response["headers"] ?? {}).map(([name, each]) => [
    name.toLowerCase(),
    follow(each, "").value,
  ]);
  return { content, headers: Object.fromEntries(headers) };
}

function operationsOf(): Operation[] {
  const found: Operation[] = [];
  for (const [path, methods] of Object.entries<Json>(document["paths"])) {
    for (const [method, operation] of Object.entries<Json>(methods)) {
      const parameters = (operation["parameters"] ?? []).map((each: Json) => follow(each, "").value);
      const media = Object.entries<Json>(operation["requestBody"]?.["content"] ?? {});
      const responses = Object.entries<Json>(operation["responses"]).map(
        ([status, each]) =>
          [Number(status), responseOf(each, `/paths/${escaped(path)}/${method}/responses/${status}`)] as const,
      );
      found.push({
        id: String(operation["operationId"]),
        method: method.toUpperCase(),
        path,
        parameters: parameters as unknown as Parameter[],
        bodies: new Map(media.map(([type, each]) => [type, each["schema"] as unknown as Schema])),
        bodyRequired: operation["requestBody"]?.["required"] === true,
        responses: new Map(responses),
      });
    }
  }
  return found;
}

export const operations: readonly Operation[] = operationsOf();
