/** A door as its four-letter words tell of it. */
import type { Backend } from "../backend.ts";
import type { ZookeeperDoor } from "./door.ts";
import type { ConnectionReport, FourLetterSource, ProcessFacts, ServiceState } from "./four-letter-source.ts";
import type { Statistics, Tally } from "./statistics.ts";

export class DoorSource implements FourLetterSource {
  readonly #door: ZookeeperDoor;

  constructor(door: ZookeeperDoor) {
    this.#door = door;
  }

  get version(): string {
    return this.#door.options.version;
  }
  get facts(): ProcessFacts {
    return this.#door.options.facts;
  }
  get backend(): Backend {
    return this.#door.options.backend;
  }
  get state(): ServiceState {
    return this.#door.look();
  }
  get startedAt(): number {
    return this.#door.startedAt;
  }
  get clientPort(): number {
    return this.#door.clientPort;
  }
  get connectionsPerAddress(): number {
    return this.#door.limits.connectionsPerAddress;
  }
  get minSessionTimeoutMillis(): number {
    return this.#door.limits.minSessionTimeoutMillis;
  }
  get maxSessionTimeoutMillis(): number {
    return this.#door.limits.maxSessionTimeoutMillis;
  }
  get statistics(): Statistics {
    return this.#door.statistics;
  }
  get reads(): Tally {
    return this.#door.counts.reads;
  }
  get updates(): Tally {
    return this.#door.counts.updates;
  }
  get rejectedConnections(): number {
    return this.#door.rejectedConnections;
  }
  get failedAuths(): number {
    return this.#door.failedAuths;
  }

  *connections(): Generator<ConnectionReport> {
    for (const each of this.#door.connections) yield each.report();
  }

  resetConnections(): void {
    for (const each of this.#door.connections) each.statistics.reset();
  }

  resetStatistics(): void {
    this.#door.statistics.reset();
    this.#door.counts.reads.reset();
    this.#door.counts.updates.reset();
  }
}
