/** Random messages of the gRPC contract, made from its descriptors; what a field's name means comes first, where it is wanted. */
import { publicServices } from "@quorate/proto";
import type { SeededRandom } from "../simulation/random.ts";
import type { Known } from "./known.ts";
import { aclEntryOf, dataOf, memberOf, nameOf, oddTexts, pathOf } from "./values.ts";

interface Field {
  readonly name: string;
  readonly type: string;
  readonly label: string;
  readonly typeName: string;
  readonly oneofIndex?: number;
  readonly proto3Optional?: boolean;
}

interface Descriptor {
  readonly name: string;
  readonly field: readonly Field[];
  readonly value?: readonly { readonly name: string }[];
}

const found = new Map<string, Descriptor>();
for (const [name, each] of Object.entries(publicServices().packages)) {
  if (!("type" in each)) continue;
  const { field = [], ...rest } = each.type as unknown as Descriptor;
  found.set(name, { ...rest, field: field.map((one) => ({ ...one, name: snake(one.name) })) });
}

/** As the contract writes it; messages have it otherwise. */
function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** The whole name, or the last part of it where only that is written. */
function descriptorOf(name: string): Descriptor | undefined {
  const bare = name.replace(/^\./, "");
  const exact = found.get(bare) ?? found.get(`quorate.v1.${bare}`);
  if (exact !== undefined) return exact;
  for (const [full, each] of found) if (full.endsWith(`.${bare}`)) return each;
  return undefined;
}

const camel = (name: string): string => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

export interface Making {
  readonly random: SeededRandom;
  readonly known: Known;
  /** How often a value is made without regard for what it means. */
  readonly wild: number;
  /** The session whose secret goes along. */
  readonly session: number;
}

export function messageOf(name: string, making: Making, depth = 0): Record<string, unknown> {
  const descriptor = descriptorOf(name);
  if (descriptor === undefined) throw new Error(`there is no message ${name}`);
  const { random, wild } = making;
  const meant = random.chance(wild) ? undefined : meaningOf(descriptor.name, making, depth);
  if (meant !== undefined) return meant;
  const made: Record<string, unknown> = {};
  const oneofs = new Map<number, Field[]>();
  for (const field of descriptor.field) {
    if (
      field.oneofIndex !== undefined &&
      !field.proto3Optional &&
      field.oneofIndex >= 0 &&
      isOneof(field, descriptor)
    ) {
      oneofs.set(field.oneofIndex, [...(oneofs.get(field.oneofIndex) ?? []), field]);
    } else if (random.chance(chanceOf(field, descriptor.name, depth)))
      made[camel(field.name)] = fieldOf(field, making, depth);
  }
  for (const fields of oneofs.values()) {
    const needed = /Operation$/.test(descriptor.name) || random.chance(0.5);
    if (!needed) continue;
    const field = random.pick(fields);
    made[camel(field.name)] = fieldOf(field, making, depth);
  }
  if (isOfQueues(descriptor.name) && !random.chance(wild)) {
    const what = /^(Acquire|Release|GetLock)/.test(descriptor.name) ? "lock" : "election";
    made["path"] = `${making.known.folder}/${what}${random.below(4)}`;
    // A place is asked for with a session, or with what is of none.
    if (/^(Acquire|Campaign)/.test(descriptor.name)) {
      for (const each of made["sessionId"] ? ["sessionTimeout"] : ["token", "idempotencyKey"]) delete made[each];
      if (random.chance(0.9)) delete made["token"];
    }
  }
  if (descriptor.name === "CreateRequest" && random.chance(0.6)) {
    made["path"] = `${making.known.path(random)}/${nameOf(random, making.known)}`;
  }
  return made;
}

function isOfQueues(name: string): boolean {
  return /^(Acquire|Release|GetLock|Campaign|Proclaim|Resign|GetLeader|Observe)Request$/.test(name);
}

/** A field without a oneof has index 0 by default: alone in it, and no operation's, it is plain. */
function isOneof(field: Field, { name, field: fields }: Descriptor): boolean {
  return /Operation$/.test(name)
    ? field.type === "TYPE_MESSAGE" && !/^(timeout|shape|acl|options)$/.test(field.name)
    : /^after_/.test(field.name) && fields.some((each) => each.name === "after_cursor");
}

function chanceOf({ name, type, label }: Field, of: string, depth: number): number {
  if (/^(Acquire|Campaign)/.test(of) && /^(acl|mode|permits|layout)$/.test(name)) return 0.1;
  if (/^(path|acl|scheme|perms|kind|to)$/.test(name)) return 0.97;
  if (name === "options") return 0.4;
  if (name === "session_id") {
    if (/^(Release|Resign|Proclaim)/.test(of)) return 0.95;
    return /^(Renew|Close|Get)Session/.test(of) ? 1 : /^(Acquire|Campaign)/.test(of) ? 0.6 : 0.15;
  }
  if (name === "token" && of === "Fence") return 0.97;
  if (name === "nodes" || name === "subtrees" || name === "children" || name === "then") return depth > 1 ? 0.1 : 0.8;
  if (name === "data") return 0.6;
  if (type === "TYPE_MESSAGE" || label === "LABEL_REPEATED") return 0.2;
  return 0.15;
}

function fieldOf(field: Field, making: Making, depth: number): unknown {
  if (field.label !== "LABEL_REPEATED") return valueIn(field, making, depth);
  const count = making.random.chance(0.02) ? 150 : 1 + making.random.below(3);
  return Array.from({ length: count }, () => valueIn(field, making, depth));
}

const integers = [0, 1, -1, 2, 77, 255, 1000, 10_001, 2 ** 31 - 1, -(2 ** 31), 2 ** 40, 2 ** 53 - 1, -(2 ** 53)];

function valueIn(field: Field, making: Making, depth: number): unknown {
  const { random, wild } = making;
  if (field.type === "TYPE_MESSAGE") return depth > 4 ? {} : messageOf(field.typeName, making, depth + 1);
  const known = random.chance(wild) ? undefined : meantValue(field, making);
  if (known !== undefined) return known;
  switch (field.type) {
    case "TYPE_STRING":
      return random.pick(oddTexts.filter((each) => each.isWellFormed()));
    case "TYPE_BYTES":
      return dataOf(random);
    case "TYPE_BOOL":
      return random.chance(0.5);
    case "TYPE_ENUM": {
      const names = descriptorOf(field.typeName)?.value ?? [];
      return random.chance(0.1) ? 99 : (names[random.below(Math.max(1, names.length))]?.name ?? 0);
    }
    default:
      return random.pick(field.type === "TYPE_INT32" ? integers.filter((each) => Math.abs(each) <= 2 ** 31) : integers);
  }
}

function meantValue({ name, type }: Field, { random, known, session }: Making): unknown {
  switch (name) {
    case "path":
    case "nodes":
    case "subtrees":
    case "children":
      return random.chance(0.8) ? known.path(random) : pathOf(random, known);
    case "session_id":
      return session;
    case "idempotency_key":
      return random.chance(0.8) ? known.freshKey(random) : known.key(random);
    case "min_zxid":
    case "mzxid":
    case "mzxids":
    case "czxid":
    case "after_zxid":
      return Number(known.zxid);
    case "after_cursor":
      return known.cursor(random);
    case "page_size":
    case "depth":
      return random.below(5);
    case "page_token":
      return random.chance(0.7) ? "" : (known.token(random)?.token ?? "");
    case "version":
    case "aversion":
      return random.chance(0.6) ? -1 : random.below(3);
    case "permits":
      return 1 + random.below(3);
    case "max_waiters":
      return random.below(5);
    case "to":
      return memberOf(random, known);
    case "name":
      return "fuzz";
    case "exists":
      return random.chance(0.8);
    default:
      return type === "TYPE_BYTES" ? dataOf(random) : undefined;
  }
}

/** Messages that mean something only as a whole. */
function meaningOf(name: string, making: Making, depth: number): Record<string, unknown> | undefined {
  const { random, known, session } = making;
  switch (name) {
    case "Fence": {
      const [path, token] = known.fence(random).split("=");
      return { path: `/${path?.replace(/^\//, "")}`, token: Number(token) };
    }
    case "Duration":
      return { seconds: random.pick([1, 5, 30, 60]), nanos: random.pick([0, 500_000_000]) };
    case "AclEntry":
      return { ...aclEntryOf(random, false) };
    case "Shape": {
      const kind = random.pick(["PERSISTENT", "CONTAINER", "TTL", session > 0 ? "EPHEMERAL" : "TTL"]);
      return { kind: `NODE_KIND_${kind}`, ...(kind === "TTL" ? { ttl: { seconds: 30 } } : {}) };
    }
    case "WriteOptions": {
      const shown = random.chance(0.7) && session > 0 ? { sessionId: session } : {};
      const fenced = random.chance(0.15) ? { fenced: [messageOf("Fence", making, depth + 1)] } : {};
      return { ...shown, ...fenced, ...(random.chance(0.3) ? { idempotencyKey: known.freshKey(random) } : {}) };
    }
    case "ReadOptions": {
      const consistency = random.pick(["UNSPECIFIED", "LINEARIZABLE", "SESSION", "STALE"]);
      const shown = random.chance(0.2) && session > 0 ? { sessionId: session } : {};
      return { consistency: `CONSISTENCY_${consistency}`, minZxid: Number(known.zxid), ...shown };
    }
    default:
      return undefined;
  }
}
