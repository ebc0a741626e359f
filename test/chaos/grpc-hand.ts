/**
 * Requests of the REST door put to the gRPC one: what both know, without a key or a session. Answers come as REST would give them,
 * so that one history has both, and one judge.
 */
import { type ErrorCode, errors, formatZxid, parseZxid, type Zxid } from "@quorate/api";
import type { v1 } from "@quorate/proto";
import { CallError, Caller } from "../conformance/grpc-client.ts";
import type { Reply } from "../integration/http-client.ts";
import type { Request } from "./hand.ts";
import type { Tally } from "./tally.ts";

export interface Limits {
  readonly timeoutMillis: number;
  readonly patienceMillis: number;
}

// biome-ignore lint/suspicious/noExplicitAny: JSON of the shapes that the REST contract gives.
type Json = any;
type Ask = (caller: Caller, limits: Limits) => Promise<Reply>;

const steady = { "grpc.initial_reconnect_backoff_ms": 100, "grpc.max_reconnect_backoff_ms": 400 };

export class GrpcHand {
  readonly #callers: readonly Caller[];
  readonly #tally: Tally;

  constructor(ports: readonly number[], tally: Tally) {
    this.#callers = ports.map((port) => new Caller(port, steady));
    this.#tally = tally;
  }

  /** Undefined: this request is REST's alone. Rejects, as `exchange` does, when no answer came. */
  ask(door: number, request: Request, limits: Limits): Promise<Reply> | undefined {
    const ask = translate(request);
    if (ask === undefined) return undefined;
    this.#tally.overGrpc += 1;
    const caller = this.#callers[door % this.#callers.length] as Caller;
    return ask(caller, limits).catch((error: unknown) => this.#failed(error));
  }

  close(): void {
    for (const each of this.#callers) each.close();
  }

  #failed(error: unknown): Reply {
    if (!(error instanceof CallError)) throw error;
    const { status } = error;
    if (status === undefined) {
      // What was never sent had no effect.
      const refused = /No connection established|ECONNREFUSED/.test(error.message);
      throw Object.assign(error, { code: refused ? "ECONNREFUSED" : `EGRPC${error.code}` });
    }
    const code = status.reason.toLowerCase().replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    const row = errors[code as ErrorCode];
    if (row?.grpc !== error.code) this.#tally.violate(`gRPC answered ${error.code} ${status.reason}: ${error.message}`);
    const { certainty, zxid, opIn, opIndex } = status.metadata;
    const branch = opIn === "checks" ? "check" : opIn === "otherwise" ? "else" : opIn;
    const op = branch === undefined ? {} : { op: { in: branch, index: Number(opIndex) } };
    const headers = {
      "content-type": "application/problem+json",
      ...(zxid === undefined ? {} : { "quorate-zxid": zxid }),
    };
    const body = JSON.stringify({ code, certainty, detail: error.message, ...op });
    // A place in a txn makes it 409 over REST, whatever it is.
    return { status: branch === undefined ? (row?.http ?? 500) : 409, headers, body };
  }
}

function callOptions({ timeoutMillis, patienceMillis }: Limits): { deadlineMillis: number; signal: AbortSignal } {
  return { deadlineMillis: timeoutMillis, signal: AbortSignal.timeout(patienceMillis) };
}

function reply(status: number, header: v1.Header | undefined, json: Json): Reply {
  const zxid = formatZxid((header?.zxid ?? 0) as Zxid);
  return { status, headers: { "quorate-zxid": zxid }, body: JSON.stringify(json) };
}

function translate({ method, target, headers = {}, body = "", key }: Request): Ask | undefined {
  if (key !== undefined || Object.keys(headers).some((each) => !/^(if-|content-type)/i.test(each))) return undefined;
  if (target === "/v1/txn") return txn(JSON.parse(body));
  const [, where, path = "", query = ""] = /^\/v1\/(znodes|children)([^?]*)\??(.*)$/.exec(target) ?? [];
  const condition = conditionOf(headers);
  if (where === "children") return query.startsWith("limit=") ? list(path, Number(query.slice(6))) : undefined;
  if (method === "GET" && query === "format=json") return get(path);
  if (method === "POST" && query.startsWith("prefix=")) return create(`${path}/${query.slice(7)}`);
  if (method === "PUT" && query === "") return put(path, body, condition);
  if (method === "DELETE" && query === "") return remove(path, condition);
  return undefined;
}

function conditionOf(headers: Readonly<Record<string, string>>): v1.Condition {
  const match = headers["If-Match"];
  if (headers["If-None-Match"] === "*") return { exists: false };
  if (match === "*") return { exists: true };
  return match === undefined ? {} : { mzxids: [zxidOf(match.slice(1, -1))] };
}

function zxidOf(text: string): number {
  return parseZxid(text) ?? 0;
}

function statJson({ version = 0, mzxid = 0, czxid = 0, ephemeralOwner = 0 }: v1.Stat = {}): Json {
  const text = (zxid: number): string => formatZxid(zxid as Zxid);
  const owner = ephemeralOwner === 0 ? {} : { ephemeralOwner: text(ephemeralOwner) };
  return { version, mzxid: text(mzxid), czxid: text(czxid), ...owner };
}

function get(path: string): Ask {
  return async (caller, limits) => {
    const { header, data, stat } = await caller.call("Get", { path }, callOptions(limits));
    return reply(200, header, { data: String(data ?? ""), stat: statJson(stat) });
  };
}

function put(path: string, body: string, condition: v1.Condition): Ask {
  return async (caller, limits) => {
    const answer = await caller.call("Put", { path, data: Buffer.from(body), condition }, callOptions(limits));
    return reply(answer.created ? 201 : 200, answer.header, { path: answer.path, stat: statJson(answer.stat) });
  };
}

function remove(path: string, condition: v1.Condition): Ask {
  return async (caller, limits) => {
    const { header } = await caller.call("Delete", { path, condition }, callOptions(limits));
    return reply(200, header, { zxid: formatZxid((header?.zxid ?? 0) as Zxid) });
  };
}

function create(path: string): Ask {
  return async (caller, limits) => {
    const answer = await caller.call("Create", { path, sequential: true }, callOptions(limits));
    return reply(201, answer.header, { path: answer.path, stat: statJson(answer.stat) });
  };
}

function list(path: string, pageSize: number): Ask {
  return async (caller, limits) => {
    const answer = await caller.call("ListChildren", { path, pageSize }, callOptions(limits));
    const more = answer.nextPageToken ? { continue: answer.nextPageToken } : {};
    return reply(200, answer.header, { children: (answer.children ?? []).map(({ name }) => ({ name })), ...more });
  };
}

function txn({ check = [], then = [], else: otherwise }: Json): Ask {
  const request: v1.TxnRequest = {
    checks: check.map(checkOf),
    then: then.map(operationOf),
    ...(otherwise === undefined ? {} : { otherwise: { operations: otherwise.map(operationOf) } }),
  };
  return async (caller, limits) => {
    const { header, branch, results = [] } = await caller.call("Txn", request, callOptions(limits));
    const isThen = branch === "BRANCH_THEN";
    return reply(200, header, { branch: isThen ? "then" : "else", results: results.map(resultJson) });
  };
}

function checkOf({ path, exists, version, mzxid, czxid, owner }: Json): v1.Check {
  const zxids = { mzxid, czxid };
  const given = Object.entries(zxids).flatMap(([name, text]) => (text === undefined ? [] : [[name, zxidOf(text)]]));
  return { path, exists, version, ...Object.fromEntries(given), ...(owner === "self" ? { ownerSelf: true } : {}) };
}

function operationOf(each: Json): v1.TxnOperation {
  const { op, path, data, exists, version, mzxid } = each;
  const condition = { exists, version, ...(mzxid === undefined ? {} : { mzxids: [zxidOf(mzxid)] }) };
  switch (op) {
    case "get":
      return { get: { path } };
    case "put":
      return { put: { path, data: Buffer.from(data), condition } };
    case "delete":
      return { delete: { path, condition } };
    default:
      return { check: checkOf(each) };
  }
}

function resultJson({ get: got, put: done }: v1.TxnResult): Json {
  if (got) return { path: got.path, data: String(got.data ?? ""), stat: statJson(got.stat) };
  return done ? { path: done.path, created: done.created === true, stat: statJson(done.stat) } : {};
}
