/** Reads of queues: what the znode says, who stands there, all of one zxid. */
import {
  type Acting,
  type ChildEntry,
  type ChildrenResult,
  type DataResult,
  type Identity,
  limits,
  type Path,
  type ReadOperation,
  type ReplicaId,
  type Result,
  type SessionInfoResult,
  type Stat,
  type TxnOperation,
  type Zxid,
  zeroZxid,
} from "@quorate/api";
import type { Backend, ReadRequest } from "../backend.ts";
import { type Failed, isFailed, settled } from "./answers.ts";
import { decodeMark, type Mark, type Proclaimed, proclaimedIn } from "./mark.ts";

export type Reader = Pick<Backend, "read">;

/** How a read is made; the default is linearizable. */
export type Terms = Pick<ReadRequest, "consistency" | "minZxid" | "maxStaleMillis">;

export const linearizable: Terms = { consistency: "linearizable", minZxid: zeroZxid, maxStaleMillis: 0 };

/** Not older than something that was seen. */
export function notBefore(minZxid: Zxid): Terms {
  return { consistency: "session", minZxid, maxStaleMillis: 0 };
}

/** A queue's znode with its children's names. */
export interface QueueSight {
  readonly mark: Mark;
  /** Of an election. */
  readonly proclaimed: Proclaimed | undefined;
  readonly stat: Stat;
  readonly children: readonly ChildEntry[];
  /** There are others. */
  readonly more: boolean;
  readonly zxid: Zxid;
  readonly servedBy: ReplicaId;
}

export async function readOne(
  backend: Reader,
  request: { readonly identity: Identity; readonly acting?: Acting | undefined; readonly terms?: Terms },
  operation: ReadOperation,
  deadlineMillis: number,
): Promise<{ readonly result: Result; readonly zxid: Zxid; readonly servedBy: ReplicaId } | Failed> {
  const { identity, acting, terms = linearizable } = request;
  const asked = { ...terms, identity, operation };
  const answer = await backend.read(acting === undefined ? asked : { ...asked, acting }, deadlineMillis);
  const found = settled(answer);
  if (isFailed(found)) return found;
  const { outcome, servedBy } = found;
  return { result: outcome.result, zxid: outcome.zxid, servedBy };
}

export function queueReads(queue: Path, limit: number, withData = false): readonly TxnOperation[] {
  return [
    { kind: "get", path: queue },
    { kind: "children", path: queue, limit, withData },
  ];
}

/** There is no such znode. */
export interface Absence {
  readonly kind: "absent";
  readonly zxid: Zxid;
  readonly servedBy: ReplicaId;
}

export async function readQueue(
  backend: Reader,
  request: { readonly identity: Identity; readonly terms?: Terms; readonly withData?: boolean },
  queue: Path,
  limit: number,
  deadlineMillis: number,
): Promise<QueueSight | Absence | Failed> {
  const then = queueReads(queue, limit, request.withData);
  const found = await readOne(backend, request, { kind: "txn", check: [], then }, deadlineMillis);
  if (isFailed(found)) {
    if (found.kind === "unavailable" || found.failure.code !== "noNode") return found;
    return { kind: "absent", zxid: found.failure.zxid, servedBy: found.servedBy };
  }
  const { result, zxid, servedBy } = found;
  return { ...sightOf(resultsOf(result)), zxid, servedBy };
}

/** All names of one zxid, however many they are. */
export async function readAllNames(
  backend: Reader,
  request: { readonly identity: Identity; readonly terms: Terms },
  path: Path,
  deadlineMillis: number,
): Promise<QueueSight | Absence | Failed> {
  const limit = limits.pageNames;
  const sight = await readQueue(backend, request, path, limit, deadlineMillis);
  if ("kind" in sight) return sight;
  const children = [...sight.children];
  const { identity } = request;
  // Pages of a zxid are those of that zxid wherever they are read.
  const terms = notBefore(sight.zxid);
  for (let { more } = sight; more; ) {
    const after = children.at(-1)?.name ?? "";
    const operation = { kind: "children", path, limit, after, at: sight.zxid, withData: false } as const;
    const found = await readOne(backend, { identity, terms }, operation, deadlineMillis);
    if (isFailed(found)) return found;
    const page = ofKind<ChildrenResult>([found.result], "children");
    for (const each of page.children) children.push(each);
    more = page.more;
  }
  return { ...sight, children, more: false };
}

export function resultsOf(result: Result): readonly Result[] {
  return result.kind === "txn" ? result.results : [];
}

/** Of the answers to `queueReads`. */
export function sightOf(results: readonly Result[]): Omit<QueueSight, "zxid" | "servedBy"> {
  const data = ofKind<DataResult>(results, "data");
  const { children, more } = ofKind<ChildrenResult>(results, "children");
  const mark = decodeMark(data.data);
  const isElection = typeof mark === "object" && mark.recipe === "election";
  return { mark, proclaimed: isElection ? proclaimedIn(data.data) : undefined, stat: data.stat, children, more };
}

export function ofKind<T extends Result>(results: readonly Result[], kind: T["kind"]): T {
  const found = results.find((each) => each.kind === kind);
  if (found === undefined) throw new Error(`the txn answered nothing of kind ${kind}`);
  return found as T;
}

/** `gone`: it is not there. */
export async function readStat(
  backend: Reader,
  request: { readonly identity: Identity; readonly terms?: Terms },
  path: Path,
  deadlineMillis: number,
): Promise<{ readonly stat: Stat | undefined; readonly zxid: Zxid; readonly servedBy: ReplicaId } | Failed> {
  const found = await readOne(backend, request, { kind: "exists", path }, deadlineMillis);
  if (isFailed(found)) {
    if (found.kind === "unavailable" || found.failure.code !== "noNode") return found;
    return { stat: undefined, zxid: found.failure.zxid, servedBy: found.servedBy };
  }
  const { result, zxid, servedBy } = found;
  return { stat: result.kind === "stat" ? result.stat : undefined, zxid, servedBy };
}

/** What a session is and owns. */
export async function readSession(
  backend: Reader,
  request: { readonly identity: Identity; readonly acting: Acting; readonly terms?: Terms },
  deadlineMillis: number,
): Promise<SessionInfoResult | Failed> {
  const { session } = request.acting;
  const found = await readOne(backend, request, { kind: "getSession", session }, deadlineMillis);
  return isFailed(found) ? found : ofKind<SessionInfoResult>([found.result], "sessionInfo");
}

export function namesOf(children: readonly ChildEntry[]): readonly string[] {
  return children.map(({ name }) => name);
}
