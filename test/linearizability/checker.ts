/**
 * Is there an order of an object's operations that its specification allows and that real time allows? The search of Wing and Gong
 * ("Testing and Verifying Concurrent Objects", 1993) with Lowe's memory of what was tried ("Testing for Linearizability", 2017).
 * It knows no model.
 *
 * What keeps it small, and why nothing is lost by it. Among all orders that would do, think of the one that is least when at each
 * place a move that changes nothing counts less than a required one that does, that one less than an optional one, and among
 * optional ones the earlier invoked less. That order is never cut off:
 * 1. A required move that is possible and changes nothing is taken at once: pulled forward, it leaves all others as they were.
 * 2. Of optional moves that are the same but for their invocation (`twin`), the one invoked first is taken first.
 * 3. After an optional move, nothing follows that could as well have stood before it with the same result.
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
  /** What is tried first: smaller ones. Of no weight for the verdict. */
  readonly hint: number;
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

interface Step<State> {
  readonly index: number;
  readonly state: State;
}

/** One place of the order: what may stand here. */
interface Frame<State> {
  readonly state: State;
  /** Of the move that led here; -1 at the start. */
  readonly index: number;
  /** The first required entry that is not placed yet. */
  readonly base: number;
  readonly next: readonly Step<State>[];
  tried: number;
}

class Search<State, Move> {
  readonly #model: Model<State, Move>;
  /** The required ones by invocation, then the optional ones by invocation. */
  readonly #entries: readonly Entry<Move>[];
  readonly #requiredCount: number;
  readonly #limit: number;
  readonly #placed: Uint8Array;
  /** The same as bits, sixteen a character, for the memory. */
  readonly #bits: Uint16Array;
  readonly #tried = new Set<string>();
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
    this.#limit = limit;
    this.#placed = new Uint8Array(entries.length);
    this.#bits = new Uint16Array(Math.ceil(entries.length / 16));
    this.#missing = required.length;
    this.#fewestMissing = required.length;
    this.#deepest = { order: [], state: model.initial };
  }

  run(): Finding<State, Move> {
    this.#push(-1, this.#model.initial, undefined);
    for (;;) {
      if (this.#missing === 0) return { kind: "linearizable", steps: this.#steps };
      const frame = this.#frames.at(-1);
      if (frame === undefined) return { kind: "violated", steps: this.#steps, deepest: this.#deepest };
      if (this.#steps > this.#limit) return { kind: "undecided", steps: this.#steps };
      const step = frame.next[frame.tried++];
      if (step === undefined) this.#pop();
      else this.#take(frame, step);
    }
  }

  #take(frame: Frame<State>, { index, state }: Step<State>): void {
    this.#mark(index, true);
    if (state !== frame.state && !this.#isNew(frame, index, state)) {
      this.#mark(index, false);
      return;
    }
    this.#push(index, state, frame);
    if (this.#missing >= this.#fewestMissing) return;
    this.#fewestMissing = this.#missing;
    const order = this.#frames.slice(1).map((each) => this.#at(each.index));
    this.#deepest = { order, state };
  }

  /** What may follow depends on what is placed, on the state, and (rule 3) on an optional move just taken. */
  #isNew(frame: Frame<State>, index: number, state: State): boolean {
    let key = `${String.fromCharCode(...this.#bits)}|${this.#model.key(state)}`;
    if (index >= this.#requiredCount) key += `|${index}|${this.#model.key(frame.state)}`;
    if (this.#tried.has(key)) return false;
    this.#tried.add(key);
    return true;
  }

  #push(index: number, state: State, from: Frame<State> | undefined): void {
    let base = from?.base ?? 0;
    while (base < this.#requiredCount && this.#placed[base] === 1) base++;
    const before = index >= this.#requiredCount ? from?.state : undefined;
    this.#frames.push({ state, index, base, next: this.#following(state, base, index, before), tried: 0 });
  }

  #pop(): void {
    const frame = this.#frames.pop();
    if (frame !== undefined && frame.index >= 0) this.#mark(frame.index, false);
  }

  #mark(index: number, placed: boolean): void {
    assert((this.#placed[index] === 1) !== placed, "an entry is placed once");
    this.#placed[index] = placed ? 1 : 0;
    const word = index >> 4;
    this.#bits[word] = (this.#bits[word] ?? 0) ^ (1 << (index & 15));
    if (index < this.#requiredCount) this.#missing += placed ? -1 : 1;
  }

  #at(index: number): Entry<Move> {
    const entry = this.#entries[index];
    assert(entry !== undefined, "an index of the search is one of its entries");
    return entry;
  }

  /** `before`: the state ahead of `last`, if that is an optional move. */
  #following(state: State, base: number, last: number, before: State | undefined): readonly Step<State>[] {
    const required: Step<State>[] = [];
    // Nothing may stand here that was invoked after the answer of one that is still missing.
    let bound = Number.POSITIVE_INFINITY;
    for (let index = base; index < this.#requiredCount; index++) {
      if (this.#placed[index] === 1) continue;
      const entry = this.#at(index);
      if (entry.invoked > bound) break;
      bound = Math.min(bound, entry.answered);
      const next = this.#apply(state, entry);
      if (next === undefined) continue;
      if (next === state) return [{ index, state }];
      if (before === undefined || !this.#commute(before, last, index, next)) required.push({ index, state: next });
    }
    required.sort((a, b) => this.#at(a.index).hint - this.#at(b.index).hint);
    return [...required, ...this.#optional(state, bound, last, before)];
  }

  #optional(state: State, bound: Millis, last: number, before: State | undefined): Step<State>[] {
    const steps: Step<State>[] = [];
    const twins = new Set<string>();
    for (let index = this.#requiredCount; index < this.#entries.length; index++) {
      if (this.#placed[index] === 1) continue;
      const entry = this.#at(index);
      if (entry.invoked > bound) break;
      if (entry.twin !== undefined) {
        if (twins.has(entry.twin)) continue;
        twins.add(entry.twin);
      }
      const next = this.#apply(state, entry);
      if (next === undefined || next === state) continue;
      if (before !== undefined && index < last && this.#commute(before, last, index, next)) continue;
      steps.push({ index, state: next });
    }
    return steps;
  }

  #apply(state: State, entry: Entry<Move>): State | undefined {
    this.#steps++;
    return this.#model.apply(state, entry.move);
  }

  /** Whether `first` and then `second`, which leads from `before` to `after`, could as well come the other way round. */
  #commute(before: State, first: number, second: number, after: State): boolean {
    const swapped = this.#apply(before, this.#at(second));
    if (swapped === undefined) return false;
    const end = this.#apply(swapped, this.#at(first));
    return end !== undefined && this.#model.key(end) === this.#model.key(after);
  }
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
