/** From a request on a socket to its route's handler; every fault is answered here, and none leaves. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { show } from "../show.ts";
import { requireType } from "./accept.ts";
import { ClientGone } from "./body.ts";
import type { Call, Door } from "./call.ts";
import { bad, problemOf, RequestFault } from "./fault.ts";
import { headerNames, type RequestHead, readHead, refuseForeign } from "./head.ts";
import { passedOn, passOn, preflightHeaders, refuseForeignOrigin } from "./passed-on.ts";
import { readQuery } from "./query.ts";
import { basicChallenge, sendNothing, sendProblem } from "./reply.ts";
import { checkParameters } from "./request-check.ts";
import type { Route } from "./routes.ts";

/** The routes of one pattern, by method. */
export interface Place {
  readonly pattern: string;
  /** Without captures: Express would decode them. */
  readonly expression: RegExp;
  /** What stands before and after the `{…}`. */
  readonly before: number;
  readonly after: number;
  readonly methods: ReadonlyMap<string, Route>;
  readonly allow: string;
}

export function placesOf(routes: readonly Route[]): readonly Place[] {
  const patterns = [...new Set(routes.map((each) => each.pattern))];
  return patterns.map((pattern) => {
    const own = routes.filter((each) => each.pattern === pattern);
    const methods = new Map<string, Route>(own.map((each) => [each.method, each]));
    const get = methods.get("GET");
    // A watch has no head to look at.
    if (get !== undefined && get.operationId !== "watch" && !methods.has("HEAD")) methods.set("HEAD", get);
    const open = pattern.indexOf("{");
    const whole = pattern.endsWith("{path}");
    const fixed = whole ? pattern.slice(0, open) : pattern;
    const source = fixed.replaceAll(/[.]/g, "\\.").replaceAll(/\{[a-z]+\}/g, "[^/]+");
    return {
      pattern,
      expression: new RegExp(`^${source}${whole ? "" : "$"}`),
      before: open,
      after: open < 0 ? 0 : pattern.length - pattern.indexOf("}") - 1,
      methods,
      allow: [...methods.keys()].join(", "),
    };
  });
}

/** Requests that wait to be told to send their body. */
export const expectingContinue = new WeakSet<IncomingMessage>();

export function dispatch(
  door: Door,
  place: Place | undefined,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  if (door.inFlight >= door.limits.inFlight) {
    refuseBusy(door, request, response);
    return;
  }
  door.inFlight++;
  void run(door, place, request, response);
}

function refuseBusy(door: Door, request: IncomingMessage, response: ServerResponse): void {
  try {
    passOn(readHead(request.rawHeaders), door.options, response);
    const detail = "this gateway has as many requests under way as it may; try again shortly";
    throw new RequestFault("throttled", detail);
  } catch (fault) {
    answerFault(door, request, response, fault);
  }
}

async function run(
  door: Door,
  place: Place | undefined,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { observe, world } = door.options;
  const began = observe === undefined ? 0 : world.now();
  let call: Call | undefined;
  try {
    const head = readHead(request.rawHeaders);
    passOn(head, door.options, response);
    refuseStrangers(door, head, request);
    if (isPreflight(door, head, request)) {
      sendNothing({ door, response }, preflightHeaders(place?.allow ?? "GET", Object.values(headerNames)));
    } else {
      call = decode(door, place, head, request, response);
      const { handle } = call.route;
      const handled = handle(call);
      if (handled !== undefined) await handled;
    }
  } catch (fault) {
    answerFault(door, request, response, fault);
  }
  door.inFlight--;
  if (call !== undefined) {
    door.heldBytes -= call.held;
    if (observe !== undefined && !call.parked)
      observe(call.route.operationId, response.statusCode, world.now() - began);
  }
}

/** Requests that a page of another site had a browser send, and such as name no host. */
function refuseStrangers({ options }: Door, head: RequestHead, request: IncomingMessage): void {
  if (head.host === undefined && request.httpVersion === "1.1") throw bad("the header Host is missing");
  if (head.origin !== undefined) refuseForeignOrigin(head, options.corsOrigins);
}

/** A browser asks whether a page may ask. Where no page may, OPTIONS is a method like any other that is not there. */
function isPreflight({ options }: Door, head: RequestHead, request: IncomingMessage): boolean {
  if (request.method !== "OPTIONS" || options.corsOrigins === undefined) return false;
  return head.origin !== undefined && head.preflight !== undefined;
}

function decode(
  door: Door,
  place: Place | undefined,
  head: RequestHead,
  request: IncomingMessage,
  response: ServerResponse,
): Call {
  const url = request.url ?? "";
  const mark = url.indexOf("?");
  const path = mark < 0 ? url : url.slice(0, mark);
  if (place === undefined) throw new RequestFault("noRoute", routeHint(path));
  const route = place.methods.get(request.method ?? "");
  if (route === undefined) {
    const detail = `${request.method ?? ""} is not a method of ${place.pattern}; it takes ${place.allow}`;
    throw new RequestFault("methodNotAllowed", detail, ["Allow", place.allow]);
  }
  refuseForeign(head, route.mask, `${route.method} ${route.pattern}`);
  const query = readQuery(
    mark < 0 ? "" : url.slice(mark + 1),
    route.query,
    `${route.method} ${route.pattern}`,
    route.repeated,
  );
  if (route.offers.length > 0) requireType(head.accept, route.offers);
  const peer = request.socket.remoteAddress ?? "";
  const identity = door.identities.find(head.authorization, peer, head.forwardedFor);
  if ("bad" in identity) {
    if (identity.field === "address") throw bad(identity.bad);
    throw new RequestFault("authFailed", identity.bad, ["WWW-Authenticate", basicChallenge]);
  }
  const parameter = place.before < 0 ? "" : path.slice(place.before, path.length - place.after);
  checkParameters(route.operationId, head, query, parameter);
  const expectsContinue = head.hasBody && expectingContinue.has(request);
  return { door, route, request, response, head, query, identity, parameter, expectsContinue, held: 0, parked: false };
}

function routeHint(path: string): string {
  const root = /^\/v1\/(znodes|children|tree|acl)$/.exec(path);
  const hint = root ? `the root znode is ${path}/` : "the routes stand in /docs, and for programs in /v1/openapi.json";
  return `nothing is served at ${show(path)}; ${hint}`;
}

export function answerFault(door: Door, request: IncomingMessage, response: ServerResponse, fault: unknown): void {
  if (fault instanceof ClientGone || response.destroyed) return;
  if (fault instanceof RequestFault) {
    sendProblem({ door, request, response }, problemOf(fault.code, fault.message), fault.headers);
    return;
  }
  const reference = Buffer.from(door.options.world.randomBytes(6)).toString("hex");
  const text = fault instanceof Error ? (fault.stack ?? fault.message) : String(fault);
  const trace = passedOn(response)[0] === "traceparent" ? ` (traceparent ${passedOn(response)[1] ?? ""})` : "";
  door.options.log(`rest: fault ${reference} in ${request.method ?? ""} ${request.url ?? ""}${trace}: ${text}`);
  const problem = problemOf("internal", `an internal fault; the log of this gateway has it under ${reference}`);
  sendProblem({ door, request, response }, { ...problem, reference });
}
