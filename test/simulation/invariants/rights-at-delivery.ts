/**
 * DESIGN 7: "rights are checked at delivery", by the lists that the change bears; ZooKeeper: an event of a child needs READ on
 * its parent (CVE-2024-23944: persistent watchers were told paths that they might not read).
 *
 * Checked, by watch: each event might be read by its identity at that zxid; a watch whose named path lost READ is told
 * nothing of that transaction nor behind it, and ends with `noAuth`; none that was open ends so without a cause in the order.
 * (Who asks again at another home is judged by the lists as they stand, too: what came before is not told then.)
 */
import { formatZxid, type WatchEvent, type Zxid } from "@quorate/api";
import { type AppliedBatch, type Finished, Invariant, type Watch, type WatchSeen } from "../observation.ts";
import type { WatchedChanges } from "./watched-changes.ts";

interface Claim {
  readonly cursor: Zxid;
  readonly events: readonly WatchEvent[];
  /** It ended with `noAuth`, and this was the order's end. */
  readonly denied: boolean;
}

interface Open {
  readonly watch: Watch;
  at: Zxid | undefined;
  opened: boolean;
  claims: Claim[];
}

export class RightsAtDelivery extends Invariant {
  readonly name = "rights-at-delivery";
  readonly #changes: WatchedChanges;
  readonly #open = new Map<number, Open>();
  readonly #waiting = new Set<Open>();

  constructor(changes: WatchedChanges) {
    super();
    this.#changes = changes;
  }

  override applied(seen: AppliedBatch): void {
    this.#changes.note(seen);
    for (const open of this.#waiting) this.#judge(open);
  }

  override watched(seen: WatchSeen): void {
    if (seen.kind === "answered") return;
    const { watch } = seen;
    if (seen.kind === "asked") {
      this.#open.set(watch.id, { watch, at: watch.request.after?.zxid, opened: false, claims: [] });
      return;
    }
    const open = this.#open.get(watch.id);
    if (!open) return;
    switch (seen.kind) {
      case "opened":
        open.at ??= seen.cursor.zxid;
        open.opened = true;
        return;
      case "told":
        return this.#claim(open, { cursor: seen.cursor.zxid, events: seen.events, denied: false });
      case "stands":
        return this.#claim(open, { cursor: seen.cursor.zxid, events: [], denied: false });
      case "ended": {
        this.#open.delete(watch.id);
        // At its opening, what counts is the lists as they stand.
        if (seen.end?.code !== "noAuth" || !open.opened) return;
        return this.#claim(open, { cursor: this.#changes.order.end, events: [], denied: true });
      }
      default:
        seen satisfies never;
    }
  }

  #claim(open: Open, claim: Claim): void {
    if (open.at === undefined) return;
    open.claims.push(claim);
    this.#judge(open);
  }

  #judge(open: Open): void {
    let judged = 0;
    for (const claim of open.claims) {
      if (claim.cursor > this.#changes.through || (claim.denied && !this.#changes.order.whole)) break;
      this.#look(open, claim);
      judged++;
    }
    open.claims.splice(0, judged);
    if (open.claims.length > 0) this.#waiting.add(open);
    else this.#waiting.delete(open);
  }

  #look(open: Open, { cursor, events, denied }: Claim): void {
    const { watch } = open;
    const from = open.at as Zxid;
    const due = this.#changes.due(watch, from, denied ? this.#changes.through : cursor);
    open.at = cursor > from ? cursor : from;
    if (!due) return;
    const { changes, lost } = due;
    if (denied) {
      if (lost === undefined) this.#wrong(watch, `ends with noAuth behind ${formatZxid(from)}, for no cause`);
      return;
    }
    if (lost !== undefined) this.#wrong(watch, `goes on to ${formatZxid(cursor)}; it ends at ${formatZxid(lost)}`);
    for (const { zxid, path, type } of events) {
      if (changes.some((each) => each.zxid === zxid && each.path === path && each.type === type)) continue;
      if (this.#changes.forbids(watch, zxid, path)) {
        this.#wrong(watch, `is told that ${path} was ${type} at ${formatZxid(zxid)}, which it may not read`);
      }
    }
  }

  override finished({ trees }: Finished): void {
    if (trees.size === 0) return;
    for (const { watch, at, claims } of this.#open.values()) {
      if (at === undefined || claims.length > 0) continue;
      const due = this.#changes.due(watch, at, this.#changes.through);
      if (due?.lost === undefined) continue;
      this.#wrong(watch, `is still open; its right was taken at ${formatZxid(due.lost)}`);
    }
  }

  #wrong({ id, gateway, request }: Watch, what: string): never {
    const who = request.identity.ids.map((each) => each.id).join(", ");
    this.broken(`watch ${id} of ${JSON.stringify(request.scopes)} (${who || "anyone"}) at gateway ${gateway} ${what}`);
  }
}
