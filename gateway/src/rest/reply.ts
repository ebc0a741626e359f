/** Answers: one `writeHead` with a flat list, one `end`. */
import { formatZxid, type ReplicaId, type Success, type Zxid, zeroZxid } from "@quorate/api";
import type { Answer } from "../backend.ts";
import type { Call } from "./call.ts";
import { type Problem, problemJson, problemOfFailure, problemOfUnavailable, retryAfterSeconds } from "./fault.ts";
import { linger, mustLinger } from "./linger.ts";
import { passedOn } from "./passed-on.ts";

export type Served = {
  readonly zxid: Zxid;
  readonly servedBy: ReplicaId;
  /** Of a stale read; undefined: it is not known. */
  readonly ageMillis: number | undefined;
  readonly replayed: boolean;
};

/** What the gateway says by itself, from no replica, and without a zxid. */
export const byGateway: Served = { zxid: zeroZxid, servedBy: 0, ageMillis: 0, replayed: false };

export type Settled = Served & { readonly outcome: Success };

/** The answer's success, or undefined when the failure has been answered. `reading`: it says which consistency it has. */
export function settle(call: Call, answer: Answer, reading = false): Settled | undefined {
  if (answer.kind === "unavailable") {
    sendProblem(call, problemOfUnavailable(answer));
    return undefined;
  }
  const { outcome, servedBy, ageMillis } = answer;
  const replayed = outcome.replayed === true;
  if (!outcome.ok) {
    const createOnly = call.head.ifNoneMatch !== undefined;
    const challenge = outcome.code === "authFailed" ? ["WWW-Authenticate", sessionChallenge] : [];
    const more = reading ? [...consistencyOf(call, ageMillis), ...challenge] : challenge;
    if (replayed) more.push("Quorate-Replayed", "true");
    sendProblem(call, problemOfFailure(outcome, String(servedBy), createOnly), more);
    return undefined;
  }
  return { outcome, zxid: outcome.zxid, servedBy, ageMillis, replayed };
}

export const basicChallenge = 'Basic realm="quorate", charset="UTF-8"';
/** For a session's secret; what comes next is the id that is tried. */
export const sessionChallenge = 'Quorate-Session realm="quorate"';

/** Which consistency a read had, and how old a stale one is. */
function consistencyOf(call: Call, ageMillis: number | undefined): string[] {
  const consistency = call.head.consistency ?? "linearizable";
  if (consistency !== "stale" || ageMillis === undefined) return ["Quorate-Consistency", consistency];
  return ["Quorate-Consistency", consistency, "Quorate-Stale-Age", `${Math.round(ageMillis)}ms`];
}

/** Without a body, and of nothing that a replica knows. */
export function sendNothing({ response, door }: Pick<Call, "response" | "door">, more: readonly string[]): void {
  const headers = ["Quorate-Served-By", "gateway", "Cache-Control", "no-store"];
  headers.push(...passedOn(response), ...more);
  if (door.draining) headers.push("Connection", "close");
  response.writeHead(204, headers);
  response.end();
}

/** What every answer bears. */
function common(call: Call, served: Served, reading: boolean, caching = "no-store"): string[] {
  const servedBy = served.servedBy === 0 ? "gateway" : String(served.servedBy);
  const headers = ["Quorate-Served-By", servedBy, "Cache-Control", caching];
  if (served.zxid !== zeroZxid) headers.push("Quorate-Zxid", formatZxid(served.zxid));
  if (reading) headers.push(...consistencyOf(call, served.ageMillis));
  if (served.replayed) headers.push("Quorate-Replayed", "true");
  for (const each of passedOn(call.response)) headers.push(each);
  return headers;
}

/** `more`: further headers, flat. `reading`: the answer says which consistency it has. */
export function send(
  call: Call,
  status: number,
  served: Served,
  body: Uint8Array | string,
  more: readonly string[],
  reading = false,
): void {
  const { response, door } = call;
  const headers = common(call, served, reading);
  for (const each of more) headers.push(each);
  const length = typeof body === "string" ? Buffer.byteLength(body) : body.byteLength;
  if (status !== 304 && call.request.method !== "HEAD") headers.push("Content-Length", String(length));
  if (door.draining) headers.push("Connection", "close");
  response.writeHead(status, headers);
  if (status === 304 || call.request.method === "HEAD") response.end();
  else if (typeof body === "string") response.end(body, length === body.length ? "latin1" : "utf8");
  else if (length > oneWriteBytes) response.end(body);
  else response.end(Buffer.from(body.buffer, body.byteOffset, length).toString("latin1"), "latin1");
}

/** The head of an answer whose body comes piece by piece. */
export function openBody(call: Call, served: Served, more: readonly string[], reading: boolean): void {
  const headers = common(call, served, reading);
  for (const each of more) headers.push(each);
  if (call.door.draining) headers.push("Connection", "close");
  call.response.writeHead(200, headers);
}

/**
 * The head of an answer without an end, sent at once. The connection goes with it; nobody on the way may hold it back,
 * or compress it, which is the same.
 */
export function openStream(call: Call, served: Served, type: string, reading: boolean): void {
  const headers = common(call, served, reading, "no-store, no-transform");
  headers.push("Content-Type", type, "Vary", "Accept", "X-Accel-Buffering", "no", "Connection", "close");
  call.response.writeHead(200, headers);
  call.response.flushHeaders();
}

/** Up to here bytes go out as text behind the headers, in one write; Node would take two for a buffer. */
const oneWriteBytes = 16_384;

export function sendJson(
  call: Call,
  status: number,
  served: Served,
  json: string,
  more: readonly string[] = [],
  reading = false,
): void {
  send(call, status, served, json, ["Content-Type", "application/json", ...more], reading);
}

export function sendProblem(
  call: Pick<Call, "request" | "response" | "door">,
  problem: Problem,
  more: readonly string[] = [],
): void {
  const { request, response, door } = call;
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const body = problemJson(problem);
  const lingers = mustLinger(request, door.limits);
  const headers = [
    "Content-Type",
    "application/problem+json",
    "Content-Length",
    String(Buffer.byteLength(body)),
    ...problemHeaders(problem),
    ...passedOn(response),
    ...more,
  ];
  if (lingers || door.draining) headers.push("Connection", "close");
  response.writeHead(problem.status, headers);
  if (lingers) linger(request, response, body, door);
  else response.end(request.method === "HEAD" ? undefined : body);
}

export function problemHeaders(problem: Problem): string[] {
  const headers = ["Quorate-Served-By", problem.servedBy, "Cache-Control", "no-store"];
  if (problem.zxid !== zeroZxid) headers.push("Quorate-Zxid", formatZxid(problem.zxid));
  const retryAfter = retryAfterSeconds(problem);
  if (retryAfter !== undefined) headers.push("Retry-After", String(retryAfter));
  return headers;
}

/** The same for a socket whose request never became one. */
export function rawProblem(problem: Problem, reason: string): string {
  const body = problemJson(problem);
  const lines = [`HTTP/1.1 ${problem.status} ${reason}`, "Content-Type: application/problem+json"];
  const headers = problemHeaders(problem);
  for (let i = 0; i < headers.length; i += 2) lines.push(`${headers[i] ?? ""}: ${headers[i + 1] ?? ""}`);
  lines.push(`Content-Length: ${Buffer.byteLength(body)}`, "Connection: close", "", body);
  return lines.join("\r\n");
}
