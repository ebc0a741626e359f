/**
 * The watchers of a door: how many there are, one clock for all of them, and their early end when the process stops. A
 * watcher that only waits is no request under way; it has a limit of its own.
 */
import { Deadlines, type Timed } from "../deadlines.ts";
import type { GatewayTimer, GatewayWorld } from "../ports.ts";
import type { Call, Door } from "./call.ts";
import { RequestFault } from "./fault.ts";
import { emptyQuery } from "./query.ts";

export interface Waiter extends Timed {
  /** Its deadline has come; it is off the wheel. */
  expire(): void;
  /** The process stops: an answer now, with a cursor to go on from. */
  drain(): void;
  /** The client went away, or has been answered. */
  gone(): void;
}

const tickMillis = 50;
const goldenRatio = 0.618_033_988_749_895;

export class WatchRoom {
  readonly #world: GatewayWorld;
  readonly #wheel: Deadlines<Waiter>;
  readonly #waiters = new Set<Waiter>();
  #timer: GatewayTimer | undefined;
  #turn = 0;

  constructor(world: GatewayWorld) {
    this.#world = world;
    this.#wheel = new Deadlines<Waiter>(world.now(), (waiter) => waiter.expire());
  }

  get size(): number {
    return this.#waiters.size;
  }

  enter(waiter: Waiter): void {
    this.#waiters.add(waiter);
    this.#timer ??= this.#world.every(tickMillis, () => this.#wheel.tick(this.#world.now()));
  }

  leave(waiter: Waiter): void {
    if (!this.#waiters.delete(waiter)) return;
    this.#wheel.remove(waiter);
    if (this.#waiters.size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** Calls its `expire` at its deadline, instead of at any it had. */
  schedule(waiter: Waiter): void {
    this.#wheel.remove(waiter);
    if (this.#waiters.has(waiter)) this.#wheel.add(waiter);
  }

  /** 0 to 1, the next always far from the last ones: what came together shall not come back together. */
  spread(): number {
    this.#turn = (this.#turn + goldenRatio) % 1;
    return this.#turn;
  }

  drain(): void {
    for (const each of [...this.#waiters]) each.drain();
  }
}

/** Polls and blocking reads are answered early, streams end, each with its cursor. */
export function drainWatches(door: Door): void {
  door.watches.drain();
}

/**
 * Makes the request a watcher: it counts no more among those under way, and what nobody asks of it any more is let go.
 * Throws where there are as many as there may be.
 */
export function takeSeat(call: Call, waiter: Waiter): void {
  const { door, request, response } = call;
  if (door.watches.size >= door.limits.watchers) {
    const detail = `this gateway has ${door.limits.watchers} watchers, which is the most; try again shortly or use another`;
    throw new RequestFault("throttled", detail);
  }
  door.watches.enter(waiter);
  call.parked = true;
  request.rawHeaders = [];
  call.query = emptyQuery;
  response.on("close", () => waiter.gone());
}

/** What the dispatcher tells of others. `since`: when it came. */
export function observeWatcher(call: Call, operation: string, since: number): void {
  const { observe, world } = call.door.options;
  if (observe !== undefined) observe(operation, call.response.statusCode, world.now() - since);
}
