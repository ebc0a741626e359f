/**
 * Makes checks of the specification's schemas: each throws a 400 that names the field, its fault and the way out. It knows
 * the keywords that the specification uses, and refuses any other when it is made, so that none is silently not heeded.
 */

import { show } from "../show.ts";
import { bad } from "./fault.ts";
import { asArray, asObject, refuseUnknownKeys } from "./json-body.ts";
import { isReference, nameOf, type Reference, resolve, type Schema } from "./specification.ts";

export type Check = (value: unknown, field: string) => void;

/** Those that say nothing of a value's validity stand here, too. */
const known: ReadonlySet<string> = new Set([
  "type",
  "properties",
  "required",
  "additionalProperties",
  "items",
  "oneOf",
  "discriminator",
  "enum",
  "const",
  "pattern",
  "x-fault",
  "format",
  "minimum",
  "maximum",
  "minLength",
  "maxLength",
  "maxItems",
  "contentEncoding",
  "description",
  "default",
  "example",
]);

const int32 = { minimum: -2_147_483_648, maximum: 2_147_483_647 } as const;
const made = new Map<string, Check>();

/** Of a value that came as JSON. */
export function checkOf(schema: Schema | Reference): Check {
  if (!isReference(schema)) return make(schema);
  const name = nameOf(schema);
  const before = made.get(name);
  if (before !== undefined) return before;
  const check = make(resolve<Schema>(schema));
  made.set(name, check);
  return check;
}

/** Of a text in a query or header: numbers and truths are written out. */
export function textCheckOf(given: Schema | Reference): Check {
  const schema = resolve<Schema>(given);
  refuseUnknownKeywords(schema);
  switch (schema.type) {
    case "boolean":
      return (value, field) => {
        if (value === "true" || value === "false" || value === "") return;
        throw bad(`${field}: ${show(value as string)} is neither true nor false`);
      };
    case "integer": {
      const { least, most } = boundsOf(schema);
      return (value, field) => {
        const text = value as string;
        if (/^-?(0|[1-9][0-9]{0,14})$/.test(text) && Number(text) >= least && Number(text) <= most) return;
        throw bad(`${field}: ${show(text)} is no whole number from ${least} to ${most}`);
      };
    }
    case "array":
      return textCheckOf(schema.items ?? {});
    default:
      return checkOf(given);
  }
}

function refuseUnknownKeywords(schema: Schema): void {
  for (const each of Object.keys(schema)) {
    if (!known.has(each))
      throw new Error(`the specification has the keyword ${each}, which requests are not checked for`);
  }
}

function make(schema: Schema): Check {
  refuseUnknownKeywords(schema);
  if (schema.oneOf !== undefined) return schema.discriminator === undefined ? byType(schema) : byName(schema);
  if (schema.const !== undefined || schema.enum !== undefined) return oneOfValues(schema);
  switch (schema.type) {
    case "string":
      return textOf(schema);
    case "integer":
      return integerOf(schema);
    case "boolean":
      return (value, field) => {
        if (typeof value !== "boolean") throw bad(`${field} must be true or false`);
      };
    case "array":
      return arrayOf(schema);
    case "object":
      return objectOf(schema);
    default:
      throw new Error(`the specification has the type ${String(schema.type)} in a request`);
  }
}

function oneOfValues(schema: Schema): Check {
  const values = schema.enum ?? [schema.const];
  const names = values.join(", ");
  const fault = schema["x-fault"] ?? (values.length === 1 ? `is not ${names}` : `is none of ${names}`);
  return (value, field) => {
    if (values.includes(value)) return;
    throw bad(`${field}: ${typeof value === "string" ? show(value) : "this"} ${fault}`);
  };
}

function textOf({ pattern, minLength = 0, maxLength, "x-fault": fault }: Schema): Check {
  const expression = pattern === undefined ? undefined : new RegExp(pattern, "u");
  return (value, field) => {
    if (typeof value !== "string") throw bad(`${field} must be a string`);
    if (value.length < minLength || (maxLength !== undefined && value.length > maxLength)) {
      throw bad(`${field}: ${show(value)} ${fault ?? `is not ${minLength} to ${maxLength} characters long`}`);
    }
    if (expression === undefined || expression.test(value)) return;
    throw bad(`${field}: ${show(value)} ${fault ?? `is not of the form ${pattern}`}`);
  };
}

function boundsOf(schema: Schema): { readonly least: number; readonly most: number } {
  const { minimum, maximum } = schema.format === "int32" ? { ...int32, ...schema } : schema;
  return { least: minimum ?? Number.MIN_SAFE_INTEGER, most: maximum ?? Number.MAX_SAFE_INTEGER };
}

function integerOf(schema: Schema): Check {
  const { least, most } = boundsOf(schema);
  return (value, field) => {
    if (typeof value === "number" && Number.isInteger(value) && value >= least && value <= most) return;
    throw bad(`${field} must be a whole number from ${least} to ${most}`);
  };
}

function arrayOf({ items, maxItems = Number.POSITIVE_INFINITY }: Schema): Check {
  const check = items === undefined ? undefined : checkOf(items);
  return (value, field) => {
    const list = asArray(value, field);
    if (list.length > maxItems) {
      throw bad(`${field}: ${list.length} entries are more than the ${maxItems} that it may have`);
    }
    if (check !== undefined) for (let i = 0; i < list.length; i++) check(list[i], `${field}[${i}]`);
  };
}

function objectOf({ properties = {}, required = [], additionalProperties }: Schema): Check {
  const names = Object.keys(properties);
  const checks = Object.entries(properties).map(([name, each]) => [name, checkOf(each)] as const);
  return (value, field) => {
    const object = asObject(value, field);
    if (additionalProperties === false) refuseUnknownKeys(object, names, field);
    for (const each of required) if (object[each] === undefined) throw bad(`${field}.${each} is missing`);
    for (const [name, check] of checks) if (object[name] !== undefined) check(object[name], `${field}.${name}`);
  };
}

/** The alternative whose JSON type the value has: no two have the same. */
function byType({ oneOf = [] }: Schema): Check {
  const alternatives = new Map(oneOf.map((each) => [resolve<Schema>(each).type ?? "", checkOf(each)]));
  if (alternatives.size !== oneOf.length) throw new Error("alternatives of one type need a discriminator");
  const names = [...alternatives.keys()].join(" or ");
  return (value, field) => {
    const type = Array.isArray(value) ? "array" : typeof value;
    const check = value === null ? undefined : alternatives.get(type);
    if (check === undefined) throw bad(`${field} must be of type ${names}`);
    check(value, field);
  };
}

/** The alternative that the value itself names. */
function byName({ oneOf = [], discriminator }: Schema): Check {
  const key = discriminator?.propertyName ?? "";
  const alternatives = new Map<unknown, Check>();
  for (const each of oneOf) {
    const property = resolve<Schema>(each).properties?.[key];
    alternatives.set(property === undefined ? undefined : resolve<Schema>(property).const, checkOf(each));
  }
  const names = [...alternatives.keys()].join(", ");
  return (value, field) => {
    const name = asObject(value, field)[key];
    const check = alternatives.get(name);
    if (check === undefined) {
      const fault = name === undefined ? "it is missing" : `${show(String(name))} is unknown`;
      throw bad(`${field}.${key}: ${fault}; it is one of ${names}`);
    }
    check(value, field);
  };
}
