/** Values by their schema, with meaning where the name tells it; and values that are wrong. */
import type { SeededRandom } from "../simulation/random.ts";
import type { Known } from "./known.ts";
import { type Schema, schemaAt } from "./specification.ts";

const durations = ["1ms", "500ms", "1s", "30s", "60s", "5m", "1h", "24h"];
const names = ["a", "b", "queue", "item-", "grüße", "a b", "100%", "x+y", "ключ", "+?&#=", "0000000001"];
/** Each breaks a rule of paths, of numbers, or of text. */
export const oddTexts: readonly string[] = [
  "",
  " ",
  "/",
  "//",
  ".",
  "..",
  "\u0000",
  "\u0001",
  "\u007f",
  "￾",
  "\ud800",
  "true",
  "yes",
  "-1",
  "0",
  "1e3",
  "99999999999999999999",
  "0x",
  "0xffffffffffffffff",
  "0x20000000000000",
  "null",
  "[]",
  "{}",
  "%",
  "%00",
  "constructor",
  "__proto__",
  "x".repeat(5000),
  "*",
  '"',
  "W/",
  "5",
  "0s",
  "-5s",
  "1d",
];

export function nameOf(random: SeededRandom, known: Known): string {
  return random.chance(0.6) ? known.fresh() : random.pick(names);
}

/** One that exists, a new one beside it, or now and then one without a parent. */
export function pathOf(random: SeededRandom, known: Known): string {
  const roll = random.below(100);
  if (roll < 65) return known.path(random);
  const parent = known.path(random);
  if (roll < 93) return `${parent}/${nameOf(random, known)}`;
  if (roll < 98) return `${parent}/${known.fresh()}/${known.fresh()}`;
  return "/";
}

export function dataOf(random: SeededRandom): Buffer {
  const size = random.pick([0, 1, 5, 40, 300, 3000]);
  const bytes = Buffer.alloc(size);
  for (let i = 0; i < size; i++) bytes[i] = random.chance(0.7) ? 97 + random.below(26) : random.below(256);
  return bytes;
}

export function aclEntryOf(random: SeededRandom, hasName: boolean): object {
  const perms = random.pick(["cdrwa", "cdrwa", "cdrwa", "r", "rw", "a"]);
  if (hasName && random.chance(0.3)) return { scheme: "auth", id: "", perms };
  if (random.chance(0.1)) return { scheme: "ip", id: "127.0.0.0/8", perms };
  return { scheme: "world", id: "anyone", perms: "cdrwa" };
}

/** By the schema's rules; what a name means comes first. */
export function sample(given: Schema, name: string, random: SeededRandom, known: Known): unknown {
  const meaning = meant(given, name, random, known);
  if (meaning !== undefined) return meaning;
  const schema = schemaAt(given);
  if (schema.const !== undefined) return schema.const;
  if (schema.enum !== undefined) return random.pick(schema.enum);
  if (schema.oneOf !== undefined) return sample(random.pick(schema.oneOf), name, random, known);
  switch (schema.type) {
    case "boolean":
      return random.chance(0.5);
    case "integer":
      return Math.max(schema.minimum ?? 0, Math.min(schema.maximum ?? 5, random.below(6)));
    case "array":
      return Array.from({ length: 1 + random.below(3) }, () => sample(schema.items ?? {}, name, random, known));
    case "object":
      return objectOf(schema, random, known);
    default:
      return random.pick(names);
  }
}

function objectOf(schema: Schema, random: SeededRandom, known: Known): object {
  const made: Record<string, unknown> = {};
  for (const [name, each] of Object.entries(schema.properties ?? {})) {
    const required = schema.required?.includes(name) ?? false;
    if (required || random.chance(name === "then" ? 0.95 : 0.15)) made[name] = sample(each, name, random, known);
  }
  // What excludes each other.
  const kinds = ["ephemeral", "container", "ttl"].filter((each) => made[each] !== undefined && made[each] !== false);
  for (const each of kinds.slice(1)) delete made[each];
  return made;
}

function meant(schema: Schema, name: string, random: SeededRandom, known: Known): unknown {
  switch (schema.$ref?.slice(schema.$ref.lastIndexOf("/") + 1)) {
    case "Duration":
      return random.pick(durations);
    case "Zxid":
      return random.chance(0.8) ? known.zxid : "0x1";
    case "Cursor":
      return known.cursor(random);
    case "AclEntry":
      return aclEntryOf(random, true);
    default:
  }
  switch (name) {
    case "path":
      return pathOf(random, known);
    case "base64":
      return dataOf(random).toString("base64");
    case "version":
      return random.chance(0.5) ? -1 : random.below(4);
    case "exists":
      return random.chance(0.8);
    case "to":
      return memberOf(random, known);
    case "name":
      return "fuzz";
    default:
      return undefined;
  }
}

/** Mostly the leader itself, which leads already; now and then another, who will lead. */
export function memberOf(random: SeededRandom, known: Known): number {
  const others = known.members.filter((each) => each !== known.leader);
  if (others.length > 0 && random.chance(0.1)) return random.pick(others);
  return random.chance(0.9) ? known.leader : random.below(256);
}

/** A JSON value with one thing wrong in it: of another type, missing, twice as deep, unknown. */
export function spoiled(value: unknown, random: SeededRandom): unknown {
  if (Array.isArray(value) && value.length > 0 && random.chance(0.7)) {
    const index = random.below(value.length);
    return value.map((each, i) => (i === index ? spoiled(each, random) : each));
  }
  if (value !== null && typeof value === "object") {
    const keys = Object.keys(value);
    const roll = random.below(10);
    if (keys.length === 0 || roll < 2) return { ...value, [random.pick(["unknown", "__proto__", "Path", ""])]: 1 };
    const key = random.pick(keys);
    if (roll < 4) return Object.fromEntries(Object.entries(value).filter(([each]) => each !== key));
    const inner = (value as Readonly<Record<string, unknown>>)[key];
    return { ...value, [key]: spoiled(inner, random) };
  }
  return random.pick([null, true, -1, 1.5, 1e300, "", [], {}, [[]], { base64: "?" }, ...oddTexts]);
}
