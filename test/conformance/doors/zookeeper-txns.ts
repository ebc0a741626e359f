/** Txns as multi, or as multiRead where they only read. */
import type { WireClient } from "../../zookeeper/wire-client.ts";
import type { WireMultiOperation, WireMultiResult } from "../../zookeeper/wire-records.ts";
import { type Answer, type Asked, bytesOf, type Check, type Part, shown, type TxnStep } from "./door.ts";
import { badOf, createOf, good, NotAskable, send, statOf, versionOf } from "./zookeeper-values.ts";

type Txn = Extract<Asked, { readonly op: "txn" }>;

export async function askTxn(client: WireClient, asked: Txn): Promise<Answer> {
  const { check = [], then = [], terms } = asked;
  const { consistency } = terms;
  if (asked.else !== undefined) throw new NotAskable("a multi has no other branch");
  const reads = then.length > 0 && check.length === 0 && then.every(({ op }) => op === "get" || op === "children");
  if (consistency !== undefined) throw new NotAskable("a multi has no consistency");
  if (reads) await send(client, { op: "sync", path: "/" });
  const operations = [...check.map(checkOf), ...then.map(reads ? readOf : writeOf)];
  const { zxid, result } = await send(client, { op: reads ? "multiRead" : "multi", operations });
  const failed = result.results.findIndex((each) => each.op === "error" && each.code !== 0);
  const failure = result.results[failed];
  if (failure?.op === "error") {
    const path = [...check, ...then][failed]?.path;
    const inCheck = failed < check.length;
    const place = inCheck
      ? ({ in: "check", index: failed } as const)
      : { in: "then" as const, index: failed - check.length };
    return badOf(failure.code, reads ? "multiRead" : "multi", path, place);
  }
  const results = result.results.slice(check.length).map((each, i) => partOf(each, then[i]?.path ?? ""));
  return { ...good(zxid), ...(reads ? { consistency: "linearizable" } : {}), branch: "then", results };
}

function checkOf({ path, exists, version, mzxid, czxid, ownerSelf }: Check): WireMultiOperation {
  if (mzxid ?? czxid ?? ownerSelf) throw new NotAskable("no condition but one version");
  if (exists === false) throw new NotAskable("no check is of what is not there");
  if (exists === undefined && version === undefined) throw new NotAskable("a check has a version");
  return { op: "check", path, version: version ?? -1 };
}

function readOf(step: TxnStep): WireMultiOperation {
  if (step.op === "get") return { op: "getData", path: step.path, watch: false };
  if (step.op !== "children") throw new Error(`${step.op} is no read`);
  if (step.limit ?? step.withData) throw new NotAskable("children are told by their names alone");
  return { op: "getChildren", path: step.path, watch: false };
}

function writeOf(step: TxnStep): WireMultiOperation {
  const { path } = step;
  switch (step.op) {
    case "create":
      if (step.parents) throw new NotAskable("a multi makes no parents");
      return createOf(step);
    case "set":
      return { op: "setData", path, data: bytesOf(step.data), version: versionOf(step.condition) };
    case "delete":
      if (step.recursive) throw new NotAskable("a multi deletes single znodes");
      return { op: "delete", path, version: versionOf(step.condition) };
    case "check":
      return checkOf(step);
    default:
      throw new NotAskable(`a multi that writes has no ${step.op}`);
  }
}

function partOf(result: WireMultiResult, path: string): Part {
  switch (result.op) {
    case "create":
      return { path: result.path };
    case "create2":
      return { path: result.path, stat: statOf(result.stat) };
    case "setData":
      return { path, stat: statOf(result.stat) };
    case "delete":
      return { path, deleted: 1 };
    case "getData":
      return { path, stat: statOf(result.stat), data: shown(result.data ?? Buffer.alloc(0)) };
    case "getChildren":
      return { path, children: result.children.map((name) => ({ name })) };
    default:
      return { path };
  }
}
