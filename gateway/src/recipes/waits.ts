/** One clock for all that wait for places, and how much earlier than at most each of them comes back. */
import { Deadlines, type Timed } from "../deadlines.ts";
import type { GatewayTimer, GatewayWorld } from "../ports.ts";

export interface Wait extends Timed {
  /** Its time is over; it is off the wheel. */
  expire(): void;
}

const tickMillis = 50;
const goldenRatio = 0.618_033_988_749_895;

export class Waits {
  readonly #world: GatewayWorld;
  readonly #wheel: Deadlines<Wait>;
  #timer: GatewayTimer | undefined;
  #turn = 0;

  constructor(world: GatewayWorld) {
    this.#world = world;
    this.#wheel = new Deadlines<Wait>(world.now(), (wait) => wait.expire());
  }

  get size(): number {
    return this.#wheel.size;
  }

  add(wait: Wait): void {
    this.#wheel.add(wait);
    this.#timer ??= this.#world.every(tickMillis, () => this.#wheel.tick(this.#world.now()));
  }

  /** Harmless if it is not there. */
  remove(wait: Wait): void {
    this.#wheel.remove(wait);
    if (this.#wheel.size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** 0.9 to 1, the next always far from the last ones: what came together shall not come back together. */
  spread(): number {
    this.#turn = (this.#turn + goldenRatio) % 1;
    return 1 - 0.1 * this.#turn;
  }
}
