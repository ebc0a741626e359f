/**
 * Reads that came from gateways, by consistency: linearizable (a confirmation, then a local read), session (local, not
 * older than what the client saw), stale (local, with a bound on its age). A watch that has a cursor is answered as soon as
 * that much is applied here.
 */
import {
  decodeRead,
  formatZxid,
  type Outcome,
  type ReadOperation,
  type TreeOperation,
  type WatchOperation,
  type Zxid,
} from "@quorate/api";
import type { Consistency, DirectRead, FromGateway } from "@quorate/proto";
import type { Tree } from "@quorate/tree";
import type { GatewayConnection } from "./gateways.ts";
import { answer, failure } from "./home.ts";
import { Listings } from "./listings.ts";
import { replicaLimits } from "./replica-limits.ts";

type ReadMessage = Extract<FromGateway, { kind: "read" }>;

interface Waiting {
  readonly connection: GatewayConnection;
  readonly message: ReadMessage;
  readonly operation: ReadOperation | TreeOperation;
  readonly deadline: number;
  readonly consistency: Consistency;
  /** Not answered before this is applied. */
  readonly floor: Zxid;
  /** Applied up to here, it can be answered; undefined while a confirmation is under way or wanted. */
  index: Zxid | undefined;
  /** A confirmation is under way of whether its cursor is of a state that was ever committed here. */
  doubted: boolean;
}

export interface ReadPorts {
  tree(): Tree;
  now(): number;
  /** Synchronized since its start: only then anything is read here. */
  serves(): boolean;
  /** When what is applied was certainly the newest; undefined: never since the start. */
  freshSince(): number | undefined;
  /** Of the history that is replicated here. */
  historyId(): string;
  confirm(done: (index: Zxid | undefined) => void): void;
  /** A `watch` of that stream was answered, just now. */
  watched(connection: GatewayConnection, outcome: Outcome): void;
  /** The leader adds how long sessions have been idle. */
  decorate(outcome: Outcome): Outcome;
  /** Into the loop's inbox: for the next turn. */
  push(work: () => void): void;
}

export class Reads {
  readonly #ports: ReadPorts;
  readonly #listings: Listings;
  /** Those that could not be answered when they came. */
  #parked = new Set<Waiting>();
  count = 0;
  /** Confirmations that are under way or about to be asked for. */
  #asking = 0;
  /** Watches that can be answered: as many in a turn as a slice holds, since each looks through the changes. */
  #watches: Waiting[] = [];
  /** Streams to which nothing is answered any more. */
  readonly #closed = new WeakSet<GatewayConnection>();
  #scheduled = false;

  constructor(ports: ReadPorts) {
    this.#ports = ports;
    this.#listings = new Listings(ports);
  }

  get waiting(): number {
    return this.#parked.size + this.#asking + this.#watches.length;
  }

  read(connection: GatewayConnection, message: ReadMessage): void {
    const operation = decodeRead(message.operation);
    if (operation === undefined) {
      answer(connection, message.id, failure("badArguments", "the bytes of the read are malformed"));
      return;
    }
    if (operation.kind === "treePage") {
      this.#listings.page(connection, message.id, operation);
      return;
    }
    if (this.waiting >= replicaLimits.waitingReads) {
      answer(connection, message.id, failure("throttled", "too many reads wait at this replica; try again later"));
      return;
    }
    this.count++;
    const deadline = this.#ports.now() + message.budgetMillis;
    const { consistency, floor } = this.#terms(message, operation);
    this.#begin({ connection, message, operation, deadline, consistency, floor, index: undefined, doubted: false });
  }

  /** A session read, answered at once or not at all. What has a place of its own on the stream is not read so. */
  now({ operation, minZxid, identity, acting, behind }: DirectRead): Outcome | undefined {
    const { kind } = operation;
    if (kind === "watch" || kind === "tree" || !this.#ports.serves()) return undefined;
    const tree = this.#ports.tree();
    if (tree.applied < minZxid || (behind !== undefined && !isApplied(tree, behind))) return undefined;
    this.count++;
    return this.#ports.decorate(tree.read(operation, identity, acting));
  }

  /** What happened behind a cursor needs no confirmation, unless a session is shown that is not known here yet. */
  #terms(message: ReadMessage, operation: ReadOperation | TreeOperation): Pick<Waiting, "consistency" | "floor"> {
    const { consistency, minZxid, acting } = message;
    if (operation.kind !== "watch" || operation.after === undefined) return { consistency, floor: minZxid };
    const known = (acting?.session ?? 0) <= this.#ports.tree().applied;
    const floor = Math.max(operation.after, minZxid) as Zxid;
    return { consistency: known ? "session" : "linearizable", floor };
  }

  #begin(waiting: Waiting): void {
    if (waiting.consistency === "linearizable") {
      this.#asking++;
      this.#ports.confirm((index) => {
        this.#asking--;
        this.#confirmed(waiting, index);
      });
      return;
    }
    if (waiting.consistency === "session") waiting.index = waiting.floor;
    if (this.#tryAnswer(waiting)) return;
    this.#parked.add(waiting);
    this.#doubt(waiting);
  }

  /**
   * A cursor beyond what is applied here: this replica is behind, or nobody can have been given that number in this history. Whoever
   * has it had it before asking, from something committed: then a confirmation that begins now is not below it.
   */
  #doubt(waiting: Waiting): void {
    const { operation } = waiting;
    if (waiting.doubted || operation.kind !== "watch" || (operation.after ?? 0) <= this.#ports.tree().applied) return;
    waiting.doubted = true;
    this.#ports.confirm((index) => {
      waiting.doubted = false;
      if (index === undefined || !this.#parked.has(waiting) || !this.#ports.serves()) return;
      if (this.#refuseAhead(waiting, index)) this.#parked.delete(waiting);
    });
  }

  #confirmed(waiting: Waiting, index: Zxid | undefined): void {
    if (this.#closed.has(waiting.connection)) return;
    if (index === undefined) {
      this.#parked.add(waiting);
      return;
    }
    if (this.#ports.serves() && this.#refuseAhead(waiting, index)) {
      this.#parked.delete(waiting);
      return;
    }
    waiting.index = Math.max(index, waiting.floor) as Zxid;
    if (this.#tryAnswer(waiting)) this.#parked.delete(waiting);
    else this.#parked.add(waiting);
  }

  /** False: it has to wait. */
  #tryAnswer(waiting: Waiting): boolean {
    const { operation } = waiting;
    if (!this.#ports.serves()) return false;
    // Numbers of another history say nothing here: there is nothing to wait for.
    if (operation.kind === "watch" && this.#isForeign(operation)) return this.#refuseForeign(waiting);
    const age = this.#ageOf(waiting);
    if (age === undefined) return false;
    if (operation.kind === "watch") {
      this.#watches.push(waiting);
      this.#schedule();
      return true;
    }
    this.#answer(waiting, age);
    return true;
  }

  /** Of what would be answered now; undefined: it may not be answered yet. */
  #ageOf({ connection, message, consistency, floor, index }: Waiting): number | undefined {
    if (isFull(connection)) return undefined;
    const tree = this.#ports.tree();
    if (message.behind !== undefined && !isApplied(tree, message.behind)) return undefined;
    if (consistency !== "stale") return index === undefined || tree.applied < index ? undefined : 0;
    if (tree.applied < floor) return undefined;
    const fresh = this.#ports.freshSince();
    // Who takes any age takes one that nobody knows, as when the leader was lost before the first of its pings came round.
    const age = fresh === undefined ? Number.MAX_SAFE_INTEGER : Math.max(0, this.#ports.now() - fresh);
    return age > message.maxStaleMillis ? undefined : age;
  }

  #answer(waiting: Waiting, age: number): void {
    const { connection, message, operation } = waiting;
    if (operation.kind === "tree") {
      this.#listings.open(connection, message.id, operation, message.identity, age);
      return;
    }
    const outcome = this.#ports.tree().read(operation, message.identity, message.acting);
    answer(connection, message.id, this.#ports.decorate(outcome), Math.ceil(age));
    if (operation.kind === "watch") this.#ports.watched(connection, outcome);
  }

  #isForeign({ history }: WatchOperation): boolean {
    return history !== undefined && !this.#ports.historyId().startsWith(history);
  }

  #refuseForeign(waiting: Waiting): true {
    const why = "the cursor is of another history: the ensemble was restored or founded anew since";
    return this.#refuseCursor(waiting, why);
  }

  /** `index`: everything that was committed when the watch came is at or below it. */
  #refuseAhead(waiting: Waiting, index: Zxid): boolean {
    const { operation } = waiting;
    if (operation.kind !== "watch" || (operation.after ?? 0) <= Math.max(index, this.#ports.tree().applied))
      return false;
    const after = formatZxid(operation.after as Zxid);
    const why = `the cursor ${after} is ahead of everything committed here (${formatZxid(index)}): it is of another history, or made up`;
    return this.#refuseCursor(waiting, why);
  }

  #refuseCursor({ connection, message }: Waiting, why: string): true {
    const detail = `${why}; begin again without 'after': the answer is the state and a new cursor`;
    answer(connection, message.id, { ...failure("cursorOfAnotherHistory", detail), zxid: this.#ports.tree().applied });
    return true;
  }

  #schedule(): void {
    if (this.#scheduled || this.#watches.length === 0) return;
    this.#scheduled = true;
    this.#ports.push(() => {
      this.#scheduled = false;
      this.#answerWatches();
      this.#schedule();
    });
  }

  #answerWatches(): void {
    const until = this.#ports.now() + replicaLimits.sliceMillis;
    let at = 0;
    do {
      const waiting = this.#watches[at++];
      if (waiting === undefined) break;
      if (this.#closed.has(waiting.connection)) continue;
      // The state may have been replaced, or grown too old, while it waited for its turn.
      const age = this.#ports.serves() ? this.#ageOf(waiting) : undefined;
      if (age === undefined) this.#parked.add(waiting);
      else this.#answer(waiting, age);
    } while (this.#ports.now() < until);
    this.#watches.splice(0, at);
  }

  /** Something was applied: those that waited for it go out. */
  applied(): void {
    for (const waiting of this.#parked) {
      if (waiting.index === undefined && waiting.consistency === "linearizable") continue;
      if (this.#tryAnswer(waiting)) this.#parked.delete(waiting);
    }
  }

  /** Now and then: ask again for what could not be confirmed, and give up what is out of time. */
  tick(): void {
    const now = this.#ports.now();
    this.#listings.tick();
    for (const waiting of this.#parked) {
      if (now >= waiting.deadline) this.#giveUp(waiting);
      else if (waiting.consistency === "linearizable" && waiting.index === undefined) {
        this.#parked.delete(waiting);
        this.#begin(waiting);
      } else if (this.#tryAnswer(waiting)) this.#parked.delete(waiting);
      else this.#doubt(waiting);
    }
  }

  #giveUp(waiting: Waiting): void {
    this.#parked.delete(waiting);
    const { message, index, consistency } = waiting;
    const { applied } = this.#ports.tree();
    if (consistency === "linearizable" && index === undefined) {
      answer(waiting.connection, message.id, failure("noLeader", "no leader confirmed the read in time"));
      return;
    }
    const what = isFull(waiting.connection)
      ? "has answered more than its gateway takes"
      : consistency === "stale"
        ? `is older than ${message.maxStaleMillis} ms`
        : "has not applied what was asked for";
    const detail = `this replica ${what} (it stands at ${formatZxid(applied)})`;
    answer(waiting.connection, message.id, failure("behind", detail));
  }

  closed(connection: GatewayConnection): void {
    this.#closed.add(connection);
    this.#listings.closed(connection);
    for (const waiting of this.#parked) if (waiting.connection === connection) this.#parked.delete(waiting);
  }
}

/** It has not taken what it was answered already. */
function isFull({ queuedBytes }: GatewayConnection): boolean {
  return queuedBytes > replicaLimits.answeredBytes;
}

/** A session that is over writes nothing more: there is nothing to wait for. */
function isApplied(tree: Tree, { session, sequence }: NonNullable<ReadMessage["behind"]>): boolean {
  const lane = tree.lane(session);
  return lane === undefined ? (session as number) <= tree.applied : lane.lastSequence >= sequence;
}
