/** The paths that a connection follows for its watches, each with the scopes that some kind of watch there needs. */
import { type Path, utf8Length, type WatchScope } from "@quorate/api";
import type { Following } from "../backend.ts";
import type { WatchLimits } from "./watch-limits.ts";
import { watchKinds } from "./watch-table.ts";

const { data, child, persistent, recursive } = watchKinds;
const bits: { readonly [scope in WatchScope]: number } = { node: 1, children: 2, subtree: 4 };
const scopes = Object.entries(bits) as readonly (readonly [WatchScope, number])[];

/** The scopes that are followed for these kinds, as bits. */
export function scopesFor(kinds: number): number {
  if (kinds === 0) return 0;
  const below = kinds & recursive ? bits.subtree : 0;
  if (kinds & (child | persistent)) return below | bits.node | bits.children;
  return kinds & data ? below | bits.node : below;
}

export class WatchPaths {
  readonly #limits: Pick<WatchLimits, "followed" | "followedBytes">;
  readonly #open: () => Following;
  #following: Following | undefined;
  /** As it is counted there: a path once for each scope. */
  #count = 0;
  #bytes = 0;

  /** `open`: called with the first path. */
  constructor(limits: WatchLimits, open: () => Following) {
    this.#limits = limits;
    this.#open = open;
  }

  /** A watch more might be refused by whom the changes come from. */
  isFull(path: Path): boolean {
    const { followed, followedBytes } = this.#limits;
    return this.#count + 2 > followed || this.#bytes + 2 * bytesOf(path) > followedBytes;
  }

  /** It was followed for these kinds, and is for those. */
  change(path: Path, before: number, after: number): void {
    const [was, is] = [scopesFor(before), scopesFor(after)];
    if (is === was) return;
    this.#following ??= this.#open();
    let more = 0;
    for (const [scope, bit] of scopes) {
      if (is & ~was & bit) {
        this.#following.add(scope, path);
        more += 1;
      } else if (was & ~is & bit) {
        this.#following.remove(scope, path);
        more -= 1;
      }
    }
    this.#count += more;
    this.#bytes += more * bytesOf(path);
  }

  close(): void {
    this.#following?.close();
  }
}

/** In a question, once. */
export function bytesOf(path: Path): number {
  return 4 + utf8Length(path);
}
