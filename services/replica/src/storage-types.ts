/** What storage tells its users: what it recovered, what it sends, what it counts. */
import type { Zxid } from "@quorate/api";
import type { RecoveredHistory } from "@quorate/zab";
import type { JournalCounters } from "./journal.ts";
import type { StoredState } from "./state-file.ts";

export interface Recovered {
  readonly state: StoredState;
  readonly history: RecoveredHistory;
  /** The snapshot to load before `replay(snapshot, history.applied)`; 0: none. */
  readonly snapshot: Zxid;
  /** Where corrupt files were moved to; this replica is joining then. */
  readonly setAside: string | undefined;
  /** For the log: what was cut, left out or removed, and why. */
  readonly notes: readonly string[];
}

export interface SnapshotSource {
  readonly at: Zxid;
  readonly checksum: number;
  /** The file's bytes as they lie: what `stage` takes. */
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Lets file and log behind it go: after the history behind `at` has begun to be sent. */
  release(): void;
}

export interface StorageStats extends Readonly<JournalCounters> {
  readonly segments: number;
  /** Closed for good: the commit index has passed their end. */
  readonly sealedSegments: number;
  readonly logBytes: number;
  readonly waitingWrites: number;
  readonly waitingBytes: number;
  readonly oldestWriteMillis: number;
  readonly stateWrites: number;
  readonly freeBytes: number;
}
