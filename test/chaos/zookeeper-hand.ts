/**
 * Requests of the REST door put to the ZooKeeper port: what both know, on a few sessions for each door. A read comes behind a `sync`,
 * so that it has to be as new as any. Answers come as REST would give them, so that one history has both, and one judge.
 */
import { type ErrorCode, errors, formatZxid, type Zxid } from "@quorate/api";
import type { Reply } from "../integration/http-client.ts";
import { WireClient, WireClosed, type WireReply } from "../zookeeper/wire-client.ts";
import { createFlags, openAcl, type WireRequest, type WireResults, type WireStat } from "../zookeeper/wire-records.ts";
import type { Limits } from "./grpc-hand.ts";
import type { Request } from "./hand.ts";
import type { Tally } from "./tally.ts";

/** Of one door. */
const sessions = 3;
const timeoutMillis = 20_000;

type Ask = (client: WireClient) => Promise<Reply>;

/** The words of REST for a number, where there is only one. */
const codes: Readonly<Record<number, ErrorCode>> = Object.fromEntries(
  (["nodeExists", "notEmpty", "throttled", "quotaExceeded"] as const).map((code) => [errors[code].zookeeper, code]),
);
const noNode = -101;

export class ZookeeperHand {
  readonly #ports: readonly number[];
  readonly #tally: Tally;
  readonly #clients = new Map<string, Promise<WireClient>>();
  readonly #shown = new Map<string, Pick<WireClient, "session" | "password">>();
  #next = 0;

  constructor(ports: readonly number[], tally: Tally) {
    this.#ports = ports;
    this.#tally = tally;
  }

  /** Undefined: this request is REST's alone. Rejects, as `exchange` does, when no answer came. */
  ask(door: number, request: Request, limits: Limits): Promise<Reply> | undefined {
    const ask = translate(request);
    if (ask === undefined) return undefined;
    this.#tally.overZookeeper += 1;
    return this.#ask(`${door} ${this.#next++ % sessions}`, this.#ports[door] ?? 0, ask, limits);
  }

  close(): void {
    for (const each of this.#clients.values()) {
      each.then(
        (client) => client.cut(),
        () => undefined,
      );
    }
  }

  async #ask(key: string, port: number, ask: Ask, { patienceMillis }: Limits): Promise<Reply> {
    const client = await this.#client(key, port, patienceMillis);
    // Who is not answered leaves, as every client does, with all that is under way.
    const timer = setTimeout(() => client.cut(), patienceMillis);
    try {
      return await ask(client);
    } catch (error) {
      throw error instanceof WireClosed ? Object.assign(error, { code: "EZOOKEEPER" }) : error;
    } finally {
      clearTimeout(timer);
    }
  }

  async #client(key: string, port: number, patienceMillis: number): Promise<WireClient> {
    let opening = this.#clients.get(key);
    for (;;) {
      const former = await opening?.catch(() => undefined);
      if (former?.open) return former;
      const newest = this.#clients.get(key);
      if (newest === opening) return await this.#open(key, port, patienceMillis);
      opening = newest;
    }
  }

  async #open(key: string, port: number, patienceMillis: number): Promise<WireClient> {
    const opening = this.#connect(key, port, patienceMillis);
    this.#clients.set(key, opening);
    try {
      const client = await opening;
      const { session, password } = client;
      this.#shown.set(key, { session, password });
      return client;
    } catch (error) {
      // What was never sent had no effect.
      throw Object.assign(error as Error, { code: "ECONNREFUSED" });
    }
  }

  /** With its former session, if that still is. */
  async #connect(key: string, port: number, patienceMillis: number): Promise<WireClient> {
    const shown = this.#shown.get(key);
    if (shown !== undefined) {
      const client = await WireClient.connect(port, { ...shown, timeoutMillis, patienceMillis });
      if (client.accepted) return client;
      this.#shown.delete(key);
    }
    return await WireClient.connect(port, { timeoutMillis, patienceMillis });
  }
}

function translate({ method, target, headers = {}, body = "", key }: Request): Ask | undefined {
  if (key !== undefined || Object.keys(headers).some((each) => !/^(if-|content-type)/i.test(each))) return undefined;
  if (target === "/v1/txn") return readAll(JSON.parse(body) as Txn);
  const [, where, path = "", query = ""] = /^\/v1\/(znodes|children)([^?]*)\??(.*)$/.exec(target) ?? [];
  const conditions = `${headers["If-None-Match"] ?? ""}/${headers["If-Match"] ?? ""}`;
  if (where === "children") return query.startsWith("limit=") ? list(path) : undefined;
  if (method === "GET" && query === "format=json") return get(path);
  if (method === "POST" && query.startsWith("prefix=")) return append(`${path}/${query.slice(7)}`);
  if (method === "PUT" && query === "" && conditions === "*/") return create(path, body);
  if (method === "PUT" && query === "" && conditions === "/*") return set(path, body);
  return method === "DELETE" && query === "" && conditions === "/" ? remove(path) : undefined;
}

function reply(status: number, zxid: bigint, json: object): Reply {
  return { status, headers: { "quorate-zxid": textOf(zxid) }, body: JSON.stringify(json) };
}

function textOf(zxid: bigint): string {
  return formatZxid(Number(zxid) as Zxid);
}

/** `missing`: what REST says where there is no znode. */
function problem({ error, zxid }: WireReply<object>, missing: ErrorCode, more: object = {}): Reply {
  const code = error === noNode ? missing : codes[error];
  if (code === undefined) throw new Error(`the ZooKeeper port answered ${error}`);
  const { http, certainty } = errors[code];
  const headers = { "content-type": "application/problem+json", "quorate-zxid": textOf(zxid) };
  return { status: "op" in more ? 409 : http, headers, body: JSON.stringify({ code, certainty, ...more }) };
}

function statJson({ version, mzxid, czxid, ephemeralOwner: owner }: WireStat): object {
  const common = { version, mzxid: textOf(mzxid), czxid: textOf(czxid) };
  return owner === 0n ? common : { ...common, ephemeralOwner: textOf(owner) };
}

/** Back to back with the `sync` before it. */
async function behindSync<R extends WireRequest>(
  client: WireClient,
  request: R,
): Promise<WireReply<WireResults[R["op"]]>> {
  const [synced, read] = await Promise.all([client.send({ op: "sync", path: "/" }), client.send(request)]);
  if (synced.error !== 0) throw new Error(`sync was answered ${synced.error}`);
  return read;
}

function get(path: string): Ask {
  return async (client) => {
    const answer = await behindSync(client, { op: "getData", path, watch: false });
    const { result, zxid } = answer;
    if (result === undefined) return problem(answer, "noNode");
    return reply(200, zxid, { data: String(result.data ?? ""), stat: statJson(result.stat) });
  };
}

function list(path: string): Ask {
  return async (client) => {
    const answer = await behindSync(client, { op: "getChildren", path, watch: false });
    if (answer.result === undefined) return problem(answer, "noNode");
    return reply(200, answer.zxid, { children: answer.result.children.map((name) => ({ name })) });
  };
}

function create(path: string, body: string, flags: number = createFlags.persistent): Ask {
  return async (client) => {
    const answer = await client.send({ op: "create2", path, data: Buffer.from(body), acl: openAcl, flags });
    const { result, zxid } = answer;
    if (result === undefined) return problem(answer, "noParent");
    return reply(201, zxid, { path: result.path, stat: statJson(result.stat) });
  };
}

function append(prefix: string): Ask {
  return create(prefix, "", createFlags.persistentSequential);
}

function set(path: string, body: string): Ask {
  return async (client) => {
    const answer = await client.send({ op: "setData", path, data: Buffer.from(body), version: -1 });
    const { result, zxid } = answer;
    if (result === undefined) return problem(answer, "badVersion");
    return reply(200, zxid, { path, stat: statJson(result.stat) });
  };
}

function remove(path: string): Ask {
  return async (client) => {
    const answer = await client.send({ op: "delete", path, version: -1 });
    return answer.error === 0 ? reply(200, answer.zxid, { zxid: textOf(answer.zxid) }) : problem(answer, "noNode");
  };
}

interface Txn {
  readonly check?: readonly unknown[];
  readonly then?: readonly { readonly op: string; readonly path: string }[];
}

/** A multiRead; what writes would need conditions that a multi does not know. */
function readAll({ check = [], then = [] }: Txn): Ask | undefined {
  if (check.length > 0 || then.length === 0 || then.some(({ op }) => op !== "get")) return undefined;
  const operations = then.map(({ path }) => ({ op: "getData", path, watch: false }) as const);
  return async (client) => {
    const answer = await behindSync(client, { op: "multiRead", operations });
    if (answer.result === undefined) return problem(answer, "noNode");
    const results: object[] = [];
    for (const [index, each] of answer.result.results.entries()) {
      if (each.op === "error") return problem({ ...answer, error: each.code }, "noNode", { op: { in: "then", index } });
      if (each.op !== "getData") throw new Error(`a multiRead was answered ${each.op}`);
      results.push({ path: then[index]?.path, data: String(each.data ?? ""), stat: statJson(each.stat) });
    }
    return reply(200, answer.zxid, { branch: "then", results });
  };
}
