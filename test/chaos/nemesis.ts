/** Draws faults, one after another and sometimes two at a time, and demands that all serve again after each. */
import type { SeededRandom } from "../simulation/random.ts";
import type { Arena } from "./arena.ts";
import { diskFaults } from "./disk-faults.ts";
import type { FaultKind, Stage, Underway } from "./faults.ts";
import { pause } from "./hand.ts";
import { networkFaults } from "./network-faults.ts";
import { processFaults } from "./process-faults.ts";
import type { Tally } from "./tally.ts";

export const faultKinds: readonly FaultKind[] = [...processFaults, ...networkFaults, ...diskFaults];

/** Within this, all serve again after the last fault was taken back: the bound of liveness. */
const serveMillis = 45_000;
/** What was held up has arrived so long after it was let go. */
const arrivedMillis = 1500;
/** A shorter gap in writes is not told. */
const toldGapMillis = 500;
/** A longer calm now and then: sessions that are left alone are over in it, and their ephemerals gone. */
const longCalmMillis = 8000;
const longCalmEvery = 8;

export interface NemesisOptions {
  readonly arena: Arena;
  readonly random: SeededRandom;
  readonly tally: Tally;
  readonly announce: (what: string) => void;
  /** Named faults that come first, in this order. */
  readonly first?: readonly string[];
}

export class Nemesis {
  /** How often each began. */
  readonly counts = new Map<string, number>();
  readonly #options: NemesisOptions;
  readonly #queue: string[];
  #rounds = 0;

  constructor(options: NemesisOptions) {
    this.#options = options;
    this.#queue = [...(options.first ?? [])];
  }

  /** Whether all that had to come have come. */
  get isThrough(): boolean {
    return this.#queue.length === 0;
  }

  /** One round: a fault or two, all taken back, all serve again, a calm. */
  async round(): Promise<void> {
    const { random, tally, arena, announce } = this.#options;
    const began = performance.now();
    const claimed = new Set<string>();
    const kinds = this.#draw();
    const stopsWrites = kinds.length > 1 || kinds.some((each) => each.stopsWrites);
    if (kinds.some((each) => each.holdsMessages)) tally.holdUp();
    const done = await Promise.all(
      kinds.map(async (kind, at) => {
        if (at > 0) await pause(random.below(1500));
        return this.#inflict(kind, claimed);
      }),
    );
    const healed = performance.now();
    tally.letGo(arrivedMillis);
    const why = await arena.serves(serveMillis);
    if (why !== "") {
      tally.violate(
        `after ${kinds.map((each) => each.name).join(" and ")} not all serve within ${serveMillis} ms: ${why}`,
      );
      // What follows would only say it again.
      throw new Error("the ensemble does not come back");
    }
    const served = performance.now();
    if (done.some(Boolean)) announce(`all serve, ${Math.round(served - healed)} ms after the end`);
    if (stopsWrites) tally.excuse(began, served + arrivedMillis);
    this.#rounds += 1;
    await pause(this.#rounds % longCalmEvery === 0 ? longCalmMillis : random.between(300, 1500));
    const gap = tally.settleGaps();
    if (gap > toldGapMillis) announce(`longest gap in writes ${Math.round(gap)} ms`);
  }

  async #inflict(kind: FaultKind, claimed: Set<string>): Promise<boolean> {
    const { arena, random, tally, announce } = this.#options;
    const stage: Stage = {
      arena,
      random,
      claim: (name) => {
        const isFree = !claimed.has(name);
        claimed.add(name);
        return isFree;
      },
      violate: (what) => tally.violate(what),
    };
    announce(kind.name);
    const underway: Underway | undefined = await kind.begin(stage);
    if (!underway) {
      announce(`${kind.name}: not possible now`);
      return false;
    }
    this.counts.set(kind.name, (this.counts.get(kind.name) ?? 0) + 1);
    announce(`${kind.name}: ${underway.what}`);
    await pause(underway.millis);
    await underway.end();
    return true;
  }

  #draw(): readonly FaultKind[] {
    const { random } = this.#options;
    const named = this.#queue.shift();
    if (named !== undefined) {
      const kind = faultKinds.find((each) => each.name === named);
      if (!kind) throw new Error(`there is no fault ${named}`);
      return [kind];
    }
    const one = pick(random, faultKinds);
    if (one.isAlone || !random.chance(0.25)) return [one];
    return [
      one,
      pick(
        random,
        faultKinds.filter((each) => !each.isAlone),
      ),
    ];
  }
}

function pick(random: SeededRandom, kinds: readonly FaultKind[]): FaultKind {
  let at = random.below(kinds.reduce((sum, each) => sum + each.weight, 0));
  for (const kind of kinds) {
    at -= kind.weight;
    if (at < 0) return kind;
  }
  throw new Error("nothing to pick from");
}
