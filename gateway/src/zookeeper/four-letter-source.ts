/** What the four-letter words tell of, asked for only where a word needs it. */
import type { Path, ReplicaId, SessionId } from "@quorate/api";
import type { Backend } from "../backend.ts";
import type { LastReply, Latency } from "./statistics.ts";

/** What a door cannot know by itself: whoever starts the process tells it. */
export interface ProcessFacts {
  /** Milliseconds since 1970. */
  wallMillis(): number;
  /** The replica in the same process; undefined: a gateway alone. */
  readonly self?: ReplicaId;
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
  readonly statistics: { readonly received: number; readonly sent: number; readonly latency: Latency };
  /** The asking one among them. */
  connections(): Iterable<ConnectionReport>;
  /** Connections that were closed because there were too many; failed proofs of identity. */
  readonly rejectedConnections: number;
  readonly failedAuths: number;
  resetConnections(): void;
  resetStatistics(): void;
}
