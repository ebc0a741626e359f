/**
 * Who leads, kept by the view of the queue and a watch of the leader's znode, once for all who observe an election with the
 * same rights. Those who lead shortly may be passed over; what is told last is what is so.
 */
import { childOf, type Identity, noSession, type Path, type WatchState, type Zxid, zeroZxid } from "@quorate/api";
import type { Backend, WatchEnd, Watching } from "../backend.ts";
import { type Failed, isFailed } from "./answers.ts";
import { recipeLimits } from "./limits.ts";
import { notBefore } from "./look.ts";
import { proclaimedIn } from "./mark.ts";
import type { QueueView, ViewMember } from "./queue-view.ts";
import type { QueueViews } from "./queue-views.ts";
import type { ElectionState, Layout } from "./recipes.ts";
import { proclaiming } from "./states.ts";

export interface LeaderPorts {
  readonly backend: Backend;
  readonly views: QueueViews;
}

export interface Observer {
  changed(state: ElectionState, zxid: Zxid): void;
  ended(failed: Failed): void;
}

export class LeaderView implements ViewMember {
  readonly name = undefined;
  readonly #ports: LeaderPorts;
  readonly #path: Path;
  readonly #identity: Identity;
  readonly #layout: Layout;
  readonly #over: () => void;
  readonly #observers = new Set<Observer>();
  #view: QueueView | undefined;
  /** The leader's name. */
  #first: string | undefined;
  #watching: Watching | undefined;
  #state: { readonly state: ElectionState; readonly zxid: Zxid } | undefined;
  #ended = false;

  /** `layout`: where the queue's znode does not say. `over`: it is of no use any more. */
  constructor(
    ports: LeaderPorts,
    { path, identity, layout }: { readonly path: Path; readonly identity: Identity; readonly layout: Layout },
    over: () => void,
  ) {
    this.#ports = ports;
    this.#path = path;
    this.#identity = identity;
    this.#layout = layout;
    this.#over = over;
  }

  /** Told the state, if it is known, in this call. */
  join(observer: Observer): void {
    this.#observers.add(observer);
    if (this.#view === undefined) this.#open();
    else if (this.#state !== undefined) observer.changed(this.#state.state, this.#state.zxid);
  }

  leave(observer: Observer): void {
    if (!this.#observers.delete(observer) || this.#observers.size > 0) return;
    this.#close();
  }

  #open(): void {
    const { views } = this.#ports;
    const shape = { recipe: "election", layout: this.#layout, kind: "mutex" } as const;
    const view = views.open(this.#path, this.#identity, shape);
    if (isFailed(view)) return this.#end(view);
    this.#view = view;
    view.join(this);
    this.moved();
  }

  moved(): void {
    const queue = this.#view?.queue;
    if (queue === undefined || this.#ended) return;
    const first = queue.at(0)?.name;
    if (first === this.#first && (first !== undefined || this.#state !== undefined)) return;
    this.#first = first;
    if (first !== undefined) return this.#watch();
    this.#watching?.close();
    this.#watching = undefined;
    this.#tell({ layout: queue.shape.layout, candidates: 0 }, this.#view?.zxid ?? zeroZxid);
  }

  ended(failed: Failed): void {
    this.#view = undefined;
    this.#end(failed);
  }

  /** What the leader's znode and the queue's say of it, and then whatever else they come to say. */
  #watch(): void {
    const view = this.#view;
    const name = this.#first;
    if (view === undefined || name === undefined) return;
    this.#watching?.close();
    const scopes = { node: [childOf(this.#path, name), this.#path], children: [], subtree: [] };
    const request = { identity: this.#identity, scopes, ...notBefore(view.zxid) };
    const watching = this.#ports.backend.watch(request, recipeLimits.watchOpenMillis, {
      opened: ({ states }) => this.#watching === watching && this.#opened(states, watching.cursor.zxid),
      // Of one that was deleted the queue tells.
      events: (events) => this.#watching === watching && events.some(({ type }) => type === "changed") && this.#watch(),
      ended: (end) => this.#watching === watching && this.#lost(end),
    });
    this.#watching = watching;
  }

  #opened(states: readonly WatchState[], zxid: Zxid): void {
    const queue = this.#view?.queue;
    const [state, of] = states;
    if (queue === undefined || state?.scope !== "node" || state.stat === undefined) return;
    const proclaimed = of?.scope === "node" && of.data !== undefined ? proclaimedIn(of.data) : undefined;
    const said = proclaimed && { ...proclaimed, mzxid: of?.scope === "node" ? (of.stat?.mzxid ?? zeroZxid) : zeroZxid };
    const { czxid, mzxid, ephemeralOwner, ctime } = state.stat;
    const known = { token: czxid, mzxid, session: ephemeralOwner, since: Math.floor(ctime) };
    const contender = {
      ...known,
      znode: state.path,
      mode: "exclusive",
      data: state.data ?? new Uint8Array(0),
    } as const;
    const leader = proclaiming(contender, said);
    this.#tell({ layout: queue.shape.layout, leader, candidates: Math.max(0, queue.size - 1) }, zxid);
  }

  #lost(end: WatchEnd): void {
    this.#watching = undefined;
    if (end.code === "cursorTooOld" || end.code === "cursorOfAnotherHistory") return this.#watch();
    const { code, detail, retryAfterMillis, zxid = zeroZxid, servedBy = 0 } = end;
    if (code !== "noAuth") {
      return this.#end({ kind: "unavailable", code, detail, certainty: "noEffect", retryAfterMillis });
    }
    const [view, name] = [this.#view, this.#first];
    if (view?.queue === undefined || name === undefined) {
      return this.#end({ kind: "failed", failure: { ok: false, zxid, code, detail }, servedBy });
    }
    // It leads, and that is all that may be known.
    const hidden = { token: zeroZxid, mzxid: zeroZxid, session: noSession, since: 0, data: new Uint8Array(0) };
    const leader = { ...hidden, znode: childOf(this.#path, name), mode: "exclusive" } as const;
    this.#tell({ layout: view.queue.shape.layout, leader, candidates: view.queue.size - 1 }, view.zxid);
  }

  #tell(state: ElectionState, zxid: Zxid): void {
    this.#state = { state, zxid };
    for (const observer of [...this.#observers]) observer.changed(state, zxid);
  }

  #end(failed: Failed): void {
    if (this.#ended) return;
    this.#close();
    const observers = [...this.#observers];
    this.#observers.clear();
    for (const observer of observers) observer.ended(failed);
  }

  #close(): void {
    this.#ended = true;
    this.#watching?.close();
    this.#watching = undefined;
    this.#view?.leave(this);
    this.#view = undefined;
    this.#over();
  }
}
