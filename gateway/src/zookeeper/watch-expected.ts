/** The paths of watches that wait for their replies, with the kinds of all that wait for a path; several may. */
import type { ChangeType, Path } from "@quorate/api";
import { WatchTable } from "./watch-table.ts";

export class Expected {
  readonly #table = new WatchTable();
  readonly #waiting = new Map<Path, number>();

  /** Paths. */
  get size(): number {
    return this.#table.size;
  }

  /** Some of these kinds may have been given up already. */
  get(path: Path): number {
    return this.#table.get(path);
  }

  meets(type: ChangeType, path: Path): boolean {
    return this.#table.meets(type, path);
  }

  add(path: Path, kinds: number): void {
    this.#waiting.set(path, (this.#waiting.get(path) ?? 0) + 1);
    this.#table.add(path, kinds);
  }

  /** One that was added has its reply. */
  leave(path: Path): void {
    const left = (this.#waiting.get(path) ?? 0) - 1;
    if (left > 0) {
      this.#waiting.set(path, left);
      return;
    }
    this.#waiting.delete(path);
    this.#table.remove(path, this.#table.get(path));
  }
}
