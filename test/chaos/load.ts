/**
 * The clients: closed loops at objects that are replaced every some seconds, so that a history stays short and is judged while
 * the run goes on.
 */
import type { Operation } from "../linearizability/index.ts";
import type { SeededRandom } from "../simulation/random.ts";
import { type Hands, pause } from "./hand.ts";
import { LockObject, lockPrefix } from "./lock-object.ts";
import { RegisterObject } from "./register-object.ts";
import { SequenceObject } from "./sequence-object.ts";
import { Numbers, type SharedObject } from "./shared-object.ts";
import type { Tally } from "./tally.ts";
import { WrittenOnce } from "./written-once.ts";

export interface LoadOptions {
  readonly hands: Hands;
  readonly random: SeededRandom;
  readonly tally: Tally;
  /** Between two operations of a client. */
  readonly pauseMillis: number;
  /** How long an object is worked on, at least; at most twice that. */
  readonly lifeMillis: number;
  /** How long behind its timeout a session's ephemeral may be seen. */
  readonly lingerMillis: number;
  readonly judge: (object: string, operations: readonly Operation[], since: number) => Promise<void>;
}

interface Slot {
  object: SharedObject | undefined;
  /** Steps under way at the object. */
  busy: number;
}

type Kind = "registers" | "sequence" | "lock";

/** How many objects of a kind there are at a time, and how many clients work on them. */
const plan: Readonly<Record<Kind, { readonly slots: number; readonly clients: number }>> = {
  registers: { slots: 4, clients: 6 },
  sequence: { slots: 1, clients: 2 },
  lock: { slots: 2, clients: 3 },
};

export class Load {
  readonly ledger: WrittenOnce;
  readonly #options: LoadOptions;
  readonly #numbers = new Numbers();
  readonly #slots: Readonly<Record<Kind, readonly Slot[]>>;
  #running = true;
  #objects = 0;
  #loops: Promise<void>[] = [];
  #slotLoops: Promise<void>[] = [];

  constructor(options: LoadOptions) {
    this.#options = options;
    this.ledger = new WrittenOnce(options.hands);
    const slotsOf = (kind: Kind): Slot[] =>
      Array.from({ length: plan[kind].slots }, () => ({ object: undefined, busy: 0 }));
    this.#slots = { registers: slotsOf("registers"), sequence: slotsOf("sequence"), lock: slotsOf("lock") };
  }

  start(): void {
    let process = 0;
    for (const kind of Object.keys(plan) as Kind[]) {
      for (const slot of this.#slots[kind]) this.#slotLoops.push(this.#guard(this.#turnOver(kind, slot)));
      for (let i = 0; i < plan[kind].clients; i++) this.#loops.push(this.#guard(this.#work(process++, kind)));
    }
    this.#loops.push(this.#guard(this.#writeOnce()));
  }

  /** Ends the loops, closes the objects, and gives the last histories to be judged. */
  async stop(): Promise<void> {
    this.#running = false;
    await Promise.all(this.#loops);
    await Promise.all(this.#slotLoops);
  }

  async #guard(loop: Promise<void>): Promise<void> {
    try {
      await loop;
    } catch (error) {
      this.#options.tally.violate(`a client met what it does not understand: ${(error as Error).stack ?? error}`);
    }
  }

  async #turnOver(kind: Kind, slot: Slot): Promise<void> {
    const { lifeMillis, random, judge } = this.#options;
    while (this.#running) {
      const since = performance.now();
      const object = this.#create(kind);
      await object.open(() => this.#running);
      slot.object = object;
      const end = performance.now() + random.between(lifeMillis, 2 * lifeMillis);
      while (this.#running && performance.now() < end) await pause(100);
      slot.object = undefined;
      while (slot.busy > 0) await pause(20);
      await judge(object.name, await object.close(), since);
      await object.clear(() => this.#running);
    }
  }

  #create(kind: Kind): SharedObject {
    const { hands, lingerMillis } = this.#options;
    const number = this.#objects++;
    switch (kind) {
      case "registers":
        return new RegisterObject(`/r${number}`, hands, this.#numbers);
      case "sequence":
        return new SequenceObject(`/s${number}`, hands, this.#numbers);
      case "lock":
        return new LockObject(`/${lockPrefix}${number}`, hands, this.#numbers, lingerMillis);
    }
  }

  async #work(process: number, kind: Kind): Promise<void> {
    const { random, pauseMillis } = this.#options;
    while (this.#running) {
      const slot = random.pick(this.#slots[kind]);
      const { object } = slot;
      if (object) {
        slot.busy += 1;
        try {
          await object.step(process);
        } finally {
          slot.busy -= 1;
        }
      }
      await pause(random.between(1, 2 * pauseMillis));
    }
  }

  async #writeOnce(): Promise<void> {
    while (this.#running) {
      await this.ledger.step(() => this.#running);
      await pause(this.#options.pauseMillis * 3);
    }
  }
}
