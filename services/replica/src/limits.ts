/** The named bounds of a replica's storage. Bytes and milliseconds. */
import { assert } from "@quorate/api";

export interface StorageLimits {
  /** A new segment begins when the last one holds this much, … */
  readonly segmentBytes: number;
  /** … or is this old. */
  readonly segmentMillis: number;
  /** A segment grows by multiples of this, with zeros behind its last record: see `journal.ts`. 0: by what is written. */
  readonly growBytes: number;
  /** What one write and fsync takes together at most. */
  readonly groupBytes: number;
  readonly groupBatches: number;
  /** What may wait for the disk. From the first on a follower lets its leader go for a while; the second is fatal. */
  readonly queueSoftBytes: number;
  readonly queueHardBytes: number;
  readonly queueJobs: number;
  /** Free bytes below which the disk counts as full: the leader refuses writes before the log meets the end. */
  readonly reserveBytes: number;
  /** How long a look at the free bytes is believed. */
  readonly freeMillis: number;
  /** Snapshots kept: the newest is named, the one before it serves if the newest does not read. */
  readonly keptSnapshots: number;
  /** A file is read in pieces of this size. */
  readonly readBytes: number;
  /** A snapshot is written in pieces of this size, … */
  readonly snapshotWriteBytes: number;
  /** … and fsynced after so much, so that the log's own fsync never waits for all of it. */
  readonly snapshotSyncBytes: number;
}

export const storageLimits: StorageLimits = {
  segmentBytes: 16 * 1024 * 1024,
  segmentMillis: 60_000,
  growBytes: 256 * 1024,
  groupBytes: 4 * 1024 * 1024,
  groupBatches: 256,
  queueSoftBytes: 32 * 1024 * 1024,
  queueHardBytes: 512 * 1024 * 1024,
  queueJobs: 1_000_000,
  reserveBytes: 64 * 1024 * 1024,
  freeMillis: 1000,
  keptSnapshots: 2,
  readBytes: 1024 * 1024,
  snapshotWriteBytes: 256 * 1024,
  snapshotSyncBytes: 4 * 1024 * 1024,
};

/** The largest payload that a record may have: beyond it, bytes are not believed. */
export const recordPayloadBytes: number = 64 * 1024 * 1024;
/** The largest piece of content that a snapshot may have between two of its checksums. */
export const snapshotPieceBytes: number = 16 * 1024 * 1024;

/** Relations that the code relies on; checked for every set of limits that a storage is opened with. */
export function checkStorageLimits(limits: StorageLimits): void {
  assert(limits.groupBytes <= limits.queueSoftBytes, "a group fits into the queue");
  assert(limits.queueSoftBytes <= limits.queueHardBytes, "the soft limit is below the hard one");
  assert(limits.keptSnapshots >= 1, "at least one snapshot is kept");
  assert(limits.segmentBytes + recordPayloadBytes + limits.groupBytes < 2 ** 32, "offsets in a segment fit 32 bits");
  assert(limits.groupBatches >= 1 && limits.readBytes >= 4096, "groups and reads are not empty");
}

checkStorageLimits(storageLimits);
