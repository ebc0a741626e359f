/**
 * The children of one znode, sorted: chunks of the very strings that key the znode map, so that a child costs a
 * pointer. An index only: what is replicated is the znodes themselves.
 */

/** A chunk that would grow beyond this is split. */
const chunkLimit = 512;

export class SortedNames {
  readonly #chunks: string[][] = [];

  get size(): number {
    let sum = 0;
    for (const chunk of this.#chunks) sum += chunk.length;
    return sum;
  }

  /** `path` must not be there. */
  insert(path: string): void {
    const chunks = this.#chunks;
    const last = chunks[chunks.length - 1];
    if (last === undefined) {
      chunks.push([path]);
      return;
    }
    if (path > (last[last.length - 1] as string)) {
      // Ascending names, the common case: full chunks stay full.
      if (last.length < chunkLimit) last.push(path);
      else chunks.push([path]);
      return;
    }
    const at = this.#chunkOf(path);
    const chunk = chunks[at] as string[];
    chunk.splice(lowerBound(chunk, path), 0, path);
    if (chunk.length > chunkLimit) chunks.splice(at + 1, 0, chunk.splice(chunkLimit >> 1));
  }

  /** `path` must be there. */
  remove(path: string): void {
    const at = this.#chunkOf(path);
    const chunk = this.#chunks[at] as string[];
    chunk.splice(lowerBound(chunk, path), 1);
    if (chunk.length === 0) this.#chunks.splice(at, 1);
  }

  /** Those greater than `path`, in order; all if it is undefined. Not to be held across changes. */
  *after(path: string | undefined): Generator<string, void, undefined> {
    for (const run of this.runsAfter(path)) {
      for (const each of run) yield each;
    }
  }

  /** As `after`, many at a time. */
  *runsAfter(path: string | undefined): Generator<readonly string[], void, undefined> {
    let at = path === undefined ? 0 : this.#chunkOf(path);
    let index = 0;
    if (path !== undefined) {
      const chunk = this.#chunks[at];
      if (chunk === undefined) return;
      index = lowerBound(chunk, path);
      if (chunk[index] === path) index++;
    }
    for (; at < this.#chunks.length; at++, index = 0) {
      const chunk = this.#chunks[at] as string[];
      if (index < chunk.length) yield index === 0 ? chunk : chunk.slice(index);
    }
  }

  /** The chunk where `path` is or would be: the last whose first name is not greater; the first if all are. */
  #chunkOf(path: string): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (((this.#chunks[middle] as string[])[0] as string) <= path) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? 0 : low - 1;
  }
}

/** The first index whose name is not less than `path`. */
function lowerBound(chunk: readonly string[], path: string): number {
  let low = 0;
  let high = chunk.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((chunk[middle] as string) < path) low = middle + 1;
    else high = middle;
  }
  return low;
}
