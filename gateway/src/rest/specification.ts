/** The specification as the reference reads it: what OpenAPI 3.1 has of what ours uses. */
import { document } from "@quorate/openapi";

export interface Reference {
  readonly $ref: string;
}

export interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema | Reference>>;
  readonly required?: readonly string[];
  readonly items?: Schema | Reference;
  readonly oneOf?: readonly (Schema | Reference)[];
  readonly allOf?: readonly (Schema | Reference)[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly pattern?: string;
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly maxItems?: number;
  readonly example?: unknown;
  readonly additionalProperties?: boolean;
  readonly discriminator?: { readonly propertyName: string };
  /** What a fault's detail says behind the value: the fault and the way out. */
  readonly "x-fault"?: string;
}

export interface Parameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly required?: boolean;
  readonly description?: string;
  readonly schema: Schema | Reference;
  readonly example?: unknown;
}

export interface Media {
  readonly schema?: Schema | Reference;
  readonly example?: unknown;
}

export interface Response {
  readonly description: string;
  readonly headers?: Readonly<Record<string, Header | Reference>>;
  readonly content?: Readonly<Record<string, Media>>;
}

export interface Header {
  readonly description?: string;
  readonly schema: Schema | Reference;
}

export interface Operation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description?: string;
  readonly parameters?: readonly (Parameter | Reference)[];
  readonly requestBody?: { readonly required?: boolean; readonly content: Readonly<Record<string, Media>> };
  readonly responses: Readonly<Record<string, Response | Reference>>;
  /** Codes of its statuses that it cannot have. */
  readonly "x-never"?: readonly string[];
  /** More lines for a shell, behind the one that is made of its examples. */
  readonly "x-curl"?: readonly string[];
}

export interface Specification {
  readonly info: {
    readonly title: string;
    readonly version: string;
    readonly summary: string;
    readonly description: string;
  };
  readonly tags: readonly { readonly name: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

export const specification = JSON.parse(document) as Specification;

export function isReference<T extends object>(value: T | Reference): value is Reference {
  return "$ref" in value;
}

/** What a reference leads to; anything else is itself. */
export function resolve<T extends object>(value: T | Reference): T {
  if (!isReference(value)) return value;
  let at: unknown = specification;
  for (const part of value.$ref.slice(2).split("/")) at = (at as Readonly<Record<string, unknown>>)[part];
  return at as T;
}

/** The last part of a reference: its component's name. */
export function nameOf(reference: Reference): string {
  return reference.$ref.slice(reference.$ref.lastIndexOf("/") + 1);
}
