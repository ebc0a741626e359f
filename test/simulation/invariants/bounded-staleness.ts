/**
 * API.md section 1: a `stale` read has a bound (`Quorate-Max-Stale`), and its answer bears its age; DESIGN 4,
 * Confirmation: `max-stale` counts, on the follower's own clock, from the latest of its answers that the newest
 * confirmed ping echoes.
 *
 * Checked: what a stale read shows has everything that anybody was told of more than `maxStaleMillis` before the read
 * was asked, and everything that anybody was told of more than the answer's own age before it was asked; the age is
 * within the bound. The replica's clock may be slow by the tolerance.
 */
import { formatZxid, type Zxid } from "@quorate/api";
import { type Answered, Invariant } from "../observation.ts";
import type { Order } from "./order.ts";
import { Told } from "./told.ts";

export class BoundedStaleness extends Invariant {
  readonly name = "bounded-staleness";
  readonly #order: Order;
  readonly #drift: number;
  readonly #told = new Told();

  /** `drift`: by how much of the true time a clock may be wrong. */
  constructor(order: Order, drift: number) {
    super();
    this.#order = order;
    this.#drift = drift;
  }

  override answered({ at, asked, answer }: Answered): void {
    if (answer.kind !== "outcome" || this.#order.suspects.spoke(answer.servedBy, asked.at, at)) return;
    const { outcome, ageMillis } = answer;
    if (asked.kind === "read" && asked.read.consistency === "stale") {
      const { maxStaleMillis } = asked.read;
      const what = `client ${asked.client}'s stale read ${asked.id} at ${formatZxid(outcome.zxid)}`;
      // Ages are told in whole milliseconds, rounded up.
      if (ageMillis > maxStaleMillis + 1) {
        this.broken(`${what} is ${ageMillis} ms old; it may be ${maxStaleMillis} ms`);
      }
      this.#reaches(`${what} may be ${maxStaleMillis} ms old`, outcome.zxid, asked.at, maxStaleMillis);
      this.#reaches(`${what} says that it is ${ageMillis} ms old`, outcome.zxid, asked.at, ageMillis);
    }
    if (asked.kind === "write" || (asked.kind === "read" && asked.read.consistency === "linearizable")) {
      this.#told.tell(at, outcome.zxid);
    }
  }

  #reaches(what: string, zxid: Zxid, askedAt: number, ageMillis: number): void {
    const since = askedAt - ageMillis / (1 - this.#drift);
    const floor = this.#told.before(since);
    if (zxid >= floor) return;
    this.broken(`${what}; ${formatZxid(floor)} was told before ${since.toFixed(1)}, it was asked at ${askedAt}`);
  }
}
