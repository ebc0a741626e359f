/** Strict JSON: UTF-8, one object, no key twice, no key that nobody knows, and every fault with the place where it stands. */
import { isUtf8 } from "node:buffer";
import { show } from "../show.ts";
import { bad } from "./fault.ts";
import { restLimits } from "./limits.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

/** An empty body is an empty object. */
export function readJson(bytes: Buffer): JsonObject {
  if (bytes.length === 0) return {};
  if (!isUtf8(bytes)) throw bad("the body is not UTF-8");
  const text = bytes.toString("utf8");
  const deep = faultOfNesting(text);
  if (deep !== undefined) throw bad(deep);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (fault) {
    throw bad(`the body is no JSON: ${fault instanceof Error ? fault.message : "it does not parse"}`);
  }
  const twice = repeatedKey(text);
  if (twice !== undefined) throw bad(`the body has the key ${show(twice)} twice in one object; give it once`);
  return asObject(value, "the body");
}

/** Bounded before it is parsed. */
function faultOfNesting(text: string): string | undefined {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x22) i = endOfString(text, i);
    else if (code === 0x7b || code === 0x5b) {
      if (++depth > restLimits.jsonDepth) return `the body is nested deeper than ${restLimits.jsonDepth} levels`;
    } else if (code === 0x7d || code === 0x5d) depth--;
  }
  return undefined;
}

/** Of text that parses: JSON.parse would silently take the last of two. */
function repeatedKey(text: string): string | undefined {
  const open: (Set<string> | undefined)[] = [];
  let key = false;
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case 0x7b:
        open.push(new Set());
        key = true;
        break;
      case 0x5b:
        open.push(undefined);
        key = false;
        break;
      case 0x7d:
      case 0x5d:
        open.pop();
        key = false;
        break;
      case 0x2c:
        key = open.at(-1) !== undefined;
        break;
      case 0x22: {
        const end = endOfString(text, i);
        if (key) {
          const name = JSON.parse(text.slice(i, end + 1)) as string;
          const names = open.at(-1);
          if (names?.has(name)) return name;
          names?.add(name);
          key = false;
        }
        i = end;
        break;
      }
    }
  }
  return undefined;
}

/** The index of the closing quote; the text's end if there is none. */
function endOfString(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x5c) i++;
    else if (code === 0x22) return i;
  }
  return text.length;
}

export function asObject(value: unknown, field: string): JsonObject {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw bad(`${field} must be a JSON object`);
  return value as JsonObject;
}

export function asArray(value: unknown, field: string): readonly unknown[] {
  if (!Array.isArray(value)) throw bad(`${field} must be a JSON array`);
  return value as readonly unknown[];
}

export function refuseUnknownKeys(object: JsonObject, allowed: readonly string[], field: string): void {
  for (const key of Object.keys(object)) {
    if (!allowed.includes(key)) throw bad(`${field} has the unknown key ${show(key)}; it takes ${allowed.join(", ")}`);
  }
}

export function textOf(object: JsonObject, key: string, field: string): string | undefined {
  const value = object[key];
  if (value === undefined) return undefined;
  if (typeof value !== "string") throw bad(`${field}.${key} must be a string`);
  if (!value.isWellFormed()) throw bad(`${field}.${key} has half of a surrogate pair, which is no text`);
  return value;
}

export function flagOf(object: JsonObject, key: string, field: string): boolean | undefined {
  const value = object[key];
  if (value === undefined || typeof value === "boolean") return value;
  throw bad(`${field}.${key} must be true or false`);
}

export function integerOf(
  object: JsonObject,
  key: string,
  field: string,
  least: number,
  most: number,
): number | undefined {
  const value = object[key];
  if (value === undefined) return undefined;
  if (typeof value !== "number" || !Number.isInteger(value) || value < least || value > most) {
    throw bad(`${field}.${key} must be a whole number from ${least} to ${most}`);
  }
  return value;
}
