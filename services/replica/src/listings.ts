/**
 * The listings that are open at this replica. Each belongs to the stream it was asked on, and goes with it; so do those that
 * nobody comes back for, that last too long, or for which too much has to be kept. At most one page is made in a turn of
 * the loop.
 */
import type { Identity, Outcome, TreeOperation, TreePageOperation } from "@quorate/api";
import type { RequestId } from "@quorate/proto";
import type { Listing, Tree } from "@quorate/tree";
import type { GatewayConnection } from "./gateways.ts";
import { answer, failure } from "./home.ts";
import { replicaLimits } from "./replica-limits.ts";

interface Open {
  readonly connection: GatewayConnection;
  readonly tree: Tree;
  readonly listing: Listing;
  readonly begunAt: number;
  /** The next page's number. */
  page: number;
  askedAt: number;
}

interface Job {
  readonly open: Open;
  readonly id: RequestId;
  readonly ageMillis: number;
}

export interface ListingPorts {
  tree(): Tree;
  now(): number;
  push(work: () => void): void;
}

export class Listings {
  readonly #ports: ListingPorts;
  readonly #open = new Map<GatewayConnection, Map<number, Open>>();
  /** Pages that are wanted: at most one of each listing. */
  #jobs: Job[] = [];
  #scheduled = false;

  constructor(ports: ListingPorts) {
    this.#ports = ports;
  }

  get size(): number {
    let sum = 0;
    for (const each of this.#open.values()) sum += each.size;
    return sum;
  }

  /** The tree may be read. The first page is its answer. */
  open(
    connection: GatewayConnection,
    id: RequestId,
    operation: TreeOperation,
    identity: Identity,
    ageMillis: number,
  ): void {
    const number = operation.listing;
    const before = this.#open.get(connection)?.get(number);
    if (before) this.#end(before, number);
    if (this.size >= replicaLimits.listings) {
      const detail = "as many listings as this replica may keep are under way; try again later";
      answer(connection, id, failure("throttled", detail));
      return;
    }
    const tree = this.#ports.tree();
    const listing = tree.list(operation, identity);
    if ("ok" in listing) {
      answer(connection, id, listing, ageMillis);
      return;
    }
    const now = this.#ports.now();
    const open: Open = { connection, tree, listing, begunAt: now, page: 1, askedAt: now };
    const own = this.#open.get(connection) ?? new Map<number, Open>();
    this.#open.set(connection, own.set(number, open));
    this.#want({ open, id, ageMillis });
  }

  page(connection: GatewayConnection, id: RequestId, { listing, at, page, end }: TreePageOperation): void {
    const open = this.#open.get(connection)?.get(listing);
    if (end) {
      if (open?.listing.at === at) this.#end(open, listing);
      const zxid = this.#ports.tree().applied;
      answer(connection, id, { ok: true, zxid, result: { kind: "done", count: 0 } });
      return;
    }
    if (open === undefined || open.listing.at !== at || open.page !== page || open.tree !== this.#ports.tree()) {
      answer(connection, id, lost);
      return;
    }
    open.page++;
    open.askedAt = this.#ports.now();
    this.#want({ open, id, ageMillis: 0 });
  }

  #want(job: Job): void {
    this.#jobs.push(job);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled || this.#jobs.length === 0) return;
    this.#scheduled = true;
    this.#ports.push(() => {
      this.#scheduled = false;
      const job = this.#jobs.shift();
      if (job) this.#make(job);
      this.#schedule();
    });
  }

  #make({ open, id, ageMillis }: Job): void {
    const { connection, listing } = open;
    if (!listing.open) {
      answer(connection, id, lost);
      return;
    }
    const { pageZnodes, pageBytes } = replicaLimits;
    const { at } = listing;
    const { entries, more } = listing.next(pageZnodes, pageBytes);
    open.askedAt = this.#ports.now();
    if (!more) this.#forget(open);
    const outcome: Outcome = { ok: true, zxid: at, result: { kind: "treePage", at, entries, more } };
    answer(connection, id, outcome, Math.ceil(ageMillis));
  }

  #end(open: Open, number: number): void {
    open.listing.close();
    this.#open.get(open.connection)?.delete(number);
  }

  #forget(open: Open): void {
    const own = this.#open.get(open.connection);
    for (const [number, each] of own ?? []) if (each === open) this.#end(open, number);
    if (own?.size === 0) this.#open.delete(open.connection);
  }

  /** Now and then: those that may be kept no longer are ended; the next page that is asked of them is `pageTooOld`. */
  tick(): void {
    if (this.#open.size === 0) return;
    const now = this.#ports.now();
    const tree = this.#ports.tree();
    let bytes = 0;
    let largest: Open | undefined;
    for (const own of this.#open.values()) {
      for (const open of own.values()) {
        const { listingMillis, listingIdleMillis } = replicaLimits;
        const over = now - open.begunAt > listingMillis || now - open.askedAt > listingIdleMillis;
        if (over || open.tree !== tree) {
          this.#forget(open);
          continue;
        }
        bytes += open.listing.keptBytes;
        if (open.listing.keptBytes > (largest?.listing.keptBytes ?? 0)) largest = open;
      }
    }
    if (bytes > replicaLimits.listingKeptBytes && largest) this.#forget(largest);
  }

  closed(connection: GatewayConnection): void {
    for (const open of this.#open.get(connection)?.values() ?? []) open.listing.close();
    this.#open.delete(connection);
    this.#jobs = this.#jobs.filter((each) => each.open.connection !== connection);
  }
}

const lost = failure("pageTooOld", "the replica has given the listing up; begin it again");
