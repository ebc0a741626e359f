/**
 * One queue as one identity sees it, kept by a watch while somebody waits in it: the names at one zxid, and then what comes
 * and goes. When a contender goes, those are told who hold by that, and nobody else: no read, and no herd.
 *
 * Whoever stands in the queue asks `standing`. A contender that is not among the names is gone only if they are at least as
 * new as itself; else its own event is still on its way.
 */
import {
  type Identity,
  nameOf,
  type Path,
  parentOf,
  type ReplicaId,
  type WatchEvent,
  type Zxid,
  zeroZxid,
} from "@quorate/api";
import type { Backend, WatchEnd, Watching, WatchOpening } from "../backend.ts";
import type { GatewayTimer, GatewayWorld } from "../ports.ts";
import { type Failed, isFailed } from "./answers.ts";
import type { QueueShape } from "./layout.ts";
import { recipeLimits } from "./limits.ts";
import { linearizable, namesOf, notBefore, readAllNames } from "./look.ts";
import { decodeMark } from "./mark.ts";
import type { KnownPlace } from "./memory.ts";
import { type Standing, standingIn } from "./place.ts";
import { ContenderQueue } from "./queue.ts";

export interface ViewPorts {
  readonly backend: Backend;
  readonly world: GatewayWorld;
}

/** Who stands in it, or only looks on. */
export interface ViewMember {
  /** Its contender's; undefined: it wants to know who is first. */
  readonly name: string | undefined;
  /** Something about it is otherwise: ask anew. */
  moved(): void;
  /** The last word. */
  ended(failed: Failed): void;
}

export class QueueView {
  readonly path: Path;
  readonly identity: Identity;
  readonly #ports: ViewPorts;
  /** Of contenders, where the queue's znode does not say. */
  readonly #shape: QueueShape;
  readonly #members = new Map<string | undefined, Set<ViewMember>>();
  readonly #over: (view: QueueView) => void;
  #size = 0;
  #queue: ContenderQueue | undefined;
  /** Everything up to here is in `#queue`. */
  #through: Zxid = zeroZxid;
  #servedBy: ReplicaId = 0;
  #watching: Watching | undefined;
  #linger: GatewayTimer | undefined;
  #reopenings = 0;
  #ended = false;

  /** `over`: it is of no use any more. */
  constructor(
    ports: ViewPorts,
    { path, identity, shape }: { readonly path: Path; readonly identity: Identity; readonly shape: QueueShape },
    over: (view: QueueView) => void,
  ) {
    this.#ports = ports;
    this.path = path;
    this.identity = identity;
    this.#shape = shape;
    this.#over = over;
    this.#open();
  }

  /** Nobody waits by it. */
  get idle(): boolean {
    return this.#size === 0;
  }

  get servedBy(): ReplicaId {
    return this.#servedBy;
  }

  /** What it tells is true of this zxid. */
  get zxid(): Zxid {
    return this.#queue === undefined ? zeroZxid : this.#through;
  }

  /** Undefined while it is being opened. */
  get queue(): ContenderQueue | undefined {
    return this.#queue;
  }

  /** `unknown`: it will be told. */
  standing(place: Pick<KnownPlace, "znode" | "token">): Standing | "gone" | "unknown" {
    if (this.#queue === undefined) return "unknown";
    const standing = standingIn(this.#queue, place);
    return standing ?? (this.#through >= place.token ? "gone" : "unknown");
  }

  join(member: ViewMember): void {
    this.#linger?.cancel();
    this.#linger = undefined;
    const { name } = member;
    const beside = this.#members.get(name);
    if (beside === undefined) this.#members.set(name, new Set([member]));
    else beside.add(member);
    this.#size += 1;
  }

  leave(member: ViewMember): void {
    const { name } = member;
    const beside = this.#members.get(name);
    if (beside?.delete(member) !== true) return;
    if (beside.size === 0) this.#members.delete(name);
    this.#size -= 1;
    if (this.#size > 0 || this.#ended) return;
    this.#linger = this.#ports.world.after(recipeLimits.lingerMillis, () => this.close());
  }

  close(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#linger?.cancel();
    this.#watching?.close();
    this.#over(this);
  }

  /** The last word to all. */
  end(failed: Failed): void {
    this.close();
    for (const member of this.#all()) member.ended(failed);
  }

  /** `after`: of that zxid the names are here already. */
  #open(after?: Zxid): void {
    const { path, identity } = this;
    const scopes = { node: [path], children: [path], subtree: [] };
    const request = { identity, scopes, ...linearizable };
    const behind = after === undefined ? request : { ...request, ...notBefore(after), after: { zxid: after } };
    const watching = this.#ports.backend.watch(behind, recipeLimits.watchOpenMillis, {
      opened: (opening) => this.#watching === watching && after === undefined && this.#opened(opening),
      events: (events) => this.#watching === watching && this.#events(events),
      ended: (end) => this.#watching === watching && this.#lost(end),
    });
    this.#watching = watching;
  }

  /** More names than a watch opens with: they are listed page by page, and watched behind that. */
  async #openByPages(): Promise<void> {
    const { path, identity } = this;
    const sight = await readAllNames(this.#ports.backend, { identity, terms: linearizable }, path, pagesMillis);
    if (this.#ended || this.#watching !== undefined) return;
    if (isFailed(sight)) return this.end(sight);
    if ("kind" in sight) return this.#open();
    const { mark, children, zxid, servedBy } = sight;
    this.#servedBy = servedBy;
    this.#open(zxid);
    this.#show(typeof mark === "string" ? undefined : mark, namesOf(children), zxid);
  }

  #opened({ states, servedBy }: WatchOpening): void {
    let mark: QueueShape | undefined;
    let names: readonly string[] = [];
    for (const state of states) {
      if (state.scope === "children") names = state.children;
      else if (state.data !== undefined) {
        const said = decodeMark(state.data);
        if (typeof said !== "string") mark = said;
      }
    }
    this.#servedBy = servedBy;
    this.#show(mark, names, this.#watching?.cursor.zxid ?? zeroZxid);
  }

  #show(mark: QueueShape | undefined, names: readonly string[], zxid: Zxid): void {
    this.#reopenings = 0;
    this.#queue = new ContenderQueue(mark ?? this.#shape, names);
    this.#through = zxid;
    for (const member of this.#all()) member.moved();
  }

  #events(events: readonly WatchEvent[]): void {
    const queue = this.#queue;
    if (queue === undefined) return;
    // What the queue is may be said otherwise now. Until that is known nothing is newer than it was.
    if (events.some(({ path }) => path === this.path)) return this.#reopen();
    const touched = new Set<string>();
    for (const { type, path, zxid } of events) {
      this.#through = zxid;
      const name = nameOf(path);
      if (type === "changed" || parentOf(path) !== this.path) continue;
      if (type === "created" ? queue.add(name) : queue.remove(name)) touched.add(name);
    }
    for (const { name } of queue.advance()) touched.add(name);
    for (const name of touched) this.#tell(name);
    if (touched.size > 0) this.#tell(undefined);
  }

  #tell(name: string | undefined): void {
    const members = this.#members.get(name);
    if (members !== undefined) for (const member of [...members]) member.moved();
  }

  #reopen(): void {
    this.#watching?.close();
    this.#reopenings += 1;
    this.#open();
  }

  #lost({ code, detail, retryAfterMillis, zxid = zeroZxid, servedBy = 0, path }: WatchEnd): void {
    this.#watching = undefined;
    const again = code === "cursorTooOld" || code === "cursorOfAnotherHistory";
    if (again && this.#reopenings < recipeLimits.tries) {
      this.#reopen();
      return;
    }
    if (code === "tooLarge") {
      void this.#openByPages();
      return;
    }
    if (unavailableCodes.has(code)) {
      this.end({ kind: "unavailable", code, detail, certainty: "noEffect", retryAfterMillis });
      return;
    }
    const failure = { ok: false, zxid, code, detail, ...(path === undefined ? undefined : { path }) } as const;
    this.end({ kind: "failed", failure, servedBy });
  }

  *#all(): Generator<ViewMember, undefined, undefined> {
    for (const members of [...this.#members.values()]) yield* [...members];
  }
}

const pagesMillis = 30_000;

const unavailableCodes: ReadonlySet<string> = new Set([
  "noLeader",
  "behind",
  "timeout",
  "connectionLoss",
  "throttled",
  "internal",
]);
