/** What the connections of one door share. */
import type { Backend } from "../backend.ts";
import type { GatewayWorld } from "../ports.ts";
import { SocketBudget } from "../socket-budget.ts";
import { Counts } from "./counts.ts";
import { plainWords } from "./four-letter.ts";
import type { ConnectionReport, ProcessFacts, ServiceState } from "./four-letter-source.ts";
import { Slabs } from "./jute.ts";
import { type ZookeeperLimits, zookeeperLimits } from "./limits.ts";
import { Availability } from "./read-only.ts";
import { Statistics } from "./statistics.ts";

/** Where the other doors of the process listen, `host:port`: for who came to the wrong one. */
export interface OtherPorts {
  readonly rest: string;
  readonly grpc: string;
}

export interface ZookeeperOptions {
  readonly backend: Backend;
  readonly world: GatewayWorld;
  /** Of this program, for the four-letter words. */
  readonly version: string;
  /** `user:base64(sha1(user:password))`. */
  readonly superUserDigest?: string;
  /** Four-letter words that are answered; undefined: those that monitors need. */
  readonly commands?: readonly string[];
  readonly facts: ProcessFacts;
  /** Looked at when it is needed, since they may not listen yet. */
  readonly otherPorts?: OtherPorts;
  log(line: string): void;
  readonly limits?: Partial<ZookeeperLimits>;
  /** What it has together with the other doors of the process; undefined: it is alone. */
  readonly sockets?: SocketBudget;
}

/** Of all connections of a door, at a moment. */
export interface ZookeeperFigures {
  /** Connections that were refused since the start, for their number; and proofs of identity. */
  readonly refused: number;
  readonly failedAuths: number;
  /** As ZooKeeper counts. */
  readonly watches: number;
  /** Requests that are begun and not answered. */
  readonly outstanding: number;
  readonly unsentBytes: number;
  /** Frames and four-letter words, and replies and events, since the start or `srst`. */
  readonly received: number;
  readonly sent: number;
}

/** A connection as the door knows it. */
export interface Peer {
  readonly statistics: Statistics;
  report(): ConnectionReport;
  tick(now: number): void;
  /** Closes once what was begun is answered. */
  stop(): void;
  destroy(): void;
}

export class ZookeeperDoor {
  readonly options: ZookeeperOptions;
  readonly limits: ZookeeperLimits;
  readonly counts: Counts = new Counts();
  readonly slabs: Slabs = new Slabs();
  readonly connections: Set<Peer> = new Set();
  readonly statistics: Statistics = new Statistics();
  readonly commands: readonly string[];
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  clientPort = 0;
  /** There were too many. */
  rejectedConnections = 0;
  failedAuths = 0;
  readonly sockets: SocketBudget;
  /** Unsent, of all connections. */
  queuedBytes = 0;
  /** Come, and in no request that was begun, likewise. */
  unbegunBytes = 0;
  readonly #availability: Availability;
  readonly #notes = new Map<string, { at: number; unsaid: number }>();

  constructor(options: ZookeeperOptions) {
    this.options = options;
    this.limits = { ...zookeeperLimits, ...options.limits };
    const { connections } = this.limits;
    this.sockets = options.sockets ?? SocketBudget.alone({ zookeeper: connections }, { log: options.log });
    this.commands = options.commands ?? plainWords;
    this.#availability = new Availability(this.limits.readOnlyMillis);
    this.startedAt = options.facts.wallMillis();
  }

  /** Whether there is a leader at present; to be asked now and then, since it says for how long there has been none. */
  look(): ServiceState {
    return this.#availability.look(this.options.backend.cluster(), this.options.world.now());
  }

  figures(): ZookeeperFigures {
    let watches = 0;
    let outstanding = 0;
    for (const each of this.connections) {
      const { session, outstanding: own } = each.report();
      watches += session?.watches ?? 0;
      outstanding += own;
    }
    const { rejectedConnections: refused, failedAuths, queuedBytes: unsentBytes } = this;
    const { received, sent } = this.statistics;
    return { refused, failedAuths, watches, outstanding, unsentBytes, received, sent };
  }

  /** Logs what clients can cause at will: one line of a kind in a while, with the number of those left out. */
  note(kind: string, line: string): void {
    const now = this.options.world.now();
    const last = this.#notes.get(kind);
    if (last !== undefined && now - last.at < this.limits.noteMillis) {
      last.unsaid += 1;
      return;
    }
    const unsaid = last?.unsaid ?? 0;
    this.#notes.set(kind, { at: now, unsaid: 0 });
    this.options.log(`zookeeper: ${line}${unsaid === 0 ? "" : ` (and ${unsaid} more like it)`}`);
  }
}
