/**
 * Requests as operations. `field` is what comes before a field's name in faults, such as `then[2].set.`; `acting` says
 * whether there is a session.
 */
import {
  type Check,
  limits,
  type ReadOperation,
  type SyncOperation,
  type TxnOperation,
  type TxnOperationSet,
  type WriteOperation,
} from "@quorate/api";
import type { v1 } from "@quorate/proto";
import { type PagePlace, readPageToken } from "../page-token.ts";
import { bad, GrpcFault } from "./faults.ts";
import { aclOf, checkOf, conditionOf, dataOf, pageSizeOf, pathOf, prefixOf, shapeOf, zxidOf } from "./values.ts";

type Write<Kind extends WriteOperation["kind"]> = Extract<WriteOperation, { kind: Kind }>;
type Read<Kind extends ReadOperation["kind"]> = Extract<ReadOperation, { kind: Kind }>;

export function createOf(request: v1.CreateRequest, field: string, acting: boolean): Write<"create"> {
  const { sequential = false, parents = false } = request;
  const path = sequential ? prefixOf(request.path, `${field}path`) : pathOf(request.path, `${field}path`);
  const shape = shapeOf(request.shape, `${field}shape`, acting) ?? { kind: "persistent", ttlMillis: 0 };
  return { kind: "create", path, data: dataOf(request.data, `${field}data`), shape, sequential, parents };
}

export function putOf(request: v1.PutRequest, field: string, acting: boolean): Write<"put"> {
  const path = pathOf(request.path, `${field}path`);
  const shape = shapeOf(request.shape, `${field}shape`, acting);
  const data = dataOf(request.data, `${field}data`);
  const condition = conditionOf(request.condition, `${field}condition`);
  const base = { kind: "put", path, data, parents: request.parents ?? false, condition } as const;
  return shape === undefined ? base : { ...base, shape };
}

export function setOf(request: v1.SetRequest, field: string): Write<"set"> {
  return {
    kind: "set",
    path: pathOf(request.path, `${field}path`),
    data: dataOf(request.data, `${field}data`),
    condition: conditionOf(request.condition, `${field}condition`),
  };
}

export function deleteOf(request: v1.DeleteRequest, field: string): Write<"delete"> {
  const path = pathOf(request.path, `${field}path`);
  if (path.length === 1) throw bad(`${field}path`, "the root cannot be deleted");
  const condition = conditionOf(request.condition, `${field}condition`);
  return { kind: "delete", path, condition, recursive: request.recursive ?? false };
}

export function setAclOf(request: v1.SetAclRequest, field: string): Write<"setAcl"> {
  const { acl, aversion = -1, czxid } = request;
  const path = pathOf(request.path, `${field}path`);
  if (acl === undefined) throw bad(`${field}acl`, "it is missing; give the whole list");
  const base = { kind: "setAcl", path, acl: aclOf(acl, `${field}acl`), aversion } as const;
  return czxid === undefined ? base : { ...base, czxid: zxidOf(czxid, `${field}czxid`) };
}

export function getOf(request: v1.GetRequest, field: string): Read<"get"> {
  return { kind: "get", path: pathOf(request.path, `${field}path`) };
}

export function existsOf(request: v1.ExistsRequest, field: string): Read<"exists"> {
  return { kind: "exists", path: pathOf(request.path, `${field}path`) };
}

export function getAclOf(request: v1.GetAclRequest, field: string): Read<"getAcl"> {
  return { kind: "getAcl", path: pathOf(request.path, `${field}path`) };
}

export function syncOf(): SyncOperation {
  return { kind: "sync" };
}

export function childrenOf(request: v1.ListChildrenRequest, field: string): Read<"children"> {
  const path = pathOf(request.path, `${field}path`);
  const limit = pageSizeOf(request.pageSize, `${field}page_size`);
  const base = { kind: "children", path, limit, withData: request.withData ?? false } as const;
  const { pageToken = "" } = request;
  if (pageToken === "") return base;
  const place: PagePlace | undefined = readPageToken(path, pageToken);
  if (place !== undefined) return { ...base, ...place };
  throw bad(
    `${field}page_token`,
    "this is not the next_page_token of the last page of this listing; send that unchanged, or begin without it",
  );
}

/** A txn without writes is a read. */
export function txnOf(request: v1.TxnRequest, field: string, acting: boolean): TxnOperationSet {
  const { checks = [], then = [], otherwise } = request;
  const others = otherwise?.operations ?? [];
  const count = checks.length + then.length + others.length;
  if (count === 0) {
    throw bad(`${field}then`, "the txn is empty; give operations, and checks where they depend on something");
  }
  if (count > limits.txnOperations) {
    const fault = `${count} checks and operations are more than the ${limits.txnOperations} that a txn may have`;
    throw bad(`${field}then`, fault);
  }
  const check: Check[] = checks.map((each, index) => checkOf(each, `${field}checks[${index}]`, acting));
  const base = {
    kind: "txn",
    check,
    then: then.map((each, index) => operationOf(each, `${field}then[${index}]`, acting)),
  } as const;
  if (otherwise === undefined) return base;
  const at = `${field}otherwise.operations`;
  return { ...base, else: others.map((each, index) => operationOf(each, `${at}[${index}]`, acting)) };
}

export function writesNothing(txn: TxnOperationSet): boolean {
  const reads = ({ kind }: TxnOperation): boolean =>
    kind === "get" || kind === "exists" || kind === "children" || kind === "check";
  return txn.then.every(reads) && (txn.else ?? []).every(reads);
}

function operationOf(each: v1.TxnOperation, field: string, acting: boolean): TxnOperation {
  const { create, put, set, delete: del, setAcl, check, get, exists, listChildren } = each;
  if (create !== undefined) return createOf(alone(create, `${field}.create`), `${field}.create.`, acting);
  if (put !== undefined) return putOf(alone(put, `${field}.put`), `${field}.put.`, acting);
  if (set !== undefined) return setOf(alone(set, `${field}.set`), `${field}.set.`);
  if (del !== undefined) return deleteOf(alone(del, `${field}.delete`), `${field}.delete.`);
  if (setAcl !== undefined) return setAclOf(alone(setAcl, `${field}.set_acl`), `${field}.set_acl.`);
  if (check !== undefined) return { kind: "check", ...checkOf(check, `${field}.check`, acting) };
  if (get !== undefined) return getOf(alone(get, `${field}.get`), `${field}.get.`);
  if (exists !== undefined) return existsOf(alone(exists, `${field}.exists`), `${field}.exists.`);
  if (listChildren !== undefined) {
    const at = `${field}.list_children`;
    const { pageToken = "" } = alone(listChildren, at);
    if (pageToken !== "") throw bad(`${at}.page_token`, "a txn reads first pages alone");
    return childrenOf(listChildren, `${at}.`);
  }
  throw new GrpcFault("badArguments", `${field}: it has no operation; give one of create, put, set, delete, …`, {
    field,
  });
}

/** Within a txn an operation has no options of its own: heeding one in silence would be worse than refusing it. */
function alone<Request extends { readonly options?: object | undefined }>(request: Request, field: string): Request {
  if (request.options === undefined) return request;
  throw bad(`${field}.options`, "options stand at the txn, not at its operations");
}
