/**
 * What an operation is as a request, as an operation and as a reply: one entry for each, used by the unary calls and by the
 * Session stream alike.
 */
import { type Failure, limits, type Result, type TxnOperationSet } from "@quorate/api";
import type { Consistency, v1 } from "@quorate/proto";
import type { Answer, ReadRequest, WriteRequest } from "../backend.ts";
import { headerOf } from "./call.ts";
import {
  childrenOf,
  createOf,
  deleteOf,
  existsOf,
  getAclOf,
  getOf,
  putOf,
  setAclOf,
  setOf,
  syncOf,
  txnOf,
  writesNothing,
} from "./decode.ts";
import {
  childBytes,
  createResponse,
  deleteResponse,
  existsResponse,
  getAclResponse,
  getResponse,
  listChildrenResponse,
  putResponse,
  setAclResponse,
  setResponse,
  txnResponse,
} from "./encode.ts";
import { bad, faultOfFailure, faultOfUnavailable, GrpcFault } from "./faults.ts";

/** Request and reply of each, by its name on the Session stream. */
export interface ExchangeMessages {
  readonly create: readonly [v1.CreateRequest, v1.CreateResponse];
  readonly put: readonly [v1.PutRequest, v1.PutResponse];
  readonly set: readonly [v1.SetRequest, v1.SetResponse];
  readonly delete: readonly [v1.DeleteRequest, v1.DeleteResponse];
  readonly setAcl: readonly [v1.SetAclRequest, v1.SetAclResponse];
  readonly txn: readonly [v1.TxnRequest, v1.TxnResponse];
  readonly get: readonly [v1.GetRequest, v1.GetResponse];
  readonly exists: readonly [v1.ExistsRequest, v1.ExistsResponse];
  readonly listChildren: readonly [v1.ListChildrenRequest, v1.ListChildrenResponse];
  readonly getAcl: readonly [v1.GetAclRequest, v1.GetAclResponse];
  readonly sync: readonly [v1.SyncRequest, v1.SyncResponse];
}

export type ExchangeName = keyof ExchangeMessages;

/** A request that was understood. `options` are the request's own, which the caller heeds. */
export type Asked =
  | {
      readonly kind: "write";
      readonly operation: WriteRequest["operation"];
      readonly options: v1.WriteOptions | undefined;
    }
  | {
      readonly kind: "read";
      readonly operation: ReadRequest["operation"];
      readonly options: v1.ReadOptions | undefined;
    };

export interface Exchange<Request, Response> {
  readonly method: string;
  /** Whether the request names a session, before it is read. */
  sessionOf(request: Request): number | undefined;
  ask(request: Request, field: string, acting: boolean): Asked;
  reply(result: Result, header: v1.Header, asked: Asked): Response;
  /** A failure that is an answer here. */
  recover?(failure: Failure, header: v1.Header): Response | undefined;
}

type WriteOptioned = { readonly options?: v1.WriteOptions | undefined };
type ReadOptioned = { readonly options?: v1.ReadOptions | undefined };

function writing<Request extends WriteOptioned, Response>(
  method: string,
  read: (request: Request, field: string, acting: boolean) => WriteRequest["operation"],
  reply: (result: Result, header: v1.Header) => Response,
): Exchange<Request, Response> {
  return {
    method,
    sessionOf: (request) => request.options?.sessionId,
    ask: (request, field, acting) => ({
      kind: "write",
      operation: read(request, field, acting),
      options: request.options,
    }),
    reply,
  };
}

function reading<Request extends ReadOptioned, Response>(
  method: string,
  read: (request: Request, field: string) => ReadRequest["operation"],
  reply: (result: Result, header: v1.Header) => Response,
): Exchange<Request, Response> {
  return {
    method,
    sessionOf: (request) => request.options?.sessionId,
    ask: (request, field) => ({ kind: "read", operation: read(request, field), options: request.options }),
    reply,
  };
}

const txn: Exchange<v1.TxnRequest, v1.TxnResponse> = {
  method: "Txn",
  sessionOf: ({ options, readOptions }) => options?.sessionId || readOptions?.sessionId,
  ask: (request, field, acting) => {
    const operation = txnOf(request, field, acting);
    const { options, readOptions } = request;
    if (writesNothing(operation)) {
      // A key on reads alone keeps nothing: they may be repeated as they are.
      const sessionId = readOptions?.sessionId || options?.sessionId;
      if (options?.fenced !== undefined)
        throw bad(`${field}options.fenced`, "it guards writes, and this txn only reads");
      return { kind: "read", operation, options: { ...readOptions, sessionId } };
    }
    if (readOptions === undefined) return { kind: "write", operation, options };
    throw bad(`${field}read_options`, "they mean nothing on a txn that writes; leave them out");
  },
  reply: (result, header, { operation }) => txnResponse(result, operation as TxnOperationSet, header),
};

export const exchanges: {
  readonly [Name in ExchangeName]: Exchange<ExchangeMessages[Name][0], ExchangeMessages[Name][1]>;
} = {
  create: writing("Create", createOf, createResponse),
  put: writing("Put", putOf, putResponse),
  set: writing("Set", setOf, setResponse),
  delete: writing("Delete", deleteOf, deleteResponse),
  setAcl: writing("SetAcl", setAclOf, setAclResponse),
  txn,
  get: reading("Get", getOf, getResponse),
  exists: {
    ...reading("Exists", existsOf, existsResponse),
    recover: ({ code, path }, header) => (code === "noNode" ? { header, path, exists: false } : undefined),
  },
  listChildren: reading("ListChildren", childrenOf, listChildrenResponse),
  getAcl: reading("GetAcl", getAclOf, getAclResponse),
  sync: {
    method: "Sync",
    sessionOf: () => undefined,
    ask: () => ({ kind: "read", operation: syncOf(), options: undefined }),
    reply: (_, header) => ({ header }),
  },
};

/** The reply to what was asked, or the fault. `consistency` undefined: it was a write. */
export function replyOf<Request, Response>(
  exchange: Exchange<Request, Response>,
  asked: Asked,
  answer: Answer,
  consistency: Consistency | undefined,
): Response | GrpcFault {
  if (answer.kind === "unavailable") return faultOfUnavailable(answer);
  const { outcome } = answer;
  const header = headerOf(answer, consistency);
  if (outcome.ok) return exchange.reply(outcome.result, header, asked);
  return exchange.recover?.(outcome, header) ?? faultOfFailure(outcome, answer.servedBy);
}

/** Beside a result's data and names: header, stat, tags and lengths. */
const resultBytes = 256;

/** What a result takes in a message, rounded up. */
export function sizeOf(result: Result): number {
  switch (result.kind) {
    case "data":
      return resultBytes + 3 * result.path.length + result.data.length;
    case "children":
      return result.children.reduce(
        (sum, { name, data }) => sum + childBytes + 3 * name.length + (data?.length ?? 0),
        resultBytes + 3 * result.path.length,
      );
    case "acl":
      return result.acl.reduce((sum, { id }) => sum + 64 + 3 * id.length, resultBytes + 3 * result.path.length);
    case "txn":
      return result.results.reduce((sum, each) => sum + sizeOf(each), resultBytes);
    case "node":
    case "stat":
      return resultBytes + 3 * result.path.length;
    default:
      return resultBytes;
  }
}

/** No reply is over 3 MiB; a txn that reads 3 MiB and writes beside it may be a little above, and below what clients take. */
const mostBytes = 4_000_000;

/** What becomes of a reply that no client would take. `wrote`: it cannot be said that nothing was done. */
export function tooLargeReply(bytes: number, wrote: boolean): GrpcFault {
  const size = `the reply would have ${bytes} bytes, which is too much for a message`;
  if (!wrote) return new GrpcFault("tooLarge", `${size}; read less`);
  return new GrpcFault("connectionLoss", `${size}; it was done: read what it wrote`);
}

export function isTooLarge(bytes: Buffer, wrote: boolean): boolean {
  return bytes.length > (wrote ? mostBytes : limits.answerBytes);
}
