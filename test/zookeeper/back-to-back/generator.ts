/** Which client does what next. It looks at one side's clients only, so that a seed gives the same steps whatever the other says. */
import { SeededRandom } from "../../simulation/random.ts";
import type { WireRequest } from "../wire-records.ts";
import { Knowledge } from "./knowledge.ts";
import { hardQuotas, quotaRequest } from "./quotas.ts";
import { anyLoneRequest, anyRequest, withoutCompany } from "./requests.ts";
import type { Slot } from "./side.ts";
import type { Step } from "./step.ts";

export interface GeneratorOptions {
  readonly seed: number;
  /** Requests on their way at once, at most. */
  readonly pipelined: number;
  /** Whether the clients may sit at a follower. */
  readonly followers: boolean;
  /** Whether sessions are left to expire, which takes seconds each. */
  readonly expiries: boolean;
}

/** Of sessions that may be left to expire. */
const shortMillis = 6_000;

export class Generator {
  readonly knowledge = new Knowledge();
  readonly #random: SeededRandom;
  readonly #options: GeneratorOptions;
  #expiries = 0;
  /** In a round, quotas may refuse: then nothing that they refuse is pipelined or in company. */
  #hardQuotas = false;
  /** What a round begins with. */
  #first: WireRequest[] = [];

  constructor(options: GeneratorOptions) {
    this.#options = options;
    this.#random = new SeededRandom(options.seed);
  }

  /** Everything begins anew: nobody is connected, and the tree is empty. */
  beginRound(): void {
    this.knowledge.clear();
    this.#hardQuotas = this.#options.pipelined === 1 && this.#random.chance(0.3);
    this.#first = this.#hardQuotas ? hardQuotas(this.#random) : [];
  }

  next(slots: readonly Slot[]): Step {
    const random = this.#random;
    const slot = random.below(slots.length);
    const client = slots[slot];
    if (!client?.isOpen) {
      if (client?.session === 0n || client === undefined) return this.#open(slot);
      // While it is away, the others go on.
      if (random.chance(0.75) && slots.some((each) => each.isOpen)) return this.#busy(slots);
      return { kind: "return", slot, wrongPassword: random.chance(0.05) };
    }
    const at = random.below(1_000);
    if (at < 8) return { kind: "close", slot };
    if (at < 20) return { kind: "cut", slot };
    if (at < 40 && client.timeoutMillis === shortMillis) {
      return { kind: "expire", slot, path: `/expiring-${this.#expiries++}` };
    }
    return this.#send(slot);
  }

  /** One of those that are open. */
  #busy(slots: readonly Slot[]): Step {
    const open = [...slots.keys()].filter((each) => slots[each]?.isOpen);
    return this.#send(this.#random.pick(open));
  }

  #open(slot: number): Step {
    // Both servers keep timeouts between 4 and 40 s; a client that says little must not lose its session meanwhile.
    const isShort = this.#options.expiries && this.#random.chance(0.3);
    const timeoutMillis = isShort ? shortMillis : this.#random.pick([30_000, 40_000, 40_000, 100_000]);
    return { kind: "open", slot, timeoutMillis };
  }

  #send(slot: number): Step {
    const random = this.#random;
    const { pipelined } = this.#options;
    if (pipelined === 1 && random.chance(0.1)) {
      const request = anyLoneRequest(random, this.knowledge);
      // A record that is cut short is left without an answer by a real follower.
      const isTaken = request.op !== "raw" || !this.#options.followers;
      return { kind: "send", slot, requests: [isTaken ? request : { op: "whoAmI" }] };
    }
    const first = this.#first.shift();
    if (first) return { kind: "send", slot, requests: [first] };
    if (!this.#hardQuotas && random.chance(0.03)) return { kind: "send", slot, requests: [quotaRequest(random)] };
    const count = pipelined === 1 ? 1 : random.between(1, pipelined);
    const judged = this.#hardQuotas ? withoutCompany : (request: WireRequest) => request;
    const requests = Array.from({ length: count }, () => judged(anyRequest(random, this.knowledge)));
    // A real server judges what comes behind a setAcl by the former list until it has applied that: mostly not, but as it comes.
    const setAcl = requests.findIndex(({ op }) => op === "setAcl");
    return { kind: "send", slot, requests: setAcl < 0 ? requests : requests.slice(0, setAcl + 1) };
  }
}
