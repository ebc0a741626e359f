/** For the tests of watches: a scene whose clients watch, and what a gateway tells them of the scene's changes. */
import {
  type Acting,
  anyone,
  type Change,
  type Path,
  type WatchEvent,
  type WatchScopes,
  type Zxid,
} from "@quorate/api";
import type { WatchRequest } from "@quorate/gateway";
import type { Watch, WatchSeen } from "../observation.ts";
import type { Scene } from "./fixture.test-support.ts";

/** Whatever is told besides its kind and its watch. */
type Rest<K extends WatchSeen["kind"]> = Omit<Extract<WatchSeen, { kind: K }>, "at" | "kind" | "watch">;

export class Watchers {
  readonly #scene: Scene;
  #last = 0;

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  #tell(seen: WatchSeen): void {
    this.#scene.tell((each) => each.watched(seen));
  }

  ask(scopes: Partial<WatchScopes>, more: Partial<WatchRequest> = {}): Watch {
    const { at } = this.#scene;
    const all = { node: [], children: [], subtree: [], ...scopes };
    const base = { identity: anyone, consistency: "session", minZxid: 0 as Zxid, maxStaleMillis: 0 } as const;
    const id = ++this.#last;
    const watch: Watch = { at, id, client: 1, gateway: 1, line: id, request: { ...base, scopes: all, ...more } };
    this.#tell({ at, kind: "asked", watch });
    return watch;
  }

  /** Asked, and opened where the scene stands. */
  open(scopes: Partial<WatchScopes>, more: Partial<WatchRequest> = {}, zxid: Zxid = this.#scene.end): Watch {
    const watch = this.ask(scopes, more);
    this.#tell({ at: this.#scene.at, kind: "opened", watch, states: [], cursor: { zxid } });
    return watch;
  }

  told(watch: Watch, events: readonly WatchEvent[], more: Partial<Rest<"told">> = {}): void {
    const { at, end } = this.#scene;
    this.#tell({ at, kind: "told", watch, events, more: false, cursor: { zxid: end }, ...more });
  }

  stands(watch: Watch, zxid: Zxid = this.#scene.end, history?: string): void {
    const cursor = history === undefined ? { zxid } : { zxid, history };
    this.#tell({ at: this.#scene.at, kind: "stands", watch, cursor });
  }

  ended(watch: Watch, code?: "noAuth" | "sessionExpired" | "cursorOfAnotherHistory"): void {
    const end = code && { code, detail: "", retryAfterMillis: 0 };
    this.#tell({ at: this.#scene.at, kind: "ended", watch, end });
  }

  answered({ line }: Watch, zxid: Zxid, floor: Zxid = 0 as Zxid): void {
    this.#tell({ at: this.#scene.at, kind: "answered", line, what: "a read", floor, zxid });
  }
}

/** The changes behind `after`, as events. */
export function eventsOf(scene: Scene, after: Zxid): (WatchEvent & Change)[] {
  const changes = scene.tree(1).changes.after(after);
  if (changes === "tooOld") throw new Error("the ring is too small");
  return [...changes] as (WatchEvent & Change)[];
}

export function path(name: string): Path {
  return name as Path;
}

export function acting(session: Acting): Partial<WatchRequest> {
  return { acting: session };
}
