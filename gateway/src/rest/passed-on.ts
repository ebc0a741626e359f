/**
 * Headers that depend on the request's and stand in every answer to it, a refusal too: whether a web page of another origin
 * may read it (Fetch standard, 3.2), and its place in a trace (W3C Trace Context).
 */
import type { ServerResponse } from "node:http";
import { show } from "../show.ts";
import type { RestOptions } from "./call.ts";
import { RequestFault } from "./fault.ts";
import type { RequestHead } from "./head.ts";

const passed = Symbol("passed on");
type Marked = ServerResponse & { [passed]?: readonly string[] };
const none: readonly string[] = [];

/** Flat: name, value, … */
export function passedOn(response: ServerResponse): readonly string[] {
  return (response as Marked)[passed] ?? none;
}

/** To be told before anything can be refused. */
export function passOn(head: RequestHead, options: RestOptions, response: ServerResponse): void {
  const { origin } = head;
  const traceparent = traceparentOf(head);
  const foreign = origin !== undefined && isAllowed(origin, options.corsOrigins);
  if (traceparent === undefined && !foreign && options.corsOrigins === undefined) return;
  const headers: string[] = traceparent === undefined ? [] : ["traceparent", traceparent];
  // What is kept by a cache on the way must not be given to another origin.
  if (options.corsOrigins !== undefined) headers.push("Vary", "Origin");
  if (foreign) headers.push("Access-Control-Allow-Origin", origin, "Access-Control-Expose-Headers", exposed);
  (response as Marked)[passed] = headers;
}

/** What a page's script may see of an answer, beside what every script may. */
export const exposed: string = [
  "ETag",
  "Location",
  "Retry-After",
  "WWW-Authenticate",
  "Quorate-Zxid",
  "Quorate-Served-By",
  "Quorate-Consistency",
  "Quorate-Stale-Age",
  "Quorate-Replayed",
  "Quorate-Stat",
  "traceparent",
].join(", ");

function isAllowed(origin: string, origins: readonly string[] | undefined): boolean {
  return origins !== undefined && (origins.includes("*") || origins.includes(origin.toLowerCase()));
}

/**
 * Pages of the origins that are allowed, and of this very host where that is the reader's own machine; all others are
 * refused, since they could be any. That Origin and Host agree says nothing elsewhere: whoever has a name can let it mean this address.
 */
export function refuseForeignOrigin(head: RequestHead, origins: readonly string[] | undefined): void {
  const { origin, host } = head;
  if (origin === undefined || isAllowed(origin, origins)) return;
  const own = /^https?:\/\/([^/]+)$/i.exec(origin)?.[1];
  if (own !== undefined && own.toLowerCase() === host?.toLowerCase() && loopback.test(own)) return;
  const detail = `Origin: ${show(origin)} is another site than this one, and --cors-origin does not allow it`;
  throw new RequestFault("noAuth", detail);
}

const loopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i;

/** Of version 00, or of a later one that begins as that does; anything else is as if it were not there. */
export function traceparentOf({ traceparent }: RequestHead): string | undefined {
  if (traceparent === undefined) return undefined;
  const found = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-[!-~]*)?$/.exec(traceparent);
  const [, version, trace = "", parent = "", more] = found ?? [];
  const known = version !== undefined && version !== "ff" && (version !== "00" || more === undefined);
  return known && !/^0+$/.test(trace) && !/^0+$/.test(parent) ? traceparent : undefined;
}

/** What a preflight is told: which methods and headers a request to this place may have. */
export function preflightHeaders(methods: string, headers: readonly string[]): string[] {
  const allowed = ["Authorization", "Content-Type", "traceparent", "tracestate", ...headers].join(", ");
  const answer = ["Access-Control-Allow-Methods", methods, "Access-Control-Allow-Headers", allowed];
  return [...answer, "Access-Control-Max-Age", "7200"];
}
