/** Schemas as a reader takes them in: a type in a few words, an object as the table of its keys. */

import { isReference, nameOf, type Reference, resolve, type Schema, specification } from "../specification.ts";
import { code, escapeHtml, inline, json, prose, table } from "./html.ts";

export function schemaId(name: string): string {
  return `schema-${name}`;
}

/** In a few words, with links to the schemas that have a name. */
export function typeOf(schema: Schema | Reference): string {
  if (isReference(schema)) return `<a href="#${schemaId(nameOf(schema))}">${escapeHtml(nameOf(schema))}</a>`;
  if (schema.const !== undefined) return code(JSON.stringify(schema.const));
  if (schema.enum !== undefined) return schema.enum.map((each) => code(String(each))).join(" | ");
  if (schema.oneOf !== undefined) return schema.oneOf.map(typeOf).join(" or ");
  if (schema.allOf !== undefined) return namedOf(schema.allOf).map(typeOf).join(" and ");
  if (schema.type === "array") return `array of ${schema.items === undefined ? "anything" : typeOf(schema.items)}`;
  if (schema.type === undefined) return "anything";
  return escapeHtml(schema.format === undefined ? schema.type : `${schema.type} (${schema.format})`);
}

/** Of what is true together: those that have a name. The others are shown as keys. */
function namedOf(all: readonly (Schema | Reference)[]): readonly (Schema | Reference)[] {
  const named = all.filter(isReference);
  return named.length > 0 ? named : all;
}

/** What else its values must be. What has a name says so itself, but may have a default here. */
export function boundsOf(given: Schema | Reference): string {
  const schema = isReference(given) ? ({ default: (given as Partial<Schema>).default } as Schema) : given;
  const { minimum, maximum, minLength, maxLength, maxItems, pattern } = schema;
  const parts: string[] = [];
  if (minimum !== undefined || maximum !== undefined) parts.push(`${minimum ?? "…"} to ${maximum ?? "…"}`);
  if (minLength !== undefined || maxLength !== undefined) {
    parts.push(`${minLength ?? 0} to ${maxLength?.toLocaleString("en") ?? "…"} long`);
  }
  if (maxItems !== undefined) parts.push(`at most ${maxItems}`);
  if (pattern !== undefined) parts.push(code(pattern));
  if (schema.default !== undefined) parts.push(`default ${code(JSON.stringify(schema.default))}`);
  return parts.join(", ");
}

/** A description, and behind it quietly what else is to be said. */
export function meaningOf(description: string | undefined, notes: readonly string[]): string {
  const more = notes.filter(Boolean).join("; ");
  return `${inline(description ?? "")} ${more === "" ? "" : `<span class="quiet">${more}</span>`}`.trim();
}

/** The keys of an object; empty for anything else. */
export function propertiesOf(schema: Schema): string {
  const own = schema.allOf?.filter((each) => !isReference(each)) ?? [];
  if (own.length > 0) return own.map((each) => propertiesOf(each as Schema)).join("\n");
  const rows = Object.entries(schema.properties ?? {}).map(([name, each]) => {
    const needed = schema.required?.includes(name) ? "" : ' <span class="quiet">optional</span>';
    // A reference may have a description of its own beside it (OpenAPI 3.1).
    return [`${code(name)}${needed}`, typeOf(each), meaningOf((each as Schema).description, [boundsOf(each)])];
  });
  return table(["key", "type", "meaning"], rows);
}

/** One schema in full, as a part of the page. */
export function schemaSection(name: string): string {
  const schema = resolve<Schema>({ $ref: `#/components/schemas/${name}` });
  const alternatives = (schema.oneOf ?? []).map((each) => {
    const { description } = resolve<Schema>(each);
    const named = isReference(each) || description === undefined;
    const title = named ? `${typeOf(each)}${"allOf" in each ? ", and" : ""}` : inline(description);
    return `<h4>${title}</h4>${isReference(each) ? "" : propertiesOf(each)}`;
  });
  const kind = schema.properties === undefined && schema.oneOf === undefined ? `<p>${typeOf(schema)}` : "";
  const bounds =
    kind === "" ? "" : `${[boundsOf(schema)].map((each) => (each === "" ? "" : `, ${each}`)).join("")}</p>`;
  const example = schema.example === undefined ? "" : json(schema.example);
  const parts = [prose(schema.description), `${kind}${bounds}`, propertiesOf(schema), ...alternatives, example];
  return `<section class="schema" id="${schemaId(name)}"><h3>${escapeHtml(name)}</h3>\n${parts.filter(Boolean).join("\n")}</section>`;
}

export const schemaNames: readonly string[] = Object.keys(specification.components.schemas);
