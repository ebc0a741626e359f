/**
 * A simulated machine: a process that lives, pauses and dies, a clock that drifts and jumps, a disk that fails. What a
 * dead process began is never heard of; what reaches a paused one waits until it goes on, timers first, as the event loop
 * of the real one has it.
 */
import type { Clock, Disk, Random, Timer } from "../../services/replica/src/world.ts";
import type { VirtualTime } from "./events.ts";
import { FaultyDisk, type PowerLoss } from "./faulty-disk.ts";
import type { SeededRandom } from "./random.ts";

/** The phases of an event loop's turn: what was due during a pause comes in this order after it. */
const phases = ["timer", "io", "soon"] as const;
type Phase = (typeof phases)[number];

interface Waiting {
  readonly phase: Phase;
  readonly life: number;
  readonly run: () => void;
}

/** What a disk operation takes, ms. */
export interface DiskPace {
  /** The slowest fsync. */
  syncMillis: number;
}

export class Machine {
  readonly name: string;
  readonly disk: FaultyDisk;
  readonly random: SeededRandom;
  readonly pace: DiskPace = { syncMillis: 3 };
  /** It was started, ended, stopped or went on. */
  changed: () => void = () => {};
  readonly #time: VirtualTime;
  #life = 0;
  #alive = false;
  #paused = false;
  #waiting: Waiting[] = [];
  /** The monotonic clock: `#base` at true time `#since`, and so much faster than true time. */
  #base: number;
  #since = 0;
  #rate = 1;
  #wallOffset: number;

  constructor(name: string, time: VirtualTime, random: SeededRandom) {
    this.name = name;
    this.#time = time;
    this.random = random;
    this.#base = random.below(1_000_000);
    this.#wallOffset = 1_700_000_000_000 + random.below(2000) - 1000;
    this.disk = new FaultyDisk(random);
    this.disk.wait = (operation) => {
      if (operation === "sync" || operation === "syncFolder") return this.#diskTime(this.pace.syncMillis);
      return this.random.chance(0.15) ? this.#diskTime(0.5) : Promise.resolve();
    };
  }

  get alive(): boolean {
    return this.#alive;
  }
  get paused(): boolean {
    return this.#paused;
  }
  /** Which process: what an earlier one began is void. */
  get life(): number {
    return this.#life;
  }

  /** A new process; what the former one waited for is gone. */
  boot(): void {
    this.#life += 1;
    this.#alive = true;
    this.#paused = false;
    this.#waiting = [];
    this.changed();
  }

  /** The process dies; `power`: the whole machine with it, and this becomes of what was not fsynced. */
  kill(power?: PowerLoss): void {
    this.#life += 1;
    this.#alive = false;
    this.#paused = false;
    this.#waiting = [];
    if (power === undefined) this.disk.killProcess();
    else this.disk.losePower(power);
    this.changed();
  }

  pause(): void {
    if (!this.#alive) return;
    this.#paused = true;
    this.changed();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.changed();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const phase of phases) {
      for (const each of waiting) if (each.phase === phase) this.#later(0, phase, each.life, each.run);
    }
  }

  /** From now on the monotonic clock runs `rate` times as fast as true time. */
  drift(rate: number): void {
    this.#base = this.#now();
    this.#since = this.#time.now;
    this.#rate = rate;
  }

  /** The wall clock jumps. */
  jump(millis: number): void {
    this.#wallOffset += millis;
  }

  /** Something arrives from outside, for the process that lives now: from a socket or from the disk. */
  arrive(run: () => void): void {
    this.#perform("io", this.#life, run);
  }

  /** Wraps what belongs to the present process: does nothing once that is dead. */
  mine<Args extends unknown[]>(run: (...args: Args) => void): (...args: Args) => void {
    const life = this.#life;
    return (...args) => {
      if (life === this.#life) run(...args);
    };
  }

  readonly clock: Clock = {
    now: () => this.#now(),
    wall: () => Math.floor(this.#time.now + this.#wallOffset),
    after: (millis, run) => this.#timer(millis, run),
    every: (millis, run) => this.#every(millis, run),
    soon: (run) => this.#later(0.01 + this.random.below(10) / 100, "soon", this.#life, run),
  };

  readonly bytes: Random = {
    bytes: (count) => Uint8Array.from({ length: count }, () => this.random.below(256)),
  };

  get world(): { readonly clock: Clock; readonly random: Random; readonly disk: Disk } {
    return { clock: this.clock, random: this.bytes, disk: this.disk };
  }

  #now(): number {
    return this.#base + (this.#time.now - this.#since) * this.#rate;
  }

  #timer(millis: number, run: () => void): Timer {
    let cancelled = false;
    this.#later(millis / this.#rate, "timer", this.#life, () => {
      if (!cancelled) run();
    });
    return {
      cancel: () => {
        cancelled = true;
      },
    };
  }

  #every(millis: number, run: () => void): Timer {
    let cancelled = false;
    const life = this.#life;
    const next = (): void => {
      if (cancelled) return;
      run();
      this.#later(millis / this.#rate, "timer", life, next);
    };
    this.#later((millis / this.#rate) * (0.5 + this.random.below(50) / 100), "timer", life, next);
    return {
      cancel: () => {
        cancelled = true;
      },
    };
  }

  #later(millis: number, phase: Phase, life: number, run: () => void): void {
    this.#time.after(millis, () => this.#perform(phase, life, run));
  }

  #perform(phase: Phase, life: number, run: () => void): void {
    if (life !== this.#life) return;
    if (this.#paused) this.#waiting.push({ phase, life, run });
    else run();
  }

  #diskTime(longest: number): Promise<void> {
    const life = this.#life;
    const millis = 0.1 + this.random.below(longest * 100) / 100;
    return new Promise((resolve) => this.#later(millis, "io", life, resolve));
  }
}
