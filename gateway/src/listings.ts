/**
 * Listings of subtrees, page by page. The first page is a read like any other, which may be asked of several replicas; the
 * rest comes from the one that answered it, on that stream, or not at all: another one's state has another zxid.
 */
import { encodeRead, type Outcome, type TreePageOperation, type Zxid } from "@quorate/api";
import type { RequestId } from "@quorate/proto";
import type { Answer, TreePages, TreeRequest } from "./backend.ts";
import type { OrderedRead } from "./calls.ts";
import { linkLimits } from "./limits.ts";
import type { GatewayTimer, GatewayWorld } from "./ports.ts";
import { type ReplicaStream, unavailable } from "./stream.ts";

type Answered = (answer: Answer, stream: ReplicaStream | undefined) => void;

export interface ListingPorts {
  readonly world: GatewayWorld;
  nextId(): RequestId;
  /** Answers the way to give it up. */
  read(request: OrderedRead, deadline: number, answered: Answered): () => void;
}

/** A page that is under way. */
interface Asked {
  readonly stream: ReplicaStream;
  readonly timer: GatewayTimer;
  readonly answered: Answered;
}

const lost = unavailable("pageTooOld", "noEffect", "the replica that kept the listing is out of reach; begin it again");

export class Listings {
  readonly #ports: ListingPorts;
  readonly #asked = new Map<RequestId, Asked>();
  readonly #open = new Set<OpenListing>();

  constructor(ports: ListingPorts) {
    this.#ports = ports;
  }

  /** Begun and not over. */
  get size(): number {
    return this.#open.size;
  }

  create(request: TreeRequest): TreePages {
    return new OpenListing(this, request, this.#ports.nextId());
  }

  /** The first page. */
  begin(listing: OpenListing, read: OrderedRead, deadlineMillis: number, answered: Answered): () => void {
    if (this.#open.size >= linkLimits.listings) {
      const detail = "as many listings as this gateway may have are under way; try again later";
      answered(unavailable("throttled", "noEffect", detail), undefined);
      return () => undefined;
    }
    this.#open.add(listing);
    return this.#ports.read(read, this.#ports.world.now() + deadlineMillis, answered);
  }

  /** A further page, or the end, whose answer nobody waits for. */
  ask(
    stream: ReplicaStream,
    request: TreeRequest,
    operation: TreePageOperation,
    deadlineMillis: number,
    answered?: Answered,
  ): () => void {
    const id = this.#ports.nextId();
    if (answered) {
      const timer = this.#ports.world.after(deadlineMillis, () => this.#settle(id, lost));
      this.#asked.set(id, { stream, timer, answered });
    }
    const { identity } = request;
    const read = { kind: "read", id, consistency: "session", minZxid: 0 as Zxid, maxStaleMillis: 0 } as const;
    const message = { ...read, budgetMillis: deadlineMillis, identity, operation: encodeRead(operation) };
    stream.send(message);
    return () => {
      this.#asked.get(id)?.timer.cancel();
      this.#asked.delete(id);
    };
  }

  over(listing: OpenListing): void {
    this.#open.delete(listing);
  }

  /** Whether the answer was to one of ours. */
  answered(stream: ReplicaStream, id: RequestId, outcome: Outcome): boolean {
    if (!this.#asked.has(id)) return false;
    this.#settle(id, { kind: "outcome", outcome, servedBy: stream.replica, ageMillis: 0 });
    return true;
  }

  lost(stream: ReplicaStream): void {
    for (const [id, asked] of [...this.#asked]) if (asked.stream === stream) this.#settle(id, lost);
  }

  stop(): void {
    for (const listing of [...this.#open]) listing.close();
  }

  #settle(id: RequestId, answer: Answer): void {
    const asked = this.#asked.get(id);
    if (!asked) return;
    this.#asked.delete(id);
    asked.timer.cancel();
    asked.answered(answer, asked.stream);
  }
}

class OpenListing implements TreePages {
  readonly #listings: Listings;
  readonly #request: TreeRequest;
  readonly #number: number;
  #begun = false;
  #over = false;
  /** Who keeps it, and of which zxid: while there are more pages. */
  #kept: { readonly stream: ReplicaStream; readonly at: Zxid } | undefined;
  /** The last page that was asked for; the first one is 0. */
  #page = 0;
  /** Of the page under way. */
  #resolve: ((answer: Answer) => void) | undefined;
  #giveUp: (() => void) | undefined;

  constructor(listings: Listings, request: TreeRequest, number: number) {
    this.#listings = listings;
    this.#request = request;
    this.#number = number;
  }

  next(deadlineMillis: number): Promise<Answer> {
    return new Promise((resolve) => {
      if (this.#over || this.#resolve) return resolve(lost);
      this.#resolve = resolve;
      const answered: Answered = (answer, stream) => this.#answered(answer, stream);
      if (!this.#begun) {
        this.#begun = true;
        const { path, depth, withData, ...rest } = this.#request;
        const base = { kind: "tree", listing: this.#number, path, withData } as const;
        const operation = depth === undefined ? base : { ...base, depth };
        this.#giveUp = this.#listings.begin(this, { ...rest, operation }, deadlineMillis, answered);
      } else if (this.#kept) {
        this.#page += 1;
        const { stream, at } = this.#kept;
        this.#giveUp = this.#listings.ask(stream, this.#request, this.#operation(at, false), deadlineMillis, answered);
      }
    });
  }

  #operation(at: Zxid, end: boolean): TreePageOperation {
    return { kind: "treePage", listing: this.#number, at, page: this.#page, end };
  }

  #answered(answer: Answer, stream: ReplicaStream | undefined): void {
    const resolve = this.#resolve;
    this.#resolve = undefined;
    const result = answer.kind === "outcome" && answer.outcome.ok ? answer.outcome.result : undefined;
    if (stream !== undefined && result?.kind === "treePage" && result.more) {
      if (this.#over) this.#tellEnd(stream, result.at);
      else this.#kept = { stream, at: result.at };
    } else this.#end();
    resolve?.(answer);
  }

  close(): void {
    if (this.#over) return;
    // Who answers the first page keeps the listing: that is waited for, or nobody could say that it is over.
    if (this.#kept) {
      this.#giveUp?.();
      this.#tellEnd(this.#kept.stream, this.#kept.at);
    }
    this.#end();
    this.#resolve?.(lost);
    this.#resolve = undefined;
  }

  #tellEnd(stream: ReplicaStream, at: Zxid): void {
    this.#listings.ask(stream, this.#request, this.#operation(at, true), 1000);
  }

  #end(): void {
    this.#over = true;
    this.#kept = undefined;
    this.#listings.over(this);
  }
}
