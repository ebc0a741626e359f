/** What the four-letter words tell of, asked for only where a word needs it. */
import type { Path, ReplicaId, SessionId, Zxid } from "@quorate/api";
import type { Backend } from "../backend.ts";
import type { LastReply, Latency, ReplySizes } from "./statistics.ts";

/** Things of one kind: how many, and what they took; all 0 while there was none. */
export interface Spread {
  readonly count: number;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
}

/** What the replica of the process has measured since its start. Times are milliseconds. */
export interface ReplicaFigures {
  /** Of this moment; what a gateway hears of its members is half a second old. */
  readonly applied: Zxid;
  readonly znodes: number;
  readonly sessions: number;
  /** Of all paths and data. */
  readonly dataBytes: number;
  readonly ephemerals: number;
  /** For how long it leads; undefined: it does not. */
  readonly leadsMillis: number | undefined;
  /** Proposals that it made as a leader. */
  readonly proposals: number;
  /** Bytes of those of this leadership; undefined: there was none. */
  readonly proposalBytes: { readonly last: number; readonly min: number; readonly max: number } | undefined;
  readonly fsyncs: Spread;
  readonly snapshots: Spread;
  /** How often it looked for a leader, and until it had one. */
  readonly looked: number;
  readonly elections: Spread;
  /** From the loss of a leader until it served again. */
  readonly outages: Spread;
}

/** What a door cannot know by itself: whoever starts the process tells it. */
export interface ProcessFacts {
  /** Milliseconds since 1970. */
  wallMillis(): number;
  /** The replica in the same process; undefined: a gateway alone. */
  readonly self?: ReplicaId;
  replica?(): ReplicaFigures;
  /** Of its data, and what lies there; undefined: there is none. */
  readonly dataFolder?: { readonly path: string; bytes(): number };
  /** Open files and sockets of the process, and how many it may have. */
  files?(): { readonly open: number; readonly most: number };
  /** `host.name`, `os.name` and so on, for `envi`. */
  environment?(): readonly (readonly [name: string, value: string])[];
}

export interface SessionReport {
  readonly session: SessionId;
  readonly timeoutMillis: number;
  /** Milliseconds since 1970. */
  readonly establishedAt: number;
  /** When it is closed unless something comes; milliseconds since 1970. */
  readonly silentUntil: number;
  readonly lastReply: LastReply | undefined;
  readonly latency: Latency;
  /** All that it watches, and the paths of ZooKeeper's table of data watches. */
  readonly watches: number;
  watchedPaths(): Iterable<Path>;
}

export interface ConnectionReport {
  /** `127.0.0.1:50614`, as the socket's other end. */
  readonly address: string;
  /** Nothing more is read from it at present. */
  readonly paused: boolean;
  /** There is something that its client has not taken. */
  readonly unsent: boolean;
  /** Requests without an answer. */
  readonly outstanding: number;
  readonly received: number;
  readonly sent: number;
  /** Undefined before the session is attached. */
  readonly session: SessionReport | undefined;
}

/** `interrupted`: there is no leader, and not for long enough that clients which take that are served what there is. */
export type ServiceState = "serving" | "interrupted" | "readOnly";

export interface FourLetterSource {
  /** Of this program. */
  readonly version: string;
  readonly facts: ProcessFacts;
  readonly backend: Backend;
  readonly state: ServiceState;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly clientPort: number;
  readonly connectionsPerAddress: number;
  readonly minSessionTimeoutMillis: number;
  readonly maxSessionTimeoutMillis: number;
  /** Of the door, since its start or `srst`. */
  readonly statistics: {
    readonly received: number;
    readonly sent: number;
    readonly latency: Latency;
    readonly replySizes: ReplySizes | undefined;
  };
  /** Likewise: what its answers took, by whether they were of a transaction. */
  readonly reads: Spread;
  readonly updates: Spread;
  /** The asking one among them. */
  connections(): Iterable<ConnectionReport>;
  /** Connections that were closed because there were too many; failed proofs of identity. */
  readonly rejectedConnections: number;
  readonly failedAuths: number;
  resetConnections(): void;
  resetStatistics(): void;
}
