/**
 * What the tests of recipes share: gateways over one real tree in virtual time, between them and the tree a port that counts,
 * delays and loses what the test says, and a history of the queues to judge answers by.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  type Acting,
  anyone,
  type ErrorCode,
  isBadPath,
  type Path,
  parsePath,
  type SessionId,
  type Zxid,
  zeroZxid,
} from "@quorate/api";
import { MemoryBackend } from "../../../test/conformance/memory-backend.ts";
import type {
  Answer,
  Backend,
  Cursor,
  ReadRequest,
  RenewAnswer,
  Watching,
  WatchListener,
  WatchRequest,
  WriteRequest,
} from "../backend.ts";
import { VirtualWorld } from "../virtual-world.test-support.ts";
import { createRecipes } from "./create.ts";
import type { LockContest, Place, RecipeAnswer, RecipeRead, Recipes, Waiting } from "./recipes.ts";

export function path(text: string): Path {
  const parsed = parsePath(text);
  if (isBadPath(parsed)) throw new Error(parsed.bad);
  return parsed;
}

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** `drop`: it does not arrive. `lose`: it is done, and the answer is lost. `late`: likewise, before it is done. */
export type Fate = "pass" | "drop" | "lose" | "late";

export interface Faults {
  /** Milliseconds until it arrives, and until its answer does. */
  delay(): number;
  fate(request: WriteRequest | ReadRequest): Fate;
}

export const faultless: Faults = { delay: () => 0, fate: () => "pass" };

/** One gateway's way to the tree. */
export class Port {
  readonly counts = { writes: 0, reads: 0, renewals: 0, watches: 0 };
  faults: Faults = faultless;
  /** What is told by watches comes so much later than all else. */
  watchDelay = 0;
  readonly backend: Backend;
  readonly recipes: Recipes & { readonly status: { readonly waiting: number; readonly queues: number } };
  readonly log: string[] = [];
  readonly #scene: Scene;
  #lastArrival = 0;

  constructor(scene: Scene) {
    this.#scene = scene;
    const { memory } = scene;
    const { counts } = this;
    const backend: Partial<Backend> = {
      write: (request) => {
        counts.writes += 1;
        return this.#carry(request, () => scene.write(request));
      },
      read: (request) => {
        counts.reads += 1;
        return this.#carry(request, () => memory.read(request));
      },
      renew: async (session, secretHash): Promise<RenewAnswer> => {
        counts.renewals += 1;
        await this.#pause();
        const answer = await memory.renew(session, secretHash);
        await this.#pause();
        return answer;
      },
      watch: (request, deadline, listener) => {
        counts.watches += 1;
        return this.#watch(request, deadline, listener);
      },
    };
    this.backend = backend as Backend;
    const log = (text: string): void => void this.log.push(text);
    this.recipes = createRecipes({ backend: this.backend, world: scene.world, log });
  }

  async #carry(request: WriteRequest | ReadRequest, run: () => Promise<Answer>): Promise<Answer> {
    const fate = this.faults.fate(request);
    if (fate === "drop") {
      await this.#pause();
      return refused("noLeader", "noEffect");
    }
    const answer = "consistency" in request ? (this.#pause()?.then(run) ?? run()) : this.#inOrder(fate, run);
    if (fate === "late") return refused("timeout", "unknown");
    const told = await answer;
    await this.#pause();
    return fate === "lose" ? refused("timeout", "unknown") : told;
  }

  /** Writes go through a lane: none comes before one that was given earlier. */
  #inOrder(fate: Fate, run: () => Promise<Answer>): Promise<Answer> {
    const { world } = this.#scene;
    const arrival = Math.max(this.#lastArrival, world.now() + this.faults.delay() + (fate === "late" ? 300 : 0));
    this.#lastArrival = arrival;
    if (arrival === world.now()) return run();
    return new Promise((resolve) => void world.after(arrival - world.now(), () => resolve(run())));
  }

  #pause(): Promise<void> | undefined {
    const delay = this.faults.delay();
    if (delay === 0) return undefined;
    return new Promise((resolve) => void this.#scene.world.after(delay, resolve));
  }

  /** What it tells comes late, in order. */
  #watch(request: WatchRequest, deadline: number, listener: WatchListener): Watching {
    const { memory, world } = this.#scene;
    let [through, closed, last] = [undefined as Cursor | undefined, false, 0];
    const late = (run: () => void): void => {
      const cursor = inner.cursor;
      const tell = (): void => {
        through = cursor;
        if (!closed) run();
      };
      last = Math.max(last, world.now() + this.faults.delay() + this.watchDelay);
      if (last === world.now()) tell();
      else world.after(last - world.now(), tell);
    };
    const inner = memory.watch(request, deadline, {
      opened: (opening) => late(() => listener.opened(opening)),
      events: (events, more) => late(() => listener.events(events, more)),
      ended: (end) => late(() => listener.ended(end)),
    });
    return {
      get cursor() {
        return through ?? inner.cursor;
      },
      close: () => {
        closed = true;
        inner.close();
      },
    };
  }

  acquire(queue: Path, contest: Partial<LockContest> = {}): Waiting<Place> {
    return this.recipes.acquire({ ...plainContest, path: queue, ...contest }, 5000);
  }

  release(queue: Path, acting: Acting, token?: Zxid): ReturnType<Recipes["release"]> {
    const request = { identity: anyone, path: queue, acting };
    return this.recipes.release(token === undefined ? request : { ...request, token }, 5000);
  }

  /** What was asked since the last time. */
  spent(): { writes: number; reads: number; renewals: number; watches: number } {
    const spent = { ...this.counts };
    Object.assign(this.counts, { writes: 0, reads: 0, renewals: 0, watches: 0 });
    return spent;
  }
}

function refused(code: ErrorCode, certainty: "noEffect" | "unknown"): Answer {
  return { kind: "unavailable", code, detail: "lost", certainty, retryAfterMillis: 1000 };
}

const plainContest: LockContest = {
  identity: anyone,
  path: path("/lock"),
  sessionTimeoutMillis: 10_000,
  address: "",
  data: bytes("me"),
  waitMillis: 0,
  shape: { mode: "exclusive" },
};

/** A queue's children behind one transaction. */
export interface Snapshot {
  readonly zxid: Zxid;
  readonly names: readonly string[];
}

export class Scene {
  readonly world: VirtualWorld;
  readonly memory: MemoryBackend;
  readonly history = new Map<Path, Snapshot[]>();
  #sessions = 0;

  constructor(seed = 1) {
    this.world = new VirtualWorld(seed);
    this.memory = new MemoryBackend(() => 1_700_000_000_000 + this.world.now(), this.world);
  }

  gateway(): Port {
    return new Port(this);
  }

  /** What happens to the queue is remembered from here on. */
  watch(queue: Path): void {
    this.history.set(queue, []);
    this.#note();
  }

  write(request: WriteRequest): Promise<Answer> {
    // Committed in this very call.
    const answer = this.memory.write(request);
    this.#note();
    return answer;
  }

  expire(session: SessionId): void {
    this.memory.expire(session);
    this.#note();
  }

  #note(): void {
    for (const [queue, snapshots] of this.history) {
      snapshots.push({ zxid: this.memory.tree.applied, names: this.names(queue) });
    }
  }

  names(queue: Path): readonly string[] {
    const names: string[] = [];
    for (let more = true; more; ) {
      const behind = names.length === 0 ? {} : { after: names.at(-1) ?? "" };
      const operation = { kind: "children", path: queue, limit: 1000, withData: false, ...behind } as const;
      const found = this.memory.tree.read(operation, { ids: [], superUser: true }, undefined);
      if (!found.ok || found.result.kind !== "children") return [];
      for (const { name } of found.result.children) names.push(name);
      more = found.result.more;
    }
    return names;
  }

  /** The queue as it was at `zxid`. */
  at(queue: Path, zxid: Zxid): readonly string[] {
    let names: readonly string[] = [];
    for (const each of this.history.get(queue) ?? []) if (each.zxid <= zxid) names = each.names;
    return names;
  }

  async session(timeoutMillis = 30_000): Promise<Acting> {
    this.#sessions += 1;
    const secretHash = createHash("sha256").update(`secret ${this.#sessions}`).digest();
    const operation = {
      kind: "createSession",
      role: "client",
      timeoutMillis,
      secretHash,
      name: "",
      address: "",
    } as const;
    const answer = await this.write({ identity: anyone, operation });
    assert.ok(answer.kind === "outcome" && answer.outcome.ok && answer.outcome.result.kind === "session");
    return { session: answer.outcome.result.session, secretHash };
  }

  /** What is due happens, with all that follows from it. */
  async pass(millis: number): Promise<void> {
    await settled();
    for (let left = millis; left > 0; left -= step) {
      await this.world.run(Math.min(step, left));
      await settled();
    }
  }

  /** Until `promise` is settled. */
  async until<T>(promise: Promise<T>, mostMillis = 60_000): Promise<T> {
    let over = false;
    void promise.finally(() => {
      over = true;
    });
    for (let spent = 0; spent < mostMillis; spent += step) {
      await this.pass(step);
      if (over) return promise;
    }
    throw new Error(`nothing came of it within ${mostMillis} ms`);
  }
}

const step = 5;

function settled(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

export function done<T>(answer: RecipeAnswer<T>): T {
  assert.ok(answer.kind === "done", JSON.stringify(answer));
  return answer.value;
}

export function codeOf(answer: RecipeAnswer<unknown>): ErrorCode | undefined {
  if (answer.kind === "done") return undefined;
  return answer.kind === "failed" ? answer.failure.code : answer.code;
}

export function reading(queue: Path): RecipeRead {
  return { identity: anyone, path: queue, consistency: "linearizable", minZxid: zeroZxid, maxStaleMillis: 0 };
}
