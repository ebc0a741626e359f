/** One exchange over fetch, typed by the OpenAPI document; what went wrong as the one class of error. */
import { isBadPath, parsePath } from "@quorate/api";
import type { components, operations, paths } from "@quorate/openapi";
import type { Settings } from "../ask.ts";
import { defined } from "../defined.ts";
import { codeOfStatus, isErrorCode, QuorateError } from "../quorate-error.ts";

type Parameters<Id extends keyof operations, In extends "query" | "header"> = NonNullable<
  operations[Id]["parameters"][In]
>;

/** Where each operation is. */
const routes = {
  get: ["GET", "/v1/znodes/{path}"],
  exists: ["HEAD", "/v1/znodes/{path}"],
  put: ["PUT", "/v1/znodes/{path}"],
  create: ["POST", "/v1/znodes/{path}"],
  delete: ["DELETE", "/v1/znodes/{path}"],
  children: ["GET", "/v1/children/{path}"],
  getAcl: ["GET", "/v1/acl/{path}"],
  setAcl: ["PUT", "/v1/acl/{path}"],
  txn: ["POST", "/v1/txn"],
  createSession: ["POST", "/v1/sessions"],
  renewSession: ["POST", "/v1/sessions/{id}/renew"],
  closeSession: ["DELETE", "/v1/sessions/{id}"],
  tree: ["GET", "/v1/tree/{path}"],
  watch: ["GET", "/v1/watch"],
  acquireLock: ["POST", "/v1/locks/{path}"],
  getLock: ["GET", "/v1/locks/{path}"],
  releaseLock: ["DELETE", "/v1/locks/{path}"],
  campaign: ["POST", "/v1/elections/{path}"],
  proclaim: ["PUT", "/v1/elections/{path}"],
  getElection: ["GET", "/v1/elections/{path}"],
  resign: ["DELETE", "/v1/elections/{path}"],
} as const satisfies { readonly [Id in keyof operations]?: readonly [string, keyof paths] };

export type RoutedId = keyof typeof routes;

export interface Asked<Id extends RoutedId> {
  /** A znode's path, or a session's id. */
  readonly path?: string;
  readonly query?: Parameters<Id, "query">;
  readonly header?: Parameters<Id, "header"> & { readonly Accept?: string };
  readonly body?: Uint8Array | object;
}

export interface Gateway {
  /** Without a slash at the end. */
  readonly base: string;
  readonly authorization: string | undefined;
}

/** Answers what has a good status. */
export async function exchange<Id extends RoutedId>(
  { base, authorization }: Gateway,
  id: Id,
  { path = "", query, header, body }: Asked<Id>,
  settings: Settings,
): Promise<Response> {
  const [method, pattern] = routes[id];
  const json = body !== undefined && !(body instanceof Uint8Array);
  const headers = defined({
    Authorization: authorization,
    "Content-Type": json ? "application/json" : undefined,
    ...headersOf(settings),
    ...(header as Record<string, string> | undefined),
  });
  if (pattern.includes("{path}")) refuseBadPath(path);
  const target = base + pattern.replace(/\{\w+\}/, () => encoded(path)) + queryText(query ?? {});
  const { signal } = settings;
  let response: Response;
  try {
    response = await fetch(target, {
      method,
      headers,
      signal,
      // A redirect would be followed with the credentials, and as GET.
      redirect: "error",
      body: json ? JSON.stringify(body) : ((body as Uint8Array<ArrayBuffer> | undefined) ?? null),
    });
  } catch (error) {
    signal.throwIfAborted();
    throw brokenBy(error, base);
  }
  if ((response.ok || response.status === unchanged) && response.headers.has(ours)) return response;
  throw await failureOf(response, settings.signal, base);
}

/** To who asks for what is another than he has. */
export const unchanged = 304;

/** Stands in every answer of a gateway, and in none of those on the way. */
const ours = "quorate-served-by";

function headersOf({ timeoutMillis, session, key, fences, consistency, minZxid, maxStaleMillis }: Settings) {
  return {
    "Quorate-Timeout": `${timeoutMillis}ms`,
    "Quorate-Session": session && `${session.id}:${session.secret}`,
    "Idempotency-Key": key,
    "Quorate-Fenced": fences?.map(({ path, token }) => `${encoded(path)}=${token}`).join(),
    "Quorate-Consistency": consistency,
    "Quorate-Min-Zxid": minZxid,
    "Quorate-Max-Stale": maxStaleMillis === undefined ? undefined : `${Math.round(maxStaleMillis)}ms`,
  };
}

/**
 * Here and not at the door, which would be asked for another path: of `/a/../b` fetch makes `/b`. And the door reads `a` as `/a`,
 * where gRPC's refuses it.
 */
function refuseBadPath(path: string): void {
  const parsed = parsePath(path);
  if (isBadPath(parsed)) throw new QuorateError("badArguments", `path: ${parsed.bad}`);
}

/** The first slash is the pattern's. */
function encoded(path: string): string {
  return path.replace(/^\//, "").split("/").map(encodeURIComponent).join("/");
}

function queryText(query: object): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const each of Array.isArray(value) ? (value as string[]) : [value]) {
      if (each !== undefined) search.append(name, String(each));
    }
  }
  return search.size === 0 ? "" : `?${search.toString()}`;
}

/** What Node's fetch has as its cause when no connection stood, so that nothing can have left. */
const neverStood = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
]);

export function brokenBy(error: unknown, base: string): QuorateError {
  const { cause } = error as { readonly cause?: { readonly code?: string; readonly message?: string } };
  const certainty = neverStood.has(cause?.code ?? "") ? "noEffect" : "unknown";
  const why = cause?.message || cause?.code || (error instanceof Error ? error.message : String(error));
  return new QuorateError("connectionLoss", `${base}: ${why}`, { certainty, cause: error });
}

type Problem = components["schemas"]["Problem"];

async function failureOf(response: Response, signal: AbortSignal, base: string): Promise<QuorateError> {
  const { status, headers } = response;
  const text = await response.text().catch((error: unknown) => {
    signal.throwIfAborted();
    throw brokenBy(error, base);
  });
  const zxid = headers.get("quorate-zxid");
  const retryAfterMillis = 1000 * Number(headers.get("retry-after") ?? 0) || 0;
  const facts = defined({ status, retryAfterMillis, zxid: zxid ?? undefined });
  if (headers.has(ours) && /^application\/problem\+json/.test(headers.get("content-type") ?? "")) {
    const code = codeOfStatus(status) ?? "internal";
    // An answer to HEAD has no body: its status tells.
    if (text === "") return new QuorateError(code, `${base} answered ${status}`, facts);
    const problem = JSON.parse(text) as Problem;
    const { path, op, certainty, detail } = problem;
    const more = defined({ ...facts, certainty, path, op });
    return new QuorateError(isErrorCode(problem.code) ? problem.code : code, detail, more);
  }
  // Somebody on the way has answered, after whatever it did.
  const passes = status >= 500 || status === 408 || status === 429;
  const detail = `${base} answered ${status}, which is not of Quorate: ${text.slice(0, 200)}`;
  return new QuorateError(passes ? "connectionLoss" : "internal", detail, { ...facts, certainty: "unknown" });
}
