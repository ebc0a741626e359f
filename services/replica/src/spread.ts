/** How many things of a kind there were, and what they took, least and most: a few additions for each. */
export class Spread {
  count = 0;
  sum = 0;
  last = 0;
  #min = Number.POSITIVE_INFINITY;
  max = 0;

  observe(value: number): void {
    this.count += 1;
    this.sum += value;
    this.last = value;
    if (value < this.#min) this.#min = value;
    if (value > this.max) this.max = value;
  }

  /** 0 while there was none, as the others. */
  get min(): number {
    return this.count === 0 ? 0 : this.#min;
  }
}
