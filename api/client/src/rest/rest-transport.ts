/** The REST door, asked once: each call as a request, each answer as a value. */
import type { components } from "@quorate/openapi";
import type { Answered, Answers, Asks, Kind, Settings, Transport, WatchPart } from "../ask.ts";
import { defined } from "../defined.ts";
import { durationText, millisOf } from "../duration.ts";
import type { ElectionState } from "../locks.ts";
import type {
  Child,
  Data,
  Shape,
  Stat,
  TreeNode,
  TreeOptions,
  TxnOperation,
  TxnResult,
  WatchOptions,
  Written,
} from "../quorate.ts";
import { QuorateError } from "../quorate-error.ts";
import { type Asked, brokenBy, exchange, type Gateway, type RoutedId } from "./exchange.ts";
import { aclText, dataOf, toBase64 } from "./json-data.ts";
import { linesOf } from "./lines.ts";
import { leaderPolls, leaderStream, lockWays } from "./rest-locks.ts";
import { pollParts, streamParts } from "./rest-watch.ts";

type Schemas = components["schemas"];

export interface Reply {
  readonly status: number;
  readonly zxid: string;
  header(name: string): string;
  readonly bytes: Uint8Array;
  json<T>(): T;
}

export type Send = <Id extends RoutedId>(id: Id, asked: Asked<Id>) => Promise<Reply>;
/** `settings`: of the try. */
export type Ways = {
  readonly [K in Kind]: (ask: Asks[K], send: Send, settings: Settings) => Promise<Answers[K]>;
};

const ways: Ways = {
  ...lockWays,
  get: async ({ path }, send) => {
    const reply = await send("get", { path });
    return { path, data: reply.bytes, stat: statIn(reply), zxid: reply.zxid };
  },
  exists: async ({ path }, send) => {
    try {
      return statIn(await send("exists", { path }));
    } catch (error) {
      if (error instanceof QuorateError && error.code === "noNode") return undefined;
      throw error;
    }
  },
  children: async ({ path, limit, data, page }, send) => {
    const query = defined({ limit, data, continue: page });
    const { zxid, children, continue: next } = (await send("children", { path, query })).json<Schemas["Children"]>();
    return defined({ zxid, children: children.map(childOf), next });
  },
  getAcl: async ({ path }, send) => {
    const { acl, version = 0 } = (await send("getAcl", { path })).json<Schemas["Acl"]>();
    return { acl, version };
  },
  // A linearizable read of what is always there.
  sync: async (_, send) => (await send("exists", { path: "/" })).zxid,
  put: async ({ path, data, exists, mzxid, ...shape }, send) => {
    const header = defined({
      "If-Match": mzxid === undefined ? (exists ? "*" : undefined) : `"${mzxid}"`,
      "If-None-Match": exists === false ? ("*" as const) : undefined,
    });
    return writtenIn(await send("put", { path, body: data, header, query: shapeQuery(shape) }));
  },
  create: async ({ path, data, sequential, ...shape }, send) => {
    const query = shapeQuery(shape);
    if (sequential !== true)
      return writtenIn(await send("put", { path, body: data, query, header: { "If-None-Match": "*" } }));
    if (shape.container === true) throw new QuorateError("badArguments", "container: a sequential znode cannot be one");
    const at = path.lastIndexOf("/");
    const { container: _, ...rest } = query;
    return writtenIn(
      await send("create", { path: path.slice(0, at), body: data, query: { ...rest, prefix: path.slice(at + 1) } }),
    );
  },
  delete: async ({ path, recursive, mzxid }, send) => {
    const header = mzxid === undefined ? {} : { "If-Match": `"${mzxid}"` };
    return (await send("delete", { path, header, query: defined({ recursive }) })).json<Schemas["DeleteAnswer"]>();
  },
  setAcl: async ({ path, acl, version }, send) => {
    return writtenIn(await send("setAcl", { path, body: { acl, version } }));
  },
  txn: async ({ check, then, else: otherwise }, send) => {
    const body = { check, then: then?.map(operationJson), else: otherwise?.map(operationJson) };
    const { branch, zxid, results } = (await send("txn", { body })).json<Schemas["TxnAnswer"]>();
    return { branch, zxid, results: results.map(resultOf) };
  },
  createSession: async ({ timeoutMillis, name }, send) => {
    const timeout = timeoutMillis === undefined ? undefined : durationText(timeoutMillis);
    const opened = (await send("createSession", { body: { timeout, name } })).json<Schemas["SessionOpened"]>();
    return { id: opened.id, secret: opened.secret, timeoutMillis: millisOf(opened.timeout) };
  },
  renewSession: async ({ id }, send) => void (await send("renewSession", { path: id })),
  closeSession: async ({ id }, send) => void (await send("closeSession", { path: id })),
};

export class RestTransport implements Transport<Gateway> {
  readonly #polls: boolean;

  constructor(polls: boolean) {
    this.#polls = polls;
  }

  async attempt<K extends Kind>(
    gateway: Gateway,
    kind: K,
    ask: Asks[K],
    settings: Settings,
  ): Promise<Answered<Answers[K]>> {
    let zxid: string | undefined;
    const send: Send = async (id, asked) => {
      const response = await exchange(gateway, id, asked, settings);
      const reply = await replyOf(response).catch((error: unknown) => {
        settings.signal.throwIfAborted();
        throw brokenBy(error, gateway.base);
      });
      zxid = reply.zxid;
      return reply;
    };
    const value = await ways[kind](ask, send, settings);
    return { value, zxid };
  }

  async *tree(
    gateway: Gateway,
    path: string,
    { depth, data }: TreeOptions,
    settings: Settings,
  ): AsyncGenerator<string | TreeNode, undefined, undefined> {
    const response = await exchange(gateway, "tree", { path, query: defined({ depth, data }) }, settings);
    for await (const line of linesOf(response, settings.signal)) {
      const json = JSON.parse(line) as Schemas["TreeLine"];
      if ("end" in json) return;
      if ("zxid" in json) yield json.zxid;
      else yield defined({ path: json.path, stat: json.stat, data: dataOf(json) });
    }
    throw new QuorateError("connectionLoss", `the tree of ${path} was cut off`, { certainty: "noEffect" });
  }

  watch(
    gateway: Gateway,
    options: WatchOptions,
    after: string | undefined,
    settings: Settings,
  ): AsyncIterable<WatchPart> {
    return this.#polls ? pollParts(gateway, options, after, settings) : streamParts(gateway, options, after, settings);
  }

  observe(gateway: Gateway, path: string, settings: Settings): AsyncIterable<ElectionState | undefined> {
    return this.#polls ? leaderPolls(gateway, path, settings) : leaderStream(gateway, path, settings);
  }
}

async function replyOf(response: Response): Promise<Reply> {
  const bytes = new Uint8Array(await response.arrayBuffer());
  const header = (name: string): string => response.headers.get(name) ?? "";
  return {
    status: response.status,
    zxid: header("quorate-zxid"),
    header,
    bytes,
    json: () => JSON.parse(new TextDecoder().decode(bytes)),
  };
}

function statIn(reply: Reply): Stat {
  return JSON.parse(reply.header("quorate-stat")) as Stat;
}

function writtenIn(reply: Reply): Written {
  const { path, zxid, stat } = reply.json<Schemas["NodeAnswer"]>();
  return { path, zxid, stat, created: reply.status === 201 };
}

function shapeQuery({ ephemeral, container, ttlMillis, acl, parents }: Shape) {
  const ttl = ttlMillis === undefined ? undefined : durationText(ttlMillis);
  return defined({ ephemeral, container, ttl, acl: aclText(acl), parents });
}

function operationJson(operation: TxnOperation): Schemas["TxnOperation"] {
  const { ttlMillis, data, acl, ...rest } = operation as TxnOperation & Shape & { readonly data?: Data };
  const json = {
    ...rest,
    ttl: ttlMillis === undefined ? undefined : durationText(ttlMillis),
    acl,
    data: data instanceof Uint8Array ? { base64: toBase64(data) } : data,
  };
  // Each kind of operation keeps its own fields, which the compiler cannot follow through the rest.
  return json as Schemas["TxnOperation"];
}

function resultOf(result: Schemas["TxnResult"]): TxnResult {
  const { encoding: _, continue: __, ...json } = result;
  return defined({ ...json, data: dataOf(result), children: json.children?.map(childOf) });
}

function childOf(json: Schemas["Child"]): Child {
  return defined({ name: json.name, stat: json.stat, data: dataOf(json) });
}
