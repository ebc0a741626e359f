/**
 * `/zookeeper/config`, whose data is not replicated: in ZooKeeper it is each server's configuration, here what the gateway knows of
 * the ensemble. Everything else about the znode, its Stat and rights among it, is the tree's; the length of data that
 * every Stat of it bears is that of what is shown.
 */
import type { Path, Result, Stat } from "@quorate/api";
import type { Answer, ClusterView } from "../backend.ts";
import { configurationOf } from "./cluster-config.ts";

const configurationPath = "/zookeeper/config" as Path;

/** What a read was answered, as it is shown: the very same, unless it is of this znode. */
export function configured(answer: Answer, cluster: () => ClusterView): Answer {
  if (answer.kind !== "outcome" || !answer.outcome.ok) return answer;
  const { outcome } = answer;
  const result = resultOf(outcome.result, cluster);
  return result === outcome.result ? answer : { ...answer, outcome: { ...outcome, result } };
}

function resultOf(result: Result, cluster: () => ClusterView): Result {
  switch (result.kind) {
    case "data":
    case "stat":
    case "acl":
    case "children":
      return result.path === configurationPath ? overlaid(result, configurationOf(cluster())) : result;
    case "txn":
      if (!result.results.some((each) => "path" in each && each.path === configurationPath)) return result;
      return { ...result, results: result.results.map((each) => resultOf(each, cluster)) };
    default:
      return result;
  }
}

function overlaid(result: Extract<Result, { kind: "data" | "stat" | "acl" | "children" }>, text: string): Result {
  const data = new TextEncoder().encode(text);
  const stat: Stat = { ...result.stat, dataLength: data.length };
  return result.kind === "data" ? { kind: "data", path: result.path, data, stat } : { ...result, stat };
}
