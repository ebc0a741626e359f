/**
 * A request's headers, read once from the raw list, so that one given twice is seen. Each route names those that mean
 * something on it; another of ours is refused by its name, since a condition that is not heeded is worse than none.
 */
import { bad } from "./fault.ts";

/** Bits, so that a route's permission is one comparison. */
export const headerBits = {
  "quorate-session": 1,
  "quorate-consistency": 2,
  "quorate-min-zxid": 4,
  "quorate-max-stale": 8,
  "quorate-timeout": 16,
  "idempotency-key": 32,
  "if-match": 64,
  "if-none-match": 128,
  "last-event-id": 256,
  "quorate-fenced": 512,
} as const;

export type GovernedHeader = keyof typeof headerBits;

/** As they are written in answers and documents. */
export const headerNames: Readonly<Record<GovernedHeader, string>> = {
  "quorate-session": "Quorate-Session",
  "quorate-consistency": "Quorate-Consistency",
  "quorate-min-zxid": "Quorate-Min-Zxid",
  "quorate-max-stale": "Quorate-Max-Stale",
  "quorate-timeout": "Quorate-Timeout",
  "idempotency-key": "Idempotency-Key",
  "if-match": "If-Match",
  "if-none-match": "If-None-Match",
  "last-event-id": "Last-Event-ID",
  "quorate-fenced": "Quorate-Fenced",
};

export class RequestHead {
  /** Sum of the `headerBits` that came. */
  present = 0;
  host: string | undefined = undefined;
  origin: string | undefined = undefined;
  accept: string | undefined = undefined;
  authorization: string | undefined = undefined;
  contentType: string | undefined = undefined;
  contentLength: string | undefined = undefined;
  contentEncoding: string | undefined = undefined;
  contentRange = false;
  chunked = false;
  forwardedFor: string | undefined = undefined;
  session: string | undefined = undefined;
  consistency: string | undefined = undefined;
  minZxid: string | undefined = undefined;
  maxStale: string | undefined = undefined;
  timeout: string | undefined = undefined;
  key: string | undefined = undefined;
  ifMatch: string | undefined = undefined;
  ifNoneMatch: string | undefined = undefined;
  lastEventId: string | undefined = undefined;
  /** Of all such headers. */
  fenced: string | undefined = undefined;
  traceparent: string | undefined = undefined;
  /** Of a preflight: the method that is to come. */
  preflight: string | undefined = undefined;

  get hasBody(): boolean {
    return this.chunked || (this.contentLength !== undefined && this.contentLength !== "0");
  }
}

export function readHead(raw: readonly string[]): RequestHead {
  const head = new RequestHead();
  for (let i = 0; i + 1 < raw.length; i += 2) readOne(head, raw[i] ?? "", raw[i + 1] ?? "");
  return head;
}

function readOne(head: RequestHead, given: string, value: string): void {
  const name = given.toLowerCase();
  switch (name) {
    case "host":
      head.host = once(head.host, value, given);
      return;
    case "accept":
      head.accept = head.accept === undefined ? value : `${head.accept}, ${value}`;
      return;
    case "traceparent":
      // Twice is malformed, and what is malformed is ignored.
      head.traceparent = head.traceparent === undefined ? value : "";
      return;
    case "access-control-request-method":
      head.preflight = value;
      return;
    case "origin":
      head.origin = once(head.origin, value, given);
      return;
    case "authorization":
      head.authorization = once(head.authorization, value, given);
      return;
    case "content-type":
      head.contentType = once(head.contentType, value, given);
      return;
    case "content-length":
      head.contentLength = value;
      return;
    case "content-encoding":
      head.contentEncoding = once(head.contentEncoding, value, given);
      return;
    case "content-range":
      head.contentRange = true;
      return;
    case "transfer-encoding":
      head.chunked = true;
      return;
    case "x-forwarded-for":
      head.forwardedFor = head.forwardedFor === undefined ? value : `${head.forwardedFor},${value}`;
      return;
    case "if-match":
      head.present |= headerBits[name];
      head.ifMatch = head.ifMatch === undefined ? value : `${head.ifMatch}, ${value}`;
      return;
    case "if-none-match":
      head.present |= headerBits[name];
      head.ifNoneMatch = head.ifNoneMatch === undefined ? value : `${head.ifNoneMatch}, ${value}`;
      return;
    case "last-event-id":
      head.present |= headerBits[name];
      head.lastEventId = once(head.lastEventId, value, given);
      return;
    case "idempotency-key":
      head.present |= headerBits[name];
      head.key = once(head.key, value, given);
      return;
    default:
      if (name.startsWith("quorate-")) readOurs(head, name, given, value);
  }
}

function readOurs(head: RequestHead, name: string, given: string, value: string): void {
  switch (name) {
    case "quorate-session":
      head.session = once(head.session, value, given);
      break;
    case "quorate-consistency":
      head.consistency = once(head.consistency, value, given);
      break;
    case "quorate-min-zxid":
      head.minZxid = once(head.minZxid, value, given);
      break;
    case "quorate-max-stale":
      head.maxStale = once(head.maxStale, value, given);
      break;
    case "quorate-timeout":
      head.timeout = once(head.timeout, value, given);
      break;
    case "quorate-fenced":
      head.fenced = head.fenced === undefined ? value : `${head.fenced}, ${value}`;
      break;
    default: {
      const ours = Object.values(headerNames).filter((each) => each.startsWith("Quorate-"));
      throw bad(`the header ${given.slice(0, 80)} is not known; those of requests are ${ours.join(", ")}`);
    }
  }
  head.present |= headerBits[name];
}

function once(before: string | undefined, value: string, name: string): string {
  if (before !== undefined) throw bad(`the header ${name} is given twice; send it once`);
  return value;
}

export function maskOf(headers: readonly GovernedHeader[]): number {
  return headers.reduce((mask, each) => mask | headerBits[each], 0);
}

/** Refuses, by its name, a header that means nothing here. */
export function refuseForeign(head: RequestHead, allowed: number, where: string): void {
  const foreign = head.present & ~allowed;
  if (foreign === 0) return;
  for (const [name, bit] of Object.entries(headerBits)) {
    if ((foreign & bit) === 0) continue;
    throw bad(`the header ${headerNames[name as GovernedHeader]} means nothing on ${where}; leave it out`);
  }
}
