/**
 * Is there an order of an object's operations that its specification allows and that real time allows? The search of Wing and Gong
 * ("Testing and Verifying Concurrent Objects", 1993) with Lowe's memory of what was tried ("Testing for Linearizability", 2017).
 * It knows no model.
 *
 * Required moves must stand in the order, optional ones may. What keeps the search small, and why nothing is lost by it: among all
 * orders that would do, think of one with the fewest optional moves, and of those one in which they stand latest.
 * 1. A required move that is possible and changes nothing is taken at once: pulled forward, it leaves all others as they were.
 * 2. Of optional moves that are the same but for their invocation (`twin`), the one invoked first is taken first.
 * 3. Optional moves are taken only as a bridge to a required one, and none of a bridge may be left out, or stand behind that one
 *    as well: the order would not be the one thought of.
 * 4. Of two ways that placed the same required moves and left the same state, the one that spent fewer optional ones can do all
 *    that the other can.
 */
import { assert } from "@quorate/api";
import type { Millis } from "./history.ts";

/** What may be put in order: an operation, or something else that happens to the object. */
export interface Entry<Move> {
  readonly move: Move;
  /** It takes effect after this … */
  readonly invoked: Millis;
  /** … and, if it is required, before this. */
  readonly answered: Millis;
  /** False: it may have happened, or not. */
  readonly required: boolean;
  /** Required ones that have one stand in the order of it. */
  readonly order?: number;
  /** Of an optional one: those with the same are interchangeable. */
  readonly twin?: string;
}

/** A sequential specification. */
export interface Model<State, Move> {
  readonly initial: State;
  /** Undefined: impossible in this state. The same state (`===`): it changes nothing. */
  readonly apply: (state: State, move: Move) => State | undefined;
  /** Equal exactly for states that allow the same. */
  readonly key: (state: State) => string;
  /** Whether this optional move may be the next of a bridge from this state to the target. Undefined: any may. */
  readonly helps?: (state: State, optional: Move, target: Move) => boolean;
}

export interface PartialOrder<State, Move> {
  readonly order: readonly Entry<Move>[];
  readonly state: State;
}

export type Finding<State, Move> =
  | { readonly kind: "linearizable"; readonly steps: number }
  /** `deepest`: the order found that placed most of the required ones. */
  | { readonly kind: "violated"; readonly steps: number; readonly deepest: PartialOrder<State, Move> }
  | { readonly kind: "undecided"; readonly steps: number };

/** Moves tried in one search before it is given up. */
export const defaultSteps = 400_000;

export function search<State, Move>(
  model: Model<State, Move>,
  entries: readonly Entry<Move>[],
  steps: number = defaultSteps,
): Finding<State, Move> {
  return new Search(model, entries, steps).run();
}

/** Optional moves, and the required one that they lead to. */
interface Step<State> {
  readonly bridge: readonly number[];
  readonly target: number;
  readonly state: State;
}

/** One place of the order: what may stand here. */
interface Frame<State> {
  readonly state: State;
  /** What led here; undefined at the start. */
  readonly from: Step<State> | undefined;
  readonly next: Iterator<Step<State>, void>;
}

class Search<State, Move> {
  readonly #model: Model<State, Move>;
  /** The required ones by invocation, then the optional ones by invocation. */
  readonly #entries: readonly Entry<Move>[];
  readonly #requiredCount: number;
  /** The required ones that have an order, in it. */
  readonly #ordered: readonly number[];
  readonly #limit: number;
  readonly #placed: Uint8Array;
  /** For the memory: the required ones that are placed as bits, sixteen a character, and the optional ones. */
  readonly #bits: Uint16Array;
  #spent = 0n;
  readonly #tried = new Map<string, bigint[]>();
  readonly #frames: Frame<State>[] = [];
  #missing: number;
  #steps = 0;
  #deepest: PartialOrder<State, Move>;
  #fewestMissing: number;

  constructor(model: Model<State, Move>, entries: readonly Entry<Move>[], limit: number) {
    const required = entries.filter((entry) => entry.required).sort(byInvocation);
    const optional = entries.filter((entry) => !entry.required).sort(byInvocation);
    this.#model = model;
    this.#entries = [...required, ...optional];
    this.#requiredCount = required.length;
    this.#ordered = required
      .flatMap(({ order }, index) => (order === undefined ? [] : [{ order, index }]))
      .sort((a, b) => a.order - b.order)
      .map(({ index }) => index);
    this.#limit = limit;
    this.#placed = new Uint8Array(entries.length);
    this.#bits = new Uint16Array(Math.ceil(required.length / 16));
    this.#missing = required.length;
    this.#fewestMissing = required.length;
    this.#deepest = { order: [], state: model.initial };
  }

  run(): Finding<State, Move> {
    this.#push(this.#model.initial, undefined);
    for (;;) {
      if (this.#missing === 0) return { kind: "linearizable", steps: this.#steps };
      const frame = this.#frames.at(-1);
      if (frame === undefined) return { kind: "violated", steps: this.#steps, deepest: this.#deepest };
      const step = frame.next.next();
      if (this.#steps > this.#limit) return { kind: "undecided", steps: this.#steps };
      if (step.done) this.#pop();
      else this.#take(frame, step.value);
    }
  }

  #take(frame: Frame<State>, step: Step<State>): void {
    this.#markAll(step, true);
    if (step.state !== frame.state && !this.#isNew(step.state)) {
      this.#markAll(step, false);
      return;
    }
    this.#push(step.state, step);
    if (this.#missing >= this.#fewestMissing) return;
    this.#fewestMissing = this.#missing;
    const taken = this.#frames.flatMap(({ from }) => (from === undefined ? [] : [...from.bridge, from.target]));
    this.#deepest = { order: taken.map((index) => this.#at(index)), state: step.state };
  }

  /** Rule 4. */
  #isNew(state: State): boolean {
    const key = `${String.fromCharCode(...this.#bits)}|${this.#model.key(state)}`;
    const ways = this.#tried.get(key);
    if (ways === undefined) {
      this.#tried.set(key, [this.#spent]);
      return true;
    }
    if (ways.some((way) => (way & this.#spent) === way)) return false;
    ways.push(this.#spent);
    return true;
  }

  #push(state: State, from: Step<State> | undefined): void {
    this.#frames.push({ state, from, next: this.#following(state) });
  }

  #pop(): void {
    const from = this.#frames.pop()?.from;
    if (from !== undefined) this.#markAll(from, false);
  }

  #markAll({ bridge, target }: Step<State>, placed: boolean): void {
    for (const index of bridge) this.#mark(index, placed);
    this.#mark(target, placed);
  }

  #mark(index: number, placed: boolean): void {
    assert((this.#placed[index] === 1) !== placed, "an entry is placed once");
    this.#placed[index] = placed ? 1 : 0;
    if (index >= this.#requiredCount) {
      this.#spent ^= this.#bitOf(index);
      return;
    }
    const word = index >> 4;
    this.#bits[word] = (this.#bits[word] ?? 0) ^ (1 << (index & 15));
    this.#missing += placed ? -1 : 1;
  }

  #bitOf(optional: number): bigint {
    return 1n << BigInt(optional - this.#requiredCount);
  }

  #at(index: number): Entry<Move> {
    const entry = this.#entries[index];
    assert(entry !== undefined, "an index of the search is one of its entries");
    return entry;
  }

  #apply(state: State, index: number): State | undefined {
    this.#steps++;
    return this.#model.apply(state, this.#at(index).move);
  }

  /** What may follow, the likeliest first. */
  *#following(state: State): Generator<Step<State>, void> {
    const { targets, bound } = this.#targets();
    const direct: Step<State>[] = [];
    for (const target of targets) {
      const next = this.#apply(state, target);
      if (next === undefined) continue;
      if (next === state) {
        yield { bridge: [], target, state };
        return;
      }
      direct.push({ bridge: [], target, state: next });
    }
    yield* direct.sort((a, b) => this.#hint(a.target) - this.#hint(b.target));
    const optional = this.#available(bound);
    if (optional.length === 0) return;
    for (const target of targets) yield* this.#bridges(state, target, optional);
  }

  #hint(index: number): number {
    const { order, answered } = this.#at(index);
    return order ?? answered;
  }

  /** The required ones of which one must stand here: no other was answered before they were invoked. */
  #targets(): { readonly targets: readonly number[]; readonly bound: Millis } {
    const next = this.#ordered.find((index) => this.#placed[index] === 0);
    const targets: number[] = [];
    let bound = Number.POSITIVE_INFINITY;
    for (let index = 0; index < this.#requiredCount; index++) {
      if (this.#placed[index] === 1) continue;
      const { invoked, answered, order } = this.#at(index);
      if (invoked > bound) break;
      bound = Math.min(bound, answered);
      if (order === undefined || index === next) targets.push(index);
    }
    return { targets, bound };
  }

  #available(bound: Millis): readonly number[] {
    const available: number[] = [];
    for (let index = this.#requiredCount; index < this.#entries.length; index++) {
      if (this.#at(index).invoked > bound) break;
      if (this.#placed[index] === 0) available.push(index);
    }
    return available;
  }

  /** Rule 3, the shortest bridges first. */
  *#bridges(start: State, target: number, optional: readonly number[]): Generator<Step<State>, void> {
    const reached = new Map<string, bigint[]>([[this.#model.key(start), [0n]]]);
    let ends: Bridge<State>[] = [{ bridge: [], spent: 0n, state: start }];
    while (ends.length > 0) {
      const further: Bridge<State>[] = [];
      for (const end of ends) {
        for (const longer of this.#longer(end, target, optional)) {
          const key = this.#model.key(longer.state);
          const ways = reached.get(key) ?? [];
          if (ways.some((way) => (way & longer.spent) === way)) continue;
          reached.set(key, [...ways, longer.spent]);
          further.push(longer);
          const { bridge } = longer;
          const state = this.#apply(longer.state, target);
          if (state !== undefined && this.#isTight(start, bridge, target, state)) yield { bridge, target, state };
        }
        if (this.#steps > this.#limit) return;
      }
      ends = further;
    }
  }

  #longer({ bridge, spent, state }: Bridge<State>, target: number, optional: readonly number[]): Bridge<State>[] {
    const { helps } = this.#model;
    const { move } = this.#at(target);
    const twins = new Set<string>();
    return optional.flatMap((index) => {
      const entry = this.#at(index);
      if ((spent & this.#bitOf(index)) !== 0n) return [];
      if (entry.twin !== undefined) {
        if (twins.has(entry.twin)) return [];
        twins.add(entry.twin);
      }
      if (helps !== undefined && !helps(state, entry.move, move)) return [];
      const next = this.#apply(state, index);
      if (next === undefined || next === state) return [];
      return [{ bridge: [...bridge, index], spent: spent | this.#bitOf(index), state: next }];
    });
  }

  /** None of the bridge can be left out, or moved behind the target. */
  #isTight(start: State, bridge: readonly number[], target: number, end: State): boolean {
    const key = this.#model.key(end);
    return bridge.every((left) => {
      const without = this.#through(start, [...bridge.filter((index) => index !== left), target]);
      if (without === undefined) return true;
      if (this.#model.key(without) === key) return false;
      const behind = this.#apply(without, left);
      return behind === undefined || this.#model.key(behind) !== key;
    });
  }

  #through(start: State, indices: readonly number[]): State | undefined {
    let state: State | undefined = start;
    for (const index of indices) {
      state = this.#apply(state, index);
      if (state === undefined) return undefined;
    }
    return state;
  }
}

interface Bridge<State> {
  readonly bridge: readonly number[];
  readonly spent: bigint;
  readonly state: State;
}

function byInvocation<Move>(a: Entry<Move>, b: Entry<Move>): number {
  return a.invoked - b.invoked;
}

/** What is known of the entries at one moment: what is answered later may have happened, or not. */
export function prefixUntil<Move>(entries: readonly Entry<Move>[], moment: Millis): Entry<Move>[] {
  return entries
    .filter((entry) => entry.invoked <= moment)
    .map((entry) => (entry.answered > moment ? { ...entry, required: false } : entry));
}

/** The earliest moment whose prefix cannot be put in order, if the whole cannot. A prefix of a right history is right. */
export function failsAt<State, Move>(
  model: Model<State, Move>,
  entries: readonly Entry<Move>[],
  steps: number = defaultSteps,
): Millis {
  const required = entries.filter((entry) => entry.required);
  const moments = [...new Set(required.map((entry) => entry.answered))].sort((a, b) => a - b);
  let low = 0;
  let high = moments.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    const prefix = prefixUntil(entries, moments[middle] ?? 0);
    if (search(model, prefix, steps).kind === "violated") high = middle;
    else low = middle + 1;
  }
  return moments[high] ?? Number.POSITIVE_INFINITY;
}
