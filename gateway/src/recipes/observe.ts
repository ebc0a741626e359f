/** One who observes an election: the state as asked for at first, then each that is newer and other than the one before. */
import type { Identity, Path, Zxid } from "@quorate/api";
import type { WatchEnd, Watching } from "../backend.ts";
import { type Failed, isFailed } from "./answers.ts";
import { type LeaderPorts, LeaderView, type Observer } from "./leader-view.ts";
import { recipeLimits } from "./limits.ts";
import { linearizable } from "./look.ts";
import type { ElectionListener, ElectionState, Layout, RecipeRead } from "./recipes.ts";
import { readLeader } from "./states.ts";

export class LeaderViews {
  readonly #ports: LeaderPorts;
  readonly #views = new Map<string, LeaderView>();

  constructor(ports: LeaderPorts) {
    this.#ports = ports;
  }

  get size(): number {
    return this.#views.size;
  }

  observe(read: RecipeRead, deadlineMillis: number, listener: ElectionListener): { close(): void } {
    return new Observing(this, this.#ports, read, deadlineMillis, listener);
  }

  /** As with the queues themselves: all who differ in their address alone share one. */
  viewer(path: Path, client: Identity): Identity {
    return this.#ports.views.viewer(path, client);
  }

  open(path: Path, identity: Identity, layout: Layout): LeaderView {
    const key = JSON.stringify([path, identity.superUser, identity.ids]);
    const known = this.#views.get(key);
    if (known !== undefined) return known;
    const view = new LeaderView(this.#ports, { path, identity, layout }, () => this.#views.delete(key));
    this.#views.set(key, view);
    return view;
  }
}

class Observing implements Observer {
  readonly #views: LeaderViews;
  readonly #ports: LeaderPorts;
  readonly #read: RecipeRead;
  readonly #listener: ElectionListener;
  #view: LeaderView | undefined;
  #viewer: Identity | undefined;
  #layout: Layout = "curator";
  /** Of the client's session, for its end. */
  #session: Watching | undefined;
  #told: { readonly state: ElectionState; readonly zxid: Zxid } | undefined;
  #over = false;

  constructor(
    views: LeaderViews,
    ports: LeaderPorts,
    read: RecipeRead,
    deadlineMillis: number,
    listener: ElectionListener,
  ) {
    this.#views = views;
    this.#ports = ports;
    this.#read = read;
    this.#listener = listener;
    void readLeader(ports.backend, read, deadlineMillis).then((answer) => {
      if (this.#over) return;
      if (isFailed(answer)) this.ended(answer);
      else this.#begin(answer.value, answer.zxid);
    });
  }

  close(): void {
    this.#over = true;
    this.#view?.leave(this);
    this.#session?.close();
  }

  #begin(state: ElectionState, zxid: Zxid): void {
    this.#layout = state.layout;
    this.changed(state, zxid);
    if (this.#over) return;
    this.#watchSession();
    this.#join();
  }

  #join(): void {
    const { path, identity } = this.#read;
    this.#viewer = this.#views.viewer(path, identity);
    this.#view = this.#views.open(path, this.#viewer, this.#layout);
    this.#view.join(this);
  }

  #watchSession(): void {
    const { path, identity, acting } = this.#read;
    if (acting === undefined) return;
    const scopes = { node: [path], children: [], subtree: [] };
    const request = { identity, acting, scopes, ...linearizable };
    const watching = this.#ports.backend.watch(request, recipeLimits.watchOpenMillis, {
      opened: () => {},
      events: () => {},
      ended: (end) => {
        if (this.#over || this.#session !== watching) return;
        if (end.code === "cursorTooOld" || end.code === "cursorOfAnotherHistory") this.#watchSession();
        else this.#end(end);
      },
    });
    this.#session = watching;
  }

  changed(state: ElectionState, zxid: Zxid): void {
    const before = this.#told;
    if (this.#over || (before !== undefined && (zxid <= before.zxid || isSame(before.state, state)))) return;
    this.#told = { state, zxid };
    this.#listener.changed(state, zxid);
  }

  ended(failed: Failed): void {
    const { path: queue, identity } = this.#read;
    const viewer = this.#viewer;
    if (!this.#over && viewer !== undefined && this.#ports.views.widen(queue, viewer, failed, identity)) {
      return this.#join();
    }
    if (failed.kind === "unavailable") {
      const { code, detail, retryAfterMillis } = failed;
      return this.#end({ code, detail, retryAfterMillis });
    }
    const { failure, servedBy } = failed;
    const { code, detail, zxid, path } = failure;
    this.#end({ code, detail, retryAfterMillis: 1000, zxid, servedBy, ...(path === undefined ? undefined : { path }) });
  }

  #end(end: WatchEnd): void {
    if (this.#over) return;
    this.close();
    this.#listener.ended(end);
  }
}

/** The same leader, who proclaims the same. */
function isSame({ leader: a }: ElectionState, { leader: b }: ElectionState): boolean {
  return a?.znode === b?.znode && a?.mzxid === b?.mzxid;
}
