/** The gRPC door as a door like any other: unary calls, and the streams of GetTree and Watch as far as one answer needs them. */
import assert from "node:assert/strict";
import { type ErrorCode, errors } from "@quorate/api";
import { codeOfReason, type v1 } from "@quorate/proto";
import { type Asking, CallError, Caller } from "../grpc-client.ts";
import { type Answer, type Asked, type Bad, bytesOf, type Door, hex } from "./door.ts";
import { askLock, fenceMessages } from "./grpc-locks.ts";
import {
  aclMessage,
  checkMessage,
  childOf,
  conditionMessage,
  durationMessage,
  eventOf,
  idOf,
  millisOf,
  nodeOf,
  partOf,
  sessionOf,
  shapeMessage,
  stateOf,
  statOf,
  stepMessage,
} from "./grpc-values.ts";
import { isLockAsk, type LockAsk } from "./lock-asks.ts";
import { SessionCaller, StreamFailure } from "./session-calls.ts";

const consistencies = {
  linearizable: "CONSISTENCY_LINEARIZABLE",
  session: "CONSISTENCY_SESSION",
  stale: "CONSISTENCY_STALE",
} as const;

export class GrpcDoor implements Door {
  readonly name: string;
  readonly #caller: Caller;

  /** `session`: what a `Session` stream can be asked is asked on one. */
  constructor(port: number, session = false) {
    this.name = session ? "gRPC-Session" : "gRPC";
    this.#caller = session ? new SessionCaller(port) : new Caller(port);
  }

  close(): void {
    this.#caller.close();
  }

  async ask(asked: Asked): Promise<Answer> {
    try {
      return await this.#ask(asked);
    } catch (error) {
      if (error instanceof CallError) return badOf(error);
      if (error instanceof StreamFailure) return badOfFailure(error.failure);
      throw error;
    }
  }

  #ask(asked: Asked): Promise<Answer> {
    if (isLockAsk(asked)) return this.#lock(asked);
    switch (asked.op) {
      case "create":
      case "put":
      case "set":
      case "delete":
      case "setAcl":
      case "txn":
        return this.#write(asked);
      case "tree":
        return this.#tree(asked);
      case "watch":
        return this.#watch(asked);
      case "get":
      case "exists":
      case "children":
      case "getAcl":
        return this.#read(asked);
      default:
        return this.#operate(asked);
    }
  }

  async #write(asked: Asked): Promise<Answer> {
    const asking = askingOf(asked);
    const options = writeOptions(asked);
    switch (asked.op) {
      case "create": {
        const { path, sequential = false, parents = false } = asked;
        const request = { path, data: bytesOf(asked.data), ...shapeMessage(asked), sequential, parents, options };
        return node(await this.#caller.call("Create", request, asking));
      }
      case "put": {
        const { path, parents = false } = asked;
        const condition = conditionMessage(asked.condition);
        const request = { path, data: bytesOf(asked.data), ...shapeMessage(asked), ...condition, parents, options };
        const reply = await this.#caller.call("Put", request, asking);
        return { ...node(reply), created: reply.created ?? false };
      }
      case "set": {
        const request = { path: asked.path, data: bytesOf(asked.data), ...conditionMessage(asked.condition), options };
        return node(await this.#caller.call("Set", request, asking));
      }
      case "delete": {
        const { path, recursive = false } = asked;
        const request = { path, recursive, ...conditionMessage(asked.condition), options };
        const reply = await this.#caller.call("Delete", request, asking);
        return { ...headOf(reply), deleted: reply.deleted ?? 0 };
      }
      case "setAcl": {
        const { path, aversion, czxid } = asked;
        const condition = { aversion, ...(czxid === undefined ? {} : { czxid: Number(czxid) }) };
        const request = { path, acl: aclMessage(asked.acl), ...condition, options };
        return node(await this.#caller.call("SetAcl", request, asking));
      }
      case "txn":
        return this.#txn(asked, asking);
      default:
        throw new Error(`${asked.op} is no write`);
    }
  }

  async #txn(asked: Extract<Asked, { readonly op: "txn" }>, asking: Asking): Promise<Answer> {
    const { check = [], then = [], else: others } = asked;
    const request: v1.TxnRequest = {
      checks: check.map(checkMessage),
      then: then.map(stepMessage),
      ...(others === undefined ? {} : { otherwise: { operations: others.map(stepMessage) } }),
      options: writeOptions(asked),
      ...(asked.terms.consistency === undefined ? {} : { readOptions: readOptions(asked) }),
    };
    const reply = await this.#caller.call("Txn", request, asking);
    const branch = reply.branch === "BRANCH_OTHERWISE" ? "else" : "then";
    return { ...headOf(reply), branch, results: (reply.results ?? []).map(partOf) };
  }

  async #read(asked: Asked): Promise<Answer> {
    const asking = askingOf(asked);
    const options = readOptions(asked);
    switch (asked.op) {
      case "get": {
        const reply = await this.#caller.call("Get", { path: asked.path, options }, asking);
        return { ...headOf(reply), ...nodeOf(reply) };
      }
      case "exists": {
        const reply = await this.#caller.call("Exists", { path: asked.path, options }, asking);
        const exists = reply.exists ?? false;
        assert.equal(reply.stat !== undefined, exists);
        return { ...headOf(reply), exists, ...(reply.stat === undefined ? {} : { stat: statOf(reply.stat) }) };
      }
      case "children": {
        const { path, limit: pageSize, token: pageToken, withData } = asked;
        const request = { path, pageSize, pageToken, withData, options };
        const reply = await this.#caller.call("ListChildren", request, asking);
        const children = (reply.children ?? []).map(childOf);
        const names = children.map(({ name }) => name);
        const page = { children, names, namesZxid: hex(reply.namesZxid ?? 0), ...tokenOf(reply) };
        return { ...headOf(reply), ...page };
      }
      case "getAcl": {
        const reply = await this.#caller.call("GetAcl", { path: asked.path, options }, asking);
        const acl = (reply.acl?.entries ?? []).map(({ scheme = "", id = "", perms = "" }) => ({ scheme, id, perms }));
        return { ...headOf(reply), acl, aversion: reply.stat?.aversion ?? 0 };
      }
      default:
        throw new Error(`${asked.op} is no read of znodes`);
    }
  }

  async #lock(asked: Extract<Asked, LockAsk>): Promise<Answer> {
    const { session } = asked.terms;
    const id = session === undefined ? undefined : idOf(session.id);
    const { reply, result } = await askLock(this.#caller, asked, id, askingOf(asked));
    return { ...headOf(reply), ...result };
  }

  async #tree(asked: Extract<Asked, { readonly op: "tree" }>): Promise<Answer> {
    const { path, depth, withData = false } = asked;
    const request = { path, depth, withData, options: readOptions(asked) };
    const stream = this.#caller.stream("GetTree", request, askingOf(asked));
    const error = await stream.over();
    if (error !== undefined) throw error;
    const last = stream.all.at(-1);
    assert.equal(last?.end, true, "the tree was cut off");
    const nodes = stream.all.flatMap((each) => each.nodes ?? []).map(nodeOf);
    assert.equal(last.count ?? 0, nodes.length);
    return { ...headOf(last), nodes };
  }

  async #watch(asked: Extract<Asked, { readonly op: "watch" }>): Promise<Answer> {
    const { nodes = [], children = [], subtrees = [], after, withData = false } = asked;
    const place = after?.includes(".") ? { afterCursor: after } : { afterZxid: Number(after) };
    const request = {
      nodes,
      children,
      subtrees,
      includeData: withData,
      options: readOptions(asked),
      ...(after === undefined ? {} : place),
    };
    const stream = this.#caller.stream("Watch", request, askingOf(asked));
    const told: v1.WatchEvent[] = [];
    try {
      for (;;) {
        const message = await stream.next();
        told.push(...(message.events ?? []));
        const head = { ...headOf(message), cursor: message.cursor ?? "" };
        if (after === undefined) return { ...head, states: (message.states ?? []).map(stateOf) };
        const enough = asked.events === undefined ? !message.more : told.length >= asked.events;
        if (enough) return { ...head, events: told.map(eventOf) };
      }
    } finally {
      stream.cancel();
    }
  }

  async #operate(asked: Asked): Promise<Answer> {
    const asking = askingOf(asked);
    const options = readOptions(asked);
    switch (asked.op) {
      case "sync":
        return headOf(await this.#caller.call("Sync", {}, asking));
      case "createSession": {
        const { timeoutMillis, name } = asked;
        const request = { ...(timeoutMillis === undefined ? {} : { timeout: durationMessage(timeoutMillis) }), name };
        const reply = await this.#caller.call("CreateSession", request, asking);
        const { secret = "", timeout } = reply;
        return { ...headOf(reply), id: hex(reply.sessionId ?? 0), secret, timeoutMillis: millisOf(timeout) };
      }
      case "renewSession":
        return headOf(await this.#caller.call("RenewSession", { sessionId: sessionIdOf(asked) }, asking));
      case "closeSession": {
        const request = { sessionId: sessionIdOf(asked), idempotencyKey: asked.terms.key };
        const reply = await this.#caller.call("CloseSession", request, asking);
        return { ...headOf(reply), deleted: reply.deleted ?? 0 };
      }
      case "getSession": {
        const { sessionId: _, ...read } = options;
        const request = { sessionId: sessionIdOf(asked), options: read };
        const reply = await this.#caller.call("GetSession", request, asking);
        return { ...headOf(reply), session: sessionOf(reply.session ?? {}), ephemerals: reply.ephemerals ?? [] };
      }
      case "listSessions": {
        const request = { pageSize: asked.limit, pageToken: asked.token, options };
        const reply = await this.#caller.call("ListSessions", request, asking);
        return { ...headOf(reply), sessions: (reply.sessions ?? []).map(sessionOf), ...tokenOf(reply) };
      }
      case "members": {
        const reply = await this.#caller.call("ListMembers", {}, asking);
        return { ...headOf(reply), leader: reply.leader ?? 0, members: (reply.members ?? []).map(({ id = 0 }) => id) };
      }
      case "handOver":
        return headOf(await this.#caller.call("HandOver", { to: asked.to }, asking));
      default:
        throw new Error(`no call of gRPC is ${asked.op}`);
    }
  }
}

function askingOf({ terms }: Asked): Asking {
  const { as, session, timeoutMillis } = terms;
  return {
    metadata: {
      ...(as === undefined ? {} : { authorization: `Basic ${Buffer.from(as).toString("base64")}` }),
      ...(session?.secret === undefined ? {} : { "quorate-session-secret": session.secret }),
      // Not as the client's own deadline, which may strike before the answer is there, and then there are no details.
      ...(timeoutMillis === undefined ? {} : { "grpc-timeout": `${timeoutMillis}m` }),
    },
  };
}

function writeOptions({ terms: { key, session, fenced } }: Asked): v1.WriteOptions {
  const options = { idempotencyKey: key, sessionId: session === undefined ? undefined : idOf(session.id) };
  return fenced === undefined ? options : { ...options, fenced: fenceMessages(fenced) };
}

function readOptions({ terms }: Asked): v1.ReadOptions {
  const { consistency, minZxid, maxStaleMillis, session } = terms;
  return {
    consistency: consistency === undefined ? undefined : consistencies[consistency],
    minZxid: minZxid === undefined ? undefined : Number(minZxid),
    maxStale: maxStaleMillis === undefined ? undefined : durationMessage(maxStaleMillis),
    sessionId: session === undefined ? undefined : idOf(session.id),
  };
}

function sessionIdOf(asked: Asked & { readonly id?: string }): number {
  return idOf(asked.id ?? asked.terms.session?.id ?? "0x0");
}

function headOf({ header }: { readonly header?: v1.Header | undefined }): Extract<Answer, { readonly ok: true }> {
  assert.ok(header, "each reply has a header");
  const { zxid = 0, replayed = false, consistency, staleAge } = header;
  const name = Object.entries(consistencies).find(([, value]) => value === consistency)?.[0];
  return {
    ok: true,
    zxid: hex(zxid),
    replayed,
    ...(name === undefined ? {} : { consistency: name }),
    ...(staleAge === undefined ? {} : { aged: true }),
  };
}

function node(reply: v1.CreateResponse): Extract<Answer, { readonly ok: true }> {
  return { ...headOf(reply), path: reply.path ?? "", stat: statOf(reply.stat ?? {}) };
}

function tokenOf({ nextPageToken = "" }: { readonly nextPageToken?: string | undefined }): object {
  return nextPageToken === "" ? {} : { token: nextPageToken };
}

const places: Readonly<Record<string, "check" | "then" | "else">> = {
  checks: "check",
  then: "then",
  otherwise: "else",
};

/** A status with its details, of one row of the table. */
function badOf({ code: status, message, status: details, reason }: CallError): Bad {
  assert.ok(details, `status ${status} has no details: ${message}`);
  const code = codeOfReason(reason) as ErrorCode;
  const row = errors[code];
  assert.ok(row, `no row of the table is ${reason}`);
  assert.deepEqual([status, details.code], [row.grpc, row.grpc], message);
  const { certainty = "", path, opIn, opIndex, replayed, servedBy } = details.metadata;
  assert.ok(servedBy, "it says who answered");
  assert.equal(details.retryAfterMillis !== undefined, code === "throttled" || row.grpc === 14, reason);
  const place = places[opIn ?? ""];
  return {
    ok: false,
    code,
    certainty,
    detail: message,
    replayed: replayed === "true",
    ...(path === undefined ? {} : { path }),
    ...(place === undefined ? {} : { op: { in: place, index: Number(opIndex) } }),
  };
}

const certainties = {
  CERTAINTY_UNSPECIFIED: "",
  CERTAINTY_NO_EFFECT: "noEffect",
  CERTAINTY_UNKNOWN: "unknown",
} as const;
const failedIn = { IN_UNSPECIFIED: undefined, IN_CHECKS: "check", IN_THEN: "then", IN_OTHERWISE: "else" } as const;

/** What a status and its details say, in a reply of a stream. */
function badOfFailure(failure: v1.Failure): Bad {
  const { reason = "", detail = "", certainty = "CERTAINTY_UNSPECIFIED", path, operation, replayed = false } = failure;
  const code = codeOfReason(reason) as ErrorCode;
  assert.equal(failure.status, errors[code]?.grpc, reason);
  assert.equal(failure.retryAfter !== undefined, code === "throttled" || failure.status === 14, reason);
  const place = failedIn[operation?.in ?? "IN_UNSPECIFIED"];
  return {
    ok: false,
    code,
    certainty: certainties[certainty],
    detail,
    replayed,
    ...(path === undefined ? {} : { path }),
    ...(place === undefined ? {} : { op: { in: place, index: operation?.index ?? 0 } }),
  };
}
