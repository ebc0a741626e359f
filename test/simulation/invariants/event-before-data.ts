/**
 * ZooKeeper's watch guarantees: "a client will see a watch event for a znode it is watching before seeing the new data that
 * corresponds to that znode"; DESIGN 7: a transaction's changes leave on a stream before any reply computed at or after it.
 *
 * Checked, by line (a client's watch, and its session's lane beside it): once an answer of the lane shows the state at a
 * zxid, no event of that zxid or an earlier one comes behind it; and what is asked behind an event is answered from a state
 * that has what the event told of. Reads that may be stale are left out: they say so.
 */
import { formatZxid, type Zxid } from "@quorate/api";
import { Invariant, type WatchSeen } from "../observation.ts";

export class EventBeforeData extends Invariant {
  readonly name = "event-before-data";
  /** The newest state that a line's answers have shown. */
  readonly #shown = new Map<number, { readonly zxid: Zxid; readonly what: string }>();

  override watched(seen: WatchSeen): void {
    if (seen.kind === "told") {
      const { line } = seen.watch;
      const shown = this.#shown.get(line);
      const late = shown && seen.events.find((each) => each.zxid <= shown.zxid);
      if (!shown || !late) return;
      const event = `${late.type} ${late.path} at ${formatZxid(late.zxid)}`;
      this.broken(`on line ${line} ${event} is told behind ${shown.what}, which is of ${formatZxid(shown.zxid)}`);
    }
    if (seen.kind !== "answered") return;
    const { line, zxid, floor, what } = seen;
    if (zxid < floor) {
      this.broken(
        `on line ${line} ${what} is of ${formatZxid(zxid)}; its client had been told of ${formatZxid(floor)}`,
      );
    }
    if (zxid > (this.#shown.get(line)?.zxid ?? 0)) this.#shown.set(line, { zxid, what });
  }
}
