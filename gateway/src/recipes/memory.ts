/**
 * What this gateway remembers of sessions and queues, so that a call costs fewer reads. All of it may be forgotten, and
 * none of it is believed without a check where it matters: other gateways change the same queues.
 */
import type { Path, SessionId, Zxid } from "@quorate/api";
import type { QueueShape } from "./layout.ts";
import { recipeLimits } from "./limits.ts";
import type { LockMode } from "./recipes.ts";
import { Tokens } from "./tokens.ts";

/** A place as it was last seen. */
export interface KnownPlace {
  readonly znode: Path;
  readonly token: Zxid;
  readonly mode: LockMode;
  readonly shape: QueueShape;
}

export class SessionMemory {
  readonly timeoutMillis: number;
  /** Its places that are not among `places`, if there are any, were made elsewhere or by a write that got no answer. */
  listed: boolean;
  /** A write that makes a place got no answer, and may be on its way yet. */
  pending = false;
  /** Opened for its one place, and closed with it. */
  opened: boolean;
  /** By queue. */
  readonly places = new Map<Path, KnownPlace>();

  constructor(timeoutMillis: number, listed: boolean, opened: boolean) {
    this.timeoutMillis = timeoutMillis;
    this.listed = listed;
    this.opened = opened;
  }
}

/** A bounded map; what was not used for the longest time is forgotten. */
class Recent<Key, Value> {
  readonly #values = new Map<Key, Value>();
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get(key: Key): Value | undefined {
    const value = this.#values.get(key);
    if (value === undefined) return undefined;
    this.#values.delete(key);
    this.#values.set(key, value);
    return value;
  }

  set(key: Key, value: Value): void {
    this.#values.delete(key);
    this.#values.set(key, value);
    if (this.#values.size <= this.#limit) return;
    for (const oldest of this.#values.keys()) {
      this.#values.delete(oldest);
      break;
    }
  }

  delete(key: Key): void {
    this.#values.delete(key);
  }
}

/** A queue's znode says what it is until its data is written again. */
export interface KnownQueue {
  readonly shape: QueueShape;
  readonly mzxid: Zxid;
}

export class RecipeMemory {
  readonly tokens: Tokens = new Tokens();
  readonly queues: Recent<Path, KnownQueue> = new Recent(recipeLimits.remembered);
  readonly sessions: Recent<SessionId, SessionMemory> = new Recent(recipeLimits.remembered);

  learnPlace(queue: Path, session: SessionMemory | undefined, place: KnownPlace, heldAt: Zxid | undefined): void {
    session?.places.set(queue, place);
    this.tokens.learn(queue, place.token, place.znode, heldAt);
  }

  forgetPlace(queue: Path, session: SessionMemory | undefined, place: KnownPlace): void {
    if (session?.places.get(queue)?.znode === place.znode) session.places.delete(queue);
    this.tokens.forget(queue, place.token);
  }
}
