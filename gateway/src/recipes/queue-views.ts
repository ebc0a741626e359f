/** The queues that are watched, each once for each identity. Who stopped waiting leaves it open a while for those to come. */
import type { Identity, Path } from "@quorate/api";
import type { Failed } from "./answers.ts";
import { refuse } from "./answers.ts";
import type { QueueShape } from "./layout.ts";
import { recipeLimits } from "./limits.ts";
import { QueueView, type ViewPorts } from "./queue-view.ts";

export class QueueViews {
  readonly #ports: ViewPorts;
  readonly #limit: number;
  /** Those without anybody may be closed to make room. */
  readonly #views = new Map<string, QueueView>();
  /** Queues that are read by the right of an address: there each client sees for itself. */
  readonly #byAddress = new Set<Path>();
  #stopped = false;

  constructor(ports: ViewPorts, limit: number = recipeLimits.queues) {
    this.#ports = ports;
    this.#limit = limit;
  }

  get size(): number {
    return this.#views.size;
  }

  /** If it is open, whether or not somebody waits by it. */
  find(path: Path, identity: Identity): QueueView | undefined {
    return this.#views.get(keyOf(path, this.viewer(path, identity)));
  }

  /** All who differ in their address alone share one view, as far as they may without it. */
  viewer(path: Path, identity: Identity): Identity {
    if (this.#byAddress.has(path) || identity.ids.every(({ scheme }) => scheme !== "ip")) return identity;
    return { ...identity, ids: identity.ids.filter(({ scheme }) => scheme !== "ip") };
  }

  /** Whether what has failed so was of a viewer who may less than `client`. */
  widen(path: Path, viewer: Identity, failed: Failed, client: Identity): boolean {
    if (failed.kind !== "failed" || failed.failure.code !== "noAuth") return false;
    if (viewer.ids.length === client.ids.length) return false;
    if (this.#byAddress.size >= this.#limit) this.#byAddress.clear();
    this.#byAddress.add(path);
    return true;
  }

  /** Who asks for one joins it before anything else happens. */
  open(path: Path, client: Identity, shape: QueueShape): QueueView | Failed {
    if (this.#stopped) return stopping;
    const identity = this.viewer(path, client);
    const key = keyOf(path, identity);
    const known = this.#views.get(key);
    if (known !== undefined) return known;
    if (this.#views.size >= this.#limit && !this.#makeRoom()) {
      const detail = `this gateway watches ${this.#limit} locks and elections, and no more; try again later, or another one`;
      return refuse("throttled", detail, path);
    }
    const view = new QueueView(this.#ports, { path, identity, shape }, (over) => {
      if (this.#views.get(key) === over) this.#views.delete(key);
    });
    this.#views.set(key, view);
    return view;
  }

  #makeRoom(): boolean {
    for (const view of this.#views.values()) {
      if (!view.idle) continue;
      view.close();
      return true;
    }
    return false;
  }

  stop(): void {
    this.#stopped = true;
    for (const view of [...this.#views.values()]) view.end(stopping);
  }
}

export const stopping: Failed = {
  kind: "unavailable",
  code: "noLeader",
  detail: "this gateway is stopping",
  certainty: "noEffect",
  retryAfterMillis: 1000,
};

function keyOf(path: Path, { ids, superUser }: Identity): string {
  return JSON.stringify([path, superUser, ids.map(({ scheme, id }) => [scheme, id])]);
}
