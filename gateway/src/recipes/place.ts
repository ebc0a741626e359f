/**
 * A session's place in a queue: the one it has, or a new one. There is one for each session and queue. Two that were made at
 * once (a try that was given up for lost, beside the next one) are told by their names: the lower one is the place, and who
 * sees the other deletes it.
 */
import {
  childOf,
  type Identity,
  nameOf,
  type Path,
  parentOf,
  type ReplicaId,
  type SessionId,
  type Stat,
  type Zxid,
} from "@quorate/api";
import { afterEffect, type Failed, isFailed, placeGone, refuse } from "./answers.ts";
import { type Entered, type EnterPorts, type Entry, enter } from "./enter.ts";
import { inferShape, parseContender, type QueueShape } from "./layout.ts";
import { recipeLimits } from "./limits.ts";
import { type Absence, namesOf, type QueueSight, readQueue, readSession, readStat } from "./look.ts";
import { resolve } from "./mark.ts";
import { type KnownPlace, SessionMemory } from "./memory.ts";
import { ownSessionName } from "./own-session.ts";
import { ContenderQueue } from "./queue.ts";

/** Where a place stands. */
export interface Standing {
  readonly held: boolean;
  readonly ahead: number;
}

export interface Found {
  readonly place: KnownPlace;
  readonly session: SessionMemory;
  /** Of `zxid`; undefined: it is not known. */
  readonly standing: Standing | undefined;
  /** The session has no other there, as far as can be seen. */
  readonly searched: boolean;
  readonly zxid: Zxid;
  readonly servedBy: ReplicaId;
}

/** `wrote`: something was done, or may have been. */
export type Sought = { readonly outcome: Found | Failed; readonly wrote: boolean };

export interface PlaceRequest extends Omit<Entry, "sight"> {
  /** The place that it shall be. */
  readonly token: Zxid | undefined;
  /** If there is none. */
  readonly make: boolean;
  /** What a view that is open tells will do. */
  readonly patient: boolean;
}

type Owner = Pick<Entry, "identity" | "acting">;

/** What it takes to choose among places that are there. */
export type Choice = Pick<PlaceRequest, "identity" | "acting" | "queue" | "wish" | "token" | "deadline">;

export interface PlacePorts extends EnterPorts {
  /** The view of the queue, if it is open and tells anything. */
  readonly seen: (queue: Path, identity: Identity) => QueueSeen | undefined;
}

export interface QueueSeen {
  readonly queue: ContenderQueue | undefined;
  readonly zxid: Zxid;
  readonly servedBy: ReplicaId;
}

export class Places {
  readonly #ports: PlacePorts;
  /** The last that is under way, by session and queue: who asks goes behind it. */
  readonly #seeking = new Map<string, Promise<Sought>>();

  constructor(ports: PlacePorts) {
    this.#ports = ports;
  }

  /** The one it has, or a new one. */
  async seek(request: PlaceRequest): Promise<Sought> {
    const { acting, queue } = request;
    const id = `${acting.session}:${queue}`;
    // What another is told may be older than this request: between the two the place may have been given up elsewhere.
    const run = (): Promise<Sought> => this.#seek(request);
    const sought = this.#seeking.get(id)?.then(run, run) ?? run();
    this.#seeking.set(id, sought);
    try {
      return await sought;
    } finally {
      if (this.#seeking.get(id) === sought) this.#seeking.delete(id);
    }
  }

  /** When nothing of it is under way any more. */
  async settle(session: SessionId, queue: Path): Promise<void> {
    const id = `${session}:${queue}`;
    for (let under = this.#seeking.get(id); under !== undefined; under = this.#seeking.get(id)) {
      await under.catch(() => undefined);
    }
  }

  #fitting({ queue, token, wish }: Pick<PlaceRequest, "queue" | "token" | "wish">, found: Found): Found | Failed {
    const { place } = found;
    if (token !== undefined && token !== place.token) return placeGone(queue, found.zxid);
    const resolved = resolve(wish, queue, place.shape, []);
    if (resolved.kind === "misfit") return refuse(resolved.code, resolved.detail, queue, found.zxid);
    const { mode } = place;
    if (wish.recipe === "election" || wish.mode === mode) return found;
    const detail = `the session stands in ${queue} with the mode ${mode}, not ${wish.mode}; release that first`;
    return refuse("nodeExists", detail, queue, found.zxid);
  }

  async #seek(request: PlaceRequest): Promise<Sought> {
    const { acting, queue } = request;
    const { memory } = this.#ports;
    const session = memory.sessions.get(acting.session);
    const place = session?.places.get(queue);
    if (session !== undefined && place !== undefined) {
      const again = await this.#verify(request, session, place);
      if (again !== undefined) return { outcome: again, wrote: false };
    }
    // One that was made through another gateway is met in the queue, or else only by listing.
    const known = session?.listed === true && request.make;
    const listed = known ? { session, sight: undefined, own: [] } : await this.#list(request);
    if (isFailed(listed)) return { outcome: listed, wrote: false };
    const found = await this.#chooseAmong(request, listed.session, listed.own);
    if (found !== undefined) return { outcome: found, wrote: false };
    if (!request.make) return { outcome: placeGone(queue), wrote: false };
    return this.#make(request, listed.session, listed.sight);
  }

  /** Undefined: it is no more. */
  async #verify(
    request: Choice & Pick<PlaceRequest, "patient">,
    session: SessionMemory,
    place: KnownPlace,
    alone = false,
  ): Promise<Found | Failed | undefined> {
    const { memory } = this.#ports;
    const { queue: path, identity, acting, deadline } = request;
    const looking = { identity, queue: path, deadline };
    const viewed = request.patient ? await this.#inView(looking, place, acting.session) : undefined;
    const seen = viewed ?? (await look(this.#ports, looking, place, acting.session));
    if (isFailed(seen)) return seen;
    if (seen.place === undefined) {
      memory.forgetPlace(path, session, place);
      return undefined;
    }
    const { queue, standing, zxid, servedBy } = seen;
    const elders = alone || queue === undefined ? [] : this.meetRivals(request, path, queue, place);
    if (elders.length > 0) return this.preferElder(request, session, place, elders);
    if (standing?.held) memory.tokens.learn(path, place.token, place.znode, zxid);
    const searched = queue !== undefined;
    return this.#fitting(request, { place, session, standing, searched, zxid, servedBy });
  }

  /**
   * By a view that is open. It may be behind, and tell of a place that was given up through another gateway before this was
   * asked: that the znode is there at present is read. Undefined: the view does not know it.
   */
  async #inView(looking: Looking, place: KnownPlace, owner: SessionId): Promise<Looked | Failed | undefined> {
    const { identity } = looking;
    if (viewOf(this.#ports, looking, place) === undefined) return undefined;
    const left = Math.max(1, looking.deadline - this.#ports.world.now());
    const seen = await readStat(this.#ports.backend, { identity }, place.znode, left);
    if (isFailed(seen)) return seen;
    const { zxid, servedBy } = seen;
    if (!isOf(seen.stat, place, owner)) {
      return { place: undefined, queue: undefined, standing: undefined, zxid, servedBy };
    }
    return viewOf(this.#ports, looking, place);
  }

  /** What the session owns in the queue, and with it what both are. */
  async #list(request: PlaceRequest): Promise<Listed | Failed> {
    const { backend, world, memory } = this.#ports;
    const { identity, acting, queue, wish } = request;
    const left = Math.max(1, request.deadline - world.now());
    const remembered = memory.queues.get(queue);
    const [info, sight] = await Promise.all([
      readSession(backend, { identity, acting }, left),
      remembered ? undefined : readQueue(backend, { identity }, queue, recipeLimits.namesWithPlace, left),
    ]);
    if (isFailed(info)) return info;
    if (sight !== undefined && isFailed(sight)) return sight;
    const session = memory.sessions.get(acting.session) ?? new SessionMemory(info.info.timeoutMillis, true, false);
    session.listed = true;
    if (info.ephemerals.length <= 1) session.opened ||= info.info.name === ownSessionName(wish.recipe, queue);
    memory.sessions.set(acting.session, session);
    const names = info.ephemerals.filter((path) => parentOf(path) === queue).map(nameOf);
    const shape = remembered?.shape ?? shapeSeen(sight, wish.recipe, names);
    const own = shape === undefined ? [] : new ContenderQueue(shape, names).list(0, names.length);
    return { session, sight, own: own.map(({ name }) => ({ name, shape: shape as QueueShape })) };
  }

  /** The first of several; the others go. Undefined: none is there. */
  async #chooseAmong(request: Choice, session: SessionMemory, own: Listed["own"]): Promise<Found | Failed | undefined> {
    const { backend, world, memory } = this.#ports;
    const { identity, queue, acting } = request;
    let found: Found | undefined;
    for (const { name, shape } of own) {
      const znode = childOf(queue, name);
      if (found !== undefined) {
        this.discard(request, znode);
        continue;
      }
      const left = Math.max(1, request.deadline - world.now());
      const seen = await readStat(backend, { identity }, znode, left);
      if (isFailed(seen)) return seen;
      const { stat, zxid, servedBy } = seen;
      const parsed = parseContender(shape, name);
      if (stat === undefined || parsed === undefined || stat.ephemeralOwner !== acting.session) continue;
      const place = { znode, token: stat.czxid, mode: parsed.mode, shape };
      memory.learnPlace(queue, session, place, undefined);
      found = { place, session, standing: undefined, searched: true, zxid, servedBy };
    }
    return found && this.#fitting(request, found);
  }

  async #make(request: PlaceRequest, session: SessionMemory, sight: Listed["sight"]): Promise<Sought> {
    const { memory } = this.#ports;
    const { queue } = request;
    const entered = await enter(this.#ports, { ...request, sight });
    if (isFailed(entered)) {
      const { touched = false, ...failed } = entered;
      // What it may yet make is found by listing.
      if (touched) session.listed = false;
      if (touched) session.pending = true;
      return { outcome: failed, wrote: touched };
    }
    const { place, zxid, servedBy, names } = entered;
    const among = names && new ContenderQueue(place.shape, names);
    const standing = among && standingIn(among, place);
    memory.learnPlace(queue, session, place, standing?.held ? zxid : undefined);
    if (entered.replayed) return this.#replayed(request, session, entered);
    const elders = among === undefined ? [] : this.meetRivals(request, queue, among, place);
    if (elders.length > 0) return { outcome: await this.preferElder(request, session, place, elders), wrote: true };
    return { outcome: { place, session, standing, searched: among !== undefined, zxid, servedBy }, wrote: true };
  }

  /** A key's first request made it, some time ago. */
  async #replayed(request: PlaceRequest, session: SessionMemory, { place }: Entered): Promise<Sought> {
    const again = await this.#verify(request, session, place);
    if (again === undefined) return { outcome: placeGone(request.queue), wrote: false };
    return { outcome: isFailed(again) ? afterEffect(again) : again, wrote: true };
  }

  /**
   * Places behind this one that are called as the session's go, if they are; those before it are answered, in the queue's
   * order: whose they are has to be looked at.
   */
  meetRivals(owner: Owner, queue: Path, among: ContenderQueue, place: KnownPlace): readonly string[] {
    const names = among.alike(nameOf(place.znode)).map(({ name }) => name);
    const at = names.indexOf(nameOf(place.znode));
    if (at < 0) return [];
    for (const name of names.slice(at + 1)) this.discard(owner, childOf(queue, name));
    return names.slice(0, at);
  }

  /** The first of `elders` that is the session's own is its place; then all others of it go. */
  async preferElder(
    request: Choice,
    session: SessionMemory,
    place: KnownPlace,
    elders: readonly string[],
  ): Promise<Found | Failed> {
    const { memory } = this.#ports;
    const { queue } = request;
    const { shape } = place;
    const own = elders.map((name) => ({ name, shape }));
    const found = await this.#chooseAmong(request, session, own);
    if (found === undefined) {
      // It was another's, or is gone.
      memory.learnPlace(queue, session, place, undefined);
      const kept = await this.#verify({ ...request, patient: false }, session, place, true);
      if (kept === undefined) return placeGone(queue);
      return isFailed(kept) ? afterEffect(kept) : kept;
    }
    if (isFailed(found) && found.kind === "unavailable") {
      session.listed = false;
      return afterEffect(found);
    }
    memory.tokens.forget(queue, place.token);
    this.discard(request, place.znode);
    return found;
  }

  /** A second place of the session, if it is one; nobody waits for its end. */
  discard({ identity, acting }: Owner, znode: Path): void {
    const operation = {
      kind: "txn",
      check: [{ path: znode, ownerSelf: true }],
      then: [{ kind: "delete", path: znode, condition: {}, recursive: false }],
    } as const;
    void this.#ports.backend.write({ identity, acting, operation }, discardMillis);
  }
}

const discardMillis = 10_000;

interface Listed {
  readonly session: SessionMemory;
  readonly sight: QueueSight | Absence | undefined;
  readonly own: readonly { readonly name: string; readonly shape: QueueShape }[];
}

function shapeSeen(
  sight: Listed["sight"],
  recipe: QueueShape["recipe"],
  own: readonly string[],
): QueueShape | undefined {
  if (sight === undefined || "kind" in sight || sight.mark === "foreign") return undefined;
  if (sight.mark !== "unsaid") return sight.mark;
  return inferShape([...namesOf(sight.children), ...own], { recipe, layout: "curator", kind: "mutex" });
}

export function standingIn(queue: ContenderQueue, { znode }: Pick<KnownPlace, "znode">): Standing | undefined {
  const ahead = queue.rank(nameOf(znode));
  if (ahead === undefined) return undefined;
  return ahead < queue.holders ? { held: true, ahead: 0 } : { held: false, ahead };
}

function isOf(stat: Stat | undefined, { token }: KnownPlace, owner: SessionId): boolean {
  return stat !== undefined && stat.czxid === token && stat.ephemeralOwner === owner;
}

function viewOf({ seen }: PlacePorts, { queue: path, identity }: Looking, place: KnownPlace): Looked | undefined {
  const view = seen(path, identity);
  const standing = view?.queue && standingIn(view.queue, place);
  if (view === undefined || standing === undefined) return undefined;
  return { place, queue: view.queue, standing, zxid: view.zxid, servedBy: view.servedBy };
}

interface Looking {
  readonly identity: Entry["identity"];
  readonly queue: Path;
  readonly deadline: number;
}

export interface Looked {
  /** Undefined: it is no more. */
  readonly place: KnownPlace | undefined;
  /** Undefined: there are too many to be told at once. */
  readonly queue: ContenderQueue | undefined;
  readonly standing: Standing | undefined;
  readonly zxid: Zxid;
  readonly servedBy: ReplicaId;
}

/** Where a place stands at present. */
export async function look(
  ports: EnterPorts,
  looking: Looking,
  place: KnownPlace,
  owner: SessionId,
): Promise<Looked | Failed> {
  const { backend, world } = ports;
  const { identity, queue: path, deadline } = looking;
  const left = Math.max(1, deadline - world.now());
  const sight = await readQueue(backend, { identity }, path, recipeLimits.namesOfQueue, left);
  if (isFailed(sight)) return sight;
  const { zxid, servedBy } = sight;
  if ("kind" in sight) return { place: undefined, queue: undefined, standing: undefined, zxid, servedBy };
  if (!sight.more) {
    const queue = new ContenderQueue(place.shape, namesOf(sight.children));
    const standing = standingIn(queue, place);
    return { place: standing && place, queue, standing, zxid, servedBy };
  }
  const seen = await readStat(backend, { identity }, place.znode, left);
  if (isFailed(seen)) return seen;
  const there = isOf(seen.stat, place, owner);
  const { zxid: at, servedBy: by } = seen;
  return { place: there ? place : undefined, queue: undefined, standing: undefined, zxid: at, servedBy: by };
}
