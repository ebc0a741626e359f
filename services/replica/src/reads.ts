/**
 * Reads that came from gateways, by consistency: linearizable (a confirmation, then a local read), session (local, not
 * older than what the client saw), stale (local, with a bound on its age).
 */
import { decodeRead, formatZxid, type Outcome, type ReadOperation, type TreeOperation, type Zxid } from "@quorate/api";
import type { FromGateway } from "@quorate/proto";
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
  /** Applied up to here, it can be answered; undefined while a confirmation is under way or wanted. */
  index: Zxid | undefined;
  done: boolean;
}

export interface ReadPorts {
  tree(): Tree;
  now(): number;
  /** Synchronized since its start: only then anything is read here. */
  serves(): boolean;
  /** When what is applied was certainly the newest; undefined: never since the start. */
  freshSince(): number | undefined;
  confirm(done: (index: Zxid | undefined) => void): void;
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

  constructor(ports: ReadPorts) {
    this.#ports = ports;
    this.#listings = new Listings(ports);
  }

  get waiting(): number {
    return this.#parked.size + this.#asking;
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
    this.#begin({
      connection,
      message,
      operation,
      deadline,
      index: undefined,
      done: false,
    });
  }

  #begin(waiting: Waiting): void {
    const { message } = waiting;
    if (message.consistency === "linearizable") {
      this.#asking++;
      this.#ports.confirm((index) => {
        this.#asking--;
        this.#confirmed(waiting, index);
      });
      return;
    }
    if (message.consistency === "session") waiting.index = message.minZxid;
    if (!this.#tryAnswer(waiting)) this.#parked.add(waiting);
  }

  #confirmed(waiting: Waiting, index: Zxid | undefined): void {
    if (waiting.done) return;
    if (index === undefined) {
      this.#parked.add(waiting);
      return;
    }
    waiting.index = Math.max(index, waiting.message.minZxid) as Zxid;
    if (this.#tryAnswer(waiting)) this.#parked.delete(waiting);
    else this.#parked.add(waiting);
  }

  #tryAnswer(waiting: Waiting): boolean {
    const { message, index } = waiting;
    if (!this.#ports.serves()) return false;
    const tree = this.#ports.tree();
    let age = 0;
    if (message.consistency === "stale") {
      const fresh = this.#ports.freshSince();
      if (fresh === undefined) return false;
      age = Math.max(0, this.#ports.now() - fresh);
      if (age > message.maxStaleMillis || tree.applied < message.minZxid) return false;
    } else if (index === undefined || tree.applied < index) return false;
    waiting.done = true;
    const { connection, operation } = waiting;
    if (operation.kind === "tree") {
      this.#listings.open(connection, message.id, operation, message.identity, age);
      return true;
    }
    const outcome = tree.read(operation, message.identity, message.acting);
    answer(connection, message.id, this.#ports.decorate(outcome), Math.ceil(age));
    return true;
  }

  /** Something was applied: those that waited for it go out. */
  applied(): void {
    for (const waiting of this.#parked) {
      if (waiting.index !== undefined && this.#tryAnswer(waiting)) this.#parked.delete(waiting);
    }
  }

  /** Now and then: ask again for what could not be confirmed, and give up what is out of time. */
  tick(): void {
    const now = this.#ports.now();
    this.#listings.tick();
    for (const waiting of this.#parked) {
      if (now >= waiting.deadline) this.#giveUp(waiting);
      else if (waiting.message.consistency !== "linearizable") {
        if (this.#tryAnswer(waiting)) this.#parked.delete(waiting);
      } else if (waiting.index === undefined) {
        this.#parked.delete(waiting);
        this.#begin(waiting);
      }
    }
  }

  #giveUp(waiting: Waiting): void {
    waiting.done = true;
    this.#parked.delete(waiting);
    const { message, index } = waiting;
    const { applied } = this.#ports.tree();
    if (message.consistency === "linearizable" && index === undefined) {
      answer(waiting.connection, message.id, failure("noLeader", "no leader confirmed the read in time"));
      return;
    }
    const what =
      message.consistency === "stale"
        ? `is older than ${message.maxStaleMillis} ms`
        : "has not applied what was asked for";
    const detail = `this replica ${what} (it stands at ${formatZxid(applied)})`;
    answer(waiting.connection, message.id, failure("behind", detail));
  }

  closed(connection: GatewayConnection): void {
    this.#listings.closed(connection);
    for (const waiting of this.#parked) {
      if (waiting.connection !== connection) continue;
      waiting.done = true;
      this.#parked.delete(waiting);
    }
  }
}
