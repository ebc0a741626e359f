/** Sends the table's requests as they stand (nothing is normalised on the way) and judges the answers. */
import assert from "node:assert/strict";
import { Agent, request as httpRequest } from "node:http";
import { errors, httpErrors } from "@quorate/api";

export interface Seen {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Buffer;
  readonly text: string;
  /** Undefined if the body is no JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: a body is whatever the door sent; the table says what it must be.
  readonly json: any;
}

/** What earlier steps kept, and the case's own folder in the tree (no other case uses it). */
export interface Kept {
  readonly at: string;
  readonly values: Map<string, string>;
}

export interface Step {
  readonly method: string;
  /** `@` is the case's folder; `{name}` what a step before kept. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string | Buffer;
  /** `user:password`; `super` is the super user. */
  readonly as?: string;
  readonly status: number;
  readonly code?: string;
  /** The detail has this in it. */
  readonly says?: string;
  readonly answers?: Readonly<Record<string, string | RegExp | undefined>>;
  readonly check?: (seen: Seen, kept: Kept) => void;
  readonly keep?: Readonly<Record<string, (seen: Seen) => string>>;
}

export interface Case {
  readonly name: string;
  readonly steps: readonly Step[];
}

export interface RunOptions {
  /** `user:password` of the super user that the server was started with. */
  readonly superUser: string;
}

const agent = new Agent({ keepAlive: true, maxSockets: 4 });
let runs = 0;

/** Each failing case with its fault; empty when all hold. */
export async function runCases(
  baseUrl: string,
  cases: readonly Case[],
  options: RunOptions,
): Promise<readonly { readonly name: string; readonly fault: Error }[]> {
  const failing: { name: string; fault: Error }[] = [];
  for (const each of cases) {
    try {
      await runCase(baseUrl, each, options);
    } catch (fault) {
      failing.push({ name: each.name, fault: fault as Error });
    }
  }
  return failing;
}

export async function runCase(baseUrl: string, { name, steps }: Case, options: RunOptions): Promise<void> {
  runs++;
  const at = `/case-${process.pid}-${Date.now().toString(36)}-${runs}`;
  const kept: Kept = { at, values: new Map() };
  await ask(baseUrl, { method: "PUT", path: `/v1/znodes${at}`, status: 201 }, kept, options);
  for (const [index, step] of steps.entries()) {
    let seen = await ask(baseUrl, step, kept, options);
    // Where a machine stands still at the end of the time limit, the door may not have heard what the replica lacks.
    for (let tries = 0; tries < 5 && step.code === "behind" && seen.json?.code === "noLeader"; tries++) {
      seen = await ask(baseUrl, step, kept, options);
    }
    const where = `${name}, step ${index + 1}: ${step.method} ${step.path}: ${seen.status} ${seen.text.slice(0, 300)}`;
    judge(step, seen, where);
    try {
      step.check?.(seen, kept);
    } catch (fault) {
      throw new Error(`${where}: ${(fault as Error).message}`, { cause: fault });
    }
    for (const [key, take] of Object.entries(step.keep ?? {})) kept.values.set(key, take(seen));
  }
}

function judge(step: Step, seen: Seen, where: string): void {
  assert.equal(seen.status, step.status, where);
  const zxid = seen.headers["quorate-zxid"];
  // Zero is no place to go on from; who asked no state says none.
  const known = /^0x(?!0{16})[0-9a-f]{16}$/;
  const must = seen.status < 400 && seen.headers["quorate-served-by"] !== "gateway";
  if (must || zxid !== undefined) assert.match(zxid ?? "", known, `${where}: Quorate-Zxid`);
  assert.ok(seen.headers["quorate-served-by"], `${where}: Quorate-Served-By`);
  assert.equal(seen.headers["cache-control"], "no-store", where);
  if (seen.status >= 400 && step.method !== "HEAD") judgeProblem(step, seen, where);
  for (const [header, expected] of Object.entries(step.answers ?? {})) {
    const actual = seen.headers[header.toLowerCase()];
    if (expected instanceof RegExp) assert.match(actual ?? "", expected, `${where}: ${header}`);
    else assert.equal(actual, expected, `${where}: ${header}`);
  }
}

/** Every failure is a problem whose code, certainty and times agree with the one table. */
function judgeProblem(step: Step, { status, headers, json }: Seen, where: string): void {
  assert.equal(headers["content-type"], "application/problem+json", where);
  assert.equal(json.status, status, where);
  assert.equal(json.code, step.code, where);
  assert.equal(json.type, `/docs/errors#${json.code}`, where);
  const table: Readonly<Record<string, { readonly title: string; readonly certainty: string }>> = {
    ...errors,
    ...httpErrors,
  };
  assert.equal(json.title, table[json.code]?.title, where);
  assert.ok(json.certainty === "unknown" || json.certainty === "noEffect", where);
  if (status < 500 || status === 501 || status === 503) assert.equal(json.certainty, "noEffect", where);
  assert.equal(headers["retry-after"] !== undefined, status === 429 || status === 503, `${where}: Retry-After`);
  assert.ok(json.detail.length > 10, where);
  if (step.says !== undefined) assert.ok(json.detail.includes(step.says), `${where}: says ${step.says}`);
  if (status === 401) assert.ok(headers["www-authenticate"], where);
}

function fill(text: string, kept: Kept): string {
  return text
    .replaceAll("@", kept.at)
    .replaceAll(/\{([a-zA-Z]+)\}/g, (whole, name: string) => kept.values.get(name) ?? whole);
}

export function ask(baseUrl: string, step: Step, kept: Kept, options: RunOptions): Promise<Seen> {
  const { hostname, port } = new URL(baseUrl);
  const headers: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(step.headers ?? {})) {
    headers[name] = typeof value === "string" ? fill(value, kept) : value.map((each) => fill(each, kept));
  }
  if (step.as !== undefined) {
    const credentials = step.as === "super" ? options.superUser : step.as;
    headers.Authorization = `Basic ${Buffer.from(credentials).toString("base64")}`;
  }
  const body = typeof step.body === "string" ? Buffer.from(fill(step.body, kept)) : step.body;
  if (body !== undefined) headers["Content-Length"] = String(body.length);
  const path = fill(step.path, kept);
  return new Promise((resolve, reject) => {
    const request = httpRequest({ hostname, port, path, method: step.method, headers, agent }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => resolve(seenOf(response.statusCode ?? 0, response.headers, Buffer.concat(chunks))));
    });
    request.on("error", reject);
    request.end(body);
  });
}

function seenOf(status: number, raw: Readonly<Record<string, string | string[] | undefined>>, bytes: Buffer): Seen {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(raw))
    headers[name] = Array.isArray(value) ? value.join(", ") : (value ?? "");
  const text = bytes.toString("utf8");
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  return { status, headers, bytes, text, json };
}
