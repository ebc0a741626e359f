/** Clients in virtual time, whose requests and answers are late, lost or refused; what they did becomes a history. */
import { SeededRandom } from "../simulation/random.ts";
import type { Millis, Operation } from "./history.ts";

type Ask = Pick<Operation, "model" | "object" | "call">;
type Told = Operation["answer"];

/** What a client does next: asks (`perform` is the service's part, at the moment of the effect), or waits. */
export type Step =
  | { readonly kind: "ask"; readonly ask: Ask; readonly perform: () => Told }
  | { readonly kind: "sleep"; readonly millis: number };

/** A client's life: it yields what it does, and is given what it was told (undefined after a sleep). */
export type Script = Generator<Step, void, Told | undefined>;

export interface Network {
  /** Of all requests, so many get no answer; half of these take effect, some of them late. */
  readonly unknown: number;
  /** Some of what nobody was told of takes effect up to so much later. */
  readonly lateMillis: number;
  /** So many are refused. */
  readonly noEffect: number;
  /** Of the refused, so many take effect all the same: a bug. */
  readonly refusedButDone: number;
  /** Of all that take effect, so many do it again a little later: a bug. */
  readonly doneTwice: number;
}

export const goodNetwork: Network = { unknown: 0.15, lateMillis: 300, noEffect: 0.05, refusedButDone: 0, doneTwice: 0 };

interface Event {
  readonly at: Millis;
  readonly run: () => void;
}

export class VirtualClients {
  readonly random: SeededRandom;
  readonly operations: Operation[] = [];
  now: Millis = 0;
  readonly #network: Network;
  readonly #events: Event[] = [];
  #processes = 0;
  #ids = 0;

  constructor(seed: number, network: Network) {
    this.random = new SeededRandom(seed);
    this.#network = network;
  }

  /** Unique texts for values and prefixes. */
  fresh(): string {
    return `v${this.#ids++}`;
  }

  at(at: Millis, run: () => void): void {
    // Kept sorted, the next one last.
    let index = this.#events.length;
    while (index > 0 && (this.#events[index - 1]?.at ?? 0) <= at) index--;
    this.#events.splice(index, 0, { at, run });
  }

  spawn(script: Script): void {
    const process = this.#processes++;
    this.at(this.#millis(5), () => this.#resume(process, script, undefined));
  }

  run(): void {
    for (let event = this.#events.pop(); event !== undefined; event = this.#events.pop()) {
      this.now = event.at;
      event.run();
    }
  }

  #resume(process: number, script: Script, told: Told | undefined): void {
    const { done, value } = script.next(told);
    if (done) return;
    if (value.kind === "sleep") this.at(this.now + value.millis, () => this.#resume(process, script, undefined));
    else this.#send(process, script, value);
  }

  #send(process: number, script: Script, { ask, perform }: Extract<Step, { kind: "ask" }>): void {
    const { random, now: invoked } = this;
    const { unknown, lateMillis, noEffect, refusedButDone, doneTwice } = this.#network;
    const record = (answer: Told, answered: Millis): void => {
      const id = this.#ids++;
      this.operations.push({ id, process, invoked, answered, ...ask, answer } as Operation);
      const pause = this.#millis(4);
      this.at(this.now + pause, () => this.#resume(process, script, answer));
    };
    const effect = invoked + this.#delay();
    const refused = random.chance(noEffect);
    if (!refused || random.chance(refusedButDone)) {
      if (refused || !random.chance(unknown)) {
        this.at(effect, () => {
          const answer = perform();
          if (random.chance(doneTwice)) this.at(this.now + this.#delay(), perform);
          const told: Told = refused ? { kind: "noEffect", code: "noLeader" } : answer;
          this.at(this.now + this.#delay(), () => record(told, this.now));
        });
        return;
      }
      const gaveUp = invoked + 20 + this.#millis(20);
      if (random.chance(0.5)) this.at(random.chance(0.3) ? effect + this.#millis(lateMillis) : effect, perform);
      this.at(gaveUp, () => record({ kind: "unknown", code: "timeout", gaveUp }, Number.POSITIVE_INFINITY));
      return;
    }
    this.at(effect, () => record({ kind: "noEffect", code: "noLeader" }, this.now));
  }

  #millis(below: number): Millis {
    return (this.random.next() / 2 ** 32) * below;
  }

  /** Mostly short, now and then a pause. */
  #delay(): Millis {
    return 0.2 + this.#millis(this.random.chance(0.03) ? 60 : 6);
  }
}
