/** The REST door as a server: Express routes by the one table, Node's parser bounded, every bad socket answered or closed. */
/// <reference path="./express.d.ts" />
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { limits as shared } from "@quorate/api";
import express from "express";
import { Identities, Remembered } from "../identity.ts";
import { SocketBudget } from "../socket-budget.ts";
import type { Door, RestOptions } from "./call.ts";
import { answerFault, dispatch, expectingContinue, placesOf } from "./dispatch.ts";
import { bad, type ProblemCode, problemOf } from "./fault.ts";
import { type RestLimits, restLimits } from "./limits.ts";
import { rawProblem } from "./reply.ts";
import { routes } from "./routes.ts";
import { drainWatches, WatchRoom } from "./watch-room.ts";

export interface RestServer {
  /** Not listening yet: that is the caller's business. */
  readonly server: Server;
  /**
   * Is not ready any more but still serves for the grace that `limits` give, each answer being its connection's last; then
   * takes no more, ends what waits, waits for what is under way, closes what is left. May be called again.
   */
  stop(): Promise<void>;
}

export function createRestServer(options: RestOptions): RestServer {
  const limits: RestLimits = { ...restLimits, ...options.limits };
  const door: Door = {
    options,
    limits,
    identities: new Identities({
      remembered: limits.cachedCredentials,
      ...(options.superUserDigest === undefined ? undefined : { superUserDigest: options.superUserDigest }),
      ...(options.trustedProxies === undefined ? undefined : { trustedProxies: options.trustedProxies }),
    }),
    sessions: new Remembered(limits.cachedCredentials),
    inFlight: 0,
    heldBytes: 0,
    draining: false,
    stopping: false,
    watches: new WatchRoom(options.world),
  };
  const server = createServer({
    maxHeaderSize: shared.headerBytes,
    headersTimeout: limits.headersMillis,
    requestTimeout: limits.requestMillis,
    keepAliveTimeout: limits.keepAliveMillis,
    connectionsCheckingInterval: Math.min(1000, limits.headersMillis),
    // Checked by the door itself, which answers with a problem.
    requireHostHeader: false,
    noDelay: true,
  });
  // Above 0, Node drops the headers beyond without a word, and a condition might be among them.
  server.maxHeadersCount = 0;
  const silent = listen(server, door, createApplication(door));
  let stopped: Promise<void> | undefined;
  return { server, stop: () => (stopped ??= stop(server, door, silent)) };
}

type Application = (request: IncomingMessage, response: ServerResponse) => void;

function createApplication(door: Door): Application {
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  app.set("query parser", false);
  for (const place of placesOf(routes))
    app.all(place.expression, (request, response) => dispatch(door, place, request, response));
  app.use((request: IncomingMessage, response: ServerResponse) => dispatch(door, undefined, request, response));
  app.use((fault: unknown, request: IncomingMessage, response: ServerResponse, _next: () => void) => {
    answerFault(door, request, response, fault);
  });
  return (request, response) => {
    const target = plainTarget(request.url ?? "");
    if (target === undefined) {
      answerFault(
        door,
        request,
        response,
        bad("the request's target must be a path, which begins with a slash and has no #"),
      );
      return;
    }
    request.url = target;
    app(request, response);
  };
}

/** Path and query; of an absolute target (RFC 9112, 3.2.2) what stands behind the host. */
function plainTarget(url: string): string | undefined {
  if (url.includes("#")) return undefined;
  if (url.charCodeAt(0) === 47) return url;
  const found = /^https?:\/\/[^/?#@]+(\/.*)?$/i.exec(url);
  return found === null ? undefined : (found[1] ?? "/");
}

/** Answers the sockets that have sent no request yet, kept up to date. */
function listen(server: Server, door: Door, application: Application): ReadonlySet<Socket> {
  const { limits } = door;
  const silent = new Set<Socket>();
  const refused = new WeakSet<Socket>();
  const { log } = door.options;
  const budget =
    door.options.sockets ?? SocketBudget.alone({ rest: limits.connections, refusals: limits.refusals }, { log });
  server.on("connection", (socket: Socket) => {
    if (budget.take("rest")) {
      silent.add(socket);
      socket.once("close", () => {
        silent.delete(socket);
        budget.give("rest");
      });
      return;
    }
    refused.add(socket);
    refuse(socket, budget, limits);
  });
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    silent.delete(request.socket);
    if (!refused.has(request.socket)) application(request, response);
  });
  server.on("checkContinue", (request: IncomingMessage, response: ServerResponse) => {
    if (refused.has(request.socket)) return;
    expectingContinue.add(request);
    application(request, response);
  });
  server.on("checkExpectation", (request: IncomingMessage, response: ServerResponse) => {
    if (refused.has(request.socket)) return;
    answerFault(door, request, response, bad("Expect: only 100-continue is known"));
  });
  server.on("clientError", (fault: NodeJS.ErrnoException, socket: Socket) => closeBadSocket(door, fault, socket));
  return silent;
}

function refuse(socket: Socket, budget: SocketBudget, limits: RestLimits): void {
  socket.on("error", () => socket.destroy());
  if (!budget.takeRefusal()) {
    socket.destroy();
    return;
  }
  socket.once("close", () => budget.giveRefusal());
  const { connections } = budget.of("rest");
  const most = connections >= limits.connections ? "which is the most" : "and its process may open no more files";
  const detail = `this gateway has ${connections} connections, ${most}; try again shortly or use another`;
  socket.end(rawProblem(problemOf("throttled", detail), "Too Many Requests"), () => socket.destroySoon());
}

/** What the parser could not read. A socket that has an answer half sent, or said nothing at all, is simply closed. */
function closeBadSocket(door: Door, fault: NodeJS.ErrnoException, socket: Socket): void {
  const busy = (socket as Socket & { _httpMessage?: ServerResponse | null })._httpMessage?.headersSent === true;
  if (!socket.writable || socket.bytesRead === 0 || busy || fault.code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  const [code, reason, detail] = judgeBadSocket(fault);
  socket.end(rawProblem(problemOf(code, detail), reason));
  // Unread bytes would make the kernel reset the connection before the answer is read.
  const timer = door.options.world.after(door.limits.lingerMillis, () => socket.destroy());
  socket.once("close", () => timer.cancel());
  socket.resume();
}

function judgeBadSocket(fault: NodeJS.ErrnoException): readonly [ProblemCode, string, string] {
  switch (fault.code) {
    case "HPE_HEADER_OVERFLOW":
      return [
        "headersTooLarge",
        "Request Header Fields Too Large",
        `the headers are over ${shared.headerBytes} bytes, which is the most`,
      ];
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return ["requestTimeout", "Request Timeout", "the request did not arrive as a whole in time; nothing was done"];
    case "HPE_INVALID_URL":
      return ["badArguments", "Bad Request", "the request's target is no URL; percent-encode all but visible ASCII"];
    default:
      return ["badArguments", "Bad Request", `this is no HTTP/1.1 request: ${fault.message}`];
  }
}

async function stop(server: Server, door: Door, silent: ReadonlySet<Socket>): Promise<void> {
  const { world } = door.options;
  const { graceMillis, drainMillis } = door.limits;
  door.draining = true;
  if (graceMillis > 0) await new Promise<void>((resolve) => void world.after(graceMillis, resolve));
  door.stopping = true;
  await new Promise<void>((resolve) => {
    const timer = world.after(drainMillis, () => server.closeAllConnections());
    server.close(() => {
      timer.cancel();
      resolve();
    });
    server.closeIdleConnections();
    // Idle, for Node, is who had an answer: it would wait for one that a client keeps in store.
    for (const socket of silent) if (socket.bytesRead === 0) socket.destroy();
    drainWatches(door);
  });
}
