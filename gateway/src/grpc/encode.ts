/** Results as messages. Those in a txn have no header. */
import {
  type Acl,
  type ChildrenResult,
  formatPerms,
  limits,
  type NodeKind,
  type Result,
  type SessionInfo,
  type Stat,
  type TxnOperation,
  type TxnOperationSet,
} from "@quorate/api";
import type { v1 } from "@quorate/proto";
import { writePageToken } from "../page-token.ts";

/** The result, which the operation's kind determines. */
export function expectResult<Kind extends Result["kind"]>(result: Result, kind: Kind): Extract<Result, { kind: Kind }> {
  if (result.kind === kind) return result as Extract<Result, { kind: Kind }>;
  throw new Error(`the backend answered ${result.kind} where ${kind} was asked for`);
}

export function durationOf(millis: number): v1.Duration {
  const whole = Math.round(millis);
  const seconds = Math.floor(whole / 1000);
  return { seconds, nanos: (whole - seconds * 1000) * 1e6 || undefined };
}

export function timestampOf(millis: number): v1.Timestamp {
  return durationOf(millis);
}

const kindNames: { readonly [kind in NodeKind]: v1.NodeKind } = {
  persistent: "NODE_KIND_PERSISTENT",
  ephemeral: "NODE_KIND_EPHEMERAL",
  container: "NODE_KIND_CONTAINER",
  ttl: "NODE_KIND_TTL",
};

/** Zeros are not sent: proto3 reads what is absent as zero. */
export function statOf(stat: Stat): v1.Stat {
  return {
    czxid: stat.czxid,
    mzxid: stat.mzxid,
    pzxid: stat.pzxid,
    ctime: timestampOf(stat.ctime),
    mtime: timestampOf(stat.mtime),
    version: stat.version || undefined,
    cversion: stat.cversion || undefined,
    aversion: stat.aversion || undefined,
    ephemeralOwner: stat.ephemeralOwner || undefined,
    dataLength: stat.dataLength || undefined,
    numChildren: stat.numChildren || undefined,
    kind: kindNames[stat.kind],
    ttl: stat.kind === "ttl" ? durationOf(stat.ttlMillis) : undefined,
  };
}

function aclOf(acl: Acl): v1.Acl {
  return { entries: acl.map(({ scheme, id, perms }) => ({ scheme, id, perms: formatPerms(perms) })) };
}

export function createResponse(result: Result, header?: v1.Header): v1.CreateResponse {
  const { path, stat } = expectResult(result, "node");
  return { header, path, stat: statOf(stat) };
}

export function putResponse(result: Result, header?: v1.Header): v1.PutResponse {
  const { path, stat, created } = expectResult(result, "node");
  return { header, path, stat: statOf(stat), created };
}

export function setResponse(result: Result, header?: v1.Header): v1.SetResponse {
  const { path, stat } = expectResult(result, "node");
  return { header, path, stat: statOf(stat) };
}

export function deleteResponse(result: Result, header?: v1.Header): v1.DeleteResponse {
  const { path, count } = expectResult(result, "deleted");
  return { header, path, deleted: count };
}

export function getResponse(result: Result, header?: v1.Header): v1.GetResponse {
  const { path, data, stat } = expectResult(result, "data");
  return { header, path, data, stat: statOf(stat) };
}

export function existsResponse(result: Result, header?: v1.Header): v1.ExistsResponse {
  const { path, stat } = expectResult(result, "stat");
  return { header, path, exists: true, stat: statOf(stat) };
}

export function getAclResponse(result: Result, header?: v1.Header): v1.GetAclResponse {
  const { path, acl, stat } = expectResult(result, "acl");
  return { header, path, acl: aclOf(acl), stat: statOf(stat) };
}

export function setAclResponse(result: Result, header?: v1.Header): v1.SetAclResponse {
  const { path, stat } = expectResult(result, "acl");
  return { header, path, stat: statOf(stat) };
}

/** Beside name and data: a stat, tags and lengths. */
export const childBytes = 192;

/** As many children as a reply may have bytes, at least one. */
export function listChildrenResponse(result: Result, header?: v1.Header): v1.ListChildrenResponse {
  const page = expectResult(result, "children");
  const children: v1.Child[] = [];
  let size = 0;
  for (const { name, stat, data } of page.children) {
    size += childBytes + 3 * name.length + (data?.length ?? 0);
    if (size > limits.answerBytes - 65_536 && children.length > 0) break;
    children.push({ name, stat: stat === undefined ? undefined : statOf(stat), data });
  }
  return { header, namesZxid: page.at, stat: statOf(page.stat), children, nextPageToken: nextToken(page, children) };
}

function nextToken(page: ChildrenResult, sent: readonly v1.Child[]): string | undefined {
  const last = sent.at(-1)?.name;
  if (last === undefined || (sent.length === page.children.length && !page.more)) return undefined;
  return writePageToken(page.path, { at: page.at, after: last });
}

export function txnResponse(result: Result, txn: TxnOperationSet, header?: v1.Header): v1.TxnResponse {
  const { branch, results } = expectResult(result, "txn");
  const operations = branch === "then" ? txn.then : (txn.else ?? []);
  return {
    header,
    branch: branch === "then" ? "BRANCH_THEN" : "BRANCH_OTHERWISE",
    results: results.map((each, index) => txnResult(each, operations[index])),
  };
}

function txnResult(result: Result, operation: TxnOperation | undefined): v1.TxnResult {
  switch (operation?.kind) {
    case "create":
      return { create: createResponse(result) };
    case "put":
      return { put: putResponse(result) };
    case "set":
      return { set: setResponse(result) };
    case "delete":
      return { delete: deleteResponse(result) };
    case "setAcl":
      return { setAcl: setAclResponse(result) };
    case "check":
      return { check: { path: expectResult(result, "checked").path } };
    case "get":
      return { get: getResponse(result) };
    case "exists":
      return { exists: existsResponse(result) };
    case "children":
      return { listChildren: listChildrenResponse(result) };
    case undefined:
      throw new Error("the backend answered a txn with more results than it has operations");
  }
}

export function sessionInfoOf(info: SessionInfo): v1.SessionInfo {
  return {
    sessionId: info.session,
    name: info.name,
    address: info.address,
    timeout: durationOf(info.timeoutMillis),
    identity: info.identity,
    createdAt: timestampOf(info.createdAt),
    ephemeralCount: info.ephemeralCount,
    idle: info.idleMillis === undefined ? undefined : durationOf(info.idleMillis),
  };
}
