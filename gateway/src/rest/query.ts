/** A request's query: each parameter known to the route, and given once. `+` is a space, as forms have it. */
import { bad } from "./fault.ts";
import { readBoolean, show } from "./values.ts";

export class Query {
  readonly #values: ReadonlyMap<string, string>;

  constructor(values: ReadonlyMap<string, string>) {
    this.#values = values;
  }

  text(name: string): string | undefined {
    return this.#values.get(name);
  }

  flag(name: string): boolean {
    const value = this.#values.get(name);
    return value === undefined ? false : readBoolean(value, name);
  }

  /** Sorted, so that the order of parameters does not make another request. */
  canonical(): string {
    if (this.#values.size === 0) return "";
    return JSON.stringify([...this.#values].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}

const empty = new Query(new Map());

/** `raw`: what stands behind the `?`. */
export function readQuery(raw: string, allowed: readonly string[], where: string): Query {
  if (raw === "") return empty;
  const values = new Map<string, string>();
  for (const part of raw.split("&")) {
    if (part === "") continue;
    const at = part.indexOf("=");
    const name = decode(at < 0 ? part : part.slice(0, at));
    if (!allowed.includes(name)) {
      const known = allowed.length === 0 ? "it takes none" : `it takes ${allowed.join(", ")}`;
      throw bad(`the query parameter ${show(name)} is not known on ${where}; ${known}`);
    }
    if (values.has(name)) throw bad(`the query parameter ${name} is given twice; give it once`);
    values.set(name, at < 0 ? "" : decode(part.slice(at + 1)));
  }
  return new Query(values);
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
