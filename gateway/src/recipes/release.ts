/**
 * A place is given up. What is remembered of it makes that one write; where nothing is, or it proves wrong, the session's
 * places are listed first, and all that it has in the queue go.
 *
 * With a token that is judged where the write is applied: the place goes, and with it what its session has behind it, which
 * nobody was told of, only while the znode with that czxid is there. A release that comes late, when its session has another
 * place by then, finds it gone and does nothing.
 */
import { childOf, formatZxid, nameOf, type Path, parentOf, type TxnOperationSet, type Zxid } from "@quorate/api";
import { type Failed, isFailed, refuse, settled } from "./answers.ts";
import type { QueueShape } from "./layout.ts";
import { recipeLimits } from "./limits.ts";
import { readQueue, readSession, readStat } from "./look.ts";
import { foreignDetail, shownShape } from "./mark.ts";
import { ownSessionName } from "./own-session.ts";
import type { PlacePorts, Places } from "./place.ts";
import { ContenderQueue } from "./queue.ts";
import type { GivingUp, RecipeAnswer } from "./recipes.ts";

export interface LeavePorts extends PlacePorts {
  readonly places: Places;
}

export interface Leave extends GivingUp {
  readonly recipe: QueueShape["recipe"];
  readonly deadline: number;
}

type Left = RecipeAnswer<{ znode: Path }>;

export async function leave(ports: LeavePorts, request: Leave): Promise<Left> {
  const { memory, places } = ports;
  const { path, acting, recipe, token } = request;
  // What is being taken would come behind this.
  await places.settle(acting.session, path);
  const session = memory.sessions.get(acting.session);
  const known = session?.places.get(path);
  // What may come late is to go with it, and a session is closed only if it has nothing else, which others know better.
  const alone = session?.listed === true && !session.pending && !session.opened;
  const meant = known?.shape.recipe === recipe && (token === undefined || token === known.token);
  if (alone && known !== undefined && meant) {
    const left = await remove(ports, request, [known.znode], false);
    if (left !== undefined) return left;
  }
  const late = session?.pending === true ? await overtake(ports, request) : undefined;
  if (late !== undefined) return late;
  if (session !== undefined) session.pending = false;
  for (let attempt = 0; attempt < recipeLimits.tries; attempt += 1) {
    const own = await list(ports, request);
    if (isFailed(own)) return own;
    const left = await remove(ports, request, own.znodes, own.opened);
    if (left !== undefined) return left;
  }
  return refuse("throttled", `the places of the session in ${path} change too often to be given up; try again`, path);
}

/**
 * What was given to the backend before this is decided when this is, since its writes keep their order: a place that nobody
 * was told of is there then, or never will be.
 */
async function overtake(
  { backend, world }: LeavePorts,
  { identity, path, deadline }: Leave,
): Promise<Failed | undefined> {
  const operation = { kind: "txn", check: [], then: [{ kind: "exists", path }] } as const;
  const answer = await backend.write({ identity, operation }, Math.max(1, deadline - world.now()));
  return answer.kind === "unavailable" ? answer : undefined;
}

/** Undefined: one of them was gone already. */
async function remove(
  ports: LeavePorts,
  { identity, path, acting, token, deadline }: Leave,
  znodes: readonly [Path, ...Path[]],
  opened: boolean,
): Promise<Left | undefined> {
  const { backend, memory, world } = ports;
  const operation = opened ? ({ kind: "closeSession", session: acting.session } as const) : removal(znodes, token);
  const answer = settled(await backend.write({ identity, acting, operation }, Math.max(1, deadline - world.now())));
  const session = memory.sessions.get(acting.session);
  if (isFailed(answer)) {
    if (answer.kind === "unavailable") {
      if (session !== undefined) session.listed = false;
      return answer;
    }
    const { code } = answer.failure;
    if (code === "sessionExpired") memory.sessions.delete(acting.session);
    const gone = code === "noNode" || code === "badVersion";
    if (gone) session?.places.delete(path);
    return gone ? undefined : answer;
  }
  const known = session?.places.get(path);
  if (known !== undefined) memory.forgetPlace(path, session, known);
  if (opened) memory.sessions.delete(acting.session);
  const { outcome, servedBy } = answer;
  return { kind: "done", value: { znode: znodes[0] }, zxid: outcome.zxid, servedBy };
}

/** `token`: of the first. */
function removal(znodes: readonly Path[], token: Zxid | undefined): TxnOperationSet {
  const checks = znodes.map((path) => ({ path, ownerSelf: true }));
  return {
    kind: "txn",
    check: checks.map((each, index) => (index > 0 || token === undefined ? each : { ...each, czxid: token })),
    then: znodes.map((path) => ({ kind: "delete", path, condition: {}, recursive: false })),
  };
}

interface Own {
  readonly znodes: readonly [Path, ...Path[]];
  /** The session was opened for it. */
  readonly opened: boolean;
}

async function list(ports: LeavePorts, request: Leave): Promise<Own | Failed> {
  const { identity, path, acting, recipe, token, deadline } = request;
  const { backend, memory, world } = ports;
  const left = Math.max(1, deadline - world.now());
  const [session, sight] = await Promise.all([
    readSession(backend, { identity, acting }, left),
    readQueue(backend, { identity }, path, recipeLimits.namesWithPlace, left),
  ]);
  if (isFailed(session)) return session;
  if (isFailed(sight)) return sight;
  const nothing = nothingOf(request, sight.zxid);
  if ("kind" in sight) return nothing;
  if (sight.mark === "foreign") return refuse("nodeExists", foreignDetail(path, recipe), path, sight.zxid);
  const names = session.ephemerals.filter((each) => parentOf(each) === path).map(nameOf);
  const shape = shownShape(recipe, sight.mark, names);
  if (shape.recipe !== recipe) {
    return refuse("nodeExists", `${path} is no ${recipe}; take its name where it is one`, path, sight.zxid);
  }
  const own = new ContenderQueue(shape, names).list(0, names.length).map(({ name }) => childOf(path, name));
  const meant = token === undefined ? own : await from(ports, request, own, token);
  if (isFailed(meant)) return meant;
  const [first, ...rest] = meant;
  if (first === undefined) return nothing;
  // Closing cannot be made to depend on the place. It is done where the session has nothing else: then whoever else gives that
  // up meanwhile closes it, too, and nobody takes another with it.
  const alone = rest.length === 0 && session.info.ephemeralCount === 1;
  const opened = alone && session.info.name === ownSessionName(recipe, path);
  const known = memory.sessions.get(acting.session);
  if (known !== undefined) known.opened = opened;
  return { znodes: [first, ...rest], opened };
}

/** The place with the token, and what is behind it; nothing, if there is none. */
async function from(
  { backend, world }: LeavePorts,
  { identity, deadline }: Leave,
  own: readonly Path[],
  token: Zxid,
): Promise<readonly Path[] | Failed> {
  for (const [index, znode] of own.entries()) {
    const seen = await readStat(backend, { identity }, znode, Math.max(1, deadline - world.now()));
    if (isFailed(seen)) return seen;
    if (seen.stat?.czxid === token) return own.slice(index);
  }
  return [];
}

/** A token's is `fenced`, as it is to whoever asks for the place with it. */
function nothingOf({ path, token }: Leave, zxid: Zxid): Failed {
  if (token === undefined) return refuse("noNode", `the session has no place in ${path}`, path, zxid);
  const detail = `the place in ${path} with the token ${formatZxid(token)} is no more: it was given up, or taken away; nothing was done`;
  return refuse("fenced", detail, path, zxid);
}
