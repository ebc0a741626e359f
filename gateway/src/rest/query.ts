/** A request's query: each parameter known to the route, and given once, but where several mean something. `+` is a space, as forms have it. */

import { show } from "../show.ts";
import { bad } from "./fault.ts";
import { readBoolean } from "./values.ts";

const none: readonly string[] = [];
const noLists = new Map<string, string[]>();

export class Query {
  readonly #values: ReadonlyMap<string, string>;
  readonly #lists: ReadonlyMap<string, readonly string[]>;

  constructor(values: ReadonlyMap<string, string>, lists: ReadonlyMap<string, readonly string[]> = noLists) {
    this.#values = values;
    this.#lists = lists;
  }

  text(name: string): string | undefined {
    return this.#values.get(name);
  }

  /** Of a parameter that may be given more than once. */
  all(name: string): readonly string[] {
    return this.#lists.get(name) ?? [];
  }

  flag(name: string): boolean {
    const value = this.#values.get(name);
    return value === undefined ? false : readBoolean(value, name);
  }

  /** Sorted, so that the order of parameters does not make another request. */
  canonical(without: readonly string[] = none): string {
    const values = [...this.#values].filter(([name]) => !without.includes(name));
    if (values.length === 0) return "";
    return JSON.stringify(values.sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}

export const emptyQuery: Query = new Query(new Map());

/** `raw`: what stands behind the `?`. `repeated`: of those allowed, which may be given more than once. */
export function readQuery(
  raw: string,
  allowed: readonly string[],
  where: string,
  repeated: readonly string[] = none,
): Query {
  if (raw === "") return emptyQuery;
  const values = new Map<string, string>();
  const lists = repeated.length === 0 ? noLists : new Map<string, string[]>();
  for (const part of raw.split("&")) {
    if (part === "") continue;
    const at = part.indexOf("=");
    const name = decode(at < 0 ? part : part.slice(0, at));
    if (!allowed.includes(name)) {
      const known = allowed.length === 0 ? "it takes none" : `it takes ${allowed.join(", ")}`;
      throw bad(`the query parameter ${show(name)} is not known on ${where}; ${known}`);
    }
    const value = at < 0 ? "" : decode(part.slice(at + 1));
    if (repeated.includes(name)) {
      const list = lists.get(name);
      if (list === undefined) lists.set(name, [value]);
      else list.push(value);
      continue;
    }
    if (values.has(name)) throw bad(`the query parameter ${name} is given twice; give it once`);
    values.set(name, value);
  }
  return new Query(values, lists);
}

function decode(text: string): string {
  const spaced = text.includes("+") ? text.replaceAll("+", " ") : text;
  if (!spaced.includes("%")) return spaced;
  try {
    return decodeURIComponent(spaced);
  } catch {
    throw bad(`the query has ${show(text)}, which is no percent-encoded UTF-8`);
  }
}
