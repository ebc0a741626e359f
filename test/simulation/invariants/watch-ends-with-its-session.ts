/**
 * DESIGN 7 and API.md: a watch that is kept by a session ends with it, by `sessionExpired`, and by nothing else so.
 *
 * Checked, by watch: when it is told that its session is over, the order has ended that session; once nothing fails any
 * more, no watch is open whose session the order has ended.
 */
import { type Finished, Invariant, type Watch, type WatchSeen } from "../observation.ts";
import type { Order } from "./order.ts";

/** What happened in the last moments of a run may be on its way yet, ms. */
const deliveryMillis = 500;

export class WatchEndsWithItsSession extends Invariant {
  readonly name = "watch-ends-with-its-session";
  readonly #order: Order;
  readonly #open = new Map<number, Watch>();

  constructor(order: Order) {
    super();
    this.#order = order;
  }

  override watched(seen: WatchSeen): void {
    if (seen.kind === "opened" && seen.watch.request.acting) this.#open.set(seen.watch.id, seen.watch);
    if (seen.kind !== "ended") return;
    this.#open.delete(seen.watch.id);
    const session = seen.watch.request.acting?.session;
    if (seen.end?.code !== "sessionExpired") return;
    if (session === undefined) this.broken(`watch ${seen.watch.id} ends with a session, and has none`);
    // While the order has a hole, the end may lie in it.
    const life = this.#order.sessions.get(session);
    if (!this.#order.whole || (life && life.ended !== undefined)) return;
    this.broken(`watch ${seen.watch.id} ends because session ${session} is over, which is not so`);
  }

  override finished({ at }: Finished): void {
    for (const { id, gateway, request } of this.#open.values()) {
      const life = request.acting && this.#order.sessions.get(request.acting.session);
      if (life?.ended === undefined || life.endedAt > at - deliveryMillis) continue;
      this.broken(`watch ${id} at gateway ${gateway} is still open; session ${life.session} is over`);
    }
  }
}
