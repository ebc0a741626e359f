/** The REST door as a door like any other. What REST has in a txn alone (set, versions of data) is asked as a txn of one. */
import assert from "node:assert/strict";
import { Agent, request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { errors, httpErrors } from "@quorate/api";
import { type Answer, type Asked, type Bad, type Door, hex, shown, type TxnStep } from "./door.ts";
import { isLockAsk } from "./lock-asks.ts";
import { type Call, callOf, checkJson, stepForTxn, stepJson } from "./rest-calls.ts";
import {
  childrenOfJson,
  dataOfJson,
  eventOfJson,
  millisOfText,
  partOfJson,
  sessionOfJson,
  stateOfJson,
  statOfJson,
} from "./rest-json.ts";
import { fencedHeader, lockCall, lockResult } from "./rest-locks.ts";

// biome-ignore lint/suspicious/noExplicitAny: a body is whatever the door sent; the table says what it must be.
type Json = any;

interface Seen {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  readonly json: Json;
}

type AskedFor<Op extends Asked["op"]> = Extract<Asked, { readonly op: Op }>;

/** One answered in a moment comes alone; more are waited for. */
const pollWait = "20s";

export class RestDoor implements Door {
  readonly name = "REST";
  readonly #base: URL;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 8 });

  constructor(base: string) {
    this.#base = new URL(base);
  }

  close(): void {
    this.#agent.destroy();
  }

  ask(asked: Asked): Promise<Answer> {
    if (asked.op === "watch") return this.#watch(asked);
    if (asked.op === "txn") return this.#txn(asked);
    const step = stepForTxn(asked);
    return step === undefined ? this.#plain(asked) : this.#alone(asked, step);
  }

  async #plain(asked: Asked): Promise<Answer> {
    const call = isLockAsk(asked) ? lockCall(asked) : callOf(asked);
    let seen = await this.#send(asked, call);
    if (call.method === "HEAD" && seen.status === 404) return good(seen, { exists: false });
    // HEAD has no body that could name the fault: the same as GET has.
    if (call.method === "HEAD" && seen.status >= 400) seen = await this.#send(asked, { ...call, method: "GET" });
    if (seen.status >= 400) return badOf(seen, call);
    return good(seen, resultOf(asked, seen));
  }

  async #txn({ terms, ...asked }: AskedFor<"txn">): Promise<Answer> {
    const body = {
      ...(asked.check === undefined ? {} : { check: asked.check.map(checkJson) }),
      ...(asked.then === undefined ? {} : { then: asked.then.map(stepJson) }),
      ...(asked.else === undefined ? {} : { else: asked.else.map(stepJson) }),
    };
    const call = { method: "POST", path: "/v1/txn", body };
    const seen = await this.#send({ terms }, call);
    if (seen.status >= 400) return badOf(seen, call);
    return good(seen, { branch: seen.json.branch, results: seen.json.results.map(partOfJson) });
  }

  async #alone({ terms }: Asked, step: TxnStep): Promise<Answer> {
    const answer = await this.#txn({ op: "txn", then: [step], terms });
    if (!answer.ok) {
      const { op: _, ...bare } = answer;
      return bare;
    }
    const { results, branch: _, ...rest } = answer;
    return { ...rest, ...results?.[0] };
  }

  async #watch(asked: AskedFor<"watch">): Promise<Answer> {
    const query = new URLSearchParams();
    for (const each of asked.nodes ?? []) query.append("node", each);
    for (const each of asked.children ?? []) query.append("children", each);
    for (const each of asked.subtrees ?? []) query.append("subtree", each);
    if (asked.withData) query.append("include", "data");
    if (asked.withData || asked.after === undefined) query.append("encoding", "base64");
    if (asked.after === undefined) {
      const seen = await this.#send(asked, { method: "GET", path: `/v1/watch?${query}` });
      if (seen.status >= 400) return badOf(seen);
      return good(seen, { states: seen.json.states.map(stateOfJson), cursor: seen.json.cursor });
    }
    const events: Json[] = [];
    for (let after = asked.after, first = true; ; first = false) {
      query.set("after", after);
      const wait = asked.events === undefined ? "0s" : pollWait;
      query.set("wait", wait);
      // What the client tells of a session and how long it waits is of each poll.
      const seen = await this.#send(asked, { method: "GET", path: `/v1/watch?${query}` });
      if (seen.status >= 400) return badOf(seen);
      events.push(...seen.json.events);
      after = seen.json.cursor;
      const enough = asked.events === undefined ? !seen.json.more : events.length >= asked.events;
      if (enough) return good(seen, { events: events.map(eventOfJson), cursor: after });
      assert.ok(first || seen.json.events.length > 0 || wait !== "0s", "more was promised");
    }
  }

  #send({ terms }: Pick<Asked, "terms">, { method, path, headers, body }: Call): Promise<Seen> {
    const bytes = body === undefined || body instanceof Buffer ? body : Buffer.from(JSON.stringify(body));
    const isJson = body !== undefined && !(body instanceof Buffer);
    const all: Record<string, string> = { ...headers, ...(isJson ? { "Content-Type": "application/json" } : {}) };
    const { as, session, key, consistency, minZxid, maxStaleMillis, timeoutMillis, fenced } = terms;
    if (fenced !== undefined) all["Quorate-Fenced"] = fencedHeader(fenced);
    if (as !== undefined) all["Authorization"] = `Basic ${Buffer.from(as).toString("base64")}`;
    if (session?.secret !== undefined) all["Quorate-Session"] = `${session.id}:${session.secret}`;
    if (key !== undefined) all["Idempotency-Key"] = key;
    if (consistency !== undefined) all["Quorate-Consistency"] = consistency;
    if (minZxid !== undefined) all["Quorate-Min-Zxid"] = minZxid;
    if (maxStaleMillis !== undefined) all["Quorate-Max-Stale"] = `${maxStaleMillis}ms`;
    if (timeoutMillis !== undefined) all["Quorate-Timeout"] = `${timeoutMillis}ms`;
    if (bytes !== undefined) all["Content-Length"] = String(bytes.length);
    const { hostname, port } = this.#base;
    return new Promise((resolve, reject) => {
      const outgoing = httpRequest({ hostname, port, path, method, headers: all, agent: this.#agent }, (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
        incoming.on("error", reject);
        incoming.on("end", () => {
          const all = Buffer.concat(chunks);
          const json = /json$/.test(incoming.headers["content-type"] ?? "") && method !== "HEAD";
          const parsed = json && all.length > 0 && !incoming.headers["content-type"]?.includes("ndjson");
          const body = parsed ? JSON.parse(all.toString()) : undefined;
          resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, bytes: all, json: body });
        });
      });
      outgoing.on("error", reject);
      outgoing.end(bytes);
    });
  }
}

function good({ headers }: Seen, result: object): Answer {
  // What the gateway says by itself is of no zxid.
  const isOwn = headers["quorate-served-by"] === "gateway";
  const zxid = String(headers["quorate-zxid"] ?? (isOwn ? hex(0) : ""));
  assert.match(zxid, /^0x[0-9a-f]{16}$/);
  const { "quorate-consistency": consistency, "quorate-stale-age": age } = headers;
  return {
    ok: true,
    zxid,
    replayed: headers["quorate-replayed"] === "true",
    ...(consistency === undefined ? {} : { consistency: String(consistency) }),
    ...(age === undefined ? {} : { aged: true }),
    ...result,
  };
}

function resultOf(asked: Asked, seen: Seen): object {
  const { json, headers } = seen;
  if (isLockAsk(asked)) return lockResult(asked.op, json);
  switch (asked.op) {
    case "create":
    case "setAcl":
      return { path: json.path, stat: statOfJson(json.stat) };
    case "put":
      return { path: json.path, stat: statOfJson(json.stat), created: seen.status === 201 };
    case "delete":
    case "closeSession":
      return { deleted: json.deleted };
    case "get":
      return {
        path: asked.path,
        data: shown(seen.bytes),
        stat: statOfJson(JSON.parse(String(headers["quorate-stat"]))),
      };
    case "exists":
      return { exists: true, stat: statOfJson(JSON.parse(String(headers["quorate-stat"]))) };
    case "children":
      return childrenOfJson(json);
    case "tree":
      return treeOf(seen);
    case "getAcl":
      return { acl: json.acl, aversion: json.version };
    case "createSession":
      return { id: json.id, secret: json.secret, timeoutMillis: millisOfText(json.timeout) };
    case "getSession":
      return { session: sessionOfJson(json), ephemerals: json.ephemerals };
    case "listSessions":
      return { sessions: json.sessions.map(sessionOfJson), ...(json.continue ? { token: json.continue } : {}) };
    case "members":
      return { leader: json.leader, members: json.members.map((each: Json) => each.id) };
    default:
      return {};
  }
}

function treeOf({ bytes }: Seen): object {
  const lines = bytes
    .toString()
    .trimEnd()
    .split("\n")
    .map((each): Json => JSON.parse(each));
  const last = lines.pop();
  assert.equal(last.end, true, "the tree was cut off");
  const [, ...nodes] = lines;
  assert.equal(last.count, nodes.length);
  return {
    nodes: nodes.map((each) => ({
      path: each.path,
      stat: statOfJson(each.stat),
      ...(each.data === undefined ? {} : { data: dataOfJson(each) }),
    })),
  };
}

/** A problem, whose status is its row's. */
function badOf({ status, headers, json }: Seen, call?: Call): Bad {
  assert.equal(headers["content-type"], "application/problem+json");
  const table: Readonly<Record<string, { readonly http: number; readonly title: string }>> = {
    ...errors,
    ...httpErrors,
  };
  const row = table[json.code];
  assert.ok(row, `no row of the table is ${json.code}`);
  const createOnly = call?.headers?.["If-None-Match"] === "*" && json.code === "nodeExists";
  const inTxn = call?.path === "/v1/txn" && json.op !== undefined;
  assert.equal(status, createOnly ? 412 : inTxn ? 409 : row.http, json.detail);
  assert.deepEqual([json.status, json.title], [status, row.title]);
  assert.equal(headers["retry-after"] !== undefined, status === 429 || status === 503);
  return {
    ok: false,
    code: json.code,
    certainty: json.certainty,
    detail: json.detail,
    replayed: headers["quorate-replayed"] === "true",
    ...(json.path === undefined ? {} : { path: json.path }),
    ...(json.op === undefined ? {} : { op: json.op }),
  };
}
