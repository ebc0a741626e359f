/**
 * A place in a queue is made: one txn, which holds only if the queue's znode still is what it was taken for; else it answers
 * what that is now, and the next try goes by it. What is known beforehand spares the first look.
 */
import { createHash } from "node:crypto";
import {
  type Acl,
  type Acting,
  type Check,
  type CreateOperation,
  type IdempotencyKey,
  type Identity,
  type Path,
  parentOf,
  type ReplicaId,
  type Result,
  type Stat,
  type TxnOperation,
  type TxnOperationSet,
  type Zxid,
} from "@quorate/api";
import type { Backend } from "../backend.ts";
import type { GatewayWorld } from "../ports.ts";
import { type Failed, isFailed, refuse, settled } from "./answers.ts";
import { contenderCreation, modesOf, prefixOf, type QueueShape } from "./layout.ts";
import { recipeLimits } from "./limits.ts";
import { type Absence, namesOf, type QueueSight, queueReads, readQueue, resultsOf, sightOf } from "./look.ts";
import { encodeMark, type Mark, resolve, type Wish } from "./mark.ts";
import type { KnownPlace, RecipeMemory } from "./memory.ts";
import type { LockMode } from "./recipes.ts";

export interface EnterPorts {
  readonly backend: Backend;
  readonly world: GatewayWorld;
  readonly memory: RecipeMemory;
}

export interface Entry {
  readonly identity: Identity;
  readonly acting: Acting;
  readonly queue: Path;
  readonly wish: Wish;
  readonly data: Uint8Array;
  readonly acl: Acl | undefined;
  readonly key: IdempotencyKey | undefined;
  /** The names of who stands there are wanted with it. */
  readonly listing: boolean;
  /** The queue, if it was just looked at. */
  readonly sight: QueueSight | Absence | undefined;
  /** On the world's clock. */
  readonly deadline: number;
}

export interface Entered {
  readonly place: KnownPlace;
  readonly zxid: Zxid;
  readonly servedBy: ReplicaId;
  /** All who stand there, as far as they were listed. */
  readonly names: readonly string[] | undefined;
  /** Made before, by a request with the same key. */
  readonly replayed: boolean;
}

/** The queue's znode as it was last known; `mark` undefined: there is none. */
interface Known {
  readonly mark: Mark | undefined;
  readonly mzxid: Zxid;
  readonly names: readonly string[];
  /** From memory: it may be otherwise by now. */
  readonly old: boolean;
}

/** `touched`: a try got no answer, or the tree's: what it made may be there. */
export type NotEntered = Failed & { readonly touched?: true };

export async function enter(ports: EnterPorts, entry: Entry): Promise<Entered | NotEntered> {
  let seen = entry.sight === undefined ? remembered(ports, entry.queue) : knownOf(entry.sight);
  for (let attempt = 0; attempt < recipeLimits.tries; ) {
    const known = seen ?? (await lookAt(ports, entry));
    if (isFailed(known)) return known;
    const resolved = resolve(entry.wish, entry.queue, known.mark, known.names);
    if (resolved.kind === "misfit") {
      if (!known.old) return refuse(resolved.code, resolved.detail, entry.queue);
      seen = undefined;
      continue;
    }
    const { shape, marks } = resolved;
    const tried = await attemptOnce(ports, entry, { shape, marks, known, attempt });
    if ("place" in tried || isFailed(tried)) return tried;
    seen = tried;
    attempt += 1;
  }
  const detail = `the znode ${entry.queue} is changed too often by others to stand in its queue; try again`;
  return refuse("throttled", detail, entry.queue);
}

function remembered({ memory }: EnterPorts, queue: Path): Known | undefined {
  const found = memory.queues.get(queue);
  return found && { mark: found.shape, mzxid: found.mzxid, names: [], old: true };
}

async function lookAt({ backend, world }: EnterPorts, entry: Entry): Promise<Known | Failed> {
  const { queue, identity, deadline } = entry;
  const left = Math.max(1, deadline - world.now());
  const sight = await readQueue(backend, { identity }, queue, recipeLimits.namesWithPlace, left);
  return isFailed(sight) ? sight : knownOf(sight);
}

function knownOf(sight: QueueSight | Absence): Known {
  if ("kind" in sight) return absent;
  return { mark: sight.mark, mzxid: sight.stat.mzxid, names: namesOf(sight.children), old: false };
}

const absent: Known = { mark: undefined, mzxid: 0 as Zxid, names: [], old: false };

interface Try {
  readonly shape: QueueShape;
  readonly marks: boolean;
  readonly known: Known;
  readonly attempt: number;
}

/** The place, or what the queue's znode is now. */
async function attemptOnce(ports: EnterPorts, entry: Entry, how: Try): Promise<Entered | Known | NotEntered> {
  const { backend, world, memory } = ports;
  const { queue, identity, acting } = entry;
  const mode = modeIn(how.shape, entry.wish.mode);
  const operation = txnOf(ports, entry, how, mode);
  const key = keyOf(entry.key, how.attempt);
  const request = { identity, acting, operation, ...(key === undefined ? undefined : { key }) };
  const answer = settled(await backend.write(request, Math.max(1, entry.deadline - world.now())));
  if (isFailed(answer)) return failedTry(answer, entry, memory);
  const { outcome, servedBy } = answer;
  const { result, zxid, replayed = false } = outcome;
  const results = resultsOf(result);
  if (result.kind === "txn" && result.branch === "else") {
    memory.queues.delete(queue);
    const { mark, stat, children } = sightOf(results);
    // Of the moment when the key was used first.
    return { mark, mzxid: stat.mzxid, names: namesOf(children), old: replayed };
  }
  const made = createdIn(results, queue);
  const queueStat = statOfQueue(results, queue);
  const mzxid = queueStat?.mzxid ?? how.known.mzxid;
  if (!replayed) memory.queues.set(queue, { shape: how.shape, mzxid });
  const listed = results.find((each) => each.kind === "children");
  const names = listed === undefined || listed.more ? undefined : namesOf(listed.children);
  const place = { znode: made.path, token: made.stat.czxid, mode, shape: how.shape };
  return { place, zxid, servedBy, names: replayed ? undefined : names, replayed };
}

function failedTry(answer: Failed, { queue }: Entry, memory: RecipeMemory): Known | NotEntered {
  if (answer.kind === "unavailable") return { ...answer, touched: true };
  const { failure } = answer;
  // The queue's znode was swept, or never made.
  if (failure.code !== "noNode" || failure.path !== queue) return answer;
  memory.queues.delete(queue);
  return absent;
}

function modeIn(shape: QueueShape, wished: LockMode): LockMode {
  const modes = modesOf(shape);
  return modes.includes(wished) ? wished : (modes[0] ?? wished);
}

function txnOf({ world }: EnterPorts, entry: Entry, how: Try, mode: LockMode): TxnOperationSet {
  const { queue, acting, data, acl } = entry;
  const { shape, marks, known } = how;
  const prefix = prefixOf(shape, mode, acting.session, world.randomBytes(8));
  const then: TxnOperation[] = [];
  let check: Check = { path: queue, mzxid: known.mzxid };
  const mark = encodeMark(shape);
  if (known.mark === undefined) {
    check = { path: queue, exists: false };
    then.push(queueCreation(queue, mark, acl));
  } else if (marks) {
    then.push({ kind: "set", path: queue, data: mark, condition: {} });
  }
  then.push(contenderCreation(queue, prefix, data, acl));
  const limit = recipeLimits.namesWithPlace;
  if (entry.listing) then.push({ kind: "children", path: queue, limit, withData: false });
  return { kind: "txn", check: [check], then, else: queueReads(queue, limit) };
}

function queueCreation(path: Path, data: Uint8Array, acl: Acl | undefined): CreateOperation {
  const shape = { kind: "container", ttlMillis: 0, ...(acl === undefined ? undefined : { acl }) } as const;
  return { kind: "create", path, data, shape, sequential: false, parents: true };
}

function createdIn(results: readonly Result[], queue: Path): { readonly path: Path; readonly stat: Stat } {
  for (const each of results) if (each.kind === "node" && parentOf(each.path) === queue) return each;
  throw new Error("a txn that makes a place answered none");
}

function statOfQueue(results: readonly Result[], queue: Path): Stat | undefined {
  for (const each of results) {
    if ((each.kind === "children" || each.kind === "node") && each.path === queue) return each.stat;
  }
  return undefined;
}

/**
 * Each try has a key of its own, since what is kept under a key is also how a try failed; a repeated request goes through the
 * same ones.
 */
function keyOf(key: IdempotencyKey | undefined, attempt: number): IdempotencyKey | undefined {
  if (key === undefined || attempt === 0) return key;
  const derived = createHash("sha256").update(`${attempt}\n${key.key}`).digest("hex");
  return { key: derived, requestHash: key.requestHash };
}
