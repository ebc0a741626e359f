/**
 * Calls of the REST door that the client has no method for: writes on behalf of a session that another process keeps, what
 * operators ask, a txn as it stands in a file. One gateway after another is tried; a write bears a key, so that it may be repeated.
 */
import type { Certainty, ErrorCode, HttpErrorCode } from "@quorate/api";
import type { components } from "@quorate/openapi";
import { GatewayFailure } from "./failures.ts";

type Problem = components["schemas"]["Problem"];

export interface RestOptions {
  readonly endpoints: readonly string[];
  readonly authorization: string | undefined;
  readonly timeoutMillis: number;
  readonly signal: AbortSignal;
}

export interface Asked {
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  /** Bytes as they are, anything else as JSON. */
  readonly body?: Uint8Array | object | undefined;
  /** `id:secret`. */
  readonly session?: string | undefined;
  /** False: it is answered at once, and knows no time limit. */
  readonly timed?: boolean;
  /** It must not be sent twice under two keys; a hand-over has none. */
  readonly keyed?: boolean;
}

export interface Reply<T> {
  readonly status: number;
  readonly zxid: string;
  readonly body: T;
}

/** `/a b` as a route's last part; the first slash is the route's. */
export function inRoute(path: string): string {
  return path.replace(/^\//, "").split("/").map(encodeURIComponent).join("/");
}

const passing = new Set<string>(["noLeader", "behind", "throttled"]);
const inDoubt = new Set<string>(["connectionLoss", "timeout"]);
const pauseMillis = { first: 50, most: 1000 } as const;
const neverStood = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"]);

export class Rest {
  readonly #options: RestOptions;
  #at = 0;

  constructor(options: RestOptions) {
    this.#options = options;
  }

  async ask<T>(method: string, route: string, asked: Asked = {}): Promise<Reply<T>> {
    const { timeoutMillis, signal, endpoints } = this.#options;
    const end = performance.now() + timeoutMillis;
    const key = asked.keyed === true ? crypto.randomUUID() : undefined;
    const repeatable = method === "GET" || key !== undefined;
    let doubt = false;
    for (let tries = 0; ; tries++) {
      signal.throwIfAborted();
      const base = endpoints[this.#at % endpoints.length] ?? "";
      try {
        return await this.#try<T>(base, method, route, asked, key, end - performance.now());
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof GatewayFailure)) throw error;
        doubt ||= error.certainty === "unknown";
        const passes =
          passing.has(error.code) || (inDoubt.has(error.code) && (repeatable || error.certainty === "noEffect"));
        const wait = pauseOf(tries, endpoints.length, error);
        if (!passes || performance.now() + wait >= end) throw inAll(error, doubt);
        this.#at++;
        await pause(wait, signal);
      }
    }
  }

  async #try<T>(
    base: string,
    method: string,
    route: string,
    { query = {}, headers = {}, body, session, timed = true }: Asked,
    key: string | undefined,
    leftMillis: number,
  ): Promise<Reply<T>> {
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) if (value !== undefined) search.append(name, String(value));
    const json = body !== undefined && !(body instanceof Uint8Array);
    const all = {
      Authorization: this.#options.authorization,
      Accept: "application/json",
      "Content-Type": json ? "application/json" : undefined,
      "Quorate-Timeout": timed ? `${Math.max(1, Math.floor(leftMillis * 0.9))}ms` : undefined,
      "Quorate-Session": session,
      "Idempotency-Key": key,
      ...headers,
    };
    const late = AbortSignal.timeout(Math.max(1, Math.ceil(leftMillis)));
    const { signal } = this.#options;
    try {
      const response = await fetch(`${base}${route}${search.size === 0 ? "" : `?${search}`}`, {
        method,
        headers: Object.fromEntries(
          Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined),
        ),
        body: json ? JSON.stringify(body) : ((body as Uint8Array<ArrayBuffer> | undefined) ?? null),
        redirect: "error",
        signal: AbortSignal.any([signal, late]),
      });
      const text = await response.text();
      if (!response.ok || !response.headers.has("quorate-served-by")) throw failureOf(base, response, text);
      return { status: response.status, zxid: response.headers.get("quorate-zxid") ?? "", body: JSON.parse(text) as T };
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof GatewayFailure) throw error;
      throw brokenBy(base, error, late.aborted);
    }
  }
}

function brokenBy(base: string, error: unknown, late: boolean): GatewayFailure {
  if (late)
    return new GatewayFailure({ code: "timeout", detail: `${base} did not answer in time`, certainty: "unknown" });
  const { cause } = error as { readonly cause?: { readonly code?: string; readonly message?: string } };
  const certainty = neverStood.has(cause?.code ?? "") ? "noEffect" : "unknown";
  const why = cause?.message || cause?.code || (error instanceof Error ? error.message : String(error));
  return new GatewayFailure({ code: "connectionLoss", detail: `${base}: ${why}`, certainty });
}

function failureOf(base: string, response: Response, text: string): GatewayFailure {
  const retryAfterMillis = 1000 * Number(response.headers.get("retry-after") ?? 0) || 0;
  if (response.headers.get("content-type")?.startsWith("application/problem+json") === true) {
    const { code, detail, certainty, path, op } = JSON.parse(text) as Problem;
    return new GatewayFailure({
      code: code as ErrorCode | HttpErrorCode,
      detail,
      certainty,
      path,
      op,
      retryAfterMillis,
    });
  }
  const certainty: Certainty = response.ok ? "noEffect" : "unknown";
  const detail = `${base} answered ${response.status}, which is not of Quorate`;
  return new GatewayFailure({ code: response.status >= 500 ? "connectionLoss" : "internal", detail, certainty });
}

/** Of all tries together. */
function inAll(error: GatewayFailure, doubt: boolean): GatewayFailure {
  const { code, detail, path, op } = error;
  if (!doubt || error.certainty === "unknown" || !(passing.has(code) || inDoubt.has(code))) return error;
  return new GatewayFailure({ code, detail, certainty: "unknown", path, op });
}

function pauseOf(tries: number, endpoints: number, error: GatewayFailure): number {
  if (error.code === "throttled") return error.retryAfterMillis || pauseMillis.most;
  return tries < endpoints - 1 ? 0 : Math.min(pauseMillis.most, pauseMillis.first * 2 ** Math.min(tries, 10));
}

function pause(millis: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, millis);
    signal.addEventListener("abort", stop, { once: true });
  });
}
