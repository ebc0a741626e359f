/** REST's JSON as the doors' common form. */
import type { Child, Event, Part, SessionShown, Stat, State } from "./door.ts";
import { shown } from "./door.ts";

// biome-ignore lint/suspicious/noExplicitAny: a body is whatever the door sent; the table says what it must be.
type Json = any;

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

export function millisOfText(text: string): number {
  const found = /^(\d+)(ms|s|m|h)$/.exec(text);
  if (found === null) throw new Error(`${text} is no duration`);
  return Number(found[1]) * (units[found[2] ?? ""] ?? 0);
}

export function dataOfJson({ data, encoding }: Json): string {
  return shown(Buffer.from(data, encoding === "base64" ? "base64" : "utf8"));
}

export function statOfJson({ ctime, mtime, ephemeralOwner, ttl, ...rest }: Json): Stat {
  return {
    ...rest,
    ctime: Date.parse(ctime),
    mtime: Date.parse(mtime),
    ...(ephemeralOwner === undefined ? {} : { owner: ephemeralOwner }),
    ...(ttl === undefined ? {} : { ttlMillis: millisOfText(ttl) }),
  };
}

export function childOfJson(each: Json): Child {
  return {
    name: each.name,
    ...(each.stat === undefined ? {} : { stat: statOfJson(each.stat) }),
    ...(each.data === undefined ? {} : { data: dataOfJson(each) }),
  };
}

export function childrenOfJson(json: Json): object {
  const children: Child[] = json.children.map(childOfJson);
  return {
    children,
    names: children.map(({ name }) => name),
    namesZxid: json.zxid,
    ...(json.continue === undefined ? {} : { token: json.continue }),
  };
}

export function partOfJson(each: Json): Part {
  return {
    path: each.path,
    ...(each.stat === undefined ? {} : { stat: statOfJson(each.stat) }),
    ...(each.data === undefined ? {} : { data: dataOfJson(each) }),
    ...(each.deleted === undefined ? {} : { deleted: each.deleted }),
    ...(each.children === undefined ? {} : { children: each.children.map(childOfJson) }),
  };
}

export function eventOfJson({ time, data, encoding, ...rest }: Json): Event {
  return {
    ...rest,
    time: Date.parse(time),
    ...(data === undefined ? {} : { data: dataOfJson({ data, encoding }) }),
  };
}

export function stateOfJson({ scope, path, exists, stat, data, encoding, children }: Json): State {
  return {
    scope,
    path,
    exists,
    ...(stat === undefined ? {} : { stat: statOfJson(stat) }),
    ...(data === undefined ? {} : { data: dataOfJson({ data, encoding }) }),
    ...(children === undefined ? {} : { names: children }),
  };
}

export function sessionOfJson({ id, name, timeout, identity, ephemeralCount }: Json): SessionShown {
  return { id, name, timeoutMillis: millisOfText(timeout), identity, ephemeralCount };
}
