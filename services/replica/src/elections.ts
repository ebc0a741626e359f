/** How long this replica looked for leaders, and for how long it did not serve for want of one. */
import type { Status } from "@quorate/zab";
import { Spread } from "./spread.ts";

export class Elections {
  /** How often it began to look; its start is the first. */
  looked = 1;
  /** Until it had a leader, or was one; milliseconds. */
  readonly times: Spread = new Spread();
  /** Until it served again. */
  readonly outages: Spread = new Spread();
  #lookingSince: number | undefined;
  #silentSince: number | undefined;

  constructor(now: number) {
    this.#lookingSince = now;
    this.#silentSince = now;
  }

  changed({ role, serving }: Pick<Status, "role" | "serving">, now: number): void {
    if (role === "looking") {
      if (this.#lookingSince === undefined) this.looked += 1;
      this.#lookingSince ??= now;
    } else if (this.#lookingSince !== undefined) {
      this.times.observe(now - this.#lookingSince);
      this.#lookingSince = undefined;
    }
    if (!serving) {
      this.#silentSince ??= now;
    } else if (this.#silentSince !== undefined) {
      this.outages.observe(now - this.#silentSince);
      this.#silentSince = undefined;
    }
  }
}
