/** `/v1/znodes/{path}`: the bytes of a znode, made, read, replaced and deleted. */
import {
  type Condition,
  formatZxid,
  isBadPath,
  limits,
  type NodeResult,
  parseSequentialPrefix,
  persistentShape,
  type Result,
  type Stat,
} from "@quorate/api";
import { show } from "../show.ts";
import { requireType } from "./accept.ts";
import { startBlockingRead } from "./blocking-read.ts";
import { readBytes, refuseBody } from "./body.ts";
import { type Call, keyOf, pathOf, readRequest, timeoutOf, writeRequest } from "./call.ts";
import { bad, RequestFault } from "./fault.ts";
import { performWrite } from "./fences.ts";
import { type Served, type Settled, send, sendJson, settle } from "./reply.ts";
import { shapeOfQuery } from "./shape.ts";
import { dataJson, type Encoding, statJson, urlOf } from "./stat-json.ts";
import { readDataTags, readTags } from "./values.ts";

/** The result, which the operation's kind determines. */
export function expectResult<Kind extends Result["kind"]>(result: Result, kind: Kind): Extract<Result, { kind: Kind }> {
  if (result.kind === kind) return result as Extract<Result, { kind: Kind }>;
  throw new Error(`the backend answered ${result.kind} where ${kind} was asked for`);
}

export function etagOf(stat: Stat): string {
  return `"${formatZxid(stat.mzxid)}"`;
}

/** Whether the client has what `tag` (without quotes) names. */
export function clientHas(ifNoneMatch: string | undefined, tag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  const tags = readTags(ifNoneMatch, "If-None-Match");
  return tags === "*" || tags.includes(tag);
}

function wantsJson(call: Call): boolean {
  const format = call.query.text("format");
  if (format === "json") return true;
  if (format === "raw") return false;
  if (format !== undefined) throw bad(`format: ${show(format)} is neither json nor raw`);
  const chosen = requireType(call.head.accept, ["application/octet-stream", "application/json"]);
  return chosen === "application/json";
}

export function forcedEncoding(call: Call): Encoding | undefined {
  const encoding = call.query.text("encoding");
  if (encoding === undefined || encoding === "base64") return encoding;
  throw bad(`encoding: ${show(encoding)} is not base64, the only one that can be forced`);
}

export async function getZnode(call: Call): Promise<void> {
  refuseBody(call);
  const path = pathOf(call);
  const json = wantsJson(call);
  const forced = forcedEncoding(call);
  if (forced !== undefined && !json) throw bad("encoding: it goes with the JSON form; add format=json");
  if (call.head.ifNoneMatch !== undefined) readTags(call.head.ifNoneMatch, "If-None-Match");
  const request = readRequest(call, { kind: "get", path });
  const has = (stat: Stat): boolean => clientHas(call.head.ifNoneMatch, formatZxid(stat.mzxid));
  const found = (settled: Settled): void => sendData(call, settled, json, forced);
  const unchanged = (served: Served, stat: Stat): void => {
    send(call, 304, served, "", ["ETag", etagOf(stat), "Vary", "Accept"], true);
  };
  const wait = call.query.text("wait");
  if (wait !== undefined) {
    startBlockingRead(call, path, request, wait, { has, found, unchanged });
    return;
  }
  const settled = settle(call, await call.door.options.backend.read(request, timeoutOf(call)), true);
  if (settled === undefined) return;
  const { stat } = expectResult(settled.outcome.result, "data");
  if (has(stat)) unchanged(settled, stat);
  else found(settled);
}

function sendData(call: Call, settled: Settled, json: boolean, forced: Encoding | undefined): void {
  const { data, stat, path } = expectResult(settled.outcome.result, "data");
  const tag = formatZxid(stat.mzxid);
  const text = statJson(stat);
  if (json) {
    const body = `{"path":${JSON.stringify(path)},${dataJson(data, forced)},"stat":${text}}`;
    sendJson(call, 200, settled, body, ["ETag", `"${tag}"`, "Vary", "Accept"], true);
    return;
  }
  const bytes = data as Uint8Array;
  send(call, 200, settled, bytes, ["Content-Type", "application/octet-stream", ...rawHeaders(tag, text)], true);
}

function rawHeaders(tag: string, stat: string): string[] {
  return ["ETag", `"${tag}"`, "Quorate-Stat", stat, "Vary", "Accept", "X-Content-Type-Options", "nosniff"];
}

/** As GET would answer, without reading the data. */
export async function headZnode(call: Call): Promise<void> {
  refuseBody(call);
  const path = pathOf(call);
  if (call.head.ifNoneMatch !== undefined) readTags(call.head.ifNoneMatch, "If-None-Match");
  const request = readRequest(call, { kind: "exists", path });
  const settled = settle(call, await call.door.options.backend.read(request, timeoutOf(call)), true);
  if (settled === undefined) return;
  const { stat } = expectResult(settled.outcome.result, "stat");
  const tag = formatZxid(stat.mzxid);
  const status = clientHas(call.head.ifNoneMatch, tag) ? 304 : 200;
  send(
    call,
    status,
    settled,
    "",
    ["Content-Type", "application/octet-stream", ...rawHeaders(tag, statJson(stat))],
    true,
  );
}

/** `If-None-Match: *`, `If-Match: *` and `If-Match: "<etag>"`; together they contradict each other. */
function conditionOf(call: Call): Condition {
  const { ifMatch, ifNoneMatch } = call.head;
  if (ifNoneMatch !== undefined) {
    if (ifMatch !== undefined) throw bad("If-Match and If-None-Match exclude each other; send one");
    if (readTags(ifNoneMatch, "If-None-Match") !== "*") {
      throw bad("If-None-Match: on a write it can only be *, which creates only; to compare and set send If-Match");
    }
    return { exists: false };
  }
  if (ifMatch === undefined) return {};
  const tags = readDataTags(ifMatch, "If-Match");
  return tags === "*" ? { exists: true } : { mzxids: tags };
}

export async function putZnode(call: Call): Promise<void> {
  const path = pathOf(call);
  const condition = conditionOf(call);
  const shape = shapeOfQuery(call.query, call.head.session !== undefined);
  const parents = call.query.flag("parents");
  const timeout = timeoutOf(call);
  const data = await readBytes(call, limits.dataBytes);
  const key = keyOf(call, path, data);
  const request = writeRequest(
    call,
    { kind: "put", path, data, parents, condition, ...(shape === undefined ? undefined : { shape }) },
    key,
  );
  const settled = settle(call, await performWrite(call, request, timeout));
  if (settled !== undefined) sendNode(call, settled, expectResult(settled.outcome.result, "node"));
}

/** 201 with its place for one that was made, 200 for one that was there. */
function sendNode(call: Call, served: Served, { path, created, stat }: NodeResult): void {
  const body = `{"path":${JSON.stringify(path)},"zxid":"${formatZxid(served.zxid)}","stat":${statJson(stat)}}`;
  const headers = ["ETag", etagOf(stat)];
  if (created) headers.push("Location", urlOf(path));
  sendJson(call, created ? 201 : 200, served, body, headers);
}

/** A child with the next sequence number. */
export async function postZnode(call: Call): Promise<void> {
  const parent = pathOf(call);
  const prefix = call.query.text("prefix") ?? "";
  if (prefix.includes("/")) throw bad(`prefix: ${show(prefix)} has a slash; it is the beginning of one name`);
  const path = parseSequentialPrefix(parent.length === 1 ? `/${prefix}` : `${parent}/${prefix}`);
  if (isBadPath(path)) throw bad(`prefix: ${path.bad}`);
  const shape = shapeOfQuery(call.query, call.head.session !== undefined) ?? persistentShape;
  const parents = call.query.flag("parents");
  const timeout = timeoutOf(call);
  const data = await readBytes(call, limits.dataBytes);
  const key = keyOf(call, parent, data);
  const request = writeRequest(call, { kind: "create", path, data, shape, sequential: true, parents }, key);
  const settled = settle(call, await performWrite(call, request, timeout));
  if (settled !== undefined) sendNode(call, settled, expectResult(settled.outcome.result, "node"));
}

export async function deleteZnode(call: Call): Promise<void> {
  refuseBody(call);
  const path = pathOf(call);
  if (path.length === 1) throw new RequestFault("badArguments", "path: the root cannot be deleted");
  const condition = conditionOf(call);
  const recursive = call.query.flag("recursive");
  const key = keyOf(call, path, new Uint8Array(0));
  const request = writeRequest(call, { kind: "delete", path, condition, recursive }, key);
  const settled = settle(call, await performWrite(call, request, timeoutOf(call)));
  if (settled === undefined) return;
  const { count } = expectResult(settled.outcome.result, "deleted");
  sendJson(call, 200, settled, `{"deleted":${count},"zxid":"${formatZxid(settled.zxid)}"}`);
}
