/** The reference page: each operation of the specification with its parameters, bodies, answers, and a line for curl. */
import { errors, httpErrors } from "@quorate/api";
import {
  type Header,
  isReference,
  type Media,
  type Operation,
  type Parameter,
  type Response,
  resolve,
  type Schema,
  specification,
} from "../specification.ts";
import { code, escapeHtml, inline, json, page, prose, table } from "./html.ts";
import { boundsOf, meaningOf, propertiesOf, schemaId, schemaNames, schemaSection, typeOf } from "./schema-html.ts";

interface Place {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

const places: readonly Place[] = Object.entries(specification.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
);

function badge(method: string): string {
  return `<span class="method ${method.toLowerCase()}">${method}</span>`;
}

/** The contents of both pages; `here` is what stands before the anchors of the reference. */
export function navigation(here: string): string {
  const { title, version } = specification.info;
  const parts = [
    `<a class="name" href="/docs">${escapeHtml(title)}</a><p class="version">REST, ${escapeHtml(version)}</p>`,
  ];
  parts.push(`<ul><li class="plain"><a href="/docs/errors">Errors</a></li>`);
  parts.push(`<li class="plain"><a href="/v1/openapi.json">OpenAPI document</a></li></ul>`);
  for (const { name } of specification.tags) {
    const links = places
      .filter(({ operation }) => operation.tags.includes(name))
      .map(({ method, path, operation }) => {
        const href = `${here}#${operation.operationId}`;
        return `<li><a href="${href}" title="${escapeHtml(operation.summary)}">${badge(method)}${escapeHtml(path)}</a></li>`;
      });
    parts.push(`<h2>${escapeHtml(name)}</h2><ul>${links.join("\n")}</ul>`);
  }
  const schemas = schemaNames.map((name) => `<li class="plain"><a href="${here}#${schemaId(name)}">${name}</a></li>`);
  parts.push(`<h2>schemas</h2><ul>${schemas.join("\n")}</ul>`);
  return parts.join("\n");
}

function parametersOf(operation: Operation): string {
  const rows = (operation.parameters ?? []).map((each) => {
    const { name, in: where, required, description, schema, example } = resolve<Parameter>(each);
    const needed = required ? "" : ' <span class="quiet">optional</span>';
    const like = example === undefined ? "" : `such as ${code(String(example))}`;
    const notes = meaningOf(description, [boundsOf(schema), like]);
    return [`${code(name)}${needed}`, where, typeOf(schema), notes];
  });
  return rows.length === 0 ? "" : `<h4>Parameters</h4>${table(["name", "in", "type", "meaning"], rows)}`;
}

function mediaOf(type: string, { schema, example }: Media): string {
  const shown = schema === undefined ? "" : typeOf(schema);
  const keys = schema === undefined || isReference(schema) ? "" : propertiesOf(schema as Schema);
  return `<p>${code(type)} ${shown}</p>${keys}${example === undefined ? "" : json(example)}`;
}

function bodyOf({ requestBody }: Operation): string {
  if (requestBody === undefined) return "";
  const { required, content } = requestBody;
  const media = Object.entries(content).map(([type, each]) => mediaOf(type, each));
  return `<h4>Body${required ? "" : " (optional)"}</h4>${media.join("\n")}`;
}

function answersOf(operation: Operation): string {
  const good: string[] = [];
  const bad: string[][] = [];
  for (const [status, each] of Object.entries(operation.responses)) {
    const { description, content = {}, headers = {} } = resolve<Response>(each);
    if (Number(status) >= 400) {
      bad.push([code(status), linksOf(Number(status), operation["x-never"] ?? [])]);
      continue;
    }
    const rows = Object.entries(headers).map(([name, header]) => {
      const { description: meaning, schema } = resolve<Header>(header);
      return [code(name), typeOf(schema), inline(meaning ?? "")];
    });
    const media = Object.entries(content).map(([type, each]) => mediaOf(type, each));
    const details = `<details><summary>Headers</summary>${table(["name", "type", "meaning"], rows)}</details>`;
    good.push(
      `<h4>Answer ${status}</h4><p>${inline(description)}</p>${media.join("\n")}${rows.length > 0 ? details : ""}`,
    );
  }
  const problems = `<details><summary>Problems</summary>${table(["status", "codes"], bad)}</details>`;
  return good.join("\n") + problems;
}

/** The codes that a status may bear; `never`: not this operation's. */
function linksOf(status: number, never: readonly string[]): string {
  const all = { ...errors, ...httpErrors } as Readonly<Record<string, { readonly http: number }>>;
  const codes = Object.keys(all).filter((each) => all[each]?.http === status && !never.includes(each));
  return codes.map((each) => `<a href="/docs/errors#${each}">${each}</a>`).join(", ");
}

function curlOf({ method, path, operation }: Place): string {
  let target = path;
  const query: string[] = [];
  for (const each of operation.parameters ?? []) {
    const { name, in: where, required, example, schema } = resolve<Parameter>(each);
    const given = example !== undefined && (method === "GET" || method === "POST");
    const value = String(example ?? resolve<Schema>(schema).example ?? "");
    if (where === "path") target = target.replace(`{${name}}`, value);
    else if (where === "query" && (required || (given && query.length === 0))) query.push(`${name}=${value}`);
  }
  const url = `localhost:8080${target}${query.length > 0 ? `?${query.join("&")}` : ""}`;
  const flag = method === "GET" ? "" : method === "HEAD" ? " -I" : ` -X ${method}`;
  const media = operation.requestBody?.content ?? {};
  const text = media["application/json"]?.example;
  if (text !== undefined) {
    return `curl${flag} '${url}' \\\n  -H 'Content-Type: application/json' -d '${JSON.stringify(text)}'`;
  }
  return `curl${flag} '${url}'${operation.requestBody === undefined ? "" : " --data-binary 'hello'"}`;
}

function operationSection(place: Place): string {
  const { method, path, operation } = place;
  const title = `<h3>${badge(method)}<a href="#${operation.operationId}"><code>${escapeHtml(path)}</code></a></h3>`;
  const parts = [
    `<p>${inline(operation.summary)}</p>`,
    prose(operation.description),
    `<pre>${escapeHtml([curlOf(place), ...(operation["x-curl"] ?? [])].join("\n"))}</pre>`,
    parametersOf(operation),
    bodyOf(operation),
    answersOf(operation),
  ];
  return `<section class="operation" id="${operation.operationId}">${title}\n${parts.filter(Boolean).join("\n")}</section>`;
}

export function referencePage(): string {
  const { title, summary, description } = specification.info;
  const parts = [`<h1>${escapeHtml(title)}</h1><p class="quiet">${inline(summary)}</p>`, prose(description)];
  for (const { name } of specification.tags) {
    const own = places.filter(({ operation }) => operation.tags.includes(name));
    parts.push(`<h2>${escapeHtml(name)}</h2>`, ...own.map(operationSection));
  }
  parts.push("<h2>schemas</h2>", ...schemaNames.map(schemaSection));
  return page(`${title}: reference`, navigation(""), parts.join("\n"));
}
