/** The unary calls: bytes in, bytes out, a `GrpcFault` for everything else. */
import { createHash } from "node:crypto";
import { formatZxid, limits, parseSessionId, type SessionId, utf8Length } from "@quorate/api";
import { type PublicMethod, type PublicMethods, publicServices, type v1 } from "@quorate/proto";
import {
  actingOf,
  type Call,
  freshnessOf,
  headerOf,
  keyOf,
  plainHeader,
  readRequest,
  succeeded,
  writeRequest,
} from "./call.ts";
import { handOver, listMembers } from "./cluster.ts";
import { campaign, getLeader, proclaim, resign } from "./elections.ts";
import { durationOf, expectResult, sessionInfoOf } from "./encode.ts";
import { type Exchange, exchanges, isTooLarge, replyOf, tooLargeReply } from "./exchanges.ts";
import { bad, faultOfUnavailable, GrpcFault } from "./faults.ts";
import { acquire, getLock, release } from "./locks.ts";
import { fencesOf, millisOf, pageSizeOf, sessionOf } from "./values.ts";

export type UnaryHandler = (call: Call, bytes: Buffer) => Promise<Buffer>;

/** A method's bytes around a handler of messages. */
function wrap<Request, Response>(
  method: PublicMethod<Request, Response>,
  handle: (call: Call, request: Request) => Promise<Response>,
  wrote = false,
): UnaryHandler {
  return async (call, bytes) => {
    const reply = method.encodeResponse(await handle(call, decodeRequest(method, bytes)));
    if (isTooLarge(reply, wrote)) throw tooLargeReply(reply.length, wrote);
    return reply;
  };
}

export function decodeRequest<Request>(method: PublicMethod<Request, unknown>, bytes: Buffer): Request {
  if (bytes.length > limits.requestBytes) {
    throw new GrpcFault("tooLarge", `the request has ${bytes.length} bytes, over ${limits.requestBytes}`);
  }
  try {
    return method.decodeRequest(bytes);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new GrpcFault("badArguments", `the bytes are no request of ${method.path}: ${why}`);
  }
}

function exchanging<Request, Response>(
  exchange: Exchange<Request, Response>,
): (call: Call, request: Request) => Promise<Response> {
  return async (call, request) => {
    const { backend, recipes } = call.door.options;
    const acting = actingOf(call, exchange.sessionOf(request), "options.session_id");
    const asked = exchange.ask(request, "", acting !== undefined);
    let reply: Response | GrpcFault;
    if (asked.kind === "write") {
      const { operation, options } = asked;
      const fences = fencesOf(options?.fenced, "options.fenced");
      const key = keyOf(
        options?.idempotencyKey,
        "options.idempotency_key",
        exchange.method,
        operation,
        acting?.session,
        fences,
      );
      const write = writeRequest(call.identity, operation, acting, key);
      const answer = await (fences.length === 0
        ? backend.write(write, call.deadlineMillis)
        : recipes.write(write, fences, call.deadlineMillis));
      reply = replyOf(exchange, asked, answer, undefined);
    } else {
      const freshness = freshnessOf(asked.options, "options");
      const answer = await backend.read(
        readRequest(call.identity, asked.operation, acting, freshness),
        call.deadlineMillis,
      );
      reply = replyOf(exchange, asked, answer, freshness.consistency);
    }
    if (reply instanceof GrpcFault) throw reply;
    return reply;
  };
}

async function createSession(call: Call, request: v1.CreateSessionRequest): Promise<v1.CreateSessionResponse> {
  const { timeout, name = "" } = request;
  const { sessionTimeoutMinMillis: least, sessionTimeoutMaxMillis: most } = limits;
  const timeoutMillis =
    timeout === undefined ? limits.sessionTimeoutDefaultMillis : millisOf(timeout, "timeout", least, most);
  if (utf8Length(name) > limits.sessionNameBytes) throw bad("name", `it is over ${limits.sessionNameBytes} bytes`);
  const { world, backend } = call.door.options;
  const secret = world.randomBytes(16);
  const secretHash = createHash("sha256").update(secret).digest();
  const { address, identity } = call;
  const operation = { kind: "createSession", role: "client", timeoutMillis, secretHash, name, address } as const;
  const answer = succeeded(await backend.write({ identity, operation }, call.deadlineMillis));
  const result = expectResult(answer.outcome.result, "session");
  return {
    header: headerOf(answer, undefined),
    sessionId: result.session,
    secret: Buffer.from(secret).toString("hex"),
    timeout: durationOf(result.timeoutMillis),
  };
}

function namedSession(id: number | undefined): SessionId {
  const session = sessionOf(id, "session_id");
  if (session === undefined) throw bad("session_id", "it is missing; give what CreateSession answered");
  return session;
}

export function expiredFault(session: SessionId): GrpcFault {
  const detail = `the session ${formatZxid(session)} is over (expired or closed); open a new one`;
  return new GrpcFault("sessionExpired", detail, { session: formatZxid(session) });
}

export function secretFault(session: SessionId): GrpcFault {
  const detail = "the session's secret is wrong; send it as CreateSession answered it";
  return new GrpcFault("authFailed", detail, { session: formatZxid(session) });
}

async function renewSession(call: Call, request: v1.RenewSessionRequest): Promise<v1.RenewSessionResponse> {
  const session = namedSession(request.sessionId);
  const acting = actingOf(call, session, "session_id");
  if (acting === undefined) throw secretFault(session);
  const answer = await call.door.options.backend.renew(session, acting.secretHash, call.deadlineMillis);
  switch (answer.kind) {
    case "renewed":
      return { header: plainHeader(answer.zxid, answer.servedBy) };
    case "expired":
      throw expiredFault(session);
    case "badSecret":
      throw secretFault(session);
    case "unavailable":
      throw faultOfUnavailable(answer);
  }
}

/** Its owner shows the secret; the super user need not. */
function ownerOf(call: Call, session: SessionId): ReturnType<typeof actingOf> {
  return call.identity.superUser && call.secret === undefined ? undefined : actingOf(call, session, "session_id");
}

async function closeSession(call: Call, request: v1.CloseSessionRequest): Promise<v1.CloseSessionResponse> {
  const session = namedSession(request.sessionId);
  const acting = ownerOf(call, session);
  const operation = { kind: "closeSession", session } as const;
  const key = keyOf(request.idempotencyKey, "idempotency_key", "CloseSession", operation, session);
  const write = writeRequest(call.identity, operation, acting, key);
  const answer = succeeded(await call.door.options.backend.write(write, call.deadlineMillis));
  return { header: headerOf(answer, undefined), deleted: expectResult(answer.outcome.result, "done").count };
}

async function getSession(call: Call, request: v1.GetSessionRequest): Promise<v1.GetSessionResponse> {
  const session = namedSession(request.sessionId);
  const acting = ownerOf(call, session);
  const freshness = freshnessOf(request.options, "options");
  const read = readRequest(call.identity, { kind: "getSession", session }, acting, freshness);
  const answer = succeeded(await call.door.options.backend.read(read, call.deadlineMillis));
  const { info, ephemerals } = expectResult(answer.outcome.result, "sessionInfo");
  return { header: headerOf(answer, freshness.consistency), session: sessionInfoOf(info), ephemerals };
}

async function listSessions(call: Call, request: v1.ListSessionsRequest): Promise<v1.ListSessionsResponse> {
  const limit = pageSizeOf(request.pageSize, "page_size");
  const { pageToken = "" } = request;
  const after = pageToken === "" ? undefined : parseSessionId(pageToken);
  if (pageToken !== "" && after === undefined) {
    throw bad("page_token", "this is not the next_page_token of the last page; send that unchanged");
  }
  const freshness = freshnessOf(request.options, "options");
  const acting = actingOf(call, request.options?.sessionId, "options.session_id");
  const place = after === undefined ? undefined : { after };
  const read = readRequest(call.identity, { kind: "listSessions", limit, ...place }, acting, freshness);
  const answer = succeeded(await call.door.options.backend.read(read, call.deadlineMillis));
  const { sessions, more } = expectResult(answer.outcome.result, "sessionList");
  const last = more ? sessions.at(-1) : undefined;
  return {
    header: headerOf(answer, freshness.consistency),
    sessions: sessions.map(sessionInfoOf),
    nextPageToken: last === undefined ? undefined : formatZxid(last.session),
  };
}

type UnaryName =
  | Exclude<keyof PublicMethods["Coordination"], "GetTree" | "Watch" | "Session">
  | keyof PublicMethods["Locks"]
  | Exclude<keyof PublicMethods["Elections"], "Observe">
  | keyof PublicMethods["Cluster"];

/** By method; all that is no stream. */
export function unaryHandlers(): { readonly [Name in UnaryName]: UnaryHandler } {
  const { Coordination: methods, Locks: locks, Elections: elections, Cluster: cluster } = publicServices().methods;
  return {
    Create: wrap(methods.Create, exchanging(exchanges.create)),
    Put: wrap(methods.Put, exchanging(exchanges.put)),
    Get: wrap(methods.Get, exchanging(exchanges.get)),
    Exists: wrap(methods.Exists, exchanging(exchanges.exists)),
    Set: wrap(methods.Set, exchanging(exchanges.set)),
    Delete: wrap(methods.Delete, exchanging(exchanges.delete)),
    ListChildren: wrap(methods.ListChildren, exchanging(exchanges.listChildren)),
    GetAcl: wrap(methods.GetAcl, exchanging(exchanges.getAcl)),
    SetAcl: wrap(methods.SetAcl, exchanging(exchanges.setAcl)),
    Txn: wrap(methods.Txn, exchanging(exchanges.txn), true),
    Sync: wrap(methods.Sync, exchanging(exchanges.sync)),
    CreateSession: wrap(methods.CreateSession, createSession),
    RenewSession: wrap(methods.RenewSession, renewSession),
    CloseSession: wrap(methods.CloseSession, closeSession),
    GetSession: wrap(methods.GetSession, getSession),
    ListSessions: wrap(methods.ListSessions, listSessions),
    Acquire: wrap(locks.Acquire, acquire),
    Release: wrap(locks.Release, release),
    GetLock: wrap(locks.GetLock, getLock),
    Campaign: wrap(elections.Campaign, campaign),
    Proclaim: wrap(elections.Proclaim, proclaim),
    Resign: wrap(elections.Resign, resign),
    GetLeader: wrap(elections.GetLeader, getLeader),
    ListMembers: wrap(cluster.ListMembers, listMembers),
    HandOver: wrap(cluster.HandOver, handOver),
  };
}
