/**
 * Numbers that two servers draw by themselves: zxids and session ids. They need not be equal, but must correspond: the same
 * number here is the same number there, and what is later here is later there.
 */

/** A bijection that keeps the order. */
export class Correspondence {
  readonly #there = new Map<bigint, bigint>();
  readonly #here = new Map<bigint, bigint>();
  /** All pairs, by the first. */
  readonly #sorted: { readonly a: bigint; readonly b: bigint }[] = [];
  readonly #ordered: boolean;

  constructor(options: { readonly ordered: boolean }) {
    this.#ordered = options.ordered;
  }

  /** Says what is wrong when the two cannot be the same thing. 0 is nobody's number, nor is -1. */
  pair(a: bigint, b: bigint): string | undefined {
    if (a <= 0n || b <= 0n) return a === b ? undefined : `${hex(a)} beside ${hex(b)}`;
    const there = this.#there.get(a);
    const here = this.#here.get(b);
    if (there === b && here === a) return undefined;
    if (there !== undefined) return `${hex(a)} was ${hex(there)} there, and is ${hex(b)} now`;
    if (here !== undefined) return `${hex(b)} was ${hex(here)} here, and is ${hex(a)} now`;
    const at = this.#placeOf(a);
    const before = this.#sorted[at - 1];
    const after = this.#sorted[at];
    if (this.#ordered && before && before.b > b) return `${hex(a)} is later than ${hex(before.a)} only here`;
    if (this.#ordered && after && after.b < b) return `${hex(a)} is earlier than ${hex(after.a)} only here`;
    this.#sorted.splice(at, 0, { a, b });
    this.#there.set(a, b);
    this.#here.set(b, a);
    return undefined;
  }

  /**
   * Of moments that need not be pairs: which of two states was looked at. What had happened here had happened there, as far as
   * pairs know.
   */
  sameMoment(a: bigint, b: bigint): string | undefined {
    const at = this.#placeOf(a);
    const isPair = this.#sorted[at]?.a === a;
    const before = this.#sorted[isPair ? at : at - 1];
    const after = this.#sorted[isPair ? at + 1 : at];
    if (before && before.b > b) return `${hex(before.a)} has happened here, ${hex(before.b)} not there`;
    if (after && after.b <= b) return `${hex(after.b)} has happened there, ${hex(after.a)} not here`;
    return undefined;
  }

  #placeOf(a: bigint): number {
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#sorted[middle]?.a ?? 0n) < a) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** A value that is a function of another on each side: the time of a transaction. */
export class Function64 {
  readonly #values = new Map<bigint, bigint>();
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
  }

  is(argument: bigint, value: bigint): string | undefined {
    const known = this.#values.get(argument);
    if (known === undefined) this.#values.set(argument, value);
    return known === undefined || known === value
      ? undefined
      : `${this.#name} of ${hex(argument)} was ${known} and is ${value}`;
  }
}

export function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}
