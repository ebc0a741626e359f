/** The steps that most cases begin with. */
import type { Seen, Step } from "./runner.ts";

/** The headers of a JSON body. */
export const json = { "Content-Type": "application/json" };

/** Keeps the answer's ETag as `tag`. */
export const etag = { tag: (seen: Seen): string => seen.headers.etag ?? "" };

export function put(path: string, body: string | Buffer = "", more: Partial<Step> = {}): Step {
  return { method: "PUT", path: `/v1/znodes${path}`, body, status: 201, ...more };
}
export function get(path: string, status: number, more: Partial<Step> = {}): Step {
  return { method: "GET", path: `/v1/znodes${path}`, status, ...more };
}
export function txn(body: unknown, more: Partial<Step> = {}): Step {
  return {
    method: "POST",
    path: "/v1/txn",
    headers: json,
    body: typeof body === "string" ? body : JSON.stringify(body),
    status: 200,
    ...more,
  };
}
