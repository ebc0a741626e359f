/**
 * Everything in which Quorate means to differ from a real ZooKeeper, on its port, with the reason: the one table. What random play
 * meets names its row here, what can be shown by a few requests is shown (`differences.test.ts`), and docs/zookeeper.md has it all.
 */
import type { Entry } from "./back-to-back/side.ts";
import type { WireMultiResult, WireRequest } from "./wire-records.ts";

export interface MeantDifference {
  readonly what: string;
  readonly zookeeper: string;
  readonly quorate: string;
  readonly reason: string;
  /** Whether the difference between two entries of a client's streams, the real server's first, is this one. */
  readonly covers?: (a: Entry, b: Entry) => boolean;
}

const config = "/zookeeper/config";

export const meantDifferences: readonly MeantDifference[] = [
  {
    what: "Who comes back with watches",
    zookeeper:
      "is told what the Stats of the present show; a creation and deletion between, and all that persistent and recursive watches missed, is lost without a sign; the events bear zxid -1",
    quorate:
      "is told what happened, in order and with its zxids, as far as the replica's memory of changes reaches; else as ZooKeeper does it",
    reason: "lost events are the most frequent complaint about watches",
  },
  {
    what: "`/zookeeper/config`",
    zookeeper:
      "empty on a lone server; on an ensemble the servers with their ports for peers, with the time of its start in the Stat",
    quorate:
      "the replicas with their addresses as lines `server.N=…`, version 0; the Stat is that of a znode that nobody has written",
    reason: "the configuration is read from the ensemble, not stored in the tree",
    covers: (a, b) => isOf(a, config) && isOf(b, config),
  },
  {
    what: "A `create` with several faults, one of them a path that no znode can have",
    zookeeper: "a parent that is missing, rights that are missing and a bad list of rights are named before the path",
    quorate: "the path is named first",
    reason: "a path is judged where the bytes come in; whatever is named, nothing is done",
    covers: (a, b) => hasFailed(a) && hasFailed(b) && createsNonsense(a),
  },
];

/** The row that covers it. */
export function meantBy(a: Entry, b: Entry): MeantDifference | undefined {
  return meantDifferences.find((each) => each.covers?.(a, b) === true);
}

/** A successful read of the path, by itself or among others. */
function isOf(entry: Entry, path: string): boolean {
  if (entry.kind !== "reply" || entry.reply.error !== 0) return false;
  const { request } = entry;
  const paths = request.op === "multiRead" ? request.operations.map(pathOf) : [pathOf(request)];
  return paths.includes(path);
}

function hasFailed(entry: Entry): boolean {
  if (entry.kind !== "reply") return false;
  const { error, result } = entry.reply;
  if (error !== 0) return true;
  // The results of a multi, if it is one.
  const { results } = (result ?? {}) as { readonly results?: readonly WireMultiResult[] };
  return results?.some(({ op }) => op === "error") === true;
}

function createsNonsense(entry: Entry): boolean {
  if (entry.kind !== "reply") return false;
  const { request } = entry;
  const all = request.op === "multi" ? request.operations : [request];
  return all.some((each) => "flags" in each && !isPath(each.path, /^[236]$/.test(String(each.flags))));
}

/** PathUtils.validatePath, of what the suffix of a sequential znode makes of it. */
function isPath(path: string | null, isSequential: boolean): boolean {
  const whole = isSequential ? `${path}0000000000` : path;
  if (whole === "/") return true;
  if (whole === null || !whole.startsWith("/")) return false;
  const isName = (name: string): boolean => name !== "" && name !== "." && name !== ".." && !unfit.test(name);
  return whole.slice(1).split("/").every(isName);
}
const unfit = /[\u0000-\u001f\u007f-\u009f\ud800-\uf8ff\ufff0-\uffff]/;

function pathOf(request: WireRequest): string | null {
  return "path" in request && typeof request.path === "string" ? request.path : null;
}
