/**
 * What one resource accepted, in its own order, judged by the tokens of those who wrote. A section is what one holder did, and
 * bears its token, the place's number in the queue. At each write, whoever came earlier and writes later was still there: if
 * there are so many of them that the writer could not have held the lock, it wrote into their sections, or out of its turn.
 */
import type { LockMode } from "./rest-locks.ts";

export type Token = number;

interface Section {
  readonly token: Token;
  readonly mode: LockMode;
  first: number;
  /** Tokens below its own that wrote behind its first write, and exclude it. */
  readonly outlivedBy: Set<Token>;
  blamed: boolean;
}

export interface Write {
  /** Place in the resource's own order; no two are equal. */
  readonly at: number;
  readonly token: Token;
  readonly mode: LockMode;
}

/** A violation is found with the write that shows it, in whatever order the writes become known. */
export class SectionJudge {
  /** How many at a time: of a semaphore its permits, else 1. */
  readonly #capacity: number;
  readonly #sections = new Map<Token, Section>();
  /** By rising token. */
  readonly #order: Section[] = [];
  writes = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get sections(): number {
    return this.#sections.size;
  }

  /** What is wrong, if this write shows it. The first write of a section must be told before those that lie behind it. */
  accepted({ at, token, mode }: Write): string | undefined {
    this.writes += 1;
    const own = this.#section(token, mode, at);
    let found: string | undefined;
    for (let i = this.#order.length - 1; i >= 0; i--) {
      const later = this.#order[i] as Section;
      if (later.token <= token) break;
      if (later.first > at || (later.mode === "read" && own.mode === "read")) continue;
      later.outlivedBy.add(token);
      if (later.outlivedBy.size < this.#capacity || later.blamed) continue;
      later.blamed = true;
      found ??=
        `${hex(token)} (${mode}) wrote at ${hex(at)}, after ${hex(later.token)} (${later.mode}), which stands behind it in the ` +
        `queue, had begun at ${hex(later.first)}; ${later.outlivedBy.size} before it were still there, and ${this.#capacity} may hold`;
    }
    return found;
  }

  #section(token: Token, mode: LockMode, at: number): Section {
    const known = this.#sections.get(token);
    if (known) {
      known.first = Math.min(known.first, at);
      return known;
    }
    const section: Section = { token, mode, first: at, outlivedBy: new Set(), blamed: false };
    this.#sections.set(token, section);
    let place = this.#order.length;
    while (place > 0 && (this.#order[place - 1] as Section).token > token) place--;
    this.#order.splice(place, 0, section);
    return section;
  }
}

function hex(zxid: number): string {
  return `0x${zxid.toString(16)}`;
}
