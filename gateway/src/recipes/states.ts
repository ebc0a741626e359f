/** Who holds, who waits, who leads: read from the queue as it is, with what the contenders' znodes say. */
import {
  type ChildEntry,
  childOf,
  type DataResult,
  noSession,
  type Path,
  type ReplicaId,
  type Stat,
  type Zxid,
  zeroZxid,
} from "@quorate/api";
import { type Failed, isFailed, refuse } from "./answers.ts";
import type { QueueShape } from "./layout.ts";
import { recipeLimits } from "./limits.ts";
import {
  namesOf,
  notBefore,
  ofKind,
  type QueueSight,
  type Reader,
  readAllNames,
  readOne,
  readQueue,
  type Terms,
} from "./look.ts";
import { foreignDetail, type Proclaimed, shownShape } from "./mark.ts";
import { ContenderQueue, type Queued } from "./queue.ts";
import type { Contender, ElectionState, LockState, RecipeAnswer, RecipeRead } from "./recipes.ts";

type Reading = Pick<RecipeRead, "identity" | "path">;

/** A queue with some of its contenders' znodes. */
interface Seen {
  readonly shape: QueueShape;
  readonly queue: ContenderQueue;
  readonly known: ReadonlyMap<string, ChildEntry>;
  readonly proclaimed: ProclaimedAt | undefined;
  readonly zxid: Zxid;
  readonly servedBy: ReplicaId;
}

/** With when it was said. */
export interface ProclaimedAt extends Proclaimed {
  readonly mzxid: Zxid;
}

/** As it is known to others. */
export function proclaiming<Leader extends Pick<Contender, "token" | "data">>(
  leader: Leader & { readonly mzxid: Zxid },
  said: ProclaimedAt | undefined,
): Leader & { readonly mzxid: Zxid } {
  return said?.token === leader.token ? { ...leader, data: said.value, mzxid: said.mzxid } : leader;
}

/** In one read, of one zxid, as long as the queue is not long. */
const namesAtOnce = 256;

async function see(
  backend: Reader,
  read: Reading & { readonly recipe: QueueShape["recipe"]; readonly terms: Terms },
  deadlineMillis: number,
): Promise<Seen | Failed> {
  const { identity, path, recipe, terms } = read;
  let sight = await readQueue(backend, { identity, terms, withData: true }, path, namesAtOnce, deadlineMillis);
  if (!("kind" in sight) && sight.more) {
    sight = await readAllNames(backend, { identity, terms: notBefore(sight.zxid) }, path, deadlineMillis);
  }
  if (isFailed(sight)) return sight;
  if ("kind" in sight)
    return refuse("noNode", `nobody holds ${path} or waits for it: there is no such znode`, path, sight.zxid);
  return seenOf(sight, path, recipe);
}

function seenOf(sight: QueueSight, path: Path, recipe: QueueShape["recipe"]): Seen | Failed {
  const { mark, children, zxid, servedBy, stat } = sight;
  if (mark === "foreign") return refuse("nodeExists", foreignDetail(path, recipe), path, zxid);
  const names = namesOf(children);
  const shape = shownShape(recipe, mark, names);
  if (shape.recipe !== recipe) {
    const [is, asked] = recipe === "lock" ? ["an election", "a lock"] : ["a lock", "an election"];
    return refuse("nodeExists", `${path} is ${is}, not ${asked}`, path, zxid);
  }
  const known = new Map<string, ChildEntry>();
  for (const each of children) if (each.stat !== undefined) known.set(each.name, each);
  const proclaimed = sight.proclaimed && { ...sight.proclaimed, mzxid: stat.mzxid };
  return { shape, queue: new ContenderQueue(shape, names), known, proclaimed, zxid, servedBy };
}

/** A contender with its znode; undefined: it has gone since. */
async function examine(
  backend: Reader,
  { identity, path }: Reading,
  seen: Seen,
  { name, mode }: Queued,
  deadlineMillis: number,
): Promise<(Contender & { readonly mzxid: Zxid; readonly zxid: Zxid }) | undefined | Failed> {
  const znode = childOf(path, name);
  const entry = seen.known.get(name);
  if (entry?.stat !== undefined) {
    return { ...contenderOf(znode, mode, entry.stat, entry.data), zxid: seen.zxid };
  }
  const terms = notBefore(seen.zxid);
  const found = await readOne(backend, { identity, terms }, { kind: "get", path: znode }, deadlineMillis);
  if (!isFailed(found)) {
    const { stat, data } = ofKind<DataResult>([found.result], "data");
    return { ...contenderOf(znode, mode, stat, data), zxid: found.zxid };
  }
  if (found.kind === "unavailable") return found;
  const { code, zxid } = found.failure;
  if (code === "noNode") return undefined;
  if (code !== "noAuth") return found;
  // It stands there, and that is all that may be known.
  const hidden = { token: zeroZxid, data: new Uint8Array(0), session: noSession, since: 0, mzxid: zeroZxid };
  return { ...hidden, znode, mode, zxid };
}

function contenderOf(
  znode: Path,
  mode: Contender["mode"],
  stat: Stat,
  data: Uint8Array = new Uint8Array(0),
): Contender & { readonly mzxid: Zxid } {
  const { czxid, mzxid, ephemeralOwner, ctime } = stat;
  return { token: czxid, znode, mode, data, session: ephemeralOwner, since: Math.floor(ctime), mzxid };
}

/** So many reads at a time. */
const width = 64;

/** In their order, without those who have gone since; `lost`: how many these are. */
async function examineAll(
  backend: Reader,
  read: Reading,
  seen: Seen,
  which: readonly Queued[],
  deadlineMillis: number,
): Promise<{ readonly contenders: readonly Contender[]; readonly lost: number; readonly zxid: Zxid } | Failed> {
  const contenders: Contender[] = [];
  let [lost, zxid] = [0, seen.zxid];
  for (let from = 0; from < which.length; from += width) {
    const some = which.slice(from, from + width);
    const found = await Promise.all(some.map((each) => examine(backend, read, seen, each, deadlineMillis)));
    for (const each of found) {
      if (each === undefined) lost += 1;
      else if (isFailed(each)) return each;
      else {
        const { mzxid: _, zxid: at, ...contender } = each;
        contenders.push(contender);
        if (at > zxid) zxid = at;
      }
    }
  }
  return { contenders, lost, zxid };
}

function termsOf({ consistency, minZxid, maxStaleMillis }: RecipeRead): Terms {
  return { consistency, minZxid, maxStaleMillis };
}

const changing = (path: Path): Failed => refuse("throttled", `${path} changes too often to be told; try again`, path);

/** While holders go between two reads it is read again: who holds is told of one moment. */
export async function readLock(
  backend: Reader,
  read: RecipeRead,
  waiters: number,
  deadlineMillis: number,
): Promise<RecipeAnswer<LockState>> {
  let terms = termsOf(read);
  for (let attempt = 0; attempt < recipeLimits.tries; attempt += 1) {
    const seen = await see(backend, { ...read, recipe: "lock", terms }, deadlineMillis);
    if (isFailed(seen)) return seen;
    const { queue, shape, servedBy } = seen;
    const most = Math.min(waiters, recipeLimits.shownWaiters);
    const holders = await examineAll(backend, read, seen, queue.list(0, queue.holders), deadlineMillis);
    if (isFailed(holders)) return holders;
    terms = notBefore(holders.zxid);
    if (holders.lost > 0) continue;
    const waiting = await examineAll(backend, read, seen, queue.list(queue.holders, most), deadlineMillis);
    if (isFailed(waiting)) return waiting;
    const { layout, kind, permits } = shape;
    const value: LockState = {
      layout,
      kind,
      ...(permits === undefined ? undefined : { permits }),
      holders: holders.contenders,
      waiters: waiting.contenders,
      waiting: queue.size - queue.holders - waiting.lost,
    };
    return { kind: "done", value, zxid: waiting.zxid, servedBy };
  }
  return changing(read.path);
}

export async function readLeader(
  backend: Reader,
  read: RecipeRead,
  deadlineMillis: number,
): Promise<RecipeAnswer<ElectionState>> {
  let terms = termsOf(read);
  for (let attempt = 0; attempt < recipeLimits.tries; attempt += 1) {
    const seen = await see(backend, { ...read, recipe: "election", terms }, deadlineMillis);
    if (isFailed(seen)) return seen;
    const { queue, servedBy } = seen;
    const { layout } = seen.shape;
    const first = queue.at(0);
    if (first === undefined) return { kind: "done", value: { layout, candidates: 0 }, zxid: seen.zxid, servedBy };
    const found = await examine(backend, read, seen, first, deadlineMillis);
    if (found !== undefined && isFailed(found)) return found;
    terms = notBefore(seen.zxid);
    if (found === undefined) continue;
    const { zxid, ...contender } = found;
    const leader = proclaiming(contender, seen.proclaimed);
    return { kind: "done", value: { layout, leader, candidates: queue.size - 1 }, zxid, servedBy };
  }
  return changing(read.path);
}
