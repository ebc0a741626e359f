/** The call of a txn and its answer: `{branch, zxid, results}`, one result for each operation of the branch taken. */
import { formatZxid, limits, type Result } from "@quorate/api";
import { isReadOnly } from "../recipes/fence-wrap.ts";
import { readJsonBody } from "./body.ts";
import { type Call, keyOf, readRequest, timeoutOf, writeRequest } from "./call.ts";
import { pageJson } from "./children.ts";
import { bad } from "./fault.ts";
import { performWrite } from "./fences.ts";
import { sendJson, settle } from "./reply.ts";
import { dataJson, statJson } from "./stat-json.ts";
import { readTxn } from "./txn.ts";
import { expectResult } from "./znodes.ts";

export async function postTxn(call: Call): Promise<void> {
  const timeout = timeoutOf(call);
  const { bytes, json } = await readJsonBody(call, limits.requestBytes);
  const txn = readTxn(json, call.head.session !== undefined);
  const { backend } = call.door.options;
  const reading = isReadOnly(txn);
  const fenced = call.head.fenced !== undefined;
  if (!reading || fenced) refuseFreshness(call, fenced ? "that is fenced" : "that writes");
  // A key on reads alone keeps nothing: they may be repeated as they are.
  const key = keyOf(call, "/v1/txn", bytes);
  const answer =
    reading && !fenced
      ? await backend.read(readRequest(call, txn), timeout)
      : await performWrite(call, writeRequest(call, txn, key), timeout);
  const settled = settle(call, answer, reading);
  if (settled === undefined) return;
  const { branch, results } = expectResult(settled.outcome.result, "txn");
  const body = `{"branch":"${branch}","zxid":"${formatZxid(settled.zxid)}","results":[${results.map(resultJson).join(",")}]}`;
  sendJson(call, 200, settled, body, [], reading);
}

function refuseFreshness(call: Call, what: string): void {
  if (call.head.consistency !== undefined || call.head.minZxid !== undefined || call.head.maxStale !== undefined) {
    throw bad(
      `Quorate-Consistency, Quorate-Min-Zxid and Quorate-Max-Stale mean nothing on a txn ${what}; leave them out`,
    );
  }
}

function resultJson(result: Result): string {
  switch (result.kind) {
    case "node":
      return `{"path":${JSON.stringify(result.path)},"created":${result.created},"stat":${statJson(result.stat)}}`;
    case "deleted":
      return `{"path":${JSON.stringify(result.path)},"deleted":${result.count}}`;
    case "data":
      return `{"path":${JSON.stringify(result.path)},${dataJson(result.data, undefined)},"stat":${statJson(result.stat)}}`;
    case "stat":
    case "acl":
      return `{"path":${JSON.stringify(result.path)},"stat":${statJson(result.stat)}}`;
    case "checked":
      return `{"path":${JSON.stringify(result.path)},"checked":true}`;
    case "children":
      return `{"path":${JSON.stringify(result.path)},"stat":${statJson(result.stat)},${pageJson(result.path, result, undefined)}}`;
    default:
      throw new Error(`the backend answered ${result.kind} in a txn`);
  }
}
