/**
 * etcd's API guarantees for watches: ordered, unique, reliable, atomic, resumable; DESIGN 7: "a watch is a cursor:
 * everything on these paths after a zxid"; "an answer never ends inside a transaction".
 *
 * Checked, by watch: what it is told between two of its cursors is what the one order has there of its scopes, as far as its
 * identity might read that: no gap, no duplicate, in the order of zxids, each transaction whole. It begins at the cursor that
 * it was opened behind, or at that of the state that it was shown. Once nothing fails any more, everything has been told, and
 * the cursor has moved on where nothing was to be told.
 */
import { type Change, formatZxid, type WatchEvent, type Zxid } from "@quorate/api";
import { type AppliedBatch, type Finished, Invariant, type Watch, type WatchSeen } from "../observation.ts";
import type { WatchedChanges } from "./watched-changes.ts";

/** What a watch was told up to a cursor; judged when the order is known that far. */
interface Claim {
  readonly cursor: Zxid;
  readonly events: readonly WatchEvent[];
}

interface Open {
  readonly watch: Watch;
  /** Everything up to here was told, and was right; undefined: its state has not been shown. */
  at: Zxid | undefined;
  claims: Claim[];
}

/** What happened in the last moments of a run may be on its way yet, ms. */
const deliveryMillis = 500;

export class WatchEventsComplete extends Invariant {
  readonly name = "watch-events-complete";
  readonly #changes: WatchedChanges;
  readonly #open = new Map<number, Open>();
  /** Those with claims that cannot be judged yet. */
  readonly #waiting = new Set<Open>();
  /** Of the order, with the true time at which each was first applied. */
  readonly #ends: { readonly at: number; readonly zxid: Zxid }[] = [];

  constructor(changes: WatchedChanges) {
    super();
    this.#changes = changes;
  }

  override applied(seen: AppliedBatch): void {
    this.#changes.note(seen);
    const { end } = this.#changes.order;
    if (end !== (this.#ends.at(-1)?.zxid ?? 0)) this.#ends.push({ at: seen.at, zxid: end });
    for (const open of this.#waiting) this.#judge(open);
  }

  override watched(seen: WatchSeen): void {
    switch (seen.kind) {
      case "asked":
        this.#open.set(seen.watch.id, { watch: seen.watch, at: seen.watch.request.after?.zxid, claims: [] });
        return;
      case "opened": {
        const open = this.#open.get(seen.watch.id);
        if (open) open.at ??= seen.cursor.zxid;
        return;
      }
      case "told":
        return this.#claim(seen.watch, { cursor: seen.cursor.zxid, events: seen.events });
      case "stands":
        return this.#claim(seen.watch, { cursor: seen.cursor.zxid, events: [] });
      case "ended":
        // What it was told is judged all the same.
        this.#open.delete(seen.watch.id);
        return;
      default:
    }
  }

  #claim(watch: Watch, claim: Claim): void {
    const open = this.#open.get(watch.id);
    if (open?.at === undefined) return;
    open.claims.push(claim);
    this.#judge(open);
  }

  #judge(open: Open): void {
    const { watch, claims } = open;
    let judged = 0;
    for (const { cursor, events } of claims) {
      if (cursor > this.#changes.through) break;
      const from = open.at as Zxid;
      const due = this.#changes.due(watch, from, cursor);
      if (due) this.#compare(watch, from, cursor, due.changes, events);
      if (cursor > from) open.at = cursor;
      judged++;
    }
    claims.splice(0, judged);
    if (claims.length > 0) this.#waiting.add(open);
    else this.#waiting.delete(open);
  }

  #compare(
    { id, gateway }: Watch,
    from: Zxid,
    cursor: Zxid,
    due: readonly Change[],
    events: readonly WatchEvent[],
  ): void {
    for (let at = 0; at < Math.max(due.length, events.length); at++) {
      const change = due[at];
      const event = events[at];
      if (change && event && isOf(event, change)) continue;
      const where = `watch ${id} at gateway ${gateway}, behind ${formatZxid(from)} up to ${formatZxid(cursor)},`;
      const told = event ? `is told ${describe(event)}` : "is told nothing more";
      this.broken(`${where} ${told}; the order has ${change ? describe(change) : "nothing more"}`);
    }
  }

  override finished({ at }: Finished): void {
    const settled = this.#ends.findLast((each) => each.at <= at - deliveryMillis)?.zxid ?? (0 as Zxid);
    for (const { watch, at: told, claims } of this.#open.values()) {
      if (told === undefined || claims.length > 0 || told >= settled || watch.at > at - deliveryMillis) continue;
      const due = this.#changes.due(watch, told, settled);
      if (due?.lost !== undefined) continue;
      const missing = due?.changes[0];
      const why = missing ? `was never told ${describe(missing)}` : `has not moved on to ${formatZxid(settled)}`;
      this.broken(`watch ${watch.id} at gateway ${watch.gateway}, which stands at ${formatZxid(told)}, ${why}`);
    }
  }
}

function isOf(event: WatchEvent, change: Change): boolean {
  return (
    event.zxid === change.zxid &&
    event.type === change.type &&
    event.path === change.path &&
    event.version === change.version &&
    event.czxid === change.czxid &&
    event.time === Math.floor(change.time)
  );
}

function describe({ type, path, zxid, version }: WatchEvent | Change): string {
  return `${type} ${path} at ${formatZxid(zxid)} (version ${version})`;
}
