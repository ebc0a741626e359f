/**
 * DESIGN 7: a watch is a cursor; API.md: everything up to a cursor has been told, and a cursor is valid at every replica.
 *
 * Checked, by watch: its cursor never goes back, neither behind the one that it was opened with nor, where it began with
 * the state, behind what its client demanded to see; it is a committed position, and always of the same history; what is told lies behind the former cursor
 * and not beyond the new one, by rising zxids. No cursor is refused as of another history: there is one.
 */
import { formatZxid, type Zxid } from "@quorate/api";
import type { Cursor } from "@quorate/gateway";
import { type AppliedBatch, Invariant, type Watch, type WatchSeen } from "../observation.ts";
import type { Order } from "./order.ts";

interface Place {
  zxid: Zxid;
  history: string | undefined;
}

export class CursorMonotonic extends Invariant {
  readonly name = "cursor-monotonic";
  readonly #order: Order;
  readonly #places = new Map<number, Place>();

  constructor(order: Order) {
    super();
    this.#order = order;
  }

  override applied(seen: AppliedBatch): void {
    this.#order.note(seen);
  }

  override watched(seen: WatchSeen): void {
    switch (seen.kind) {
      case "asked": {
        const { after } = seen.watch.request;
        this.#places.set(seen.watch.id, { zxid: after?.zxid ?? (0 as Zxid), history: after?.history });
        return;
      }
      case "opened": {
        const { minZxid, after } = seen.watch.request;
        // With a cursor, what lies between is told behind this, perhaps in parts.
        if (after !== undefined) return;
        if (seen.cursor.zxid < minZxid) this.#wrong(seen.watch, `begins before ${formatZxid(minZxid)}`, seen.cursor);
        return this.#move(seen.watch, seen.cursor);
      }
      case "told": {
        const from = this.#places.get(seen.watch.id)?.zxid ?? (0 as Zxid);
        let last = from;
        for (const { zxid } of seen.events) {
          const isNext = last === from ? zxid > from : zxid >= last;
          if (!isNext) this.#wrong(seen.watch, `is told ${formatZxid(zxid)} behind ${formatZxid(last)}`, seen.cursor);
          last = zxid;
        }
        if (seen.events.length > 0 && last > seen.cursor.zxid)
          this.#wrong(seen.watch, `is told ${formatZxid(last)}, beyond`, seen.cursor);
        return this.#move(seen.watch, seen.cursor);
      }
      case "stands":
        return this.#move(seen.watch, seen.cursor);
      case "ended": {
        const place = this.#places.get(seen.watch.id);
        this.#places.delete(seen.watch.id);
        // There is one history here, so that each cursor that anybody has is of it.
        if (seen.end?.code === "cursorOfAnotherHistory" && place !== undefined) {
          this.#wrong(seen.watch, "is refused as of another history", place);
        }
        return;
      }
      default:
    }
  }

  #move(watch: Watch, cursor: Cursor): void {
    const place = this.#places.get(watch.id);
    if (!place) return;
    const { zxid, history } = cursor;
    if (zxid < place.zxid) this.#wrong(watch, `goes back from ${formatZxid(place.zxid)}`, cursor);
    if (this.#order.whole && zxid > this.#order.end) {
      this.#wrong(watch, `is ahead of the order, which ends at ${formatZxid(this.#order.end)}`, cursor);
    }
    if (place.history !== undefined && history !== place.history) {
      this.#wrong(watch, `was of the history ${place.history}`, cursor);
    }
    place.zxid = zxid;
    place.history = history;
  }

  #wrong(
    { id, gateway }: Watch,
    what: string,
    { zxid, history = "" }: Omit<Place, "history"> & { history?: string | undefined },
  ): never {
    this.broken(`watch ${id} at gateway ${gateway} ${what}; its cursor is ${formatZxid(zxid)}.${history}`);
  }
}
