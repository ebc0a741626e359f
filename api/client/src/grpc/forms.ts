/** Each call as its message, and each reply as its value: for unary calls and for a session's stream alike. */
import type { PublicMethods, v1 } from "@quorate/proto";
import { type Answers, type Asks, isRead, type Kind } from "../ask.ts";
import { bytesOf } from "../calls.ts";
import { defined } from "../defined.ts";
import type { Check, TxnOperation, TxnResult, Written } from "../quorate.ts";
import { lockForms } from "./lock-forms.ts";
import {
  type Asking,
  aclIn,
  aclOf,
  bytesIn,
  childOf,
  conditionOf,
  durationOf,
  millisIn,
  noBytes,
  readOptions,
  shapeOf,
  statOf,
  writeOptions,
  zxidOf,
  zxidText,
} from "./values.ts";

export type Methods = PublicMethods["Coordination"] & PublicMethods["Locks"] & PublicMethods["Elections"];

interface MethodOf {
  get: "Get";
  exists: "Exists";
  children: "ListChildren";
  getAcl: "GetAcl";
  sync: "Sync";
  put: "Put";
  create: "Create";
  delete: "Delete";
  setAcl: "SetAcl";
  txn: "Txn";
  createSession: "CreateSession";
  renewSession: "RenewSession";
  closeSession: "CloseSession";
  acquire: "Acquire";
  campaign: "Campaign";
  release: "Release";
  resign: "Resign";
  proclaim: "Proclaim";
  lock: "GetLock";
  leader: "GetLeader";
}

export interface Form<K extends Kind> {
  readonly method: MethodOf[K];
  request(ask: Asks[K], asking: Asking): Methods[MethodOf[K]][0];
  answer(reply: Methods[MethodOf[K]][1], ask: Asks[K]): Answers[K];
}

export const forms: { readonly [K in Kind]: Form<K> } = {
  ...lockForms,
  get: {
    method: "Get",
    request: ({ path }, asking) => ({ path, options: readOptions(asking) }),
    answer: ({ header, data, stat }, { path }) => {
      return { path, data: bytesIn(data), stat: statOf(stat), zxid: zxidText(header?.zxid) };
    },
  },
  exists: {
    method: "Exists",
    request: ({ path }, asking) => ({ path, options: readOptions(asking) }),
    answer: ({ exists, stat }) => (exists === true ? statOf(stat) : undefined),
  },
  children: {
    method: "ListChildren",
    request: ({ path, limit, data, page }, asking) => {
      return { path, pageSize: limit, withData: data, pageToken: page, options: readOptions(asking) };
    },
    answer: ({ namesZxid, children = [], nextPageToken }) => {
      return defined({ zxid: zxidText(namesZxid), children: children.map(childOf), next: nextPageToken || undefined });
    },
  },
  getAcl: {
    method: "GetAcl",
    request: ({ path }, asking) => ({ path, options: readOptions(asking) }),
    answer: ({ acl, stat }) => ({ acl: aclIn(acl), version: stat?.aversion ?? 0 }),
  },
  sync: { method: "Sync", request: () => ({}), answer: ({ header }) => zxidText(header?.zxid) },
  put: {
    method: "Put",
    request: ({ path, data, parents, exists, mzxid, ...shape }, asking) => {
      const condition = conditionOf(defined({ exists, mzxid }));
      return { path, data, parents, condition, shape: shapeOf(shape), options: writeOptions(asking) };
    },
    answer: (reply) => written(reply, reply.created === true),
  },
  create: {
    method: "Create",
    request: ({ path, data, parents, sequential, ...shape }, asking) => {
      return { path, data, parents, sequential, shape: shapeOf(shape), options: writeOptions(asking) };
    },
    answer: (reply) => written(reply, true),
  },
  delete: {
    method: "Delete",
    request: ({ path, recursive, mzxid }, asking) => {
      const condition = conditionOf(defined({ mzxid }));
      return { path, recursive, condition, options: writeOptions(asking) };
    },
    answer: ({ header, deleted = 0 }) => ({ deleted, zxid: zxidText(header?.zxid) }),
  },
  setAcl: {
    method: "SetAcl",
    request: ({ path, acl, version }, asking) => {
      return { path, acl: aclOf(acl), aversion: version, options: writeOptions(asking) };
    },
    answer: (reply) => written(reply, false),
  },
  txn: {
    method: "Txn",
    request: (ask, asking) => ({
      checks: ask.check?.map(checkOf),
      then: ask.then?.map(operationOf),
      otherwise: ask.else && { operations: ask.else.map(operationOf) },
      ...(isRead("txn", ask) ? { readOptions: readOptions(asking) } : { options: writeOptions(asking) }),
    }),
    answer: ({ header, branch, results = [] }, ask) => {
      const taken = branch === "BRANCH_OTHERWISE" ? "else" : "then";
      const paths = (ask[taken] ?? []).map(({ path }) => path);
      return {
        branch: taken,
        results: results.map((each, i) => resultOf(each, paths[i] ?? "")),
        zxid: zxidText(header?.zxid),
      };
    },
  },
  createSession: {
    method: "CreateSession",
    request: ({ timeoutMillis, name }) => {
      return { timeout: timeoutMillis === undefined ? undefined : durationOf(timeoutMillis), name };
    },
    answer: ({ sessionId, secret = "", timeout = {} }) => {
      return { id: zxidText(sessionId), secret, timeoutMillis: millisIn(timeout) };
    },
  },
  renewSession: {
    method: "RenewSession",
    request: ({ id }) => ({ sessionId: zxidOf(id, "id") }),
    answer: () => undefined,
  },
  closeSession: {
    method: "CloseSession",
    request: ({ id }) => ({ sessionId: zxidOf(id, "id") }),
    answer: () => undefined,
  },
};

interface NodeReply {
  readonly header?: v1.Header | undefined;
  readonly path?: string | undefined;
  readonly stat?: v1.Stat | undefined;
}

function written({ header, path = "", stat }: NodeReply, created: boolean): Written {
  return { path, created, stat: statOf(stat), zxid: zxidText(header?.zxid) };
}

function checkOf({ path, exists, version, mzxid, czxid, owner }: Check): v1.Check {
  return {
    path,
    exists,
    version,
    mzxid: mzxid === undefined ? undefined : zxidOf(mzxid, "mzxid"),
    czxid: czxid === undefined ? undefined : zxidOf(czxid, "czxid"),
    ownerSelf: owner === undefined ? undefined : true,
  };
}

function operationOf(operation: TxnOperation): v1.TxnOperation {
  switch (operation.op) {
    case "create": {
      const { path, data, parents, sequential, ...shape } = operation;
      return { create: { path, data: bytesOf(data ?? noBytes), parents, sequential, shape: shapeOf(shape) } };
    }
    case "put": {
      const { path, data, parents, ...rest } = operation;
      const condition = conditionOf(rest);
      return { put: { path, data: bytesOf(data ?? noBytes), parents, condition, shape: shapeOf(rest) } };
    }
    case "set":
      return {
        set: { path: operation.path, data: bytesOf(operation.data ?? noBytes), condition: conditionOf(operation) },
      };
    case "delete": {
      const { path, recursive } = operation;
      return { delete: { path, recursive, condition: conditionOf(operation) } };
    }
    case "setAcl":
      return { setAcl: { path: operation.path, acl: aclOf(operation.acl), aversion: operation.version } };
    case "check":
      return { check: checkOf(operation) };
    case "get":
      return { get: { path: operation.path } };
    case "exists":
      return { exists: { path: operation.path } };
    case "children":
      return { listChildren: { path: operation.path, pageSize: operation.limit } };
  }
}

function resultOf(result: v1.TxnResult, asked: string): TxnResult {
  const { create, put, set, delete: gone, setAcl, check, get, exists, listChildren } = result;
  if (gone) return { path: gone.path ?? "", deleted: gone.deleted ?? 0 };
  if (check) return { path: check.path ?? "", checked: true };
  if (get) return { path: get.path ?? "", data: bytesIn(get.data), stat: statOf(get.stat) };
  if (listChildren)
    return { path: asked, stat: statOf(listChildren.stat), children: (listChildren.children ?? []).map(childOf) };
  const node = create ?? put ?? set ?? setAcl ?? exists;
  const created = create ? true : put ? put.created === true : set ? false : undefined;
  return defined({ path: node?.path ?? "", created, stat: statOf(node?.stat) });
}
