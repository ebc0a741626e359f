/**
 * Quotas as ZooKeeper's own tool sets them: the limits and the znode for the count together. Whoever makes only one of them, or
 * writes the count, is treated otherwise by a real server (see the differences), and never plays here.
 */
import type { SeededRandom } from "../../simulation/random.ts";
import { createFlags, openAcl, type WireMultiOperation, type WireRequest } from "../wire-records.ts";
import { quotaText } from "./values.ts";

/** Not one below the other, of which a real server counts each in its own way; and never of the root, which would end it for good. */
const paths = ["/a", "/b"];

/** Soft ones, at any time. */
export function quotaRequest(random: SeededRandom): WireRequest {
  const { folder, limits, stats, both } = namesOf(random.pick(paths));
  const at = random.below(10);
  if (at < 2) return make(folder, Buffer.from("any"));
  const text = quotaText(random, false);
  if (at < 5) return both(text);
  if (at < 6) return { op: "setData", path: limits, data: text, version: -1 };
  if (at < 9) return { op: "getData", path: random.pick([stats, limits]), watch: random.chance(0.3) };
  return { op: "multi", operations: [remove(limits), remove(stats)] };
}

/** Those that refuse, before there is anything that could be beyond them: then a real server refuses what takes less, too. */
export function hardQuotas(random: SeededRandom): WireRequest[] {
  return paths.flatMap((path) => {
    const { folder, both } = namesOf(path);
    return [make(folder, null), both(quotaText(random, true))];
  });
}

function namesOf(path: string) {
  const folder = `/zookeeper/quota${path}`;
  const [limits, stats] = [`${folder}/zookeeper_limits`, `${folder}/zookeeper_stats`];
  const both = (text: Buffer): WireRequest => {
    return { op: "multi", operations: [make(limits, text), make(stats, Buffer.from("count=0,bytes=0"))] };
  };
  return { folder, limits, stats, both };
}

function make(path: string, data: Buffer | null): WireMultiOperation & { readonly op: "create" } {
  return { op: "create", path, data, acl: openAcl, flags: createFlags.persistent };
}

function remove(path: string): WireMultiOperation {
  return { op: "delete", path, version: -1 };
}
